"""What the switch says of itself when asked: channels, trunks, endpoints, variables; and commands on what is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pbx.events import EndpointChanged, TrunkChanged
from pbx.switch import Switch
from pbx.terms import (
    ChannelGone,
    ChannelId,
    ChannelSnapshot,
    DigitRules,
    HangupCause,
    MuteDirection,
    PhoneDestination,
    PlaybackId,
    RecordingId,
    Supervision,
    SwitchError,
    ToneSound,
    TrunkState,
)
from tests.support.calls import SERVICE, Leg, agent, arrives, caller, hung_up, pair
from tests.support.lab import AGENT_HZ, CALLER, Lab

OTHER = ChannelId("no-existe")
TONE = ToneSound(800, 500)
COMMANDS: dict[str, Callable[[Switch, ChannelId, Lab], Awaitable[object]]] = {
    "answer": lambda s, c, lab: s.answer(c),
    "ring": lambda s, c, lab: s.ring(c),
    "reject": lambda s, c, lab: s.reject(c, HangupCause.BUSY),
    "hangup": lambda s, c, lab: s.hangup(c),
    "set_variable": lambda s, c, lab: s.set_variable(c, "a", "b"),
    "get_variable": lambda s, c, lab: s.get_variable(c, "a"),
    "mute": lambda s, c, lab: s.mute(c, MuteDirection.BOTH),
    "unmute": lambda s, c, lab: s.unmute(c, MuteDirection.IN),
    "play": lambda s, c, lab: s.play(c, PlaybackId("p"), [TONE]),
    "stop_playback": lambda s, c, lab: s.stop_playback(c),
    "collect": lambda s, c, lab: s.collect(c, DigitRules()),
    "stop_collecting": lambda s, c, lab: s.stop_collecting(c),
    "send_digits": lambda s, c, lab: s.send_digits(c, "1"),
    "start_music": lambda s, c, lab: s.start_music(c),
    "stop_music": lambda s, c, lab: s.stop_music(c),
    "bridge": lambda s, c, lab: s.bridge(c, OTHER),
    "unbridge": lambda s, c, lab: s.unbridge(c),
    "hold": lambda s, c, lab: s.hold(c),
    "unhold": lambda s, c, lab: s.unhold(c),
    "transfer": lambda s, c, lab: s.transfer(
        c, ChannelId(lab.id("pierna")), PhoneDestination("agente1"), caller_number="", timeout_s=1.0
    ),
    "transfer_attended": lambda s, c, lab: s.transfer_attended(c, OTHER),
    "record": lambda s, c, lab: s.record(c, lab.recording()),
    "pause_recording": lambda s, c, lab: s.pause_recording(c, RecordingId("r")),
    "resume_recording": lambda s, c, lab: s.resume_recording(c, RecordingId("r")),
    "stop_recording": lambda s, c, lab: s.stop_recording(c, RecordingId("r")),
    "supervise": lambda s, c, lab: s.supervise(c, OTHER, Supervision.LISTEN),
    "stop_supervising": lambda s, c, lab: s.stop_supervising(c),
    "open_stream": lambda s, c, lab: s.open_stream(c),
    "open_ear": lambda s, c, lab: s.open_ear(c),
}


async def is_gone(name: str, command: Awaitable[object]) -> None:
    try:
        result = await command
    except ChannelGone:
        return
    except SwitchError as error:
        pytest.fail(f"{name}: {error!r} in place of ChannelGone")
    pytest.fail(f"{name} was taken: {result}")


async def snapshot(lab: Lab, leg: Leg) -> ChannelSnapshot:
    return next(one for one in await lab.switch.channels() if one.channel == leg.channel)


async def test_commands_on_a_channel_that_hung_up(lab: Lab) -> None:
    leg = await caller(lab)
    await leg.call.hangup()
    await hung_up(lab, leg)
    for name, command in COMMANDS.items():
        await is_gone(name, command(lab.switch, leg.channel, lab))


async def test_commands_on_a_channel_that_never_was(lab: Lab) -> None:
    for name, command in COMMANDS.items():
        await is_gone(name, command(lab.switch, OTHER, lab))


async def test_the_other_of_a_pair_is_gone(lab: Lab) -> None:
    leg = await caller(lab)
    with pytest.raises(ChannelGone):
        await lab.switch.bridge(leg.channel, OTHER)
    assert await leg.call.hears_silence()


async def test_a_hang_up_and_commands_at_once(lab: Lab) -> None:
    """Commands race with the caller's BYE: each is taken or finds the channel gone, none hangs."""
    leg = await caller(lab)
    async with asyncio.timeout(8):
        results = await asyncio.gather(
            leg.call.hangup(),
            lab.switch.play(leg.channel, PlaybackId(lab.id("sonido")), [TONE]),
            lab.switch.collect(leg.channel, DigitRules()),
            lab.switch.set_variable(leg.channel, "a", "b"),
            lab.switch.hangup(leg.channel),
            return_exceptions=True,
        )
    assert all(result is None or isinstance(result, ChannelGone) for result in results), results
    await hung_up(lab, leg)


