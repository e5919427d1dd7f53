"""The call in its flow: arrival, what the flow asks for, what it is told."""

from __future__ import annotations

from collections.abc import Sequence

from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_state import Message, Onward, Turn
from callcontrol.callbacks import CallbackOrder
from callcontrol.inputs import CallbackPlaced
from callcontrol.model import AgentId, Direction, ExitReason, InitiationMethod, Medium, Phase, Role
from callcontrol.routing import terms as routing
from callcontrol.routing.rules import PERSONAL
from ivr_flows import protocol as flow
from ivr_flows.state import action_to_json
from pbx import events as pbx
from pbx.recognition.terms import Expected
from pbx.terms import DigitRules, DigitsEnd, HangupCause

# The engine has limits of its own; what goes on at once more often than this in one turn goes round for ever.
MAX_FLOW_STEPS = 200
# Longer numbers and names are attacks: an index of the database takes 2,700 bytes.
MAX_TOLD = 250

# The tone before a message: what answering machines have always sounded like.
BEEP_HZ, BEEP_MS = 1000, 400

_CAUSES = {cause.value: cause for cause in HangupCause}
_COLLECT_END = {
    DigitsEnd.COMPLETE: flow.CollectEnd.COMPLETE,
    DigitsEnd.TERMINATOR: flow.CollectEnd.TERMINATOR,
    DigitsEnd.TIMEOUT: flow.CollectEnd.TIMEOUT,
}


def _told(text: str) -> str:
    """What the far end says of itself, as text that can be stored and sent on."""
    return text[:MAX_TOLD].encode("utf-8", "replace").decode()


def arrived(turn: Turn, e: pbx.ChannelArrived) -> None:
    from_number, from_name, to_number = (_told(text) for text in (e.from_number, e.from_name, e.to_number))
    turn.set(channel=e.channel, customer_up=True, from_number=from_number)
    turn.fact(
        ev.Started(
            medium=Medium.VOICE,
            direction=Direction.INBOUND if e.trunk else Direction.INTERNAL,
            initiation_method=InitiationMethod.INBOUND,
            channel=e.channel,
            from_address=from_number,
            from_name=from_name,
            to_address=to_number,
            trunk=e.trunk,
        )
    )
    turn.fact(
        ev.ParticipantJoined(participant=turn.customer, role=Role.CUSTOMER, address=from_number, channel=e.channel)
    )
    ref = turn.flows.choose(to_number)
    if ref is None:
        turn.set(hangup_by="system")
        turn.do(cmd.RejectLeg(e.channel, HangupCause.UNALLOCATED))
        turn.fact(ev.FlowNoted(kind="no_flow", data={"to": to_number}))
        return
    turn.fact(ev.FlowStarted(flow=ref.name, version=ref.version))
    turn.set(phase=Phase.FLOW)
    facts = {"from": from_number, "name": from_name, "to": to_number, "trunk": e.trunk or ""}
    cursor, actions = turn.flows.begin(ref, facts, turn.at)
    turn.set(flow=cursor)
    run_actions(turn, actions)


def tell(turn: Turn, told: flow.Input) -> None:
    """Tell the flow, and carry on with what it asks for."""
    if turn.s.flow is None:
        return
    if not isinstance(told, flow.Answered | flow.Collected | flow.Response):
        turn.set(keys_since=turn.at)  # a talk, a queue, a message, an announcement had their own
    cursor, actions = turn.flows.step(turn.s.flow, told, turn.at)
    turn.set(flow=cursor)
    run_actions(turn, actions)


def run_actions(turn: Turn, actions: Sequence[flow.Action]) -> None:
    for _ in range(MAX_FLOW_STEPS):
        told: flow.Input | None = None
        for action in actions:
            told = _act(turn, action)
        if told is None or turn.s.flow is None:
            return
        cursor, actions = turn.flows.step(turn.s.flow, told, turn.at)
        turn.set(flow=cursor)
    turn.do(cmd.Alert("flow_loop", f"the flow of {turn.s.id} goes round without end"))
    end_flow(turn, "loop")
    hang_up(turn, HangupCause.OTHER)


