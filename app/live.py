"""What happens, to the bus; and from the bus to the pages. The two ends of one wire, side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from app.board_rows import Rows
from callcontrol.events import AnyFact, InteractionEvent, SupervisionEnded, SupervisionStarted, is_behind_the_agent
from callcontrol.model import AgentId, Interaction
from callcontrol.routing.terms import AgentChanged
from foundation.bus import Bus, Heard, Lost
from foundation.clock import Clock
from foundation.errors import Unavailable
from foundation.logs import get_logger
from foundation.metrics import Metrics
from pbx.events import EndpointChanged, TrunkChanged
from softphone_web.facts import live_event
from softphone_web.ports import LiveEvent, Topic
from softphone_web.schemas_board import board_item

log = get_logger(__name__)


class BusHerald:
    """Implements `callcontrol.ports.Herald`."""

    def __init__(self, bus: Bus, clock: Clock, metrics: Metrics) -> None:
        self._bus = bus
        self._clock = clock
        self._alerts = metrics.counter("alerts_raised_total", "Alerts by kind", ("kind",))
        self.watchers: list[
            Callable[[LiveEvent], None]
        ] = []  # in this process, told before the bus (the demo's timeline)
        self.folds: list[Callable[[InteractionEvent], None]] = []  # figures that are kept as things happen
        self.record_folds: list[Callable[[InteractionEvent, Interaction], None]] = []
        self.endpoint_folds: list[Callable[[EndpointChanged], None]] = []
        self.agent_folds: list[Callable[[AgentChanged], None]] = []
        self.rows: Rows | None = None  # makes the board's row that goes with each event

    def tell(self, event: LiveEvent) -> None:
        """To the pages of every daemon."""
        for watch in self.watchers:
            watch(event)
        self._bus.publish(f"live.{event.topic.value}", msgspec.to_builtins(event))

    def interaction(self, event: InteractionEvent, record: Interaction) -> None:
        agents = _told(event.fact, record)
        for fold in self.folds:
            fold(event)
        for look in self.record_folds:
            look(event, record)
        told = live_event(event, agents)
        if self.rows is not None:
            row = self.rows.row(record, event.at)
            shown, full = (board_item(row, private).model_dump(mode="json") for private in (False, True))
            told = replace(told, data={**told.data, "board": shown}, private={**told.private, "board": full})
        self.tell(told)

    def agent(self, change: AgentChanged) -> None:
        for fold in self.agent_folds:
            fold(change)
        title = None if self.rows is None else self.rows.not_ready_title(change.reason)
        detailed = {"reason": change.reason, "reason_title": title, "interaction": change.item}
        self.tell(
            LiveEvent(
                topic=Topic.AGENTS,
                type="agent_state",
                at=change.since,
                key=change.agent,
                data={"state": change.state.value},
                detailed=detailed,
                agents=frozenset({change.agent}),
            )
        )

    def trunk(self, change: TrunkChanged) -> None:
        status = change.status
        if status.state.value == "down":
            self.alert(change.at, "trunk_down", f"gateway {status.gateway} of trunk {status.trunk} does not answer")
        self.tell(
            LiveEvent(
                topic=Topic.TRUNKS,
                type="trunk_state",
                at=change.at,
                key=status.trunk,
                data={"gateway": status.gateway, "state": status.state.value, "detail": status.detail},
            )
        )

    def endpoint(self, change: EndpointChanged) -> None:
        for look in self.endpoint_folds:
            look(change)
        self.tell(
            LiveEvent(
                topic=Topic.AGENTS,
                type="endpoint_state",
                at=change.at,
                key=change.status.endpoint,
                data={"online": change.status.online},
            )
        )

    def phone(self, at: float, agent: AgentId, *, up: bool) -> None:
        self.tell(
            LiveEvent(
                topic=Topic.AGENTS,
                type="phone_leg",
                at=at,
                key=agent,
                data={"up": up},
                agents=frozenset({agent}),
            )
        )

    def alert(self, at: float, kind: str, message: str, key: str = "") -> None:
        self._alerts.labels(kind).inc()
        log.error("alert", kind=kind, message=message, about=key)
        self.tell(LiveEvent(topic=Topic.ALERTS, type=kind, at=at, key=key or kind, data={"message": message}))


def _told(fact: AnyFact, record: Interaction) -> frozenset[AgentId]:
    """Who of the agents hears of it: those who took part, unless it goes on behind them; and the supervisor."""
    agents = frozenset(p.agent for p in record.participants if p.agent is not None)
    if isinstance(fact, SupervisionStarted | SupervisionEnded):
        return frozenset({fact.supervisor}) | (frozenset() if is_behind_the_agent(fact) else agents)
    return agents


class BusLive:
    """Implements `softphone_web.ports.Live`: of this daemon and of every other on the same bus."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def listen(self, hear: Callable[[LiveEvent], None]) -> None:
        def take(heard: Heard) -> None:
            if isinstance(heard, Lost):
                # Pages that go on with a hole in the story would show wrong figures: they load anew.
                raise Unavailable("live events were lost on the way")
            hear(_event(heard.body))

        with self._bus.listen("live.*", take) as listener:
            await listener.over()


def _event(body: Any) -> LiveEvent:
    return LiveEvent(
        topic=Topic(body["topic"]),
        type=body["type"],
        at=body["at"],
        key=body["key"],
        data=body["data"],
        private=body["private"],
        detailed=body.get("detailed", {}),
        agents=frozenset(AgentId(a) for a in body["agents"]),
    )
