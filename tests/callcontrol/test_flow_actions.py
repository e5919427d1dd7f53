"""What flows ask for, carried out on the twin: systems that answer late, messages, transfers, queues with comfort."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from callcontrol.events import FlowNoted, RecordingStarted
from callcontrol.model import ExitReason, Phase
from ivr_flows.protocol import Failure, Request, Response
from ivr_flows.settings import FlowSettings
from pbx.memory.audio import MUSIC_HZ
from recording.audio import analyse
from tests.support.daemon import DaemonLab
from tests.support.flows import HEAD

FLOW = (
    HEAD
    + """\
variables: {n: integer, t: text}
nodes:
  cola: {kind: queue, name: contact-center, then: {talked: fin, timeout: fin}}
  tono: {kind: play, barge_in: false, prompts: {tone: {hz: 900, ms: 4000}}, next: fin}
  fin: {kind: hangup}
"""
)


class Systems:
    """The customer's system, answered by the test."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

    async def ask(self, request: Request) -> Response:
        self.asked.append(request)
        return await asyncio.shield(self.answer)


Make = Callable[..., AbstractAsyncContextManager[DaemonLab]]


@pytest.fixture
def lab_with(tmp_path: Path) -> Make:
    @asynccontextmanager
    async def make(nodes: str, systems: Any = None, *, first: str = FLOW, **more: Any) -> AsyncIterator[DaemonLab]:
        folder = tmp_path / "flows"
        folder.mkdir()
        (folder / "prueba.yaml").write_text(first + nodes, encoding="utf-8")
        flows = FlowSettings(folders=[str(folder)], shipped=False, default="prueba")
        async with DaemonLab(tmp_path, flows=flows, systems=systems, **more) as lab:
            yield lab

    return make


def notes(lab: DaemonLab, kind: str) -> list[dict[str, Any]]:
    facts = [event.fact for event in lab.journal.events[lab.record().id]]
    return [fact.data for fact in facts if isinstance(fact, FlowNoted) and fact.kind == kind]


HTTP = """\
  uno:
    kind: http
    request: {system: s, url: /x, comfort: {tone: {hz: 700, ms: 1500}}, comfort_after_s: 2}
    take: {n: n}
    next: tono
    fallback: cola
"""


async def test_an_answer_goes_on(lab_with: Make) -> None:
    systems = Systems()
    async with lab_with(HTTP, systems) as lab:
        caller = await lab.call()
        await lab.go(1)
        assert [request.url for request in systems.asked] == ["/x"]
        systems.answer.set_result(Response(200, {"n": 3}))
        await lab.go(0.1)
        assert await lab.hears(caller, 900)


async def test_nobody_waits_in_silence_for_more_than_four_seconds(lab_with: Make) -> None:
    systems = Systems()
    async with lab_with(HTTP, systems) as lab:
        caller = await lab.call()
        await lab.go(2.2)
        assert await lab.hears(caller, 700)
        await lab.go(1.5)
        assert await lab.hears(caller, MUSIC_HZ)
        await lab.go(10)
        assert await lab.hears(caller, MUSIC_HZ)
        systems.answer.set_result(Response(failure=Failure.TIMEOUT))
        phone = await lab.phone("1001")
        await lab.ready("ana")
        assert await lab.hears(caller, phone.tone_hz)
        assert notes(lab, "http.failed")[0]["why"] == "timeout"


async def test_the_caller_hangs_up_while_the_system_thinks(lab_with: Make) -> None:
    systems = Systems()
    async with lab_with(HTTP, systems) as lab:
        caller = await lab.call()
        await lab.go(1)
        await caller.hangup()
        await lab.go(30)
        assert lab.record().exit_reason is ExitReason.ABANDONED_IN_FLOW
        assert notes(lab, "flow.ended")[0]["node"] == "uno"
        assert not lab.daemon.sessions


async def test_a_system_that_breaks_our_client_is_no_answer(lab_with: Make) -> None:
    class Broken:
        async def ask(self, request: Request) -> Response:
            raise ConnectionResetError

    async with lab_with(HTTP, Broken()) as lab:
        await lab.call()
        await lab.go(1)
        assert lab.record().phase is Phase.QUEUED


