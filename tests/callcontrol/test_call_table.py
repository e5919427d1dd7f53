"""The call's table: every pair has a rule or a name, and no order of inputs breaks a call or its record."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcontrol import commands as cmd
from callcontrol import inputs as inp
from callcontrol.call import ANYWHERE, TABLE, UnexpectedInput, step
from callcontrol.call_state import CallState, NotNow
from callcontrol.events import InteractionEvent, Started, decode_fact, encode_fact, fact_type
from callcontrol.model import AgentId, InteractionId, OfferEnd, OfferId, Phase, Target
from callcontrol.record import apply
from callcontrol.routing import terms as routing
from ivr_flows import protocol as flow
from pbx import events as pbx
from pbx.terms import ChannelId, DigitsEnd, HangupCause, PlaybackId, RecordedFile, RecordingId, Supervision
from tests.support.flow_twin import MemoryFlows

ME = InteractionId("i")
CALLER, LEG, FAR = ChannelId("caller"), ChannelId("i-leg1"), ChannelId("i-leg2")
OPEN = ChannelId("ana-open")


TONE = flow.PromptTone(440, 100)
FLOWS = MemoryFlows()
FLOWS.put(
    "f",
    ["1"],
    [
        flow.Answer(),
        flow.Play((TONE,)),
        flow.Collect((TONE,), 1, 5, 3, "#", True),
        flow.Enqueue("q"),
        flow.Hangup(),
    ],
)


def arrived(to: str = "1") -> pbx.ChannelArrived:
    return pbx.ChannelArrived(
        at=1, channel=CALLER, trunk="t", endpoint=None, from_number="099", from_name="", to_number=to
    )


def hung_up(channel: ChannelId, cause: HangupCause = HangupCause.NORMAL) -> pbx.ChannelHungUp:
    return pbx.ChannelHungUp(at=1, channel=channel, cause=cause, q850=cause.q850, by_us=False, answered=True)


FILE = RecordedFile(Path("x.wav"), 2, 1.5)
ASKED, ITEM, LUIS = OfferId("i.k1.o1"), InteractionId("i.k1"), AgentId("luis")
OFFER, ANA = OfferId("i.o1"), AgentId("ana")
INPUTS: list[inp.CallInput] = [
    pbx.ChannelAnswered(at=1, channel=CALLER),
    pbx.ChannelAnswered(at=1, channel=LEG),
    pbx.ChannelRinging(at=1, channel=LEG),
    pbx.PlaybackFinished(at=1, channel=CALLER, playback=PlaybackId("i-play1"), end=pbx.PlaybackEnd.DONE),
    pbx.PlaybackFinished(at=1, channel=CALLER, playback=PlaybackId("i-play1"), end=pbx.PlaybackEnd.FAILED),
    pbx.DigitsCollected(at=1, channel=CALLER, digits="1", end=DigitsEnd.COMPLETE),
    pbx.DigitsCollected(at=1, channel=CALLER, digits="", end=DigitsEnd.STOPPED),
    pbx.DigitReceived(at=1, channel=CALLER, digit="1"),
    pbx.DigitReceived(at=1, channel=CALLER, digit="#"),
    pbx.Bridged(at=1, channel=CALLER, peer=LEG),
    pbx.Unbridged(at=1, channel=CALLER, peer=LEG),
    pbx.TransferAsked(at=1, channel=LEG, target="1002"),
    pbx.TransferAsked(at=1, channel=LEG, target="1002", consult=CALLER),
    pbx.Bridged(at=1, channel=CALLER, peer=FAR),
    hung_up(FAR, HangupCause.NO_ANSWER),
    pbx.PeerHeld(at=1, channel=LEG),
    pbx.PeerResumed(at=1, channel=LEG),
    pbx.RecordingStarted(at=1, channel=CALLER, recording=RecordingId("i-rec1")),
    pbx.RecordingStopped(at=1, channel=CALLER, recording=RecordingId("i-rec1"), file=FILE),
    pbx.RecordingFailed(at=1, channel=CALLER, recording=RecordingId("i-rec1"), reason="full"),
    hung_up(CALLER),
    hung_up(LEG),
    hung_up(LEG, HangupCause.NO_ANSWER),
    routing.MakeOffer(offer=OFFER, item=ME, agent=ANA, expires_at=20),
    routing.OfferOver(offer=OFFER, item=ME, agent=ANA, how=OfferEnd.EXPIRED),
    routing.Assign(offer=OFFER, item=ME, agent=ANA),
    routing.GiveUp(item=ME, why="timeout"),
    routing.WrapUpBegun(item=ME, agent=ANA, until=9),
    routing.WrapUpOver(item=ME, agent=ANA, how="timer", disposition=None),
    inp.CommandFailed(cmd.BridgeLegs(CALLER, LEG), "switch.command_refused", "no"),
    inp.CommandFailed(cmd.TransferLeg(CALLER, FAR, "1002", "099", 5), "switch.dial_refused", "no"),
    inp.CommandFailed(cmd.PlayTo(CALLER, "i-play1", ()), "switch.command_refused", "no"),
    inp.CommandFailed(cmd.RingAgent(LEG, ANA, "099", 5), "switch.unreachable", "gone"),
    inp.RecordingFinished("i-rec1", FILE),
    inp.RecordingFinished("i-rec1", None),
    inp.TimerFired("finish"),
    inp.TimerFired("comfort:i-req1"),
    inp.TimerFired("wait:1"),
    inp.TimerFired("message:i-rec1"),
    inp.Fetched("i-req1", flow.Response(200)),
    inp.QueuePlace(1, 1, 30.0),
    routing.Moved(item=ME, queue="r", came_from="q", why="overflow"),
    inp.Reattach(3.0, True, True, True, LEG, {LEG: True}, frozenset({LEG})),
    inp.Reattach(3.0, True, True, False, None, {}, frozenset({LEG})),
    inp.Reattach(3.0, False, True, True, None, {LEG: True}, frozenset({LEG})),
    inp.Reattach(3.0, True, False, False, None, {}, frozenset({LEG})),
    inp.SwitchDied(),
    inp.OfferMade(routing.MakeOffer(offer=OFFER, item=ME, agent=ANA, expires_at=20), OPEN),
    inp.OfferMade(routing.MakeOffer(offer=OFFER, item=ME, agent=ANA, expires_at=20), None),
    inp.LegLost(OPEN, HangupCause.NORMAL),
    inp.LegBack(ANA, OPEN),
    inp.TimerFired("away:1"),
    pbx.Bridged(at=1, channel=CALLER, peer=OPEN),
    inp.SendDigits(ANA, "12"),
    inp.AskColleague(ANA, Target.AGENT, "luis"),
    inp.AskColleague(ANA, Target.NUMBER, "099"),
    inp.ConsultDecision(routing.MakeOffer(offer=ASKED, item=ITEM, agent=LUIS, expires_at=20), "luis-open", True),
    inp.ConsultDecision(routing.Assign(offer=ASKED, item=ITEM, agent=LUIS)),
    inp.ConsultDecision(routing.OfferOver(offer=ASKED, item=ITEM, agent=LUIS, how=OfferEnd.EXPIRED)),
    inp.ConsultDecision(routing.GiveUp(item=ITEM, why="timeout")),
    inp.LegLost("luis-open", HangupCause.NORMAL),
    pbx.Bridged(at=1, channel=OPEN, peer=ChannelId("luis-open")),
    pbx.Bridged(at=1, channel=CALLER, peer=ChannelId("luis-open")),
    routing.WrapUpBegun(item=ME, agent=LUIS, until=9),
    routing.WrapUpOver(item=ME, agent=LUIS, how="timer", disposition=None),
    inp.ConsultComplete(ANA),
    inp.ConsultCancel(ANA),
    inp.ConsultSwap(ANA),
    inp.ConsultConference(ANA),
    inp.ConferenceLeave(ANA),
    inp.ConferenceRemove(ANA, "i.p2"),
    inp.AgentHangup(LUIS),
    inp.HandOn(ANA, Target.AGENT, "luis"),
    inp.HandOn(ANA, Target.QUEUE, "r"),
    inp.HandOn(ANA, Target.NUMBER, "099"),
    inp.PlaceCall(ANA, OPEN, "099", "q"),
    inp.Supervise(AgentId("sonia"), "sonia-open", Supervision.BARGE),
    inp.StopSupervising(AgentId("sonia")),
    inp.TakeOver(AgentId("sonia"), "sonia-open"),
    inp.LegLost("sonia-open", HangupCause.NORMAL),
    pbx.Bridged(at=1, channel=CALLER, peer=ChannelId("sonia-open")),
    inp.AskSupervisor(ANA, "ayuda"),
    inp.Classify(ANA, disposition="resuelto"),
    inp.TimerFired("hand:1"),
    inp.CommandFailed(cmd.TransferLeg(OPEN, FAR, "099", "", 5), "switch.dial_refused", "no"),
    inp.AgentHold(ANA),
    inp.AgentResume(ANA),
    inp.AgentHangup(ANA),
    inp.RecordingPause(ANA),
    inp.RecordingResume(ANA),
]


def test_every_input_has_a_rule_somewhere() -> None:
    ruled = {kind for _, kind in TABLE} | set(ANYWHERE)
    kinds = set(get_args(inp.CallInput)) - {pbx.SwitchEvent}
    assert kinds <= ruled
    # Those of the switch that concern no call, or that calls do not use yet, are told to nobody.
    apart = {pbx.TrunkChanged, pbx.EndpointChanged, pbx.SwitchUp, pbx.SwitchDown}
    events = {k for k in vars(pbx).values() if isinstance(k, type) and issubclass(k, pbx.SwitchEvent)}
    assert events - apart - {pbx.SwitchEvent, pbx.ChannelEvent} <= ruled


@pytest.mark.parametrize("phase", [p for p in Phase if p is not Phase.WRAP_UP])
@pytest.mark.parametrize("told", INPUTS, ids=lambda i: type(i).__name__)
def test_any_pair_is_ruled_or_named(phase: Phase, told: inp.CallInput) -> None:
    state = CallState(id=ME, phase=phase, channel=CALLER, customer_up=True, queue="q", agent=ANA)
    state = CallState(**{**{f: getattr(state, f) for f in state.__struct_fields__}, "agent_participant": "i.p1"})
    if phase is Phase.CLOSED or ((phase, type(told)) not in TABLE and type(told) not in ANYWHERE):
        with pytest.raises(UnexpectedInput, match=type(told).__name__):
            step(state, told, 2.0, FLOWS)
    else:
        with contextlib.suppress(NotNow):  # a named word of its own
            step(state, told, 2.0, FLOWS)


def test_who_accepts_by_themselves_is_joined_without_a_hand() -> None:
    made = routing.MakeOffer(offer=OFFER, item=ME, agent=ANA, expires_at=20, auto_accept=True)
    state = CallState(id=ME, phase=Phase.QUEUED, channel=CALLER, customer_up=True, queue="q")
    out = step(state, inp.OfferMade(made, OPEN), 2.0, FLOWS)
    assert out.commands == [cmd.AnswerOffer(OFFER, OfferEnd.ACCEPTED)]
    out = step(out.state, routing.Assign(offer=OFFER, item=ME, agent=ANA), 2.0, FLOWS)
    assert cmd.BridgeLegs(CALLER, OPEN) in out.commands


def test_a_number_without_a_flow_is_refused() -> None:
    out = step(CallState(id=ME), arrived("9"), 1.0, FLOWS)
    assert out.commands == [cmd.RejectLeg(CALLER, HangupCause.UNALLOCATED)]


def test_a_caller_who_hangs_up_in_a_prompt_is_not_sent_on() -> None:
    """The prompt is told as stopped before the hang-up: what follows the prompt would be a queue that nobody is in."""
    state = step(CallState(id=ME), arrived(), 1.0, FLOWS).state
    state = step(state, pbx.ChannelAnswered(at=1, channel=CALLER), 1.0, FLOWS).state
    assert state.prompt is not None
    stopped = pbx.PlaybackFinished(at=1, channel=CALLER, playback=PlaybackId(state.prompt), end=pbx.PlaybackEnd.STOPPED)
    assert not step(state, stopped, 2.0, FLOWS).commands


def test_a_hostile_caller_cannot_make_a_record_that_cannot_be_stored() -> None:
    name, number = "Zo\ud800\x00" + "x" * 9_000, "9" * 9_000
    told = dataclasses.replace(arrived(), from_name=name, from_number=number)
    out = step(CallState(id=ME), told, 1.0, FLOWS)
    started = out.facts[0]
    assert isinstance(started, Started)
    assert encode_fact(started)
    assert len(started.from_name) + len(started.from_address) < 1_000


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(INPUTS), max_size=30))
def test_no_order_of_inputs_breaks_a_call(inputs: list[inp.CallInput]) -> None:
    """The record folds at each step, facts survive their encoding, and a call that may end does end."""
    state, record, n = CallState(id=ME), None, 0
    told_facts: list[str] = []
    for told in [arrived(), *inputs, inp.SwitchDied(), inp.TimerFired("finish"), inp.RecordingFinished("i-rec1", None)]:
        try:
            out = step(state, told, 2.0, FLOWS)
        except (UnexpectedInput, NotNow):
            continue
        state = out.state
        for fact in out.facts:
            n += 1
            assert decode_fact(encode_fact(fact)) == fact
            record = apply(record, InteractionEvent(interaction=ME, n=n, at=2.0, fact=fact))
            told_facts.append(fact_type(fact))
    assert told_facts.count("ended") <= 1
    if state.offer is not None:
        over = routing.OfferOver(offer=state.offer, item=ME, agent=ANA, how=OfferEnd.WITHDRAWN)
        state = step(state, over, 3.0, FLOWS).state
    for agent in {*state.wrapping, *state.others, *([state.working] if state.working else [])}:
        over_up = routing.WrapUpOver(item=ME, agent=agent, how="timer", disposition=None)
        state = step(state, over_up, 3.0, FLOWS).state
    if state.recording is not None:
        state = step(state, inp.RecordingFinished(state.recording, FILE), 3.0, FLOWS).state
    if state.phase is not Phase.CLOSED:
        state = step(state, inp.TimerFired("finish"), 3.0, FLOWS).state
    assert state.phase is Phase.CLOSED, state
    assert record is not None
