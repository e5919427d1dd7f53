"""The router again, by brute force: no heaps, no classes, no caches, no counters. Whatever is asked is computed from
everything there is, at every step. Slow, and plain enough to be read against the rules."""

from __future__ import annotations

from types import SimpleNamespace as Box
from typing import Any

from callcontrol.model import AgentState as S
from callcontrol.model import Medium, OfferEnd
from callcontrol.routing import terms as t
from callcontrol.routing.rules import LIVE, QueueRules, Strategy, When, Where
from callcontrol.routing.skills import ANY, Need, all_of, at_least, names, parse, relaxed, satisfied, text_of

RINGS = (Medium.VOICE, Medium.VIDEO, Medium.CALLBACK)
REASON = {
    OfferEnd.REJECTED: "rejected_offer",
    OfferEnd.EXPIRED: "missed_offer",
    OfferEnd.FAILED: "device_unreachable",
}


def us(seconds: float) -> int:
    return round(seconds * 1e6)


class Oracle:
    def __init__(self, queues: list[QueueRules], criticality: dict[str, int]) -> None:
        self.queues = {q.name: q for q in queues}
        self.criticality = criticality
        self.agents: dict[str, Any] = {}
        self.items: dict[str, Any] = {}
        self.offers: dict[str, Any] = {}
        self.handle: dict[str, float] = {}
        self.now, self.at = 0, 0.0
        self.arrived = self.offered = self.begun = 0
        self.out: list[t.Decision] = []

    def step(self, e: t.RouterEvent) -> list[t.Decision]:
        if us(e.at) >= self.now:
            self.now, self.at = us(e.at), e.at
        self.out = []
        self.catch_up()
        getattr(self, type(e).__name__)(e)
        self.match()
        return self.out

    def renew(self, at: float, criticality: dict[str, int]) -> list[t.Decision]:
        self.criticality = criticality
        return self.step(t.TimePassed(at=at))

    # --- who gets whom: the heart --------------------

    def match(self) -> None:
        """The first item, in the order of claims, for which there is anybody; again from the start after each."""
        while True:
            for item in sorted((i for i in self.items.values() if not i.offer), key=self.standing):
                agent = self.best_agent(item)
                if agent is not None:
                    self.make_offer(item, agent)
                    break
            else:
                return

    def standing(self, i: Any) -> tuple[Any, ...]:
        rules = self.queues[i.item.queue]
        # Thousandths of a point a minute, by microseconds: whole numbers.
        # Its own target counts against the queue's: who must be answered twice as soon ages twice as fast.
        rate = round(rules.ageing_per_min * 1000 * rules.target_s / (i.item.target_s or rules.target_s))
        claim = self.priority(i) * 60_000_000 * 1000 + rate * (self.now - i.queued)
        return (-claim, i.queued, i.order)

    def priority(self, i: Any) -> int:
        return int(i.item.priority + self.queues[i.item.queue].priority + self.criticality.get(i.item.criticality, 0))

    def only(self, i: Any) -> str | None:
        return i.hand or i.item.agent

    def suits(self, i: Any, a: Any, need: Need) -> bool:
        """For good, whatever the agent does now; preferences apart."""
        if self.only(i):
            return bool(a.id == self.only(i))
        blend = a.profile.blend.value
        way = "outbound" if i.item.outbound else "inbound"
        return i.item.queue in a.profile.queues and blend in ("both", way) and satisfied(need, a.profile.skills)

    def best_agent(self, i: Any) -> Any:
        rules = self.queues[i.item.queue]
        if i.item.outbound and not self.only(i):
            ready = sum(a.shown[0] is S.READY and rules.name in a.profile.queues for a in self.agents.values())
            if rules.keep_free and ready <= rules.keep_free:
                return None
        able = {
            a.id: a
            for a in self.agents.values()
            if self.willing(a) and self.room(a, i.item.medium) and self.suits(i, a, self.need(i))
        }
        if not self.only(i):
            for name in i.item.preferred:
                if name in able:
                    return able[name]
            if i.prefers is not None:
                return None
        return min(able.values(), key=lambda a: self.rank(rules, i, a), default=None)

    def rank(self, rules: QueueRules, i: Any, a: Any) -> tuple[Any, ...]:
        measure: float = 0.0
        match rules.strategy:
            case Strategy.LEAST_OCCUPIED:
                measure = sum(w.weight for w in a.works) / a.profile.capacity.total
            case Strategy.BEST_SKILL:
                measure = -sum(a.profile.skills.get(s, 0) for s in names(self.need(i)))
            case Strategy.FASTEST:
                measure = a.handle.get(rules.name, rules.handle_s)
            case Strategy.ROUND_ROBIN:
                measure = a.given.get(rules.name, 0)
            case Strategy.RING_ORDER:
                measure = a.profile.ring.get(rules.name, 1_000_000)
        return (measure, a.idle, a.id)

    def willing(self, a: Any) -> bool:
        return a.presence is S.READY and a.wanted is None and a.offer is None

    def room(self, a: Any, medium: Medium) -> bool:
        c = a.profile.capacity
        gives_way = c.interrupts.get(medium, frozenset())
        weight = sum(w.weight for w in a.works if w.medium not in gives_way) + c.weights.get(medium, c.total)
        return sum(w.medium is medium for w in a.works) < c.limits.get(medium, 0) and weight <= c.total

    def base(self, i: Any) -> Need:
        rules = self.queues[i.item.queue]
        return all_of(parse(rules.requires), parse(i.item.requires), at_least(i.item.skills))

    def need(self, i: Any, rings: int | None = None) -> Need:
        need = self.base(i)
        for ring in self.queues[i.item.queue].rings[: i.ring if rings is None else rings]:
            need = relaxed(need, ring.loosen, ring.drop, drop_all=ring.drop_all)
        return ANY if self.only(i) and rings is None else need

    def make_offer(self, i: Any, a: Any) -> None:
        rules = self.queues[i.item.queue]
        i.offers += 1
        self.offered += 1
        name = f"{i.item.id}.o{i.offers}"
        offer = Box(id=name, order=self.offered, i=i, a=a, expires=self.now + us(rules.offer_s))
        self.offers[name] = offer
        i.offer = a.offer = name
        a.given[rules.name] = self.offered
        auto = a.profile.auto_accept or rules.auto_accept
        self.settle(a)
        self.out.append(
            t.MakeOffer(offer=name, item=i.item.id, agent=a.id, expires_at=offer.expires / 1e6, auto_accept=auto)
        )
        if auto and i.item.medium not in RINGS:
            self.accept(offer)

    def accept(self, offer: Any) -> None:
        del self.offers[offer.id]
        i, a = offer.i, offer.a
        del self.items[i.item.id]
        a.offer = None
        for w in list(a.works):
            if w.item == i.item.id:
                self.end_wrap_up(a, w, "reopened", None)
        suspended = self.begin(a, i.item.id, i.item.queue, i.item.medium)
        self.settle(a)
        self.out += [t.Assign(offer=offer.id, item=i.item.id, agent=a.id), *suspended]

    def begin(self, a: Any, item: str, queue: str, medium: Medium) -> list[t.WorkSuspended]:
        c = a.profile.capacity
        self.begun += 1
        a.works.append(
            Box(
                item=item, queue=queue, medium=medium, weight=c.weights.get(medium, c.total), order=self.begun,
                began=self.now, ended=0, until=None, suspended=False, disposed=False,
            )
        )  # fmt: skip
        a.idle = self.now
        told = []
        for w in reversed(a.works):
            if self.active(a) > c.total and w.medium in c.interrupts.get(medium, ()) and not w.suspended:
                w.suspended = True
                told.append(t.WorkSuspended(item=w.item, agent=a.id, by=item))
        return told

    def active(self, a: Any) -> int:
        return sum(w.weight for w in a.works if not w.suspended)

    # --- agents --------------------

    def settle(self, a: Any) -> None:
        if a.wanted and not a.works and not a.offer:
            a.presence, a.reason = a.wanted
            a.wanted = None
        talks = [w for w in a.works if w.until is None]
        wraps = [w for w in a.works if w.until is not None]
        if talks:
            first = min(talks, key=lambda w: (w.suspended, -w.weight, w.order))
            shown = (S.INTERACTING, "", first.item)
        elif a.offer:
            shown = (S.RESERVED, "", wraps[0].item if wraps else None)
        elif wraps:
            shown = (S.WRAP_UP, "", wraps[0].item)
        else:
            shown = (a.presence, a.reason, None)
        if shown == a.shown:
            return
        if shown[:2] != a.shown[:2]:
            a.since = self.at
        a.shown = shown
        self.out.append(t.AgentChanged(agent=a.id, state=shown[0], reason=shown[1], since=a.since, item=shown[2]))
        if shown[0] is S.SIGNED_OUT:
            for i in sorted(self.items.values(), key=lambda i: i.order):
                if i.hand == a.id:
                    i.hand = None
                    self.out.append(t.Released(item=i.item.id, agent=a.id, queue=i.item.queue))

    def ignored(self, event: str) -> None:
        self.out.append(t.Ignored(event=event, why=""))

    def AgentSignedIn(self, e: t.AgentSignedIn) -> None:  # noqa: N802
        a = self.agents.get(e.agent)
        if a is None:
            a = self.agents[e.agent] = Box(
                id=e.agent, presence=S.SIGNED_OUT, reason="", wanted=None, works=[], offer=None, idle=self.now,
                shown=(S.SIGNED_OUT, "", None), since=0.0, handle={}, given={},
            )  # fmt: skip
        a.profile = e
        if a.presence is S.SIGNED_OUT:
            a.presence, a.reason = S.NOT_READY, "signed_in"
            self.settle(a)

    def AgentAsked(self, e: t.AgentAsked) -> None:  # noqa: N802
        a = self.agents.get(e.agent)
        if a is None or e.state not in (S.READY, S.NOT_READY, S.SIGNED_OUT):
            return self.ignored("agent_asked")
        if a.shown[0] is S.WRAP_UP and e.state is not S.NOT_READY:
            self.end_all(a, "finished" if e.state is S.READY else "signed_out")
        return self.want(a, e.state, e.reason)

    def StateForced(self, e: t.StateForced) -> None:  # noqa: N802
        a = self.agents.get(e.agent)
        if a is None or e.state not in (S.READY, S.NOT_READY, S.SIGNED_OUT):
            return self.ignored("state_forced")
        self.end_all(a, "forced")
        if a.offer and e.state is not S.READY:
            a.wanted = (e.state, e.reason)
            return self.end_offer(self.offers[a.offer], OfferEnd.WITHDRAWN, "forced")
        return self.want(a, e.state, e.reason)

    def want(self, a: Any, state: S, reason: str) -> None:
        if state is S.READY or not (a.works or a.offer):
            if a.presence is S.SIGNED_OUT and state is not S.SIGNED_OUT:
                a.idle = self.now
            a.presence, a.reason, a.wanted = state, reason, None
        else:
            a.wanted = (state, reason)
        self.settle(a)

    def end_all(self, a: Any, how: str) -> None:
        for w in [w for w in a.works if w.until is not None]:
            self.end_wrap_up(a, w, how, None)

    def OfferAnswered(self, e: t.OfferAnswered) -> None:  # noqa: N802
        offer = self.offers.get(e.offer)
        if offer is None:
            return self.ignored("offer_answered")
        if e.how is OfferEnd.ACCEPTED:
            return self.accept(offer)
        return self.end_offer(offer, e.how, e.detail)

    def end_offer(self, offer: Any, how: OfferEnd, detail: str) -> None:
        del self.offers[offer.id]
        i, a = offer.i, offer.a
        i.offer = a.offer = None
        self.out.append(t.OfferOver(offer=offer.id, item=i.item.id, agent=a.id, how=how, detail=detail))
        if how in REASON:
            a.presence, a.reason = S.NOT_READY, REASON[how]
        self.settle(a)

    def find(self, agent: str, item: str | None) -> tuple[Any, Any]:
        """The agent, and the first work in wrap-up (that of the item)."""
        a = self.agents.get(agent)
        works = a.works if a else []
        return a, next((w for w in works if w.until is not None and item in (None, w.item)), None)

    def WorkEnded(self, e: t.WorkEnded) -> None:  # noqa: N802
        a = self.agents.get(e.agent)
        work = next((w for w in (a.works if a else []) if w.item == e.item and w.until is None), None)
        if work is None:
            return self.ignored("work_ended")
        rules = self.queues.get(work.queue)
        return self.wrap_up(a, work, self.now + us(rules.wrap_up_s if rules else 0.0))

    def wrap_up(self, a: Any, work: Any, until: int) -> None:
        work.until, work.ended = until, self.now
        self.settle(a)
        self.out.append(t.WrapUpBegun(item=work.item, agent=a.id, until=until / 1e6))
        if until <= self.now:
            self.end_wrap_up(a, work, "timer", None)

    def WrapUpFinished(self, e: t.WrapUpFinished) -> None:  # noqa: N802
        a, work = self.find(e.agent, e.item)
        if work is None:
            return self.ignored("wrap_up_finished")
        return self.end_wrap_up(a, work, "finished", e.disposition)

    def Disposed(self, e: t.Disposed) -> None:  # noqa: N802
        a = self.agents.get(e.agent)
        work = next((w for w in (a.works if a else []) if w.item == e.item), None)
        if work is None:
            return self.ignored("disposed")
        work.disposed = True
        return None

    def WrapUpExtended(self, e: t.WrapUpExtended) -> None:  # noqa: N802
        a, work = self.find(e.agent, e.item)
        if work is None or e.seconds <= 0:
            return self.ignored("wrap_up_extended")
        most = us(self.queues[work.queue].wrap_up_most_s) if work.queue in self.queues else us(e.seconds)
        until = min(work.until + us(e.seconds), max(work.until, work.ended + most))
        if until == work.until:
            return self.ignored("wrap_up_extended")
        work.until = until
        self.out.append(t.WrapUpBegun(item=work.item, agent=a.id, until=until / 1e6))
        return None

    def end_wrap_up(self, a: Any, work: Any, how: str, disposition: str | None) -> None:
        a.works.remove(work)
        a.idle = self.now
        took = (self.now - work.began) / 1e6
        before = a.handle.get(work.queue)
        a.handle[work.queue] = took if before is None else before + (took - before) * 0.05
        if work.queue in self.queues:
            whole = self.handle.get(work.queue)
            self.handle[work.queue] = took if whole is None else whole + (took - whole) * 0.05
        self.out.append(t.WrapUpOver(item=work.item, agent=a.id, how=how, disposition=disposition))
        asked = work.queue in self.queues and self.queues[work.queue].disposition_required
        said = disposition is not None or work.disposed
        # There was time to say it, and it was not said: nothing more for this agent before it is.
        if asked and not said and how == "timer" and self.now > work.ended and a.presence is S.READY:
            a.presence, a.reason = S.NOT_READY, "undisposed"
        for w in a.works:
            if w.suspended and self.active(a) + w.weight <= a.profile.capacity.total:
                w.suspended = False
                self.out.append(t.WorkResumed(item=w.item, agent=a.id))
        self.settle(a)

    def talks(self, item: str) -> bool:
        return any(w.item == item and w.until is None for a in self.agents.values() for w in a.works)

    def WorkRestored(self, e: t.WorkRestored) -> None:  # noqa: N802
        a = self.agents.get(e.agent)
        has = a is not None and any(w.item == e.item for w in a.works)
        if a is None or has or self.talks(e.item) or e.item in self.items or not self.room(a, e.medium):
            return self.ignored("work_restored")
        if a.offer:
            self.end_offer(self.offers[a.offer], OfferEnd.WITHDRAWN, "restored")
        suspended = self.begin(a, e.item, e.queue, e.medium)
        if e.wrap_up_until is not None:
            return self.wrap_up(a, a.works[-1], us(e.wrap_up_until))
        self.settle(a)
        self.out += suspended
        return None

    def WorkRenamed(self, e: t.WorkRenamed) -> None:  # noqa: N802
        a = self.agents.get(e.agent)
        work = next((w for w in (a.works if a else []) if w.item == e.item and w.until is None), None)
        if a is None or work is None:
            return self.ignored("work_renamed")
        has = any(w.item == e.becomes for w in a.works)
        if e.becomes != e.item and (has or self.talks(e.becomes) or e.becomes in self.items):
            return self.ignored("work_renamed")
        work.item, work.queue = e.becomes, e.queue
        return self.settle(a)

    # --- items --------------------

    def ItemQueued(self, e: t.ItemQueued) -> None:  # noqa: N802
        if e.item.id in self.items or self.talks(e.item.id):
            return self.ignored("item_queued")
        if e.item.queue not in self.queues:
            return self.out.append(t.GiveUp(item=e.item.id, why="unknown_queue"))
        self.arrived += 1
        queued = us(e.item.queued_at)
        i = Box(
            item=e.item, order=self.arrived, offers=e.item.offers_made, queued=queued, entered=min(queued, self.now),
            offer=None, hand=e.item.hand, visited=set(),
        )  # fmt: skip
        return self.arrive(i)

    def arrive(self, i: Any) -> None:
        self.enter(i)
        rules = self.queues[i.item.queue]
        length = sum(o.item.queue == rules.name for o in self.items.values())
        expected = self.expected(rules, length)
        tests = {
            When.CLOSED: rules.hours is not None and not rules.hours.is_open(self.at),
            When.LENGTH: length,
            When.EXPECTED_WAIT: expected,
        }
        for when, measured in tests.items():
            rule = self.usable(i, when)
            if when is When.CLOSED:
                hit = bool(measured) and (rule is not None or i.item.medium in LIVE)
            elif when is When.LENGTH:
                hit = rule is not None and length >= rule.over
            else:
                hit = rule is not None and (expected is None or expected > rule.over)
            if i.item.medium is Medium.CALLBACK:
                continue
            if hit:
                return self.send(i, rule, when.value)
            if when is When.LENGTH and rules.max_length is not None and length >= rules.max_length:
                return self.send(i, None, "full")
        self.items[i.item.id] = i
        while i.ring < len(rules.rings) and i.entered + us(rules.rings[i.ring].after_s) <= self.now:
            i.ring += 1
        return None

    def enter(self, i: Any) -> None:
        rules, item = self.queues[i.item.queue], i.item
        i.visited.add(item.queue)
        i.ring, i.overflowed = 0, item.medium is Medium.CALLBACK
        alone = rules.preferred_wait_s if item.preferred_wait_s is None else item.preferred_wait_s
        here = [a for a in self.agents.values() if a.id in item.preferred and a.presence is not S.SIGNED_OUT]
        i.prefers = i.entered + us(alone) if here and len(i.visited) == 1 and alone > 0 else None
        rule = rules.rule(When.NO_AGENTS)
        i.stranded = i.entered + us(rule.over if rule and item.medium in LIVE else rules.stranded_s)
        i.stuck = False
        self.watch_the_door(i)

    def watch_the_door(self, i: Any) -> None:
        """When this queue closes next, where that would send the item away."""
        rules = self.queues[i.item.queue]
        i.closes = None
        if rules.hours is not None and rules.rule(When.CLOSED) and i.item.medium is not Medium.CALLBACK:
            i.closes = us(rules.hours.next_close(self.at))

    def usable(self, i: Any, when: When) -> Any:
        rule = self.queues[i.item.queue].rule(when)
        if rule and rule.to is Where.QUEUE and (rule.target in i.visited or rule.target not in self.queues):
            return None
        return rule

    def send(self, i: Any, rule: Any, why: str) -> None:
        self.items.pop(i.item.id, None)
        if rule is not None and rule.to is Where.QUEUE:
            self.change_queue(i, rule.target, rule.when.value)
            return self.arrive(i)
        to, target = (rule.to.value, rule.target) if rule else ("", "")
        return self.out.append(t.GiveUp(item=i.item.id, why=why, to=to, target=target))

    def change_queue(self, i: Any, queue: str, why: str) -> None:
        self.out.append(t.Moved(item=i.item.id, queue=queue, came_from=i.item.queue, why=why))
        fields = {name: getattr(i.item, name) for name in i.item.__struct_fields__}
        i.item = t.WorkItem(**{**fields, "queue": queue, "agent": None, "hand": None})
        i.entered, i.hand = self.now, None

    def expected(self, rules: QueueRules, ahead: int) -> float | None:
        states = [a.shown[0] for a in self.agents.values() if rules.name in a.profile.queues]
        staffed = sum(s not in (S.SIGNED_OUT, S.NOT_READY) for s in states)
        if not staffed:
            return None
        ready = sum(s is S.READY for s in states)
        return max(0, ahead + 1 - ready) * self.handle.get(rules.name, rules.handle_s) / staffed

    def at_hand(self, item: str) -> Any:
        i = self.items[item]
        if i.offer:
            self.end_offer(self.offers[i.offer], OfferEnd.WITHDRAWN, "supervisor")
        return i

    def ItemWithdrawn(self, e: t.ItemWithdrawn) -> None:  # noqa: N802
        if e.item not in self.items:
            return self.ignored("item_withdrawn")
        i = self.items.pop(e.item)
        if i.offer:
            self.end_offer(self.offers[i.offer], OfferEnd.WITHDRAWN, "")
        return None

    def PlaceHeld(self, e: t.PlaceHeld) -> None:  # noqa: N802
        i = self.items.get(e.item)
        if i is None or i.offer or i.item.medium is Medium.CALLBACK:
            return self.ignored("place_held")
        fields = {name: getattr(i.item, name) for name in i.item.__struct_fields__}
        i.item = t.WorkItem(**{**fields, "medium": Medium.CALLBACK, "give_up_at": None})
        i.closes, i.overflowed = None, True
        return None

    def ItemMoved(self, e: t.ItemMoved) -> None:  # noqa: N802
        known = e.item in self.items and e.queue in self.queues
        if not known or self.items[e.item].item.queue == e.queue:
            return self.ignored("item_moved")
        i = self.at_hand(e.item)
        self.change_queue(i, e.queue, "supervisor")
        return self.enter(i)

    def ItemRaised(self, e: t.ItemRaised) -> None:  # noqa: N802
        i = self.items.get(e.item)
        if i is None:
            return self.ignored("item_raised")
        fields = {name: getattr(i.item, name) for name in i.item.__struct_fields__}
        i.item = t.WorkItem(**{**fields, "priority": e.priority})
        return None

    def ItemAssigned(self, e: t.ItemAssigned) -> None:  # noqa: N802
        a = self.agents.get(e.agent)
        if a is None or a.presence is S.SIGNED_OUT or e.item not in self.items:
            return self.ignored("item_assigned")
        i = self.at_hand(e.item)
        i.hand, i.prefers = e.agent, None
        return None

    def TimePassed(self, e: t.TimePassed) -> None:  # noqa: N802
        pass

    # --- time --------------------

    def catch_up(self) -> None:
        """The earliest of all that is due, one at a time: offers before wrap-ups before items."""
        while True:
            dues: list[tuple[int, int, int, int, Any]] = []
            dues += [(o.expires, 0, o.order, 0, o) for o in self.offers.values()]
            for a in self.agents.values():
                dues += [(w.until, 1, w.order, 0, (a, w)) for w in a.works if w.until is not None]
            for i in self.items.values():
                if not i.offer:
                    dues += [(when, 2, i.order, what, i) for when, what in self.dues(i)]
            if not dues or min(dues, key=lambda d: d[:4])[0] > self.now:
                return
            _, kind, _, what, who = min(dues, key=lambda d: d[:4])
            if kind == 0:
                self.end_offer(who, OfferEnd.EXPIRED, "")
            elif kind == 1:
                self.end_wrap_up(*who, "timer", None)
            else:
                (self.timeout, self.time_rule, self.no_more_preference, self.relax, self.look, self.shut)[what](who)

    def dues(self, i: Any) -> list[tuple[int, int]]:
        rules = self.queues[i.item.queue]
        found = []
        if i.item.give_up_at is not None:
            found.append((us(i.item.give_up_at), 0))
        if rules.max_wait_s is not None and i.item.medium in LIVE:
            found.append((i.entered + us(rules.max_wait_s), 0))
        if (rule := rules.rule(When.TIME)) is not None and not i.overflowed:
            found.append((i.entered + us(rule.over), 1))
        if i.prefers is not None:
            found.append((i.prefers, 2))
        if i.ring < len(rules.rings):
            found.append((i.entered + us(rules.rings[i.ring].after_s), 3))
        if i.stranded is not None:
            found.append((i.stranded, 4))
        if i.closes is not None:
            found.append((i.closes, 5))
        return found

    def timeout(self, i: Any) -> None:
        self.send(i, None, "timeout")

    def time_rule(self, i: Any) -> None:
        i.overflowed = True
        rule = self.usable(i, When.TIME)
        if rule is not None:
            self.send(i, rule, "timeout")

    def no_more_preference(self, i: Any) -> None:
        i.prefers = None

    def relax(self, i: Any) -> None:
        i.ring += 1
        self.out.append(t.Relaxed(item=i.item.id, ring=i.ring, requires=text_of(self.need(i, i.ring))))

    def look(self, i: Any) -> None:
        rules = self.queues[i.item.queue]
        need = self.need(i, len(rules.rings))
        found = any(
            a.presence is not S.SIGNED_OUT
            and a.profile.capacity.limits.get(i.item.medium, 0) > 0
            and a.profile.capacity.weights.get(i.item.medium, a.profile.capacity.total) <= a.profile.capacity.total
            and self.suits(i, a, need)
            for a in self.agents.values()
        )
        if not found and i.hand:  # who was meant is not there: anybody's again
            self.out.append(t.Released(item=i.item.id, agent=i.hand, queue=rules.name))
            i.hand, i.stranded = None, self.now + us(30.0)
            return None
        if not found and not i.stuck:
            self.out.append(
                t.Alert(
                    kind="no_qualified_agent",
                    item=i.item.id,
                    queue=rules.name,
                    detail=text_of(need),
                    medium=i.item.medium,
                )
            )
        if not found and i.item.medium in LIVE:
            return self.send(i, self.usable(i, When.NO_AGENTS), "no_agents")
        i.stuck = not found
        i.stranded = self.now + us(max(30.0, rules.stranded_s))
        return None

    def shut(self, i: Any) -> None:
        """The queue closed while it waited."""
        rule = self.usable(i, When.CLOSED)
        if rule is not None and not self.queues[i.item.queue].hours.is_open(self.at):
            return self.send(i, rule, "closed")
        return self.watch_the_door(i)
