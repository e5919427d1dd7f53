"""A person asked for by words beside what goes on, carried out on the twin: while a system thinks, a telephone rings, a
message is left, and in a queue."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from callcontrol.call_wait import ANSWERED_FOR_S
from callcontrol.events import Dequeued, Queued
from callcontrol.listening import Ears
from callcontrol.model import Phase
from callcontrol.settings import Queue
from ivr_flows.protocol import Response
from pbx.memory import MemoryCall
from pbx.memory.audio import MUSIC_HZ, SPEECH_HZ
from pbx.recognition.terms import Expected, Pcm, Recognised, RecognitionFailed
from pbx.sounds import SoundLibrary
from tests.callcontrol.test_flow_actions import FLOW, HTTP, MAIL, TRANSFER, Make, Systems, lab_with, notes
from tests.support.daemon import QUEUES, DaemonLab

__all__ = ["lab_with"]  # the fixture


class Understands:
    """A recogniser that takes whatever is said for these words, where they are expected at all."""

    def __init__(self, words: str = "operadora", *, away: bool = False) -> None:
        self.words, self.away = words, away
        self.utterances: list[float] = []

    async def prepare(self, expected: Sequence[Expected]) -> None: ...

    async def recognise(self, pcm: Pcm, rate: int, expected: Expected) -> Recognised | None:
        self.utterances.append(len(pcm) / rate)
        if self.away:
            raise RecognitionFailed("the speech service does not answer")
        return Recognised(self.words, 1.0) if self.words in expected.phrases else None

    async def close(self) -> None: ...


def ears(tmp_path: Path, recogniser: Understands | None = None) -> Ears:
    return Ears(sounds=SoundLibrary([], tmp_path / "sounds", None), recogniser=recogniser or Understands())


async def says(lab: DaemonLab, caller: MemoryCall, seconds: float = 0.8) -> None:
    """And is silent until it is known that nothing more comes."""
    caller.speak()
    await lab.go(seconds)
    caller.silence()
    await lab.go(1.0)


async def test_while_the_system_thinks(lab_with: Make, tmp_path: Path) -> None:
    systems = Systems()
    async with lab_with(HTTP, systems, ears=ears(tmp_path)) as lab:
        caller = await lab.call()
        caller.silence()
        await lab.go(3)
        await says(lab, caller)
        assert lab.record().phase is Phase.QUEUED
        systems.answer.set_result(Response(200, {"n": 3}))  # too late
        await lab.go(1)
        assert lab.record().phase is Phase.QUEUED
        assert len(notes(lab, "person.asked")) == 1


async def test_instead_of_a_telephone_that_rings(lab_with: Make, tmp_path: Path) -> None:
    async with lab_with(TRANSFER % "phone: '1002'", ears=ears(tmp_path)) as lab:
        phone = await lab.phone("1002", auto_answer=False)
        caller = await lab.call()
        caller.silence()
        other = await lab.during(phone.next_call())
        await lab.go(1)
        assert await lab.hears(caller, MUSIC_HZ)
        await says(lab, caller)
        assert other.ended.is_set()
        assert lab.record().phase is Phase.QUEUED
        assert await lab.hears(caller, MUSIC_HZ)


async def test_in_the_talk_of_a_transfer_nobody_listens(lab_with: Make, tmp_path: Path) -> None:
    understands = Understands()
    async with lab_with(TRANSFER % "phone: '1001'", ears=ears(tmp_path, understands)) as lab:
        phone = await lab.phone("1001", tone_hz=1000)
        caller = await lab.call()
        caller.silence()
        await lab.during(phone.next_call())
        await lab.go(1)
        await says(lab, caller)
        assert lab.record().phase is Phase.FLOW
        assert await lab.hears(caller, 1000)
        assert not understands.utterances


async def test_a_message_ends_and_what_was_said_is_kept(lab_with: Make, tmp_path: Path) -> None:
    async with lab_with(MAIL, ears=ears(tmp_path)) as lab:
        caller = await lab.call()
        caller.silence()
        await lab.go(5)
        await says(lab, caller)
        assert lab.record().phase is Phase.QUEUED
        assert notes(lab, "voicemail.left")[0]["seconds"] > 3
        assert lab.record().recordings[0].state == "complete"


async def test_what_is_told_in_a_message_is_no_wish(lab_with: Make, tmp_path: Path) -> None:
    """Even where words of it sound like one: a wish is said by itself."""
    understands = Understands()
    async with lab_with(MAIL.replace("max_s: 10", "max_s: 30"), ears=ears(tmp_path, understands)) as lab:
        caller = await lab.call()
        caller.silence()
        await lab.go(2)
        await says(lab, caller, 4.0)
        assert lab.record().phase is Phase.FLOW
        assert not understands.utterances
        await lab.during(caller.send_digits("#"))
        await lab.go(0.2)
        assert notes(lab, "voicemail.left")
        assert not notes(lab, "person.asked")


async def test_words_before_the_tone_leave_no_message(lab_with: Make, tmp_path: Path) -> None:
    async with lab_with(MAIL.replace("ms: 1000", "ms: 5000"), ears=ears(tmp_path)) as lab:
        caller = await lab.call()
        caller.silence()
        await lab.go(0.5)
        await says(lab, caller)
        assert lab.record().phase is Phase.QUEUED
        assert not lab.record().recordings


@pytest.mark.parametrize("place", ["system", "transfer", "message"])
async def test_other_words_change_nothing(place: str, lab_with: Make, tmp_path: Path) -> None:
    nodes = {"system": HTTP, "transfer": TRANSFER % "phone: '1002'", "message": MAIL}[place]
    understands = Understands("la sopa")
    async with lab_with(nodes, Systems(), ears=ears(tmp_path, understands)) as lab:
        await lab.phone("1002", auto_answer=False)
        caller = await lab.call()
        caller.silence()
        await lab.go(3)
        await says(lab, caller)
        assert len(understands.utterances) == 1
        assert lab.record().phase is Phase.FLOW
        assert not notes(lab, "person.asked")


@pytest.mark.parametrize("recogniser", [Understands(away=True), None])
async def test_without_a_recogniser_that_answers_the_key_is_left(
    recogniser: Understands | None, lab_with: Make, tmp_path: Path
) -> None:
    heard_by = Ears(sounds=SoundLibrary([], tmp_path / "sounds", None), recogniser=recogniser)
    async with lab_with(HTTP, Systems(), ears=heard_by) as lab:
        caller = await lab.call()
        caller.silence()
        await lab.go(3)
        await says(lab, caller)
        assert lab.record().phase is Phase.FLOW
        await lab.during(caller.send_digits("0"))
        await lab.go(0.2)
        assert lab.record().phase is Phase.QUEUED


async def test_more_callers_than_may_be_listened_to_have_the_key(lab_with: Make, tmp_path: Path) -> None:
    both = Ears(
        sounds=SoundLibrary([], tmp_path / "sounds", None), recogniser=Understands(), beside=asyncio.Semaphore(1)
    )
    async with lab_with(HTTP, Systems(), ears=both) as lab:
        first = await lab.call()
        first.silence()
        await lab.go(1)
        second = await lab.call()
        second.silence()
        await lab.go(3)
        await says(lab, second)
        assert [record.phase for record in lab.journal.records.values()] == [Phase.FLOW, Phase.FLOW]
        await says(lab, first)
        assert Phase.QUEUED in [record.phase for record in lab.journal.records.values()]


# --- in a queue

WAITS = """\
  uno: {kind: queue, name: contact-center, priority: 5, exits: {'7': tono}, then: {talked: fin, timeout: fin}}
