"""Recordings, judged by their files: who is on which side, for how long, and what was left out."""

from __future__ import annotations

import pytest

from pbx.events import ChannelHungUp, RecordingStarted, RecordingStopped
from pbx.terms import CommandRefused, RecordedFile, RecordingSpec
from tests.support.calls import LEFT, RIGHT, Leg, agent, bridge, caller, holds, paced_down, pair, seconds_of
from tests.support.lab import AGENT_HZ, CALLER_HZ, SECOND_HZ, Lab


async def record(lab: Lab, leg: Leg) -> RecordingSpec:
    spec = lab.recording()
    await lab.switch.record(leg.channel, spec)
    await lab.eventually(RecordingStarted, channel=leg.channel, recording=spec.id)
    return spec


async def stopped(lab: Lab, spec: RecordingSpec) -> RecordedFile:
    event = await lab.eventually(RecordingStopped, recording=spec.id)
    assert event.file.path == spec.path
    return event.file


async def test_left_says_and_right_hears(lab: Lab) -> None:
    customer, _ = await pair(lab)
    spec = await record(lab, customer)
    await lab.wait(2.0)
    await lab.switch.stop_recording(customer.channel, spec.id)
    file = await stopped(lab, spec)
    assert file.channels == 2
    assert 1.7 <= file.seconds <= 2.8
    assert holds(spec.path, LEFT, CALLER_HZ)
    assert holds(spec.path, RIGHT, AGENT_HZ)
    assert not holds(spec.path, LEFT, AGENT_HZ)
    assert not holds(spec.path, RIGHT, CALLER_HZ)
    await lab.never(RecordingStopped)
    await lab.never(ChannelHungUp)


async def test_what_the_switch_plays_is_on_the_right(lab: Lab) -> None:
    leg = await caller(lab)
    spec = await record(lab, leg)
    await lab.switch.play(leg.channel, lab.id("sonido"), [lab.sound(1300, 1.0)])  # type: ignore[arg-type]
    assert await leg.call.hears(1300)
    assert await leg.call.hears_silence()
    await lab.switch.stop_recording(leg.channel, spec.id)
    await stopped(lab, spec)
    assert 0.7 <= seconds_of(spec.path, RIGHT, 1300) <= 1.3
    assert holds(spec.path, LEFT, CALLER_HZ)


async def test_it_outlasts_a_change_of_the_peer(lab: Lab) -> None:
    customer, desk = await pair(lab)
    spec = await record(lab, customer)
    await lab.wait(1.0)
    await lab.switch.unbridge(customer.channel)
    await lab.wait(1.0)
    await lab.switch.bridge(customer.channel, desk.channel)
    await lab.wait(1.0)
    await lab.switch.stop_recording(customer.channel, spec.id)
    file = await stopped(lab, spec)
    assert 2.7 <= file.seconds <= 4.0
    assert 1.5 <= seconds_of(spec.path, RIGHT, AGENT_HZ) <= 2.6
    assert seconds_of(spec.path, LEFT, CALLER_HZ) >= file.seconds - 0.5


async def test_a_talk_of_a_moment_is_recorded(lab: Lab) -> None:
    customer, desk = await pair(lab)
    assert await customer.call.hears(AGENT_HZ)
    assert await desk.call.hears(CALLER_HZ)
    spec = await record(lab, customer)
    await lab.wait(0.35)
    await customer.call.hangup()
    file = await stopped(lab, spec)
    assert 0.2 <= file.seconds <= 0.9
    assert seconds_of(spec.path, LEFT, CALLER_HZ) >= 0.15
    assert seconds_of(spec.path, RIGHT, AGENT_HZ) >= 0.15


async def test_a_hold_is_part_of_it(lab: Lab) -> None:
    """The file's time is the call's time; on hold the citizen is recorded, and what they hear."""
    customer, _ = await pair(lab)
    spec = await record(lab, customer)
    await lab.wait(1.0)
    await lab.switch.hold(customer.channel)
    await lab.wait(1.0)
    await lab.switch.unhold(customer.channel)
    await lab.wait(1.0)
    await lab.switch.stop_recording(customer.channel, spec.id)
    file = await stopped(lab, spec)
    assert 2.7 <= file.seconds <= 4.5
    assert 1.5 <= seconds_of(spec.path, RIGHT, AGENT_HZ) <= 2.6
    assert seconds_of(spec.path, LEFT, CALLER_HZ) >= file.seconds - 0.5


