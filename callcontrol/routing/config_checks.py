"""What no single value shows: names that lead nowhere, rules that contradict each other, circles."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from callcontrol.routing.rules import When, Where
from callcontrol.routing.skills import Need, names, parse, satisfied

if TYPE_CHECKING:
    from callcontrol.routing.config import QueueConfig, RoutingConfig

# More skills in one expression than this are not tried out in all their levels.
_TRIED_SKILLS = 4
_HIGHEST = 10


class Problem(NamedTuple):
    path: tuple[str | int, ...]
    message: str


def problems_of(config: RoutingConfig) -> list[Problem]:
    found = [*_twice(config), *_circles(config)]
    for n, queue in enumerate(config.queues):
        found += _queue(config, n, queue)
    for name, capacity in config.capacities.items():
        for medium, limit in capacity.limits.items():
            if limit and capacity.weights.get(medium, capacity.total) > capacity.total:
                found.append(
                    Problem(("capacities", name, "weights", medium.value), "one alone weighs more than `total`")
                )
    found += _people(config)
    return found


def _twice(config: RoutingConfig) -> Iterator[Problem]:
    lists = (("queues", "name", config.queues), ("teams", "name", config.teams), ("agents", "id", config.agents))
    for section, key, entries in lists:
        seen: set[str] = set()
        for n, entry in enumerate(entries):
            name = getattr(entry, key)
            if name in seen:
                yield Problem((section, n, key), f"there are two {section} {name!r}")
            seen.add(name)


def _queue(config: RoutingConfig, n: int, queue: QueueConfig) -> Iterator[Problem]:
    here: tuple[str | int, ...] = ("queues", n)
    if queue.calendar is not None:
        yield from _known((*here, "calendar"), "calendar", queue.calendar, config.calendars)
    need = parse(queue.requires)
    for skill in sorted(names(need)):
        yield from _known((*here, "requires"), "skill", skill, config.skills)
    if not _possible(need):
        yield Problem((*here, "requires"), "nobody can fulfil this: its parts contradict each other")
    yield from _rings(config, here, queue)
    yield from _overflow(config, here, queue)
    if queue.wrap_up_most_s < queue.wrap_up_s:
        yield Problem((*here, "wrap_up_most_s"), "shorter than `wrap_up_s`")
    yield from _all_known((*here, "dispositions"), "disposition", queue.dispositions, config.dispositions)
    yield from _all_known((*here, "contact_reasons"), "contact reason", queue.contact_reasons, config.contact_reasons)
    if queue.disposition_required and not config.dispositions:
        yield Problem((*here, "disposition_required"), "there are no `dispositions` to choose from")


def _rings(config: RoutingConfig, here: tuple[str | int, ...], queue: QueueConfig) -> Iterator[Problem]:
    before = -1.0
    for k, ring in enumerate(queue.rings):
        at = (*here, "rings", k)
        if ring.after_s <= before:
            yield Problem((*at, "after_s"), "each ring begins later than the one before it")
        if queue.max_wait_s is not None and ring.after_s >= queue.max_wait_s:
            yield Problem((*at, "after_s"), f"never reached: the queue gives up after {queue.max_wait_s:g} s")
        before = ring.after_s
        for skill in ring.loosen:
            yield from _known((*at, "loosen", skill), "skill", skill, config.skills)
        for m, skill in enumerate(ring.drop):
            yield from _known((*at, "drop", m), "skill", skill, config.skills)
            if skill in ring.loosen:
                yield Problem((*at, "drop", m), f"{skill!r} is loosened and dropped in the same ring")
        if not (ring.loosen or ring.drop or ring.drop_all):
            yield Problem(at, "this ring relaxes nothing")


def _overflow(config: RoutingConfig, here: tuple[str | int, ...], queue: QueueConfig) -> Iterator[Problem]:
    seen: set[When] = set()
    queues = {q.name for q in config.queues}
    for k, rule in enumerate(queue.overflow):
        at = (*here, "overflow", k)
        if rule.when in seen:
            yield Problem((*at, "when"), f"two rules for {rule.when.value}: only one can be followed")
        seen.add(rule.when)
        if rule.to is Where.QUEUE:
            yield from _known((*at, "target"), "queue", rule.target, queues)
        if rule.when is When.TIME and queue.max_wait_s is not None and rule.over >= queue.max_wait_s:
            yield Problem((*at, "over"), f"never reached: the queue gives up after {queue.max_wait_s:g} s")
        if rule.when is When.LENGTH and queue.max_length is not None and rule.over > queue.max_length:
            yield Problem((*at, "over"), f"never reached: the queue is full at {queue.max_length}")
        if rule.when is When.CLOSED and queue.calendar is None:
            yield Problem((*at, "when"), "a queue without a calendar is never closed")


def _circles(config: RoutingConfig) -> Iterator[Problem]:
    """Each circle is told once, at the rule that closes it."""
    onto = {
        q.name: [(k, rule.target) for k, rule in enumerate(q.overflow) if rule.to is Where.QUEUE] for q in config.queues
    }
    number = {q.name: n for n, q in enumerate(config.queues)}
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> Iterator[Problem]:
        for k, target in onto.get(name, []):
            if target in path:
                circle = " -> ".join([*path[path.index(target) :], target])
                yield Problem(("queues", number[name], "overflow", k), f"a circle of overflows: {circle}")
            elif target not in done:
                yield from visit(target, [*path, target])
        done.add(name)

    for queue in config.queues:
        if queue.name not in done:
            yield from visit(queue.name, [queue.name])


def _people(config: RoutingConfig) -> Iterator[Problem]:
    queues = {q.name for q in config.queues}
    teams = {team.name for team in config.teams}
    for n, team in enumerate(config.teams):
        yield from _known(("teams", n, "capacity"), "capacity", team.capacity, config.capacities)
        yield from _all_known(("teams", n, "queues"), "queue", team.queues, queues)
        for skill in team.skills:
            yield from _known(("teams", n, "skills", skill), "skill", skill, config.skills)
    for n, agent in enumerate(config.agents):
        yield from _known(("agents", n, "team"), "team", agent.team, teams)
        yield from _all_known(("agents", n, "queues"), "queue", agent.queues or [], queues)
        if agent.capacity is not None:
            yield from _known(("agents", n, "capacity"), "capacity", agent.capacity, config.capacities)
        for skill in agent.skills:
            yield from _known(("agents", n, "skills", skill), "skill", skill, config.skills)
        for queue in agent.ring:
            yield from _known(("agents", n, "ring", queue), "queue", queue, queues)


def _all_known(
    path: tuple[str | int, ...], kind: str, given: Iterable[str], known: Collection[str]
) -> Iterator[Problem]:
    for k, name in enumerate(given):
        yield from _known((*path, k), kind, name, known)


def _known(path: tuple[str | int, ...], kind: str, name: str, known: Collection[str]) -> Iterator[Problem]:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    yield Problem(path, f"unknown {kind} {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def _possible(need: Need) -> bool:
    skills = sorted(names(need))
    if len(skills) > _TRIED_SKILLS:
        return True
    levels = range(_HIGHEST + 1)
    return any(satisfied(need, dict(zip(skills, given, strict=True))) for given in product(levels, repeat=len(skills)))
