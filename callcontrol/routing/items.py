"""What happens to those who wait: they come, are sent on, relaxed, moved, raised, held, give up."""

from __future__ import annotations

from msgspec.structs import replace

from callcontrol.model import AgentId, AgentState, InteractionId, Medium, OfferEnd
from callcontrol.routing import terms as t
from callcontrol.routing.board import ITEM, Board, micros
from callcontrol.routing.line import POINT, Line, Waiting, is_live
from callcontrol.routing.people import end_offer
from callcontrol.routing.rules import Overflow, When, Where
from callcontrol.routing.skills import ANY, BadNeed, Need, all_of, at_least, parse, relaxed, text_of

# When everybody has gone home while somebody waits, it is noticed after this long at the latest.
_LOOK_AGAIN_S = 30.0
_FAR_S = 365 * 86400


def queued(board: Board, e: t.ItemQueued) -> None:
    item = e.item
    if item.id in board.waiting:
        return board.ignore("item_queued", "already_waits")
    if item.id in board.hands:
        return board.ignore("item_queued", "already_in_hand")
    if board.line(item.queue) is None:
        return board.say(t.GiveUp(item=item.id, why="unknown_queue"))
    board.arrivals += 1
    at = micros(item.queued_at)
    w = Waiting(item, board.arrivals, item.offers_made, at, min(at, board.now), ANY, ANY, hand=item.hand)
    return _arrive(board, w)


def _arrive(board: Board, w: Waiting) -> None:
    """Through the rules of the queue, and of those it is sent on to, into a line or out of all."""
    while True:
        line = board.lines[w.item.queue]
        _take_rules(board, line, w)
        rule, why = _turned_away(board, line, w)
        if rule is not None and rule.to is Where.QUEUE:
            _change_queue(board, w, rule.target, rule.when.value)
            continue
        if why:
            to, target = ("", "") if rule is None else (rule.to.value, rule.target)
            return board.say(t.GiveUp(item=w.item.id, why=why, to=to, target=target))
        board.waiting[w.item.id] = w
        line.waiting += 1
        _ring_by_now(w, line, board.now)
        board.place(w)
        return schedule(board, w)


def _take_rules(board: Board, line: Line, w: Waiting) -> None:
    item, rules = w.item, line.rules
    w.rate = rules.rate(item.target_s)
    w.priority = item.priority + rules.priority + board.criticality.get(item.criticality, 0)
    w.asked = w.need = all_of(_need(board, rules.requires, w), _need(board, item.requires, w), at_least(item.skills))
    w.visited |= {item.queue}
    w.ring = 0
    w.overflowed = item.medium is Medium.CALLBACK  # a promise to call does not lapse
    w.stuck = False
    w.closes = _closes(board, line, w)
    if len(w.visited) > 1 or not any(_is_here(board, agent) for agent in item.preferred):
        w.prefers = None  # nobody waits for who is not at work
    else:
        alone = rules.preferred_wait_s if item.preferred_wait_s is None else item.preferred_wait_s
        w.prefers = w.entered + micros(alone) if alone > 0 else None
    rule = rules.rule(When.NO_AGENTS) if is_live(item.medium) else None
    w.stranded = w.entered + micros(rules.stranded_s if rule is None else rule.over)


def _closes(board: Board, line: Line, w: Waiting) -> int | None:
    """When the queue closes next, if there is a rule for that which could send this one away."""
    rules = line.rules
    if rules.hours is None or w.item.medium is Medium.CALLBACK or rules.rule(When.CLOSED) is None:
        return None
    if line.closes <= board.now:
        closes = rules.hours.next_close(board.at)
        # A calendar without an end is asked again after a year.
        line.closes = board.now + _FAR_S * 1_000_000 if closes is None else micros(closes)
    return line.closes


def _is_here(board: Board, agent: AgentId) -> bool:
    known = board.agents.get(agent)
    return known is not None and known.presence is not AgentState.SIGNED_OUT


def _need(board: Board, text: str, w: Waiting) -> Need:
    try:
        return parse(text)
    except BadNeed as error:
        # A contact is never lost for a slip in somebody's expression.
        board.say(t.Alert(kind="bad_expression", item=w.item.id, queue=w.item.queue, detail=error.message))
        return ANY


def _turned_away(board: Board, line: Line, w: Waiting) -> tuple[Overflow | None, str]:
    """The rule that does not let it in here and its name; no rule and a name: out; neither: it may stay."""
    rules = line.rules
    if w.item.medium is Medium.CALLBACK:
        return None, ""  # promised already: by these very rules, as often as not
    if rules.hours is not None and not rules.hours.is_open(board.at):
        rule = _rule(board, w, rules, When.CLOSED)
        if rule is not None or is_live(w.item.medium):
            return rule, "closed"
    rule = _rule(board, w, rules, When.LENGTH)
    if rule is not None and line.waiting >= rule.over:
        return rule, "length"
    if rules.max_length is not None and line.waiting >= rules.max_length:
        return None, "full"
    rule = _rule(board, w, rules, When.EXPECTED_WAIT)
    if rule is not None:
        expected = board.expected_s(line, line.waiting)
        if expected is None or expected > rule.over:
            return rule, "expected_wait"
    return None, ""


