"""The talk of citizen and agent: joining, holding, recording, parting."""

from __future__ import annotations

from callcontrol import call_supervision as supervision
from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_flow import back_to_flow, end_flow
from callcontrol.call_queue import drop_agent_leg
from callcontrol.call_state import Turn, without
from callcontrol.model import AgentId, ParticipantId, Phase
from callcontrol.routing import terms as routing
from ivr_flows.protocol import QueueExit
from pbx import events as pbx
from pbx.terms import HangupCause


def bridged(turn: Turn, e: pbx.Bridged) -> None:
    s = turn.s
    if {e.channel, e.peer} != {s.channel, s.agent_channel} or s.agent is None or s.agent_participant is None:
        return
    joined(turn, s.agent, s.agent_participant)


def joined(turn: Turn, agent: AgentId, participant: ParticipantId) -> None:
    turn.set(phase=Phase.TALKING)
    turn.fact(ev.Connected(agent=agent, participant=participant))
    start_recording(turn)


def start_recording(turn: Turn) -> None:
    """Unless one runs, or the citizen refused: it goes through all pairs of the citizen's leg."""
    if turn.s.recording is None and turn.s.record_allowed:
        recording, path = turn.new_recording()
        turn.set(recording=recording, recording_path=path)
        turn.do(cmd.StartRecording(turn.s.channel, recording, path))


def part(turn: Turn, by: str) -> None:
    """They no longer talk; the agent's wrap-up begins."""
    s = turn.s
    assert s.agent is not None  # noqa: S101 - a talk has an agent
    assert s.agent_participant is not None  # noqa: S101
    turn.fact(ev.Disconnected(agent=s.agent, participant=s.agent_participant, by=by))
    turn.set(held=False, away=False)
    supervision.end_all(turn)
    turn.end_work(s.agent)


def part_open(turn: Turn) -> None:
    """Before the router hears that the agent is free: the open leg may be in the next call an instant later."""
    if turn.s.agent_open:
        turn.do(cmd.PartLegs(turn.s.channel))


def agent_left(turn: Turn, by: str) -> None:
    """The agent's leg is down and the citizen is still there: recording ends, the flow goes on (a survey, thanks)."""
    part(turn, by)
    if turn.s.recording is not None:
        turn.do(cmd.StopRecording(turn.s.channel, turn.s.recording))
    drop_agent_leg(turn, "left" if by == "agent" else by)
    back_to_flow(turn, QueueExit.TALKED)


def customer_left(turn: Turn, by: str) -> None:
    part(turn, by)
    drop_agent_leg(turn, "customer_left")
    end_flow(turn, "talk_over")


# --- hold, asked for by the page or by the phone itself --------------------


def hold(turn: Turn, e: inp.AgentHold) -> None:
    if not turn.s.held:
        turn.set(held=True)
        turn.fact(ev.Held(by=e.by))
        turn.do(cmd.HoldLeg(turn.s.channel))


def resume(turn: Turn, e: inp.AgentResume) -> None:
    if turn.s.held:
        turn.set(held=False)
        turn.fact(ev.Resumed(by=e.by))
        turn.do(cmd.UnholdLeg(turn.s.channel))


def unhold(turn: Turn) -> None:
    """Before the citizen goes into another pair: none begins on hold."""
    if turn.s.held and turn.s.agent is not None:
        resume(turn, inp.AgentResume(turn.s.agent))


def phone_held(turn: Turn, e: pbx.PeerHeld) -> None:
    if e.channel == turn.s.agent_channel and not turn.s.held:
        turn.set(held=True)
        turn.fact(ev.Held(by=turn.s.agent))


def phone_resumed(turn: Turn, e: pbx.PeerResumed) -> None:
    if e.channel == turn.s.agent_channel and turn.s.held:
        turn.set(held=False)
        turn.fact(ev.Resumed(by=turn.s.agent))


def agent_hangs_up(turn: Turn, _e: inp.AgentHangup) -> None:
    """The agent ends the talk from their page: the same as putting down the phone."""
    if turn.s.agent_open or turn.s.away:
        part_open(turn)
        agent_left(turn, "agent")
    elif turn.s.agent_channel is not None:
        turn.do(cmd.HangupLeg(turn.s.agent_channel, HangupCause.NORMAL))


def send_digits(turn: Turn, e: inp.SendDigits) -> None:
    turn.fact(ev.DigitsSent(by=e.by, digits=e.digits))
    turn.do(cmd.SendDigitsTo(turn.s.channel, e.digits))


