"""An agent as the router sees them: what they are willing to do, what they do, whether there is room for more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from callcontrol.model import AgentId, AgentState, InteractionId, Medium, OfferId
from callcontrol.routing.rules import DEFAULT_CAPACITY, Blend, Capacity

if TYPE_CHECKING:
    from callcontrol.routing.line import Klass


@dataclass(slots=True, eq=False)
class Work:
    """One item that an agent has. `until` (microseconds) is set in wrap-up."""

    item: InteractionId
    queue: str
    medium: Medium
    weight: int
    order: int
    began: int
    ended: int = 0
    until: int | None = None
    suspended: bool = False
    disposed: bool = False  # the agent has said how it ended


@dataclass(slots=True, eq=False)
class AgentView:
    """`presence` is what the agent is willing to do; `state` is that, seen through the work they have. `wanted` is a
    presence asked for during work, taken up after it. `version` changes with everything that bears on an offer."""

    id: AgentId
    queues: frozenset[str]
    order: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)
    ring: Mapping[str, int] = field(default_factory=dict)
    capacity: Capacity = DEFAULT_CAPACITY
    blend: Blend = Blend.BOTH
    auto_accept: bool = False
    presence: AgentState = AgentState.SIGNED_OUT
    presence_reason: str = ""
    wanted: tuple[AgentState, str] | None = None
    works: dict[InteractionId, Work] = field(default_factory=dict)
    offer: OfferId | None = None
    state: AgentState = AgentState.SIGNED_OUT
    reason: str = ""
    since: float = 0.0
    item: InteractionId | None = None
    idle: int = 0  # microseconds: the last work began or ended; a pause does not move an agent back in the line
    handle: dict[str, float] = field(default_factory=dict)  # measured seconds by queue
    given: dict[str, int] = field(default_factory=dict)  # by queue, the number of the last offer: round robin
    version: int = 0
    classes: dict[Klass, None] = field(default_factory=dict)

    @property
    def idle_since(self) -> float:
        return self.idle / 1e6

    @property
    def wrap_up_until(self) -> float | None:
        return min((w.until for w in self.works.values() if w.until is not None), default=0) / 1e6 or None

    @property
    def willing(self) -> bool:
        return self.presence is AgentState.READY and self.wanted is None and self.offer is None

    @property
    def talks(self) -> bool:
        return any(w.until is None for w in self.works.values())

    def wrapping(self, item: InteractionId | None = None) -> Work | None:
        """That one, or the oldest one in wrap-up."""
        return next((w for w in self.works.values() if w.until is not None and item in (None, w.item)), None)


def weight(capacity: Capacity, medium: Medium) -> int:
    return capacity.weights.get(medium, capacity.total)


def takes(agent: AgentView, medium: Medium) -> bool:
    """Whether somebody who is signed in takes this medium at all, once their hands are free."""
    capacity = agent.capacity
    return (
        agent.presence is not AgentState.SIGNED_OUT
        and capacity.limits.get(medium, 0) > 0
        and weight(capacity, medium) <= capacity.total
    )


def room(agent: AgentView, medium: Medium) -> bool:
    """Whether one more of this medium fits. What it may interrupt does not count; what is interrupted already and
    could not be interrupted by it does: it comes back."""
    capacity = agent.capacity
    limit = capacity.limits.get(medium, 0)
    needed = weight(capacity, medium)
    if not agent.works:
        return limit > 0 and needed <= capacity.total
    gives_way = capacity.interrupts.get(medium, frozenset())
    same = 0
    for work in agent.works.values():
        same += work.medium is medium
        if work.medium not in gives_way:
            needed += work.weight
    return same < limit and needed <= capacity.total


def active(agent: AgentView) -> int:
    """The weight of what is not interrupted."""
    return sum(w.weight for w in agent.works.values() if not w.suspended)


def seen_state(agent: AgentView) -> tuple[AgentState, str, InteractionId | None]:
    """State, reason and the item in hand: the heaviest talk, else the oldest wrap-up."""
    talk: Work | None = None
    for work in agent.works.values():
        if work.until is None and (talk is None or (talk.suspended, -talk.weight) > (work.suspended, -work.weight)):
            talk = work
    if talk is not None:
        return AgentState.INTERACTING, "", talk.item
    wrap = agent.wrapping()
    item = wrap.item if wrap else None
    if agent.offer is not None:
        return AgentState.RESERVED, "", item
    if wrap is not None:
        return AgentState.WRAP_UP, "", item
    return agent.presence, agent.presence_reason, None
