"""A set of servers that start in the order of their needs and stop in the reverse one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from graphlib import TopologicalSorter

import structlog

from foundation.errors import Invalid
from foundation.processes import NO_RESTART, RestartPolicy, Server, ServerDeath, ServerSpec
from foundation.run_as import RunAs
from foundation.together import together

log = structlog.get_logger(__name__)


class Servers:
    """The servers of one run: each starts when those it comes after are ready, the others at the same time; they stop
    in the reverse order. As a context manager it stops them on the way out, whatever happened."""

    def __init__(
        self,
        *,
        user: RunAs | None = None,
        restart: RestartPolicy = NO_RESTART,
        on_death: Callable[[ServerDeath], None] | None = None,
        on_ready: Callable[[str], None] | None = None,
    ) -> None:
        self._user = user
        self._restart = restart
        self._on_death = on_death
        self._on_ready = on_ready
        self._servers: dict[str, Server] = {}
        self._ready: dict[str, asyncio.Event] = {}

    async def __aenter__(self) -> Servers:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.shield(self.stop())

    def __getitem__(self, name: str) -> Server:
        return self._servers[name]

    def __contains__(self, name: object) -> bool:
        return name in self._servers

    def __iter__(self) -> Iterator[Server]:
        return iter(self._servers.values())

    async def start(self, *specs: ServerSpec) -> None:
        """Start these; may be called again with more. The first failure cancels the others and is raised itself."""
        _order([*(server.spec for server in self), *specs])
        for spec in specs:
            server = Server(
                spec, user=self._user, restart=self._restart, on_death=self._on_death, on_ready=self._on_ready
            )
            self._servers[spec.name], self._ready[spec.name] = server, asyncio.Event()
        await together(*(self._start_one(spec) for spec in specs))

    async def _start_one(self, spec: ServerSpec) -> None:
        for name in spec.after:
            await self._ready[name].wait()
        await self._servers[spec.name].start()
        self._ready[spec.name].set()

    async def stop(self) -> None:
        for wave in reversed(_order([server.spec for server in self], complete=False)):
            results = await asyncio.gather(*(self._servers[name].stop() for name in wave), return_exceptions=True)
            for name, result in zip(wave, results, strict=True):
                if isinstance(result, BaseException):
                    log.error("server could not be stopped", server=name, error=str(result))
        self._servers.clear()
        self._ready.clear()

    async def detach(self) -> None:
        """Leave all of them running for the next run to adopt."""
        for server in self:
            await server.detach()
        self._servers.clear()
        self._ready.clear()

    async def release(self) -> None:
        """Stop those that we started; those that we adopted belong to somebody else and stay."""
        for server in [server for server in self if server.adopted]:
            await server.detach()
            del self._servers[server.spec.name]
        await self.stop()


def _order(specs: Sequence[ServerSpec], *, complete: bool = True) -> list[tuple[str, ...]]:
    """Waves of names: each wave needs only earlier ones."""
    sorter = TopologicalSorter({spec.name: spec.after for spec in specs})
    known = {spec.name for spec in specs}
    unknown = {name for spec in specs for name in spec.after} - known
    if unknown and complete:
        raise Invalid(f"servers wait for one that is not started: {', '.join(sorted(unknown))}")
    sorter.prepare()
    waves = []
    while sorter.is_active():
        wave = sorter.get_ready()
        waves.append(tuple(name for name in wave if name in known))
        sorter.done(*wave)
    return waves
