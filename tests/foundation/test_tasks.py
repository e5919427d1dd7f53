"""Lifetimes: what dies is told, what stops does so in order, what will not stop is named."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from foundation.tasks import Aborted, Supervisor, TaskDied

ROOT = Path(__file__).parents[2]


async def forever() -> None:
    await asyncio.Event().wait()


async def fail(message: str = "boom") -> None:
    raise ValueError(message)


async def test_it_stops_when_asked_and_tells_why() -> None:
    async with Supervisor() as supervisor:
        task = supervisor.start("bus", forever())
        asyncio.get_running_loop().call_soon(supervisor.stop, "asked")
        await supervisor.wait()
    assert task.cancelled()
    assert supervisor.report is not None
    assert (supervisor.report.reason, supervisor.report.died, supervisor.report.aborted) == ("asked", None, ())


@pytest.mark.parametrize("how", ["raises", "returns", "is cancelled"])
async def test_a_dead_task_stops_the_daemon(how: str) -> None:
    supervisor = Supervisor()
    others: list[asyncio.Task[object]] = []

    async def daemon() -> None:
        async with asyncio.timeout(10), supervisor:
            others.append(supervisor.start("web", forever()))
            match how:
                case "raises":
                    supervisor.start("bus", fail())
                case "returns":
                    supervisor.start("bus", asyncio.sleep(0))
                case _:
                    supervisor.start("bus", forever()).cancel()
            await supervisor.wait()

    with pytest.raises(TaskDied, match="bus") as caught:
        await daemon()
    (other,) = others
    assert other.cancelled()
    assert isinstance(caught.value.__cause__, ValueError) is (how == "raises")
    assert supervisor.report is not None
    assert supervisor.report.died == "bus"


async def test_jobs_may_end_and_fail_unless_they_are_critical() -> None:
    async with asyncio.timeout(10), Supervisor() as supervisor:
        await asyncio.wait({supervisor.spawn("call-1", asyncio.sleep(0)), supervisor.spawn("call-2", fail())})
        assert not supervisor.stopping

    async def daemon() -> None:
        async with asyncio.timeout(10), Supervisor() as supervisor:
            supervisor.spawn("ledger", fail(), critical=True)
            await supervisor.wait()

    with pytest.raises(TaskDied, match="ledger"):
        await daemon()


async def test_the_order_of_a_shutdown() -> None:
    steps: list[str] = []

    def step(name: str):  # type: ignore[no-untyped-def]
        async def run() -> None:
            steps.append(name)

        return run

    async def task(name: str) -> None:
        try:
            await forever()
        finally:
            steps.append(f"{name} cancelled")

    async with Supervisor() as supervisor:
        for name in ("store", "web"):
            supervisor.start(name, task(name))
            supervisor.part(
                name,
                stop_intake=step(f"{name} stops intake"),
                drain=step(f"{name} drains"),
                close=step(f"{name} closes"),
            )
        await asyncio.sleep(0)  # let the tasks begin
    assert steps == [
        "store stops intake", "web stops intake", "store drains", "web drains",
        "web cancelled", "store cancelled", "web closes", "store closes",
    ]  # fmt: skip


async def test_draining_waits_for_jobs() -> None:
    ended = asyncio.Event()

    async def call() -> None:
        await intake_stopped.wait()
        ended.set()

    intake_stopped = asyncio.Event()

    async def stop_intake() -> None:
        intake_stopped.set()

    async with Supervisor() as supervisor:
        supervisor.spawn("call", call())
        supervisor.part("calls", stop_intake=stop_intake)
    assert ended.is_set()
    assert supervisor.report is not None
    assert supervisor.report.aborted == ()


async def test_what_does_not_drain_in_time_is_aborted_and_named() -> None:
    async with Supervisor(drain_timeout_s=0.05) as supervisor:
        supervisor.part("calls", drain=forever, pending=lambda: ["0198-a", "0198-b"])
        supervisor.part("mail", drain=forever)
        job = supervisor.spawn("export", forever())
    assert job.cancelled()
    assert supervisor.report is not None
    why = "not done after 0.05 s"
    assert set(supervisor.report.aborted) == {
        Aborted("calls: 0198-a", why),
        Aborted("calls: 0198-b", why),
        Aborted("mail", why),
        Aborted("export", why),
    }


async def test_an_abort_ends_the_draining_at_once() -> None:
    async with asyncio.timeout(10):
        async with Supervisor(drain_timeout_s=3600) as supervisor:
            supervisor.part("calls", drain=forever)
            supervisor.stop("asked")
            asyncio.get_running_loop().call_later(0.01, supervisor.abort, "hurry")
    assert supervisor.report is not None
    assert supervisor.report.aborted == (Aborted("calls", "aborted"),)
    assert supervisor.report.reason == "asked"


async def test_faults_of_a_shutdown_do_not_stop_it() -> None:
    closed = asyncio.Event()

    async def close() -> None:
        closed.set()

    async def stubborn() -> None:
        while not closed.is_set():
            try:
                await closed.wait()
            except asyncio.CancelledError:
                continue

    async with Supervisor(step_timeout_s=0.05) as supervisor:
        supervisor.part("good", close=close)
        supervisor.part("bad", stop_intake=fail, drain=fail, close=fail)
        supervisor.part("slow", stop_intake=forever)
        task = supervisor.start("stubborn", stubborn())
        await asyncio.sleep(0)  # let it begin
    await task
    assert supervisor.report is not None
    assert set(supervisor.report.aborted) == {
        Aborted("bad", "stop_intake failed: boom"),
        Aborted("bad", "draining failed: boom"),
        Aborted("bad", "close failed: boom"),
        Aborted("slow", "stop_intake took more than 0.05 s"),
        Aborted("stubborn", "does not end when cancelled"),
    }


async def test_a_failed_set_up_is_raised_and_nothing_stays_behind() -> None:
    tasks: list[asyncio.Task[object]] = []

    async def daemon() -> None:
        async with asyncio.timeout(10), Supervisor(drain_timeout_s=3600) as supervisor:
            tasks.append(supervisor.start("bus", forever()))
            supervisor.part("calls", drain=forever)
            await fail()

    with pytest.raises(ValueError, match="boom"):
        await daemon()
    (task,) = tasks
    assert task.cancelled()


PROGRAM = """
import asyncio
from foundation.tasks import Supervisor

