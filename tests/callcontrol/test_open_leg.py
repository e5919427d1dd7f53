"""The open audio leg: its machine, and calls that are offered on the page, on the twin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callcontrol import inputs as inp
from callcontrol import open_leg as m
from callcontrol.call_state import GRACE_S, NotNow
from callcontrol.events import OfferEnded
from callcontrol.model import AgentId, AgentState, ExitReason, OfferId, Phase, SegmentKind
from callcontrol.orders import LegDown, OfferOverAlready
from callcontrol.routing.terms import AgentAsked
from pbx.memory import MemoryCall
from pbx.memory.audio import MUSIC_HZ
from pbx.terms import HangupCause
from tests.support.daemon import TO_QUEUE, DaemonLab

ANA, LUIS = AgentId("ana"), AgentId("luis")


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[DaemonLab]:
    async with DaemonLab(tmp_path) as lab:
        yield lab


# --- the machine --------------------

INPUTS = [m.Arrived("b"), m.Answered("a"), m.Gone("a", HangupCause.NORMAL), m.Found("b"), m.Silent()]


@pytest.mark.parametrize("state", list(m.LegState))
@pytest.mark.parametrize("told", INPUTS, ids=lambda t: type(t).__name__)
def test_every_pair_has_a_row(state: m.LegState, told: m.LegInput) -> None:
    leg, effects = m.step(m.OpenLeg(state, "" if state is m.LegState.DOWN else "a"), told)
    # Whoever is told that a leg is up has not heard of another one that is.
    assert (leg.state is m.LegState.DOWN) == (leg.channel == "")
    if state is m.LegState.UP and leg.channel != "a":
        assert isinstance(effects[0], m.Down)


def test_a_newer_leg_takes_the_place_of_an_older_one() -> None:
    leg, effects = m.step(m.OpenLeg(m.LegState.UP, "a"), m.Arrived("b"))
    assert leg == m.OpenLeg(m.LegState.ANSWERING, "b")
    assert effects == [m.Down("a", HangupCause.NORMAL), m.Drop("a"), m.Answer("b")]
    leg, effects = m.step(leg, m.Gone("a", HangupCause.NORMAL))  # the older one's end concerns nobody any more
    assert effects == []
    assert m.step(leg, m.Answered("b")) == (m.OpenLeg(m.LegState.UP, "b"), [m.Up("b")])


# --- calls --------------------


async def offered(lab: DaemonLab, agent: str = "ana") -> tuple[MemoryCall, MemoryCall, OfferId]:
    """A citizen who is being offered to that agent's page: their call, the open leg, the offer."""
    leg = await lab.open_leg(agent)
    await lab.ready(agent)
    caller = await lab.call()
    await lab.to_queue(caller)
    return caller, leg, lab.offer_to(agent)


async def talk(lab: DaemonLab) -> tuple[MemoryCall, MemoryCall]:
    caller, leg, offer = await offered(lab)
    lab.orders.accept(ANA, offer)
    await lab.go(2)
    assert lab.record().phase is Phase.TALKING
    return caller, leg


async def closed(lab: DaemonLab, exit_reason: ExitReason = ExitReason.COMPLETED) -> None:
    await lab.go(60)
    record = lab.record()
    assert record.phase is Phase.CLOSED
    assert record.exit_reason is exit_reason
    assert all(s.ended_at is not None for s in record.segments)
    assert all(p.left_at is not None for p in record.participants)
    assert not lab.daemon.sessions


async def test_an_accepted_offer_is_joined_at_once_and_the_leg_stays(lab: DaemonLab) -> None:
    caller, leg, offer = await offered(lab)
    assert await lab.during(leg.hears_silence())  # parked
    assert lab.world.phones["1001"].auto_answer is False  # nothing rings
    lab.orders.accept(ANA, offer)
    await lab.go(0)
    assert leg.hears_now == {440}
    assert caller.hears_now == {1000}
    assert lab.record().phase is Phase.TALKING
    await lab.go(3)
    await caller.hangup()
    await closed(lab)
    assert not leg.ended.is_set()
    assert lab.state("ana") == (AgentState.READY, "")
    assert lab.record().recordings[0].channels == 2


