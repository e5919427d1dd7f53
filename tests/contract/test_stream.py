"""Audio tapped from a channel and spoken back to it, as a voice bot does."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from pbx.events import ChannelHungUp
from pbx.sip import tones
from pbx.switch import AudioStream
from pbx.terms import ChannelGone, CommandRefused
from tests.support.calls import arrives, caller, hung_up, pair
from tests.support.lab import CALLER_HZ, Lab

BOT_HZ = 1300


async def hear(stream: AudioStream, frames: int = 25) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """The next frames; each is 20 ms."""
    taken: list[bytes] = []
    async with asyncio.timeout(8):
        async for frame in stream:
            assert len(frame) == stream.rate // 50 * 2
            taken.append(frame)
            if len(taken) == frames:
                break
    return np.frombuffer(b"".join(taken), "<i2")


def speech(stream: AudioStream, seconds: float) -> bytes:
    return tones.sine(BOT_HZ, round(seconds * 1000), rate=stream.rate).astype("<i2").tobytes()


async def heard_within(stream: AudioStream, hz: int) -> bool:
    for _ in range(8):
        if tones.level(await hear(stream), hz, rate=stream.rate) > 1000:
            return True
    return False


@pytest.mark.parametrize("rate", [8000, 16000])
async def test_it_hears_the_channel(lab: Lab, rate: int) -> None:
    leg = await caller(lab)
    stream = await lab.switch.open_stream(leg.channel, rate)
    assert stream.rate == rate
    assert await heard_within(stream, CALLER_HZ)
    await stream.close()


async def test_it_speaks_to_the_channel(lab: Lab) -> None:
    leg = await caller(lab)
    stream = await lab.switch.open_stream(leg.channel)
    await stream.send(speech(stream, 1.2))
    assert await leg.call.hears(BOT_HZ, absent=[CALLER_HZ])
    assert await leg.call.hears_silence()
    await stream.close()


async def test_flush_ends_its_speech_at_once(lab: Lab) -> None:
    leg = await caller(lab)
    stream = await lab.switch.open_stream(leg.channel)
    await stream.send(speech(stream, 20.0))
    assert await leg.call.hears(BOT_HZ)
    await stream.flush()
    assert await leg.call.hears_silence(timeout=2.0)
    await stream.send(speech(stream, 1.0))
    assert await leg.call.hears(BOT_HZ)
    await stream.close()


async def test_close_leaves_the_channel_up_and_silent(lab: Lab) -> None:
    leg = await caller(lab)
    stream = await lab.switch.open_stream(leg.channel)
    await stream.send(speech(stream, 20.0))
    assert await leg.call.hears(BOT_HZ)
    await stream.close()
    assert await leg.call.hears_silence()
    async with asyncio.timeout(5):
        async for _ in stream:
            pass  # what was still under way; then it ends
    with pytest.raises(ChannelGone):
        await stream.send(b"\0\0" * 160)
    await lab.never(ChannelHungUp)


async def test_hang_up_ends_it(lab: Lab) -> None:
    leg = await caller(lab)
    stream = await lab.switch.open_stream(leg.channel)
    assert await heard_within(stream, CALLER_HZ)
    await leg.call.hangup()
    await hung_up(lab, leg)
    async with asyncio.timeout(5):
        async for _ in stream:
            pass
    with pytest.raises(ChannelGone):
        await stream.send(b"\0\0" * 160)


async def test_only_for_answered_channels_that_are_not_bridged(lab: Lab) -> None:
    waiting = await arrives(lab)
    with pytest.raises(CommandRefused):
        await lab.switch.open_stream(waiting.channel)
    customer, _ = await pair(lab)
    with pytest.raises(CommandRefused):
        await lab.switch.open_stream(customer.channel)