async def test_without_systems_the_fallback_comes_at_once(lab_with: Make) -> None:
    async with lab_with(HTTP) as lab:
        await lab.call()
        await lab.go(0.5)
        assert lab.record().phase is Phase.QUEUED
        assert notes(lab, "http.failed")[0]["why"] == "refused"


MAIL = """\
  uno:
    kind: voicemail
    mailbox: noche
    prompts: {tone: {hz: 700, ms: 1000}}
    max_s: 10
    next: tono
"""


async def test_a_message_ends_with_a_key(lab_with: Make, tmp_path: Path) -> None:
    async with lab_with(MAIL) as lab:
        caller = await lab.call(tone_hz=440)
        await lab.go(6.5)
        await lab.during(caller.send_digits("#"))
        await lab.go(0.2)
        assert await lab.hears(caller, 900)
        (note,) = notes(lab, "voicemail.left")
        assert note["mailbox"] == "noche"
        assert note["seconds"] == pytest.approx(5, abs=0.6)
        (kept,) = lab.record().recordings
        assert (kept.id, kept.state) == (note["recording"], "complete")
        assert analyse(tmp_path / kept.path).sides[0].hz == pytest.approx(440, abs=2)


async def test_a_message_has_its_limit(lab_with: Make) -> None:
    async with lab_with(MAIL) as lab:
        caller = await lab.call()
        await lab.go(12)
        assert await lab.hears(caller, 900)
        assert notes(lab, "voicemail.left")[0]["seconds"] == pytest.approx(10, abs=0.5)


async def test_who_hangs_up_has_left_the_message_all_the_same(lab_with: Make) -> None:
    async with lab_with(MAIL) as lab:
        caller = await lab.call()
        await lab.go(5)
        await caller.hangup()
        await lab.go(30)
        assert lab.record().phase is Phase.CLOSED
        (note,) = notes(lab, "voicemail.left")
        assert note["seconds"] > 2
        assert lab.record().recordings[0].state == "complete"


async def test_who_hangs_up_before_the_tone_has_left_none(lab_with: Make) -> None:
    async with lab_with(MAIL) as lab:
        caller = await lab.call()
        await lab.go(0.5)
        await caller.hangup()
        await lab.go(30)
        assert lab.record().phase is Phase.CLOSED
        assert not notes(lab, "voicemail.left")


async def test_a_full_disk_costs_the_message_and_not_the_call(lab_with: Make) -> None:
    async with lab_with(MAIL) as lab:
        caller = await lab.call()
        await lab.go(3)
        lab.world.fill_disk()
        await lab.go(1)
        assert await lab.hears(caller, 900)
        assert "message_lost" in {kind for kind, _ in lab.herald.alerts}
        assert notes(lab, "voicemail.none")


async def test_a_new_daemon_keeps_the_message_that_was_being_left(lab_with: Make) -> None:
    async with lab_with(MAIL) as lab:
        caller = await lab.call()
        await lab.go(4)
        await lab.kill()
        await lab.go(1)
        await lab.start()
        await lab.go(0.5)
        assert await lab.hears(caller, 900)
        assert notes(lab, "voicemail.left")[0]["seconds"] > 2
        assert lab.record().recordings[0].state == "complete"


async def test_the_switch_dies_and_the_message_is_kept(lab_with: Make) -> None:
    async with lab_with(MAIL) as lab:
        await lab.call()
        await lab.go(4)
        lab.world.kill()
        await lab.go(1)
        lab.world.restore(same_life=False)
        await lab.go(30)
        assert (lab.record().phase, lab.record().exit_reason) == (Phase.CLOSED, ExitReason.SWITCH_LOST)
        assert lab.record().recordings[0].state == "complete"
        assert notes(lab, "voicemail.left")[0]["seconds"] > 2


async def test_a_lost_connection_asks_no_system_twice(lab_with: Make) -> None:
    systems = Systems()
    async with lab_with(HTTP, systems) as lab:
        caller = await lab.call()
        await lab.go(1)
        lab.world.lose_connection()
        await lab.go(1)
        lab.world.restore(same_life=True)
        await lab.go(2)
        assert len(systems.asked) == 1
        systems.answer.set_result(Response(200, {"n": 3}))
        await lab.go(0.1)
        assert await lab.hears(caller, 900)


