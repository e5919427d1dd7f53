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
from foundation.settings import SettingsError

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


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        (("queue: internet,", "queue: internetz,"), "6:6", "unknown queue 'internetz'; did you mean 'internet'?"),
        (("queues: [internet, planillas]", "queues: [internet, planilla]"), "11:24", "unknown queue 'planilla'"),
        (("capacity: multicanal}", "capacity: mucho}"), "14:", "unknown capacity 'mucho'"),
        (("skills: {internet: 3}", "skills: {internett: 3}"), "6:", "unknown skill 'internett'"),
        (("facturacion: 1", "facturas: 1"), "12:", "unknown skill 'facturas'"),
        (("count: 2", "count: 2\n    from_s: 600\n    to_s: 60"), "12:5", "must be later than `from_s`"),
        (("per_interval: [40]", "per_interval: [.inf]"), "6:", "must be a finite number"),
        (("per_interval: [40]", "per_interval: [-1]"), "6:", "greater than or equal to 0"),
        (("per_interval: [40]", "per_interval: [1e6]"), "4:1", "contacts in all"),
        (("handle_s: 150", "handle_s: .nan"), "6:", "must be a finite number"),
        (("patience_s: 240", "patience_s: 1e300"), "6:", "less than or equal to"),
        (("duration_s: 10800", "duration_s: .inf"), "3:1", "must be a finite number"),
        (("duration_s: 10800", "duration_s: 10800\nwarm_up_s: 20000"), "4:1", "must be less than `duration_s`"),
        (("organisation: ", "organisation: /no/such"), "", "cannot be read"),
    ],
)
def test_a_plan_that_cannot_be_played_is_refused_with_its_place(
    tmp_path: Path, change: tuple[str, str], place: str, reason: str
) -> None:
    text = PLAN.replace(*change)
    assert text != PLAN
    path = put(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        read(path)
    line = next(line for line in caught.value.message.splitlines() if reason in line)
    assert line.startswith(f"{path}:{place}" if place else "/no/such"), caught.value.message


def test_a_chart_that_cannot_be_written_is_told_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the run began")

    monkeypatch.setattr("callcontrol.simulation.engine.run", never)
    assert main(["simulate", str(put(tmp_path, PLAN)), "--svg", str(tmp_path / "no/such/x.svg")]) == 1
    assert "x.svg cannot be written: No such file or directory" in capsys.readouterr().err
