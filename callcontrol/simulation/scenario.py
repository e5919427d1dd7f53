"""A scenario file: who calls when, how patient they are, how long it takes, who works."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from callcontrol.model import Medium
from callcontrol.routing.bounds import WEEK_S, Duration, Level, Name, Priority
from callcontrol.routing.config import RoutingConfig
from callcontrol.routing.config_checks import Problem, unknown
from foundation.settings import Mistake, Section, SettingsError, load, load_text, text_of
from foundation.settings_yaml import dotted, parse

# More would neither fit into memory nor end today.
MOST_CONTACTS = 20_000_000


class Shape(StrEnum):
    EXPONENTIAL = "exponential"
    LOGNORMAL = "lognormal"
    CONSTANT = "constant"


class HandleByLevel(Section):
    """The mean by the agent's level in a skill; a level that is not given takes the next lower one's."""

    skill: str
    seconds: dict[Annotated[int, Field(ge=0, le=10)], Duration] = Field(min_length=1)


class Arrivals(Section):
    queue: str
    medium: Medium = Medium.VOICE
    per_interval: list[Annotated[float, Field(ge=0, le=1e6)]] = Field(
        min_length=1, description="mean arrivals in each interval, then from the start"
    )
    interval_s: float = Field(default=1800, ge=1, le=WEEK_S)
    handle_s: Duration
    handle_shape: Shape = Shape.EXPONENTIAL
    handle_cv: float = Field(default=0.8, gt=0, le=10, description="of lognormal times: deviation over mean")
    handle_by_level: HandleByLevel | None = None
    patience_s: Duration | None = Field(default=None, description="mean, exponential; for ever when not given")
    priority: Priority = 0
    skills: dict[str, Level] = {}


class Crew(Section):
    """`count` agents of a kind, there from `from_s` to `to_s` of the day."""

    name: Name
    count: int = Field(ge=0, le=10_000)
    queues: list[str]
    skills: dict[str, Level] = {}
    capacity: str | None = None
    from_s: Annotated[float, Field(ge=0, le=366 * 86400)] = 0
    to_s: Annotated[float, Field(ge=0, le=366 * 86400)] | None = None


class Scenario(Section):
    title: str = ""
    organisation: str | None = Field(default=None, description="a file for rimay apply, relative to this one")
    routing: RoutingConfig | None = None
    starts_at: float = Field(default=1_795_010_400.0, ge=0, le=4e9, description="unix seconds of the day's beginning")
    duration_s: float = Field(default=86400, ge=1, le=366 * 86400)
    warm_up_s: float = Field(default=0, ge=0, le=366 * 86400, description="not counted")
    replications: int = Field(default=10, ge=2, le=10_000)
    seed: int = 1
    arrivals: list[Arrivals] = Field(min_length=1)
    crews: list[Crew] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_organisation(self) -> Self:
        if (self.organisation is None) == (self.routing is None):
            raise ValueError("either `organisation` or `routing` is needed")
        return self


def read(path: Path) -> tuple[Scenario, RoutingConfig]:
    """Raises `SettingsError` with the place of each mistake: of the file, of the organisation's, and of what in the
    first does not fit the second."""
    text = text_of(path)
    scenario = load_text(Scenario, text, str(path), folder=path.parent)
    config = scenario.routing or load(RoutingConfig, path.parent / (scenario.organisation or ""))
    document = parse(text)
    mistakes = [
        Mistake(document.place(problem.path), dotted(problem.path), problem.message)
        for problem in _problems(scenario, config)
    ]
    if mistakes:
        raise SettingsError(str(path), mistakes)
    return scenario, config


def _problems(scenario: Scenario, config: RoutingConfig) -> Iterator[Problem]:
    queues = [queue.name for queue in config.queues]
    if scenario.warm_up_s >= scenario.duration_s:
        yield Problem(("warm_up_s",), "must be less than `duration_s`")
    expected = 0.0
    for n, stream in enumerate(scenario.arrivals):
        yield from unknown(("arrivals", n, "queue"), "queue", stream.queue, queues)
        for skill in stream.skills:
            yield from unknown(("arrivals", n, "skills", skill), "skill", skill, config.skills)
        if stream.handle_by_level is not None:
            skill = stream.handle_by_level.skill
            yield from unknown(("arrivals", n, "handle_by_level", "skill"), "skill", skill, config.skills)
        expected += sum(stream.per_interval) / len(stream.per_interval) / stream.interval_s * scenario.duration_s
    if expected * scenario.replications > MOST_CONTACTS:
        number = f"{expected * scenario.replications:.3g} contacts"
        yield Problem(("replications",), f"{number} in all; at most {MOST_CONTACTS} can be played")
    for n, crew in enumerate(scenario.crews):
        for k, queue in enumerate(crew.queues):
            yield from unknown(("crews", n, "queues", k), "queue", queue, queues)
        for skill in crew.skills:
            yield from unknown(("crews", n, "skills", skill), "skill", skill, config.skills)
        if crew.capacity is not None:
            yield from unknown(("crews", n, "capacity"), "capacity", crew.capacity, config.capacities)
        if crew.to_s is not None and crew.to_s <= crew.from_s:
            yield Problem(("crews", n, "to_s"), "must be later than `from_s`")