# --- wrap-up --------------------


def wrap_up_begun(turn: Turn, d: routing.WrapUpBegun) -> None:
    s = turn.s
    if d.agent == s.working or d.agent in s.wrapping or d.agent in s.others:
        if d.agent not in s.wrapping:  # else it is only taken up again, by a new daemon
            turn.fact(ev.WrapUpStarted(agent=d.agent, until=d.until))
        turn.set(wrapping={**s.wrapping, d.agent: d.until})
        if s.disposed:
            turn.do(cmd.NoteDisposed(d.agent, d.item))
        _let_go(turn, d.agent, d.item)


def wrap_up_over(turn: Turn, d: routing.WrapUpOver) -> None:
    s = turn.s
    if d.agent == s.working or d.agent in s.wrapping or d.agent in s.others:
        turn.set(wrapping={agent: until for agent, until in s.wrapping.items() if agent != d.agent})
        _let_go(turn, d.agent, d.item)
        turn.fact(ev.WrapUpEnded(agent=d.agent, how=d.how, disposition=d.disposition))


def _let_go(turn: Turn, agent: AgentId, item: str) -> None:
    """The router holds that agent no longer under that name."""
    s = turn.s
    turn.set(others=without(s.others, agent))
    if agent == s.working and item == s.items.get(agent, s.id):
        turn.set(working=None)


def classify(turn: Turn, e: inp.Classify) -> None:
    turn.fact(ev.Classified(by=e.by, disposition=e.disposition, reason=e.reason))
    if e.reason is not None:
        turn.set(reason=e.reason)
    if e.disposition is not None:
        turn.set(disposed=True)
        for agent in turn.s.wrapping:
            turn.do(cmd.NoteDisposed(agent, turn.s.items.get(agent, "")))


def ask_supervisor(turn: Turn, e: inp.AskSupervisor) -> None:
    turn.fact(ev.SupervisorAsked(by=e.by, text=e.text))
    turn.do(cmd.Alert("supervisor_asked", f"agent {e.by} asks for a supervisor"))


# --- recording: in every phase, for its end may come late --------------------


def recording_started(turn: Turn, e: pbx.RecordingStarted) -> None:
    if e.recording == turn.s.recording:
        turn.fact(ev.RecordingStarted(recording=e.recording, path=turn.s.recording_path or ""))


def recording_stopped(turn: Turn, e: pbx.RecordingStopped) -> None:
    if e.recording != turn.s.recording:
        return
    turn.fact(
        ev.RecordingStopped(
            recording=e.recording,
            path=turn.s.recording_path or "",
            seconds=round(e.file.seconds, 3),
            channels=e.file.channels,
        )
    )
    turn.set(recording=None, recording_path=None)


def recording_failed(turn: Turn, e: pbx.RecordingFailed) -> None:
    if e.recording == turn.s.recording:
        failed(turn, e.reason, e.file.seconds if e.file else None)


def recording_finished(turn: Turn, e: inp.RecordingFinished) -> None:
    """A repaired file: kept up to where it broke off."""
    if e.recording != turn.s.recording:
        return None
    if e.file is None:
        return failed(turn, "no audio was written", None)
    turn.fact(
        ev.RecordingStopped(
            recording=e.recording,
            path=turn.s.recording_path or "",
            seconds=round(e.file.seconds, 3),
            channels=e.file.channels,
        )
    )
    turn.set(recording=None, recording_path=None)
    return None


def failed(turn: Turn, reason: str, seconds: float | None) -> None:
    assert turn.s.recording is not None  # noqa: S101 - asked by all callers
    turn.fact(ev.RecordingFailed(recording=turn.s.recording, reason=reason, seconds=seconds))
    turn.do(cmd.Alert("recording_failed", reason))
    turn.set(recording=None, recording_path=None)


def pause_recording(turn: Turn, _e: inp.RecordingPause) -> None:
    if turn.s.recording is not None:
        turn.fact(ev.RecordingPaused(recording=turn.s.recording))
        turn.do(cmd.PauseRecording(turn.s.channel, turn.s.recording))


def resume_recording(turn: Turn, _e: inp.RecordingResume) -> None:
    if turn.s.recording is not None:
        turn.fact(ev.RecordingResumed(recording=turn.s.recording))
        turn.do(cmd.ResumeRecording(turn.s.channel, turn.s.recording))
