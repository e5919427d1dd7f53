"""RTP: packets, telephone events (RFC 4733), a paced sender for many streams, and a buffer of what was heard.

Theory of operation: one `Pacer` task a phone wakes every 20 ms of the loop's clock and asks each stream for the frames
that are due since the pacing began; it counts frames instead of sleeping 20 ms after each, so nothing drifts. After a
stall it sends up to `MAX_BURST` late frames at once and leaves the rest out, with the timestamp moving on as if they
had been sent: the far end hears a gap, in its place.
"""

from __future__ import annotations

import asyncio
import math
import random
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np

from pbx.sip.g711 import Law, Pcm, decode, encode
from pbx.sip.message import HostPort
from pbx.sip.sdp import EVENT_PAYLOAD, STATIC_PAYLOADS
from pbx.sip.tones import RATE, dtmf, tone_loop

FRAME_S = 0.02
FRAME = 160  # samples of 20 ms at 8 kHz
MAX_BURST = 10  # frames sent late at once
EVENTS = "0123456789*#ABCD"
EVENT_FRAMES = 5  # a digit sounds for 100 ms
EVENT_ENDS = 3  # RFC 4733: the last packet is sent three times
GAP_FRAMES = 5  # silence after a digit; detectors want 40 ms, Asterisk's default is 100
EVENT_VOLUME = 10  # -10 dBm0
REANCHOR_S = 0.2  # a packet this far from its place belongs to a new talk spurt
KEEP_S = 3600  # older sound is forgotten

_HEADER = struct.Struct("!BBHII")
_PAYLOAD_LAWS: dict[int, Law] = {number: law for law, number in STATIC_PAYLOADS.items()}


@dataclass(frozen=True, slots=True)
class Packet:
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def pack(self) -> bytes:
        second = self.payload_type | (0x80 if self.marker else 0)
        return _HEADER.pack(0x80, second, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc) + self.payload

    @classmethod
    def parse(cls, data: bytes) -> Packet | None:
        """None for anything that is not RTP version 2."""
        if len(data) < 12 or data[0] >> 6 != 2:
            return None
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        start, end = 12 + 4 * (first & 0x0F), len(data)
        if first & 0x10:  # extension
            if len(data) < start + 4:
                return None
            start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
        if first & 0x20:  # padding
            end -= data[-1]
        if end < start:
            return None
        return cls(second & 0x7F, sequence, timestamp, ssrc, data[start:end], bool(second & 0x80))


