"""kill -9 of the daemon in mid call: the switch carries on, the next daemon finds the call again."""

from __future__ import annotations

import asyncio

from tests.support.platform import ENGINE, PlatformProcess
from tests.support.stage import Citizen, Record, Stage, check_voices, hear_each_other, on_stage, until


async def _start(platform: PlatformProcess) -> None:
    """A new daemon, which takes up the servers of the old one."""
    before = {name: platform.server_pid(name) for name in (ENGINE, "postgres", "redis")}
    assert None not in before.values()
    await asyncio.to_thread(platform.start)
    assert {name: platform.server_pid(name) for name in before} == before


async def _gap(citizen: Citizen) -> float:
    gap: float = (await citizen.fact("reattached"))["data"]["gap_s"]
    return gap


async def _completed(stage: Stage, citizen: Citizen) -> Record:
    record = await citizen.closed()
    assert record["exit_reason"] == "completed"
    await stage.api.no_channel_left()
    return record


async def test_in_the_talk(platform: PlatformProcess) -> None:
    async with on_stage(platform) as stage:
        citizen, leg = await stage.talk()
        began = citizen.call.elapsed()
        await asyncio.to_thread(platform.kill)
        # New tones, so that what is heard was said after the kill.
        citizen.call.play_tone(880)
        leg.play_tone(1240)
        heard = await asyncio.gather(citizen.call.hears(1240), leg.hears(880))
        assert heard == [True, True]
        citizen.call.play_tone(440)
        leg.play_tone(620)
        await hear_each_other(citizen.call, leg)
        await _start(platform)
        assert 0 <= await _gap(citizen) < 30
        await hear_each_other(citizen.call, leg)
        assert not citizen.call.ended.is_set()
        view = await stage.api.get("/agents/ana")
        assert view["state"] == "interacting"
        talked_s = citizen.call.elapsed() - began
        await citizen.call.hangup()
        record = await _completed(stage, citizen)
        assert record["agent"] == "ana"
        # One recording, without a hole where no daemon was.
        assert [one["state"] for one in record["recordings"]] == ["complete"]
        check_voices(await citizen.recorded(record), at_least_s=talked_s - 0.3, at_most_s=talked_s + 3)
        await asyncio.wait_for(leg.ended.wait(), 5)
        await stage.api.agent_becomes("ana", "ready")


async def test_in_the_talk_and_the_citizen_leaves_meanwhile(platform: PlatformProcess) -> None:
    async with on_stage(platform) as stage:
        citizen, leg = await stage.talk()
        await asyncio.to_thread(platform.kill)
        await hear_each_other(citizen.call, leg)
        await citizen.call.hangup()
        await _start(platform)
        record = await _completed(stage, citizen)
        assert "reattached" in await citizen.facts()
        check_voices(await citizen.recorded(record), at_least_s=0.3)
        await asyncio.wait_for(leg.ended.wait(), 10)
        await stage.api.agent_becomes("ana", "ready")


async def test_in_the_queue(platform: PlatformProcess) -> None:
    """The citizen keeps their place, and music; the first free agent gets them."""
    async with on_stage(platform, agents=()) as stage:
        citizen = await stage.citizen()
        await citizen.to_queue()
        queued_at = (await citizen.record())["queued_at"]
        await asyncio.to_thread(platform.kill)
        await _start(platform)
        await citizen.fact("reattached")
        assert (await stage.api.get("/queues/contact-center"))["waiting"] == 1
        await stage.work("ana")
        leg = await stage.phones["ana"].next_call()
        await hear_each_other(citizen.call, leg)
        assert (await citizen.record())["queued_at"] == queued_at
        await citizen.call.hangup()
        await _completed(stage, citizen)


async def test_while_the_agents_phone_rings(platform: PlatformProcess) -> None:
    """The ringing leg is given up and the citizen offered anew."""
    async with on_stage(platform, answer=False) as stage:
        citizen = await stage.citizen()
        await citizen.to_queue()
        first = await stage.phones["ana"].next_call()
        await asyncio.to_thread(platform.kill)
        await _start(platform)
        await asyncio.wait_for(first.ended.wait(), 10)
        second = await stage.phones["ana"].next_call(20)
        await second.answer()
        await hear_each_other(citizen.call, second)
        await citizen.call.hangup()
        await _completed(stage, citizen)


async def test_in_the_menu(platform: PlatformProcess) -> None:
    """The menu asks again, and the key that is pressed then counts."""
    async with on_stage(platform) as stage:
        citizen = await stage.citizen(wait=True)
        await citizen.call.send_digits("9")
        await citizen.fact("flow_noted", count=3)
        await asyncio.to_thread(platform.kill)
        await _start(platform)
        await citizen.fact("reattached")
        assert await citizen.call.poll(lambda: bool(abs(citizen.call.heard(last_s=0.2)).max() > 1000), 5)
        await citizen.to_queue("2")
        assert (await citizen.record())["reason"] == "internet_telefonia"
        leg = await stage.phones["ana"].next_call()
        await hear_each_other(citizen.call, leg)
        await citizen.call.hangup()
        await _completed(stage, citizen)


async def _refused(stage: Stage) -> bool:
    """A switch that counts the seconds since it last heard of us lets a call wait until it notices."""
    call = (await stage.citizen(port=0)).call
    if await call.poll(call.ended.is_set, 2):
        assert call.status == 503
        return True
    await call.hangup()
    return False


async def test_a_call_that_comes_while_no_daemon_is_there(platform: PlatformProcess) -> None:
    """The trunk is told 503, so that it tries elsewhere; afterwards calls are taken again."""
    async with on_stage(platform) as stage:
        await asyncio.to_thread(platform.kill)
        await until(lambda: _refused(stage), "calls are refused with 503")
        await _start(platform)
        # What was asked of an agent in the last instant may be lost with the daemon; they are ready from now on.
        await stage.api.ready("ana")
        citizen, _ = await stage.talk()
        await citizen.call.hangup()
        await _completed(stage, citizen)
