"""The call: one state machine, pure. ``step(state, input, at, flows) -> Outcome``.

Theory of operation
-------------------
A call is in one phase (`model.Phase`) at a time, and an agent's wrap-up may run beside it. `TABLE` says which input
does what in which phase; `ANYWHERE` holds those that do the same in every phase. A pair in neither is an
`UnexpectedInput`, a named error that the session counts and logs: nothing is dropped in silence, nothing crashes a
call. Inputs that may rightly come late (a prompt's end after the caller went to the queue) stand in the table as
`_late`.

The step returns facts, which are written, and commands, which are carried out in order; a command's failure comes
back as the input `CommandFailed`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from callcontrol import call_callback as callback
from callcontrol import call_conference as conference
from callcontrol import call_consult as consult
from callcontrol import call_end as end
from callcontrol import call_failed as failed
from callcontrol import call_flow as flow
from callcontrol import call_hand_on as hand
from callcontrol import call_leg as leg
from callcontrol import call_message as message
from callcontrol import call_onward as onward
from callcontrol import call_out as out
from callcontrol import call_queue as queue
from callcontrol import call_reattach as again
from callcontrol import call_steer as steer
from callcontrol import call_supervision as supervision
from callcontrol import call_systems as systems
from callcontrol import call_take_over as over
from callcontrol import call_talk as talk
from callcontrol import call_transfer as transfer
from callcontrol import call_wait as wait
from callcontrol import inputs as inp
from callcontrol.call_state import CallState, Flows, Turn
from callcontrol.commands import Command
from callcontrol.events import AnyFact
from callcontrol.model import Phase
from callcontrol.routing import terms as routing
from foundation.errors import RimayError
from ivr_flows.protocol import Collected
from pbx import events as pbx
from pbx.terms import HangupCause


class UnexpectedInput(RimayError):
    """No row in the table for this input in this phase."""

    code: ClassVar[str] = "call.unexpected_input"


@dataclass(frozen=True, slots=True)
class Outcome:
    state: CallState
    facts: Sequence[AnyFact]
    commands: Sequence[Command]


def _late(_turn: Turn, _e: object) -> None:
    """Rightly late, and of no consequence any more."""


def _answered_in_flow(turn: Turn, e: pbx.ChannelAnswered) -> None:
    flow.answered(turn, e)
    onward.answered(turn, e)


def _played_in_flow(turn: Turn, e: pbx.PlaybackFinished) -> None:
    s = turn.s
    if e.playback == s.comforting:
        systems.comforted(turn)
    elif s.message is not None and e.playback == s.prompt and e.end is not pbx.PlaybackEnd.STOPPED:
        message.prompted(turn, s.message)
    else:
        flow.playback_finished(turn, e)


def _key_in_flow(turn: Turn, e: pbx.DigitReceived) -> None:
    """A question takes its keys by itself."""
    if e.channel == turn.s.channel:
        _wished(turn, flow.wish_of(e))


def _overheard_in_flow(turn: Turn, e: inp.Overheard) -> None:
    _wished(turn, flow.wish_of(e))


def _wished(turn: Turn, wish: Collected) -> None:
    """Beside a question, whatever goes on just now takes it."""
    s = turn.s
    if s.request is not None:
        systems.wished(turn, wish)
    elif s.message is not None:
        message.wished(turn, wish)
    elif s.onward is not None:
        onward.wished(turn, wish)
    elif s.prompt is not None:
        flow.wished(turn, wish)


def _timer(turn: Turn, e: inp.TimerFired) -> None:
    name, _, of = e.name.partition(":")
    match name:
        case systems.COMFORT:
            systems.comfort_due(turn, of)
        case wait.COMFORT:
            wait.comfort_due(turn, of)
        case leg.AWAY:
            conference.grace_over(turn, of)
            leg.grace_over(turn, of)
        case hand.HAND:
            hand.waited_enough(turn, of)
        case message.LIMIT:
            message.limit_reached(turn, of)
        case message.OVER:
            message.go_on(turn, of)
        case _:
            end.finish_timer(turn, e)


def _joined_again(turn: Turn, e: pbx.Bridged) -> None:
    """Told again after a reconnect, or after the agent's leg was lost."""
    if {e.channel, e.peer} == {turn.s.channel, turn.s.agent_channel}:
        leg.joined_again(turn)
    if turn.s.agent_channel in (e.channel, e.peer):
        supervision.again(turn)


