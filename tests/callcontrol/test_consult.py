"""Attended and blind transfers from the page, and calls out, on the twin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callcontrol import inputs as inp
from callcontrol.call_consult import NotTalking
from callcontrol.call_state import NotNow
from callcontrol.events import ConsultEnded
from callcontrol.model import AgentId, AgentState, Direction, ExitReason, Phase, SegmentKind, Target
from callcontrol.orders import Busy, LegDown, Refused
from pbx.memory import MemoryCall
from pbx.memory.audio import MUSIC_HZ, RING_HZ
from tests.support.daemon import TO_QUEUE, DaemonLab

ANA, LUIS = AgentId("ana"), AgentId("luis")
ANA_HZ, LUIS_HZ, CALLER_HZ, FAR_HZ = 1000, 800, 440, 900
ALLOWED, FORBIDDEN = "0991234567", "0019005551234"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[DaemonLab]:
    async with DaemonLab(tmp_path) as lab:
        yield lab


async def talk(lab: DaemonLab) -> tuple[MemoryCall, MemoryCall]:
    leg = await lab.open_leg("ana", tone_hz=ANA_HZ)
    await lab.ready("ana")
    caller = await lab.call(tone_hz=CALLER_HZ)
    await lab.to_queue(caller)
    lab.orders.accept(ANA, lab.offer_to("ana"))
    await lab.go(1)
    return caller, leg


async def order(lab: DaemonLab, given: inp.CallInput) -> None:
    await lab.orders.order(lab.record(0).id, given)
    await lab.go(0)


async def with_luis(lab: DaemonLab) -> tuple[MemoryCall, MemoryCall, MemoryCall]:
    """Ana asks Luis, and they talk."""
    luis = await lab.open_leg("luis", tone_hz=LUIS_HZ)
    caller, ana = await talk(lab)
    await lab.ready("luis")
    await order(lab, inp.AskColleague(ANA, Target.AGENT, "luis"))
    assert (caller.hears_now, ana.hears_now) == ({MUSIC_HZ}, {RING_HZ})
    assert lab.state("luis")[0] is AgentState.RESERVED
    lab.orders.accept(LUIS, lab.offer_to("luis"))
    await lab.go(1)
    assert (caller.hears_now, ana.hears_now, luis.hears_now) == ({MUSIC_HZ}, {LUIS_HZ}, {ANA_HZ})
    return caller, ana, luis


async def with_number(lab: DaemonLab) -> tuple[MemoryCall, MemoryCall, MemoryCall]:
    caller, ana = await talk(lab)
    gateway = lab.world.gateway("gw1")
    gateway.auto_answer, gateway.tone_hz = False, FAR_HZ
    await order(lab, inp.AskColleague(ANA, Target.NUMBER, ALLOWED))
    far = await lab.during(gateway.next_call())
    assert caller.hears_now == {MUSIC_HZ}
    assert ana.hears_now == {RING_HZ}
    await far.answer()
    await lab.go(1)
    assert (caller.hears_now, ana.hears_now, far.hears_now) == ({MUSIC_HZ}, {FAR_HZ}, {ANA_HZ})
    return caller, ana, far


async def closed(lab: DaemonLab, exit_reason: ExitReason = ExitReason.COMPLETED) -> None:
    await lab.go(70)
    record = lab.record(0)
    assert record.phase is Phase.CLOSED, record
    assert record.exit_reason is exit_reason
    assert all(s.ended_at is not None for s in record.segments)
    assert all(p.left_at is not None for p in record.participants)
    assert not lab.daemon.sessions
    for agent, view in lab.daemon.desk.router.agents.items():
        assert not view.works, agent
        assert view.offer is None


def ends(lab: DaemonLab) -> list[str]:
    return [e.fact.how for e in lab.journal.events[lab.record(0).id] if isinstance(e.fact, ConsultEnded)]


# --- a colleague --------------------


async def test_the_citizen_is_given_to_a_colleague(lab: DaemonLab) -> None:
    caller, ana, luis = await with_luis(lab)
    await order(lab, inp.ConsultComplete(ANA))
    await lab.go(1)
    assert (caller.hears_now, luis.hears_now, ana.hears_now) == ({LUIS_HZ}, {CALLER_HZ}, frozenset())
    assert lab.state("ana")[0] is AgentState.WRAP_UP
    assert lab.state("luis")[0] is AgentState.INTERACTING
    record = lab.record(0)
    assert (record.phase, record.agent) == (Phase.TALKING, "luis")
    await caller.hangup()
    await lab.go(1)
    assert lab.state("luis")[0] is AgentState.WRAP_UP
    await closed(lab)
    assert not ana.ended.is_set()
    assert not luis.ended.is_set()
    assert ends(lab) == ["completed"]
    wrapped = [s for s in lab.record(0).segments if s.kind is SegmentKind.WRAP_UP]
    assert len(wrapped) == 2
    assert lab.facts(0).count("recording_stopped") == 1  # one, through both talks


async def test_back_to_the_citizen(lab: DaemonLab) -> None:
    caller, ana, luis = await with_luis(lab)
    await order(lab, inp.ConsultCancel(ANA))
    assert (caller.hears_now, ana.hears_now, luis.hears_now) == ({ANA_HZ}, {CALLER_HZ}, frozenset())
    assert lab.state("luis") == (AgentState.READY, "")  # with nothing to write down
    await caller.hangup()
    await closed(lab)
    assert ends(lab) == ["cancelled"]


async def test_to_and_fro(lab: DaemonLab) -> None:
    caller, ana, luis = await with_luis(lab)
    await order(lab, inp.ConsultSwap(ANA))
    assert (caller.hears_now, ana.hears_now, luis.hears_now) == ({ANA_HZ}, {CALLER_HZ}, {MUSIC_HZ})
    await order(lab, inp.ConsultSwap(ANA))
    assert (caller.hears_now, ana.hears_now, luis.hears_now) == ({MUSIC_HZ}, {LUIS_HZ}, {ANA_HZ})
    await order(lab, inp.ConsultSwap(ANA))
    await order(lab, inp.ConsultComplete(ANA))  # also from there
    await lab.go(1)
    assert (caller.hears_now, luis.hears_now) == ({LUIS_HZ}, {CALLER_HZ})
    await caller.hangup()
    await closed(lab)


@pytest.mark.parametrize("how", ["rejected", "expired", "leg lost", "cancelled"])
async def test_a_colleague_who_does_not_take_it(lab: DaemonLab, how: str) -> None:
    luis = await lab.open_leg("luis", tone_hz=LUIS_HZ)
    caller, ana = await talk(lab)
    await lab.ready("luis")
    await order(lab, inp.AskColleague(ANA, Target.AGENT, "luis"))
    with pytest.raises(NotTalking):
        await order(lab, inp.ConsultComplete(ANA))
    if how == "rejected":
        lab.orders.reject(LUIS, lab.offer_to("luis"), "")
    elif how == "leg lost":
        await luis.hangup()
    elif how == "cancelled":
        await order(lab, inp.ConsultCancel(ANA))
    await lab.go(35)
    assert lab.record(0).phase is Phase.TALKING
    assert (caller.hears_now, ana.hears_now) == ({ANA_HZ}, {CALLER_HZ})
    assert ends(lab) == ["cancelled" if how == "cancelled" else "failed"]
    await caller.hangup()
    await closed(lab)


async def test_a_colleague_accepts_in_the_instant_of_the_cancel(lab: DaemonLab) -> None:
    await lab.open_leg("luis", tone_hz=LUIS_HZ)
    caller, _ = await talk(lab)
    await lab.ready("luis")
    await order(lab, inp.AskColleague(ANA, Target.AGENT, "luis"))
    offer = lab.offer_to("luis")
    lab.daemon.sessions[lab.record(0).id].tell(inp.ConsultCancel(ANA))
    lab.orders.accept(LUIS, offer)
    await lab.go(1)
    assert caller.hears_now == {ANA_HZ}
    assert lab.state("luis") == (AgentState.READY, "")
    await caller.hangup()
    await closed(lab)


async def test_the_citizen_hangs_up_meanwhile(lab: DaemonLab) -> None:
    caller, ana, luis = await with_luis(lab)
    await caller.hangup()
    await lab.go(1)
    assert ana.hears_now == luis.hears_now == frozenset()
    assert lab.state("luis") == (AgentState.READY, "")
    assert lab.state("ana")[0] is AgentState.WRAP_UP
    await closed(lab)


async def test_the_colleague_s_page_dies(lab: DaemonLab) -> None:
    caller, ana, luis = await with_luis(lab)
    await luis.hangup()
    await lab.go(1)
    assert (caller.hears_now, ana.hears_now) == ({ANA_HZ}, {CALLER_HZ})
    await caller.hangup()
    await closed(lab)
    assert ends(lab) == ["left"]


async def test_the_agent_s_own_page_dies(lab: DaemonLab) -> None:
    """The colleague is let go; the citizen hears music until the page is back."""
    caller, ana, luis = await with_luis(lab)
    await ana.hangup()
    await lab.go(1)
    assert caller.hears_now == {MUSIC_HZ}
    assert luis.hears_now == frozenset()
    assert lab.state("luis") == (AgentState.READY, "")
    again = await lab.open_leg("ana", tone_hz=ANA_HZ)
    assert (caller.hears_now, again.hears_now) == ({ANA_HZ}, {CALLER_HZ})
    await caller.hangup()
    await closed(lab)


@pytest.mark.parametrize("then", ["goes on", "is under way"])
async def test_a_new_daemon(lab: DaemonLab, then: str) -> None:
    if then == "goes on":
        caller, ana, _luis = await with_luis(lab)
    else:
        await lab.open_leg("luis", tone_hz=LUIS_HZ)
        caller, ana = await talk(lab)
        await lab.ready("luis")
        await order(lab, inp.AskColleague(ANA, Target.AGENT, "luis"))
    await lab.kill()
    await lab.go(1)
    await lab.start()
    await lab.go(1)
    if then == "goes on":
        assert (caller.hears_now, ana.hears_now) == ({MUSIC_HZ}, {LUIS_HZ})
        assert lab.state("luis")[0] is AgentState.INTERACTING
        await order(lab, inp.ConsultComplete(ANA))
        await lab.go(1)
        assert caller.hears_now == {LUIS_HZ}
    else:
        assert (caller.hears_now, ana.hears_now) == ({ANA_HZ}, {CALLER_HZ})
    await caller.hangup()
    await closed(lab)


# --- a number --------------------


async def test_the_citizen_is_given_to_a_number(lab: DaemonLab) -> None:
    caller, ana, far = await with_number(lab)
    await order(lab, inp.ConsultComplete(ANA))
    await lab.go(1)
    assert (caller.hears_now, far.hears_now, ana.hears_now) == ({FAR_HZ}, {CALLER_HZ}, frozenset())
    assert lab.state("ana")[0] is AgentState.WRAP_UP
    assert lab.record(0).phase is Phase.TRANSFER
    await caller.hangup()
    await closed(lab)
    assert far.ended.is_set()
    assert not ana.ended.is_set()


async def test_a_number_back(lab: DaemonLab) -> None:
    caller, ana, far = await with_number(lab)
    await order(lab, inp.ConsultSwap(ANA))
    assert (caller.hears_now, ana.hears_now, far.hears_now) == ({ANA_HZ}, {CALLER_HZ}, {MUSIC_HZ})
    await order(lab, inp.AgentHangup(ANA))  # of the one who is asked
    assert far.ended.is_set()
    assert (caller.hears_now, ana.hears_now) == ({ANA_HZ}, {CALLER_HZ})
    await caller.hangup()
    await closed(lab)


@pytest.mark.parametrize("how", ["forbidden", "busy", "hangs up"])
async def test_a_number_that_is_not_reached(lab: DaemonLab, how: str) -> None:
    if how == "hangs up":
        caller, ana, far = await with_number(lab)
        await far.hangup()
    else:
        caller, ana = await talk(lab)
        gateway = lab.world.gateway("gw1")
        gateway.auto_answer = False
        if how == "forbidden":
            with pytest.raises(NotNow):
                await order(lab, inp.AskColleague(ANA, Target.NUMBER, FORBIDDEN))
        else:
            await order(lab, inp.AskColleague(ANA, Target.NUMBER, ALLOWED))
            await (await lab.during(gateway.next_call())).reject(486)
    await lab.go(1)
    assert (caller.hears_now, ana.hears_now) == ({ANA_HZ}, {CALLER_HZ})
    assert lab.record(0).phase is Phase.TALKING
    await caller.hangup()
    await closed(lab)


# --- blind --------------------


async def test_blind_to_a_colleague(lab: DaemonLab) -> None:
    luis = await lab.open_leg("luis", tone_hz=LUIS_HZ)
    caller, ana = await talk(lab)
    await lab.ready("luis")
    await order(lab, inp.HandOn(ANA, Target.AGENT, "luis"))
    assert caller.hears_now == {MUSIC_HZ}
    assert ana.hears_now == frozenset()
    assert lab.state("ana")[0] is AgentState.WRAP_UP
    lab.orders.accept(LUIS, lab.offer_to("luis"))
    await lab.go(1)
    assert (caller.hears_now, luis.hears_now) == ({LUIS_HZ}, {CALLER_HZ})
    await caller.hangup()
    await closed(lab)
    assert [s.kind for s in lab.record(0).segments if s.participant.endswith(".c")] == [
        *TO_QUEUE, SegmentKind.TALK, SegmentKind.QUEUE, SegmentKind.TALK,
    ]  # fmt: skip


async def test_blind_to_a_colleague_who_does_not_take_it(lab: DaemonLab) -> None:
    """Then whoever is free in the queue gets it."""
    await lab.open_leg("luis", tone_hz=LUIS_HZ)
    caller, _ = await talk(lab)
    await lab.ready("luis")
    await order(lab, inp.HandOn(ANA, Target.AGENT, "luis"))
    lab.orders.reject(LUIS, lab.offer_to("luis"), "")
    await lab.go(25)  # until Ana has written down
    lab.orders.accept(ANA, lab.offer_to("ana"))
    await lab.go(1)
    assert caller.hears_now == {ANA_HZ}
    await caller.hangup()
    await closed(lab)


async def test_blind_to_a_colleague_who_is_not_there_any_more(lab: DaemonLab) -> None:
    caller, _ = await talk(lab)
    await lab.ready("luis")
    lab.ask("luis", AgentState.NOT_READY, "almuerzo")
    await order(lab, inp.HandOn(ANA, Target.AGENT, "luis"))
    await lab.go(29)
    assert lab.state("ana") == (AgentState.READY, "")
    assert lab.record(0).phase is Phase.QUEUED
    await lab.go(2)
    lab.orders.accept(ANA, lab.offer_to("ana"))
    await lab.go(1)
    assert caller.hears_now == {ANA_HZ}
    await caller.hangup()
    await closed(lab)


async def test_blind_to_a_queue(lab: DaemonLab) -> None:
    caller, _ = await talk(lab)
    await order(lab, inp.HandOn(ANA, Target.QUEUE, "contact-center"))
    assert caller.hears_now == {MUSIC_HZ}
    assert lab.record(0).phase is Phase.QUEUED
    await lab.go(25)
    lab.orders.accept(ANA, lab.offer_to("ana"))
    await lab.go(1)
    assert caller.hears_now == {ANA_HZ}
    await caller.hangup()
    await closed(lab)


async def test_blind_to_a_number(lab: DaemonLab) -> None:
    gateway = lab.world.gateway("gw1")
    caller, ana = await talk(lab)
    gateway.auto_answer, gateway.tone_hz = False, FAR_HZ
    await order(lab, inp.HandOn(ANA, Target.NUMBER, ALLOWED))
    far = await lab.during(gateway.next_call())
    await lab.go(0.1)
    assert caller.hears_now == {RING_HZ}
    assert lab.state("ana")[0] is AgentState.WRAP_UP  # done as soon as it rings
    assert not ana.ended.is_set()
    await far.answer()
    await lab.go(1)
    assert (caller.hears_now, far.hears_now) == ({FAR_HZ}, {CALLER_HZ})
    await caller.hangup()
    await closed(lab)


async def test_blind_to_a_forbidden_number(lab: DaemonLab) -> None:
    caller, ana = await talk(lab)
    with pytest.raises(NotNow):
        await order(lab, inp.HandOn(ANA, Target.NUMBER, FORBIDDEN))
    await lab.go(0)
    assert (caller.hears_now, ana.hears_now) == ({ANA_HZ}, {CALLER_HZ})
    await caller.hangup()
    await closed(lab)


# --- calls out --------------------


async def dial(lab: DaemonLab) -> tuple[MemoryCall, MemoryCall]:
    """Ana calls a number, which rings."""
    gateway = lab.world.gateway("gw1")
    gateway.auto_answer, gateway.tone_hz = False, FAR_HZ
    ana = await lab.open_leg("ana", tone_hz=ANA_HZ)
    await lab.ready("ana")
    await lab.during(lab.orders.place(ANA, ALLOWED, "contact-center"))
    far = await lab.during(gateway.next_call())
    await lab.go(0.1)
    assert ana.hears_now == {RING_HZ}
    assert lab.state("ana")[0] is AgentState.INTERACTING
    return ana, far


async def test_a_call_out(lab: DaemonLab) -> None:
    ana, far = await dial(lab)
    assert lab.record(0).phase is Phase.DIALING
    await far.answer()
    await lab.go(2)
    assert (ana.hears_now, far.hears_now) == ({FAR_HZ}, {ANA_HZ})
    record = lab.record(0)
    assert (record.direction, record.to_address, record.queue) == (Direction.OUTBOUND, ALLOWED, "contact-center")
    await order(lab, inp.AgentHold(ANA))
    assert far.hears_now == {MUSIC_HZ}
    await order(lab, inp.AgentResume(ANA))
    await order(lab, inp.AgentHangup(ANA))
    await lab.go(1)
    assert far.ended.is_set()
    assert not ana.ended.is_set()
    await order(lab, inp.Classify(ANA, disposition="resuelto", reason="agua"))
    await closed(lab)
    record = lab.record(0)
    assert (record.disposition, record.reason) == ("resuelto", "agua")
    assert [r.channels for r in record.recordings] == [2]


@pytest.mark.parametrize("how", ["busy", "no answer", "given up", "page dies"])
async def test_a_call_out_that_is_not_answered(lab: DaemonLab, how: str) -> None:
    ana, far = await dial(lab)
    if how == "busy":
        await far.reject(486)
    elif how == "given up":
        await order(lab, inp.AgentHangup(ANA))
    elif how == "page dies":
        await ana.hangup()
    await lab.go(46)
    assert far.ended.is_set()
    await closed(lab, ExitReason.NOT_REACHED)
    assert ana.ended.is_set() == (how == "page dies")


async def test_a_call_out_that_the_rules_forbid(lab: DaemonLab) -> None:
    await lab.open_leg("ana", tone_hz=ANA_HZ)
    await lab.ready("ana")
    with pytest.raises(Refused):
        await lab.during(lab.orders.place(ANA, FORBIDDEN, None))
    await closed(lab, ExitReason.NOT_REACHED)


async def test_a_call_out_needs_a_leg_and_a_free_agent(lab: DaemonLab) -> None:
    await lab.ready("luis")
    with pytest.raises(LegDown):
        await lab.orders.place(LUIS, ALLOWED, None)
    caller, _ = await talk(lab)
    with pytest.raises(Busy):
        await lab.orders.place(ANA, ALLOWED, None)
    await caller.hangup()
    await closed(lab)


@pytest.mark.parametrize("answered", [True, False])
async def test_a_call_out_and_a_new_daemon(lab: DaemonLab, answered: bool) -> None:
    ana, far = await dial(lab)
    if answered:
        await far.answer()
        await lab.go(1)
    await lab.kill()
    await lab.go(1)
    await lab.start()
    if not answered:
        await far.answer()
    await lab.go(1)
    assert (ana.hears_now, far.hears_now) == ({FAR_HZ}, {ANA_HZ})
    await far.hangup()
    await closed(lab)


async def test_help_is_asked_for(lab: DaemonLab) -> None:
    caller, _ = await talk(lab)
    await order(lab, inp.AskSupervisor(ANA, "no sé qué decirle"))
    assert lab.herald.alerts[-1][0] == "supervisor_asked"
    assert "decirle" not in str(lab.herald.alerts)  # what was written stays with the call
    await caller.hangup()
    await closed(lab)


# --- all three --------------------


async def three(lab: DaemonLab) -> tuple[MemoryCall, MemoryCall, MemoryCall]:
    caller, ana, luis = await with_luis(lab)
    await order(lab, inp.ConsultConference(ANA))
    await lab.go(1)
    assert caller.hears_now == {ANA_HZ, LUIS_HZ}
    assert ana.hears_now == {CALLER_HZ, LUIS_HZ}
    assert luis.hears_now == {CALLER_HZ, ANA_HZ}
    assert lab.record(0).phase is Phase.CONFERENCE
    return caller, ana, luis


async def test_the_citizen_leaves_while_the_colleague_rings(lab: DaemonLab) -> None:
    await lab.open_leg("luis", tone_hz=LUIS_HZ)
    caller, ana = await talk(lab)
    await lab.ready("luis")
    await order(lab, inp.AskColleague(ANA, Target.AGENT, "luis"))
    await caller.hangup()
    await lab.go(1)
    assert ana.hears_now == frozenset()
    await closed(lab)


async def test_the_citizen_is_held_in_the_conference(lab: DaemonLab) -> None:
    caller, ana, luis = await three(lab)
    await order(lab, inp.AgentHold(ANA))
    await lab.go(1)
    assert (caller.hears_now, ana.hears_now, luis.hears_now) == ({MUSIC_HZ}, {LUIS_HZ}, {ANA_HZ})
    await order(lab, inp.AgentResume(ANA))
    await lab.go(1)
    assert caller.hears_now == {ANA_HZ, LUIS_HZ}
    assert ana.hears_now == {CALLER_HZ, LUIS_HZ}
    await caller.hangup()
    await closed(lab)


@pytest.mark.parametrize("how", ["agent leaves", "colleague removed", "page dies"])
async def test_nobody_leaves_a_conference_and_the_citizen_on_hold(lab: DaemonLab, how: str) -> None:
    caller, ana, _ = await three(lab)
    await order(lab, inp.AgentHold(ANA))
    await lab.go(1)
    asked = next(one.id for one in lab.record(0).participants if one.agent == "luis")
    match how:
        case "agent leaves":
            await order(lab, inp.ConferenceLeave(ANA))
        case "colleague removed":
            await order(lab, inp.ConferenceRemove(ANA, asked))
        case _:
            await ana.hangup()
    await lab.go(1)
    assert caller.hears_now == ({ANA_HZ} if how == "colleague removed" else {LUIS_HZ})
    facts = lab.facts(0)
    assert facts.count("held") == facts.count("resumed") == 1
    await caller.hangup()
    await closed(lab)


async def test_the_agent_leaves_the_conference(lab: DaemonLab) -> None:
    caller, ana, luis = await three(lab)
    await order(lab, inp.ConferenceLeave(ANA))
    await lab.go(1)
    assert (caller.hears_now, luis.hears_now, ana.hears_now) == ({LUIS_HZ}, {CALLER_HZ}, frozenset())
    assert lab.record(0).agent == "luis"
    await caller.hangup()
    await closed(lab)
    assert lab.facts(0).count("recording_stopped") == 1


@pytest.mark.parametrize("how", ["removed", "hangs up", "page dies"])
async def test_the_colleague_leaves_the_conference(lab: DaemonLab, how: str) -> None:
    caller, ana, luis = await three(lab)
    participant = lab.daemon.sessions[lab.record(0).id].state.consult
    assert participant is not None
    if how == "removed":
        await order(lab, inp.ConferenceRemove(ANA, participant.participant))
    elif how == "hangs up":
        await order(lab, inp.AgentHangup(LUIS))
    else:
        await luis.hangup()
    await lab.go(1)
    assert (caller.hears_now, ana.hears_now) == ({ANA_HZ}, {CALLER_HZ})
    assert lab.record(0).phase is Phase.TALKING
    if how != "page dies":
        assert lab.state("luis") == (AgentState.READY, "")
        assert luis.hears_now == frozenset()
    await caller.hangup()
    await closed(lab)


async def test_the_citizen_leaves_the_conference(lab: DaemonLab) -> None:
    caller, ana, luis = await three(lab)
    await caller.hangup()
    await lab.go(1)
    assert ana.hears_now == luis.hears_now == frozenset()
    await closed(lab)


@pytest.mark.parametrize("back", [True, False])
async def test_the_agent_s_page_dies_in_the_conference(lab: DaemonLab, back: bool) -> None:
    """The others talk on; a page that comes back is in it again, one that does not has left."""
    caller, ana, luis = await three(lab)
    await ana.hangup()
    await lab.go(2)
    assert (caller.hears_now, luis.hears_now) == ({LUIS_HZ}, {CALLER_HZ})
    if back:
        again = await lab.open_leg("ana", tone_hz=ANA_HZ)
        await lab.go(0.1)
        assert again.hears_now == {CALLER_HZ, LUIS_HZ}
        assert caller.hears_now == {ANA_HZ, LUIS_HZ}
    else:
        await lab.go(30)
        assert (lab.record(0).phase, lab.record(0).agent) == (Phase.TALKING, "luis")
        assert (caller.hears_now, luis.hears_now) == ({LUIS_HZ}, {CALLER_HZ})
    await caller.hangup()
    await closed(lab)


async def test_the_last_one_leaves_while_the_agent_is_away(lab: DaemonLab) -> None:
    caller, ana, luis = await three(lab)
    await ana.hangup()
    await lab.go(1)
    await luis.hangup()
    await lab.go(1)
    assert caller.hears_now == {MUSIC_HZ}
    await lab.open_leg("ana", tone_hz=ANA_HZ)
    assert caller.hears_now == {ANA_HZ}
    await caller.hangup()
    await closed(lab)


async def test_a_conference_with_a_number(lab: DaemonLab) -> None:
    caller, ana, far = await with_number(lab)
    await order(lab, inp.ConsultConference(ANA))
    await lab.go(0.1)
    assert caller.hears_now == {ANA_HZ, FAR_HZ}
    await order(lab, inp.ConferenceLeave(ANA))
    await lab.go(1)
    assert (caller.hears_now, far.hears_now, ana.hears_now) == ({FAR_HZ}, {CALLER_HZ}, frozenset())
    await far.hangup()
    await closed(lab)


async def test_a_conference_and_a_new_daemon(lab: DaemonLab) -> None:
    caller, _, luis = await three(lab)
    await lab.kill()
    await lab.go(1)
    await lab.start()
    await lab.go(1)
    assert caller.hears_now == {ANA_HZ, LUIS_HZ}
    await order(lab, inp.ConferenceLeave(ANA))
    await lab.go(1)
    assert (caller.hears_now, luis.hears_now) == ({LUIS_HZ}, {CALLER_HZ})
    await caller.hangup()
    await closed(lab)
