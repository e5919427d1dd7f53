"""What a call asks of the router, carried out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from callcontrol import commands as cmd
from callcontrol import inputs as inp
from callcontrol.callbacks import opens
from callcontrol.model import InteractionId, Medium
from callcontrol.routing import terms as routing
from callcontrol.surroundings import Surroundings


class RouterHands:
    """Of one call."""

    def __init__(self, around: Surroundings, call: InteractionId, tell: Callable[[inp.CallInput], None]) -> None:
        self._around = around
        self._call = call
        self._tell = tell

    async def _route(self, c: cmd.RouteItem) -> None:
        item = c.item
        if item.medium is Medium.CALLBACK:
            now = self._around.clock.now()
            until = opens(self._around.desk.router.queues.get(item.queue), now)
            if until > now:  # a second try in the night helps nobody
                return self._tell(inp.CallbackPostponed(until))
        known = self._around.acquaintances.of(c.number, item.queue) if c.number else None
        if known is not None and item.agent is None and known not in item.preferred:
            item = replace(item, preferred=(*item.preferred, known))
        return self._around.desk.tell(routing.ItemQueued(at=self._around.clock.now(), item=item))

    async def _withdraw(self, c: cmd.WithdrawItem) -> None:
        item = InteractionId(c.item) if c.item else self._call
        self._around.desk.tell(routing.ItemWithdrawn(at=self._around.clock.now(), item=item))

    async def _move(self, c: cmd.MoveItem) -> None:
        now = self._around.clock.now()
        self._around.desk.tell(routing.ItemMoved(at=now, item=self._call, queue=c.queue, by=c.by))

    async def _raise(self, c: cmd.RaiseItem) -> None:
        now = self._around.clock.now()
        self._around.desk.tell(routing.ItemRaised(at=now, item=self._call, priority=c.priority, by=c.by))

    async def _assign(self, c: cmd.AssignItem) -> None:
        now = self._around.clock.now()
        self._around.desk.tell(routing.ItemAssigned(at=now, item=self._call, agent=c.agent, by=c.by))

    async def _answer_offer(self, c: cmd.AnswerOffer) -> None:
        self._around.desk.tell(
            routing.OfferAnswered(at=self._around.clock.now(), offer=c.offer, how=c.how, detail=c.detail)
        )

    async def _begin_work(self, c: cmd.BeginWork) -> None:
        now = self._around.clock.now()
        self._around.desk.tell(routing.WorkRestored(at=now, item=self._call, agent=c.agent, queue=c.queue))

    async def _take_work(self, c: cmd.TakeWork) -> None:
        item = InteractionId(c.item) if c.item else self._call
        now = self._around.clock.now()
        self._around.desk.tell(routing.WorkRenamed(at=now, agent=c.agent, item=item, becomes=self._call, queue=c.queue))

    async def _end_work(self, c: cmd.EndWork) -> None:
        desk, now = self._around.desk, self._around.clock.now()
        item = InteractionId(c.item) if c.item else self._call
        view = desk.router.agents.get(c.agent)
        if view is None or item not in view.works:
            # Not known to the router (a supervisor who is signed in nowhere, say): nobody else would end it.
            return self._tell(routing.WrapUpOver(item=item, agent=c.agent, how="not_signed_in", disposition=None))
        desk.tell(routing.WorkEnded(at=now, item=item, agent=c.agent))
        if not c.wrap_up:
            desk.tell(routing.WrapUpFinished(at=now, agent=c.agent, item=item))
        return None

    async def _note_disposed(self, c: cmd.NoteDisposed) -> None:
        item = InteractionId(c.item) if c.item else self._call
        self._around.desk.tell(routing.Disposed(at=self._around.clock.now(), agent=c.agent, item=item))


BY_ROUTER: dict[type[Any], Callable[[RouterHands, Any], Awaitable[None]]] = {
    cmd.RouteItem: RouterHands._route,
    cmd.WithdrawItem: RouterHands._withdraw,
    cmd.MoveItem: RouterHands._move,
    cmd.RaiseItem: RouterHands._raise,
    cmd.AssignItem: RouterHands._assign,
    cmd.AnswerOffer: RouterHands._answer_offer,
    cmd.BeginWork: RouterHands._begin_work,
    cmd.TakeWork: RouterHands._take_work,
    cmd.EndWork: RouterHands._end_work,
    cmd.NoteDisposed: RouterHands._note_disposed,
}
