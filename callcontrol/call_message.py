"""A message that the caller leaves: prompt, tone, recording, until a key, the limit, or the hang-up.

Most are ended by the hang-up, and switches tell the recording's end before it: one that we did not order is not the end
of the node, unless the caller proves to be there still."""

from __future__ import annotations

from msgspec.structs import replace

from callcontrol import call_talk as talk
from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_flow import run_actions, tell, wishes_person
from callcontrol.call_state import Message, Turn
from callcontrol.model import Phase
from ivr_flows import protocol as flow
from pbx import events as pbx
from pbx.terms import RecordedFile

LIMIT = "message"
OVER = "message_over"
# A switch tells the hang-up right behind the recording's end. After this the caller is still there: the disk is full.
HANGUP_WITHIN_S = 0.5
_END_KEYS = ("#", "*")


def prompted(turn: Turn, message: Message) -> None:
    """The prompt and its tone were heard: record."""
    turn.set(prompt=None, message=Message(id=message.id, path=message.path, mailbox=message.mailbox, recording=True))
    turn.do(cmd.StartRecording(turn.s.channel, message.id, message.path))
    turn.do(cmd.SetTimer(f"{LIMIT}:{message.id}", turn.at + message.max_s))


def wished(turn: Turn, wish: flow.Collected) -> None:
    """A key ends the message; so does the wish for a person, after whose prompt nothing is recorded any more."""
    message = turn.s.message
    if message is None:
        return
    wishes = wishes_person(turn, wish)
    run_actions(turn, wishes)
    if message.seconds is not None:
        go_on(turn, message.id)
    elif message.recording and (wishes or wish.digits in _END_KEYS):
        _stop(turn, message)
    elif wishes:
        turn.set(message=None, prompt=None)
        tell(turn, flow.Recorded("", 0.0))


def limit_reached(turn: Turn, recording: str) -> None:
    message = turn.s.message
    if message is not None and message.id == recording and message.recording and turn.s.phase is Phase.FLOW:
        _stop(turn, message)


def _stop(turn: Turn, message: Message) -> None:
    if not message.stopping:
        turn.set(message=replace(message, stopping=True))
        turn.do(cmd.StopRecording(turn.s.channel, message.id))


# --- what the switch tells of recordings: the message's are ours, all others the talk's --------------------


def recording_started(turn: Turn, e: pbx.RecordingStarted) -> None:
    message = turn.s.message
    if message is None or e.recording != message.id:
        return talk.recording_started(turn, e)
    return turn.fact(ev.RecordingStarted(recording=message.id, path=message.path))


def recording_stopped(turn: Turn, e: pbx.RecordingStopped) -> None:
    message = turn.s.message
    if message is None or e.recording != message.id:
        return talk.recording_stopped(turn, e)
    return _kept(turn, message, e.file)


def recording_finished(turn: Turn, e: inp.RecordingFinished) -> None:
    """A repaired file: what was said up to where it broke off is a message."""
    message = turn.s.message
    if message is None or e.recording != message.id:
        return talk.recording_finished(turn, e)
    return lost(turn, "no audio was written") if e.file is None else _kept(turn, message, e.file)


def _kept(turn: Turn, message: Message, file: RecordedFile) -> None:
    seconds = round(file.seconds, 3)
    turn.fact(ev.RecordingStopped(recording=message.id, path=message.path, seconds=seconds, channels=file.channels))
    _over(turn, message, seconds)


def _over(turn: Turn, message: Message, seconds: float) -> None:
    turn.set(message=replace(message, recording=False, seconds=seconds))
    if turn.s.phase is not Phase.FLOW:
        settle(turn)
    elif message.stopping:
        go_on(turn, message.id)
    else:
        turn.do(cmd.SetTimer(f"{OVER}:{message.id}", turn.at + HANGUP_WITHIN_S))


def go_on(turn: Turn, recording: str) -> None:
    """The message is over, and the caller is there."""
    message = turn.s.message
    if message is None or message.id != recording or message.seconds is None or turn.s.phase is not Phase.FLOW:
        return
    turn.set(message=None)
    tell(turn, flow.Recorded(message.id if message.seconds else "", message.seconds))


def settle(turn: Turn) -> None:
    """The caller is gone, and so ended their message: it is one all the same."""
    message = turn.s.message
    if message is None or message.seconds is None:
        return
    turn.set(message=None)
    if message.seconds:
        facts = {"mailbox": message.mailbox, "recording": message.id, "seconds": message.seconds, "ended_by": "hangup"}
        turn.fact(ev.FlowNoted(kind="voicemail.left", data=facts))


def recording_failed(turn: Turn, e: pbx.RecordingFailed) -> None:
    message = turn.s.message
    if message is None or e.recording != message.id:
        return talk.recording_failed(turn, e)
    return lost(turn, e.reason)


def lost(turn: Turn, reason: str) -> None:
    """Nothing was recorded: the flow goes on as if nothing had been said, and somebody looks."""
    message = turn.s.message
    if message is None:
        return
    turn.fact(ev.RecordingFailed(recording=message.id, reason=reason))
    turn.do(cmd.Alert("message_lost", reason))
    _over(turn, message, 0.0)
