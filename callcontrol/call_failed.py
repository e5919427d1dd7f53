"""Commands that were not carried out: what is not done is told to whoever waits for it."""

from __future__ import annotations

from callcontrol import call_consult as consult
from callcontrol import call_message as message
from callcontrol import call_onward as onward
from callcontrol import call_out as out
from callcontrol import call_supervision as supervision
from callcontrol import call_systems as systems
from callcontrol import call_transfer as transfer
from callcontrol import call_wait as wait
from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_end import FINISH_AFTER_S, ended
from callcontrol.call_flow import hang_up, tell
from callcontrol.call_queue import lost_before_talk
from callcontrol.call_state import Turn
from callcontrol.call_talk import failed
from callcontrol.model import OfferEnd, Phase
from ivr_flows import protocol as flow
from pbx.terms import HangupCause

# These say more than that their leg is gone: somebody waits for what they would have brought.
_TOLD_WHEN_GONE = (cmd.RingAgent, cmd.StartRecording, cmd.FinishRecording)


def _is_message(turn: Turn, command: cmd.StartRecording | cmd.FinishRecording) -> bool:
    return turn.s.message is not None and command.recording == turn.s.message.id


def command_failed(turn: Turn, e: inp.CommandFailed) -> None:
    """What is not done is told to whoever waits for it. A leg that is gone says so itself, by its hang-up."""
    gone, unreachable = e.code == "switch.channel_gone", e.code == "switch.unreachable"
    if gone and not isinstance(e.command, _TOLD_WHEN_GONE):
        return None
    if isinstance(e.command, cmd.FinishRecording) and unreachable:
        return turn.do(cmd.SetTimer("finish", turn.at + FINISH_AFTER_S))
    turn.fact(ev.CommandFailed(command=type(e.command).__name__, code=e.code, message=e.message))
    match e.command:
        case cmd.RingAgent() if turn.s.offer is not None and e.command.channel == turn.s.agent_channel:
            turn.set(agent_channel=None)
            if unreachable:  # it may ring all the same
                turn.set(leaving=(*turn.s.leaving, e.command.channel))
                turn.do(cmd.HangupLeg(e.command.channel, HangupCause.CANCELLED))
            turn.do(cmd.AnswerOffer(turn.s.offer, OfferEnd.FAILED, e.code))
        case cmd.StartRecording() if e.command.recording == turn.s.recording and gone:
            turn.set(recording=None, recording_path=None)  # the talk was over before it could begin
        case cmd.StartRecording() | cmd.FinishRecording() if e.command.recording == turn.s.recording:
            failed(turn, e.message, None)
        case cmd.StartRecording() if gone and _is_message(turn, e.command):
            turn.set(message=None)  # hung up at the tone
        case cmd.StartRecording() | cmd.FinishRecording() if _is_message(turn, e.command):
            message.lost(turn, e.message)
        case cmd.CallOut() if turn.s.onward is not None and e.command.channel == turn.s.onward.channel:
            onward.failed(turn, e.code)
        case cmd.BridgeLegs() if (
            turn.s.onward is not None and e.command.agent == turn.s.onward.channel and not unreachable
        ):
            onward.failed(turn, e.code, leg=True)
        case cmd.PauseRecording() if e.command.recording == turn.s.recording:
            # What must not be recorded may be: the record does not claim otherwise, and somebody is told.
            turn.fact(ev.RecordingResumed(recording=e.command.recording))
            turn.do(cmd.Alert("recording_not_paused", e.message))
        case cmd.ResumeRecording() if e.command.recording == turn.s.recording:
            turn.fact(ev.RecordingPaused(recording=e.command.recording))
            turn.do(cmd.Alert("recording_not_resumed", e.message))
        case cmd.HoldLeg() if turn.s.held and turn.s.phase is Phase.TALKING and not unreachable:
            turn.set(held=False)
            turn.fact(ev.Resumed(by=None))
        case cmd.AnswerLeg() | cmd.RejectLeg() if not unreachable:
            hang_up(turn, HangupCause.CONGESTION)
        case cmd.PlayTo() if e.command.playback == turn.s.prompt and not unreachable and turn.s.message is not None:
            message.prompted(turn, turn.s.message)
        case cmd.PlayTo() if e.command.playback == turn.s.prompt and not unreachable:
            turn.set(prompt=None)
            tell(turn, flow.Played(ok=False, detail=e.message))
        case cmd.PlayTo() if e.command.playback == turn.s.comforting and not unreachable:
            (wait if turn.s.phase is Phase.QUEUED else systems).comforted(turn)
        case cmd.CollectFrom() if turn.s.collecting and not unreachable:
            turn.set(collecting=False)
            tell(turn, flow.Collected("", flow.CollectEnd.TIMEOUT))
        case cmd.TransferLeg() if e.command.new_leg == turn.s.channel and not unreachable:
            ended(turn, out.not_reached(turn), HangupCause.REJECTED, "system")
        case cmd.TransferLeg() if turn.s.consult and e.command.new_leg == turn.s.consult.channel and not unreachable:
            consult.not_called(turn, e)
        case cmd.SuperviseLeg() if not unreachable:
            supervision.refused(turn, e, e.command.supervisor)
        case cmd.RingAgent() if turn.s.consult and e.command.channel == turn.s.consult.channel and not unreachable:
            consult.not_rung(turn, e)
        case cmd.BridgeLegs() if turn.s.phase is Phase.CONSULT and not unreachable:
            consult.back(turn, "failed", e.code)
        case cmd.TransferLeg() if e.command.new_leg == turn.s.far and not unreachable:
            transfer.not_taken(turn, e)
        case cmd.BridgeLegs() if turn.s.phase is Phase.CONNECTING and not unreachable:
            lost_before_talk(turn, e.code)
        case _:
            pass  # nobody waits for it; when the switch was away, `Reattach` brings the truth
    return None