def _joined_in_consult(turn: Turn, e: pbx.Bridged) -> None:
    consult.bridged(turn, e)
    if turn.s.agent_channel in (e.channel, e.peer):
        supervision.again(turn)


def _entered(turn: Turn, e: pbx.RoomEntered) -> None:
    if e.channel == turn.s.agent_channel:
        supervision.again(turn)


def _leg_lost(turn: Turn, e: inp.LegLost) -> None:
    if not supervision.leg_lost(turn, e.channel):
        leg.lost(turn, e)


def _leg_lost_asking(turn: Turn, e: inp.LegLost) -> None:
    if supervision.leg_lost(turn, e.channel):
        return
    if e.cause is not HangupCause.SWITCH_LOST and not consult.far_gone(turn, e.channel, e.cause):
        consult.agent_gone(turn)


def _leg_lost_in_conference(turn: Turn, e: inp.LegLost) -> None:
    if supervision.leg_lost(turn, e.channel):
        return
    if e.cause is not HangupCause.SWITCH_LOST and not consult.far_gone(turn, e.channel, e.cause):
        conference.agent_gone(turn)


def _offer_over(turn: Turn, d: routing.OfferOver) -> None:
    mine = d.offer == turn.s.offer
    queue.offer_over(turn, d)
    if mine:
        hand.to_all(turn)


def _gave_up(turn: Turn, d: routing.GiveUp) -> None:
    if turn.s.handed:
        hand.to_all(turn)
    else:
        queue.gave_up(turn, d)


_Handler = Callable[[Turn, Any], None]