async def forever():
    print("draining", flush=True)
    await asyncio.Event().wait()

async def main():
    async with Supervisor(drain_timeout_s=3600, signals=True) as supervisor:
        STUBBORN
        supervisor.part("calls", drain=DRAIN)
        print("ready", flush=True)
        await supervisor.wait()
    print("report", supervisor.report.reason, [one.reason for one in supervisor.report.aborted], flush=True)

asyncio.run(main())
"""


class Daemon:
    """A real process that gets real signals."""

    def __init__(self, drain: str, stubborn: str = "pass") -> None:
        source = PROGRAM.replace("DRAIN", drain).replace("STUBBORN", stubborn)
        self.process = subprocess.Popen([sys.executable, "-c", source], cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def read_until(self, word: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(word):
                return line.strip()
        raise AssertionError(f"ended before '{word}'")

    def __enter__(self) -> Daemon:
        try:
            self.read_until("ready")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def send(self, number: int) -> None:
        os.kill(self.process.pid, number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_in_order(number: signal.Signals) -> None:
    with Daemon(drain="None") as daemon:
        daemon.send(number)
        assert daemon.read_until("report") == f"report {number.name} []"
        assert daemon.process.wait(10) == 0


def test_a_second_one_aborts_at_once() -> None:
    with Daemon(drain="forever") as daemon:
        daemon.send(signal.SIGINT)
        daemon.read_until("draining")
        daemon.send(signal.SIGINT)
        assert daemon.read_until("report") == "report SIGINT ['aborted']"
        assert daemon.process.wait(10) == 0


def test_a_third_one_kills() -> None:
    deaf = "import time; supervisor.part('deaf', close=lambda: (print('deaf', flush=True), time.sleep(60)))"
    with Daemon(drain="forever", stubborn=deaf) as daemon:
        daemon.send(signal.SIGTERM)
        daemon.read_until("draining")
        daemon.send(signal.SIGTERM)
        daemon.read_until("deaf")
        daemon.send(signal.SIGTERM)
        assert daemon.process.wait(10) == -signal.SIGTERM
