"""Fills in a `Why` in the moment of the decision, from what is then true."""

from __future__ import annotations

from itertools import islice

from callcontrol.model import AgentState
from callcontrol.routing.agents import AgentView, room
from callcontrol.routing.board import Board, suits
from callcontrol.routing.line import Line, Waiting
from callcontrol.routing.skills import missing, satisfied, text_of
from callcontrol.routing.why import LOOKED_AT, NAMED, Candidate, Excluded, How, Why


def explain(board: Board, line: Line, w: Waiting, chosen: AgentView) -> Why:
    klass = w.klass
    assert klass is not None  # noqa: S101 - about to be offered
    people = klass.members if klass.key.anywhere else line.agents
    ranks = [(klass.rank(chosen), chosen)]
    excluded: list[Excluded] = []
    for agent in islice(people.values(), LOOKED_AT):
        if agent is chosen:
            continue
        if agent.id in klass.members and klass.can(agent):
            ranks.append((klass.rank(agent), agent))
        else:
            excluded.append(_excluded(w, agent))
    how = _how(w, chosen)
    if how == "strategy":
        ranks.sort(key=lambda entry: entry[0])
    return Why(
        queue=w.item.queue,
        strategy=line.rules.strategy,
        how=how,
        agent=chosen.id,
        waited_s=round((board.now - w.queued) / 1e6, 3),
        priority=w.priority,
        criticality=w.item.criticality,
        requires=text_of(klass.key.need),
        ring=w.ring,
        relaxed_from=text_of(w.asked) if w.asked != w.need else "",
        candidates=tuple(Candidate(agent.id, rank[0]) for rank, agent in ranks[:NAMED]),
        excluded=tuple(excluded),
        not_looked_at=max(0, len(people) - LOOKED_AT),
        tie=how == "strategy" and len(ranks) > 1 and ranks[0][0][0] == ranks[1][0][0],
        tie_by_name=how == "strategy" and len(ranks) > 1 and ranks[0][0][:2] == ranks[1][0][:2],
    )


def _how(w: Waiting, chosen: AgentView) -> How:
    if w.hand is not None:
        return "by_hand"
    if w.klass is not None and w.klass.key.anywhere:
        return "direct"
    return "preferred" if chosen.id in w.item.preferred else "strategy"


def _excluded(w: Waiting, agent: AgentView) -> Excluded:
    klass = w.klass
    assert klass is not None  # noqa: S101 - about to be offered
    key = klass.key
    if not suits(key, agent):
        if key.only and agent.id not in key.only:
            return Excluded(agent.id, "not_asked_for")
        if not satisfied(key.need, agent.skills):
            return Excluded(agent.id, "skill", missing(key.need, agent.skills))
        return Excluded(agent.id, "blend", agent.blend.value)
    if agent.state is AgentState.SIGNED_OUT:
        return Excluded(agent.id, "signed_out")
    if agent.offer is not None:
        return Excluded(agent.id, "reserved")
    if not room(agent, key.medium):
        return Excluded(agent.id, "no_room", str(len(agent.works)))
    reason = agent.wanted[1] if agent.wanted else agent.presence_reason
    return Excluded(agent.id, "not_ready", reason)
