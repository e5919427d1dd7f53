"""Order on one leg, against a fake event socket: what may be sent only after the switch has told something."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pbx.events import (
    Bridged,
    ChannelAnswered,
    ChannelHungUp,
    PlaybackEnd,
    PlaybackFinished,
    PlaybackStarted,
    RecordingFailed,
    RecordingStarted,
    RecordingStopped,
    SwitchEvent,
    TransferAsked,
    Unbridged,
)
from pbx.freeswitch import recording, wav
from pbx.terms import (
    ChannelId,
    CommandRefused,
    FileSound,
    HangupCause,
    NumberDestination,
    PlaybackId,
    RecordingId,
    RecordingSpec,
)
from tests.support.fake_esl import json_event
from tests.support.fake_switch import Watched, World, watched

LEG = ChannelId("c-1")
HUNG_UP = json_event("CHANNEL_HANGUP_COMPLETE", {"Unique-ID": LEG, "Hangup-Cause": "NORMAL_CLEARING"})
TRUNK = {
    "name": "norte",
    "gateways": [{"name": "gw1", "host": "192.0.2.1"}, {"name": "gw2", "host": "192.0.2.2", "priority": 2}],
    "keepalive_s": 0,
}


def world(*channels: str) -> World:
    made = World()
    for channel in channels or (LEG,):
        made.channel(channel)
    return made


def sound(folder: Path) -> FileSound:
    path = folder / "tono.wav"
    soundfile.write(path, np.zeros(800, "int16"), 8000, subtype="PCM_16")
    path.chmod(0o644)
    return FileSound(str(path))


async def played(lab: Watched, folder: Path, name: str, count: int) -> str:
    """Play it, and the token of what was sent."""
    task = asyncio.create_task(lab.switch.play(LEG, PlaybackId(name), [sound(folder)]))
    sent = await lab.fake.command(f"sendmsg {LEG}", count)
    await task
    return sent.headers["Event-UUID"]


def started(token: str) -> bytes:
    return json_event("PLAYBACK_START", {"Unique-ID": LEG, "variable_app_uuid": token})


def completed(token: str, response: str = "FILE PLAYED") -> bytes:
    headers = {"Unique-ID": LEG, "Application-UUID": token, "Application-Response": response}
    return json_event("CHANNEL_EXECUTE_COMPLETE", headers)


async def ended(lab: Watched, name: str) -> PlaybackFinished:
    event = await lab.until(PlaybackFinished)
    assert isinstance(event, PlaybackFinished)
    assert event.playback == name
    return event


async def test_a_break_waits_until_the_playback_runs(tmp_path: Path) -> None:
    async with watched(tmp_path, world()) as lab:
        token = await played(lab, tmp_path, "p-1", 1)
        await lab.switch.stop_playback(LEG)
        await lab.switch.set_variable(LEG, "a", "b")  # whatever was to be sent before it, has been
        assert not lab.fake.commands("api uuid_break")
        lab.fake.send(started(token))
        await lab.fake.command("api uuid_break")
        lab.fake.send(completed(token))
        assert (await ended(lab, "p-1")).end is PlaybackEnd.STOPPED
        assert len(lab.fake.commands("api uuid_break")) == 1


async def test_a_newer_playback_is_sent_when_the_older_has_ended(tmp_path: Path) -> None:
    async with watched(tmp_path, world()) as lab:
        first = await played(lab, tmp_path, "p-1", 1)
        lab.fake.send(started(first))
        newer = asyncio.create_task(lab.switch.play(LEG, PlaybackId("p-2"), [sound(tmp_path)]))
        await lab.fake.command("api uuid_break")
        assert len(lab.fake.commands("sendmsg")) == 1
        lab.fake.send(completed(first))
        second = (await lab.fake.command("sendmsg", 2)).headers["Event-UUID"]
        await newer
        assert (await ended(lab, "p-1")).end is PlaybackEnd.STOPPED
        lab.fake.send(started(second), completed(second))
        await lab.until(PlaybackStarted)
        assert (await ended(lab, "p-2")).end is PlaybackEnd.DONE


async def test_a_playback_that_the_switch_cannot_do(tmp_path: Path) -> None:
    async with watched(tmp_path, world()) as lab:
        token = await played(lab, tmp_path, "p-1", 1)
        lab.fake.send(completed(token, "FILE NOT FOUND"))
        event = await ended(lab, "p-1")
        assert (event.end, event.detail) == (PlaybackEnd.FAILED, "FILE NOT FOUND")


@pytest.mark.parametrize("rate", [8000, 16_000, 48_000])
async def test_a_wideband_leg_hears_files_of_twice_the_rate(tmp_path: Path, rate: int) -> None:
    async with watched(tmp_path, world()) as lab:
        lab.fake.send(json_event("CHANNEL_PARK", {"Unique-ID": LEG, "Channel-Read-Codec-Rate": str(rate)}))
        await lab.rest()  # it was taken in
        await played(lab, tmp_path, "p-1", 1)
        (sent,) = lab.fake.commands(f"sendmsg {LEG}")
        assert soundfile.info(sent.headers["execute-app-arg"]).samplerate == min(rate, 16_000)


async def test_the_hang_up_is_the_last_event(tmp_path: Path) -> None:
    async with watched(tmp_path, world()) as lab:
        token = await played(lab, tmp_path, "p-1", 1)
        lab.fake.send(
            started(token), json_event("CHANNEL_HANGUP_COMPLETE", {"Unique-ID": LEG, "Hangup-Cause": "NORMAL_CLEARING"})
        )
        assert (await ended(lab, "p-1")).end is PlaybackEnd.STOPPED
        end = await lab.until(ChannelHungUp)
        assert isinstance(end, ChannelHungUp)
        assert (end.cause, end.by_us) == (HangupCause.NORMAL, False)
        lab.fake.send(completed(token))
        assert await lab.rest() == []


async def test_a_playback_waits_for_the_park_after_a_bridge(tmp_path: Path) -> None:
    async with watched(tmp_path, world()) as lab:
        lab.fake.send(json_event("CHANNEL_UNPARK", {"Unique-ID": LEG}))
        await lab.rest()
        play = asyncio.create_task(lab.switch.play(LEG, PlaybackId("p-1"), [sound(tmp_path)]))
        await lab.rest()
        assert not lab.fake.commands("sendmsg")
        lab.fake.send(json_event("CHANNEL_PARK", {"Unique-ID": LEG, "Call-Direction": "inbound"}))
        await lab.fake.command("sendmsg")
        await play


async def test_a_stream_begins_in_a_park_loop_of_its_own(tmp_path: Path) -> None:
    """A `unicast` in a loop that began before the answer would end the whole switch."""
    async with watched(tmp_path, world()) as lab:
        opening = asyncio.create_task(lab.switch.open_stream(LEG))
        await lab.fake.command(f"api uuid_transfer {LEG} park inline")
        await lab.rest()
        assert not lab.fake.commands("sendmsg")
        lab.fake.send(json_event("CHANNEL_PARK", {"Unique-ID": LEG, "Call-Direction": "inbound"}))
        sent = await lab.fake.command("sendmsg")
        assert sent.headers["call-command"] == "unicast"
        stream = await opening
        closing = asyncio.create_task(stream.close())
        await lab.fake.command(f"api uuid_transfer {LEG} park inline", 2)
        lab.fake.send(json_event("CHANNEL_PARK", {"Unique-ID": LEG, "Call-Direction": "inbound"}))
        await closing


# --- pairs


def bridged(a: str, b: str) -> bytes:
    return json_event("CHANNEL_BRIDGE", {"Unique-ID": a, "Bridge-A-Unique-ID": a, "Bridge-B-Unique-ID": b})


def unbridged(a: str, b: str) -> bytes:
    return json_event("CHANNEL_UNBRIDGE", {"Unique-ID": a, "Bridge-A-Unique-ID": a, "Bridge-B-Unique-ID": b})


async def paired(lab: Watched) -> None:
    await lab.switch.bridge(ChannelId("a"), ChannelId("b"))
    lab.fake.send(bridged("a", "b"))
    await lab.until(Bridged)


async def test_a_bridge_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    made = world("a", "b", "c")
    async with watched(tmp_path, made) as lab:
        await paired(lab)
        made.refused = "uuid_bridge"
        with pytest.raises(CommandRefused):
            await lab.switch.bridge(ChannelId("a"), ChannelId("c"))
        assert await lab.rest() == []
        assert {one.channel: one.bridged_to for one in await lab.switch.channels()}["a"] == "b"


async def test_a_referral_puts_the_pair_back_and_asks(tmp_path: Path) -> None:
    """A phone's blind transfer: the switch takes the pair apart by itself, and we put it together again."""
    async with watched(tmp_path, world("a", "b")) as lab:
        await paired(lab)
        lab.fake.send(
            json_event("CUSTOM", {"Event-Subclass": "sofia::transferor", "Unique-ID": "b"}),
            unbridged("a", "b"),
            json_event("CHANNEL_PARK", {"Unique-ID": "b"}),
            json_event("CHANNEL_PARK", {"Unique-ID": "a", "variable_sip_refer_to": "<sip:0998887766@192.0.2.1>"}),
        )
        asked = await lab.until(TransferAsked)
        assert isinstance(asked, TransferAsked)
        assert (asked.channel, asked.target, asked.consult) == ("b", "0998887766", None)
        await lab.fake.command("api uuid_bridge", 2)
        lab.fake.send(bridged("a", "b"))
        assert await lab.rest() == []


