"""The two classical formulas, to hold the simulation against where they are exact."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Theory:
    wait_probability: float
    asa_s: float  # Erlang C: of all; Erlang A: of all, also those who leave
    abandoned: float
    occupancy: float
    load: float
    agents: int
    handle_s: float

    def service_level(self, threshold_s: float) -> float:
        """Erlang C only: answered within the threshold, of all."""
        return 1 - self.wait_probability * math.exp(-(self.agents - self.load) * threshold_s / self.handle_s)


def erlang_c(per_s: float, handle_s: float, agents: int) -> Theory:
    load = per_s * handle_s
    if load >= agents:
        return Theory(1.0, math.inf, 0.0, 1.0, load, agents, handle_s)
    blocked = 1.0
    for n in range(1, agents + 1):
        blocked = load * blocked / (n + load * blocked)
    waits = agents * blocked / (agents - load * (1 - blocked))
    return Theory(waits, waits * handle_s / (agents - load), 0.0, load / agents, load, agents, handle_s)


def erlang_a(per_s: float, handle_s: float, agents: int, patience_s: float) -> Theory:
    """M/M/n+M from its birth-death chain, cut off where nothing is left."""
    load = per_s * handle_s
    log_p, total, peak = [0.0], 1.0, 0.0
    for n in range(1, agents + 100_000):
        leaving = min(n, agents) / handle_s + max(0, n - agents) / patience_s
        log_p.append(log_p[-1] + math.log(per_s / leaving))
        peak = max(peak, log_p[-1])
        if n > agents and log_p[-1] < peak - 60:
            break
    weights = [math.exp(p - peak) for p in log_p]
    total = sum(weights)
    chances = [w / total for w in weights]
    waits = sum(chances[agents:])
    line = sum((n - agents) * p for n, p in enumerate(chances) if n > agents)
    busy = sum(min(n, agents) * p for n, p in enumerate(chances))
    return Theory(waits, line / per_s, line / patience_s / per_s, busy / agents, load, agents, handle_s)