async def test_the_second_agents_voice_is_in_it_whatever_its_packets_numbers(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    paced_down(monkeypatch)
    customer, _ = await pair(lab)
    spec = lab.recording()
    await lab.switch.record(customer.channel, spec)
    await lab.eventually(RecordingStarted)
    colleague = await agent(lab, "agente2", SECOND_HZ)
    await bridge(lab, customer, colleague)
    await lab.wait(0.5)
    await lab.switch.pause_recording(customer.channel, spec.id)
    await lab.wait(0.5)
    await lab.switch.resume_recording(customer.channel, spec.id)
    await lab.wait(0.5)
    await lab.switch.stop_recording(customer.channel, spec.id)
    done = await lab.eventually(RecordingStopped)
    assert (
        0.3 <= seconds_of(spec.path, RIGHT, SECOND_HZ) <= 1.3
    )  # a busy machine loses pieces of it; it was none at all
    assert done.file.seconds >= 1.4


async def test_pause_writes_silence(lab: Lab) -> None:
    customer, _ = await pair(lab)
    spec = await record(lab, customer)
    await lab.wait(1.0)
    await lab.switch.pause_recording(customer.channel, spec.id)
    await lab.wait(2.0)
    await lab.switch.resume_recording(customer.channel, spec.id)
    await lab.wait(1.0)
    await lab.switch.stop_recording(customer.channel, spec.id)
    file = await stopped(lab, spec)
    assert 3.6 <= file.seconds <= 5.0
    for side, hz in ((LEFT, CALLER_HZ), (RIGHT, AGENT_HZ)):
        assert holds(spec.path, side, hz, 0.2, 0.8)
        assert not holds(spec.path, side, hz, 1.5, 2.5)
        assert holds(spec.path, side, hz, file.seconds - 0.6, file.seconds - 0.1)
        assert 1.4 <= seconds_of(spec.path, side, hz) <= 2.7


@pytest.mark.parametrize("who", ["far end", "us"])
async def test_hang_up_completes_it(lab: Lab, who: str) -> None:
    customer, _ = await pair(lab)
    spec = await record(lab, customer)
    await lab.wait(1.0)
    if who == "us":
        await lab.switch.hangup(customer.channel)
    else:
        await customer.call.hangup()
    file = await stopped(lab, spec)
    assert 0.7 <= file.seconds <= 2.0
    assert holds(spec.path, LEFT, CALLER_HZ)
    await lab.eventually(ChannelHungUp, channel=customer.channel)
    await lab.never(RecordingStopped)


async def test_hang_up_during_a_pause(lab: Lab) -> None:
    customer, _ = await pair(lab)
    spec = await record(lab, customer)
    await lab.wait(1.0)
    await lab.switch.pause_recording(customer.channel, spec.id)
    await lab.wait(1.0)
    await customer.call.hangup()
    assert (await stopped(lab, spec)).seconds >= 1.6
    assert seconds_of(spec.path, LEFT, CALLER_HZ) <= 1.4


async def test_the_agents_hang_up_leaves_it_running(lab: Lab) -> None:
    customer, desk = await pair(lab)
    spec = await record(lab, customer)
    await desk.call.hangup()
    await lab.never(RecordingStopped)
    await lab.switch.stop_recording(customer.channel, spec.id)
    await stopped(lab, spec)


async def test_an_unknown_recording_is_refused(lab: Lab) -> None:
    leg = await caller(lab)
    with pytest.raises(CommandRefused):
        await lab.switch.stop_recording(leg.channel, lab.recording().id)


async def test_finishing_what_is_finished_or_never_was(lab: Lab) -> None:
    leg = await caller(lab)
    spec = await record(lab, leg)
    await lab.wait(1.0)
    await lab.switch.stop_recording(leg.channel, spec.id)
    file = await stopped(lab, spec)
    assert await lab.switch.finish_recording(spec) == file
    assert await lab.switch.finish_recording(spec) == file
    assert await lab.switch.finish_recording(lab.recording()) is None
