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

# The page's own moments, in unix milliseconds: the key, the request's begin and end, the first loud 3 ms.
_WATCH = """(loud) => {
  window.firstHeard = null
  window.pressedAt = null
  performance.clearResourceTimings()
  document.addEventListener('keydown', () => { window.pressedAt = performance.timeOrigin + performance.now() },
    {once: true, capture: true})
  const look = () => {
    if (window.ears.loudness() > loud) window.firstHeard = performance.timeOrigin + performance.now()
    else setTimeout(look, 1)
  }
  look()
}"""
_TOLD = """() => {
  const asked = performance.getEntriesByType('resource').find((one) => one.name.endsWith('/accept'))
  return {pressed: window.pressedAt, heard: window.firstHeard,
    asked: performance.timeOrigin + asked.startTime, answered: performance.timeOrigin + asked.responseEnd}
}"""
# A line of this page to itself, which says nothing and then a tone: what the same ear needs to know of it.
_FLOOR = """async (loud) => {
  const context = new AudioContext()
  const tone = context.createOscillator(), gain = context.createGain(), out = context.createMediaStreamDestination()
  gain.gain.value = 0
  tone.connect(gain).connect(out)
  tone.start()
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()]
  a.onicecandidate = (event) => b.addIceCandidate(event.candidate)
  b.onicecandidate = (event) => a.addIceCandidate(event.candidate)
  a.addTrack(out.stream.getAudioTracks()[0], out.stream)
  const line = a.getTransceivers()[0]
  const known = RTCRtpReceiver.getCapabilities('audio').codecs
  line.setCodecPreferences(known.filter((one) => one.mimeType === 'audio/PCMU'))
  await a.setLocalDescription()
  await b.setRemoteDescription(a.localDescription)
  await b.setLocalDescription()
  await a.setRemoteDescription(b.localDescription)
  const connected = (one) => new Promise((done) => {
    const look = () => one.connectionState === 'connected' ? done() : setTimeout(look, 5)
    look()
  })
  await connected(b)
  const receives = b.getReceivers()[0].track
  const sink = Object.assign(new Audio(), {muted: true, srcObject: new MediaStream([receives])})
  void sink.play()
  const ear = context.createAnalyser()
  ear.fftSize = 128
  context.createMediaStreamSource(new MediaStream([receives])).connect(ear)
  const samples = new Float32Array(128)
  const took = []
  for (let round = 0; round < 5; round += 1) {
    await new Promise((done) => setTimeout(done, 600 + 7 * round))
    const began = performance.now()
    gain.gain.value = 0.5
    await new Promise((done) => {
      const look = () => {
        ear.getFloatTimeDomainData(samples)
        if (Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / 128) > loud) done()
        else setTimeout(look, 1)
      }
      look()
    })
    took.push(performance.now() - began)
    gain.gain.value = 0
  }
  a.close(); b.close(); await context.close()
  return took
}"""


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


async def accept_to_audio(agents: Agents, person: Person, rounds: int) -> dict[str, Any]:
    """`_steps_ms`: medians of each moment after the key. The later of the two ears is the figure."""
    desk = AgentDesk(person)
    await desk.phone_is("up")
    floor = await person.page.evaluate(_FLOOR, _LOUD)
    took: list[float] = []
    steps: dict[str, list[float]] = {}
    for _ in range(rounds):
        moments = await accepted(agents, desk, person)
        took.append(max(moments["agent hears"], moments["citizen hears"]))
        for step, ms in moments.items():
            steps.setdefault(step, []).append(ms)
    set_ups = await person.page.evaluate("() => window.ears.setUps()")
    return {
        **percentiles("accept_to_audio", took),
        "accept_to_audio_calls": rounds,
        "accept_steps_ms": {step: round(statistics.median(values), 1) for step, values in steps.items()},
        "ear_floor_p50_ms": round(statistics.median(floor), 1),
        "web_leg_set_up_ms": round(set_ups[0], 1),
    }


async def accepted(agents: Agents, desk: AgentDesk, person: Person) -> dict[str, float]:
    await desk.become_ready()
    citizen = await agents.stage.citizen(port=0)
    await citizen.to_queue()
    await desk.offered()
    ear = Ear(citizen.call, SAYS_HZ)
    await person.page.evaluate(_WATCH, _LOUD)
    await desk.accept()
    citizen_at = await ear.hears(citizen.call) * 1000
    await person.page.wait_for_function("() => window.firstHeard !== null", timeout=WAIT_S * 1000)
    told = await person.page.evaluate(_TOLD)
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
        "agent hears": told["heard"] - pressed,
        "citizen hears": citizen_at - pressed,
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
