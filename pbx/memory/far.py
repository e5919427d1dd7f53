"""The far ends of the twin: phones and gateways, and their side of each call. Same methods as `pbx.sip`'s robots, so
that one test body drives both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from pbx.memory.audio import SILENCE, VOWEL, Tones, near
from pbx.terms import HangupCause

if TYPE_CHECKING:
    from pbx.memory.legs import Leg
    from pbx.memory.world import MemoryWorld

# What a far end's refusal means to whom it called: the same reading as the real switches have.
CAUSE_OF_STATUS = {
    403: HangupCause.REJECTED,
    404: HangupCause.UNALLOCATED,
    408: HangupCause.UNREACHABLE,
    480: HangupCause.NO_ANSWER,
    484: HangupCause.UNALLOCATED,
    486: HangupCause.BUSY,
    487: HangupCause.CANCELLED,
    500: HangupCause.CONGESTION,
    503: HangupCause.CONGESTION,
    600: HangupCause.BUSY,
    603: HangupCause.REJECTED,
}
STATUS_OF_CAUSE = {
    HangupCause.NORMAL: 603,
    HangupCause.BUSY: 486,
    HangupCause.NO_ANSWER: 480,
    HangupCause.REJECTED: 403,
    HangupCause.UNALLOCATED: 404,
    HangupCause.UNREACHABLE: 480,
    HangupCause.CONGESTION: 503,
    HangupCause.SWITCH_LOST: 503,
}
DIGIT_MS = 160
CALL_LIMIT_S = 180.0  # RFC 3261 timer C


class MemoryCall:
    """One call as the far end has it. `leg` is the switch's side of it, None when it never got one."""

    def __init__(
        self, world: MemoryWorld, phone: MemoryPhone, *, inbound: bool, number: str, to_number: str, name: str = ""
    ) -> None:
        self.phone = phone
        self.inbound, self.number, self.to_number, self.name = inbound, number, to_number, name
        self.headers: Mapping[str, str] = {}  # of the INVITE that came in
        self.status: int | None = None
        self.leg: Leg | None = None
        self.ringing, self.answered, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.digits_received: list[str] = []
        self.end_cause: HangupCause | None = None
        self.refused: Callable[[HangupCause], None] | None = None  # whoever dialled may try elsewhere
        self._world = world
        self._tones: Tones = frozenset({phone.tone_hz}) if phone.tone_hz else SILENCE
        self._holds = False

    # --- what it says and hears

    @property
    def hears_now(self) -> Tones:
        if self.leg is None or self.ended.is_set() or self._holds:
            return SILENCE
        return self._world.heard(self.leg)

    def voice(self) -> Tones:
        return SILENCE if self._holds or self.ended.is_set() else self._tones

    def play_tone(self, hz: int) -> None:
        self._tones = frozenset({hz}) if hz else SILENCE
        self._world.audio_changed()

    def speak(self) -> None:
        """Not a tone, which no detector of voices takes for one, but the partials of a vowel."""
        self._tones = VOWEL
        self._world.audio_changed()

    def silence(self) -> None:
        self.play_tone(0)

    async def hears(self, hz: float, timeout: float = 5.0, *, absent: Sequence[float] = ()) -> bool:  # noqa: ASYNC109
        """Wait until it hears that tone and none of `absent`; False when the time is over."""

        def fits() -> bool:
            now = self.hears_now
            return near(now, hz) and not any(near(now, other) for other in absent)

        return await self._world.until(fits, timeout)

    async def hears_silence(self, timeout: float = 5.0) -> bool:  # noqa: ASYNC109
        return await self._world.until(lambda: not self.hears_now, timeout)

    async def hears_digits(self, digits: str, timeout: float = 5.0) -> bool:  # noqa: ASYNC109
        return await self._world.until(lambda: "".join(self.digits_received) == digits, timeout)

    # --- what it does

    async def ring(self) -> None:
        self._world.far_rings(self)

    async def answer(self) -> None:
        self._world.far_answers(self)

    async def reject(self, code: int = 486) -> None:
        self.status = code
        self._world.far_leaves(self, CAUSE_OF_STATUS.get(code, HangupCause.OTHER))

    async def hangup(self) -> None:
        """End it in the way its state asks for."""
        if self.answered.is_set():
            self._world.far_leaves(self, HangupCause.NORMAL)
        elif self.inbound:
            await self.reject(603)
        else:
            await self.cancel()

    async def cancel(self) -> None:
        self.status = 487
        self._world.far_leaves(self, HangupCause.CANCELLED)

    async def send_digits(self, digits: str, mode: str = "rfc4733") -> None:
        """As fast as keys are sent, the first one now; the twin hears all modes alike. Waits for no clock."""
        for place, digit in enumerate(digits):
            if place == 0:
                self._world.far_digit(self, digit, DIGIT_MS)
            else:
                self._world.clock.call_later(place * DIGIT_MS / 1000, self._key(digit))

    def _key(self, digit: str) -> Callable[[], None]:
        return lambda: self._world.far_digit(self, digit, DIGIT_MS)

    def receive_digits(self, digits: str) -> None:
        self.digits_received.extend(digits)
        self._world.audio_changed()

    async def hold(self) -> None:
        self._set_hold(True)

    async def resume(self) -> None:
        self._set_hold(False)

    def _set_hold(self, holds: bool) -> None:
        if self._holds != holds:
            self._holds = holds
            self._world.far_holds(self, holds)

    async def refer(self, target: str) -> int:
        self._world.far_refers(self, target, None)
        return 202

    async def refer_replaces(self, other: MemoryCall) -> int:
        """Attended: connect whom I talk to here with whom I talk to on `other`."""
        self._world.far_refers(self, other.number, other)
        return 202

    # --- told by the switch

    def ended_by_switch(self, cause: HangupCause, status: int) -> None:
        self.status = self.status or status
        self.end_cause = cause
        self.ended.set()


