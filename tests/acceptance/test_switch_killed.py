"""kill -9 of the switch in mid call: the call is closed, its recording kept, the next call works."""

from __future__ import annotations

import asyncio
import time

from tests.support.platform import ENGINE, PlatformProcess
from tests.support.stage import CALLER_HZ, at, check_voices, hear_each_other, on_stage, talk_on

# The switch writes a recording in blocks of a second; what was not yet written dies with it.
LOST_S = 1.3


async def test_the_switch_is_killed_in_mid_talk(platform: PlatformProcess) -> None:
    async with on_stage(platform) as stage, stage.live("alerts,interactions") as event:
        citizen, leg = await stage.talk()
        waiting = await stage.citizen(port=0)
        await waiting.to_queue()
        await talk_on(citizen.call, 2.5)
        await hear_each_other(citizen.call, leg)
        talked_s = time.time() - at(await citizen.fact("recording_started"))
        old = await asyncio.to_thread(platform.signal_server, ENGINE)
        await event("switch_down")
        new = await asyncio.to_thread(platform.restarted, ENGINE, old)
        assert new != old
        await event("switch_restarted")
        await stage.api.check_becomes("switch", "ok")

        # The talk is closed with its reason; what was said is kept up to the kill, less what was not yet written.
        record = await citizen.closed()
        assert (record["exit_reason"], record["cause"]) == ("switch_lost", "switch_lost")
        assert record["agent"] == "ana"
        assert record["recordings"][0]["state"] == "complete"
        check_voices(await citizen.recorded(record), at_least_s=talked_s - LOST_S, at_most_s=talked_s + 0.2)
        # The one who waited is told of in the same way.
        lost = await waiting.closed()
        assert lost["exit_reason"] == "switch_lost"
        assert platform.runs

        # The phones do not know that the switch died: a call of before is over for them when we say so.
        for call in (citizen.call, waiting.call, leg):
            call.finish("local", "the switch is gone")
        assert await stage.phones["ana"].register(stage.sip) == 200
        await stage.api.agent_becomes("ana", "ready", timeout_s=10)
        again, leg = await stage.talk()
        await hear_each_other(again.call, leg)
        await again.call.hangup()
        assert (await again.closed())["exit_reason"] == "completed"


async def test_the_switch_is_killed_while_nobody_talks(platform: PlatformProcess) -> None:
    async with on_stage(platform) as stage, stage.live("alerts") as event:
        old = await asyncio.to_thread(platform.signal_server, ENGINE)
        await asyncio.to_thread(platform.restarted, ENGINE, old)
        await event("switch_restarted")
        await stage.api.check_becomes("switch", "ok")
        assert await stage.phones["ana"].register(stage.sip) == 200
        await stage.api.ready("ana")
        citizen, leg = await stage.talk()
        assert await leg.hears(CALLER_HZ)
        await citizen.call.hangup()
        assert (await citizen.closed())["exit_reason"] == "completed"
