"""Who gets whom. After every step no item waits that a free agent could take; so a step needs to look only at what it
changed: the agents it touched and the items it placed."""

from __future__ import annotations

from callcontrol.model import Medium, OfferId
from callcontrol.routing import terms as t
from callcontrol.routing.agents import AgentView, room
from callcontrol.routing.board import OFFER, Board, Offer, free_for, micros
from callcontrol.routing.explain import explain
from callcontrol.routing.line import Klass, Waiting
from callcontrol.routing.working import accepted

# Media that an agent's device must answer: auto-accept is then the device's, and its answer comes as an event.
_RINGS = frozenset({Medium.VOICE, Medium.VIDEO, Medium.CALLBACK})


def match(board: Board, *, with_why: bool) -> None:
    """Items in the order of their claims, each to the best agent for it, until nothing more can be given."""
    touched = [agent for agent in board.touched.values() if agent.willing]
    board.touched.clear()
    if len(touched) == 1 and not board.fresh and not _blended(board, touched):
        _match_one(board, touched[0], with_why=with_why)
        return
    classes = {w.klass: None for w in board.fresh.values() if w.klass is not None}
    board.fresh.clear()
    for agent in touched:
        _free(agent)
        for klass in agent.classes:
            if klass.items and klass not in classes:
                classes[klass] = None
    for klass in _blended(board, touched):
        classes[klass] = None
    _match_all(board, classes, with_why=with_why)


def _free(agent: AgentView) -> None:
    fits: dict[Medium, bool] = {}
    for klass in agent.classes:
        medium = klass.key.medium
        if medium not in fits:
            fits[medium] = room(agent, medium)
        if fits[medium]:
            klass.add_free(agent)


def _blended(board: Board, touched: list[AgentView]) -> list[Klass]:
    """Outbound items wait until enough agents are free: one who becomes free may let another take them."""
    if not board.blends:
        return []
    queues = {name for agent in touched for name in agent.queues if name in board.lines}
    lines = [board.lines[name] for name in sorted(queues) if board.lines[name].rules.keep_free]
    return [klass for line in lines for klass in line.classes.values() if klass.items and klass.key.outbound]


def _held_back(board: Board, klass: Klass) -> bool:
    if not klass.key.outbound or klass.key.anywhere:
        return False
    line = board.lines[klass.key.queue]
    return 0 < line.rules.keep_free >= line.ready


def _match_one(board: Board, agent: AgentView, *, with_why: bool) -> None:
    """One agent became free and nothing else changed: every item that can be given can only be given to them."""
    while agent.willing:
        fits: dict[Medium, bool] = {}
        best: Waiting | None = None
        best_standing: tuple[int, int, int] | None = None
        for klass in agent.classes:
            if not klass.items:
                continue
            medium = klass.key.medium
            if medium not in fits:
                fits[medium] = room(agent, medium)
            if not fits[medium] or (head := klass.head()) is None or _held_back(board, klass):
                continue
            standing = klass.standing(head, board.now)
            if best_standing is None or standing < best_standing:
                best, best_standing = head, standing
        if best is None:
            _free(agent)
            break
        _offer(board, best, agent, with_why=with_why)
    board.touched.clear()


def _match_all(board: Board, classes: dict[Klass, None], *, with_why: bool) -> None:
    while classes:
        best: Waiting | None = None
        best_standing: tuple[int, int, int] | None = None
        for klass in list(classes):
            head = klass.head()
            if head is None:
                del classes[klass]
                continue
            standing = klass.standing(head, board.now)
            if best_standing is None or standing < best_standing:
                best, best_standing = head, standing
        if best is None or best.klass is None:
            break
        agent = None if _held_back(board, best.klass) else _choose(best)
        if agent is None:
            del classes[best.klass]
            continue
        _offer(board, best, agent, with_why=with_why)
        if agent.willing:
            _free(agent)
    board.touched.clear()


def _choose(w: Waiting) -> AgentView | None:
    klass = w.klass
    assert klass is not None  # noqa: S101 - a head of a class
    for name in klass.key.only or w.item.preferred:
        agent = free_for(klass, name)
        if agent is not None:
            return agent
    return None if klass.key.only else klass.best()


def _offer(board: Board, w: Waiting, agent: AgentView, *, with_why: bool) -> None:
    klass = w.klass
    assert klass is not None  # noqa: S101 - a head of a class
    line = board.lines[w.item.queue]
    why = explain(board, line, w, agent) if with_why else None
    w.offers += 1
    board.offered += 1
    offer = Offer(OfferId(f"{w.item.id}.o{w.offers}"), board.offered, w, agent, board.now + micros(line.rules.offer_s))
    board.offers[offer.id] = offer
    w.offer = agent.offer = offer.id
    w.version += 1  # out of its class's heap, not out of its class
    agent.given[w.item.queue] = board.offered
    auto = agent.auto_accept or line.rules.auto_accept
    board.settle(agent)
    board.say(
        t.MakeOffer(
            offer=offer.id,
            item=w.item.id,
            agent=agent.id,
            expires_at=offer.expires / 1e6,
            auto_accept=auto,
            why=why,
        )
    )
    if auto and w.item.medium not in _RINGS:
        accepted(board, offer)
    else:
        board.due(OFFER, offer.expires, offer.order, offer)
