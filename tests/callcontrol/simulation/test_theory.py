"""The simulation against theory, in two steps that together are exact.

1. With one queue, one skill and first come first served there is a recursion of five lines that gives the wait of every
   single caller (Kiefer and Wolfowitz). The simulated router must give the same wait, call by call.
2. That recursion is cheap: over ten million calls it must be within 1 % of Erlang C and Erlang A.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from callcontrol.routing.config import RoutingConfig
from callcontrol.simulation.engine import Simulation, run
from callcontrol.simulation.erlang import erlang_a, erlang_c
from callcontrol.simulation.report import controlled, estimate, report
from callcontrol.simulation.scenario import Scenario, read
from callcontrol.simulation.sister import waits

SCENARIOS = Path(__file__).resolve().parents[3] / "config/scenarios"
PER_S, HANDLE_S, AGENTS, PATIENCE_S = 100 / 1800, 180.0, 14, 300.0


def test_formulas_give_the_known_figures() -> None:
    c = erlang_c(PER_S, HANDLE_S, AGENTS)
    assert c.wait_probability == pytest.approx(0.1741319, abs=1e-7)
    assert c.asa_s == pytest.approx(7.836, abs=5e-4)
    assert c.occupancy == pytest.approx(0.714, abs=5e-4)
    assert c.service_level(20) == pytest.approx(0.88835, abs=1e-5)
    assert erlang_c(PER_S, HANDLE_S, 13).service_level(20) == pytest.approx(0.7956, abs=1e-4)
    a = erlang_a(PER_S, HANDLE_S, AGENTS, PATIENCE_S)
    assert a.wait_probability == pytest.approx(0.14526, abs=1e-5)
    assert a.abandoned == pytest.approx(0.013984, abs=1e-6)
    assert erlang_c(1.0, 100.0, 50).asa_s == math.inf


@pytest.mark.parametrize("name", ["erlang-c", "erlang-a"])
def test_every_caller_waits_as_long_as_the_recursion_says(name: str) -> None:
    scenario, config = read(SCENARIOS / f"{name}.yaml")
    simulation = Simulation(scenario.model_copy(update={"duration_s": 500_000.0, "warm_up_s": 0.0}), config, 7)
    simulation.run()
    contacts = simulation.contacts
    wanted = [wait for wait, _ in waits([(c.at, c.handle * HANDLE_S, c.patience) for c in contacts], AGENTS)]
    assert len(contacts) > 25_000
    for contact, ours, theirs in zip(contacts, simulation.waits, wanted, strict=True):
        if ours is None:
            assert theirs == contact.patience
        else:
            assert ours == pytest.approx(theirs, abs=1e-3)


@pytest.mark.parametrize("patience_s", [math.inf, PATIENCE_S])
def test_the_recursion_is_within_one_percent_of_erlang(patience_s: float) -> None:
    """Batches of a day; the means of their random numbers, whose true values are known, take away most of the noise
    (control variates)."""
    rng = np.random.default_rng(11)
    rows, known = [], []
    for _ in range(500):
        n = 20_000
        gaps, handles = rng.exponential(1 / PER_S, n), rng.exponential(HANDLE_S, n)
        patience = rng.exponential(patience_s, n) if patience_s < math.inf else np.full(n, math.inf)
        given = zip(np.cumsum(gaps).tolist(), handles.tolist(), patience.tolist(), strict=True)
        got = np.array([wait for wait, _ in waits(given, AGENTS)])[2000:]
        most = patience[2000:]
        rows.append([(got > 0).mean(), got.mean(), (got == most).mean()])
        known.append([1.0, gaps.mean() * PER_S - 1, handles.mean() / HANDLE_S - 1])
    solution = np.linalg.lstsq(np.array(known), np.array(rows), rcond=None)[0]
    wait_probability, mean_wait, abandoned = solution[0]
    if patience_s < math.inf:
        theory = erlang_a(PER_S, HANDLE_S, AGENTS, patience_s)
        assert abandoned == pytest.approx(theory.abandoned, rel=0.01)
    else:
        theory = erlang_c(PER_S, HANDLE_S, AGENTS)
    assert wait_probability == pytest.approx(theory.wait_probability, rel=0.01)
    assert mean_wait == pytest.approx(theory.asa_s, rel=0.01)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["erlang-c", "erlang-a"])
def test_what_the_command_tells_of_the_shipped_plans_is_within_one_percent(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what was counted holds theory within twice its interval: once would fail by right in one of twenty."""
    assert main(["simulate", str(SCENARIOS / f"{name}.yaml"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (queue,) = told["queues"]
    patient = name == "erlang-c"
    theory = erlang_c(PER_S, HANDLE_S, AGENTS) if patient else erlang_a(PER_S, HANDLE_S, AGENTS, PATIENCE_S)
    known = {"wait_probability": theory.wait_probability}
    if patient:
        known |= {"asa_s": theory.asa_s, "service_level": theory.service_level(20)}
    else:
        known |= {"abandoned": theory.abandoned}
    assert queue["counted"].keys() == known.keys()
    for figure, exact in known.items():
        assert queue[figure]["mean"] == pytest.approx(exact, rel=0.01), figure
        counted = queue["counted"][figure]
        assert 0 < abs(counted["mean"] - exact) < 2 * counted["half"], figure
    assert told["occupancy"]["agentes"]["mean"] == pytest.approx(theory.occupancy, rel=0.01)


def test_chance_is_taken_off_and_nothing_else() -> None:
    """A queue that shares its agents is no Erlang queue: its figures stay its own, with a smaller interval or one as
    small; one that serves in another order than the sister differs from theory by just that."""
    plan = {
        "routing": {"queues": [{"name": "q", "wrap_up_s": 0}, {"name": "r", "wrap_up_s": 0, "priority": 50}]},
        "duration_s": 36000,
        "warm_up_s": 1800,
        "replications": 12,
        "arrivals": [
            {"queue": "q", "per_interval": [60], "handle_s": 180},
            {"queue": "r", "per_interval": [40], "handle_s": 180},
        ],
        "crews": [{"name": "c", "count": 12, "queues": ["q", "r"]}],
    }
    scenario = Scenario.model_validate(plan)
    config = scenario.routing or RoutingConfig()
    queue = report(run(scenario, config, 3), config).queues[0]
    counted, alone = queue.counted["asa_s"], erlang_c(60 / 1800, HANDLE_S, 12).asa_s
    assert counted.mean > 20 * alone
    assert abs(queue.asa_s.mean - counted.mean) < 2 * counted.half


def test_the_weight_of_a_control_is_measured() -> None:
    rng = np.random.default_rng(3)
    miss, noise = rng.normal(0, 1, 40), rng.normal(0, 0.1, 40)
    better = controlled((5 + 2 * miss + noise).tolist(), miss.tolist())
    assert better is not None
    assert better.covers(5)
    assert better.half < 0.1 * estimate((5 + 2 * miss).tolist()).half
    assert controlled([1.0] * 6, [0.1] * 6) is None  # too few days to weigh anything
    assert controlled([1.0] * 9, [None] * 9) is None


def test_the_same_seed_gives_the_same_day_and_another_another() -> None:
    scenario = Scenario.model_validate(
        {
            "routing": {"queues": [{"name": "q"}]},
            "duration_s": 7200,
            "arrivals": [{"queue": "q", "per_interval": [20, 60], "handle_s": 200, "handle_shape": "lognormal"}],
            "crews": [{"name": "c", "count": 4, "queues": ["q"], "to_s": 5400}],
        }
    )
    config = scenario.routing or RoutingConfig()
    assert report(run(scenario, config, 3), config) == report(run(scenario, config, 3), config)
    assert report(run(scenario, config, 3), config) != report(run(scenario, config, 4), config)