def _act(turn: Turn, action: flow.Action) -> flow.Input | None:
    """Carry out one action; the answer, where it is known at once."""
    if isinstance(action, flow.Waiting):
        turn.set(asked=None, request=None, comforting=None, asides=())
    if isinstance(action, flow.Enqueue | flow.Request | flow.Record | flow.Transfer):
        turn.set(asides=tuple(action.asides), language=action.language)
    match action:
        case flow.Note():
            turn.fact(ev.FlowNoted(kind=action.kind, data=dict(action.data), private=action.private))
            if action.kind == "flow.error":
                # The caller is led on. Without the message, which may hold values of theirs.
                turn.do(cmd.Alert("flow_fault", "flow {flow}, node {node}: {reason}".format(**action.data)))
        case flow.Answer():
            if turn.s.answered:
                return flow.Answered()
            turn.do(cmd.AnswerLeg(turn.s.channel))
        case flow.Play():
            playback = turn.new_playback()
            turn.set(prompt=playback)
            aside = Expected(phrases=tuple(action.asides), language=action.language) if action.asides else None
            turn.do(cmd.PlayTo(turn.s.channel, playback, tuple(action.prompts), aside))
        case flow.Collect():
            rules = DigitRules(
                max_digits=action.max_digits,
                terminator=action.terminator,
                first_s=action.first_s,
                between_s=action.between_s,
                barge_in=action.barge_in,
                since=turn.s.keys_since,
            )
            playback = turn.new_playback()
            turn.set(collecting=True, question=playback)
            said = _expected(action)
            answers = bool(action.phrases or action.spoken_digits)
            turn.do(cmd.CollectFrom(turn.s.channel, playback, tuple(action.prompts), rules, said, answers))
        case flow.Enqueue():
            _enqueue(turn, action)
        case flow.Request():
            _request(turn, action)
        case flow.Record():
            _record(turn, action)
        case flow.Transfer():
            _transfer(turn, action)
        case flow.Converse():
            talk = f"{turn.s.id}-bot{turn.s.bots + 1}"
            turn.set(bot=talk, bots=turn.s.bots + 1)
            turn.do(cmd.TalkToBot(turn.s.channel, talk, action))
        case flow.AllowRecording():
            turn.set(record_allowed=action.allowed)
        case flow.CallBack():
            _promise(turn, action)
        case flow.Reassure():
            turn.set(comforts=turn.s.comforts + 1, reassuring=True)
            turn.do(cmd.AskPlace(turn.s.comforts))
        case flow.Hangup():
            end_flow(turn, "hangup")
            hang_up(turn, _CAUSES.get(action.cause, HangupCause.NORMAL))
    return None


def _promise(turn: Turn, action: flow.CallBack) -> None:
    """Whoever waited in that queue keeps the place that they had."""
    s = turn.s
    waited = s.left_queue == action.queue
    order = CallbackOrder(
        number=action.number,
        queue=action.queue,
        queued_at=s.queued_at if waited else turn.at,
        reason=action.reason or s.reason,
        priority=s.priority if waited else 0,
        skills=s.skills if waited else {},
        criticality=s.criticality if waited else "",
        target_s=s.target_s if waited else None,
        preferred=s.preferred if waited else (),
        not_before=action.not_before,
        origin=s.id,
    )
    turn.set(owed=order)
    turn.do(cmd.PlaceCallback(order))


def callback_placed(turn: Turn, e: CallbackPlaced) -> None:
    turn.set(owed=None)
    turn.fact(ev.CallbackPlaced(callback=e.callback))


def _expected(action: flow.Collect) -> Expected | None:
    """What may be said. Digits and phrases are not told apart in one breath: where both are wanted, digits count."""
    if action.spoken_digits:
        return Expected(digits=action.max_digits, language=action.language)
    phrases = tuple(dict.fromkeys((*action.phrases, *action.asides)))
    return Expected(phrases=phrases, language=action.language) if phrases else None


def _request(turn: Turn, action: flow.Request) -> None:
    number = turn.s.requests + 1
    request = f"{turn.s.id}-req{number}"
    turn.set(request=request, requests=number, asked=action_to_json(action))
    turn.do(cmd.Fetch(request, action), cmd.SetTimer(f"comfort:{request}", turn.at + action.comfort_after_s))


