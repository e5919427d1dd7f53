"""The fan-out of live events to the open pages.

An event is encoded a few times at most (with and without personal data, for boards, for agents, for who it is about),
whatever the number of pages; each page has a bounded queue of those bytes and one task that writes them. `publish`
never waits: a page that cannot keep up fills its own queue only, is told how many events it lost, and is dropped; it
then loads the state anew and comes back.

An offer does not wait for that task's turn: together with what is queued before it, it is written at once, where the
page keeps up. The rest of the loop's work (facts of other calls, boards, figures, the journal) comes after it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from callcontrol.model import AgentId
from foundation.access import Permission, Principal
from foundation.clock import Clock
from foundation.errors import RimayError, Unavailable
from foundation.logs import get_logger
from foundation.metrics import Metrics
from softphone_web.permissions import sees_private
from softphone_web.ports import Found, Live, LiveEvent, Topic, Well
from softphone_web.schemas import at
from softphone_web.settings import WebSettings


class Interrupted(Unavailable):
    code = "health.live_interrupted"


log = get_logger(__name__)
_encode = msgspec.json.Encoder().encode

_NEEDS: dict[Topic, Permission] = {
    Topic.INTERACTIONS: Permission.INTERACTIONS_READ,
    Topic.AGENTS: Permission.AGENTS_READ,
    Topic.QUEUES: Permission.QUEUES_READ,
    Topic.TRUNKS: Permission.TRUNKS_READ,
    Topic.ALERTS: Permission.EVENTS_STREAM,
    Topic.DESK: Permission.CALLS_HANDLE,
    Topic.MESSAGES: Permission.MESSAGES_READ,
}


# What an event brings for the supervisors' board; it also says who listens to an agent, which that agent is not told.
BOARD = "board"

# Somebody waits for somebody: each moment counts. Everything else is in time with the next turn of the loop.
AT_ONCE = frozenset({(Topic.INTERACTIONS, "offered")})


def topics_of(principal: Principal) -> frozenset[Topic]:
    """What a role may hear of, at least in part."""
    allowed = {topic for topic, permission in _NEEDS.items() if principal.may(permission)}
    if principal.may(Permission.INTERACTIONS_READ_OWN):
        allowed.add(Topic.INTERACTIONS)
    if principal.may(Permission.CALLS_HANDLE):
        allowed.add(Topic.ALERTS)  # those about oneself
    return frozenset(allowed)


class Client:
    """One open page: what it may and wants to hear, and what waits to be sent to it. `write` puts a frame on the wire
    now; it says False, and does nothing, where the page does not keep up."""

    def __init__(self, principal: Principal, agent: AgentId | None, wanted: frozenset[Topic], room: int) -> None:
        self.principal = principal
        self.agent = agent
        self.allowed = topics_of(principal)
        self.topics = wanted & self.allowed
        self.lost = 0
        self.close_code: int | None = None  # set: the writer says goodbye with it
        self.close_reason = b""
        self.write: Callable[[bytes], bool] | None = None
        self.sees_board = principal.may(Permission.INTERACTIONS_READ)
        self._everything = principal.may(Permission.INTERACTIONS_READ)
        self._alerts = principal.may(Permission.EVENTS_STREAM)
        self._room = room
        self._queue: deque[bytes] = deque()
        self._wake = asyncio.Event()

    def sees(self, event: LiveEvent) -> tuple[bool, bool]:
        """(is told of it, with its personal data)."""
        if event.topic not in self.topics:
            return False, False
        mine = self.agent is not None and self.agent in event.agents
        if event.topic is Topic.INTERACTIONS and not (self._everything or mine):
            return False, False
        if event.topic is Topic.DESK and not mine:
            return False, False
        if event.topic is Topic.ALERTS and not (self._alerts or mine):
            return False, False
        if event.topic is Topic.MESSAGES and not (mine or event.data.get("sender") == self.principal.id):
            return False, False
        return True, sees_private(self.principal, mine)

    def sees_detail(self, event: LiveEvent) -> bool:
        """As `GET /agents`: who reads all interactions, and the agent concerned."""
        return self.sees_board or (self.agent is not None and self.agent in event.agents)

    def put(self, frame: bytes, *, at_once: bool = False) -> None:
        if self.lost or len(self._queue) >= self._room:
            self.lost += 1  # from the first lost one on nothing is queued: a hole in the middle would mislead
        else:
            self._queue.append(frame)
        if at_once and self.write is not None:
            while self._queue and self.write(self._queue[0]):
                self._queue.popleft()
        self._wake.set()

    def close(self, code: int, reason: bytes) -> None:
        """Ask the writer to say goodbye, after what is queued."""
        if self.close_code is None:
            self.close_code, self.close_reason = code, reason
            self._wake.set()

    async def next(self) -> bytes | None:
        """The next frame; None when there is none and never will be: the page was too slow, or is asked to leave."""
        while not self._queue:
            if self.lost or self.close_code is not None:
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._queue.popleft()


def control_frame(kind: str, now: float, **data: Any) -> bytes:
    """What the socket itself has to say: topic `live`."""
    return _encode({"topic": "live", "type": kind, "at": at(now).isoformat(), "data": data})


def event_frame(event: LiveEvent, data: Mapping[str, Any]) -> bytes:
    shown = {"topic": event.topic, "type": event.type, "at": at(event.at).isoformat(), "id": event.key, "data": data}
    return _encode(shown)


class LiveHub:
    def __init__(self, source: Live, clock: Clock, settings: WebSettings, metrics: Metrics) -> None:
        self.settings = settings
        self.clock = clock
        self._source = source
        self._clients: set[Client] = set()
        self._listening = False
        self._open = metrics.gauge("web_live_clients", "Pages with an open live socket")
        self._told = metrics.counter("web_live_events_total", "Live events fanned out")
        self._dropped = metrics.counter("web_live_dropped_total", "Pages dropped because they were too slow")

    def __len__(self) -> int:
        return len(self._clients)

    def join(self, client: Client) -> None:
        """Raises `Unavailable` when there is no room; a page tries again later."""
        each = sum(1 for other in self._clients if other.principal.id == client.principal.id)
        if len(self._clients) >= self.settings.live_clients or each >= self.settings.live_clients_each:
            raise Unavailable("Too many live sockets are open.", limit_each=self.settings.live_clients_each)
        self._clients.add(client)
        self._open.set(len(self._clients))

    def leave(self, client: Client) -> None:
        self._clients.discard(client)
        self._open.set(len(self._clients))
        if client.lost:
            self._dropped.inc()
            log.warning("web.live_dropped", principal=client.principal.id, lost=client.lost)

    def publish(self, event: LiveEvent) -> None:
        """Hand an event to all who may hear it. Does not wait for any of them."""
        at_once = (event.topic, event.type) in AT_ONCE
        frames: dict[tuple[bool, bool, bool], bytes] = {}
        for client in self._clients:
            told, private = client.sees(event)
            if not told:
                continue
            detailed = bool(event.detailed) and client.sees_detail(event)
            kind = private and bool(event.private), client.sees_board, detailed
            if kind not in frames:
                data = {**event.data, **(event.detailed if detailed else {}), **(event.private if kind[0] else {})}
                if not client.sees_board:
                    data.pop(BOARD, None)
                frames[kind] = event_frame(event, data)
            client.put(frames[kind], at_once=at_once)
        self._told.inc()

    async def run(self) -> None:
        """Listen to the source for ever. When it is lost, pages are told that they may have missed something."""
        while True:
            reason = "ended"
            try:
                self._listening = True
                await self._source.listen(self.publish)
            except (RimayError, OSError) as error:
                reason = getattr(error, "code", type(error).__name__)
            finally:
                self._listening = False
            log.warning("web.live_interrupted", reason=reason, clients=len(self._clients))
            await asyncio.sleep(self.settings.live_retry_s)
            # Told when we listen again, not before: a page that loads anew now misses nothing of what comes next.
            for client in self._clients:
                client.put(control_frame("interrupted", self.clock.now()))

    def close_all(self, code: int, reason: bytes) -> None:
        for client in self._clients:
            client.close(code, reason)

    async def check(self) -> Found:
        """The health check: are live events coming in?"""
        if not self._listening:
            raise Interrupted("live events are interrupted")
        return Found(Well.LIVE, {"pages": len(self._clients)})