TABLE: dict[tuple[Phase, type[Any]], _Handler] = {
    (Phase.ARRIVING, pbx.ChannelArrived): flow.arrived,
    (Phase.ARRIVING, inp.PlaceCall): out.place,
    (Phase.ARRIVING, inp.CallbackAsked): callback.asked,
    # a call out
    (Phase.DIALING, pbx.ChannelAnswered): out.answered,
    (Phase.DIALING, pbx.Bridged): out.bridged,
    (Phase.DIALING, inp.AgentHangup): out.give_up,
    (Phase.DIALING, inp.LegLost): out.give_up,
    (Phase.DIALING, inp.Classify): talk.classify,
    # in the flow
    (Phase.FLOW, pbx.ChannelAnswered): _answered_in_flow,
    (Phase.FLOW, pbx.PlaybackFinished): _played_in_flow,
    (Phase.FLOW, pbx.DigitsCollected): flow.digits_collected,
    (Phase.FLOW, pbx.DigitReceived): _key_in_flow,
    (Phase.FLOW, pbx.Bridged): onward.bridged,
    (Phase.FLOW, inp.Fetched): systems.fetched,
    (Phase.FLOW, inp.Heard): flow.heard,
    (Phase.FLOW, inp.Overheard): _overheard_in_flow,
    (Phase.FLOW, inp.BotTalked): flow.bot_talked,
    (Phase.FLOW, routing.OfferOver): queue.offer_over,
    # the caller left the queue by a key in the instant of an offer
    (Phase.FLOW, routing.MakeOffer): queue.late_offer,
    (Phase.FLOW, inp.OfferMade): leg.late_offer,
    (Phase.FLOW, routing.Assign): queue.late_assign,
    (Phase.FLOW, routing.GiveUp): _late,
    (Phase.FLOW, routing.Moved): _late,
    # in a queue
    (Phase.QUEUED, routing.MakeOffer): queue.offered,
    (Phase.QUEUED, inp.OfferMade): leg.offered,
    (Phase.QUEUED, routing.OfferOver): _offer_over,
    (Phase.QUEUED, routing.Assign): queue.assigned,
    (Phase.QUEUED, routing.GiveUp): _gave_up,
    (Phase.QUEUED, routing.Moved): queue.moved,
    (Phase.QUEUED, routing.Relaxed): queue.relaxed,
    (Phase.QUEUED, pbx.ChannelAnswered): queue.agent_answered,
    (Phase.QUEUED, pbx.PlaybackFinished): wait.playback_finished,
    (Phase.QUEUED, pbx.DigitReceived): wait.key,
    (Phase.QUEUED, inp.Overheard): wait.overheard,
    (Phase.QUEUED, inp.QueuePlace): wait.placed,
    (Phase.QUEUED, pbx.DigitsCollected): _late,
    (Phase.QUEUED, inp.Steer): steer.waiting,
    # being joined
    (Phase.CONNECTING, pbx.Bridged): talk.bridged,
    (Phase.CONNECTING, pbx.ChannelAnswered): queue.stray_answered,
    (Phase.CONNECTING, pbx.PlaybackFinished): _late,
    # talking
    (Phase.TALKING, pbx.PlaybackFinished): _late,  # a comfort prompt that the talk cut short
    (Phase.TALKING, pbx.ChannelAnswered): queue.stray_answered,
    (Phase.TALKING, pbx.Bridged): _joined_again,
    (Phase.TALKING, inp.SendDigits): talk.send_digits,
    (Phase.TALKING, inp.AgentHold): talk.hold,
    (Phase.TALKING, inp.AgentResume): talk.resume,
    (Phase.TALKING, inp.AgentHangup): talk.agent_hangs_up,
    (Phase.TALKING, pbx.PeerHeld): talk.phone_held,
    (Phase.TALKING, pbx.PeerResumed): talk.phone_resumed,
    (Phase.TALKING, inp.RecordingPause): talk.pause_recording,
    (Phase.TALKING, inp.RecordingResume): talk.resume_recording,
    (Phase.TALKING, pbx.TransferAsked): transfer.asked,
    (Phase.TALKING, inp.HandOn): hand.hand_on,
    (Phase.TALKING, inp.Supervise): supervision.begin,
    (Phase.TALKING, inp.StopSupervising): supervision.stop,
    (Phase.TALKING, inp.TakeOver): over.take_over,
    (Phase.TALKING, inp.AskColleague): consult.begin,
    # asking somebody, the citizen hears music
    (Phase.CONSULT, inp.ConsultDecision): consult.decided,
    (Phase.CONSULT, inp.ConsultComplete): consult.complete,
    (Phase.CONSULT, inp.ConsultCancel): consult.cancel,
    (Phase.CONSULT, inp.AgentHangup): consult.cancel,
    (Phase.CONSULT, inp.ConsultSwap): consult.swap,
    (Phase.CONSULT, inp.ConsultConference): conference.begin,
    (Phase.CONSULT, inp.LegLost): _leg_lost_asking,
    (Phase.CONSULT, pbx.ChannelAnswered): consult.answered,
    (Phase.CONSULT, pbx.Bridged): _joined_in_consult,
    (Phase.CONSULT, inp.Supervise): supervision.begin,
    (Phase.CONSULT, inp.StopSupervising): supervision.stop,
    (Phase.CONSULT, pbx.PlaybackFinished): _late,
    (Phase.CONSULT, pbx.PeerHeld): _late,
    (Phase.CONSULT, pbx.PeerResumed): _late,
    (Phase.CONSULT, inp.RecordingPause): talk.pause_recording,
    (Phase.CONSULT, inp.RecordingResume): talk.resume_recording,
    # all three talk
    (Phase.CONFERENCE, inp.ConferenceLeave): conference.leave,
    (Phase.CONFERENCE, inp.AgentHangup): conference.hangs_up,
    (Phase.CONFERENCE, inp.ConferenceRemove): conference.remove,
    (Phase.CONFERENCE, inp.LegLost): _leg_lost_in_conference,
    (Phase.CONFERENCE, pbx.ChannelAnswered): queue.stray_answered,
    (Phase.CONFERENCE, pbx.Bridged): _late,
    (Phase.CONFERENCE, pbx.RoomEntered): _entered,
    (Phase.CONFERENCE, inp.Supervise): supervision.begin,
    (Phase.CONFERENCE, inp.StopSupervising): supervision.stop,
    (Phase.CONFERENCE, pbx.PlaybackFinished): _late,
    (Phase.CONFERENCE, pbx.PeerHeld): _late,
    (Phase.CONFERENCE, pbx.PeerResumed): _late,
    (Phase.CONFERENCE, inp.SendDigits): talk.send_digits,
    (Phase.CONFERENCE, inp.AgentHold): talk.hold,
    (Phase.CONFERENCE, inp.AgentResume): talk.resume,
    (Phase.CONFERENCE, inp.RecordingPause): talk.pause_recording,
    (Phase.CONFERENCE, inp.RecordingResume): talk.resume_recording,
    # with a third party, or on the way there
    (Phase.TRANSFER, pbx.ChannelRinging): hand.rings,
    (Phase.TRANSFER, pbx.Bridged): transfer.joined,
    (Phase.TRANSFER, pbx.ChannelAnswered): queue.stray_answered,
    (Phase.TRANSFER, pbx.PeerHeld): _late,
    (Phase.TRANSFER, pbx.PeerResumed): _late,
    (Phase.TRANSFER, inp.AgentHangup): talk.agent_hangs_up,
    (Phase.TRANSFER, inp.RecordingPause): talk.pause_recording,
    (Phase.TRANSFER, inp.RecordingResume): talk.resume_recording,
    # the citizen is gone
    (Phase.ENDING, routing.MakeOffer): queue.late_offer,
    (Phase.ENDING, inp.OfferMade): leg.late_offer,
    (Phase.ENDING, routing.OfferOver): queue.offer_over,
    (Phase.ENDING, routing.Assign): queue.late_assign,
    (Phase.ENDING, routing.GiveUp): _late,
    (Phase.ENDING, routing.Moved): _late,
    (Phase.ENDING, pbx.ChannelAnswered): queue.stray_answered,
    (Phase.ENDING, pbx.PlaybackFinished): _late,
    (Phase.ENDING, pbx.DigitsCollected): _late,
    (Phase.ENDING, pbx.Bridged): _late,
}

