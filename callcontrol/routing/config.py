"""The organisation as data: calendars, skills, capacities, queues, teams, agents. One YAML file, read by
`foundation.settings`; what contradicts itself is refused with its place (`config_checks`)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ModelWrapValidatorHandler, model_validator

from callcontrol.model import AgentId, Medium
from callcontrol.routing import terms as t
from callcontrol.routing.bounds import (
    WEEK_S,
    AlertSeconds,
    Duration,
    Id,
    Length,
    Level,
    MaxWaitSeconds,
    Name,
    OfferSeconds,
    Priority,
    Seconds,
    Title,
    WrapUpSeconds,
)
from callcontrol.routing.calendar import Calendar, Periods
from callcontrol.routing.config_partly import checked
from callcontrol.routing.rules import DEFAULT_CRITICALITY, Blend, Capacity, Overflow, QueueRules, Ring, Strategy
from callcontrol.routing.rules import When as When
from callcontrol.routing.rules import Where as Where
from callcontrol.routing.service_level import ServiceLevel, Variant
from callcontrol.routing.skills import BadNeed, parse
from foundation.settings import Section

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PERIOD = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


def _expression(value: str) -> str:
    try:
        parse(value)
    except BadNeed as error:
        raise ValueError(error.message) from None
    return value


def _periods(values: list[str]) -> list[str]:
    end = -1
    for value in values:
        start, stop = _minutes(value)
        if start <= end:
            raise ValueError(f"{value}: the hours of a day must follow each other")
        end = stop
    return values


def _minutes(value: str) -> tuple[int, int]:
    found = _PERIOD.fullmatch(value)
    if not found:
        raise ValueError(f"{value!r} is not of the form 08:00-13:00")
    h1, m1, h2, m2 = map(int, found.groups())
    start, end = h1 * 60 + m1, h2 * 60 + m2
    if end > 1440 or start >= end:
        raise ValueError(f"{value}: it must end after it begins, at 24:00 at the latest (split a night in two days)")
    return start, end


def _weekdays(value: dict[str, list[str]]) -> dict[str, list[str]]:
    seen: set[int] = set()
    for key in value:
        days = days_of(key)
        if seen & set(days):
            raise ValueError(f"{key}: a day is given twice")
        seen |= set(days)
    return value


def days_of(key: str) -> list[int]:
    """`mon`, `mon-fri`, `all`."""
    first, _, last = ("mon", "-", "sun") if key == "all" else key.partition("-")
    if first not in DAYS or (last or first) not in DAYS or DAYS.index(last or first) < DAYS.index(first):
        raise ValueError(f"{key!r} is no weekday, no span like mon-fri and not all")
    return list(range(DAYS.index(first), DAYS.index(last or first) + 1))


def _no_word(value: str) -> str:
    if value in {"and", "or", "not"}:
        raise ValueError(f"{value!r} is a word of expressions and cannot be a skill")
    return value


SkillName = Annotated[Name, AfterValidator(_no_word)]
Expression = Annotated[str, AfterValidator(_expression)]
Hours = Annotated[list[str], AfterValidator(_periods)]


class CalendarConfig(Section):
    week: Annotated[dict[str, Hours], AfterValidator(_weekdays)] = {}
    holidays: str | None = None
    special: dict[dt.date, Hours] = {}

    def build(self, zone: ZoneInfo) -> Calendar:
        week: list[Periods] = [()] * 7
        for key, hours in self.week.items():
            for day in days_of(key):
                week[day] = tuple(_minutes(h) for h in hours)
        special = {day: tuple(_minutes(h) for h in hours) for day, hours in self.special.items()}
        return Calendar(tuple(week), zone, self.holidays, special)


class CapacityConfig(Section):
    limits: dict[Medium, Annotated[int, Field(ge=0, le=100)]]
    weights: dict[Medium, Annotated[int, Field(ge=1, le=1000)]] = {}
    total: int = Field(default=100, ge=1, le=1000)
    interrupts: dict[Medium, list[Medium]] = {}

    def build(self) -> Capacity:
        gives_way = {medium: frozenset(others) for medium, others in self.interrupts.items()}
        return Capacity(limits=self.limits, weights=self.weights, total=self.total, interrupts=gives_way)


class RingConfig(Section):
    after_s: Seconds
    loosen: dict[str, Level] = {}
    drop: list[str] = []
    drop_all: bool = False


class OverflowConfig(Section):
    when: When
    over: float = Field(default=0, ge=0, le=WEEK_S, description="seconds, or how many wait")
    to: Where
    target: str = ""


class ServiceLevelConfig(Section):
    variant: Variant = Variant.STANDARD
    threshold_s: Duration = 20
    target: float = Field(default=0.8, gt=0, le=1)
    short_s: Seconds = 5

    def build(self) -> ServiceLevel:
        return ServiceLevel(**self.model_dump())


class ReasonConfig(Section):
    """Why somebody is not ready. `productive`: the time counts as work (training, a visit), not as a pause."""

    title: Title
    productive: bool = False


class WrapUpCodes(NamedTuple):
    """What an agent may choose from after a contact of one queue: codes with their titles, in the file's order."""

    required: bool
    dispositions: dict[str, str]
    reasons: dict[str, str]


