"""The command, and what a plan may say."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from app.cli import main
from callcontrol.simulation.engine import contacts, run
from callcontrol.simulation.report import report
from callcontrol.simulation.scenario import Scenario, read
from foundation.errors import Invalid

ROOT = Path(__file__).resolve().parents[3]

PLAN = f"""\
title: Un turno
organisation: {ROOT}/config/etapa.yaml
duration_s: 10800
replications: 4
arrivals:
  - {{queue: internet, per_interval: [40], handle_s: 150, patience_s: 240, skills: {{internet: 3}}}}
  - {{queue: planillas, medium: chat, per_interval: [6], handle_s: 300}}
crews:
  - name: nivel-1
    count: 2
    queues: [internet, planillas]
    skills: {{internet: 2, facturacion: 1}}
    capacity: multicanal
  - {{name: nivel-2, count: 3, queues: [internet], skills: {{internet: 4}}, capacity: multicanal}}
"""


def put(folder: Path, text: str) -> Path:
    path = folder / "plan.yaml"
    path.write_text(text)
    return path


def test_the_command_tells_waits_levels_and_occupancy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(tmp_path, PLAN)
    assert main(["simulate", str(path), "--json", "--svg", str(tmp_path / "chart.svg")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [q["queue"] for q in told["queues"]] == ["internet", "planillas"]
    for queue in told["queues"]:
        assert 0 < queue["service_level"]["mean"] <= 1
        assert queue["service_level"]["half"] >= 0
    assert 0.3 < told["occupancy"]["nivel-2"]["mean"] < 1
    ET.parse(tmp_path / "chart.svg")  # noqa: S314 - our own file
    assert main(["simulate", str(path)]) == 0
    text = capsys.readouterr().out
    assert "Un turno" in text
    assert "█" in text


def test_the_customers_day_also_as_json_where_nobody_called(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(ROOT / "config/scenarios/etapa.yaml"), "--json"]) == 0

    def strict(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    told = json.loads(capsys.readouterr().out, parse_constant=strict)
    assert {q["queue"] for q in told["queues"]} >= {"monitoreo", "directorio"}


def test_one_more_agent_helps_on_the_same_day(tmp_path: Path) -> None:
    scenario, config = read(put(tmp_path, PLAN))
    more, _ = read(put(tmp_path, PLAN.replace("count: 3", "count: 5")))
    assert [c.at for c in contacts(scenario, 1)] == [c.at for c in contacts(more, 1)]
    before, after = (report(run(plan, config, 1), config).queues[0] for plan in (scenario, more))
    assert after.asa_s.mean < before.asa_s.mean
    assert after.abandoned.mean < before.abandoned.mean


def test_handling_times_follow_the_agents_level() -> None:
    plan = {
        "routing": {"skills": {"net": "Net"}, "queues": [{"name": "q", "wrap_up_s": 0}]},
        "duration_s": 36000,
        "replications": 2,
        "arrivals": [
            {
                "queue": "q",
                "per_interval": [5],
                "handle_s": 500,
                "handle_shape": "constant",
                "handle_by_level": {"skill": "net", "seconds": {2: 100, 4: 50}},
            }
        ],
        "crews": [{"name": "c", "count": 3, "queues": ["q"], "skills": {"net": 3}}],
    }
    scenario = Scenario.model_validate(plan)
    assert scenario.routing is not None
    day = run(scenario, scenario.routing, 1)[0]
    tally = day.queues["q"]
    assert tally.handled_s == pytest.approx(100 * len(tally.answered))


def test_a_plan_that_names_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="unknown queues: internetz"):
        read(put(tmp_path, PLAN.replace("queue: internet,", "queue: internetz,")))
    with pytest.raises(Invalid, match="unknown capacities: mucho"):
        read(put(tmp_path, PLAN.replace("capacity: multicanal}", "capacity: mucho}")))