async def test_an_attended_referral_is_told_with_the_consulted_leg(tmp_path: Path) -> None:
    async with watched(tmp_path, world("a", "b", "b2", "c")) as lab:
        await paired(lab)
        headers = {"Event-Subclass": "sofia::transferor", "Unique-ID": "b", "att_xfer_destination_peer_uuid": "b2"}
        lab.fake.send(json_event("CUSTOM", headers), bridged("a", "c"))
        told = await lab.rest()
        assert [type(event) for event in told] == [TransferAsked, Unbridged, Bridged]
        assert told[0] == TransferAsked(at=told[0].at, channel=ChannelId("b"), target="", consult=ChannelId("b2"))


# --- calling out


def result(job: str, text: str) -> bytes:
    return json_event("BACKGROUND_JOB", {"Job-UUID": job}, body=text)


async def test_the_next_gateway_is_tried_when_the_first_leg_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the same id, which is free only then."""
    monkeypatch.setattr("pbx.freeswitch.dialling._DESTROY_S", 60.0)  # however long this machine takes
    async with watched(tmp_path, world(), trunks=[TRUNK]) as lab:
        await lab.switch.originate(ChannelId("n-1"), NumberDestination("0998887766"), caller_number="072000000")
        first = await lab.fake.command("bgapi originate")
        assert "sofia/gateway/norte.gw1/0998887766 " in first.line
        lab.fake.send(
            json_event("CHANNEL_CREATE", {"Unique-ID": "n-1"}),
            json_event("CHANNEL_HANGUP_COMPLETE", {"Unique-ID": "n-1", "Hangup-Cause": "NORMAL_TEMPORARY_FAILURE"}),
            result(first.headers["Job-UUID"], "-ERR NORMAL_TEMPORARY_FAILURE\n"),
        )
        assert await lab.rest() == []
        assert len(lab.fake.commands("bgapi originate")) == 1
        lab.fake.send(json_event("CHANNEL_DESTROY", {"Unique-ID": "n-1"}))
        second = await lab.fake.command("bgapi originate", 2)
        assert "sofia/gateway/norte.gw2/0998887766 " in second.line
        assert "origination_uuid=n-1" in second.line
        lab.fake.send(
            json_event("CHANNEL_PARK", {"Unique-ID": "n-1", "Answer-State": "answered"}),
            result(second.headers["Job-UUID"], "+OK n-1\n"),
        )
        assert isinstance(await lab.until(SwitchEvent), ChannelAnswered)


async def test_the_answer_of_a_called_leg_is_told_when_it_parks(tmp_path: Path) -> None:
    """A bridge between the answer and the park loses calls."""
    async with watched(tmp_path, world(), trunks=[TRUNK]) as lab:
        await lab.switch.originate(ChannelId("n-1"), NumberDestination("0998887766"), caller_number="072000000")
        lab.fake.send(
            json_event("CHANNEL_CREATE", {"Unique-ID": "n-1"}), json_event("CHANNEL_ANSWER", {"Unique-ID": "n-1"})
        )
        assert await lab.rest() == []
        lab.fake.send(json_event("CHANNEL_PARK", {"Unique-ID": "n-1"}))
        assert isinstance(await lab.until(SwitchEvent), ChannelAnswered)


async def test_a_call_that_never_became_a_channel_ends_all_the_same(tmp_path: Path) -> None:
    async with watched(tmp_path, world(), trunks=[{**TRUNK, "gateways": TRUNK["gateways"][:1]}]) as lab:  # type: ignore[index]
        await lab.switch.originate(ChannelId("n-1"), NumberDestination("0998887766"), caller_number="")
        sent = await lab.fake.command("bgapi originate")
        lab.fake.send(result(sent.headers["Job-UUID"], "-ERR GATEWAY_DOWN\n"))
        end = await lab.until(ChannelHungUp)
        assert isinstance(end, ChannelHungUp)
        assert (end.channel, end.cause, end.answered) == ("n-1", HangupCause.UNREACHABLE, False)


# --- recordings


def spec_in(folder: Path) -> RecordingSpec:
    return RecordingSpec(RecordingId("r-1"), folder / "con espacio" / "r-1.wav")


def record_event(name: str, spec: RecordingSpec, **more: str) -> bytes:
    path = str(wav.unfinished(spec.path))
    return json_event(name, {"Unique-ID": LEG, "Record-File-Path": path, **more})


def write_recording(spec: RecordingSpec, seconds: float) -> None:
    soundfile.write(wav.unfinished(spec.path), np.zeros((round(8000 * seconds), 2), "int16"), 8000, subtype="PCM_16")


async def test_a_recording_is_complete_before_the_hang_up(tmp_path: Path) -> None:
    spec = spec_in(tmp_path)
    async with watched(tmp_path, world()) as lab:
        await lab.switch.record(LEG, spec)
        sent = await lab.fake.command("api uuid_record")
        assert sent.line.endswith("/con\\sespacio/r-1.part.wav")
        write_recording(spec, 1.5)
        lab.fake.send(
            record_event("RECORD_START", spec),
            record_event("RECORD_STOP", spec),
            HUNG_UP,
        )
        assert isinstance(await lab.until(SwitchEvent), RecordingStarted)
        stopped = await lab.until(SwitchEvent)
        assert isinstance(stopped, RecordingStopped)
        assert (stopped.file.path, stopped.file.channels, stopped.file.seconds) == (spec.path, 2, 1.5)
        assert isinstance(await lab.until(SwitchEvent), ChannelHungUp)


async def test_a_recording_whose_stop_was_missed_is_complete_with_the_hang_up(tmp_path: Path) -> None:
    spec = spec_in(tmp_path)
    async with watched(tmp_path, world()) as lab:
        await lab.switch.record(LEG, spec)
        write_recording(spec, 1.0)
        lab.fake.send(HUNG_UP)
        assert isinstance(await lab.until(SwitchEvent), RecordingStopped)
        assert isinstance(await lab.until(SwitchEvent), ChannelHungUp)


async def test_a_write_that_fails_is_told(tmp_path: Path) -> None:
    spec = spec_in(tmp_path)
    async with watched(tmp_path, world()) as lab:
        await lab.switch.record(LEG, spec)
        write_recording(spec, 1.0)
        lab.fake.send(record_event("RECORD_STOP", spec, **{"Record-Completion-Cause": "uri-failure"}))
        failed = await lab.until(RecordingFailed)
        assert isinstance(failed, RecordingFailed)
        assert failed.file is not None
        assert failed.file.seconds == 1.0


async def test_a_full_disk_is_noticed_though_the_switch_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_in(tmp_path)
    monkeypatch.setattr(recording, "_LOOK_EVERY_S", 0.01)

    class Full:
        f_bavail, f_frsize = 0, 4096

    monkeypatch.setattr(os, "statvfs", lambda _: Full)
    async with watched(tmp_path, world()) as lab:
        (spec.path.parent).mkdir()
        write_recording(spec, 1.0)
        await lab.switch.record(LEG, spec)
        failed = await lab.until(RecordingFailed)
        assert isinstance(failed, RecordingFailed)
        assert failed.reason == os.strerror(28)
        assert failed.file is not None
        stop = (await lab.fake.command("api uuid_record", 2)).line
        assert " stop " in stop
        lab.fake.send(record_event("RECORD_STOP", spec))
        assert await lab.rest() == []


async def test_a_recording_that_cannot_begin_is_news_and_no_error(tmp_path: Path) -> None:
    made = world()
    made.refused = "uuid_record"
    async with watched(tmp_path, made) as lab:
        await lab.switch.record(LEG, spec_in(tmp_path))
        assert isinstance(await lab.until(SwitchEvent), RecordingFailed)
