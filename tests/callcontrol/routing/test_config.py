"""The organisation as data: good files change what they say and nothing twice; bad ones change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcontrol.model import AgentId, AgentState
from callcontrol.routing import terms as t
from callcontrol.routing.config_store import FILE, Applied, apply, export, in_force, read, text_in_force
from callcontrol.routing.router import Router
from foundation.settings import SettingsError

ETAPA = Path(__file__).resolve().parents[3] / "config/etapa.yaml"

SMALL = """\
skills: {internet: Internet, agua: Agua}
calendars:
  oficina:
    week: {mon-fri: ["08:00-13:00", "14:00-17:00"]}
    holidays: cuenca
capacities:
  voz: {limits: {voice: 1}}
queues:
  - name: net
    calendar: oficina
    requires: internet >= 2
    rings: [{after_s: 20, loosen: {internet: 1}}]
    overflow: [{when: closed, to: queue, target: agua}]
  - name: agua
    requires: agua
teams:
  - {name: cc, capacity: voz, queues: [net, agua], skills: {internet: 1}}
agents:
  - {id: ana, name: Ana, team: cc, skills: {internet: 3}}
"""


def put(folder: Path, text: str) -> Path:
    path = folder / "org.yaml"
    path.write_text(text)
    return path


def test_applied_once_changed_once(tmp_path: Path) -> None:
    path = put(tmp_path, SMALL)
    assert len(apply(path, tmp_path).changes) > 10
    assert apply(path, tmp_path) == Applied([], written=False)
    put(tmp_path, SMALL.replace("after_s: 20", "after_s: 25").replace("{id: ana, name: Ana", "{id: eva, name: Eva"))
    assert [str(change) for change in apply(path, tmp_path, dry_run=True).changes][:2] == [
        "~ queues[net].rings[0].after_s: 20.0 -> 25.0",
        "+ agents[eva].name: Eva",
    ]
    assert in_force(tmp_path).agents[0].id == "ana"


def test_what_is_exported_is_what_is_in_force(tmp_path: Path) -> None:
    apply(ETAPA, tmp_path)
    assert text_in_force(tmp_path) == ETAPA.read_text()  # word for word, with its comments
    again = put(tmp_path, export(in_force(tmp_path)))
    assert apply(again, tmp_path).changes == []
    assert read(again) == read(ETAPA)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("    holidays: cuenca\n", "    holidays: cuenca\n    special: {2026-12-24: []}\n"),
            ["+ calendars.oficina.special.2026-12-24: []"],
        ),
        (
            ("team: cc, skills: {internet: 3}}", "team: cc, skills: {internet: 3}, queues: []}"),
            ["+ agents[ana].queues: []"],
        ),
        (("agents:\n", "agents: # las personas\n"), []),
        (("skills: {internet: Internet, agua: Agua}", "skills: {agua: Agua, internet: Internet}"), []),
    ],
)
def test_what_is_only_empty_or_a_comment_is_put_in_force_too(
    tmp_path: Path, change: tuple[str, str], told: list[str]
) -> None:
    apply(put(tmp_path, SMALL), tmp_path)
    text = SMALL.replace(*change)
    assert text != SMALL
    path = put(tmp_path, text)
    assert apply(path, tmp_path, dry_run=True).written
    assert text_in_force(tmp_path) == SMALL
    done = apply(path, tmp_path)
    assert ([str(one) for one in done.changes], done.written) == (told, True)
    assert text_in_force(tmp_path) == text
    back = apply(put(tmp_path, SMALL), tmp_path)
    assert len(back.changes) == len(told)
    assert text_in_force(tmp_path) == SMALL


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        (("requires: internet >= 2", "requires: internte >= 2"), "11:5", "unknown skill 'internte'; did you mean"),
        (("requires: internet >= 2", "requires: internet >= "), "11:5", "a level (a whole number) is expected"),
        (("requires: internet >= 2", "requires: internet >= 2 and internet < 2"), "11:5", "contradict each other"),
        (
            ("requires: agua\n", "requires: agua\n    overflow: [{when: time, to: queue, target: net}]\n"),
            "16:16",
            "circle",
        ),
        (('mon-fri: ["08:00-13:00", "14:00-17:00"]', "mon-fri: []"), "3:3", "no open hour"),
        (('"14:00-17:00"', '"12:00-17:00"'), "4:12", "must follow each other"),
        (("limits: {voice: 1}", "limits: {voice: -1}"), "7:18", "greater than or equal to 0"),
        (("limits: {voice: 1}", "limits: {voice: 1}, weights: {voice: 200}"), "7:39", "weighs more than"),
        (("holidays: cuenca", "holidays: peru"), "5:5", "ecuador, cuenca"),
        (("loosen: {internet: 1}", "loosen: {internet: 1}, drop: [internet]"), "12:57", "loosened and dropped"),
        (("after_s: 20, loosen: {internet: 1}", "after_s: 20"), "12:13", "relaxes nothing"),
        (("target: agua", "target: aqua"), "13:42", "unknown queue 'aqua'; did you mean 'agua'?"),
        (("calendar: oficina", "calendar: casa"), "10:5", "unknown calendar"),
        (("- name: agua", "- name: net"), "14:5", "there are two queues 'net'"),
        (("team: cc", "team: dd"), "19:", "unknown team"),
        (("- name: agua", "- name: agua\n    dispositions: [resuelta]"), "15:20", "unknown disposition 'resuelta'"),
        (("- name: agua", "- name: agua\n    contact_reasons: [fuga]"), "15:23", "unknown contact reason 'fuga'"),
        (("- name: agua", "- name: agua\n    disposition_required: true"), "15:5", "no `dispositions` to choose from"),
        (("calendars:", "reasons: {almuerzo: {titulo: x}}\ncalendars:"), "2:22", "unknown key"),
        (("    calendar: oficina\n", ""), "12:17", "without a calendar is never closed"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_place(
    tmp_path: Path, change: tuple[str, str], place: str, reason: str
) -> None:
    apply(put(tmp_path, SMALL), tmp_path)
    before = (tmp_path / FILE).read_bytes()
    path = put(tmp_path, SMALL.replace(*change))
    with pytest.raises(SettingsError) as caught:
        apply(path, tmp_path)
    line = next(line for line in caught.value.message.splitlines() if reason in line)
    assert line.startswith(f"{path}:{place}"), caught.value.message
    assert (tmp_path / FILE).read_bytes() == before


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = (
        SMALL.replace("target: agua", "target: aqua").replace("team: cc", "team: dd").replace("[net, agua]", "[nett]")
    )
    with pytest.raises(SettingsError) as caught:
        apply(put(tmp_path, text), tmp_path)
    assert len(caught.value.mistakes) == 3


def test_codes_of_a_queue_are_its_own_or_all() -> None:
    config = read(ETAPA)
    water, unknown = config.codes("agua-potable"), config.codes("nobody-knows")
    assert water.required
    assert "fuga" in water.reasons
    assert "sin_internet" not in water.reasons
    assert list(unknown.dispositions) == list(config.dispositions)
    assert not unknown.required
    assert config.reasons["capacitacion"].productive
    assert not config.reasons["almuerzo"].productive


def test_the_customers_organisation() -> None:
    config = read(ETAPA)
    assert sum(team.positions or 0 for team in config.teams) == 30
    assert len(config.teams[0].queues) == 9
    volumes = {q.name: q.contacts_per_month or 0 for q in config.queues}
    assert sum(volumes[name] for name in config.teams[0].queues) == 15915
    router = Router(config.rules(), criticality=config.criticality)
    for agent in config.agents:
        event = config.profile(AgentId(agent.id), 1_795_000_000.0)
        assert event is not None
        router.step(event)
        router.step(t.AgentAsked(at=event.at, agent=AgentId(agent.id), state=AgentState.READY))
    assert len(router.agents) == 60
