"""The adapter against a fake event socket: recorded calls told in our words, and what a reconnect finds out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from pbx.events import (
    Bridged,
    ChannelAnswered,
    ChannelArrived,
    ChannelHungUp,
    DigitReceived,
    PeerHeld,
    PeerResumed,
    SwitchDown,
    SwitchEvent,
    SwitchUp,
    Unbridged,
)
from pbx.freeswitch import wav
from pbx.freeswitch.codec import EventMessage
from pbx.freeswitch.translate import cause_of, originate_failure, refer_target
from pbx.terms import (
    ChannelGone,
    ChannelId,
    CommandRefused,
    HangupCause,
    PhoneDestination,
    RecordingId,
    RecordingSpec,
    SwitchUnreachable,
)
from tests.support.esl_sessions import messages
from tests.support.fake_esl import api_response, json_event
from tests.support.fake_switch import World, watched


def replayed(name: str) -> list[bytes]:
    """The events of a recorded session, as json whatever they were."""
    found = [message.event for message in messages(name) if isinstance(message, EventMessage)]
    return [json_event(event.name, event.headers(), event.body) for event in found]


def kinds(events: list[SwitchEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


# --- recorded calls


@pytest.mark.parametrize("name", ["inbound.json", "inbound.plain"])
async def test_a_recorded_call_in_our_words(tmp_path: Path, name: str) -> None:
    async with watched(tmp_path) as lab:
        lab.fake.send(*replayed(name))
        told = await lab.rest()
        caller = next(event for event in told if isinstance(event, ChannelArrived))
        mine = [event for event in told if getattr(event, "channel", None) == caller.channel]
        assert kinds(mine)[:2] == ["ChannelArrived", "ChannelAnswered"]
        assert caller.from_number
        digits = [event.digit for event in mine if isinstance(event, DigitReceived)]
        assert digits[:2] == ["1", "2"]
        assert caller.at <= next(event for event in mine if isinstance(event, ChannelAnswered)).at


async def test_a_recorded_call_ends_once(tmp_path: Path) -> None:
    async with watched(tmp_path) as lab:
        lab.fake.send(*replayed("errors.json"))
        await lab.until(ChannelHungUp)
        await lab.rest()
        for arrived in [event for event in lab.seen if isinstance(event, ChannelArrived)]:
            of_it = [event for event in lab.seen if getattr(event, "channel", None) == arrived.channel]
            assert [type(event) for event in of_it].count(ChannelHungUp) <= 1
            if any(isinstance(event, ChannelHungUp) for event in of_it):
                assert isinstance(of_it[-1], ChannelHungUp)


async def test_hold_by_the_phone(tmp_path: Path) -> None:
    async with watched(tmp_path) as lab:
        lab.fake.send(
            json_event("CHANNEL_HOLD", {"Unique-ID": "mark"}), json_event("CHANNEL_UNHOLD", {"Unique-ID": "mark"})
        )
        told = await lab.rest()
        assert [type(event) for event in told] == [PeerHeld, PeerResumed]


# --- what a reconnect finds


def park(channel: str, **more: str) -> bytes:
    headers: Mapping[str, str] = {
        "Unique-ID": channel,
        "Call-Direction": "inbound",
        "Answer-State": "ringing",
        "Caller-Caller-ID-Number": "0991234567",
        "Caller-Destination-Number": "072345678",
        **more,
    }
    return json_event("CHANNEL_PARK", headers)


async def test_a_hang_up_missed_while_away_is_told_after_switch_up(tmp_path: Path) -> None:
    world = World()
    world.channel("c-1")
    async with watched(tmp_path, world) as lab:
        del world.dumps["c-1"]
        up = await lab.reconnect()
        assert up.same_life
        end = await lab.until(ChannelHungUp)
        assert isinstance(end, ChannelHungUp)
        assert (end.channel, end.by_us, end.answered) == ("c-1", False, True)
        with pytest.raises(ChannelGone):
            await lab.switch.hangup(ChannelId("c-1"))


async def test_a_call_that_came_while_away_is_announced_once(tmp_path: Path) -> None:
    async with watched(tmp_path) as lab:
        lab.world.channel("c-1", answered=False)
        lab.world.channel("c-2", answered=False, variable_rimay_announced="true")
        await lab.reconnect()
        arrived = await lab.until(ChannelArrived)
        assert isinstance(arrived, ChannelArrived)
        assert (arrived.channel, arrived.from_number, arrived.to_number) == ("c-1", "0991234567", "072345678")
        await lab.fake.command("api uuid_setvar c-1 rimay_announced true")
        lab.fake.send(park("c-1"))
        assert await lab.rest() == []


async def test_another_core_is_another_life(tmp_path: Path) -> None:
    world = World()
    world.channel("c-1")
    async with watched(tmp_path, world) as lab:
        world.core = "core-2"
        del world.dumps["c-1"]
        assert not (await lab.reconnect()).same_life
        assert "ChannelHungUp" not in kinds(await lab.rest())
        with pytest.raises(ChannelGone):
            await lab.switch.hangup(ChannelId("c-1"))


async def test_pairs_are_found_again_also_held_ones(tmp_path: Path) -> None:
    world = World()
    for one, other, held in (("a", "b", False), ("c", "d", True)):
        for mine, peer in ((one, other), (other, one)):
            more = {"variable_rimay_held_with": peer} if held else {"variable_signal_bond": peer}
            world.channel(mine, **{"Channel-State": "CS_PARK" if held else "CS_EXCHANGE_MEDIA", **more})
    async with watched(tmp_path, world) as lab:
        found = {one.channel: one.bridged_to for one in await lab.switch.channels()}
        assert found == {"a": "b", "b": "a", "c": "d", "d": "c", "mark": None}
        # Taken apart while we were away.
        world.channel("a")
        world.channel("b")
        await lab.reconnect()
        apart = await lab.until(Unbridged)
        assert isinstance(apart, Unbridged)
        assert {apart.channel, apart.peer} == {"a", "b"}


async def test_events_during_reconciliation_come_after_switch_up(tmp_path: Path) -> None:
    async with watched(tmp_path) as lab:
        lab.world.deaf = "show channels"
        lab.fake.cut()
        await lab.until(SwitchDown)
        before = len(lab.fake.commands("api show channels"))
        await lab.fake.command("api show channels", before + 1)
        lab.fake.send(park("c-1"))
        lab.world.deaf = ""
        lab.fake.send(api_response('{"row_count":0}'))
        assert isinstance(await lab.until(SwitchEvent), SwitchUp)
        assert isinstance(await lab.until(ChannelArrived), ChannelArrived)


async def test_bridges_told_by_the_switch_alone(tmp_path: Path) -> None:
    """It bridged two legs itself (a phone's attended transfer): the older pairs are told apart first."""
    world = World()
    for mine, peer in (("a", "b"), ("b", "a")):
        world.channel(mine, **{"Channel-State": "CS_EXCHANGE_MEDIA", "variable_signal_bond": peer})
    world.channel("c")
    async with watched(tmp_path, world) as lab:
        lab.fake.send(
            json_event("CHANNEL_BRIDGE", {"Unique-ID": "a", "Bridge-A-Unique-ID": "a", "Bridge-B-Unique-ID": "c"})
        )
        told = await lab.rest()
        assert [type(event) for event in told] == [Unbridged, Bridged]


# --- commands


async def test_commands_without_a_connection(tmp_path: Path) -> None:
    world = World()
    world.channel("c-1")
    async with watched(tmp_path, world) as lab:
        lab.fake.refusing = True
        lab.fake.cut()
        await lab.until(SwitchDown)
        for command in (
            lab.switch.answer(ChannelId("c-1")),
            lab.switch.channels(),
            lab.switch.endpoints(),
            lab.switch.originate(ChannelId("n-1"), PhoneDestination("ana"), caller_number="1"),
        ):
            with pytest.raises(SwitchUnreachable):
                await command


async def test_an_originate_under_a_cut_is_sent_once(tmp_path: Path) -> None:
    async with watched(tmp_path) as lab:
        lab.world.deaf = "originate"
        call = asyncio.create_task(lab.switch.originate(ChannelId("n-1"), PhoneDestination("ana"), caller_number="1"))
        await lab.fake.command("bgapi originate")
        lab.fake.cut()
        with pytest.raises(SwitchUnreachable):
            await call
        lab.world.deaf = ""
        await lab.until(SwitchUp)
        assert len(lab.fake.commands("bgapi originate")) == 1


@pytest.mark.parametrize(
    ("disposition", "told"),
    [("recv_bye", ["ChannelAnswered", "ChannelHungUp"]), ("recv_refuse", [])],
    ids=["said goodbye", "refused"],
)
async def test_gone_before_the_switch_noted_the_answer(tmp_path: Path, disposition: str, told: list[str]) -> None:
    """A goodbye is of somebody who had answered; what a refusal leads to is the dialler's to tell."""
    of_it = {"Unique-ID": "n-1", "Call-Direction": "outbound", "Caller-Channel-Answered-Time": "0"}
    gone = {**of_it, "Hangup-Cause": "NORMAL_CLEARING", "variable_sip_hangup_disposition": disposition}
    async with watched(tmp_path) as lab:
        await lab.switch.originate(ChannelId("n-1"), PhoneDestination("ana"), caller_number="1")
        lab.fake.send(json_event("CHANNEL_CREATE", of_it), json_event("CHANNEL_HANGUP_COMPLETE", gone))
        await (lab.until(ChannelHungUp) if told else lab.rest())
        seen = [event for event in lab.seen if getattr(event, "channel", None) == "n-1"]
        assert kinds(seen) == told
        assert all(event.answered for event in seen if isinstance(event, ChannelHungUp))


@pytest.mark.parametrize("channel", ["", "a b", "a\nb", "a{b", "${a}"])
async def test_ids_that_cannot_be_are_refused(tmp_path: Path, channel: str) -> None:
    async with watched(tmp_path) as lab:
        with pytest.raises(CommandRefused):
            await lab.switch.originate(ChannelId(channel), PhoneDestination("ana"), caller_number="1")
        assert not lab.fake.commands("bgapi")


# --- words


@pytest.mark.parametrize(
    ("name", "answered", "cause"),
    [
        ("NORMAL_CLEARING", True, HangupCause.NORMAL),
        ("ORIGINATOR_CANCEL", False, HangupCause.CANCELLED),
        ("USER_NOT_REGISTERED", False, HangupCause.UNREACHABLE),
        ("NORMAL_TEMPORARY_FAILURE", False, HangupCause.CONGESTION),
        ("RECOVERY_ON_TIMER_EXPIRE", False, HangupCause.UNREACHABLE),
        ("RECOVERY_ON_TIMER_EXPIRE", True, HangupCause.TIMEOUT),
        ("NEVER_HEARD_OF", True, HangupCause.OTHER),
    ],
)
def test_causes(name: str, answered: bool, cause: HangupCause) -> None:
    assert cause_of(name, answered=answered) is cause


def test_results_of_jobs() -> None:
    assert originate_failure("+OK 1234\n") == ""
    assert originate_failure("-ERR USER_BUSY\n") == "USER_BUSY"
    assert originate_failure("") == ""


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("<sip:0998887766@127.0.0.1>", "0998887766"),
        ("<sip:%2A55@h;transport=tcp>", "*55"),
        ("sips:a@h", "a"),
        ("<tel:123>", ""),
        ("", ""),
    ],
)
def test_refer_targets(header: str, target: str) -> None:
    assert refer_target(header) == target


