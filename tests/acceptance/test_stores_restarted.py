"""PostgreSQL and Redis die or are restarted under a call: the call goes on and its record misses nothing."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.support.platform import PlatformProcess, children_of
from tests.support.stage import check_voices, hear_each_other, on_stage

STORES = {"postgres": "database", "redis": "redis"}
# The fast shutdown of PostgreSQL, and what Redis takes as a shutdown.
HOW = {"killed": signal.SIGKILL, "stopped": signal.SIGINT}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("store", STORES)
async def test_restarted_during_a_talk(platform: PlatformProcess, store: str, how: str) -> None:
    async with on_stage(platform) as stage:
        citizen, leg = await stage.talk()
        old = await asyncio.to_thread(platform.signal_server, store, HOW[how])
        await asyncio.to_thread(platform.restarted, store, old)
        await hear_each_other(citizen.call, leg)
        await leg.hangup()
        await stage.api.check_becomes(STORES[store], "ok")
        await asyncio.wait_for(citizen.call.ended.wait(), 20)
        record = await citizen.closed()  # events numbered without gaps
        assert record["exit_reason"] == "completed"
        check_voices(await citizen.recorded(record), at_least_s=0.3)
        assert not (platform.var / "log/journal-refused.jsonl").exists()
        await stage.api.agent_becomes("ana", "ready")


@pytest.mark.parametrize("store", STORES)
async def test_away_while_a_whole_call_comes_and_goes(platform: PlatformProcess, store: str) -> None:
    """Frozen, which is worse than dead: nothing refuses, nothing answers. Health says so, the call does not care."""
    async with on_stage(platform) as stage:
        pid = await asyncio.to_thread(platform.signal_server, store, signal.SIGSTOP)
        # PostgreSQL's backends do the work, and go on when only their parent stands still.
        frozen = [pid, *children_of(pid)]
        for child in frozen[1:]:
            platform.signal_pid(child, signal.SIGSTOP)
        try:
            citizen = await stage.citizen()
            assert await citizen.call.poll(citizen.call.answered.is_set, 10)
            await citizen.call.send_digits("1")
            leg = await stage.phones["ana"].next_call(10)
            await hear_each_other(citizen.call, leg)
            check = await stage.api.check_becomes(STORES[store], "failed")
            assert check["detail"]
            await citizen.call.hangup()
            await asyncio.wait_for(leg.ended.wait(), 10)
        finally:
            for child in frozen:
                platform.signal_pid(child, signal.SIGCONT)
        await stage.api.check_becomes(STORES[store], "ok")
        record = await citizen.closed()
        assert (record["exit_reason"], record["agent"]) == ("completed", "ana")


async def test_live_events_go_on_after_redis_died(platform: PlatformProcess) -> None:
    """The page hears of the gap, to load anew, and then of all that comes."""
    async with on_stage(platform) as stage, stage.live("interactions") as event:
        old = await asyncio.to_thread(platform.signal_server, "redis")
        await asyncio.to_thread(platform.restarted, "redis", old)
        await event("interrupted")
        citizen, _ = await stage.talk()
        connected = await event("connected")
        assert connected["data"]["agent"] == "ana"
        await citizen.call.hangup()
        await event("closed")
