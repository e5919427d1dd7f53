"""Waiting in a queue made bearable: the caller's place, the expected wait, comfort prompts, keys that lead away, and an
answer for who asks for a person."""

from __future__ import annotations

from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_flow import back_to_flow, run_actions, wish_of, wishes_person
from callcontrol.call_queue import waited
from callcontrol.call_state import Turn
from callcontrol.model import Phase
from ivr_flows import protocol as flow
from ivr_flows.speech.waiting import reassurance, waiting_prompts
from ivr_flows.state import action_from_json
from pbx import events as pbx

COMFORT = "wait"
# Who asks again sooner is not answered again: they hear the answer still, or a line gave its words back to us.
ANSWERED_FOR_S = 15.0


def _waiting(turn: Turn) -> flow.Enqueue | None:
    asked = turn.s.asked
    action = None if asked is None or turn.s.phase is not Phase.QUEUED else action_from_json(asked)
    return action if isinstance(action, flow.Enqueue) else None


def comfort_due(turn: Turn, number: str) -> None:
    if number == str(turn.s.comforts) and _waiting(turn) is not None:
        turn.do(cmd.AskPlace(turn.s.comforts))


def placed(turn: Turn, e: inp.QueuePlace) -> None:
    """The router's word on the place: say it, unless an agent is being rung just now."""
    action = _waiting(turn)
    if action is None or e.number != turn.s.comforts:
        return None
    reassuring = turn.s.reassuring
    turn.set(reassuring=False)
    position = e.position if action.say_position or reassuring else None
    wait_s = e.wait_s if action.say_wait or reassuring else None
    asked = reassurance(action.language) if reassuring else ()
    comfort = () if reassuring else action.comfort
    prompts = (*asked, *waiting_prompts(position, wait_s, action.language), *comfort)
    if not prompts or turn.s.offer is not None:
        return again(turn)
    playback = turn.new_playback()
    turn.set(comforting=playback)
    return turn.do(cmd.PlayTo(turn.s.channel, playback, prompts))


def playback_finished(turn: Turn, e: pbx.PlaybackFinished) -> None:
    if e.playback != turn.s.comforting or e.end is pbx.PlaybackEnd.STOPPED:
        return
    comforted(turn)


def comforted(turn: Turn) -> None:
    """Also where the prompt could not be played, or its end was not told."""
    turn.set(comforting=None)
    turn.do(cmd.StartMusic(turn.s.channel, turn.s.music))
    again(turn)


def again(turn: Turn) -> None:
    """The next time; an older timer that still runs says a number that is none any more."""
    action = _waiting(turn)
    if action is not None and action.comfort_every_s is not None:
        turn.set(comforts=turn.s.comforts + 1)
        turn.do(cmd.SetTimer(f"{COMFORT}:{turn.s.comforts}", turn.at + action.comfort_every_s))


def key(turn: Turn, e: pbx.DigitReceived) -> None:
    """The queue's own exits first."""
    action = _waiting(turn)
    if action is None or e.channel != turn.s.channel:
        return None
    if e.digit not in action.exits:
        return wished(turn, wish_of(e))
    _leave(turn, "exit")
    turn.set(asked=None)
    return back_to_flow(turn, flow.QueueExit.DIGIT, e.digit)


def wished(turn: Turn, wish: flow.Collected) -> None:
    """Not while an agent's telephone rings for this caller: a person is on the way."""
    s = turn.s
    recently = s.reassured_at is not None and turn.at - s.reassured_at < ANSWERED_FOR_S
    if _waiting(turn) is None or s.offer is not None or recently:
        return
    actions = wishes_person(turn, wish)
    if not actions:
        return
    turn.set(reassured_at=turn.at)
    there = next((action for action in actions if isinstance(action, flow.Enqueue)), None)
    if there is not None:
        _leave(turn, "raised" if there.queue == s.queue else "moved:person")
    run_actions(turn, actions)


def overheard(turn: Turn, e: inp.Overheard) -> None:
    wished(turn, wish_of(e))


def _leave(turn: Turn, how: str) -> None:
    s = turn.s
    turn.do(cmd.WithdrawItem(), cmd.StopMusic(s.channel))
    turn.fact(ev.Dequeued(queue=s.queue or "", how=how, waited_s=waited(turn)))
    turn.set(comforting=None)
