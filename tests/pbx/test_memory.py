"""Faults that only the twin can have on demand, and what makes it a switch that outlives its daemon."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.events import ChannelHungUp, RecordingFailed, RecordingStarted, SwitchUp
from pbx.memory import MemorySwitch
from pbx.terms import SwitchUnreachable
from tests.support.calls import caller, hung_up, pair
from tests.support.lab import AGENT_HZ, MemoryLab


async def test_a_full_disk_fails_recordings_and_no_call(tmp_path: Path) -> None:
    async with MemoryLab(tmp_path) as lab:
        customer, _ = await pair(lab)
        running, refused = lab.recording(), lab.recording()
        await lab.switch.record(customer.channel, running)
        await lab.eventually(RecordingStarted)
        await lab.wait(2.0)
        lab.world.fill_disk()
        failed = await lab.eventually(RecordingFailed, recording=running.id)
        assert failed.file is not None
        assert failed.file.seconds == pytest.approx(2.0, abs=0.1)
        await lab.switch.record(customer.channel, refused)
        assert (await lab.eventually(RecordingFailed, recording=refused.id)).file is None
        assert await customer.call.hears(AGENT_HZ)
        await lab.never(ChannelHungUp)
        lab.world.free_disk()
        await lab.switch.record(customer.channel, lab.recording())
        await lab.eventually(RecordingStarted)


async def test_another_daemon_takes_over_the_same_world(tmp_path: Path) -> None:
    async with MemoryLab(tmp_path) as lab:
        customer, desk = await pair(lab)
        async with MemorySwitch(lab.clock, lab.settings, lab.world) as second:
            events = second.events()
            assert isinstance(await anext(events), SwitchUp)
            assert {one.channel for one in await second.channels()} == {customer.channel, desk.channel}
            await second.hangup(customer.channel)
            await hung_up(lab, customer)
        with pytest.raises(SwitchUnreachable):
            await second.channels()


async def test_without_a_daemon_callers_are_sent_elsewhere(tmp_path: Path) -> None:
    async with MemoryLab(tmp_path) as lab:
        lab.world.lose_connection()
        call = await lab.gateway.call("072345678")
        assert (call.status, call.answered.is_set()) == (503, False)
        lab.world.restore()
        await lab.eventually(SwitchUp)
        await caller(lab)