async def test_a_cancelled_command_poisons_nothing(lab: Lab) -> None:
    first, second = await caller(lab), await caller(lab)
    await lab.switch.set_variable(first.channel, "nombre", "primera")
    await lab.switch.set_variable(second.channel, "nombre", "segunda")
    for _ in range(10):
        waiting = [asyncio.ensure_future(lab.switch.get_variable(first.channel, "nombre")) for _ in range(5)]
        await asyncio.sleep(0)
        for task in waiting[::2]:
            task.cancel()
        assert await lab.switch.get_variable(second.channel, "nombre") == "segunda"
        kept = await asyncio.gather(*waiting, return_exceptions=True)
        assert [one for one in kept if not isinstance(one, asyncio.CancelledError)].count("primera") >= 2
    assert await lab.switch.get_variable(first.channel, "nombre") == "primera"


@pytest.mark.parametrize("value", ["una", "", "con, coma y 'comillas' {y} $más", "ñandú 日本 ✓"])
async def test_variables(lab: Lab, value: str) -> None:
    leg = await caller(lab)
    assert await lab.switch.get_variable(leg.channel, "rimay_dato") is None
    await lab.switch.set_variable(leg.channel, "rimay_dato", value)
    assert await lab.switch.get_variable(leg.channel, "rimay_dato") == value
    assert (await snapshot(lab, leg)).variables == {"rimay_dato": value}


async def test_channels(lab: Lab) -> None:
    assert await lab.switch.channels() == []
    waiting = await arrives(lab)
    seen = await snapshot(lab, waiting)
    assert (seen.answered, seen.inbound, seen.bridged_to, seen.trunk) == (False, True, None, "norte")
    assert seen.remote_number.endswith(CALLER[-9:])
    assert seen.local_number.endswith(SERVICE[-7:])
    desk = await agent(lab)
    seen = await snapshot(lab, desk)
    assert (seen.answered, seen.inbound, seen.bridged_to, seen.trunk) == (True, False, None, None)
    assert waiting.arrived is not None
    assert abs(seen.created_at - waiting.arrived.at) < 10
    assert len(await lab.switch.channels()) == 2
    await lab.switch.hangup(desk.channel)
    await hung_up(lab, desk)
    assert [one.channel for one in await lab.switch.channels()] == [waiting.channel]


async def test_channels_of_a_pair(lab: Lab) -> None:
    customer, desk = await pair(lab)
    assert (await snapshot(lab, customer)).bridged_to == desk.channel
    assert (await snapshot(lab, desk)).bridged_to == customer.channel
    await lab.switch.unbridge(customer.channel)
    assert (await snapshot(lab, customer)).bridged_to is None
    assert (await snapshot(lab, desk)).bridged_to is None


async def test_endpoints(lab: Lab) -> None:
    phone = await lab.phone("agente1", AGENT_HZ)
    await lab.eventually(EndpointChanged, status=lambda status: status.endpoint == "agente1" and status.online)
    online = {one.endpoint: one.online for one in await lab.switch.endpoints()}
    assert online == {"agente1": True, "agente2": False, "supervisor": False}
    await phone.unregister()
    await lab.eventually(EndpointChanged, status=lambda status: status.endpoint == "agente1" and not status.online)
    assert not any(one.online for one in await lab.switch.endpoints())


async def test_a_trunk_goes_up_and_down(lab: Lab) -> None:
    for up, state in ((True, TrunkState.UP), (False, TrunkState.DOWN), (True, TrunkState.UP)):
        await lab.set_watched_gateway_up(up)
        while await _watched(lab) is not state:  # what was told of the state before may still be unread
            event = await lab.eventually(TrunkChanged, timeout=40.0)
            assert (event.status.trunk, event.status.gateway) == ("sonda", "sonda")


async def test_trunks_without_keepalive_are_unknown(lab: Lab) -> None:
    states = {one.gateway: one.state for one in await lab.switch.trunks() if one.trunk == "norte"}
    assert states == {"gw1": TrunkState.UNKNOWN, "gw2": TrunkState.UNKNOWN}


async def _watched(lab: Lab) -> TrunkState:
    return next(one.state for one in await lab.switch.trunks() if one.trunk == "sonda")