TRANSFER = """\
  uno: {kind: transfer, to: {%s}, timeout_s: 10, then: {no_answer: tono, busy: cola, failed: cola, talked: tono}}
"""


async def test_a_transfer_talks_and_the_flow_goes_on(lab_with: Make) -> None:
    async with lab_with(TRANSFER % "phone: '1001'") as lab:
        phone = await lab.phone("1001", tone_hz=1000)
        caller = await lab.call(tone_hz=440)
        other = await lab.during(phone.next_call())
        assert await lab.hears(caller, 1000)
        assert await lab.hears(other, 440)
        await other.hangup()
        await lab.go(0.5)
        assert await lab.hears(caller, 900)
        assert notes(lab, "transfer.ended")[0]["how"] == "talked"


async def test_a_transfer_that_nobody_answers(lab_with: Make) -> None:
    async with lab_with(TRANSFER % "agent: ana") as lab:
        await lab.phone("1001", auto_answer=False)
        caller = await lab.call()
        await lab.go(2)
        assert await lab.hears(caller, MUSIC_HZ)
        await lab.go(9)
        assert await lab.hears(caller, 900)
        assert notes(lab, "transfer.ended")[0]["how"] == "no_answer"


@pytest.mark.parametrize("to", ["phone: nadie", "agent: nadie", "number: '0999999999999999999'"])
async def test_a_transfer_to_whom_there_is_not(lab_with: Make, to: str) -> None:
    async with lab_with(TRANSFER % to) as lab:
        await lab.call()
        await lab.go(3)
        assert lab.record().phase is Phase.QUEUED
        assert notes(lab, "transfer.ended")[0]["how"] in ("refused", "failed")


@pytest.mark.parametrize("talks", [True, False])
async def test_the_caller_leaves_a_transfer(lab_with: Make, talks: bool) -> None:
    async with lab_with(TRANSFER % "phone: '1001'") as lab:
        phone = await lab.phone("1001", auto_answer=talks)
        caller = await lab.call()
        other = await lab.during(phone.next_call())
        await lab.go(2)
        await caller.hangup()
        await lab.go(30)
        assert other.ended.is_set()
        assert lab.record().phase is Phase.CLOSED
        wanted = ExitReason.COMPLETED if talks else ExitReason.ABANDONED_IN_FLOW
        assert lab.record().exit_reason is wanted


async def test_a_new_daemon_leaves_a_transfer_alone(lab_with: Make) -> None:
    async with lab_with(TRANSFER % "phone: '1001'") as lab:
        phone = await lab.phone("1001", tone_hz=1000)
        caller = await lab.call()
        other = await lab.during(phone.next_call())
        await lab.go(2)
        await lab.kill()
        await lab.go(3)
        await lab.start()
        assert await lab.hears(caller, 1000)
        await other.hangup()
        await lab.go(0.5)
        assert await lab.hears(caller, 900)


async def test_a_talk_begun_while_the_connection_was_lost_is_known_afterwards(lab_with: Make) -> None:
    async with lab_with(TRANSFER % "phone: '1001'") as lab:
        phone = await lab.phone("1001", auto_answer=False, tone_hz=1000)
        caller = await lab.call()
        other = await lab.during(phone.next_call())
        lab.world.lose_connection()
        await other.answer()
        await lab.go(1)
        lab.world.restore(same_life=True)
        await lab.go(1)
        assert await lab.hears(caller, 1000)
        lab.world.lose_connection()
        await other.hangup()
        await lab.go(1)
        lab.world.restore(same_life=True)
        await lab.go(1)
        assert await lab.hears(caller, 900)
        assert notes(lab, "transfer.ended")[0]["how"] == "talked"


