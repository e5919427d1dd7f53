"""A system beside the simulated one, for which theory is exact: the same contacts at agents who do nothing else, first
come first served. What the sister's figures miss of theory in these days is chance; so much of it as the plan shares is
taken off the plan's figures (an external control variate, its weight measured over the replications).

Where the plan is such a queue itself, what is left is the difference between router and recursion: none, if both are
right. Where it is not, the weight is small and little is taken off."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from callcontrol.routing.config import RoutingConfig
from callcontrol.routing.service_level import ServiceLevel, Variant
from callcontrol.simulation.erlang import Theory, erlang_a, erlang_c
from callcontrol.simulation.scenario import Arrivals, Scenario, Shape

if TYPE_CHECKING:
    from callcontrol.simulation.engine import Contact


def waits(contacts: Iterable[tuple[float, float, float]], agents: int) -> Iterable[tuple[float, bool]]:
    """Of each (arrival, handling time, patience), by Kiefer and Wolfowitz: how long they wait, and whether for an
    agent. Who would have to wait longer than their patience leaves and takes nobody."""
    free = [-math.inf] * agents
    for at, handle, patience in contacts:
        wait = max(0.0, free[0] - at)
        if wait <= patience:
            heapq.heapreplace(free, at + wait + handle)
            yield wait, True
        else:
            yield patience, False


def misses(scenario: Scenario, config: RoutingConfig, contacts: list[Contact]) -> dict[str, dict[str, float]]:
    """By queue and figure, what the sister measured in this day less what theory says; only where theory is exact."""
    found = {}
    for queue in config.queues:
        streams = [stream for stream in scenario.arrivals if stream.queue == queue.name]
        agents = _agents(scenario, queue.name)
        if len(streams) != 1 or queue.wrap_up_s or not agents or not _is_markov(streams[0]):
            continue
        stream, per_s = streams[0], streams[0].per_interval[0] / streams[0].interval_s
        mine = [(c.at, c.handle * stream.handle_s, c.patience) for c in contacts if c.stream is stream]
        told = [one for (at, _, _), one in zip(mine, waits(mine, agents), strict=True) if at >= scenario.warm_up_s]
        if not told or per_s == 0:
            continue
        level = queue.service_level.build()
        if stream.patience_s is None:
            theory = erlang_c(per_s, stream.handle_s, agents)
            if math.isfinite(theory.asa_s):
                found[queue.name] = _patient(told, theory, level)
        else:
            theory = erlang_a(per_s, stream.handle_s, agents, stream.patience_s)
            found[queue.name] = {
                "wait_probability": _waited(told) - theory.wait_probability,
                "abandoned": sum(not answered for _, answered in told) / len(told) - theory.abandoned,
            }
    return found


def _patient(told: list[tuple[float, bool]], theory: Theory, level: ServiceLevel) -> dict[str, float]:
    within = sum(wait <= level.threshold_s for wait, _ in told) / len(told)
    found = {
        "wait_probability": _waited(told) - theory.wait_probability,
        "asa_s": sum(wait for wait, _ in told) / len(told) - theory.asa_s,
    }
    if level.variant is Variant.STANDARD:
        found["service_level"] = within - theory.service_level(level.threshold_s)
    return found


def _waited(told: list[tuple[float, bool]]) -> float:
    return sum(wait > 0 for wait, _ in told) / len(told)


def _is_markov(stream: Arrivals) -> bool:
    steady = len(set(stream.per_interval)) == 1
    return steady and stream.handle_shape is Shape.EXPONENTIAL and stream.handle_by_level is None


def _agents(scenario: Scenario, queue: str) -> int:
    """Those who are there all day; 0 where some come or go."""
    crews = [crew for crew in scenario.crews if queue in crew.queues]
    steady = all(crew.from_s == 0 and crew.to_s is None for crew in crews)
    return sum(crew.count for crew in crews) if steady else 0
