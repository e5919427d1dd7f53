"""What a call asks of the switch, carried out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from callcontrol import commands as cmd
from callcontrol import inputs as inp
from callcontrol.model import AgentId, InteractionId
from callcontrol.prompts import sounds_of
from callcontrol.surroundings import Surroundings
from ivr_flows.protocol import TransferKind
from pbx.terms import (
    ChannelId,
    CommandRefused,
    Destination,
    NumberDestination,
    PhoneDestination,
    PlaybackId,
    RecordingId,
    RecordingSpec,
    RoomId,
)


class SwitchHands:
    """Of one call. `tell` brings it what came of a command that answers."""

    def __init__(self, around: Surroundings, call: InteractionId, tell: Callable[[inp.CallInput], None]) -> None:
        self._around = around
        self._call = call
        self._tell = tell

    async def _answer(self, c: cmd.AnswerLeg) -> None:
        await self._around.switch.answer(ChannelId(c.channel))

    async def _reject(self, c: cmd.RejectLeg) -> None:
        await self._around.switch.reject(ChannelId(c.channel), c.cause)

    async def _hangup(self, c: cmd.HangupLeg) -> None:
        await self._around.switch.hangup(ChannelId(c.channel), c.cause)

    async def play(self, c: cmd.PlayTo) -> None:
        await self._around.switch.play(ChannelId(c.channel), PlaybackId(c.playback), sounds_of(c.prompts))

    async def _start_music(self, c: cmd.StartMusic) -> None:
        await self._around.switch.start_music(ChannelId(c.channel), c.music)

    async def _stop_music(self, c: cmd.StopMusic) -> None:
        await self._around.switch.stop_music(ChannelId(c.channel))

    async def _ring_agent(self, c: cmd.RingAgent) -> None:
        phone = self._around.agents.phone(c.agent)
        if phone is None:
            raise CommandRefused(f"agent {c.agent} has no phone")
        await self._around.switch.originate(
            ChannelId(c.channel),
            PhoneDestination(phone),
            caller_number=c.caller_number,
            timeout_s=c.timeout_s,
            headers={"X-Rimay-Interaction": self._call},
            variables={"RIMAY_INTERACTION": self._call},
        )

    async def _call_out(self, c: cmd.CallOut) -> None:
        destination: Destination = NumberDestination(c.target)
        if c.kind is not TransferKind.NUMBER:
            phone = self._around.agents.phone(AgentId(c.target)) if c.kind is TransferKind.AGENT else c.target
            if phone is None:
                raise CommandRefused(f"agent {c.target} has no phone")
            destination = PhoneDestination(phone)
        await self._around.switch.originate(
            ChannelId(c.channel),
            destination,
            # Outside, our own number is shown: carriers refuse foreign ones, and the caller's is their own affair.
            caller_number="" if c.kind is TransferKind.NUMBER else c.caller_number,
            timeout_s=c.timeout_s,
            headers={"X-Rimay-Interaction": self._call} if c.kind is not TransferKind.NUMBER else None,
            variables={"RIMAY_INTERACTION": self._call},
        )

    async def _bridge(self, c: cmd.BridgeLegs) -> None:
        await self._around.switch.bridge(ChannelId(c.customer), ChannelId(c.agent))

    async def _part(self, c: cmd.PartLegs) -> None:
        await self._around.switch.unbridge(ChannelId(c.channel))

    async def _supervise(self, c: cmd.SuperviseLeg) -> None:
        await self._around.switch.supervise(ChannelId(c.supervisor), ChannelId(c.target), c.mode)

    async def _stop_supervision(self, c: cmd.StopSupervision) -> None:
        await self._around.switch.stop_supervising(ChannelId(c.supervisor))

    async def _enter_room(self, c: cmd.EnterRoom) -> None:
        await self._around.switch.enter_room(ChannelId(c.channel), RoomId(c.room))

    async def _leave_room(self, c: cmd.LeaveRoom) -> None:
        await self._around.switch.leave_room(ChannelId(c.channel))

    async def _send_digits(self, c: cmd.SendDigitsTo) -> None:
        await self._around.switch.send_digits(ChannelId(c.channel), c.digits)

    async def _transfer(self, c: cmd.TransferLeg) -> None:
        phone = self._around.agents.agent_of(c.target) is not None
        await self._around.switch.transfer(
            ChannelId(c.channel),
            ChannelId(c.new_leg),
            # What is no phone of ours is a number, and passes the rules for calls out.
            PhoneDestination(c.target) if phone else NumberDestination(c.target),
            caller_number=c.shown if phone else "",
            timeout_s=c.timeout_s,
        )

    async def _hold(self, c: cmd.HoldLeg) -> None:
        await self._around.switch.hold(ChannelId(c.channel))

    async def _unhold(self, c: cmd.UnholdLeg) -> None:
        await self._around.switch.unhold(ChannelId(c.channel))

    def _spec(self, recording: str, path: str) -> RecordingSpec:
        try:
            return RecordingSpec(RecordingId(recording), self._around.recordings.prepare(path))
        except OSError as error:
            raise CommandRefused(f"no place for recordings: {error.strerror}") from error

    async def _start_recording(self, c: cmd.StartRecording) -> None:
        await self._around.switch.record(ChannelId(c.channel), self._spec(c.recording, c.path))

    async def _pause_recording(self, c: cmd.PauseRecording) -> None:
        await self._around.switch.pause_recording(ChannelId(c.channel), RecordingId(c.recording))

    async def _resume_recording(self, c: cmd.ResumeRecording) -> None:
        await self._around.switch.resume_recording(ChannelId(c.channel), RecordingId(c.recording))

    async def _stop_recording(self, c: cmd.StopRecording) -> None:
        await self._around.switch.stop_recording(ChannelId(c.channel), RecordingId(c.recording))

    async def _finish_recording(self, c: cmd.FinishRecording) -> None:
        # Also where there is no room for more: what was written is to be kept.
        spec = RecordingSpec(RecordingId(c.recording), self._around.recordings.resolve(c.path))
        try:
            file = await self._around.switch.finish_recording(spec)
        except OSError as error:
            raise CommandRefused(f"the recording could not be finished: {error.strerror}") from error
        self._tell(inp.RecordingFinished(c.recording, file))


BY_SWITCH: dict[type[Any], Callable[[SwitchHands, Any], Awaitable[None]]] = {
    cmd.AnswerLeg: SwitchHands._answer,
    cmd.RejectLeg: SwitchHands._reject,
    cmd.HangupLeg: SwitchHands._hangup,
    cmd.StartMusic: SwitchHands._start_music,
    cmd.StopMusic: SwitchHands._stop_music,
    cmd.RingAgent: SwitchHands._ring_agent,
    cmd.CallOut: SwitchHands._call_out,
    cmd.BridgeLegs: SwitchHands._bridge,
    cmd.PartLegs: SwitchHands._part,
    cmd.SendDigitsTo: SwitchHands._send_digits,
    cmd.SuperviseLeg: SwitchHands._supervise,
    cmd.StopSupervision: SwitchHands._stop_supervision,
    cmd.EnterRoom: SwitchHands._enter_room,
    cmd.LeaveRoom: SwitchHands._leave_room,
    cmd.TransferLeg: SwitchHands._transfer,
    cmd.HoldLeg: SwitchHands._hold,
    cmd.UnholdLeg: SwitchHands._unhold,
    cmd.StartRecording: SwitchHands._start_recording,
    cmd.PauseRecording: SwitchHands._pause_recording,
    cmd.ResumeRecording: SwitchHands._resume_recording,
    cmd.StopRecording: SwitchHands._stop_recording,
    cmd.FinishRecording: SwitchHands._finish_recording,
}