def _record(turn: Turn, action: flow.Record) -> None:
    recording, path = turn.new_recording()
    playback = turn.new_playback()
    beep = (flow.PromptTone(BEEP_HZ, BEEP_MS),) if action.beep else ()
    turn.set(prompt=playback, message=Message(id=recording, path=path, mailbox=action.mailbox, max_s=action.max_s))
    turn.do(cmd.PlayTo(turn.s.channel, playback, (*action.prompts, *beep)))


def _transfer(turn: Turn, action: flow.Transfer) -> None:
    channel, participant = turn.new_leg()
    turn.set(onward=Onward(channel=channel, participant=participant))
    turn.fact(ev.ParticipantJoined(participant=participant, role=Role.EXTERNAL, address=action.target, channel=channel))
    turn.do(cmd.StartMusic(turn.s.channel, action.music))
    turn.do(cmd.CallOut(channel, action.kind, action.target, turn.s.from_number, action.timeout_s))


def _enqueue(turn: Turn, action: flow.Enqueue) -> None:
    """Who is led from one queue straight into another has waited since the first; so has who left the line by a key, or
    was told that all are busy, and would rather go on waiting in it."""
    waited = turn.s.phase is Phase.QUEUED or turn.s.left_queue == action.queue
    turn.set(
        phase=Phase.QUEUED,
        queue=action.queue,
        queued_at=turn.s.queued_at if waited else turn.at,
        waits_since=turn.at,
        priority=action.priority,
        skills=dict(action.skills),
        criticality=action.criticality,
        target_s=action.target_s,
        preferred=tuple(AgentId(name) for name in action.preferred),
        reason=action.reason,
        music=action.music,
        asked=action_to_json(action),
        give_up_at=None if action.timeout_s is None else turn.at + action.timeout_s,
        hand=None,
    )
    queued(turn)
    turn.do(cmd.StartMusic(turn.s.channel, action.music))
    route(turn)


def queued(turn: Turn, *, callback: bool = False) -> None:
    """Told of whoever waits from now on, as their state says."""
    s = turn.s
    turn.fact(
        ev.Queued(
            queue=s.queue or "",
            priority=s.priority,
            skills=s.skills,
            reason=s.reason,
            callback=callback,
            target_s=s.target_s,
        )
    )


def route(turn: Turn) -> None:
    """(Again) into the line, in the place that the first arrival there gives."""
    s = turn.s
    assert s.queue is not None  # noqa: S101 - only queued calls are routed
    every = (s.asked or {}).get("comfort_every_s")
    if every is not None:  # `call_wait` goes on from there
        turn.set(comforts=s.comforts + 1)
        turn.do(cmd.SetTimer(f"wait:{turn.s.comforts}", turn.at + every))
    turn.do(
        cmd.RouteItem(
            routing.WorkItem(
                id=s.id,
                medium=Medium.CALLBACK if s.callback is not None and not s.callback.reached else Medium.VOICE,
                # Handed to one agent by another: their own line, so that no queue's rules turn it away.
                queue=f"{PERSONAL}{s.hand}" if s.handed else s.queue,
                agent=s.hand if s.handed else None,
                hand=None if s.handed else s.hand,
                queued_at=s.queued_at,
                priority=s.priority,
                skills=s.skills,
                criticality=s.criticality,
                target_s=s.target_s,
                preferred=s.preferred,
                reason=s.reason,
                give_up_at=s.give_up_at,
                offers_made=s.offers_made,
            ),
            s.from_number,
        )
    )


def end_flow(turn: Turn, how: str) -> None:
    if turn.s.flow is not None:
        turn.fact(ev.FlowEnded(how=how))
    turn.set(flow=None, prompt=None, collecting=False, bot="", asked=None, request=None, comforting=None)


def hang_up(turn: Turn, cause: HangupCause) -> None:
    turn.set(hangup_by="system")
    if turn.s.customer_up:
        turn.do(cmd.HangupLeg(turn.s.channel, cause))