# --- recordings whose writer died


def torn_recording(path: Path, frames: int, extra: bytes = b"") -> None:
    """As a killed FreeSWITCH leaves it: a head that says nothing is there."""
    head = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x40\x1f\0\0\0\x7d\0\0\x04\0\x10\0data\0\0\0\0"
    path.write_bytes(head + b"\1\0\2\0" * frames + extra)


def test_a_torn_recording_is_made_whole(tmp_path: Path) -> None:
    spec = RecordingSpec(RecordingId("r"), tmp_path / "r.wav")
    torn_recording(wav.unfinished(spec.path), 16000, extra=b"\1\0\2")
    file = wav.finish(spec.path)
    assert file is not None
    assert (file.path, file.channels, file.seconds) == (spec.path, 2, 2.0)
    data = spec.path.read_bytes()
    assert int.from_bytes(data[40:44], "little") == len(data) - 44 == 64000
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    assert wav.finish(spec.path) == file


@pytest.mark.parametrize("content", [b"", b"RIFF", b"\0" * 100, b"RIFF\0\0\0\0WAVEfmt "])
def test_what_is_no_recording_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.wav"
    wav.unfinished(path).write_bytes(content)
    assert wav.finish(path) is None
    assert wav.finish(tmp_path / "never.wav") is None