"""
ELSEWHERE = """\
  uno: {kind: queue, name: averias, priority: 5, exits: {'7': tono}, comfort: {tone: {hz: 700, ms: 1000}},
    comfort_every_s: 60, then: {talked: fin, timeout: fin}}
"""
TWO = [*QUEUES, Queue(name="averias", title="Averías")]


async def wishes(lab: DaemonLab, caller: MemoryCall, by: str) -> None:
    if by == "key":
        await lab.during(caller.send_digits("0"))
        await lab.go(0.2)
    else:
        await says(lab, caller)


@pytest.mark.parametrize("by", ["key", "words"])
async def test_in_the_queue_for_persons_they_are_told_so(by: str, lab_with: Make, tmp_path: Path) -> None:
    async with lab_with(WAITS, ears=ears(tmp_path)) as lab:
        caller = await lab.call()
        caller.silence()
        await lab.go(5)
        await wishes(lab, caller, by)
        assert await lab.hears(caller, SPEECH_HZ)
        assert lab.record().phase is Phase.QUEUED
        await lab.go(20)
        assert await lab.hears(caller, MUSIC_HZ)  # and then the music goes on
        assert [fact.queue for fact in facts(lab, Queued)] == ["contact-center"]
        await lab.during(caller.send_digits("7"))  # the queue's own exits are as they were
        await lab.go(0.5)
        assert await lab.hears(caller, 900)


async def test_who_presses_again_and_again_is_answered_once(lab_with: Make) -> None:
    async with lab_with(WAITS) as lab:
        caller = await lab.call()
        await lab.go(5)
        for _ in range(5):
            await lab.during(caller.send_digits("0"))
            await lab.go(0.3)
        assert len(notes(lab, "person.asked")) == 1
        await lab.go(ANSWERED_FOR_S)
        await lab.during(caller.send_digits("0"))
        await lab.go(0.3)
        assert len(notes(lab, "person.asked")) == 2
        assert await lab.hears(caller, SPEECH_HZ)


@pytest.mark.parametrize("by", ["key", "words"])
async def test_from_another_queue_they_are_led_to_the_persons_with_the_place_that_they_had(
    by: str, lab_with: Make, tmp_path: Path
) -> None:
    async with lab_with(ELSEWHERE, ears=ears(tmp_path), queues=TWO) as lab:
        caller = await lab.call()
        caller.silence()
        await lab.go(30)
        await wishes(lab, caller, by)
        assert [(fact.queue, fact.priority) for fact in facts(lab, Queued)] == [("averias", 5), ("contact-center", 5)]
        left = facts(lab, Dequeued)
        assert [fact.how for fact in left] == ["moved:person"]
        assert left[0].waited_s > 29
        assert lab.daemon.sessions[lab.record().id].state.queued_at < lab.clock.now() - 29
        phone = await lab.phone("1001")
        await lab.ready("ana")
        assert await lab.hears(caller, phone.tone_hz)


async def test_more_priority_in_the_same_queue_goes_before_who_came_first(lab_with: Make) -> None:
    urgent = FLOW.replace("name: contact-center,", "name: contact-center, priority: 50,")
    nodes = "  uno: {kind: queue, name: contact-center, then: {talked: fin, timeout: fin}}\n"
    async with lab_with(nodes, first=urgent) as lab:
        await lab.call()
        await lab.go(5)
        caller = await lab.call()
        await lab.go(5)
        await lab.during(caller.send_digits("0"))
        await lab.go(0.2)
        router = lab.daemon.desk.router
        assert router.place(lab.record().id, lab.clock.now()).position == 1
        assert [(fact.queue, fact.priority) for fact in facts(lab, Queued)] == [
            ("contact-center", 0),
            ("contact-center", 50),
        ]
        assert [fact.how for fact in facts(lab, Dequeued)] == ["raised"]


async def test_nothing_is_changed_while_an_agent_is_rung(lab_with: Make, tmp_path: Path) -> None:
    async with lab_with(ELSEWHERE.replace("averias", "contact-center"), ears=ears(tmp_path)) as lab:
        phone = await lab.phone("1001", auto_answer=False)
        await lab.ready("ana")
        caller = await lab.call()
        caller.silence()
        ringing = await lab.during(phone.next_call())
        await lab.during(caller.send_digits("0"))
        await says(lab, caller)
        assert not notes(lab, "person.asked")
        await ringing.answer()
        assert await lab.hears(caller, phone.tone_hz)


async def test_in_the_talk_nobody_listens(lab_with: Make, tmp_path: Path) -> None:
    understands = Understands()
    async with lab_with(WAITS, ears=ears(tmp_path, understands)) as lab:
        phone = await lab.phone("1001")
        await lab.ready("ana")
        caller = await lab.call()
        caller.silence()
        assert await lab.hears(caller, phone.tone_hz)
        await says(lab, caller)
        assert not understands.utterances


async def test_a_new_daemon_listens_on(lab_with: Make, tmp_path: Path) -> None:
    async with lab_with(WAITS, ears=ears(tmp_path)) as lab:
        caller = await lab.call()
        caller.silence()
        await lab.go(5)
        await lab.kill()
        await lab.start()
        await lab.go(1)
        await says(lab, caller)
        assert notes(lab, "person.asked")
        lab.world.lose_connection()
        await lab.go(1)
        lab.world.restore(same_life=True)
        await lab.go(ANSWERED_FOR_S)
        await says(lab, caller)
        assert len(notes(lab, "person.asked")) == 2


def facts(lab: DaemonLab, kind: type[Any]) -> list[Any]:
    return [event.fact for event in lab.journal.events[lab.record().id] if isinstance(event.fact, kind)]
