"""No room for recordings: the call goes on, somebody is told, nothing crashes."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.platform import ENGINE, PlatformProcess, running_platform
from tests.support.stage import check_voices, hear_each_other, on_stage, talk_on


@pytest.fixture(scope="module")
def no_room() -> Iterator[PlatformProcess]:
    """As if the disk were full from the start: no machine has so much free."""
    with running_platform(recording__min_free_mb=10**9) as process:
        yield process


async def test_no_room_at_the_start(no_room: PlatformProcess) -> None:
    async with on_stage(no_room) as stage, stage.live("alerts") as event:
        citizen = await stage.citizen()
        await citizen.to_queue()
        leg = await stage.phones["ana"].next_call()
        await hear_each_other(citizen.call, leg)
        alert = await event("recording_failed")
        record = await citizen.record()
        assert alert["id"] == record["id"]
        assert "MB free" in alert["data"]["message"] or "space" in alert["data"]["message"]
        await hear_each_other(citizen.call, leg)
        await citizen.call.hangup()
        record = await citizen.closed()
        assert (record["exit_reason"], record["agent"]) == ("completed", "ana")
        failed = await citizen.fact("recording_failed")
        assert failed["data"]["reason"]
        assert not list((no_room.var / "recordings").rglob("*.*"))
        _not_a_crash(no_room)


def _not_a_crash(process: PlatformProcess) -> None:
    assert process.runs
    assert process.server_pid(ENGINE)
    log = process.log.read_text()
    assert not any(bad in log for bad in ("call.broken", "process.uncaught", "asyncio.uncaught"))
    assert process.said("alert") is not None


async def test_no_file_may_grow_any_more_in_mid_recording(platform: PlatformProcess) -> None:
    """The kernel refuses the switch's writes beyond a size, as a quota does; later it lets them through again."""
    pid = platform.server_pid(ENGINE)
    assert pid is not None
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    async with on_stage(platform) as stage:
        async with stage.live("alerts") as event:
            citizen, leg = await stage.talk()
            await talk_on(citizen.call, 1.2)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (16_384, before[1]))
            try:
                alert = await event("recording_failed")
            finally:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
            assert alert["id"] == (await citizen.record())["id"]
            await hear_each_other(citizen.call, leg)
            await citizen.call.hangup()
        record = await citizen.closed()
        assert record["exit_reason"] == "completed"
        assert record["recordings"][0]["state"] == "failed"
        assert platform.server_pid(ENGINE) == pid
        _not_a_crash(platform)
        await stage.api.agent_becomes("ana", "ready")

        again, _ = await stage.talk()
        await talk_on(again.call, 1)
        await again.call.hangup()
        record = await again.closed()
        check_voices(await again.recorded(record), at_least_s=0.9)


def _may_mount() -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    command = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _may_mount(), reason="only root may mount a small disk")
async def test_the_disk_fills_in_mid_recording() -> None:
    """A disk of its own for the recordings, as small as two seconds; seen by this platform alone."""
    process = PlatformProcess(recording__min_free_mb=0)
    folder = process.var / "recordings"
    script = 'mkdir -p "$0" && mount -t tmpfs -o size=96k,mode=0777 tmpfs "$0" && exec "$@"'
    try:
        process.start(wrapper=["unshare", "--mount", "sh", "-c", script, str(folder)])
        await asyncio.to_thread(process.token)
        async with on_stage(process) as stage, stage.live("alerts") as event:
            citizen, leg = await stage.talk()
            alert = await event("recording_failed")
            assert "space" in alert["data"]["message"].lower()
            await hear_each_other(citizen.call, leg)
            await citizen.call.hangup()
            record = await citizen.closed()
            assert record["exit_reason"] == "completed"
            recording = record["recordings"][0]
            assert recording["state"] == "failed"
            # The next call finds the disk full from the start.
            await stage.api.agent_becomes("ana", "ready")
            again = await stage.citizen(port=0)
            await again.to_queue()
            leg = await stage.phones["ana"].next_call()
            await hear_each_other(again.call, leg)
            await event("recording_failed")
            await again.call.hangup()
            assert (await again.closed())["exit_reason"] == "completed"
        _not_a_crash(process)
    finally:
        process.close()
