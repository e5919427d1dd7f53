"""Three and more in a room: who hears whom, who comes and goes, hold, mute, and recordings that go on through it."""

from __future__ import annotations

import pytest

from pbx.events import Bridged, ChannelHungUp, RecordingStarted, RecordingStopped, RoomEntered, RoomLeft, Unbridged
from pbx.sip import tones
from pbx.terms import CommandRefused, MuteDirection, RoomId, Supervision, ToneSound
from tests.support.calls import LEFT, RIGHT, Leg, agent, bridge, caller, paced_down, pair, seconds_of, track
from tests.support.lab import AGENT_HZ, CALLER_HZ, SECOND_HZ, SUPERVISOR_HZ, Lab

TONES = (CALLER_HZ, AGENT_HZ, SECOND_HZ)


async def hears_only(leg: Leg, *tones: int) -> bool:
    """All of them, and none of the other far ends'."""
    absent = [hz for hz in (*TONES, SUPERVISOR_HZ) if hz not in tones]
    return all([await leg.call.hears(hz, absent=absent) for hz in tones])


async def enter(lab: Lab, room: RoomId, *legs: Leg) -> None:
    for leg in legs:
        await lab.switch.enter_room(leg.channel, room)
        await lab.eventually(RoomEntered, channel=leg.channel, room=room)


async def three(lab: Lab) -> tuple[Leg, Leg, Leg, RoomId]:
    """From a pair with a consulted colleague to a room of three."""
    customer, desk = await pair(lab)
    colleague = await agent(lab, "agente2", SECOND_HZ)
    room = RoomId(lab.id("sala"))
    await enter(lab, room, customer, desk, colleague)
    return customer, desk, colleague, room


async def all_talk(customer: Leg, desk: Leg, colleague: Leg) -> None:
    assert await hears_only(customer, AGENT_HZ, SECOND_HZ)
    assert await hears_only(desk, CALLER_HZ, SECOND_HZ)
    assert await hears_only(colleague, CALLER_HZ, AGENT_HZ)


async def test_a_pair_becomes_three_who_hear_one_another(lab: Lab) -> None:
    customer, desk, colleague, _ = await three(lab)
    await all_talk(customer, desk, colleague)
    await lab.eventually(Unbridged)
    await lab.never(ChannelHungUp)


async def test_one_leaves_and_the_others_talk_on(lab: Lab) -> None:
    customer, desk, colleague, room = await three(lab)
    await lab.switch.leave_room(desk.channel)
    await lab.eventually(RoomLeft, channel=desk.channel, room=room)
    assert await desk.call.hears_silence()
    assert await hears_only(customer, SECOND_HZ)
    assert await hears_only(colleague, CALLER_HZ)
    await lab.never(RoomLeft)


async def test_one_hangs_up_and_the_others_talk_on(lab: Lab) -> None:
    customer, desk, colleague, _ = await three(lab)
    await desk.call.hangup()
    await lab.eventually(ChannelHungUp, channel=desk.channel)
    told = [event for event in lab.seen if getattr(event, "channel", None) == desk.channel]
    assert [type(event) for event in told[-2:]] == [RoomLeft, ChannelHungUp]
    assert await hears_only(customer, SECOND_HZ)
    assert await hears_only(colleague, CALLER_HZ)


async def test_back_to_a_pair(lab: Lab) -> None:
    customer, desk, colleague, room = await three(lab)
    await bridge(lab, customer, colleague)
    left = {(await lab.eventually(RoomLeft, room=room)).channel for _ in range(2)}
    assert left == {customer.channel, colleague.channel}
    assert await hears_only(customer, SECOND_HZ)
    assert await hears_only(colleague, CALLER_HZ)
    assert await desk.call.hears_silence()


async def test_four_and_a_room_used_again(lab: Lab) -> None:
    customer, desk, colleague, room = await three(lab)
    fourth = await agent(lab, "supervisor", SUPERVISOR_HZ)
    await enter(lab, room, fourth)
    assert await hears_only(fourth, *TONES)
    assert await hears_only(customer, AGENT_HZ, SECOND_HZ, SUPERVISOR_HZ)
    for leg in (customer, desk, colleague, fourth):
        await lab.switch.leave_room(leg.channel)
        await lab.eventually(RoomLeft, channel=leg.channel)
    await enter(lab, room, customer, desk)
    assert await hears_only(customer, AGENT_HZ)


