"""The caller hangs up at every step: the record says where, the agent is free, the switch is empty."""

from __future__ import annotations

import asyncio

from tests.support.platform import PlatformProcess
from tests.support.stage import Citizen, Stage, at, check_voices, hear_each_other, on_stage


async def _over(stage: Stage, citizen: Citizen, exit_reason: str, *, by: str = "customer") -> dict[str, object]:
    """The call is over as said, and nothing of it is left."""
    record = await citizen.closed()
    assert record["exit_reason"] == exit_reason
    ended = await citizen.fact("ended")
    assert ended["data"]["by"] == by
    await stage.api.no_channel_left()
    return record


async def test_a_whole_call(platform: PlatformProcess) -> None:
    async with on_stage(platform) as stage:
        citizen, leg = await stage.talk()
        await citizen.call.hangup()
        record = await _over(stage, citizen, "completed")
        assert leg.ended.is_set()
        assert record["agent"] == "ana"
        talked_s = at(await citizen.fact("disconnected")) - at(await citizen.fact("recording_started"))
        check_voices(await citizen.recorded(record), at_least_s=talked_s - 0.15)
        await stage.api.agent_becomes("ana", "ready")


async def test_before_the_answer(platform: PlatformProcess) -> None:
    """The flow answers within milliseconds, so that the two may cross; whoever is first, it was the caller who left."""
    kept = 0
    async with on_stage(platform, agents=()) as stage:
        for turn in range(12):
            citizen = await stage.citizen(port=0)
            if turn % 2:  # known to the platform; a busy machine begins with none of the others before they are gone
                await citizen.fact("started")
            await citizen.call.hangup()
            await stage.api.no_channel_left()
            if await stage.api.find(citizen.number) is None:
                continue  # gone before the switch had begun with it
            record = await citizen.closed()
            kept += 1
            assert record["exit_reason"] in ("abandoned_ringing", "abandoned_in_flow")
            assert (record["answered_at"] is None) == (record["exit_reason"] == "abandoned_ringing")
            assert (await citizen.fact("ended"))["data"]["by"] == "customer"
    assert kept >= 6


async def test_in_the_greeting(platform: PlatformProcess) -> None:
    async with on_stage(platform) as stage:
        citizen = await stage.citizen(wait=True)
        assert citizen.call.status == 200
        assert await citizen.call.poll(lambda: bool(abs(citizen.call.heard(last_s=0.2)).max() > 1000), 5)
        await citizen.call.hangup()
        record = await _over(stage, citizen, "abandoned_in_flow")
        assert record["queued_at"] is None


async def test_in_the_menu(platform: PlatformProcess) -> None:
    async with on_stage(platform) as stage:
        citizen = await stage.citizen(wait=True)
        await citizen.call.send_digits("9")  # no such option: the menu says so and asks again
        await citizen.fact("flow_noted")
        await citizen.call.hangup()
        record = await _over(stage, citizen, "abandoned_in_flow")
        assert record["queued_at"] is None


async def test_in_the_queue(platform: PlatformProcess) -> None:
    async with on_stage(platform, agents=()) as stage:
        citizen = await stage.citizen()
        await citizen.to_queue()
        await citizen.call.hangup()
        await _over(stage, citizen, "abandoned_in_queue")
        queue = await stage.api.get("/queues/contact-center")
        assert queue["waiting"] == 0


async def test_while_the_agents_phone_rings(platform: PlatformProcess) -> None:
    async with on_stage(platform, answer=False) as stage:
        citizen = await stage.citizen()
        await citizen.to_queue()
        leg = await stage.phones["ana"].next_call()
        await citizen.call.hangup()
        record = await _over(stage, citizen, "abandoned_in_queue")
        assert record["connected_at"] is None
        await asyncio.wait_for(leg.ended.wait(), 5)
        assert leg.status == 487
        offer = await citizen.fact("offer_ended")
        assert offer["data"]["how"] == "withdrawn"
        await stage.api.agent_becomes("ana", "ready")


async def test_in_the_instant_of_answering(platform: PlatformProcess) -> None:
    """Both at once, in either order, several times: whatever wins, the record is whole and the agent free."""
    async with on_stage(platform, answer=False) as stage:
        for turn in range(6):
            citizen = await stage.citizen(port=0)
            await citizen.to_queue()
            leg = await stage.phones["ana"].next_call()
            both = [leg.answer(), citizen.call.hangup()]
            await asyncio.gather(*(reversed(both) if turn % 2 else both))
            record = await citizen.closed()
            assert record["exit_reason"] in ("abandoned_in_queue", "completed")
            assert (record["connected_at"] is None) == (record["exit_reason"] == "abandoned_in_queue")
            await asyncio.wait_for(leg.ended.wait(), 5)
            await stage.api.no_channel_left()
            await stage.api.agent_becomes("ana", "ready")


async def test_during_the_thanks(platform: PlatformProcess) -> None:
    """The agent hangs up, the citizen hears the farewell and goes in its midst."""
    async with on_stage(platform) as stage:
        citizen, leg = await stage.talk()
        await leg.hangup()
        await citizen.fact("flow_resumed")
        await citizen.call.hangup()
        record = await _over(stage, citizen, "completed")
        assert record["agent"] == "ana"
        parted = await citizen.fact("disconnected")
        assert parted["data"]["by"] == "agent"
        await stage.api.agent_becomes("ana", "ready")


async def test_not_at_all(platform: PlatformProcess) -> None:
    """The agent hangs up and the citizen listens to the end: we hang up then."""
    async with on_stage(platform) as stage:
        citizen, leg = await stage.talk()
        await hear_each_other(citizen.call, leg)
        await leg.hangup()
        await asyncio.wait_for(citizen.call.ended.wait(), 20)
        assert citizen.call.ended_by == "remote"
        await _over(stage, citizen, "completed", by="system")