def _rule(board: Board, w: Waiting, rules: t.QueueRules, when: When) -> Overflow | None:
    """The queue's rule, if it can be followed: never twice into the same, two full queues would pass it to and fro."""
    rule = rules.rule(when)
    if rule is None or rule.to is not Where.QUEUE:
        return rule
    return rule if rule.target not in w.visited and board.line(rule.target) is not None else None


def _change_queue(board: Board, w: Waiting, queue: str, why: str) -> None:
    came_from = w.item.queue
    w.item = replace(w.item, queue=queue, agent=None, hand=None)
    w.entered = board.now
    w.hand = None
    board.say(t.Moved(item=w.item.id, queue=queue, came_from=came_from, why=why))


def replace_in_line(board: Board, line: Line, w: Waiting) -> None:
    """The rules changed under it: what it asks for and what comes due are computed anew, its place stays."""
    visited = w.visited
    _take_rules(board, line, w)
    w.visited = visited
    _ring_by_now(w, line, board.now)
    board.place(w)
    schedule(board, w)


def points_changed(board: Board, w: Waiting) -> None:
    """What its criticality is worth is another number now."""
    w.priority = (
        w.item.priority + board.lines[w.item.queue].rules.priority + board.criticality.get(w.item.criticality, 0)
    )
    board.unplace(w)
    board.place(w)


# --- time --------------------


def schedule(board: Board, w: Waiting) -> None:
    """The next thing that time does to it."""
    w.due = min((at for at, _ in _dues(board, w)), default=None)
    if w.due is not None and w.offer is None:
        board.due(ITEM, w.due, w.order, w)


def _dues(board: Board, w: Waiting) -> list[tuple[int, int]]:
    """All that is to come: when, and what (in the order in which they are taken when they fall together)."""
    rules = board.lines[w.item.queue].rules
    dues = []
    if w.item.give_up_at is not None:
        dues.append((micros(w.item.give_up_at), 0))
    if rules.max_wait_s is not None and is_live(w.item.medium):
        dues.append((w.entered + micros(rules.max_wait_s), 0))
    time_rule = rules.rule(When.TIME)
    if time_rule is not None and not w.overflowed:
        dues.append((w.entered + micros(time_rule.over), 1))
    if w.prefers is not None:
        dues.append((w.prefers, 2))
    if w.ring < len(rules.rings):
        dues.append((w.entered + micros(rules.rings[w.ring].after_s), 3))
    if w.stranded is not None:
        dues.append((w.stranded, 4))
    if w.closes is not None:
        dues.append((w.closes, 5))
    return dues


def came_due(board: Board, w: Waiting) -> None:
    what = min(_dues(board, w))[1]
    line = board.lines[w.item.queue]
    if what == 0:
        return _out(board, w, None, "timeout")
    if what == 1:
        w.overflowed = True
        rule = _rule(board, w, line.rules, When.TIME)
        if rule is not None:
            return _overflow(board, w, rule, "timeout")
    elif what == 2:
        w.prefers = None
        board.unplace(w)
        board.place(w)
    elif what == 3:
        board.unplace(w)
        _next_ring(w, line)
        board.place(w)
        board.say(t.Relaxed(item=w.item.id, ring=w.ring, requires=text_of(w.need)))
    elif what == 4:
        return _look_for_anyone(board, w, line)
    else:
        return _closed(board, w, line)
    return schedule(board, w)


def _closed(board: Board, w: Waiting, line: Line) -> None:
    """The queue has closed over who waits: its rule sends them on; without one that can be followed they wait on, for
    those who are still at work."""
    rules = line.rules
    rule = _rule(board, w, rules, When.CLOSED)
    if rule is not None and rules.hours is not None and not rules.hours.is_open(board.at):
        return _overflow(board, w, rule, "closed")
    w.closes = _closes(board, line, w)
    return schedule(board, w)


def _ring_by_now(w: Waiting, line: Line, now: int) -> None:
    """One that comes back after a restart has waited already."""
    rings = line.rules.rings
    while w.ring < len(rings) and w.entered + micros(rings[w.ring].after_s) <= now:
        _next_ring(w, line)


def _next_ring(w: Waiting, line: Line) -> None:
    ring = line.rules.rings[w.ring]
    w.ring += 1
    w.need = relaxed(w.need, ring.loosen, ring.drop, drop_all=ring.drop_all)