ANYWHERE: dict[type[Any], _Handler] = {
    pbx.ChannelHungUp: end.hung_up,
    pbx.ChannelRinging: _late,
    pbx.DigitReceived: _late,  # collected digits come as DigitsCollected
    pbx.PlaybackStarted: _late,
    pbx.TransferAsked: transfer.refused,
    pbx.RoomEntered: _late,  # ordered by us
    pbx.RoomLeft: _late,
    pbx.Unbridged: _late,  # the hang-up or command that parted them says more
    pbx.RecordingStarted: message.recording_started,
    pbx.RecordingStopped: message.recording_stopped,
    pbx.RecordingFailed: message.recording_failed,
    inp.ConsultDecision: consult.decided_late,
    inp.AskSupervisor: talk.ask_supervisor,
    inp.Classify: talk.classify,
    inp.LegLost: _leg_lost,
    inp.LegBack: leg.back,
    inp.Fetched: _late,
    inp.Heard: _late,
    inp.Overheard: _late,
    inp.BotTalked: _late,
    inp.QueuePlace: _late,
    routing.Released: queue.released,
    routing.Relaxed: _late,
    routing.WorkSuspended: _late,  # a call is never suspended: it is what suspends
    routing.WorkResumed: _late,
    routing.WrapUpBegun: talk.wrap_up_begun,
    routing.WrapUpOver: talk.wrap_up_over,
    inp.RecordingFinished: message.recording_finished,
    inp.CommandFailed: failed.command_failed,
    inp.TimerFired: _timer,
    inp.Reattach: again.reattach,
    inp.SwitchDied: end.switch_died,
    inp.Steer: steer.elsewhere,
    inp.CallbackPlaced: flow.callback_placed,
    inp.CallbackPostponed: _late,  # it was taken out of the line meanwhile
}


def step(state: CallState, told: inp.CallInput, at: float, flows: Flows) -> Outcome:
    """Raises `UnexpectedInput` for a pair that no table knows, `NotNow` where the call's state does not allow what an
    agent asks for; the state is then unchanged."""
    kind = type(told)
    handler = TABLE.get((state.phase, kind)) or ANYWHERE.get(kind)
    if state.callback is not None and not state.callback.reached:
        handler = callback.TABLE.get((state.phase, kind)) or handler
    if handler is None or state.phase is Phase.CLOSED:
        raise UnexpectedInput(f"{kind.__name__} in phase {state.phase.value}", interaction=state.id)
    turn = Turn(state, at, flows)
    handler(turn, told)
    end.close_if_done(turn)
    return Outcome(turn.s, turn.facts, turn.commands)
