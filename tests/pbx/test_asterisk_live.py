"""What only Asterisk needs proven on a real one: a new daemon finds calls and recordings, a disk that fills, spoofed
trunks, connections that break at bad moments."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from foundation.clock import SystemClock
from pbx.asterisk.switch import AsteriskSwitch
from pbx.events import (
    ChannelArrived,
    ChannelHungUp,
    DigitReceived,
    PlaybackEnd,
    PlaybackFinished,
    RecordingFailed,
    RecordingStarted,
    RecordingStopped,
    SwitchDown,
    SwitchUp,
)
from pbx.sip.agent import SipPhone
from pbx.terms import PlaybackId, RecordingId, RecordingSpec, SwitchError
from tests.support.calls import LEFT, RIGHT, SERVICE, caller, holds, pair
from tests.support.engines import Engine, start_engine
from tests.support.lab import AGENT_HZ, CALLER_HZ, SipLab

pytestmark = pytest.mark.switch("asterisk")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with start_engine("asterisk") as running:
        yield running


@pytest.fixture
async def lab(engine: Engine) -> AsyncIterator[SipLab]:
    async with engine.lab() as laboratory:
        yield laboratory


async def new_daemon(engine: Engine, lab: SipLab) -> AsteriskSwitch:
    """The old one is gone without a word to the switch; a new one, which knows nothing, takes its place in the lab."""
    assert lab._reader
    lab._reader.cancel()
    await asyncio.gather(lab._reader, return_exceptions=True)
    await lab.switch.__aexit__()
    fresh = engine.make_switch(engine.ports.control, engine.ports.manager)
    assert isinstance(fresh, AsteriskSwitch)
    lab.switch = fresh
    lab.seen.clear()
    lab._unread.clear()
    await lab._stack.enter_async_context(fresh)
    lab._reader = asyncio.create_task(lab._read())
    await lab.eventually(SwitchUp)
    return fresh


async def test_a_new_daemon_finds_the_call_its_hold_and_its_recording(engine: Engine, lab: SipLab) -> None:
    customer, desk = await pair(lab)
    spec = lab.recording()
    await lab.switch.record(customer.channel, spec)
    await lab.eventually(RecordingStarted)
    await lab.wait(1.0)
    await lab.switch.hold(customer.channel)
    assert await lab.hears_music(customer.call, absent=[AGENT_HZ])
    switch = await new_daemon(engine, lab)
    found = {one.channel: one for one in await switch.channels()}
    assert found[customer.channel].bridged_to == desk.channel
    assert (found[customer.channel].inbound, found[desk.channel].inbound) == (True, False)
    assert found[desk.channel].remote_number == "agente1"
    await lab.never(ChannelArrived)
    await switch.unhold(customer.channel)
    assert await customer.call.hears(AGENT_HZ)
    assert await desk.call.hears(CALLER_HZ)
    await customer.call.send_digits("5")
    assert (await lab.eventually(DigitReceived)).channel == customer.channel
    await switch.stop_recording(customer.channel, spec.id)
    file = (await lab.eventually(RecordingStopped, recording=spec.id)).file
    assert file.seconds > 1.5
    assert holds(spec.path, LEFT, CALLER_HZ, 0.2, 0.9)
    assert holds(spec.path, RIGHT, AGENT_HZ, 0.2, 0.9)


async def test_a_new_daemon_gets_the_end_of_a_recording_by_hang_up(engine: Engine, lab: SipLab) -> None:
    customer = await caller(lab)
    spec = lab.recording()
    await lab.switch.record(customer.channel, spec)
    await lab.eventually(RecordingStarted)
    await new_daemon(engine, lab)
    await lab.wait(0.5)
    await customer.call.hangup()
    assert (await lab.eventually(ChannelHungUp)).answered
    assert (await lab.eventually(RecordingStopped, recording=spec.id)).file.path == spec.path


@pytest.fixture
def small_disk(engine: Engine) -> Iterator[Path]:
    """96 kB: three seconds of a recording."""
    folder = engine.folder / "small"
    folder.mkdir()
    owner = engine.folders.recordings.stat()
    options = f"size=96k,uid={owner.st_uid},gid={owner.st_gid},mode=755"
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=False, capture_output=True
    )
    if made.returncode:
        folder.rmdir()
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


async def test_the_disk_fills_in_mid_call(lab: SipLab, small_disk: Path) -> None:
    customer, desk = await pair(lab)
    spec = RecordingSpec(RecordingId("disco-lleno"), small_disk / "a.wav")
    await lab.switch.record(customer.channel, spec)
    failed = await lab.eventually(RecordingFailed, timeout=20.0, recording=spec.id)
    assert failed.reason == os.strerror(28)
    assert failed.file is not None
    assert 1.5 < failed.file.seconds < 4.0
    assert holds(spec.path, LEFT, CALLER_HZ, 0.2, 1.2)
    assert await customer.call.hears(AGENT_HZ)
    assert await desk.call.hears(CALLER_HZ)
    await lab.never(ChannelHungUp)


async def test_no_room_for_a_recording_at_all(lab: SipLab, small_disk: Path) -> None:
    (small_disk / "full").write_bytes(b"x" * 90_000)
    with (small_disk / "fuller").open("wb", buffering=0) as rest:
        try:
            while rest.write(b"x" * 512):
                pass
        except OSError:
            pass
    customer = await caller(lab)
    await lab.switch.record(customer.channel, RecordingSpec(RecordingId("sin-sitio"), small_disk / "a.wav"))
    assert (await lab.eventually(RecordingFailed)).reason == os.strerror(28)
    assert await customer.call.hears_silence()


@pytest.mark.parametrize("name", ["trunk.norte.gw1", "agente1"])
async def test_nobody_becomes_a_peer_by_writing_its_name(lab: SipLab, name: str) -> None:
    async with SipPhone(name, host="127.0.0.9") as stranger:
        call = await stranger.call(SERVICE, lab.server, wait=False)
        await lab.never(ChannelArrived, during_s=1.0)
        assert not call.answered.is_set()
        assert call.status in (None, 401, 403)


async def test_the_manager_connection_alone_is_lost(engine: Engine, lab: SipLab) -> None:
    customer = await caller(lab)
    switch = lab.switch
    assert isinstance(switch, AsteriskSwitch)
    manager = switch._watch._ami._manager
    manager.protocol.transport.abort()
    async with asyncio.timeout(8):
        while switch._watch._ami._manager in (None, manager):
            await lab.wait(0.02)
    assert len(await switch.channels()) == 1
    await lab.never(SwitchDown, during_s=0.1)
    spec = lab.recording()
    await switch.record(customer.channel, spec)
    await lab.eventually(RecordingStarted, recording=spec.id)


async def test_asterisk_survives_connections_that_break_while_phones_come_and_go(engine: Engine, lab: SipLab) -> None:
    """An application that is subscribed to all endpoints would kill it here (see `AriClient.subscribe`)."""
    customer, desk = await pair(lab)
    phone = await lab.phone("agente2", 1050)

    async def churn() -> None:
        while True:
            await phone.unregister()
            await phone.register(lab.server)

    churning = asyncio.create_task(churn())
    try:
        for _ in range(10):
            await lab.lose_connection()
            await lab.eventually(SwitchDown)
            await lab.restore()
            await lab.eventually(SwitchUp, timeout=15.0)
    finally:
        churning.cancel()
        await asyncio.gather(churning, return_exceptions=True)
    assert await customer.call.hears(AGENT_HZ)
    assert all(event.same_life for event in lab.seen if isinstance(event, SwitchUp))
    assert {one.bridged_to for one in await lab.switch.channels()} == {customer.channel, desk.channel}


async def test_a_wrong_password_is_told_and_tried_again(
    engine: Engine, lab: SipLab, caplog: pytest.LogCaptureFixture
) -> None:
    good = engine.make_switch(engine.ports.control, engine.ports.manager)
    assert isinstance(good, AsteriskSwitch)
    wrong = replace(good._ari._link, ari_password="falsa", app="otra")
    async with AsteriskSwitch(wrong, engine.settings, engine.sounds(), SystemClock()) as switch:
        async with asyncio.timeout(5):
            while "no connection to Asterisk" not in caplog.text:
                await lab.wait(0.02)
        with pytest.raises(SwitchError):
            await switch.channels()
    assert "falsa" not in caplog.text


async def test_calls_of_both_gateways_at_once(lab: SipLab) -> None:
    """Forty callers within a second: every arrival is told, every answer arrives."""
    calls = [
        await (lab.gateway if number % 2 else lab.second_gateway).call(SERVICE, lab.server, wait=False)
        for number in range(40)
    ]
    arrived = [await lab.eventually(ChannelArrived) for _ in calls]
    assert len({event.channel for event in arrived}) == 40
    await asyncio.gather(*(lab.switch.answer(event.channel) for event in arrived))
    for call in calls:
        await lab.happens(call.answered)


async def test_commands_do_not_wait_for_the_end_of_a_prompt(lab: SipLab) -> None:
    """Asterisk puts what ARI sets on a channel in one line with the channel's prompts."""
    customer = await caller(lab)
    await lab.switch.play(customer.channel, PlaybackId(lab.id("aviso")), [lab.sound(800, 20.0)])
    assert await customer.call.hears(800)
    spec = lab.recording()
    async with asyncio.timeout(2):
        await lab.switch.set_variable(customer.channel, "dato", "ahora")
        assert await lab.switch.get_variable(customer.channel, "dato") == "ahora"
        await lab.switch.record(customer.channel, spec)
        await lab.switch.stop_recording(customer.channel, spec.id)
        await lab.switch.stop_playback(customer.channel)
    assert (await lab.eventually(PlaybackFinished)).end is PlaybackEnd.STOPPED
    assert await customer.call.hears_silence()
