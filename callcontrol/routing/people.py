"""What agents, and supervisors for them, tell the router."""

from __future__ import annotations

from callcontrol.model import AgentState, OfferEnd
from callcontrol.routing import terms as t
from callcontrol.routing.agents import AgentView, room
from callcontrol.routing.board import ITEM, WRAP_UP, Board, Offer, micros
from callcontrol.routing.working import accepted, begin, begin_wrap_up, wrap_up_over

_TO_ASK_FOR = frozenset({AgentState.READY, AgentState.NOT_READY, AgentState.SIGNED_OUT})

# Where an agent stands after an offer that did not become work. Who lets one expire, refuses it or cannot be reached is
# taken out of the line: else the same call would come back at once, for ever.
_AFTER_OFFER: dict[OfferEnd, str] = {
    OfferEnd.REJECTED: "rejected_offer",
    OfferEnd.EXPIRED: "missed_offer",
    OfferEnd.FAILED: "device_unreachable",
}


def signed_in(board: Board, e: t.AgentSignedIn) -> None:
    agent = board.agents.get(e.agent)
    if agent is None:
        agent = AgentView(e.agent, frozenset(), order=len(board.agents), idle=board.now)
        board.agents[e.agent] = agent
    board.profile(agent, e)
    if agent.presence is AgentState.SIGNED_OUT:
        agent.presence, agent.presence_reason = AgentState.NOT_READY, "signed_in"
        board.settle(agent)


def asked(board: Board, e: t.AgentAsked) -> None:
    agent = board.agents.get(e.agent)
    if agent is None:
        return board.ignore("agent_asked", "unknown_agent")
    if e.state not in _TO_ASK_FOR:
        return board.ignore("agent_asked", "no_such_state")
    if agent.state is AgentState.WRAP_UP and e.state is not AgentState.NOT_READY:
        _finish_wrap_ups(board, agent, "finished" if e.state is AgentState.READY else "signed_out")
    return _want(board, agent, e.state, e.reason)


def forced(board: Board, e: t.StateForced) -> None:
    agent = board.agents.get(e.agent)
    if agent is None or e.state not in _TO_ASK_FOR:
        return board.ignore("state_forced", "unknown_agent" if agent is None else "no_such_state")
    _finish_wrap_ups(board, agent, "forced")
    if agent.offer is not None and e.state is not AgentState.READY:
        agent.wanted = (e.state, e.reason)
        return end_offer(board, board.offers[agent.offer], OfferEnd.WITHDRAWN, "forced")
    return _want(board, agent, e.state, e.reason)


def _want(board: Board, agent: AgentView, state: AgentState, reason: str) -> None:
    idle = not agent.works and agent.offer is None
    if state is AgentState.READY or idle:
        if agent.presence is AgentState.SIGNED_OUT and state is not AgentState.SIGNED_OUT:
            agent.idle = board.now
        agent.presence, agent.presence_reason, agent.wanted = state, reason, None
    else:
        agent.wanted = (state, reason)
    board.settle(agent)


# --- offers --------------------


def answered(board: Board, e: t.OfferAnswered) -> None:
    offer = board.offers.get(e.offer)
    if offer is None:
        return board.ignore("offer_answered", "offer_over")
    if e.how is OfferEnd.ACCEPTED:
        return accepted(board, offer)
    return end_offer(board, offer, e.how, e.detail)


def end_offer(board: Board, offer: Offer, how: OfferEnd, detail: str) -> None:
    """The agent is let go and the item, if it still waits, stands in its place again."""
    del board.offers[offer.id]
    w, agent = offer.waiting, offer.agent
    w.offer = agent.offer = None
    if board.waiting.get(w.item.id) is w:
        board.line_up(w)
        if w.due is not None:
            board.due(ITEM, w.due, w.order, w)
    board.say(t.OfferOver(offer=offer.id, item=w.item.id, agent=agent.id, how=how, detail=detail))
    if how in _AFTER_OFFER:
        agent.presence, agent.presence_reason = AgentState.NOT_READY, _AFTER_OFFER[how]
    board.settle(agent)


# --- work --------------------


def work_ended(board: Board, e: t.WorkEnded) -> None:
    agent = board.agents.get(e.agent)
    work = None if agent is None else agent.works.get(e.item)
    if agent is None or work is None or work.until is not None:
        return board.ignore("work_ended", "not_working_on_it")
    line = board.lines.get(work.queue)
    return begin_wrap_up(board, agent, work, board.now + micros(line.rules.wrap_up_s if line else 0.0))


def wrap_up_finished(board: Board, e: t.WrapUpFinished) -> None:
    agent = board.agents.get(e.agent)
    work = None if agent is None else agent.wrapping(e.item)
    if agent is None or work is None:
        return board.ignore("wrap_up_finished", "not_wrapping_up")
    return wrap_up_over(board, agent, work, "finished", e.disposition)


def disposed(board: Board, e: t.Disposed) -> None:
    agent = board.agents.get(e.agent)
    work = None if agent is None else agent.works.get(e.item)
    if work is None:
        return board.ignore("disposed", "not_working_on_it")
    work.disposed = True
    return None


def wrap_up_extended(board: Board, e: t.WrapUpExtended) -> None:
    agent = board.agents.get(e.agent)
    work = None if agent is None else agent.wrapping(e.item)
    if agent is None or work is None or work.until is None or e.seconds <= 0:
        return board.ignore("wrap_up_extended", "not_wrapping_up")
    line = board.lines.get(work.queue)
    latest = work.ended + micros(line.rules.wrap_up_most_s if line else e.seconds)
    until = min(work.until + micros(e.seconds), max(latest, work.until))
    if until == work.until:
        return board.ignore("wrap_up_extended", "at_its_longest")
    work.until = until
    board.due(WRAP_UP, until, work.order, work)
    return board.say(t.WrapUpBegun(item=work.item, agent=agent.id, until=until / 1e6))


def _finish_wrap_ups(board: Board, agent: AgentView, how: str) -> None:
    while (work := agent.wrapping()) is not None:
        wrap_up_over(board, agent, work, how, None)


def restored(board: Board, e: t.WorkRestored) -> None:
    agent = board.agents.get(e.agent)
    if agent is None:
        return board.ignore("work_restored", "unknown_agent")
    if e.item in board.hands or e.item in agent.works or e.item in board.waiting:
        return board.ignore("work_restored", "already_waits" if e.item in board.waiting else "already_in_hand")
    if not room(agent, e.medium):
        return board.ignore("work_restored", "no_room")
    if agent.offer is not None:
        # What is really being done outweighs what was only offered.
        end_offer(board, board.offers[agent.offer], OfferEnd.WITHDRAWN, "restored")
    work, suspended = begin(board, agent, e.item, e.queue, e.medium)
    if e.wrap_up_until is None:
        board.settle(agent)
        return board.out.extend(suspended)
    return begin_wrap_up(board, agent, work, micros(e.wrap_up_until))


def renamed(board: Board, e: t.WorkRenamed) -> None:
    agent = board.agents.get(e.agent)
    work = None if agent is None else agent.works.get(e.item)
    if agent is None or work is None or work.until is not None:
        return board.ignore("work_renamed", "not_working_on_it")
    if e.becomes != e.item and (e.becomes in board.hands or e.becomes in agent.works or e.becomes in board.waiting):
        return board.ignore("work_renamed", "name_taken")
    board.hands.pop(e.item, None)
    work.item, work.queue = e.becomes, e.queue
    agent.works = {held.item: held for held in agent.works.values()}  # in its place: which work is older still counts
    board.hands[e.becomes] = agent
    return board.settle(agent)