def back_to_flow(turn: Turn, exit_: flow.QueueExit, digit: str = "", *, why: str = "", target: str = "") -> None:
    """The queue, or the talk, is over and the citizen is still there."""
    turn.set(phase=Phase.FLOW, queue=None, left_queue=None if exit_ is flow.QueueExit.TALKED else turn.s.queue)
    turn.fact(ev.FlowResumed())
    if turn.s.flow is None:
        hang_up(turn, HangupCause.NORMAL)
        return
    tell(turn, flow.QueueLeft(exit_, digit, why, target))


# --- what the switch tells while the flow runs --------------------


def answered(turn: Turn, e: pbx.ChannelAnswered) -> None:
    if e.channel != turn.s.channel or turn.s.answered:
        return
    turn.set(answered=True)
    turn.fact(ev.Answered())
    tell(turn, flow.Answered())


def playback_finished(turn: Turn, e: pbx.PlaybackFinished) -> None:
    if e.playback != turn.s.prompt:
        return  # of an older prompt, or of a collect, which tells its own end
    if e.end is pbx.PlaybackEnd.STOPPED:
        return  # not by us: the caller hangs up, and the flow must not go on without them
    turn.set(prompt=None)
    ok = e.end is not pbx.PlaybackEnd.FAILED
    if not ok:
        turn.do(cmd.Alert("prompt_failed", e.detail or "a prompt could not be played"))
    tell(turn, flow.Played(ok=ok, detail=e.detail))


def digits_collected(turn: Turn, e: pbx.DigitsCollected) -> None:
    if not turn.s.collecting or e.end is DigitsEnd.STOPPED:
        return
    turn.set(collecting=False)
    tell(turn, flow.Collected(e.digits, _COLLECT_END[e.end]))


def heard(turn: Turn, e: inp.Heard) -> None:
    """A question with ears was answered, or an announcement heard to its end."""
    if e.playback == turn.s.prompt and e.end is not DigitsEnd.STOPPED:
        turn.set(prompt=None)
        if e.phrase:
            tell(turn, flow.Collected("", flow.CollectEnd.COMPLETE, e.phrase))
        return tell(turn, flow.Played())
    if not turn.s.collecting or e.playback != turn.s.question or e.end is DigitsEnd.STOPPED:
        return None
    turn.set(collecting=False, keys_since=turn.at)
    return tell(turn, flow.Collected(e.digits, _COLLECT_END[e.end], e.phrase))


def wish_of(told: pbx.DigitReceived | inp.Overheard) -> flow.Collected:
    """A key where none was asked for, or words beside what goes on: a wish for a person, or nothing."""
    if isinstance(told, inp.Overheard):
        return flow.Collected("", flow.CollectEnd.COMPLETE, told.phrase)
    return flow.Collected(told.digit, flow.CollectEnd.COMPLETE)


def wishes_person(turn: Turn, wish: flow.Collected) -> Sequence[flow.Action]:
    """Only the flow's key and words for a person count, and the flow knows which those are. What it wants then; nothing
    for any other."""
    if turn.s.flow is None:
        return ()
    cursor, actions = turn.flows.step(turn.s.flow, wish, turn.at)
    turn.set(flow=cursor)
    if actions:
        turn.set(keys_since=turn.at)
    return actions


def wished(turn: Turn, wish: flow.Collected) -> None:
    """During an announcement that is heard to its end."""
    run_actions(turn, wishes_person(turn, wish))


def bot_talked(turn: Turn, e: inp.BotTalked) -> None:
    if e.talk == turn.s.bot:
        turn.set(bot="")
        tell(turn, e.ended)


def customer_gone(turn: Turn, e: pbx.ChannelHungUp) -> ExitReason:
    """The citizen left while in the flow."""
    if turn.s.hangup_by == "supervisor":
        reason = ExitReason.ENDED_BY_SUPERVISOR
    elif turn.s.hangup_by == "system":
        reason = ExitReason.SELF_SERVICE if turn.s.answered else ExitReason.REJECTED
    else:
        reason = ExitReason.ABANDONED_IN_FLOW if turn.s.answered else ExitReason.ABANDONED_RINGING
    if turn.s.flow is not None:
        tell(turn, flow.CallerLeft())
        end_flow(turn, "caller_left")
    return reason
