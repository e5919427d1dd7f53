"""A supervisor on an agent's call: what each of the three hears, mode by mode."""

from __future__ import annotations

import pytest

from pbx.events import ChannelHungUp, RecordingStarted, RecordingStopped, Unbridged
from pbx.terms import CommandRefused, Supervision
from tests.support.calls import LEFT, RIGHT, Leg, agent, caller, holds, pair
from tests.support.lab import AGENT_HZ, CALLER_HZ, SUPERVISOR_HZ, Lab

BOTH = (CALLER_HZ, AGENT_HZ)


async def three(lab: Lab) -> tuple[Leg, Leg, Leg]:
    customer, desk = await pair(lab)
    return customer, desk, await agent(lab, "supervisor", SUPERVISOR_HZ)


async def hears_all(leg: Leg, *tones: int) -> bool:
    return all([await leg.call.hears(hz) for hz in tones])


async def only_listens(customer: Leg, desk: Leg, supervisor: Leg) -> None:
    assert await hears_all(supervisor, *BOTH)
    assert await customer.call.hears(AGENT_HZ, absent=[SUPERVISOR_HZ])
    assert await desk.call.hears(CALLER_HZ, absent=[SUPERVISOR_HZ])


async def whispers(customer: Leg, desk: Leg, supervisor: Leg) -> None:
    assert await hears_all(supervisor, *BOTH)
    assert await hears_all(desk, CALLER_HZ, SUPERVISOR_HZ)
    assert await customer.call.hears(AGENT_HZ, absent=[SUPERVISOR_HZ])


async def barges(customer: Leg, desk: Leg, supervisor: Leg) -> None:
    assert await hears_all(supervisor, *BOTH)
    assert await hears_all(desk, CALLER_HZ, SUPERVISOR_HZ)
    assert await hears_all(customer, AGENT_HZ, SUPERVISOR_HZ)


EXPECTED = {Supervision.LISTEN: only_listens, Supervision.WHISPER: whispers, Supervision.BARGE: barges}


@pytest.mark.parametrize("mode", Supervision, ids=lambda mode: mode.value)
async def test_who_hears_whom(lab: Lab, mode: Supervision) -> None:
    customer, desk, supervisor = await three(lab)
    await lab.switch.supervise(supervisor.channel, desk.channel, mode)
    await EXPECTED[mode](customer, desk, supervisor)
    await lab.never(Unbridged)


async def test_the_mode_changes_in_mid_call(lab: Lab) -> None:
    customer, desk, supervisor = await three(lab)
    order = (Supervision.LISTEN, Supervision.WHISPER, Supervision.BARGE, Supervision.WHISPER, Supervision.LISTEN)
    for mode in order:
        await lab.switch.supervise(supervisor.channel, desk.channel, mode)
        await EXPECTED[mode](customer, desk, supervisor)


async def test_stop(lab: Lab) -> None:
    customer, desk, supervisor = await three(lab)
    await lab.switch.supervise(supervisor.channel, desk.channel, Supervision.BARGE)
    await barges(customer, desk, supervisor)
    await lab.switch.stop_supervising(supervisor.channel)
    assert await supervisor.call.hears_silence()
    assert await desk.call.hears(CALLER_HZ, absent=[SUPERVISOR_HZ])
    assert await customer.call.hears(AGENT_HZ, absent=[SUPERVISOR_HZ])
    await lab.never(ChannelHungUp)


async def test_the_whisper_is_not_in_the_recording(lab: Lab) -> None:
    customer, desk, supervisor = await three(lab)
    spec = lab.recording()
    await lab.switch.record(customer.channel, spec)
    await lab.eventually(RecordingStarted)
    await lab.switch.supervise(supervisor.channel, desk.channel, Supervision.WHISPER)
    assert await desk.call.hears(SUPERVISOR_HZ)
    await lab.wait(1.0)
    await lab.switch.stop_recording(customer.channel, spec.id)
    await lab.eventually(RecordingStopped)
    assert holds(spec.path, LEFT, CALLER_HZ)
    assert holds(spec.path, RIGHT, AGENT_HZ)
    assert not holds(spec.path, LEFT, SUPERVISOR_HZ)
    assert not holds(spec.path, RIGHT, SUPERVISOR_HZ)


async def test_the_supervisor_hangs_up_and_the_pair_talks_on(lab: Lab) -> None:
    customer, desk, supervisor = await three(lab)
    await lab.switch.supervise(supervisor.channel, desk.channel, Supervision.WHISPER)
    await whispers(customer, desk, supervisor)
    await supervisor.call.hangup()
    await lab.eventually(ChannelHungUp, channel=supervisor.channel)
    assert await desk.call.hears(CALLER_HZ, absent=[SUPERVISOR_HZ])
    assert await customer.call.hears(AGENT_HZ)
    await lab.never(ChannelHungUp)


async def test_the_agent_hangs_up_and_the_supervisor_stays(lab: Lab) -> None:
    customer, desk, supervisor = await three(lab)
    await lab.switch.supervise(supervisor.channel, desk.channel, Supervision.LISTEN)
    await only_listens(customer, desk, supervisor)
    await desk.call.hangup()
    await lab.eventually(ChannelHungUp, channel=desk.channel)
    assert await supervisor.call.hears_silence()
    assert await customer.call.hears_silence()
    await lab.never(ChannelHungUp)


async def test_only_a_bridged_channel_is_supervised(lab: Lab) -> None:
    customer, supervisor = await caller(lab), await agent(lab, "supervisor", SUPERVISOR_HZ)
    with pytest.raises(CommandRefused):
        await lab.switch.supervise(supervisor.channel, customer.channel, Supervision.LISTEN)
