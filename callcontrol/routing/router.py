"""The router: who waits, who is free, who gets whom. Pure and deterministic: ``step(event) -> decisions``.

Theory of operation
-------------------
Every medium waits in the same lines. A step first lets time catch up (offers expire, wrap-ups end, items are relaxed,
sent on or given up), then takes the event, then matches: items in the order of their claims (priority with what queue,
criticality and waiting add; then who came first), each to the agent whom its queue's strategy prefers among those who
work in the queue, have the skills, are ready and have room. An item and an agent that meet are reserved for each other
by exactly one offer until it is accepted, rejected, expires, fails or is withdrawn; the item keeps its place all that
time. An agent has one offer at a time.

Time never runs backwards: an event whose clock is behind is taken as of now, because what it tells (a hang-up, say) is
true all the same. What tells nothing true (late, twice, unknown ids) changes nothing and is answered by `Ignored`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from callcontrol.model import AgentId, InteractionId, Medium, OfferEnd
from callcontrol.routing import items, people, working
from callcontrol.routing import terms as t
from callcontrol.routing.agents import AgentView, takes
from callcontrol.routing.board import OFFER, WRAP_UP, Board, micros
from callcontrol.routing.line import Waiting
from callcontrol.routing.matching import match
from callcontrol.routing.renewal import renew
from callcontrol.routing.rules import DEFAULT_CRITICALITY
from callcontrol.routing.skills import parse, satisfied, text_of

__all__ = ["AgentView", "Place", "Router"]


@dataclass(frozen=True, slots=True)
class Place:
    """`position` is 1 for who is served next in the queue. `expected_s` is None where nobody works; `method` says how
    it was computed."""

    queue: str
    position: int
    waited_s: float
    expected_s: float | None
    method: str


METHOD = "handling_time: place in line x mean handling time of the queue / agents at work in it"


class Router:
    """`why`: explain each offer (`MakeOffer.why`); costs about as much as the decision itself."""

    def __init__(
        self,
        queues: Iterable[t.QueueRules],
        *,
        criticality: Mapping[str, int] = DEFAULT_CRITICALITY,
        why: bool = True,
    ) -> None:
        self._board = Board(queues, criticality)
        self._why = why

    # --- what it tells of itself --------------------

    @property
    def queues(self) -> Mapping[str, t.QueueRules]:
        return {name: line.rules for name, line in self._board.lines.items()}

    @property
    def agents(self) -> Mapping[AgentId, AgentView]:
        return self._board.agents

    def waiting(self, queue: str | None = None) -> list[t.WorkItem]:
        """Those who wait, in the order of their claims; offered ones keep their place."""
        return [w.item for w in self._in_order(queue)]

    def unqualified(self) -> list[tuple[t.WorkItem, str]]:
        """Those who wait though nobody who is signed in could take them, and what they ask for when all has been
        relaxed. Live items are not among them: they leave."""
        board = self._board
        found = []
        for w in board.waiting.values():
            if w.stuck:
                need = items.at_last(w, board.lines[w.item.queue])
                if not board.anyone(w, need):
                    found.append((w.item, text_of(need)))
        return found

    def qualified(self, queue: str, medium: Medium, requires: str) -> bool:
        """Whether somebody who is signed in could take what asks for this."""
        line, need = self._board.lines.get(queue), parse(requires)
        return line is not None and any(
            takes(agent, medium) and satisfied(need, agent.skills) for agent in line.agents.values()
        )

    def place(self, item: InteractionId, at: float) -> Place | None:
        """As of `at`: priorities age, and nothing need have happened since the last event."""
        w = self._board.waiting.get(item)
        if w is None or w.klass is None:
            return None
        queue, now = w.item.queue, max(micros(at), self._board.now)
        mine = w.klass.standing(w, now)
        ahead = sum(
            o.klass.standing(o, now) < mine
            for o in self._board.waiting.values()
            if o.item.queue == queue and o.klass is not None
        )
        expected = self._board.expected_s(self._board.lines[queue], ahead)
        return Place(queue, ahead + 1, (now - w.queued) / 1e6, expected, METHOD)

    def expected_s(self, queue: str) -> float | None:
        """For one who would come now."""
        line = self._board.line(queue)
        return None if line is None else self._board.expected_s(line, line.waiting)

    def next_due(self) -> float | None:
        """When `TimePassed` must come at the latest."""
        due = self._board.next_due()
        return None if due is None else due[0] / 1e6

    def _in_order(self, queue: str | None) -> list[Waiting]:
        now = self._board.now
        found = [
            (w.klass.standing(w, now), w)
            for w in self._board.waiting.values()
            if w.klass is not None and queue in (None, w.item.queue)
        ]
        return [w for _, w in sorted(found, key=lambda entry: entry[0])]

    # --- the step --------------------

    def step(self, event: t.RouterEvent) -> list[t.Decision]:
        board = self._board
        at = micros(event.at)
        if at >= board.now:
            board.now, board.at = at, event.at
        decisions: list[t.Decision] = []
        board.out = decisions
        self._catch_up()
        _HANDLERS[type(event)](board, event)
        # What the event itself made overdue (a refused offer whose item has run out of time) is matched once more
        # before it is given up: `next_due` is then in the past, and the next step comes at once.
        match(board, with_why=self._why)
        return decisions

    def _catch_up(self) -> None:
        board = self._board
        while (due := board.next_due()) is not None and due[0] <= board.now:
            _, kind, what = due
            board.take_due()
            if kind == OFFER:
                people.end_offer(board, what, OfferEnd.EXPIRED, "")
            elif kind == WRAP_UP:
                working.wrap_up_over(board, board.works[what.order][1], what, "timer", None)
            else:
                items.came_due(board, what)

    def renew(
        self, at: float, queues: Iterable[t.QueueRules], criticality: Mapping[str, int] | None = None
    ) -> tuple[list[t.Decision], list[str]]:
        """New rules from now on, and what follows from them. A queue that is gone from the rules while somebody waits
        in it stays until it is empty; the names of those come second."""
        kept = renew(self._board, queues, criticality)
        return self.step(t.TimePassed(at=at)), kept


def _nothing(_board: Board, _event: object) -> None:
    pass


_HANDLERS: dict[type[Any], Callable[[Board, Any], None]] = {
    t.AgentSignedIn: people.signed_in,
    t.AgentAsked: people.asked,
    t.StateForced: people.forced,
    t.OfferAnswered: people.answered,
    t.WorkEnded: people.work_ended,
    t.WrapUpFinished: people.wrap_up_finished,
    t.Disposed: people.disposed,
    t.WrapUpExtended: people.wrap_up_extended,
    t.WorkRestored: people.restored,
    t.WorkRenamed: people.renamed,
    t.ItemQueued: items.queued,
    t.ItemWithdrawn: items.withdrawn,
    t.PlaceHeld: items.held,
    t.ItemMoved: items.moved,
    t.ItemRaised: items.raised,
    t.ItemAssigned: items.assigned,
    t.TimePassed: _nothing,
}