async def test_hold_in_a_room(lab: Lab) -> None:
    customer, desk, colleague, _ = await three(lab)
    await lab.switch.hold(customer.channel)
    assert await lab.hears_music(customer.call, absent=TONES)
    assert await hears_only(desk, SECOND_HZ)
    assert await hears_only(colleague, AGENT_HZ)
    await lab.switch.unhold(customer.channel)
    await all_talk(customer, desk, colleague)
    await lab.never(RoomLeft)
    await lab.never(RoomEntered)


async def test_leaving_from_hold_is_silence(lab: Lab) -> None:
    customer, _, _, room = await three(lab)
    await lab.switch.hold(customer.channel)
    assert await lab.hears_music(customer.call, absent=TONES)
    await lab.switch.leave_room(customer.channel)
    await lab.eventually(RoomLeft, channel=customer.channel, room=room)
    assert await customer.call.hears_silence()


async def test_mute_in_a_room(lab: Lab) -> None:
    customer, desk, colleague, _ = await three(lab)
    await lab.switch.mute(colleague.channel, MuteDirection.IN)
    assert await hears_only(customer, AGENT_HZ)
    assert await hears_only(colleague, CALLER_HZ, AGENT_HZ)
    await lab.switch.unmute(colleague.channel, MuteDirection.IN)
    await all_talk(customer, desk, colleague)


async def test_the_customers_recording_goes_on_through_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    paced_down(monkeypatch)
    customer, desk = await pair(lab)
    spec = lab.recording()
    await lab.switch.record(customer.channel, spec)
    await lab.eventually(RecordingStarted)
    await lab.wait(0.5)
    colleague = await agent(lab, "agente2", SECOND_HZ)
    room = RoomId(lab.id("sala"))
    await enter(lab, room, customer, desk, colleague)
    assert await hears_only(customer, AGENT_HZ, SECOND_HZ)
    await lab.wait(1.0)
    await bridge(lab, customer, colleague)
    assert await hears_only(customer, SECOND_HZ)
    await lab.wait(1.0)
    await lab.switch.stop_recording(customer.channel, spec.id)
    done = await lab.eventually(RecordingStopped)
    # 0.5 s as a pair, 1 s as three, 1 s as another pair: counted in short pieces, for a change of bridge shifts phases.
    assert seconds_of(spec.path, LEFT, CALLER_HZ) > 2.2
    assert seconds_of(spec.path, RIGHT, AGENT_HZ) > 1.2
    assert seconds_of(spec.path, RIGHT, SECOND_HZ) > 1.7
    end = track(spec.path, RIGHT, done.file.seconds - 0.4)
    assert tones.level(end, AGENT_HZ) < 500


