"""A prompt on a leg that carries wideband: what lies above 4 kHz in the recording is on the wire, on both switches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pbx.events import PlaybackFinished
from pbx.settings import Codec, PbxSettings
from pbx.sip import call as sip_call
from pbx.sip import g711, rtp, sdp
from pbx.terms import FileSound, PlaybackId
from tests.support import engines
from tests.support.calls import caller
from tests.support.engines import Engine, start_engine
from tests.support.lab import Lab

G722 = 9  # its payload number
RATE = 16_000
SECONDS = 3.0
# ITU-T G.722: two bits of each octet are the band from 4 to 8 kHz, whose step follows its level: these are the
# logarithm's changes for a code that is far out, and for one that is not, and its limit; 2048 are a factor of two.
FAR, NEAR, LIMIT, OCTAVE = 798, -214, 22_528, 2048


@pytest.fixture(scope="module", params=["asterisk", "freeswitch"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A switch whose trunk carries G.722 and nothing else."""
    usual = engines.lab_settings

    def settings(*args: Any, **more: Any) -> PbxSettings:
        found = usual(*args, **more)
        trunks = [trunk.model_copy(update={"codecs": [Codec.G722]}) for trunk in found.trunks]
        return found.model_copy(update={"trunks": trunks})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "lab_settings", settings)
        with start_engine(request.param) as running:
            yield running


@pytest.fixture
async def lab(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    """The robot knows no G.722: it takes the octets for A-law's, from which they can be told again."""
    render = sdp.render

    def rendered(*args: Any, **more: Any) -> bytes:
        return render(*args, **more).replace(b"rtpmap:9 PCMA", b"rtpmap:9 G722")

    monkeypatch.setitem(sdp.STATIC_PAYLOADS, "PCMA", G722)
    monkeypatch.setitem(rtp._PAYLOAD_LAWS, G722, "PCMA")
    monkeypatch.setattr(sip_call.sdp, "render", rendered)
    async with engine.lab() as laboratory:
        laboratory.gateway.laws = ("PCMA",)
        yield laboratory


def recorded(folder: Path, name: str, *tones_hz: int) -> FileSound:
    time = np.arange(int(RATE * SECONDS)) / RATE
    wave = sum(np.sin(2 * np.pi * hz * time) for hz in tones_hz) * 3000
    path = folder / f"{name}.wav"
    soundfile.write(path, wave.astype(np.int16), RATE, subtype="PCM_16")
    path.chmod(0o644)
    return FileSound(str(path))


def upper_band(octets: bytes) -> float:
    """The median step of the band from 4 to 8 kHz, in octaves above its smallest."""
    step, steps = 0, []
    for octet in octets:
        far = (octet >> 6) % 2 == 0
        step = min(LIMIT, max(0, step * 127 // 128 + (FAR if far else NEAR)))
        steps.append(step)
    return float(np.median(steps)) / OCTAVE


async def test_what_lies_above_4_khz_is_heard(lab: Lab, engine: Engine) -> None:
    leg = await caller(lab)
    levels = []
    for name, hz in (("banda_ancha", (1000, 6000)), ("banda_angosta", (1000,))):
        playback = PlaybackId(lab.id(name))
        begun = leg.call.elapsed()
        await lab.switch.play(leg.channel, playback, [recorded(engine.folders.sounds, name, *hz)])
        await lab.eventually(PlaybackFinished, playback=playback)
        heard = leg.call.heard(since_s=begun + 0.5)
        assert leg.call.packets_received > 100
        levels.append(upper_band(g711.encode(heard[: int(8000 * (SECONDS - 1))], "PCMA")))
    wide, narrow = levels
    assert wide > narrow + 3