async def test_the_switch_dies_in_a_transfer(lab_with: Make) -> None:
    async with lab_with(TRANSFER % "phone: '1001'") as lab:
        phone = await lab.phone("1001")
        await lab.call()
        await lab.during(phone.next_call())
        await lab.go(2)
        lab.world.kill()
        await lab.go(1)
        lab.world.restore(same_life=False)
        await lab.go(30)
        record = lab.record()
        assert (record.phase, record.exit_reason) == (Phase.CLOSED, ExitReason.SWITCH_LOST)
        assert all(participant.left_at is not None for participant in record.participants)


QUEUE = """\
  uno:
    kind: queue
    name: contact-center
    comfort: {tone: {hz: 700, ms: 1000}}
    comfort_every_s: 10
    say_position: true
    exits: {"5": tono}
    then: {talked: fin, timeout: fin}
"""


async def test_the_music_is_interrupted_by_comfort(lab_with: Make) -> None:
    async with lab_with(QUEUE) as lab:
        caller = await lab.call()
        for _ in range(3):
            assert await lab.during(caller.hears(MUSIC_HZ, timeout=20))
            assert await lab.during(caller.hears(700, timeout=30))
        phone = await lab.phone("1001", tone_hz=1000)
        await lab.ready("ana")
        await lab.go(3)
        assert await lab.hears(caller, phone.tone_hz)
        await lab.go(30)
        assert lab.record().phase is Phase.TALKING


async def test_comfort_goes_on_after_a_lost_connection(lab_with: Make) -> None:
    async with lab_with(QUEUE) as lab:
        caller = await lab.call()
        assert await lab.during(caller.hears(700, timeout=30))
        lab.world.lose_connection()
        await lab.go(5)  # the prompt's end is told to nobody
        lab.world.restore(same_life=True)
        await lab.go(0.5)
        assert await lab.hears(caller, MUSIC_HZ)
        assert await lab.during(caller.hears(700, timeout=30))


async def test_the_routers_own_word_on_place_and_wait(lab_with: Make) -> None:
    async with lab_with(QUEUE) as lab:
        await lab.call()
        await lab.call()
        await lab.go(1)
        first, second = (call.state.id for call in lab.daemon.sessions.values())
        assert lab.daemon.desk.place(first) == (1, None)  # nobody works
        await lab.phone("1001")
        await lab.ready("ana")
        await lab.go(3)
        position, wait_s = lab.daemon.desk.place(second)
        assert position == 1
        assert wait_s is not None
        assert wait_s > 0
        assert lab.daemon.desk.place(first) == (None, None)


async def test_a_key_leads_out_of_the_queue(lab_with: Make) -> None:
    async with lab_with(QUEUE) as lab:
        caller = await lab.call()
        await lab.go(3)
        await lab.during(caller.send_digits("4"))
        assert lab.record().phase is Phase.QUEUED
        await lab.during(caller.send_digits("5"))
        await lab.go(0.2)
        assert await lab.hears(caller, 900)
        assert not lab.daemon.desk.router.waiting()
        assert lab.facts().count("dequeued") == 1


async def test_a_key_while_an_agent_is_rung(lab_with: Make) -> None:
    async with lab_with(QUEUE) as lab:
        phone = await lab.phone("1001", auto_answer=False)
        await lab.ready("ana")
        caller = await lab.call()
        ringing = await lab.during(phone.next_call())
        await lab.during(caller.send_digits("5"))
        await lab.go(1)
        assert ringing.ended.is_set()
        assert await lab.hears(caller, 900)
        await lab.go(30)
        assert lab.record().phase is Phase.CLOSED
        assert lab.state("ana")[0].value == "ready"


CONSENT = """\
  uno: {kind: record, ask: refuse, prompts: {tone: {hz: 700, ms: 500}}, next: cola}
"""


@pytest.mark.parametrize(("key", "recorded"), [("2", False), ("1", True)])
async def test_who_refuses_is_not_recorded(lab_with: Make, key: str, recorded: bool) -> None:
    async with lab_with(CONSENT) as lab:
        phone = await lab.phone("1001")
        await lab.ready("ana")
        caller = await lab.call()
        await lab.go(1)
        await lab.during(caller.send_digits(key))
        await lab.during(phone.next_call())
        await lab.go(3)
        assert lab.record().phase is Phase.TALKING
        facts = [event.fact for event in lab.journal.events[lab.record().id]]
        assert any(isinstance(fact, RecordingStarted) for fact in facts) is recorded
        assert notes(lab, "recording.consent")[0]["allowed"] is recorded