class MemoryPhone:
    """A phone or gateway: calls in, and is called. `tone_hz` is what it says in every call unless told otherwise."""

    def __init__(self, world: MemoryWorld, name: str, *, user: str = "", tone_hz: int = 0) -> None:
        self.name = name
        self.user = user or name  # whom its calls come from
        self.tone_hz = tone_hz
        self.auto_ring = True
        self.auto_answer = False
        self._world = world
        self._incoming: asyncio.Queue[MemoryCall] = asyncio.Queue()

    async def call(
        self,
        number: str,
        server: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        wait: bool = True,
        caller_name: str = "",
    ) -> MemoryCall:
        """Call in; with `wait` return when it is answered or refused."""
        call = MemoryCall(self._world, self, inbound=False, number=number, to_number=number, name=caller_name)
        self._world.far_calls(call, headers or {})
        if wait:
            await self._world.until(lambda: call.answered.is_set() or call.ended.is_set(), CALL_LIMIT_S)
        return call

    async def next_call(self, timeout: float = 10.0) -> MemoryCall:  # noqa: ASYNC109 - raises TimeoutError
        """The next call that came to this phone, in order of arrival."""
        if not await self._world.until(lambda: not self._incoming.empty(), timeout):
            raise TimeoutError(f"{self.name}: no call came in {timeout} s")
        return self._incoming.get_nowait()

    async def register(self, server: object = None, expires: int = 300) -> int:
        return 200 if self._world.set_registered(self, True) else 403

    async def unregister(self) -> int:
        return 200 if self._world.set_registered(self, False) else 403

    def called(self, call: MemoryCall) -> None:
        """The switch calls this phone."""
        self._incoming.put_nowait(call)
        if self.auto_ring:
            self._world.far_rings(call)
        if self.auto_answer:
            self._world.far_answers(call)
