"""What the days say together: means with their 95 % confidence intervals, over independent replications."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

import numpy as np

from callcontrol.routing.config import RoutingConfig
from callcontrol.routing.service_level import ServiceLevel
from callcontrol.simulation.engine import Day, Tally

# Student's t at 97.5 % for 1 to 30 degrees of freedom; the normal's value is near enough from there on.
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


# Days that a weight is measured over must be more than it, or chance is added rather than taken off.
_LEAST_FREEDOM = 5


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
    # As counted: figures that are told with chance taken off by an Erlang queue of the same contacts (`sister`).
    counted: dict[str, Estimate]


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


def controlled(values: Iterable[float | None], misses: Iterable[float | None]) -> Estimate | None:
    """With the part of chance taken off that the sister shares: least squares over the days, the value where the sister
    misses nothing. None where there is no sister, or there are too few days to weigh it."""
    known = [(v, m) for v, m in zip(values, misses, strict=True) if v is not None and m is not None]
    freedom = len(known) - 2
    if freedom < _LEAST_FREEDOM:
        return None
    y, x = np.array([v for v, _ in known]), np.array([[1.0, m] for _, m in known])
    weights = np.linalg.lstsq(x, y, rcond=None)[0]
    spread = float(((y - x @ weights) ** 2).sum()) / freedom
    half = math.sqrt(spread * float(np.linalg.pinv(x.T @ x)[0, 0]))
    return Estimate(float(weights[0]), (_T[freedom - 1] if freedom <= len(_T) else 1.96) * half)


def report(days: Sequence[Day], config: RoutingConfig) -> Report:
    levels = {queue.name: queue.service_level.build() for queue in config.queues}
    names = sorted({name for day in days for name in day.queues})
    crews = sorted({name for day in days for name in day.present_s})
    return Report(
        queues=[_queue(name, days, levels[name]) for name in names],
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


def _queue(name: str, days: Sequence[Day], level: ServiceLevel) -> QueueReport:
    tallies = [day.queues[name] for day in days]
    counted: dict[str, Estimate] = {}

    def each(figure: Callable[[Tally], float | None], known_as: str = "") -> Estimate:
        values = [figure(tally) for tally in tallies]
        better = controlled(values, [day.misses.get(name, {}).get(known_as) for day in days])
        if better is None:
            return estimate(values)
        counted[known_as] = estimate(values)
        return better

    def waited(y: Tally) -> float | None:
        waits = sum(w > _NO_WAIT_S for w in y.answered) + len(y.abandoned)
        return waits / y.offered if y.offered else None

    return QueueReport(
        queue=name,
        offered=each(lambda y: float(y.offered)),
        wait_probability=each(waited, "wait_probability"),
        asa_s=each(lambda y: fmean(y.answered) if y.answered else None, "asa_s"),
        p90_s=each(lambda y: sorted(y.answered)[int(0.9 * len(y.answered))] if y.answered else None),
        abandoned=each(lambda y: len(y.abandoned) / y.offered if y.offered else None, "abandoned"),
        turned_away=each(lambda y: y.turned_away / y.offered if y.offered else None),
        service_level=each(lambda y: level.reached(y.answered, y.abandoned), "service_level"),
        definition=level.definition,
        counted=counted,
    )