def _look_for_anyone(board: Board, w: Waiting, line: Line) -> None:
    """Nobody waits for ever because no one has the skill: whoever is signed in is held against what will be asked for
    when all rings have passed; and again after a while, for agents go home."""
    rules = line.rules
    need = at_last(w, line)
    found, live = board.anyone(w, need), is_live(w.item.medium)
    if not found and w.hand is not None:  # assigned before a restart, and they did not come back
        board.release(w)
        w.stranded = board.now + micros(_LOOK_AGAIN_S)
        return schedule(board, w)
    if not found and not w.stuck:
        queue, medium = w.item.queue, w.item.medium
        board.say(t.Alert(kind="no_qualified_agent", item=w.item.id, queue=queue, detail=text_of(need), medium=medium))
    if found or not live:  # what lies and waits is not sent away
        w.stuck = not found
        w.stranded = board.now + micros(max(_LOOK_AGAIN_S, rules.stranded_s))
        return schedule(board, w)
    rule = _rule(board, w, rules, When.NO_AGENTS)
    if rule is None:
        return _out(board, w, None, "no_agents")
    return _overflow(board, w, rule, "no_agents")


def at_last(w: Waiting, line: Line) -> Need:
    """What is asked for when all rings have passed."""
    need = w.need
    for ring in line.rules.rings[w.ring :]:
        need = relaxed(need, ring.loosen, ring.drop, drop_all=ring.drop_all)
    return need


def _overflow(board: Board, w: Waiting, rule: Overflow, why: str) -> None:
    if rule.to is not Where.QUEUE:
        return _out(board, w, rule, why)
    board.leave(w)
    _change_queue(board, w, rule.target, rule.when.value)
    return _arrive(board, w)


def _out(board: Board, w: Waiting, rule: Overflow | None, why: str) -> None:
    board.leave(w)
    to, target = ("", "") if rule is None else (rule.to.value, rule.target)
    board.say(t.GiveUp(item=w.item.id, why=why, to=to, target=target))


# --- callers and supervisors --------------------


def withdrawn(board: Board, e: t.ItemWithdrawn) -> None:
    w = board.waiting.get(e.item)
    if w is None:
        return board.ignore("item_withdrawn", "not_waiting")
    board.leave(w)
    if w.offer is not None:
        end_offer(board, board.offers[w.offer], OfferEnd.WITHDRAWN, "")
    return None


def held(board: Board, e: t.PlaceHeld) -> None:
    """The place is the same; what comes to the agent is a call to make. Who is being offered has no need of it."""
    w = board.waiting.get(e.item)
    if w is None or w.item.medium is Medium.CALLBACK:
        return board.ignore("place_held", "not_waiting" if w is None else "already_there")
    if w.offer is not None:
        return board.ignore("place_held", "being_offered")
    w.item = replace(w.item, medium=Medium.CALLBACK, give_up_at=None)
    w.closes, w.overflowed = None, True  # a promise to call does not lapse
    board.unplace(w)
    board.place(w)
    return schedule(board, w)


def _at_hand(board: Board, item: InteractionId, event: str) -> Waiting | None:
    """The item, taken back from whom it is being offered to."""
    w = board.waiting.get(item)
    if w is None:
        board.ignore(event, "not_waiting")
        return None
    if w.offer is not None:
        end_offer(board, board.offers[w.offer], OfferEnd.WITHDRAWN, "supervisor")
    return w


def moved(board: Board, e: t.ItemMoved) -> None:
    waiting = board.waiting.get(e.item)
    if board.line(e.queue) is None:
        return board.ignore("item_moved", "unknown_queue")
    if waiting is not None and waiting.item.queue == e.queue:
        return board.ignore("item_moved", "already_there")
    w = _at_hand(board, e.item, "item_moved")
    if w is None:
        return None
    board.leave(w)
    _change_queue(board, w, e.queue, "supervisor")
    line = board.lines[e.queue]
    _take_rules(board, line, w)
    board.waiting[w.item.id] = w
    line.waiting += 1
    board.place(w)
    return schedule(board, w)


def raised(board: Board, e: t.ItemRaised) -> None:
    w = board.waiting.get(e.item)
    if w is None:
        return board.ignore("item_raised", "not_waiting")
    more = e.priority - w.item.priority
    w.item = replace(w.item, priority=e.priority)
    w.priority += more
    w.claim += more * POINT
    if w.offer is None:
        board.line_up(w)
    return None


def assigned(board: Board, e: t.ItemAssigned) -> None:
    if not _is_here(board, e.agent):
        return board.ignore("item_assigned", "signed_out" if e.agent in board.agents else "unknown_agent")
    w = _at_hand(board, e.item, "item_assigned")
    if w is None:
        return None
    w.hand = e.agent
    w.prefers = None
    board.unplace(w)
    board.place(w)
    return schedule(board, w)
