"""Two legs together: who hears whom through bridge, hold and mute, and what is left when one goes."""

from __future__ import annotations

import pytest

from pbx.events import Bridged, ChannelHungUp, PeerHeld, PeerResumed, PlaybackEnd, PlaybackFinished, Unbridged
from pbx.terms import CommandRefused, MuteDirection, PlaybackId
from tests.support.calls import Leg, agent, arrives, bridge, caller, hung_up, one_of, pair
from tests.support.lab import AGENT_HZ, CALLER_HZ, SECOND_HZ, Lab


async def talk(a: Leg, a_hz: int, b: Leg, b_hz: int) -> None:
    """Each hears the other and not itself."""
    assert await a.call.hears(b_hz, absent=[a_hz])
    assert await b.call.hears(a_hz, absent=[b_hz])


async def apart(lab: Lab, a: Leg, b: Leg) -> None:
    event = await lab.eventually(Unbridged, channel=one_of(a, b), peer=one_of(a, b))
    assert event.channel != event.peer


async def test_bridge(lab: Lab) -> None:
    customer, desk = await caller(lab), await agent(lab)
    await lab.switch.bridge(customer.channel, desk.channel)
    event = await lab.eventually(Bridged)
    assert {event.channel, event.peer} == {customer.channel, desk.channel}
    await talk(customer, CALLER_HZ, desk, AGENT_HZ)
    await lab.never(Bridged)


async def test_bridge_ends_music_and_playback(lab: Lab) -> None:
    customer, desk = await caller(lab), await agent(lab)
    await lab.switch.start_music(customer.channel)
    playback = PlaybackId(lab.id("sonido"))
    await lab.switch.play(desk.channel, playback, [lab.sound(1300, 20.0)])
    assert await lab.hears_music(customer.call)
    await bridge(lab, customer, desk)
    await lab.eventually(PlaybackFinished, playback=playback, end=PlaybackEnd.STOPPED)
    assert await customer.call.hears(AGENT_HZ, absent=[1300])
    assert await desk.call.hears(CALLER_HZ, absent=[1300])


async def test_bridging_a_pair_again_changes_nothing(lab: Lab) -> None:
    customer, desk = await pair(lab)
    await lab.switch.bridge(desk.channel, customer.channel)
    await lab.never(Unbridged)
    await talk(customer, CALLER_HZ, desk, AGENT_HZ)


async def test_only_answered_and_different_channels(lab: Lab) -> None:
    customer, waiting = await caller(lab), await arrives(lab, lab.second_gateway)
    with pytest.raises(CommandRefused):
        await lab.switch.bridge(customer.channel, waiting.channel)
    with pytest.raises(CommandRefused):
        await lab.switch.bridge(customer.channel, customer.channel)


@pytest.mark.parametrize("leaver", ["customer", "agent"])
async def test_one_hangs_up_and_the_other_stays(lab: Lab, leaver: str) -> None:
    customer, desk = await pair(lab)
    gone, left = (customer, desk) if leaver == "customer" else (desk, customer)
    await gone.call.hangup()
    await apart(lab, customer, desk)
    await hung_up(lab, gone)
    assert await left.call.hears_silence()
    await lab.never(ChannelHungUp, channel=left.channel)
    await lab.never(Unbridged)
    await lab.switch.play(left.channel, PlaybackId(lab.id("encuesta")), [lab.sound(1300, 2.0)])
    assert await left.call.hears(1300)


async def test_the_pair_is_told_apart_before_the_hang_up(lab: Lab) -> None:
    customer, desk = await pair(lab)
    await lab.switch.hangup(desk.channel)
    event = await lab.eventually(Unbridged, channel=one_of(customer, desk))
    assert lab.seen.index(event) < lab.seen.index(await hung_up(lab, desk))


