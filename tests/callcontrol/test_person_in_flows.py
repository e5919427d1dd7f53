"""A person at any time, carried out on the twin: while a system thinks, a message is left, a telephone rings, and after
what must be heard."""

from __future__ import annotations

from callcontrol.model import Phase
from ivr_flows.protocol import Response
from pbx.memory.audio import MUSIC_HZ
from tests.callcontrol.test_flow_actions import HTTP, MAIL, TRANSFER, Make, Systems, lab_with, notes

__all__ = ["lab_with"]  # the fixture


async def test_the_key_for_a_person_ends_the_message_and_keeps_it(lab_with: Make) -> None:
    async with lab_with(MAIL) as lab:
        caller = await lab.call()
        await lab.go(6)
        await lab.during(caller.send_digits("0"))
        await lab.go(0.5)
        assert lab.record().phase is Phase.QUEUED
        assert notes(lab, "voicemail.left")[0]["seconds"] > 3
        assert lab.record().recordings[0].state == "complete"


async def test_a_person_before_the_tone_leaves_no_message(lab_with: Make) -> None:
    async with lab_with(MAIL) as lab:
        caller = await lab.call()
        await lab.go(0.3)
        await lab.during(caller.send_digits("0"))
        await lab.go(0.5)
        assert lab.record().phase is Phase.QUEUED
        assert not lab.record().recordings
        await lab.go(20)
        assert await lab.hears(caller, MUSIC_HZ)
        assert not lab.record().recordings


async def test_an_announcement_is_heard_to_its_end_and_then_comes_the_person(lab_with: Make) -> None:
    nodes = "  uno: {kind: play, barge_in: false, prompts: {tone: {hz: 700, ms: 4000}}, next: tono}"
    async with lab_with(nodes) as lab:
        caller = await lab.call()
        await lab.go(1)
        await lab.during(caller.send_digits("0"))
        await lab.go(1)
        assert await lab.hears(caller, 700)
        assert lab.record().phase is Phase.FLOW
        await lab.go(3)
        assert lab.record().phase is Phase.QUEUED


async def test_a_person_instead_of_a_telephone_that_rings(lab_with: Make) -> None:
    async with lab_with(TRANSFER % "phone: '1002'") as lab:
        phone = await lab.phone("1002", auto_answer=False)
        caller = await lab.call()
        other = await lab.during(phone.next_call())
        await lab.go(1)
        await lab.during(caller.send_digits("5"))
        assert lab.record().phase is Phase.FLOW
        await lab.during(caller.send_digits("0"))
        await lab.go(1)
        assert other.ended.is_set()
        assert lab.record().phase is Phase.QUEUED
        assert await lab.hears(caller, MUSIC_HZ)
        await caller.hangup()
        await lab.go(30)
        assert lab.record().phase is Phase.CLOSED


async def test_in_the_talk_of_a_transfer_keys_are_for_the_other_party(lab_with: Make) -> None:
    async with lab_with(TRANSFER % "phone: '1001'") as lab:
        phone = await lab.phone("1001", tone_hz=1000)
        caller = await lab.call()
        await lab.during(phone.next_call())
        await lab.go(1)
        await lab.during(caller.send_digits("0"))
        await lab.go(1)
        assert lab.record().phase is Phase.FLOW
        assert await lab.hears(caller, 1000)


async def test_a_person_while_the_system_thinks(lab_with: Make) -> None:
    systems = Systems()
    async with lab_with(HTTP, systems) as lab:
        caller = await lab.call()
        await lab.go(1)
        await lab.during(caller.send_digits("5"))
        assert lab.record().phase is Phase.FLOW
        await lab.during(caller.send_digits("0"))
        await lab.go(0.2)
        assert lab.record().phase is Phase.QUEUED
        systems.answer.set_result(Response(200, {"n": 3}))  # too late
        await lab.go(1)
        assert lab.record().phase is Phase.QUEUED
