"""Owned lifetimes: every task has a name and an owner; one that dies stops the daemon loudly; shutdown has an order.

    async with Supervisor(signals=True) as supervisor:
        supervisor.start("bus", bus.run())
        supervisor.part("calls", stop_intake=calls.refuse_new, drain=calls.all_ended, pending=calls.names)
        await supervisor.wait()

Leaving the block shuts down: every part stops its intake, all drain (jobs too) until the timeout, what is left is
aborted and told with its reason, tasks are cancelled newest first, parts are closed newest first."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, TypeAlias

from foundation.errors import RimayError
from foundation.logs import get_logger

log = get_logger(__name__)

Step: TypeAlias = Callable[[], Awaitable[object]]


class TaskDied(RimayError):
    """A task that the daemon cannot do without ended; its own error is the cause."""

    code: ClassVar[str] = "task.died"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """How one part of the daemon stops. `pending` names what it still waits for, for the list of the aborted."""

    name: str
    stop_intake: Step | None = None
    drain: Step | None = None
    close: Step | None = None
    pending: Callable[[], Sequence[str]] | None = None


@dataclass(frozen=True, slots=True)
class Aborted:
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutdownReport:
    reason: str
    died: str | None  # the task whose death stopped us
    aborted: tuple[Aborted, ...]
    seconds: float


class Supervisor:
    """With `signals`, SIGINT and SIGTERM stop it; the second aborts; the third kills, as without us."""

    def __init__(self, *, drain_timeout_s: float = 30.0, step_timeout_s: float = 5.0, signals: bool = False) -> None:
        self._signals = (signal.SIGINT, signal.SIGTERM) if signals else ()
        self._drain_timeout_s = drain_timeout_s
        self._step_timeout_s = step_timeout_s
        self._tasks: list[asyncio.Task[Any]] = []  # lasting ones, in the order of their start
        self._jobs: set[asyncio.Task[Any]] = set()
        self._parts: list[Part] = []
        self._stopping = asyncio.Event()
        self._aborting = asyncio.Event()
        self._shutting_down = False
        self._reason = ""
        self._died: tuple[str, BaseException | None] | None = None
        self._aborted: list[Aborted] = []
        self.report: ShutdownReport | None = None

    # --- what runs --------------------

    def start(self, name: str, work: Coroutine[Any, Any, object]) -> asyncio.Task[Any]:
        """A task that lasts as long as the daemon: its end, in any way, stops the daemon."""
        task = asyncio.create_task(work, name=name)
        self._tasks.append(task)
        task.add_done_callback(self._on_task_end)
        return task

    def spawn(self, name: str, work: Coroutine[Any, Any, object], *, critical: bool = False) -> asyncio.Task[Any]:
        """A job that ends by itself. Its failure is logged; only a `critical` one's stops the daemon."""
        task = asyncio.create_task(work, name=name)
        self._jobs.add(task)
        task.add_done_callback(lambda done: self._on_job_end(done, critical))
        return task

    def part(
        self,
        name: str,
        *,
        stop_intake: Step | None = None,
        drain: Step | None = None,
        close: Step | None = None,
        pending: Callable[[], Sequence[str]] | None = None,
    ) -> None:
        self._parts.append(Part(name=name, stop_intake=stop_intake, drain=drain, close=close, pending=pending))

    # --- when to stop --------------------

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def stop(self, reason: str) -> None:
        """Begin the orderly shutdown. The first reason stays."""
        if not self._stopping.is_set():
            self._reason = reason
            log.info("daemon.stopping", reason=reason)
            self._stopping.set()

    def abort(self, reason: str) -> None:
        """Stop, and wait for nothing."""
        self.stop(reason)
        log.warning("daemon.aborting", reason=reason)
        self._aborting.set()

    async def wait(self) -> None:
        """Until `stop`, a signal, or the death of a task."""
        await self._stopping.wait()

    def _on_signal(self, number: signal.Signals) -> None:
        if not self.stopping:
            self.stop(number.name)
            return
        self._release_signals()
        self.abort(f"second {number.name}")

    def _release_signals(self) -> None:
        for each in self._signals:
            asyncio.get_running_loop().remove_signal_handler(each)

    # --- shutdown --------------------

    async def __aenter__(self) -> Supervisor:
        for each in self._signals:
            asyncio.get_running_loop().add_signal_handler(each, self._on_signal, each)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            # The set-up failed, or we are being cancelled: nothing to wait for.
            self.abort(f"{type(error).__name__} while running")
        self.stop("done")
        try:
            report = await self._shut_down()
        finally:
            self._release_signals()
        if error is None and self._died is not None:
            name, cause = self._died
            raise TaskDied(f"task '{name}' ended: {cause or 'it returned'}", task=name, report=report) from cause

    async def _shut_down(self) -> ShutdownReport:
        began = time.monotonic()
        self._shutting_down = True
        await asyncio.gather(*(self._step(part, "stop_intake") for part in self._parts))
        await self._drain()
        await self._cancel([*self._jobs, *reversed(self._tasks)])
        for part in reversed(self._parts):
            await self._step(part, "close")
        report = ShutdownReport(
            reason=self._reason,
            died=self._died[0] if self._died else None,
            aborted=tuple(self._aborted),
            seconds=time.monotonic() - began,
        )
        self.report = report
        for one in report.aborted:
            log.warning("daemon.aborted", part=one.name, reason=one.reason)
        log.info("daemon.stopped", reason=report.reason, seconds=round(report.seconds, 3), aborted=len(report.aborted))
        return report

    async def _drain(self) -> None:
        drains: dict[asyncio.Task[Any], Part | None] = dict.fromkeys(self._jobs)
        for part in self._parts:
            if part.drain is not None:
                drains[asyncio.create_task(_call(part.drain), name=f"drain-{part.name}")] = part
        if not drains:
            return
        abort = asyncio.create_task(self._aborting.wait(), name="wait-for-abort")
        everything = asyncio.gather(*(_quietly(task) for task in drains))
        either: set[asyncio.Future[Any]] = {abort, everything}
        await asyncio.wait(either, timeout=self._drain_timeout_s, return_when=asyncio.FIRST_COMPLETED)
        abort.cancel()
        why = "aborted" if self._aborting.is_set() else f"not done after {self._drain_timeout_s:g} s"
        for task, owner in drains.items():
            if not task.done():
                self._aborted.extend(_left(task, owner, why))
                task.cancel()
            elif owner is not None and not task.cancelled() and (failure := task.exception()) is not None:
                log.error("daemon.drain_failed", part=owner.name, exc_info=failure)
                self._aborted.append(Aborted(owner.name, f"draining failed: {failure}"))
        await self._settle(list(drains))
        everything.cancel()
        await asyncio.wait({abort})

    async def _cancel(self, tasks: Sequence[asyncio.Task[Any]]) -> None:
        for task in tasks:
            if not task.done():
                task.cancel()
                await self._settle([task])

    async def _settle(self, tasks: Sequence[asyncio.Task[Any]]) -> None:
        """Cancelled tasks get a moment to clean up; one that will not end is named and left."""
        unfinished = [task for task in tasks if not task.done()]
        if not unfinished:
            return
        _, stuck = await asyncio.wait(unfinished, timeout=self._step_timeout_s)
        self._aborted.extend(Aborted(task.get_name(), "does not end when cancelled") for task in stuck)

    async def _step(self, part: Part, what: str) -> None:
        step: Step | None = getattr(part, what)
        if step is None:
            return
        try:
            async with asyncio.timeout(self._step_timeout_s):
                await step()
        except TimeoutError:
            self._aborted.append(Aborted(part.name, f"{what} took more than {self._step_timeout_s:g} s"))
        except Exception as error:  # the shutdown of the others must go on
            log.exception("daemon.step_failed", part=part.name, step=what)
            self._aborted.append(Aborted(part.name, f"{what} failed: {error}"))

    # --- ends --------------------

    def _on_task_end(self, task: asyncio.Task[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        if self._shutting_down:
            if error is not None:
                log.error("task.failed", task=task.get_name(), exc_info=error)
            return
        self._die(task, error, "cancelled" if task.cancelled() else "returned")

    def _on_job_end(self, task: asyncio.Task[Any], critical: bool) -> None:
        self._jobs.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            return
        if critical and not self._shutting_down:
            self._die(task, error, "failed")
        else:
            log.error("task.failed", task=task.get_name(), exc_info=error)

    def _die(self, task: asyncio.Task[Any], error: BaseException | None, how: str) -> None:
        name = task.get_name()
        log.critical("task.died", task=name, how="failed" if error else how, exc_info=error)
        if self._died is None:
            self._died = (name, error)
        self.stop(f"task '{name}' died")


async def _call(step: Step) -> None:
    await step()


async def _quietly(task: asyncio.Task[Any]) -> None:
    """Wait for the end, whatever it is, without taking the task along when we are cancelled."""
    await asyncio.wait({task})


def _left(task: asyncio.Task[Any], part: Part | None, why: str) -> list[Aborted]:
    if part is None:
        return [Aborted(task.get_name(), why)]
    names = list(part.pending()) if part.pending is not None else []
    return [Aborted(f"{part.name}: {name}", why) for name in names] or [Aborted(part.name, why)]
