"""A scenario file: who calls when, how patient they are, how long it takes, who works."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from callcontrol.model import Medium
from callcontrol.routing.bounds import Level, Name
from callcontrol.routing.config import RoutingConfig
from foundation.errors import Invalid
from foundation.settings import Section, load


class Shape(StrEnum):
    EXPONENTIAL = "exponential"
    LOGNORMAL = "lognormal"
    CONSTANT = "constant"


class HandleByLevel(Section):
    """The mean by the agent's level in a skill; a level that is not given takes the next lower one's."""

    skill: str
    seconds: dict[int, float] = Field(min_length=1)


class Arrivals(Section):
    queue: str
    medium: Medium = Medium.VOICE
    per_interval: list[float] = Field(min_length=1, description="mean arrivals in each interval, then from the start")
    interval_s: float = Field(default=1800, gt=0)
    handle_s: float = Field(gt=0)
    handle_shape: Shape = Shape.EXPONENTIAL
    handle_cv: float = Field(default=0.8, gt=0, description="of lognormal times: deviation over mean")
    handle_by_level: HandleByLevel | None = None
    patience_s: float | None = Field(default=None, gt=0, description="mean, exponential; for ever when not given")
    priority: int = 0
    skills: dict[str, Level] = {}


class Crew(Section):
    """`count` agents of a kind, there from `from_s` to `to_s` of the day."""

    name: Name
    count: int = Field(ge=0, le=10_000)
    queues: list[str]
    skills: dict[str, Level] = {}
    capacity: str | None = None
    from_s: float = Field(default=0, ge=0)
    to_s: float | None = None


class Scenario(Section):
    title: str = ""
    organisation: str | None = Field(default=None, description="a file for rimay apply, relative to this one")
    routing: RoutingConfig | None = None
    starts_at: float = Field(default=1_795_010_400.0, description="unix seconds of the day's beginning")
    duration_s: float = Field(default=86400, gt=0)
    warm_up_s: float = Field(default=0, ge=0, description="not counted")
    replications: int = Field(default=10, ge=2, le=10_000)
    seed: int = 1
    arrivals: list[Arrivals] = Field(min_length=1)
    crews: list[Crew] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_organisation(self) -> Self:
        if (self.organisation is None) == (self.routing is None):
            raise ValueError("either `organisation` or `routing` is needed")
        if self.warm_up_s >= self.duration_s:
            raise ValueError("`warm_up_s` must be less than `duration_s`")
        return self


def read(path: Path) -> tuple[Scenario, RoutingConfig]:
    """Raises `SettingsError` for each file, and `Invalid` where the two do not fit."""
    scenario = load(Scenario, path)
    config = scenario.routing or load(RoutingConfig, path.parent / (scenario.organisation or ""))
    queues = {queue.name for queue in config.queues}
    used = {a.queue for a in scenario.arrivals} | {q for crew in scenario.crews for q in crew.queues}
    if unknown := sorted(used - queues):
        raise Invalid(f"{path}: unknown queues: {', '.join(unknown)}; there are {', '.join(sorted(queues))}")
    capacities = {crew.capacity for crew in scenario.crews if crew.capacity} - config.capacities.keys()
    if capacities:
        raise Invalid(f"{path}: unknown capacities: {', '.join(sorted(capacities))}")
    return scenario, config
