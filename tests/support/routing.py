"""A router with people in it, told in short words."""

from __future__ import annotations

from typing import Any, TypeVar

from callcontrol.model import AgentId, AgentState, InteractionId, Medium, OfferEnd, OfferId
from callcontrol.routing import terms as t
from callcontrol.routing.router import Router
from callcontrol.routing.rules import QueueRules

D = TypeVar("D")
START = 1_795_000_000.0


class Floor:
    """`out` are the decisions of the last step, `log` are all of them."""

    def __init__(self, *queues: QueueRules, **options: Any) -> None:
        self.router = Router(queues, **options)
        self.now = START
        self.out: list[t.Decision] = []
        self.log: list[t.Decision] = []

    def tell(self, event: t.RouterEvent) -> list[t.Decision]:
        self.out = self.router.step(event)
        self.log += self.out
        return self.out

    def go(self, seconds: float) -> None:
        """Time passes; what is due comes at its own moment."""
        end = self.now + seconds
        while (due := self.router.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            self.tell(t.TimePassed(at=self.now))
        self.now = end

    def agent(self, name: str, *queues: str, ready: bool = True, **profile: Any) -> None:
        self.tell(t.AgentSignedIn(at=self.now, agent=AgentId(name), queues=frozenset(queues), **profile))
        if ready:
            self.ask(name, AgentState.READY)

    def ask(self, name: str, state: AgentState, reason: str = "") -> None:
        self.tell(t.AgentAsked(at=self.now, agent=AgentId(name), state=state, reason=reason))

    def item(self, name: str, queue: str, medium: Medium = Medium.VOICE, **more: Any) -> None:
        more.setdefault("queued_at", self.now)
        item = t.WorkItem(id=InteractionId(name), medium=medium, queue=queue, **more)
        self.tell(t.ItemQueued(at=self.now, item=item))

    def answer(self, how: OfferEnd = OfferEnd.ACCEPTED) -> None:
        """The last offer made."""
        offer = [d for d in self.log if isinstance(d, t.MakeOffer)][-1]
        self.tell(t.OfferAnswered(at=self.now, offer=OfferId(offer.offer), how=how))

    def ends(self, item: str, agent: str) -> None:
        self.tell(t.WorkEnded(at=self.now, item=InteractionId(item), agent=AgentId(agent)))

    def of(self, kind: type[D]) -> list[D]:
        return [d for d in self.out if isinstance(d, kind)]

    def all_of(self, kind: type[D]) -> list[D]:
        return [d for d in self.log if isinstance(d, kind)]

    @property
    def offered(self) -> list[tuple[str, str]]:
        return [(d.item, d.agent) for d in self.log if isinstance(d, t.MakeOffer)]

    def state(self, name: str) -> tuple[AgentState, str]:
        view = self.router.agents[AgentId(name)]
        return view.state, view.reason
