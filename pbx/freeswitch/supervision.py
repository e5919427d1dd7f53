"""Listening, whispering, barging: the supervisor's leg eavesdrops on the agent's, and is told what to mix where."""

from __future__ import annotations

from pbx.freeswitch.codec import Event
from pbx.freeswitch.legs import Board, Leg
from pbx.freeswitch.sounding import Sounds
from pbx.terms import ChannelId, CommandRefused, Supervision, SwitchError

# Commands of the eavesdropping: into what the target hears (2), into what it says as well (3), into nothing (0).
_MODES = {Supervision.LISTEN: "0", Supervision.WHISPER: "2", Supervision.BARGE: "3"}
_END = "*"


class Supervisors:
    def __init__(self, board: Board, sounds: Sounds) -> None:
        self._board = board
        self._sounds = sounds

    async def supervise(self, supervisor: Leg, target: Leg, mode: Supervision) -> None:
        if supervisor is target or supervisor.pair or supervisor.room is not None:
            raise CommandRefused("a supervisor's leg is one of its own, not bridged", channel=supervisor.id)
        if target.pair is None and target.room is None:
            raise CommandRefused("the supervised channel is not bridged", channel=target.id)
        if supervisor.supervising != target.id:
            await self.stop(supervisor)
            supervisor.supervising = target.id
            try:
                await self._sounds.eavesdrop(supervisor, target.id)
            except SwitchError:
                supervisor.supervising = None
                raise
        await self._command(supervisor, _MODES[mode])
        supervisor.mode = mode

    def adopt(self, supervisor: Leg, dump: Event) -> None:
        """What an earlier daemon began goes on, and can be ended."""
        if dump.variable("current_application") == "eavesdrop":
            supervisor.supervising = target = ChannelId(dump.variable("current_application_data"))
            self._sounds.adopt_eavesdropping(supervisor, target)

    async def stop(self, supervisor: Leg) -> None:
        if supervisor.supervising is None:
            return
        supervisor.supervising = None
        supervisor.mode = None
        if supervisor.now is not None and supervisor.now.application == "eavesdrop":
            await self._command(supervisor, _END)
        await self._sounds.silence(supervisor)

    async def _command(self, supervisor: Leg, command: str) -> None:
        """Waits in the leg's queue until the eavesdropping reads it, so it cannot come too early. (The other way, DTMF,
        would let a supervisor's keypad change the mode.)"""
        await self._board.client.send_event("MESSAGE", {"unique-id": supervisor.id, "eavesdrop-command": command})