SURVEY = """\
  uno: {kind: survey, name: s, questions: [{id: calidad, prompts: {tone: {hz: 700, ms: 300}}}], next: tono}
"""


async def test_the_surveys_answers_are_stored_with_the_interaction(lab_with: Make) -> None:
    async with lab_with(SURVEY) as lab:
        caller = await lab.call()
        await lab.go(1)
        await lab.during(caller.send_digits("4"))
        await lab.go(6)
        await caller.hangup()
        await lab.go(30)
        (answer,) = notes(lab, "survey.answer")
        assert (answer["question"], answer["answer"], answer["survey"]) == ("calidad", 4, "s")
        assert lab.record().survey == {"calidad": 4}


BOT = """\
  uno: {kind: bot, name: b, next: fin, unavailable: tono}
"""


async def test_where_no_bot_is_the_flow_knows_the_way(lab_with: Make) -> None:
    async with lab_with(BOT) as lab:
        caller = await lab.call()
        await lab.go(0.5)
        assert await lab.hears(caller, 900)


TONE = "{tone: {hz: 700, ms: 9000}}"
EVERY_NODE = {
    "answer": "  uno: {kind: answer, next: espera}",
    "play": "  uno: {kind: play, prompts: TONE, next: fin}",
    "menu": "  uno: {kind: menu, prompts: TONE, options: {'1': fin}}",
    "collect": "  uno: {kind: collect, prompts: TONE, into: t, max_digits: 4, next: fin}",
    "queue": "  uno: {kind: queue, name: contact-center, then: {talked: fin, timeout: fin}}",
    "http": "  uno: {kind: http, request: {system: s, url: /x}, next: fin, fallback: fin}",
    "identify": "  uno: {kind: identify, by: caller, request: {system: s, url: /x}, prompts: TONE,"
    " next: fin, unknown: fin, fallback: fin}",
    "announce": "  uno: {kind: announce, request: {system: s, url: /x}, list: a, each: x, next: fin, fallback: fin}",
    "voicemail": "  uno: {kind: voicemail, mailbox: m, prompts: TONE, next: fin}",
    "transfer": "  uno: {kind: transfer, to: {phone: '1001'}, then: {failed: fin}}",
    "callback": "  uno: {kind: callback, queue: contact-center, prompts: TONE, next: fin, declined: fin}",
    "survey": "  uno: {kind: survey, name: s, questions: [{id: q, prompts: TONE}], next: fin}",
    "record": "  uno: {kind: record, prompts: TONE, next: fin}",
}
WAIT = "\n  espera: {kind: play, barge_in: false, prompts: TONE, next: fin}\n"


@pytest.mark.parametrize("kind", EVERY_NODE)
async def test_who_hangs_up_anywhere_leaves_a_record_that_says_where(lab_with: Make, kind: str) -> None:
    async with lab_with((EVERY_NODE[kind] + WAIT).replace("TONE", TONE), Systems()) as lab:
        await lab.phone("1001", auto_answer=False)
        caller = await lab.call()
        await lab.go(3)
        await caller.hangup()
        await lab.go(60)
        record = lab.record()
        assert record.phase is Phase.CLOSED
        assert notes(lab, "node")[0]["node"] == "uno"
        if kind != "queue":  # there the queue's own events say it
            (ended,) = notes(lab, "flow.ended")
            assert ended["end"] == "caller_left"
            assert ended["node"] == ("espera" if kind == "answer" else "uno")
        assert not lab.daemon.sessions


async def test_a_fault_in_a_flow_is_an_alert_and_the_caller_is_led_on(lab_with: Make) -> None:
    nodes = "  uno: {kind: set, values: {n: {expr: '1 / n'}}, next: tono}\n"
    async with lab_with(nodes) as lab:
        await lab.call()
        await lab.go(0.5)
        assert ("flow_fault", "flow prueba, node uno: expression") in lab.herald.alerts
        assert len(notes(lab, "flow.error")) == 1
