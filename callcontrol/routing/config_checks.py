"""What no single value shows: names that lead nowhere, rules that contradict each other, circles."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from callcontrol.routing.rules import When, Where
from callcontrol.routing.skills import Need, names, parse, relaxed, satisfied, text_of
from foundation.holidays import PLACES

if TYPE_CHECKING:
    from callcontrol.routing.config import QueueConfig, RoutingConfig

_HIGHEST = 10
# Of an expression: no text of 300 characters that a person writes needs more.
_MOST_TRIED = 20_000


class Problem(NamedTuple):
    path: tuple[str | int, ...]
    message: str


class Known(NamedTuple):
    """The names of each section that stand in the text."""

    skills: frozenset[str]
    calendars: frozenset[str]
    capacities: frozenset[str]
    dispositions: frozenset[str]
    contact_reasons: frozenset[str]
    queues: frozenset[str]
    teams: frozenset[str]


def problems_of(config: RoutingConfig, known: Known, *, people: bool) -> list[Problem]:
    """`people`: all of teams and agents was understood, so that what nobody can do is a mistake."""
    found = [*_twice(config), *_circles(config), *_calendars(config)]
    for n, queue in enumerate(config.queues):
        found += _queue(config, known, n, queue)
        if people:
            found += _doable(config, n, queue)
    for name, capacity in config.capacities.items():
        if not any(capacity.limits.values()):
            found.append(
                Problem(("capacities", name, "limits"), "with this nobody can take anything: no limit above 0")
            )
        for medium, limit in capacity.limits.items():
            if limit and capacity.weights.get(medium, capacity.total) > capacity.total:
                found.append(
                    Problem(("capacities", name, "weights", medium.value), "one alone weighs more than `total`")
                )
    found += _people(config, known)
    return found


def _calendars(config: RoutingConfig) -> Iterator[Problem]:
    try:
        zone = ZoneInfo(config.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Problem(("timezone",), f"there is no time zone {config.timezone!r}")
        return
    for name, calendar in config.calendars.items():
        if not calendar.build(zone).ever_opens:
            yield Problem(("calendars", name), "this calendar has no open hour")
        if calendar.holidays is not None and calendar.holidays not in PLACES:
            yield Problem(("calendars", name, "holidays"), f"there are {', '.join(PLACES)}")


def _twice(config: RoutingConfig) -> Iterator[Problem]:
    lists = (("queues", "name", config.queues), ("teams", "name", config.teams), ("agents", "id", config.agents))
    for section, key, entries in lists:
        seen: set[str] = set()
        for n, entry in enumerate(entries):
            name = getattr(entry, key)
            if name in seen:
                yield Problem((section, n, key), f"there are two {section} {name!r}")
            seen.add(name)


def _queue(config: RoutingConfig, known: Known, n: int, queue: QueueConfig) -> Iterator[Problem]:
    here: tuple[str | int, ...] = ("queues", n)
    if queue.calendar is not None:
        yield from unknown((*here, "calendar"), "calendar", queue.calendar, known.calendars)
    need = parse(queue.requires)
    for skill in sorted(names(need)):
        yield from unknown((*here, "requires"), "skill", skill, known.skills)
    if not _possible(need):
        yield Problem((*here, "requires"), "nobody can fulfil this: its parts contradict each other")
    yield from _rings(known, here, queue)
    yield from _overflow(known, here, queue)
    if queue.wrap_up_most_s < queue.wrap_up_s:
        yield Problem((*here, "wrap_up_most_s"), "shorter than `wrap_up_s`")
    yield from _all_known((*here, "dispositions"), "disposition", queue.dispositions, known.dispositions)
    yield from _all_known((*here, "contact_reasons"), "contact reason", queue.contact_reasons, known.contact_reasons)
    if queue.disposition_required and not known.dispositions:
        yield Problem((*here, "disposition_required"), "there are no `dispositions` to choose from")


def _rings(known: Known, here: tuple[str | int, ...], queue: QueueConfig) -> Iterator[Problem]:
    before = -1.0
    for k, ring in enumerate(queue.rings):
        at = (*here, "rings", k)
        if ring.after_s <= before:
            yield Problem((*at, "after_s"), "each ring begins later than the one before it")
        if queue.max_wait_s is not None and ring.after_s >= queue.max_wait_s:
            yield Problem((*at, "after_s"), f"never reached: the queue gives up after {queue.max_wait_s:g} s")
        before = ring.after_s
        for skill in ring.loosen:
            yield from unknown((*at, "loosen", skill), "skill", skill, known.skills)
        for m, skill in enumerate(ring.drop):
            yield from unknown((*at, "drop", m), "skill", skill, known.skills)
            if skill in ring.loosen:
                yield Problem((*at, "drop", m), f"{skill!r} is loosened and dropped in the same ring")
        if not (ring.loosen or ring.drop or ring.drop_all):
            yield Problem(at, "this ring relaxes nothing")


def _overflow(known: Known, here: tuple[str | int, ...], queue: QueueConfig) -> Iterator[Problem]:
    seen: set[When] = set()
    for k, rule in enumerate(queue.overflow):
        at = (*here, "overflow", k)
        if rule.when in seen:
            yield Problem((*at, "when"), f"two rules for {rule.when.value}: only one can be followed")
        seen.add(rule.when)
        if rule.to is Where.QUEUE:
            yield from unknown((*at, "target"), "queue", rule.target, known.queues)
        after_a_while = rule.when in (When.TIME, When.NO_AGENTS)
        if after_a_while and queue.max_wait_s is not None and rule.over >= queue.max_wait_s:
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


def _people(config: RoutingConfig, known: Known) -> Iterator[Problem]:
    for n, team in enumerate(config.teams):
        yield from unknown(("teams", n, "capacity"), "capacity", team.capacity, known.capacities)
        yield from _all_known(("teams", n, "queues"), "queue", team.queues, known.queues)
        for skill in team.skills:
            yield from unknown(("teams", n, "skills", skill), "skill", skill, known.skills)
    for n, agent in enumerate(config.agents):
        yield from unknown(("agents", n, "team"), "team", agent.team, known.teams)
        yield from _all_known(("agents", n, "queues"), "queue", agent.queues or [], known.queues)
        if agent.capacity is not None:
            yield from unknown(("agents", n, "capacity"), "capacity", agent.capacity, known.capacities)
        for skill in agent.skills:
            yield from unknown(("agents", n, "skills", skill), "skill", skill, known.skills)
        for queue in agent.ring:
            yield from unknown(("agents", n, "ring", queue), "queue", queue, known.queues)


def _all_known(
    path: tuple[str | int, ...], kind: str, given: Iterable[str], known: Collection[str]
) -> Iterator[Problem]:
    for k, name in enumerate(given):
        yield from unknown((*path, k), kind, name, known)


def unknown(path: tuple[str | int, ...], kind: str, name: str, known: Collection[str]) -> Iterator[Problem]:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    yield Problem(path, f"unknown {kind} {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


# --- what an expression asks, and of whom --------------------


def _doable(config: RoutingConfig, n: int, queue: QueueConfig) -> Iterator[Problem]:
    """Held against those who work in the queue, relaxed as far as it goes. Where nobody does, nothing can be said."""
    need = parse(queue.requires)
    if not _possible(need):
        return  # told already
    for ring in queue.rings:
        need = relaxed(need, ring.loosen, frozenset(ring.drop), drop_all=ring.drop_all)
    crew = [skills for queues, skills in crew_of(config) if queue.name in queues]
    if crew and not any(satisfied(need, skills) for skills in crew):
        yield Problem(("queues", n, "requires"), f"nobody who works in this queue can fulfil {text_of(need)!r}")


def crew_of(config: RoutingConfig) -> list[tuple[list[str], dict[str, int]]]:
    """Queues and skills of each agent."""
    teams = {team.name: team for team in config.teams}
    return [
        (teams[a.team].queues if a.queues is None else a.queues, teams[a.team].skills | a.skills)
        for a in config.agents
        if a.team in teams
    ]


def _possible(need: Need) -> bool:
    """Whether anybody at all could fulfil it. Skill by skill, those first that are asked for most often; a part that
    is false whatever the other skills are ends the search there."""
    atoms = list(_atoms(need))
    often = Counter(skill for skill, _ in atoms)
    levels = {
        skill: sorted(
            {0, *(min(max(level + by, 0), _HIGHEST) for s, level in atoms if s == skill for by in (-1, 0, 1))}
        )
        for skill in often
    }
    left = [_MOST_TRIED]

    def search(order: list[str], given: dict[str, int]) -> bool:
        left[0] -= 1
        known = _told(need, given)
        if known is not None or left[0] < 0:
            return known is not False  # too long to try out: in doubt it is possible
        skill, *others = order
        return any(search(others, {**given, skill: level}) for level in levels[skill])

    return search([skill for skill, _ in often.most_common()], {})


def _atoms(need: Need) -> Iterator[tuple[str, int]]:
    if need[0] == "cmp":
        yield need[1], need[3]
    else:
        for part in need[1:]:
            yield from _atoms(part)


def _told(need: Need, given: dict[str, int]) -> bool | None:
    """None while it depends on skills that are not given."""
    if need[0] == "cmp":
        return satisfied(need, given) if need[1] in given else None
    parts = [_told(part, given) for part in need[1:]]
    match need[0]:
        case "not":
            return None if parts[0] is None else not parts[0]
        case "and":
            return False if False in parts else None if None in parts else True
        case _:
            return True if True in parts else None if None in parts else False
