"""What one leg hears from the switch: files, lists, tones, speech, music; and how each ends."""

from __future__ import annotations

import pytest

from pbx.events import PlaybackEnd, PlaybackFinished, PlaybackStarted
from pbx.memory.audio import RING_HZ
from pbx.terms import RING_TONE, CommandRefused, FileSound, PlaybackId, Sound, TextSound, ToneSound
from tests.support.calls import Leg, arrives, caller, hung_up, pair
from tests.support.lab import CALLER_HZ, Lab

LOW, HIGH = 800, 1300


async def play(lab: Lab, leg: Leg, *sounds: Sound) -> PlaybackId:
    playback = PlaybackId(lab.id("sonido"))
    await lab.switch.play(leg.channel, playback, sounds)
    return playback


async def finished(lab: Lab, playback: PlaybackId) -> PlaybackFinished:
    return await lab.eventually(PlaybackFinished, playback=playback)


async def test_a_file(lab: Lab) -> None:
    leg = await caller(lab)
    playback = await play(lab, leg, lab.sound(LOW, 1.0))
    await lab.eventually(PlaybackStarted, channel=leg.channel, playback=playback)
    assert await leg.call.hears(LOW, absent=[CALLER_HZ])
    event = await finished(lab, playback)
    assert (event.channel, event.end) == (leg.channel, PlaybackEnd.DONE)
    assert await leg.call.hears_silence()


async def test_a_file_without_its_extension(lab: Lab) -> None:
    leg = await caller(lab)
    sound = lab.sound(LOW, 1.0)
    playback = await play(lab, leg, FileSound(sound.name.removesuffix(".wav")))
    assert await leg.call.hears(LOW)
    assert (await finished(lab, playback)).end is PlaybackEnd.DONE


async def test_a_tone(lab: Lab) -> None:
    leg = await caller(lab)
    playback = await play(lab, leg, ToneSound(HIGH, 900))
    assert await leg.call.hears(HIGH)
    assert (await finished(lab, playback)).end is PlaybackEnd.DONE


async def test_a_list_in_its_order(lab: Lab) -> None:
    leg = await caller(lab)
    playback = await play(lab, leg, lab.sound(LOW, 0.8), ToneSound(HIGH, 800))
    assert await leg.call.hears(LOW, absent=[HIGH])
    assert await leg.call.hears(HIGH, absent=[LOW])
    assert (await finished(lab, playback)).end is PlaybackEnd.DONE
    await lab.never(PlaybackFinished, channel=leg.channel)


async def test_spoken_text(lab: Lab) -> None:
    leg = await caller(lab)
    playback = await play(lab, leg, TextSound("Bienvenido a la empresa eléctrica"))
    await lab.eventually(PlaybackStarted, playback=playback)
    assert await lab.sounds(leg.call)
    assert (await finished(lab, playback)).end is PlaybackEnd.DONE


@pytest.mark.parametrize("name", ["es/no-existe-en-ninguna-parte", "/no/existe.wav"])
async def test_a_missing_sound_fails_by_name(lab: Lab, name: str) -> None:
    leg = await caller(lab)
    event = await finished(lab, await play(lab, leg, FileSound(name)))
    assert event.end is PlaybackEnd.FAILED
    assert event.detail
    playback = await play(lab, leg, lab.sound(LOW, 0.6))
    assert (await finished(lab, playback)).end is PlaybackEnd.DONE


async def test_a_missing_sound_with_a_fallback_is_spoken(lab: Lab) -> None:
    leg = await caller(lab)
    playback = await play(lab, leg, FileSound("es/no-existe-en-ninguna-parte", fallback=TextSound("Bienvenido")))
    assert await lab.sounds(leg.call)
    assert (await finished(lab, playback)).end is PlaybackEnd.DONE


async def test_stop(lab: Lab) -> None:
    leg = await caller(lab)
    playback = await play(lab, leg, lab.sound(LOW, 20.0))
    assert await leg.call.hears(LOW)
    await lab.switch.stop_playback(leg.channel)
    assert (await finished(lab, playback)).end is PlaybackEnd.STOPPED
    assert await leg.call.hears_silence()
    await lab.switch.stop_playback(leg.channel)  # nothing plays: nothing to do


async def test_a_newer_play_ends_the_older(lab: Lab) -> None:
    leg = await caller(lab)
    older = await play(lab, leg, lab.sound(LOW, 20.0))
    assert await leg.call.hears(LOW)
    newer = await play(lab, leg, lab.sound(HIGH, 1.0))
    assert (await finished(lab, older)).end is PlaybackEnd.STOPPED
    assert await leg.call.hears(HIGH, absent=[LOW])
    assert (await finished(lab, newer)).end is PlaybackEnd.DONE


async def test_hang_up_ends_it_before_the_channel_ends(lab: Lab) -> None:
    leg = await caller(lab)
    playback = await play(lab, leg, lab.sound(LOW, 20.0))
    assert await leg.call.hears(LOW)
    await leg.call.hangup()
    stopped, end = await finished(lab, playback), await hung_up(lab, leg)
    assert stopped.end is PlaybackEnd.STOPPED
    assert lab.seen.index(stopped) < lab.seen.index(end)


async def test_only_for_answered_channels_that_are_not_bridged(lab: Lab) -> None:
    waiting = await arrives(lab)
    with pytest.raises(CommandRefused):
        await play(lab, waiting, ToneSound(LOW, 500))
    customer, _ = await pair(lab)
    with pytest.raises(CommandRefused):
        await play(lab, customer, ToneSound(LOW, 500))


async def test_music(lab: Lab) -> None:
    leg = await caller(lab)
    await lab.switch.start_music(leg.channel)
    assert await lab.hears_music(leg.call, absent=[CALLER_HZ])
    await lab.switch.stop_music(leg.channel)
    assert await leg.call.hears_silence()
    await lab.switch.stop_music(leg.channel)  # none plays: nothing to do


async def test_the_ring_tone_as_music(lab: Lab) -> None:
    leg = await caller(lab)
    await lab.switch.start_music(leg.channel)
    assert await lab.hears_music(leg.call)
    await lab.switch.start_music(leg.channel, RING_TONE)
    assert await leg.call.hears(RING_HZ, 10)
    await lab.switch.start_music(leg.channel)
    assert await lab.hears_music(leg.call, absent=[RING_HZ])
    await lab.switch.start_music(leg.channel, RING_TONE)
    assert await leg.call.hears(RING_HZ, 10)
    await lab.switch.stop_music(leg.channel)
    await lab.switch.start_music(leg.channel)
    assert await lab.hears_music(leg.call, absent=[RING_HZ])


async def test_play_ends_music(lab: Lab) -> None:
    leg = await caller(lab)
    await lab.switch.start_music(leg.channel)
    assert await lab.hears_music(leg.call)
    playback = await play(lab, leg, lab.sound(HIGH, 1.0))
    assert await leg.call.hears(HIGH)
    await finished(lab, playback)
    assert await leg.call.hears_silence()


async def test_music_ends_play(lab: Lab) -> None:
    leg = await caller(lab)
    playback = await play(lab, leg, lab.sound(HIGH, 20.0))
    assert await leg.call.hears(HIGH)
    await lab.switch.start_music(leg.channel)
    assert (await finished(lab, playback)).end is PlaybackEnd.STOPPED
    assert await lab.hears_music(leg.call, absent=[HIGH])
