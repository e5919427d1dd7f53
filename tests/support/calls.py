"""Short words for the contract suite: a caller who is answered, an agent on the line, a pair, what a file holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from pbx.events import Bridged, ChannelAnswered, ChannelArrived, ChannelHungUp
from pbx.sip import tones
from pbx.terms import ChannelId, Destination, NumberDestination, PhoneDestination
from tests.support.lab import AGENT_HZ, Lab

SERVICE = "072345678"  # the number that callers dial
MOBILE = "0998887766"  # a number that we dial


@dataclass(frozen=True, slots=True)
class Leg:
    """Both sides of one leg: the far end's call, and the channel that the switch has for it."""

    call: Any
    channel: ChannelId
    phone: Any = None
    arrived: ChannelArrived | None = None


async def arrives(lab: Lab, phone: Any = None, number: str = SERVICE, **more: Any) -> Leg:
    """A call comes in and is not answered yet."""
    phone = phone or lab.gateway
    call = await phone.call(number, lab.server, wait=False, **more)
    event = await lab.eventually(ChannelArrived, to_number=lambda to: to.endswith(number[-7:]))
    return Leg(call, event.channel, phone, event)


async def caller(lab: Lab, phone: Any = None, tone_hz: int | None = None, **more: Any) -> Leg:
    """A call comes in over the trunk and is answered."""
    leg = await arrives(lab, phone, **more)
    if tone_hz is not None:
        leg.call.play_tone(tone_hz)
    await lab.switch.answer(leg.channel)
    await lab.eventually(ChannelAnswered, channel=leg.channel)
    await lab.happens(leg.call.answered)
    return leg


async def dial(lab: Lab, destination: Destination, **more: Any) -> ChannelId:
    channel = ChannelId(lab.id("pierna"))
    await lab.switch.originate(channel, destination, **{"caller_number": "072000000", "timeout_s": 10.0, **more})
    return channel


async def dials(lab: Lab, phone: Any, destination: Destination, **more: Any) -> Leg:
    """We call out, and the far end has the call but did not answer it."""
    channel = await dial(lab, destination, **more)
    return Leg(await phone.next_call(), channel, phone)


async def answered(lab: Lab, phone: Any, destination: Destination, **more: Any) -> Leg:
    leg = await dials(lab, phone, destination, **more)
    await leg.call.answer()
    await lab.eventually(ChannelAnswered, channel=leg.channel)
    return leg


async def agent(lab: Lab, name: str = "agente1", tone_hz: int = AGENT_HZ) -> Leg:
    """An agent's phone, called by us and answered."""
    return await answered(lab, await lab.phone(name, tone_hz), PhoneDestination(name))


async def called_number(lab: Lab, **more: Any) -> Leg:
    return await answered(lab, lab.gateway, NumberDestination(MOBILE), **more)


async def bridge(lab: Lab, a: Leg, b: Leg) -> None:
    await lab.switch.bridge(a.channel, b.channel)
    await lab.eventually(Bridged, channel=one_of(a, b), peer=one_of(a, b))


async def pair(lab: Lab) -> tuple[Leg, Leg]:
    """A caller and an agent who hear each other."""
    customer, desk = await caller(lab), await agent(lab)
    await bridge(lab, customer, desk)
    return customer, desk


async def hung_up(lab: Lab, leg: Leg) -> ChannelHungUp:
    return await lab.eventually(ChannelHungUp, channel=leg.channel)


def one_of(*legs: Leg) -> Any:
    return {leg.channel for leg in legs}.__contains__


def header(headers: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)


def track(path: Path, channel: int, start_s: float = 0.0, end_s: float | None = None) -> Any:
    """16 bit samples of one side of a recording."""
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    assert rate == tones.RATE
    return samples[round(start_s * rate) : None if end_s is None else round(end_s * rate), channel]


LEFT, RIGHT = 0, 1


def holds(path: Path, channel: int, hz: int, start_s: float = 0.0, end_s: float | None = None) -> bool:
    return tones.level(track(path, channel, start_s, end_s), hz) > 500


def paced_down(monkeypatch: Any) -> None:
    """Every robot made from now on numbers its packets lower than the one before it: as unlucky as chance can be."""
    numbers = iter(range(30000, 0, -1500))
    monkeypatch.setattr("pbx.sip.rtp.first_sequence", lambda: next(numbers))


def seconds_of(path: Path, channel: int, hz: int) -> float:
    """How long a tone sounds in a recording, in steps of 50 ms."""
    samples, step = track(path, channel), tones.RATE // 20
    pieces = (samples[at : at + step] for at in range(0, len(samples) - step + 1, step))
    return sum(tones.level(piece, hz) > 500 for piece in pieces) * 0.05