async def test_the_agent_hangs_up_and_takes_the_next(lab: DaemonLab) -> None:
    caller, leg = await talk(lab)
    await lab.orders.order(lab.record().id, inp.AgentHangup(ANA))
    await lab.go(1)
    assert not leg.ended.is_set()
    assert await lab.during(leg.hears_silence())
    await caller.hangup()
    await closed(lab)
    second = await lab.call(tone_hz=500)
    await lab.to_queue(second)
    lab.orders.accept(ANA, lab.offer_to("ana"))
    await lab.go(1)
    assert leg.hears_now == {500}
    await second.hangup()
    await closed(lab)


async def test_rejecting_and_expiring(lab: DaemonLab) -> None:
    caller, _, offer = await offered(lab)
    lab.orders.reject(ANA, offer, "")
    await lab.go(0)
    assert lab.state("ana") == (AgentState.NOT_READY, "rejected_offer")
    with pytest.raises(OfferOverAlready):
        lab.orders.accept(ANA, offer)
    await lab.ready("ana")
    await lab.go(15)
    assert lab.state("ana") == (AgentState.NOT_READY, "missed_offer")
    await caller.hangup()
    await closed(lab, ExitReason.ABANDONED_IN_QUEUE)
    how = [e.fact.how.value for e in lab.journal.events[lab.record().id] if isinstance(e.fact, OfferEnded)]
    assert how == ["rejected", "expired"]


async def test_two_tabs_accept(lab: DaemonLab) -> None:
    caller, _, offer = await offered(lab)
    lab.orders.accept(ANA, offer)
    with pytest.raises(OfferOverAlready):
        lab.orders.accept(ANA, offer)
    with pytest.raises(OfferOverAlready):
        lab.orders.accept(LUIS, offer)
    await lab.go(1)
    assert lab.facts().count("connected") == 1
    await caller.hangup()
    await closed(lab)


async def test_accepting_in_the_instant_of_the_hangup(lab: DaemonLab) -> None:
    caller, leg, offer = await offered(lab)
    await caller.hangup()
    lab.orders.accept(ANA, offer)  # the daemon has not heard of it yet
    await lab.go(0)
    assert not leg.ended.is_set()
    await lab.go(25)
    assert lab.state("ana") == (AgentState.READY, "")
    await closed(lab, ExitReason.ABANDONED_IN_QUEUE)


async def test_accepting_in_the_instant_of_the_expiry(lab: DaemonLab) -> None:
    caller, _, offer = await offered(lab)
    due = lab.daemon.desk.router.next_due()
    assert due is not None
    await lab.go(due - lab.clock.now())
    with pytest.raises(OfferOverAlready):
        lab.orders.accept(ANA, offer)
    assert lab.record().phase is Phase.QUEUED
    await caller.hangup()
    await closed(lab, ExitReason.ABANDONED_IN_QUEUE)


async def test_a_page_that_dies_while_an_offer_is_out(lab: DaemonLab) -> None:
    caller, leg, offer = await offered(lab)
    await lab.open_leg("luis", tone_hz=800)
    await lab.ready("luis")
    await leg.hangup()
    await lab.go(0)
    with pytest.raises(OfferOverAlready):
        lab.orders.accept(ANA, offer)
    assert lab.state("ana") == (AgentState.NOT_READY, "device_unreachable")
    lab.orders.accept(LUIS, lab.offer_to("luis"))
    await lab.go(1)
    assert caller.hears_now == {800}
    await caller.hangup()
    await closed(lab)


