"""What the days say together: means with their 95 % confidence intervals, over independent replications."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

from callcontrol.routing.config import RoutingConfig
from callcontrol.routing.service_level import ServiceLevel
from callcontrol.simulation.engine import Day, Tally

# Student's t at 97.5 % for 1 to 30 degrees of freedom; the normal's value is near enough from there on.
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Estimate:
    mean: float
    half: float  # of the 95 % interval

    def covers(self, value: float) -> bool:
        return abs(value - self.mean) <= self.half


@dataclass(frozen=True, slots=True)
class QueueReport:
    queue: str
    offered: Estimate
    wait_probability: Estimate  # had to wait at all, of all offered
    asa_s: Estimate  # mean wait of the answered
    p90_s: Estimate  # of the answered
    abandoned: Estimate  # part of the offered
    turned_away: Estimate
    service_level: Estimate
    definition: str


@dataclass(frozen=True, slots=True)
class Report:
    queues: list[QueueReport]
    occupancy: dict[str, Estimate]
    replications: int
    contacts: int
    events: int

    def as_json(self) -> dict[str, object]:
        """What is not known (nobody called) is null: JSON has no word for it."""
        return {name: _known(value) for name, value in asdict(self).items()}


def _known(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: _known(inner) for key, inner in value.items()}
        case list():
            return [_known(inner) for inner in value]
    return value


def estimate(values: Iterable[float | None]) -> Estimate:
    """Days without the figure (nobody called) say nothing about it."""
    known = [v for v in values if v is not None]
    if not known:
        return Estimate(math.nan, math.nan)
    if len(known) == 1:
        return Estimate(known[0], math.inf)
    t = _T[len(known) - 2] if len(known) <= len(_T) + 1 else 1.96
    return Estimate(fmean(known), t * stdev(known) / math.sqrt(len(known)))


def report(days: Sequence[Day], config: RoutingConfig) -> Report:
    levels = {queue.name: queue.service_level.build() for queue in config.queues}
    names = sorted({name for day in days for name in day.queues})
    crews = sorted({name for day in days for name in day.present_s})
    return Report(
        queues=[_queue(name, [day.queues[name] for day in days], levels[name]) for name in names],
        occupancy={
            crew: estimate(day.busy_s[crew] / day.present_s[crew] if day.present_s[crew] else None for day in days)
            for crew in crews
        },
        replications=len(days),
        contacts=sum(tally.offered for day in days for tally in day.queues.values()),
        events=sum(day.events for day in days),
    )


# Microseconds are the router's unit: a wait below this is none.
_NO_WAIT_S = 1e-4


def _queue(name: str, tallies: Sequence[Tally], level: ServiceLevel) -> QueueReport:
    def each(figure: Callable[[Tally], float | None]) -> Estimate:
        return estimate(figure(tally) for tally in tallies)

    def waited(y: Tally) -> float | None:
        waits = sum(w > _NO_WAIT_S for w in y.answered) + len(y.abandoned)
        return waits / y.offered if y.offered else None

    return QueueReport(
        queue=name,
        offered=each(lambda y: float(y.offered)),
        wait_probability=each(waited),
        asa_s=each(lambda y: fmean(y.answered) if y.answered else None),
        p90_s=each(lambda y: sorted(y.answered)[int(0.9 * len(y.answered))] if y.answered else None),
        abandoned=each(lambda y: len(y.abandoned) / y.offered if y.offered else None),
        turned_away=each(lambda y: y.turned_away / y.offered if y.offered else None),
        service_level=each(lambda y: level.reached(y.answered, y.abandoned)),
        definition=level.definition,
    )