async def test_the_recording_goes_on_when_two_are_left(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    paced_down(monkeypatch)
    customer, desk = await pair(lab)
    spec = lab.recording()
    await lab.switch.record(customer.channel, spec)
    await lab.eventually(RecordingStarted)
    colleague = await agent(lab, "agente2", SECOND_HZ)
    await enter(lab, RoomId(lab.id("sala")), customer, desk, colleague)
    await lab.switch.leave_room(desk.channel)
    assert await hears_only(customer, SECOND_HZ)
    await lab.wait(1.0)
    await lab.switch.stop_recording(customer.channel, spec.id)
    await lab.eventually(RecordingStopped)
    assert seconds_of(spec.path, RIGHT, SECOND_HZ) > 0.9


async def test_entering_again_is_not_told(lab: Lab) -> None:
    customer, desk, colleague, room = await three(lab)
    await lab.switch.enter_room(desk.channel, room)
    await lab.never(RoomEntered)
    await lab.never(RoomLeft)
    await all_talk(customer, desk, colleague)


async def test_who_goes_from_one_to_the_next_at_once_stays_there(lab: Lab) -> None:
    """On Asterisk, a bridge that was deleted around somebody took them out of the next one, now and then."""
    customer, desk = await pair(lab)
    for _ in range(8):
        await enter(lab, RoomId(lab.id("sala")), customer, desk)
        await lab.eventually(Unbridged)
        await lab.never(RoomLeft, during_s=0.1)
        await bridge(lab, customer, desk)
        for leg in (customer, desk):
            await lab.eventually(RoomLeft, channel=leg.channel)
        await lab.never(Unbridged, during_s=0.1)
    assert await customer.call.hears(AGENT_HZ)
    assert await desk.call.hears(CALLER_HZ)


async def test_another_room_leaves_the_first(lab: Lab) -> None:
    customer, desk, _, room = await three(lab)
    other = RoomId(lab.id("otra"))
    await enter(lab, other, desk)
    await lab.eventually(RoomLeft, channel=desk.channel, room=room)
    assert await desk.call.hears_silence()
    await enter(lab, other, customer)
    assert await hears_only(desk, CALLER_HZ)


async def test_in_a_room_nothing_is_played(lab: Lab) -> None:
    _, desk, _, _ = await three(lab)
    with pytest.raises(CommandRefused):
        await lab.switch.play(desk.channel, lab.id("aviso"), [ToneSound(700, 200)])  # type: ignore[arg-type]


async def test_an_unanswered_channel_and_a_bad_name_are_refused(lab: Lab) -> None:
    customer = await caller(lab)
    with pytest.raises(CommandRefused):
        await lab.switch.enter_room(customer.channel, RoomId("sala de espera"))
    await lab.switch.leave_room(customer.channel)  # in none: nothing to do
    await lab.never(RoomLeft)


async def test_the_room_is_in_the_truth(lab: Lab) -> None:
    customer, desk, colleague, room = await three(lab)
    found = {one.channel: one.room for one in await lab.switch.channels()}
    assert found == dict.fromkeys((customer.channel, desk.channel, colleague.channel), room)
    await lab.switch.leave_room(colleague.channel)
    assert {one.channel: one.room for one in await lab.switch.channels()}[colleague.channel] is None


async def test_a_lost_connection_leaves_the_room_as_it_is(lab: Lab) -> None:
    customer, desk, colleague, room = await three(lab)
    await lab.lose_connection()
    await lab.restore()
    await all_talk(customer, desk, colleague)
    await lab.never(RoomLeft)
    await lab.switch.leave_room(desk.channel)
    await lab.eventually(RoomLeft, channel=desk.channel, room=room)
    assert await hears_only(customer, SECOND_HZ)


async def test_a_supervisor_whispers_into_a_room(lab: Lab) -> None:
    customer, desk, _, _ = await three(lab)
    supervisor = await agent(lab, "supervisor", SUPERVISOR_HZ)
    await lab.switch.supervise(supervisor.channel, desk.channel, Supervision.WHISPER)
    assert all([await supervisor.call.hears(hz, 10) for hz in TONES])
    assert await hears_only(desk, CALLER_HZ, SECOND_HZ, SUPERVISOR_HZ)
    assert await hears_only(customer, AGENT_HZ, SECOND_HZ)
    await lab.switch.supervise(supervisor.channel, desk.channel, Supervision.BARGE)
    assert await hears_only(customer, AGENT_HZ, SECOND_HZ, SUPERVISOR_HZ)


async def test_a_supervisor_takes_over(lab: Lab) -> None:
    """A sequence of what there is: the supervising leg is bridged with the customer, the agent's is left alone."""
    customer, desk = await pair(lab)
    supervisor = await agent(lab, "supervisor", SUPERVISOR_HZ)
    await lab.switch.supervise(supervisor.channel, desk.channel, Supervision.LISTEN)
    assert await hears_only(supervisor, CALLER_HZ, AGENT_HZ)
    await lab.switch.bridge(customer.channel, supervisor.channel)
    await lab.eventually(Bridged, peer={customer.channel, supervisor.channel}.__contains__)
    assert await hears_only(customer, SUPERVISOR_HZ)
    assert await hears_only(supervisor, CALLER_HZ)
    assert await desk.call.hears_silence()
    await bridge(lab, customer, desk)
    assert await hears_only(customer, AGENT_HZ)
    assert await supervisor.call.hears_silence()