class HeardAudio:
    """What came in, laid out in real time: sample n was heard n/8000 s after `zero`; where nothing came is silence.

    `runs` are the pieces that came without a break, as first and last sample (exclusive): a lost packet ends one, and
    so does one that came so late that it was laid out anew."""

    def __init__(self, zero: float) -> None:
        self.zero = zero
        self._pcm = np.zeros(RATE * 10, np.int16)
        self._base = 0  # the sample number of _pcm[0]
        self._anchor: tuple[int, int, int] | None = None  # ssrc, its timestamp, its sample number
        self.runs: list[tuple[int, int]] = []

    def add(self, packet: Packet, samples: Pcm, at: float) -> None:
        arrived = max(0, round((at - self.zero) * RATE))
        place = arrived
        if self._anchor is not None and self._anchor[0] == packet.ssrc:
            moved = (packet.timestamp - self._anchor[1] + 2**31) % 2**32 - 2**31  # signed, across the wrap
            place = self._anchor[2] + moved
        if self._anchor is None or self._anchor[0] != packet.ssrc or abs(place - arrived) > REANCHOR_S * RATE:
            place = arrived
            self._anchor = (packet.ssrc, packet.timestamp, place)
        self._write(place, samples)
        end = place + len(samples)
        if self.runs and self.runs[-1][1] == place:
            self.runs[-1] = self.runs[-1][0], end
        else:
            self.runs.append((place, end))

    def between(self, start_s: float, end_s: float) -> Pcm:
        """A copy, with silence up to `end_s` where nothing was written."""
        start, end = max(self._base, round(start_s * RATE)), round(end_s * RATE)
        if end <= start:
            return np.zeros(0, np.int16)
        out = np.zeros(end - start, np.int16)
        stored = self._pcm[start - self._base : end - self._base]
        out[: len(stored)] = stored
        return out

    def _write(self, place: int, samples: Pcm) -> None:
        offset = place - self._base
        if offset < 0:
            return
        if offset + len(samples) > KEEP_S * RATE:
            drop = max(KEEP_S * RATE // 2, offset + len(samples) - KEEP_S * RATE)
            self._pcm, self._base, offset = self._pcm[drop:].copy(), self._base + drop, offset - drop
        needed = offset + len(samples)
        if needed > len(self._pcm):
            grown = np.zeros(max(needed, 2 * len(self._pcm)), np.int16)
            grown[: len(self._pcm)] = self._pcm
            self._pcm = grown
        self._pcm[offset : offset + len(samples)] = samples


@dataclass(slots=True)
class _Digit:
    digit: str
    inband: bool
    done: asyncio.Future[bool]
    step: int = 0
    timestamp: int = 0


def first_sequence() -> int:
    """Low enough that it does not wrap round in a short call."""
    return random.getrandbits(15)


class RtpStream(asyncio.DatagramProtocol):
    """One call's audio, both ways. Sends only while it has a `remote` and is `sending`."""

    def __init__(self, *, clock: Callable[[], float], on_digit: Callable[[str], None]) -> None:
        self._clock = clock
        self._on_digit = on_digit
        self._transport: asyncio.DatagramTransport | None = None
        self.heard = HeardAudio(clock())
        self.remote: HostPort | None = None
        self.law: Law = "PCMU"
        self.event_payload: int | None = EVENT_PAYLOAD
        self.sending = False
        self.packets_sent = self.packets_received = 0
        self._hz = 0
        self._pcm: Pcm | None = None
        self._position = 0
        self._digits: deque[_Digit] = deque()
        self._ssrc, self._sequence = random.getrandbits(32), first_sequence()
        self._timestamp = random.getrandbits(31)
        self._marker = True
        self._last_event: int | None = None

    # the socket
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        packet = Packet.parse(data)
        if packet is None:
            return
        law = _PAYLOAD_LAWS.get(packet.payload_type)
        if law is not None:
            self.packets_received += 1
            self.heard.add(packet, decode(packet.payload, law), self._clock())
        elif packet.payload_type == self.event_payload and len(packet.payload) >= 4:
            self._event_received(packet)

    def error_received(self, exc: Exception) -> None:
        """The peer's port is closed (ICMP): usual at a call's end, and nothing to do about."""

    @property
    def port(self) -> int:
        if self._transport is None:
            raise RuntimeError("the stream has no socket yet")
        return int(self._transport.get_extra_info("sockname")[1])

    def close(self) -> None:
        self.sending = False
        for digit in self._digits:
            if not digit.done.done():
                digit.done.set_result(False)
        self._digits.clear()
        if self._transport is not None:
            self._transport.close()

    # what to say
    def play_tone(self, hz: int) -> None:
        self._hz, self._pcm, self._position = hz, None, 0

    def play_pcm(self, samples: Pcm) -> None:
        """Once; then silence."""
        self._hz, self._pcm, self._position = 0, np.ascontiguousarray(samples, np.int16), 0

    def queue_digit(self, digit: str, *, inband: bool) -> asyncio.Future[bool]:
        """True when its last packet is out, False when the stream closed first."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._digits.append(_Digit(digit, inband, done))
        return done

    # called by the pacer
    def tick(self, *, late: bool = False) -> None:
        """Send the frame that is due now, or (`late`) leave it out."""
        if self.sending and self.remote is not None and not late:
            if self._digits:
                self._send_digit(self._digits[0])
            else:
                self._send_audio(self._next_frame())
        elif late:
            self._next_frame()
        else:
            self._marker = True
        self._timestamp += FRAME

    def _next_frame(self) -> Pcm:
        start = self._position
        self._position += FRAME
        if self._pcm is None:
            start %= RATE
            return tone_loop(self._hz)[start : start + FRAME]
        frame = self._pcm[start : start + FRAME]
        return frame if len(frame) == FRAME else np.concatenate([frame, np.zeros(FRAME - len(frame), np.int16)])

    def _send_audio(self, frame: Pcm) -> None:
        self._send(STATIC_PAYLOADS[self.law], self._timestamp, encode(frame, self.law), marker=self._marker)
        self._marker = False

    def _send(self, payload_type: int, timestamp: int, payload: bytes, *, marker: bool = False) -> None:
        data = Packet(payload_type, self._sequence, timestamp, self._ssrc, payload, marker).pack()
        self._sequence += 1
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, self.remote)
            self.packets_sent += 1

    def _send_digit(self, digit: _Digit) -> None:
        """One frame of a digit: sounding, then the repeated end packets (events only), then the gap."""
        step, digit.step = digit.step, digit.step + 1
        ends = 0 if digit.inband else EVENT_ENDS
        if step == 0:
            digit.timestamp = self._timestamp
        if step >= EVENT_FRAMES + ends:
            self._send_audio(np.zeros(FRAME, np.int16))
        elif digit.inband:
            start = step * FRAME
            self._send_audio(dtmf(digit.digit, EVENT_FRAMES * 20)[start : start + FRAME])
        else:
            ended = 0x80 if step >= EVENT_FRAMES else 0
            length = min(step + 1, EVENT_FRAMES) * FRAME
            event = struct.pack("!BBH", EVENTS.index(digit.digit), ended | EVENT_VOLUME, length)
            self._send(self.event_payload or EVENT_PAYLOAD, digit.timestamp, event, marker=step == 0)
        if digit.step >= EVENT_FRAMES + ends + GAP_FRAMES:
            self._digits.popleft()
            if not digit.done.done():
                digit.done.set_result(True)

    def _event_received(self, packet: Packet) -> None:
        event = packet.payload[0]
        # The end may be lost: a digit counts at the first packet that carries its timestamp.
        if packet.timestamp != self._last_event and event < len(EVENTS):
            self._last_event = packet.timestamp
            self._on_digit(EVENTS[event])


class Pacer:
    """One task that ticks all streams; see the module's theory of operation."""

    def __init__(self) -> None:
        self._streams: set[RtpStream] = set()
        self._some = asyncio.Event()

    def add(self, stream: RtpStream) -> None:
        self._streams.add(stream)
        self._some.set()

    def remove(self, stream: RtpStream) -> None:
        self._streams.discard(stream)
        if not self._streams:
            self._some.clear()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._some.wait()
            start, sent = loop.time(), 0
            while self._streams:
                due = math.floor((loop.time() - start) / FRAME_S) + 1
                for late in range(due - sent, 0, -1):
                    for stream in tuple(self._streams):
                        stream.tick(late=late > MAX_BURST)
                sent = due
                await asyncio.sleep(start + due * FRAME_S - loop.time())
