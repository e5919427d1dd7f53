"""Audio tapped from a channel and spoken back to it, as a voice bot does; and only listened to, beside all else."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from pbx.events import ChannelHungUp, DigitReceived, PlaybackFinished, RecordingStopped
from pbx.sip import tones
from pbx.switch import AudioEar, AudioStream
from pbx.terms import ChannelGone, CommandRefused, PlaybackId
from tests.support.calls import arrives, caller, hung_up, pair
from tests.support.lab import AGENT_HZ, CALLER_HZ, Lab

BOT_HZ = 1300


async def hear(stream: AudioEar, frames: int = 25) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
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


async def heard_within(stream: AudioEar, hz: int) -> bool:
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


# --- an ear


@pytest.mark.parametrize("rate", [8000, 16000])
async def test_an_ear_hears_the_channel_and_not_what_is_played_to_it(lab: Lab, rate: int) -> None:
    leg = await caller(lab)
    await lab.switch.play(leg.channel, PlaybackId(lab.id("aviso")), [lab.sound(BOT_HZ, 20.0)])
    assert await leg.call.hears(BOT_HZ)
    ear = await lab.switch.open_ear(leg.channel, rate)
    assert ear.rate == rate
    assert await heard_within(ear, CALLER_HZ)
    assert tones.level(await hear(ear), BOT_HZ, rate=rate) < 200
    assert await leg.call.hears(BOT_HZ)  # as before
    await ear.close()
    assert await leg.call.hears(BOT_HZ)


async def test_the_music_goes_on_beside_an_ear(lab: Lab) -> None:
    leg = await caller(lab)
    ear = await lab.switch.open_ear(leg.channel)
    await lab.switch.start_music(leg.channel)
    assert await lab.hears_music(leg.call)
    assert await heard_within(ear, CALLER_HZ)
    await ear.close()
    assert await lab.hears_music(leg.call)


async def test_an_ear_stays_through_playbacks_recordings_and_keys(lab: Lab) -> None:
    leg = await caller(lab)
    ear = await lab.switch.open_ear(leg.channel)
    spec = lab.recording()
    await lab.switch.record(leg.channel, spec)
    await lab.switch.play(leg.channel, PlaybackId(lab.id("aviso")), [lab.sound(BOT_HZ, 2.0)])
    assert await leg.call.hears(BOT_HZ)
    assert await heard_within(ear, CALLER_HZ)
    await leg.call.send_digits("5")
    await lab.eventually(DigitReceived, channel=leg.channel, digit="5")
    await lab.eventually(PlaybackFinished, channel=leg.channel)
    await lab.switch.stop_recording(leg.channel, spec.id)
    stopped = await lab.eventually(RecordingStopped, recording=spec.id)
    assert stopped.file.seconds > 1
    assert await heard_within(ear, CALLER_HZ)
    await ear.close()


async def test_an_ear_hears_on_while_a_stream_begins_and_ends(lab: Lab) -> None:
    """Who began to speak before a question with a stream of its own is heard out."""
    leg = await caller(lab)
    ear = await lab.switch.open_ear(leg.channel)
    assert await heard_within(ear, CALLER_HZ)
    stream = await lab.switch.open_stream(leg.channel)
    assert await heard_within(ear, CALLER_HZ)
    assert await heard_within(stream, CALLER_HZ)
    await ear.close()
    await stream.send(speech(stream, 1.2))
    assert await leg.call.hears(BOT_HZ)
    assert await heard_within(stream, CALLER_HZ)
    again = await lab.switch.open_ear(leg.channel)
    await stream.close()
    assert await heard_within(again, CALLER_HZ)
    await again.close()


async def test_an_ear_ends_nothing_when_its_channel_is_joined(lab: Lab) -> None:
    leg = await caller(lab)
    ear = await lab.switch.open_ear(leg.channel)
    assert await heard_within(ear, CALLER_HZ)
    await ear.close()
    again = await lab.switch.open_ear(leg.channel)
    assert await heard_within(again, CALLER_HZ)
    customer, other = await pair(lab)
    assert await customer.call.hears(AGENT_HZ)
    beside = await lab.switch.open_ear(customer.channel)
    assert await heard_within(beside, CALLER_HZ)
    assert await other.call.hears(CALLER_HZ)
    assert tones.level(await hear(beside), AGENT_HZ) < 200
    await beside.close()
    assert await other.call.hears(CALLER_HZ)
    await again.close()


async def test_a_newer_ear_ends_the_older_and_the_hang_up_ends_both(lab: Lab) -> None:
    leg = await caller(lab)
    first = await lab.switch.open_ear(leg.channel)
    assert await heard_within(first, CALLER_HZ)
    second = await lab.switch.open_ear(leg.channel)
    async with asyncio.timeout(5):
        async for _ in first:
            pass
    assert await heard_within(second, CALLER_HZ)
    await leg.call.hangup()
    await hung_up(lab, leg)
    async with asyncio.timeout(5):
        async for _ in second:
            pass
    await second.close()


async def test_an_ear_is_for_answered_channels(lab: Lab) -> None:
    waiting = await arrives(lab)
    with pytest.raises(CommandRefused):
        await lab.switch.open_ear(waiting.channel)
