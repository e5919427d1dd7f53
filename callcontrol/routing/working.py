"""Work, from its beginning to the end of its wrap-up."""

from __future__ import annotations

from callcontrol.model import AgentState, InteractionId, Medium
from callcontrol.routing import terms as t
from callcontrol.routing.agents import AgentView, Work, active, weight
from callcontrol.routing.board import WRAP_UP, Board, Offer

# Why an agent is not ready who let a wrap-up run out without the disposition that its queue wants.
UNDISPOSED = "undisposed"


def accepted(board: Board, offer: Offer) -> None:
    """The item is the agent's."""
    del board.offers[offer.id]
    item, agent = offer.waiting.item, offer.agent
    board.leave(offer.waiting)
    agent.offer = None
    again = agent.works.get(item.id)
    if again is not None:
        # It came back to the agent who still writes down its first part.
        wrap_up_over(board, agent, again, "reopened", None)
    _, suspended = begin(board, agent, item.id, item.queue, item.medium)
    board.settle(agent)
    board.say(t.Assign(offer=offer.id, item=item.id, agent=agent.id))
    board.out.extend(suspended)


def begin(
    board: Board, agent: AgentView, item: InteractionId, queue: str, medium: Medium
) -> tuple[Work, list[t.WorkSuspended]]:
    """What may wait is suspended, the newest first, until the rest fits."""
    board.begun += 1
    work = Work(item, queue, medium, weight(agent.capacity, medium), board.begun, board.now)
    agent.works[item] = work
    board.hands[item] = agent
    agent.idle = board.now
    gives_way = agent.capacity.interrupts.get(medium, frozenset())
    suspended = []
    for other in sorted(agent.works.values(), key=lambda o: -o.order):
        if active(agent) <= agent.capacity.total:
            break
        if other.medium in gives_way and not other.suspended:
            other.suspended = True
            suspended.append(t.WorkSuspended(item=other.item, agent=agent.id, by=item))
    return work, suspended


def begin_wrap_up(board: Board, agent: AgentView, work: Work, until: int) -> None:
    work.until, work.ended = until, board.now
    board.hands.pop(work.item, None)
    board.works[work.order] = (work, agent)
    board.settle(agent)
    board.say(t.WrapUpBegun(item=work.item, agent=agent.id, until=until / 1e6))
    if until <= board.now:
        wrap_up_over(board, agent, work, "timer", None)
    else:
        board.due(WRAP_UP, until, work.order, work)


def wrap_up_over(board: Board, agent: AgentView, work: Work, how: str, disposition: str | None) -> None:
    board.works.pop(work.order, None)
    del agent.works[work.item]
    agent.idle = board.now
    board.learn(agent, work.queue, (board.now - work.began) / 1e6)
    board.say(t.WrapUpOver(item=work.item, agent=agent.id, how=how, disposition=disposition))
    line = board.lines.get(work.queue)
    late = how == "timer" and disposition is None and not work.disposed and board.now > work.ended
    if late and line is not None and line.rules.disposition_required and agent.presence is AgentState.READY:
        # Else the next item would be offered at once, and this one's ending forgotten.
        agent.presence, agent.presence_reason = AgentState.NOT_READY, UNDISPOSED
    for other in agent.works.values():
        if other.suspended and active(agent) + other.weight <= agent.capacity.total:
            other.suspended = False
            board.say(t.WorkResumed(item=other.item, agent=agent.id))
    board.settle(agent)