class QueueConfig(Section):
    name: Id
    title: str = ""
    calendar: str | None = None
    strategy: Strategy = Strategy.LONGEST_IDLE
    offer_s: OfferSeconds = 20
    wrap_up_s: WrapUpSeconds = 30
    wrap_up_most_s: Seconds = 600
    max_wait_s: MaxWaitSeconds | None = None
    max_length: Length | None = None
    priority: Priority = 0
    ageing_per_min: float = Field(default=0, ge=0, le=100)
    requires: Expression = ""
    rings: list[RingConfig] = []
    overflow: list[OverflowConfig] = []
    auto_accept: bool = False
    preferred_wait_s: Seconds = 0
    stranded_s: Seconds = 300
    keep_free: Length = 0
    handle_s: Duration = 180
    service_level: ServiceLevelConfig = ServiceLevelConfig()
    dispositions: list[str] = Field(default=[], description="those that make sense here; all when empty")
    contact_reasons: list[str] = Field(default=[], description="those that make sense here; all when empty")
    disposition_required: bool = False
    prefer_last_agent: bool = Field(default=False, description="who talked with that number last is tried first")
    alert_waiting_s: AlertSeconds | None = Field(default=None, description="instead of `alerts.waiting_s`")
    contacts_per_month: float | None = Field(default=None, ge=0, le=1e9, description="for plans and simulations")

    def build(self, calendars: dict[str, Calendar]) -> QueueRules:
        given = self.model_dump(exclude=_NOT_THE_ROUTERS)
        rings = (
            Ring(after_s=r.after_s, loosen=r.loosen, drop=frozenset(r.drop), drop_all=r.drop_all) for r in self.rings
        )
        return QueueRules(
            **given,
            target_s=self.service_level.threshold_s,
            rings=tuple(rings),
            overflow=tuple(Overflow(**rule.model_dump()) for rule in self.overflow),
            hours=calendars[self.calendar] if self.calendar else None,
        )


_NOT_THE_ROUTERS = {
    "title",
    "calendar",
    "rings",
    "overflow",
    "service_level",
    "contacts_per_month",
    "dispositions",
    "contact_reasons",
    "alert_waiting_s",
    "prefer_last_agent",
}


class TeamConfig(Section):
    """Those who share queues and capacity. `positions` of them work at the same time, at most."""

    name: Name
    title: str = ""
    positions: Length | None = None
    capacity: str
    queues: list[str] = []
    skills: dict[str, Level] = {}
    blend: Blend = Blend.BOTH
    auto_accept: bool = False


class AgentConfig(Section):
    """What is not given is as in the team; skills are the team's with these on top."""

    id: Id
    name: str
    team: str
    queues: list[str] | None = None
    skills: dict[str, Level] = {}
    ring: dict[str, Length] = {}
    capacity: str | None = None
    phone: str | None = None


class AlertsConfig(Section):
    """When somebody is told that something lasts too long. `level_contacts`: a service level of fewer contacts in half
    an hour says nothing."""

    waiting_s: AlertSeconds = 180
    held_s: AlertSeconds = 180
    wrap_up_s: AlertSeconds = 300
    not_responding_s: AlertSeconds = 30
    level_contacts: int = Field(default=10, ge=1, le=100_000)


class CallbacksConfig(Section):
    """How a promised callback is kept: so often at most, so long after the last time, so long it rings."""

    attempts: int = Field(default=3, ge=1, le=20)
    retry_s: float = Field(default=900, ge=10, le=WEEK_S)
    ring_s: float = Field(default=45, ge=5, le=180)


class RoutingConfig(Section):
    timezone: str = "America/Guayaquil"
    skills: dict[SkillName, str] = Field(default={}, description="name and title")
    criticality: dict[Name, Annotated[int, Field(ge=0, le=1000)]] = dict(DEFAULT_CRITICALITY)
    calendars: dict[Name, CalendarConfig] = {}
    capacities: dict[Name, CapacityConfig] = {}
    reasons: dict[Name, ReasonConfig] = Field(default={}, description="why somebody is not ready")
    contact_reasons: dict[Name, Title] = Field(default={}, description="what a contact was about: code and title")
    dispositions: dict[Name, Title] = Field(default={}, description="how a contact ended: code and title")
    queues: list[QueueConfig] = []
    alerts: AlertsConfig = AlertsConfig()
    callbacks: CallbacksConfig = CallbacksConfig()
    teams: list[TeamConfig] = []
    agents: list[AgentConfig] = []

    @model_validator(mode="wrap")
    @classmethod
    def _holds_together(cls, values: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        return checked(values, read)

    # --- as the router takes it --------------------

    def rules(self) -> list[QueueRules]:
        zone = ZoneInfo(self.timezone)
        calendars = {name: calendar.build(zone) for name, calendar in self.calendars.items()}
        return [queue.build(calendars) for queue in self.queues]

    def codes(self, queue: str | None) -> WrapUpCodes:
        """Of a queue that is not in the organisation, all there are, and none is required."""
        found = next((q for q in self.queues if q.name == queue), None)
        return WrapUpCodes(
            required=found is not None and found.disposition_required,
            dispositions=_chosen(self.dispositions, [] if found is None else found.dispositions),
            reasons=_chosen(self.contact_reasons, [] if found is None else found.contact_reasons),
        )

    def profile(self, agent: AgentId, at: float) -> t.AgentSignedIn | None:
        """The event that signs this agent in."""
        found = next((a for a in self.agents if a.id == agent), None)
        if found is None:
            return None
        team = next(team for team in self.teams if team.name == found.team)
        return t.AgentSignedIn(
            at=at,
            agent=AgentId(found.id),
            queues=frozenset(team.queues if found.queues is None else found.queues),
            skills=team.skills | found.skills,
            ring=found.ring,
            capacity=self.capacities[found.capacity or team.capacity].build(),
            blend=team.blend,
            auto_accept=team.auto_accept,
        )


def _chosen(titles: dict[str, str], codes: list[str]) -> dict[str, str]:
    return {code: titles[code] for code in codes} if codes else dict(titles)
