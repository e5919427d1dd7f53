"""The connection breaks, and the switch dies: calls go on, or are gone; either way it is told and work goes on."""

from __future__ import annotations

import pytest

from pbx.events import ChannelHungUp, RecordingStarted, SwitchDown, SwitchUp
from pbx.terms import ChannelGone, SwitchUnreachable
from tests.support.calls import LEFT, bridge, caller, holds, hung_up, pair
from tests.support.lab import AGENT_HZ, CALLER_HZ, Lab


async def test_calls_outlive_the_connection(lab: Lab) -> None:
    customer, desk = await pair(lab)
    await lab.switch.set_variable(customer.channel, "rimay_dato", "sigue")
    await lab.lose_connection()
    await lab.eventually(SwitchDown)
    with pytest.raises(SwitchUnreachable):
        await lab.switch.channels()
    assert await customer.call.hears(AGENT_HZ)
    assert await desk.call.hears(CALLER_HZ)
    await lab.restore()
    up = await lab.eventually(SwitchUp, timeout=15.0)
    assert up.same_life
    assert up.version
    channels = {one.channel: one for one in await lab.switch.channels()}
    assert channels[customer.channel].bridged_to == desk.channel
    assert channels[customer.channel].variables == {"rimay_dato": "sigue"}
    await lab.switch.unbridge(customer.channel)
    assert await customer.call.hears_silence()
    await bridge(lab, customer, desk)
    await lab.switch.hangup(customer.channel)
    await hung_up(lab, customer)


async def test_what_ended_meanwhile_is_not_in_the_truth(lab: Lab) -> None:
    customer, desk = await pair(lab)
    await lab.lose_connection()
    await lab.eventually(SwitchDown)
    await customer.call.hangup()
    assert await desk.call.hears_silence()
    await lab.restore()
    await lab.eventually(SwitchUp, timeout=15.0)
    assert [(one.channel, one.bridged_to) for one in await lab.switch.channels()] == [(desk.channel, None)]
    with pytest.raises(ChannelGone):
        await lab.switch.hangup(customer.channel)
    await desk.call.hangup()
    await hung_up(lab, desk)


async def test_events_of_calls_flow_again_after_the_cut(lab: Lab) -> None:
    await lab.lose_connection()
    await lab.eventually(SwitchDown)
    await lab.restore()
    await lab.eventually(SwitchUp, timeout=15.0)
    customer, _ = await pair(lab)
    await customer.call.hangup()
    assert (await lab.eventually(ChannelHungUp, channel=customer.channel)).answered


async def test_the_switch_dies_and_the_recording_is_kept(lab: Lab) -> None:
    customer, _ = await pair(lab)
    spec = lab.recording()
    await lab.switch.record(customer.channel, spec)
    await lab.eventually(RecordingStarted)
    await lab.wait(3.0)
    await lab.kill_and_restart()
    await lab.eventually(SwitchDown, timeout=15.0)
    up = await lab.eventually(SwitchUp, timeout=30.0)
    assert not up.same_life
    assert await lab.switch.channels() == []
    file = await lab.switch.finish_recording(spec)
    assert file is not None
    assert (file.path, file.channels) == (spec.path, 2)
    assert 1.5 <= file.seconds <= 5.0
    assert holds(spec.path, LEFT, CALLER_HZ, 0.2, 1.4)
    assert await lab.switch.finish_recording(spec) == file
    again = await caller(lab)
    assert await again.call.hears_silence()
