"""What a call says and hears: tones, digits, and judgements about the newest sound."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from pbx.sip import tones
from pbx.sip.errors import CallOver, SipError
from pbx.sip.g711 import Pcm
from pbx.sip.rtp import EVENTS, RtpStream

DigitMode: TypeAlias = Literal["rfc4733", "info", "inband"]

LISTEN_S = 0.3  # how much of the newest sound a judgement takes; tells tones 14 Hz apart
LISTEN_LAG_S = 0.06  # packets on their way; newer sound may still have holes
LISTEN_EVERY_S = 0.02  # one frame
TONE_MIN_LEVEL = 1000  # a phone's own tone is 8000; mixed, recorded and transcoded it stays far above
ABSENT_MAX_LEVEL = 300  # -41 dBFS: G.711's own noise beside a loud tone stays below
SILENCE_MAX_RMS = 80  # comfort noise is below


class CallAudio(ABC):
    """The audible half of a `PhoneCall`."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self.ended = asyncio.Event()
        self.digits_received: list[str] = []  # by telephone events and INFO
        self.stream = RtpStream(clock=time, on_digit=self.digits_received.append)

    @abstractmethod
    def require_up(self) -> None:
        """Raise `CallOver` unless the call is answered and not over."""

    @abstractmethod
    async def send_info(self, body: bytes, content_type: str) -> None: ...

    def play_tone(self, hz: int) -> None:
        self.stream.play_tone(hz)

    def silence(self) -> None:
        self.stream.play_tone(0)

    def play_pcm(self, samples: Pcm) -> None:
        """Once, 8 kHz; then silence."""
        self.stream.play_pcm(samples)

    async def send_digits(self, digits: str, mode: DigitMode = "rfc4733") -> None:
        """Returns when the last one is out (for INFO: when the peer took it)."""
        bad = [digit for digit in digits if digit not in EVENTS]
        if bad:
            raise ValueError(f"not DTMF: {bad}")
        self.require_up()
        if mode == "info":
            for digit in digits:
                await self.send_info(f"Signal={digit}\r\nDuration=160\r\n".encode(), "application/dtmf-relay")
            return
        if mode == "rfc4733" and self.stream.event_payload is None:
            raise SipError("the peer takes no telephone events")
        if not all(await asyncio.gather(*[self.stream.queue_digit(d, inband=mode == "inband") for d in digits])):
            raise CallOver("the call ended before all digits were sent")

    @property
    def packets_received(self) -> int:
        return self.stream.packets_received

    @property
    def packets_sent(self) -> int:
        return self.stream.packets_sent

    def elapsed(self) -> float:
        """Seconds since the call began: the time that `heard(since_s=...)` counts in."""
        return self._time() - self.stream.heard.zero

    def heard(self, since_s: float = 0, last_s: float | None = None) -> Pcm:
        """What came in since then, or in the last seconds; 8 kHz, in real time, silence where no packet came."""
        now = self.elapsed()
        return self.stream.heard.between(since_s if last_s is None else max(since_s, now - last_s, 0.0), now)

    async def hears(
        self,
        hz: float,
        timeout: float = 5.0,  # noqa: ASYNC109 - a limit that answers False, not an error
        *,
        min_level: float = TONE_MIN_LEVEL,
        absent: Sequence[float] = (),
    ) -> bool:
        """Wait until the newest 300 ms hold that tone and none of `absent`."""

        def judge(sound: Pcm) -> bool:
            return tones.level(sound, hz) >= min_level and all(
                tones.level(sound, other) <= ABSENT_MAX_LEVEL for other in absent
            )

        return await self._listen(judge, timeout)

    async def hears_silence(self, timeout: float = 5.0) -> bool:  # noqa: ASYNC109 - as in `hears`
        return await self._listen(lambda sound: tones.rms(sound) <= SILENCE_MAX_RMS, timeout)

    async def hears_digits(self, digits: str, timeout: float = 5.0) -> bool:  # noqa: ASYNC109 - as in `hears`
        """Wait until these were the digits received so far, by telephone events or INFO."""
        return await self.poll(lambda: "".join(self.digits_received) == digits, timeout)

    async def _listen(self, judge: Callable[[Pcm], bool], limit: float) -> bool:
        start = self.elapsed()

        def newest() -> bool:
            end = self.elapsed() - LISTEN_LAG_S
            # Silence from before the question is no answer to it: a whole window must have passed by.
            if end - LISTEN_S < max(0.0, start - LISTEN_S):
                return False
            return judge(self.stream.heard.between(end - LISTEN_S, end))

        return await self.poll(newest, limit)

    async def poll(self, condition: Callable[[], bool], limit: float) -> bool:
        """Whether it became true before the limit and the call's end; looked at once a frame."""
        end = self._time() + limit
        while not condition():
            if self._time() >= end or self.ended.is_set():
                return False
            await asyncio.sleep(LISTEN_EVERY_S)
        return True
