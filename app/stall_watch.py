"""Looks for what lasts too long, every few seconds, and tells supervisors and the agents whom it concerns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

from analytics.stalls import (
    Kind,
    Measure,
    Stall,
    Watch,
    lasting,
    level_at_risk,
    organisation_refused,
    unqualified,
    unstaffed,
)
from app.board_rows import Rows
from app.figures import LiveFigures
from app.organisation import Organisation
from callcontrol.daemon import Daemon
from callcontrol.model import AgentState, Interaction, Medium, SegmentKind
from callcontrol.routing import terms as routing
from callcontrol.routing.calendar import Calendar
from callcontrol.routing.why import asked_in_words
from foundation.clock import Clock
from foundation.logs import get_logger
from softphone_web.ports import LiveEvent, Topic
from softphone_web.ports_board import AlertView, BoardRow
from softphone_web.schemas_board import alert_out

log = get_logger(__name__)

LOOK_EVERY_S = 2.0
# Their sentences hold figures that move; how long something lasts is counted by who shows it.
_COUNTED = frozenset({Kind.LEVEL, Kind.UNSTAFFED, Kind.UNQUALIFIED})
_AS_OF_NOW = frozenset({Kind.LEVEL, Kind.ORGANISATION})  # measured anew with every look
LEVEL_WINDOW_S = 1800.0
_LACKED_S = 1800.0
# What the router writes when an agent did not take what was offered.
_NO_ANSWER = frozenset({"missed_offer", "device_unreachable", "phone_offline"})


class StallWatch:
    def __init__(
        self,
        daemon: Daemon,
        organisation: Organisation,
        rows: Rows,
        figures: LiveFigures,
        clock: Clock,
        publish: Callable[[LiveEvent], None],
    ) -> None:
        self._daemon = daemon
        self._organisation = organisation
        self._rows = rows
        self._figures = figures
        self._clock = clock
        self._publish = publish
        self._watch = Watch()
        self._told: dict[str, str] = {}  # the newest sentence of each that is counted
        # Asked for and had by nobody: what, of which queue and medium; when first and when last.
        self._lacked: dict[tuple[str, Medium, str], tuple[float, float]] = {}
        daemon.alert_takers.append(self._take)

    def _take(self, alert: routing.Alert) -> bool:
        """Of the router's alerts, those that last. A call for which nobody has the skill is sent on at once: its alert
        lasts until somebody has it, or nobody has asked for some time."""
        if alert.kind != Kind.UNQUALIFIED.value:
            return False
        now, key = self._clock.now(), (alert.queue, alert.medium, alert.detail)
        self._lacked[key] = (self._lacked.get(key, (now, now))[0], now)
        self.look()
        return True

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        now = self._clock.now()
        raised, over = self._watch.look(list(self._measures(now)), now)
        for stall, state in (*((s, "raised") for s in raised), *((s, "cleared") for s in over)):
            log.info("stall", kind=stall.measure.kind, about=stall.measure.about, state=state)
            self._tell(stall, state, now)
        before, self._told = (
            self._told,
            {s.id: s.measure.message for s in self._watch.open if s.measure.kind in _COUNTED},
        )
        for stall in self._watch.open:
            if stall.id in before and before[stall.id] != self._told[stall.id]:
                self._tell(stall, "raised", now)

    def open(self) -> Sequence[AlertView]:
        return [_view(stall) for stall in self._watch.open]

    def _tell(self, stall: Stall, state: str, now: float) -> None:
        agent = stall.measure.agent
        data = {**alert_out(_view(stall)).model_dump(mode="json"), "state": state}
        self._publish(
            LiveEvent(
                topic=Topic.ALERTS,
                type=stall.measure.kind.value,
                at=now,
                key=stall.measure.about,
                data=data,
                agents=frozenset() if agent is None else frozenset({agent}),
            )
        )

    # --- what is measured --------------------

    def _measures(self, now: float) -> Iterator[Measure]:
        if self._organisation.refused is not None:
            yield organisation_refused(now)
        for session in list(self._daemon.sessions.values()):
            record = session.record
            if record is not None:
                yield from self._of_interaction(record, self._rows.row(record, now), now)
        yield from self._of_agents(now)
        yield from self._of_queues(now)
        yield from self._of_skills(now)

    def _of_interaction(self, record: Interaction, row: BoardRow, now: float) -> Iterator[Measure]:
        limits = self._organisation.config.alerts
        if row.waiting_since is not None and row.queue is not None:
            limit = self._organisation.waiting_limit(row.queue)
            waited = self._open_seconds(row.queue, row.waiting_since, now)
            what = f"Un contacto espera en {row.queue_title}"
            yield lasting(
                Kind.WAITING,
                seconds=waited,
                limit_s=limit,
                since=row.waiting_since,
                what=what,
                queue=row.queue,
                interaction=record.id,
            )
        for segment in record.segments:
            if segment.ended_at is None and segment.kind is SegmentKind.HOLD:
                yield lasting(
                    Kind.HELD,
                    seconds=now - segment.started_at,
                    limit_s=limits.held_s,
                    since=segment.started_at,
                    what=f"{row.agent_name or 'Un agente'} tiene en espera a quien llama",
                    queue=row.queue,
                    agent=record.agent,
                    interaction=record.id,
                )

    def _of_agents(self, now: float) -> Iterator[Measure]:
        limits = self._organisation.config.alerts
        for agent, view in self._daemon.desk.router.agents.items():
            name, since = self._organisation.agent_name(agent), view.since
            if view.state is AgentState.WRAP_UP:
                what = f"Posventa de {name}"
                yield lasting(
                    Kind.WRAP_UP, seconds=now - since, limit_s=limits.wrap_up_s, since=since, what=what, agent=agent
                )
            elif view.state is AgentState.NOT_READY and view.reason in _NO_ANSWER:
                what = f"{name} no contestó y está fuera de línea"
                yield lasting(
                    Kind.NOT_RESPONDING,
                    seconds=now - since,
                    limit_s=limits.not_responding_s,
                    since=since,
                    what=what,
                    agent=agent,
                )

    def _of_queues(self, now: float) -> Iterator[Measure]:
        router = self._daemon.desk.router
        staffed = {
            queue
            for view in router.agents.values()
            if view.state not in (AgentState.SIGNED_OUT, AgentState.NOT_READY)
            for queue in view.queues
        }
        for queue in self._organisation.queues:
            waiting = router.waiting(queue)
            if waiting and queue not in staffed:
                since = min(item.queued_at for item in waiting)
                yield unstaffed(queue, self._organisation.title(queue), len(waiting), since)
            contacts, reached = self._figures.recent_level(queue, LEVEL_WINDOW_S)
            if reached is not None and contacts >= self._organisation.config.alerts.level_contacts:
                level = self._organisation.level(queue)
                yield level_at_risk(queue, self._organisation.title(queue), reached, level, now)

    def _of_skills(self, now: float) -> Iterator[Measure]:
        router = self._daemon.desk.router
        self._lacked = {
            (queue, medium, need): (first, last)
            for (queue, medium, need), (first, last) in self._lacked.items()
            if now - last < _LACKED_S and not router.qualified(queue, medium, need)
        }
        waiting = router.unqualified()
        titles = self._organisation.config.skills
        for queue in sorted({item.queue for item, _ in waiting} | {queue for queue, _, _ in self._lacked}):
            mine = [(item, need) for item, need in waiting if item.queue == queue]
            lacked = {need: first for (where, _, need), (first, _) in self._lacked.items() if where == queue}
            needs = dict.fromkeys([*lacked, *(need for _, need in mine)])
            since = min([*lacked.values(), *(item.queued_at for item, _ in mine)])
            asked = "; ".join(asked_in_words(need, titles) for need in needs)
            yield unqualified(queue, self._organisation.title(queue), asked, len(mine), since)

    def _open_seconds(self, queue: str, since: float, now: float) -> float:
        """In business time, where the queue has hours."""
        rules = self._daemon.desk.router.queues.get(queue)
        hours = None if rules is None else rules.hours
        return hours.open_seconds(since, now) if isinstance(hours, Calendar) else now - since


def _view(stall: Stall) -> AlertView:
    m = stall.measure
    return AlertView(
        id=stall.id,
        kind=m.kind.value,
        about=m.about,
        message=m.message,
        figures=m.figures,
        since=stall.raised_at if m.kind in _AS_OF_NOW else m.since,
        queue=m.queue,
        agent=m.agent,
        interaction=m.interaction,
    )