async def test_unbridge_leaves_both_in_silence(lab: Lab) -> None:
    customer, desk = await pair(lab)
    await lab.switch.unbridge(desk.channel)
    await apart(lab, customer, desk)
    assert await customer.call.hears_silence()
    assert await desk.call.hears_silence()
    await lab.switch.unbridge(desk.channel)  # not in a pair: nothing to do
    await bridge(lab, customer, desk)
    await talk(customer, CALLER_HZ, desk, AGENT_HZ)


async def test_bridging_anew_takes_the_older_pair_apart(lab: Lab) -> None:
    customer, desk = await pair(lab)
    second = await agent(lab, "agente2", SECOND_HZ)
    await lab.switch.bridge(customer.channel, second.channel)
    await apart(lab, customer, desk)
    await lab.eventually(Bridged, channel=one_of(customer, second))
    await talk(customer, CALLER_HZ, second, SECOND_HZ)
    assert await desk.call.hears_silence()


async def test_hold_is_music_for_the_one_and_silence_for_the_other(lab: Lab) -> None:
    customer, desk = await pair(lab)
    await talk(customer, CALLER_HZ, desk, AGENT_HZ)
    await lab.switch.hold(customer.channel)
    assert await lab.hears_music(customer.call, absent=[AGENT_HZ])
    assert await desk.call.hears_silence()
    await lab.never(Unbridged)
    await lab.switch.unhold(customer.channel)
    await talk(customer, CALLER_HZ, desk, AGENT_HZ)
    await lab.never(Bridged)


async def test_one_hangs_up_during_hold(lab: Lab) -> None:
    customer, desk = await pair(lab)
    await lab.switch.hold(customer.channel)
    assert await desk.call.hears_silence()
    await desk.call.hangup()
    await apart(lab, customer, desk)
    assert await customer.call.hears_silence()


async def test_the_phone_itself_holds(lab: Lab) -> None:
    customer, desk = await pair(lab)
    await talk(customer, CALLER_HZ, desk, AGENT_HZ)
    await desk.call.hold()
    await lab.eventually(PeerHeld, channel=desk.channel)
    await lab.never(Unbridged)
    assert not await customer.call.hears(AGENT_HZ, timeout=0.8)
    await desk.call.resume()
    await lab.eventually(PeerResumed, channel=desk.channel)
    await talk(customer, CALLER_HZ, desk, AGENT_HZ)


async def test_mute_what_it_says(lab: Lab) -> None:
    customer, desk = await pair(lab)
    await lab.switch.mute(desk.channel, MuteDirection.IN)
    assert await customer.call.hears_silence()
    assert await desk.call.hears(CALLER_HZ)
    await lab.switch.unmute(desk.channel, MuteDirection.IN)
    await talk(customer, CALLER_HZ, desk, AGENT_HZ)


async def test_mute_what_it_hears(lab: Lab) -> None:
    customer, desk = await pair(lab)
    await lab.switch.mute(desk.channel, MuteDirection.OUT)
    assert await desk.call.hears_silence()
    assert await customer.call.hears(AGENT_HZ)
    await lab.switch.unmute(desk.channel, MuteDirection.OUT)
    await talk(customer, CALLER_HZ, desk, AGENT_HZ)


async def test_mute_both_and_unmute_one_after_the_other(lab: Lab) -> None:
    customer, desk = await pair(lab)
    await lab.switch.mute(desk.channel, MuteDirection.BOTH)
    assert await desk.call.hears_silence()
    assert await customer.call.hears_silence()
    await lab.switch.unmute(desk.channel, MuteDirection.OUT)
    assert await desk.call.hears(CALLER_HZ)
    assert await customer.call.hears_silence()
    await lab.switch.unmute(desk.channel, MuteDirection.BOTH)
    await talk(customer, CALLER_HZ, desk, AGENT_HZ)


async def test_mute_outlasts_the_bridge(lab: Lab) -> None:
    customer, desk = await caller(lab), await agent(lab)
    await lab.switch.mute(desk.channel, MuteDirection.IN)
    await bridge(lab, customer, desk)
    assert await desk.call.hears(CALLER_HZ)
    assert await customer.call.hears_silence()
