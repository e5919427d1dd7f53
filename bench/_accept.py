"""From the key that accepts to both hearing each other: in a real browser with its open leg, where the time goes, what
of it is the measuring, and beside it a phone that is rung for every call."""

from __future__ import annotations

import asyncio
import math
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench._fanout import percentiles
from pbx.sip import PhoneCall, tones
from tests.support.browser import VOICE_RATE, Person, write_voice
from tests.support.browser_desk import AgentDesk
from tests.support.stage import AGENT_HZ, CALLER_HZ, WAIT_S, Citizen, at

if TYPE_CHECKING:
    from bench._pages import Agents

# What the agent's microphone says: two tones in turn and never a pause, which would be waited for; one alone would be
# taken for noise by the browser.
SAYS_HZ = (620, 700)
_TURN_S = 0.25
_SHARE = 0.7  # of a packet's sound that a tone must be, to be it
_IN_A_ROW, _OF = 3, 4  # packets: music may hit a tone once
_LOUD = 0.01  # effective amplitude in the page; a parked leg is silent
_EAR = Path(__file__).with_name("ear.js")
_FLOORS = 15  # times that the ear itself is measured
_HEARD = "() => window.benchEar.found.heard !== null"


def write_turns(path: Path) -> Path:
    return write_voice(path, lambda n: SAYS_HZ[int(n / VOICE_RATE / _TURN_S) % 2])


class Ear:
    """Packets of a robot's call as they arrive: (unix seconds, their tone or not)."""

    def __init__(self, call: PhoneCall, hz: Sequence[int]) -> None:
        self._hz = hz
        self._told: list[tuple[float, bool]] = []
        add = call.stream.heard.add
        began, loop_began = time.time(), call.elapsed() + call.stream.heard.zero

        def listen(packet: Any, samples: Any, at: float) -> None:
            self._told.append((began + at - loop_began, self._is_tone(samples)))
            add(packet, samples, at)

        call.stream.heard.add = listen  # type: ignore[method-assign]

    def _is_tone(self, samples: Any) -> bool:
        loud = tones.rms(samples) * math.sqrt(2)
        return loud > 200 and max(tones.level(samples, hz) for hz in self._hz) / loud > _SHARE

    def first(self) -> float | None:
        """When the first packet came from which on the tone is there."""
        for n, (when, is_tone) in enumerate(self._told):
            if is_tone and sum(one for _, one in self._told[n : n + _OF]) >= _IN_A_ROW:
                return when
        return None

    async def hears(self, call: PhoneCall) -> float:
        assert await call.poll(lambda: self.first() is not None, WAIT_S)
        found = self.first()
        assert found is not None
        return found


async def sharpen(person: Person) -> None:
    """Before the page is loaded: its content security policy lets no worklet in that is not its own."""
    debugger = await person.context.new_cdp_session(person.page)
    await debugger.send("Page.setBypassCSP", {"enabled": True})


async def accept_to_audio(agents: Agents, person: Person, rounds: int) -> dict[str, Any]:
    """`_steps_ms`: medians of each moment after the key. The later of the two ears is the figure."""
    desk = AgentDesk(person)
    await desk.phone_is("up")
    await person.page.evaluate(_EAR.read_text())
    floor = await person.page.evaluate("([loud, rounds]) => window.benchEar.floor(loud, rounds)", [_LOUD, _FLOORS])
    await person.page.evaluate("() => window.benchEar.open()")
    calls = [await accepted(agents, desk, person) for _ in range(rounds)]
    set_ups = await person.page.evaluate("() => window.ears.setUps()")
    return {
        **percentiles("accept_to_audio", [call["both hear"] for call in calls]),
        "accept_to_audio_calls": rounds,
        "accept_steps_ms": {step: round(statistics.median(call[step] for call in calls), 1) for step in calls[0]},
        "accept_rounds_ms": [{step: round(ms, 1) for step, ms in call.items()} for call in calls],
        **percentiles("ear_floor", floor),
        "web_leg_set_up_ms": round(set_ups[0], 1),
    }


async def accepted(agents: Agents, desk: AgentDesk, person: Person) -> dict[str, float]:
    """One call: milliseconds after the key; and of the browser's buffer what it aimed at and what it made up."""
    await desk.become_ready()
    citizen = await agents.stage.citizen(port=0)
    await citizen.to_queue()
    await desk.offered()
    ear = Ear(citizen.call, SAYS_HZ)
    before = await person.page.evaluate("() => window.benchEar.received()")
    await person.page.evaluate("(loud) => window.benchEar.listen(loud)", _LOUD)
    await desk.accept()
    citizen_at = await ear.hears(citizen.call) * 1000
    await person.page.wait_for_function(_HEARD, timeout=WAIT_S * 1000)
    told = await person.page.evaluate("(before) => window.benchEar.told(before)", before)
    accepted, connected = await _facts(citizen)
    pressed = told["pressed"]
    await citizen.call.hangup()
    await citizen.fact("ended")
    await desk.finish()
    return {
        "request sent": told["asked"] - pressed,
        "router has taken it": accepted * 1000 - pressed,
        "request answered": told["answered"] - pressed,
        "switch has joined": connected * 1000 - pressed,
        "browser has the first packet": told["packet"] - pressed,
        "agent hears": told["heard"] - pressed,
        "citizen hears": citizen_at - pressed,
        "both hear": max(told["heard"], citizen_at) - pressed,
        "buffer aimed at": told["target_ms"],
        "buffer made up": told["concealed_ms"],
    }


async def _facts(citizen: Citizen) -> tuple[float, float]:
    return at(await citizen.fact("offer_ended")), at(await citizen.fact("connected"))


async def rung_to_audio(agents: Agents, rounds: int) -> dict[str, Any]:
    """The other way: for every call the agent's phone is rung (INVITE), answers by itself at once, and is joined. From
    the decision to ring to both hearing each other; by a robot, which has no ICE and no DTLS to set up."""
    stage = agents.stage
    phone = await stage.phone_of("ana")
    await stage.api.ready("ana")
    took = []
    for _ in range(rounds):
        await stage.api.agent_becomes("ana", "ready")
        citizen = await stage.citizen(port=0)
        ear = Ear(citizen.call, (AGENT_HZ,))
        await citizen.to_queue()
        leg = await phone.next_call(WAIT_S)
        theirs = Ear(leg, (CALLER_HZ,))
        heard = await asyncio.gather(ear.hears(citizen.call), theirs.hears(leg))
        took.append((max(heard) - at(await citizen.fact("offered"))) * 1000)
        await citizen.call.hangup()
        await citizen.fact("closed")
    return percentiles("rung_to_audio", took)