async def test_a_leg_that_goes_takes_a_ready_agent_out_of_the_line(lab: DaemonLab) -> None:
    leg = await lab.open_leg("ana")
    await lab.ready("ana")
    await leg.hangup()
    await lab.go(0)
    assert lab.state("ana") == (AgentState.NOT_READY, "phone_offline")


@pytest.mark.parametrize(("away_s", "then"), [(5.0, AgentState.READY), (GRACE_S + 1, AgentState.NOT_READY)])
async def test_who_was_ready_is_again_when_the_page_comes_back_soon(
    lab: DaemonLab, away_s: float, then: AgentState
) -> None:
    """Loaded anew, another network, another tab: nobody should have to press a button for it."""
    leg = await lab.open_leg("ana")
    await lab.ready("ana")
    await leg.hangup()
    await lab.go(away_s)
    await lab.open_leg("ana")
    await lab.go(0)
    assert lab.state("ana")[0] is then


async def test_what_an_agent_chose_while_the_page_was_gone_stands(lab: DaemonLab) -> None:
    leg = await lab.open_leg("ana")
    await lab.ready("ana")
    await leg.hangup()
    await lab.go(1)
    lab.daemon.desk.tell(AgentAsked(at=lab.clock.now(), agent=ANA, state=AgentState.NOT_READY, reason="almuerzo"))
    await lab.open_leg("ana")
    await lab.go(0)
    assert lab.state("ana") == (AgentState.NOT_READY, "almuerzo")


async def test_accepting_needs_the_leg(lab: DaemonLab) -> None:
    caller, leg, offer = await offered(lab)
    lab.world.lose_connection()  # what happens to the leg is not told
    await leg.hangup()
    await lab.go(0)
    lab.world.restore()
    await lab.go(0)
    with pytest.raises((LegDown, OfferOverAlready)):
        lab.orders.accept(ANA, offer)
    await caller.hangup()
    await closed(lab, ExitReason.ABANDONED_IN_QUEUE)


async def test_a_page_loaded_anew_in_the_talk(lab: DaemonLab) -> None:
    caller, leg = await talk(lab)
    await leg.hangup()
    await lab.go(0)
    assert caller.hears_now == {MUSIC_HZ}  # at once
    await lab.go(5)
    again = await lab.open_leg("ana")
    assert caller.hears_now == {1000}
    assert again.hears_now == {440}
    await lab.go(2)
    await caller.hangup()
    await closed(lab)
    facts = lab.facts()
    assert [f for f in facts if f.startswith("agent_")] == ["agent_away", "agent_back"]
    assert facts.count("connected") == facts.count("recording_started") == facts.count("recording_stopped") == 1
    kinds = [s.kind for s in lab.record().segments if s.participant.endswith(".c")]
    assert kinds == [*TO_QUEUE, SegmentKind.TALK, SegmentKind.HOLD, SegmentKind.TALK]


async def test_a_new_leg_before_the_old_one_is_known_to_be_dead(lab: DaemonLab) -> None:
    caller, leg = await talk(lab)
    again = await lab.open_leg("ana")
    assert leg.ended.is_set()
    assert again.hears_now == {440}
    assert caller.hears_now == {1000}
    assert lab.daemon.open_legs.state(ANA) is m.LegState.UP
    await caller.hangup()
    await closed(lab)


async def test_a_page_that_is_known_to_be_gone_before_the_switch_sees_it(lab: DaemonLab) -> None:
    caller, leg = await talk(lab)
    lab.daemon.phone_silent("1001")
    await lab.go(0)
    assert caller.hears_now == {MUSIC_HZ}
    assert leg.ended.is_set()
    await lab.open_leg("ana")
    assert caller.hears_now == {1000}
    await caller.hangup()
    await closed(lab)


