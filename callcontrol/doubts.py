"""Asking the switch again: about calls that had a command of unknown fate, and about all of them once in a while, so
that an end which was never told keeps no call open."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from callcontrol.model import InteractionId, Phase
from callcontrol.session import CallSession
from callcontrol.truth import legs_of, truth_of
from foundation.clock import Clock, Timer
from foundation.logs import get_logger
from pbx.switch import Switch
from pbx.terms import SwitchError, SwitchUnreachable

log = get_logger(__name__)

# A switch that could not tell its channels, or a command of unknown fate: asked again after this.
AGAIN_S = 2.0
# So often each call is held against the switch, whatever was told: an event that was never told keeps no call open.
AUDIT_S = 60.0


class Doubts:
    """`reachable` says whether the switch is there and the daemon runs; `spawn` makes a task of the daemon's."""

    def __init__(
        self,
        switch: Switch,
        clock: Clock,
        sessions: Mapping[InteractionId, CallSession],
        *,
        spawn: Callable[[Coroutine[Any, Any, None], str], object],
        reachable: Callable[[], bool],
    ) -> None:
        self._switch = switch
        self._clock = clock
        self._sessions = sessions
        self._spawn = spawn
        self._reachable = reachable
        self._doubted: set[InteractionId] = set()
        self._suspects: set[InteractionId] = set()
        self._look_again: Timer | None = None
        self._audit_timer: Timer | None = None

    def begin(self) -> None:
        self._audit_timer = self._clock.call_later(AUDIT_S, self._begin_audit)

    def end(self) -> None:
        for timer in (self._look_again, self._audit_timer):
            if timer is not None:
                timer.cancel()

    def doubt(self, call: InteractionId) -> None:
        """A command of this call may have been carried out or not. Where the connection is lost, the next `SwitchUp`
        brings the truth; where it is not, it is asked for."""
        self._doubted.add(call)
        if self._look_again is None:
            self._look_again = self._clock.call_later(AGAIN_S, self._clear)

    def _clear(self) -> None:
        self._look_again = None
        doubted, self._doubted = self._doubted, set()
        if self._reachable():
            self._spawn(self._look(doubted), "look again")

    async def _look(self, doubted: set[InteractionId]) -> None:
        known = {s: legs_of(s.carried_out) for call in doubted if (s := self._sessions.get(call)) is not None}
        try:
            truth = {c.channel: c for c in await self._switch.channels()} if known else {}
        except SwitchUnreachable:
            for call in doubted:
                self.doubt(call)
            return
        for session, legs in known.items():
            session.tell(truth_of(session, truth, 0.0, legs, restarted=False))

    def _begin_audit(self) -> None:
        if self._reachable():
            self._spawn(self._audit(), "audit")
        else:
            self.begin()

    async def _audit(self) -> None:
        """Calls whose citizen is gone, and calls that are being joined, twice in a row: their end was not told."""
        try:
            if not self._sessions:
                return
            known = {session: legs_of(session.carried_out) for session in self._sessions.values()}
            truth = {c.channel: c for c in await self._switch.channels()}
            suspects = {
                session.state.id: session
                for session in known
                if session.state.phase is Phase.CONNECTING
                or (session.channel not in truth and session.state.customer_up)
            }
            for call in self._suspects & suspects.keys():
                log.warning("daemon.untold_end", call=call)
                session = suspects.pop(call)
                session.tell(truth_of(session, truth, AUDIT_S, known[session], restarted=False))
            self._suspects = set(suspects)
        except SwitchError as error:
            log.info("daemon.not_audited", code=error.code)
        finally:
            self.begin()
