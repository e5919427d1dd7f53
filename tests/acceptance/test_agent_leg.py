"""The agent's leg: not answered, refused, not there, gone first."""

from __future__ import annotations

import asyncio

from tests.support.platform import PlatformProcess
from tests.support.stage import WAIT_S, Citizen, Stage, hear_each_other, on_stage


async def _offers(citizen: Citizen) -> list[tuple[str, str]]:
    ended = [event["data"] for event in await citizen.events() if event["type"] == "offer_ended"]
    return [(offer["agent"], offer["how"]) for offer in ended]


async def _talk_with(stage: Stage, citizen: Citizen, agent: str) -> None:
    leg = await stage.phones[agent].next_call(WAIT_S)
    await leg.answer()
    await hear_each_other(citizen.call, leg)
    await citizen.call.hangup()
    record = await citizen.closed()
    assert (record["exit_reason"], record["agent"]) == ("completed", agent)


async def test_not_answering(platform: PlatformProcess) -> None:
    """The offer runs out, the phone stops ringing, the agent is set aside and the next one gets the call."""
    async with on_stage(platform, answer=False) as stage:
        citizen = await stage.citizen()
        await citizen.to_queue()
        leg = await stage.phones["ana"].next_call()
        await asyncio.wait_for(leg.ended.wait(), 10)  # after the 5 s of the queue's settings
        assert leg.status == 487
        away = await stage.api.agent_becomes("ana", "not_ready")
        assert away["reason"]
        await stage.work("luis", answer=False)
        await _talk_with(stage, citizen, "luis")
        assert await _offers(citizen) == [("ana", "expired"), ("luis", "accepted")]


async def test_rejecting(platform: PlatformProcess) -> None:
    async with on_stage(platform, answer=False) as stage:
        citizen = await stage.citizen()
        await citizen.to_queue()
        leg = await stage.phones["ana"].next_call()
        await leg.reject(486)
        await citizen.fact("offer_ended")
        await stage.work("luis", answer=False)
        await _talk_with(stage, citizen, "luis")
        assert (await _offers(citizen))[0] == ("ana", "rejected")


async def test_not_registered(platform: PlatformProcess) -> None:
    """Ready, but the phone is not there: told by the switch at once, and the call goes to the next."""
    async with on_stage(platform, agents=()) as stage:
        await stage.api.ready("ana")
        citizen = await stage.citizen()
        await citizen.to_queue()
        await citizen.fact("offer_ended")
        assert (await _offers(citizen))[0] == ("ana", "failed")
        await stage.work("luis", answer=False)
        await _talk_with(stage, citizen, "luis")


async def test_a_phone_whose_power_is_cut(platform: PlatformProcess) -> None:
    """Registered, and silent: the offer runs out like one that nobody takes."""
    async with on_stage(platform, answer=False) as stage:
        await stage.phones["ana"].vanish()
        citizen = await stage.citizen()
        await citizen.to_queue()
        await citizen.fact("offer_ended")
        assert (await _offers(citizen))[0][1] in ("expired", "failed")
        await stage.work("luis", answer=False)
        await _talk_with(stage, citizen, "luis")


async def test_hanging_up_first(platform: PlatformProcess) -> None:
    """The citizen hears the farewell; the record says who left first; the recording ends with the talk."""
    async with on_stage(platform) as stage:
        citizen, leg = await stage.talk()
        await leg.hangup()
        parted = await citizen.fact("disconnected")
        assert parted["data"]["by"] == "agent"
        assert await citizen.call.poll(lambda: bool(abs(citizen.call.heard(last_s=0.2)).max() > 1000), 5)
        await citizen.fact("recording_stopped")
        await asyncio.wait_for(citizen.call.ended.wait(), WAIT_S)
        record = await citizen.closed()
        assert (record["exit_reason"], record["agent"]) == ("completed", "ana")
        kinds = [segment["kind"] for segment in record["segments"]]
        assert kinds.count("talk") >= 1
        await stage.api.agent_becomes("ana", "ready")


async def test_hanging_up_in_the_instant_of_answering(platform: PlatformProcess) -> None:
    """The citizen is not lost: back in their place, offered again."""
    async with on_stage(platform, answer=False) as stage:
        citizen = await stage.citizen()
        await citizen.to_queue()
        leg = await stage.phones["ana"].next_call()
        await leg.answer()
        await leg.hangup()
        ended = asyncio.ensure_future(citizen.call.ended.wait())
        again = asyncio.ensure_future(stage.phones["ana"].next_call(WAIT_S))
        await asyncio.wait({ended, again}, return_when=asyncio.FIRST_COMPLETED)
        if again.done() and not again.cancelled() and again.exception() is None:
            await again.result().answer()  # lost before the talk: offered anew
            await hear_each_other(citizen.call, again.result())
            await citizen.call.hangup()
        again.cancel()
        ended.cancel()
        record = await citizen.closed()
        assert record["exit_reason"] == "completed"