async def test_a_page_that_does_not_come_back(lab: DaemonLab) -> None:
    """The citizen is the first in the line again, and the next agent gets them."""
    caller, leg = await talk(lab)
    other = await lab.call(tone_hz=500)
    await lab.to_queue(other)
    await leg.hangup()
    await lab.go(29)
    assert lab.record(0).phase is Phase.TALKING
    assert caller.hears_now == {MUSIC_HZ}
    await lab.go(2)
    assert lab.record(0).phase is Phase.QUEUED
    assert caller.hears_now == {MUSIC_HZ}
    await lab.open_leg("luis", tone_hz=800)
    await lab.ready("luis")
    lab.orders.accept(LUIS, lab.offer_to("luis"))
    await lab.go(1)
    assert caller.hears_now == {800}  # before the one who has waited since
    await caller.hangup()
    await other.hangup()
    await lab.go(60)
    first = lab.record(0)
    assert first.phase is Phase.CLOSED
    assert first.agent == "luis"
    assert all(s.ended_at is not None for s in first.segments)
    assert [r.state for r in first.recordings] == ["complete", "complete"]


async def test_the_citizen_hangs_up_while_the_agent_is_away(lab: DaemonLab) -> None:
    caller, leg = await talk(lab)
    await leg.hangup()
    await lab.go(3)
    await caller.hangup()
    await closed(lab)
    assert lab.state("ana")[0] is not AgentState.INTERACTING


@pytest.mark.parametrize("page", ["stays", "is loaded anew", "goes"])
async def test_a_new_daemon_goes_on(lab: DaemonLab, page: str) -> None:
    caller, leg = await talk(lab)
    await lab.kill()
    if page != "stays":
        await leg.hangup()
    await lab.go(2)
    await lab.start()
    if page == "stays":
        assert caller.hears_now == {1000}
        assert lab.daemon.open_legs.of(ANA) is not None
    else:
        assert caller.hears_now == {MUSIC_HZ}
    if page == "is loaded anew":
        leg = await lab.open_leg("ana")
    if page == "goes":
        await lab.go(31)
        assert lab.record().phase is Phase.QUEUED
    else:
        assert caller.hears_now == {1000}
        assert leg.hears_now == {440}
        await lab.orders.order(lab.record().id, inp.AgentHold(ANA))
        assert caller.hears_now == {MUSIC_HZ}
    await caller.hangup()
    await closed(lab, ExitReason.ABANDONED_IN_QUEUE if page == "goes" else ExitReason.COMPLETED)


async def test_a_parked_leg_is_found_by_a_new_daemon(lab: DaemonLab) -> None:
    leg = await lab.open_leg("ana")
    await lab.kill()
    await lab.start()
    assert not leg.ended.is_set()
    assert lab.daemon.open_legs.of(ANA) is not None


async def test_a_switch_that_dies_takes_the_legs_with_it(lab: DaemonLab) -> None:
    await talk(lab)
    lab.world.lose_connection()
    lab.world.restore(same_life=False)
    await lab.go(1)
    assert lab.daemon.open_legs.state(ANA) is m.LegState.DOWN


async def test_the_number_is_for_phones_of_agents_only(lab: DaemonLab) -> None:
    """Over the trunk it is a number like any other."""
    await lab.call(m.NUMBER)
    await lab.go(1)
    assert lab.daemon.open_legs.up() == []
    assert lab.record().phase is Phase.FLOW


async def test_orders(lab: DaemonLab) -> None:
    caller, leg = await talk(lab)
    call = lab.record().id
    await lab.orders.order(call, inp.SendDigits(ANA, "12#"))
    assert await lab.during(caller.hears_digits("12#"))
    await lab.orders.order(call, inp.AgentHold(ANA))
    assert caller.hears_now == {MUSIC_HZ}
    assert leg.hears_now == frozenset()
    await lab.orders.order(call, inp.AgentResume(ANA))
    assert leg.hears_now == {440}
    await lab.orders.order(call, inp.RecordingPause(ANA))
    assert lab.record().recordings[0].state == "paused"
    await caller.hangup()
    await lab.go(1)
    with pytest.raises(NotNow):
        await lab.orders.order(call, inp.AgentHold(ANA))
    await closed(lab)
