"""The organisation as data: good files change what they say and nothing twice; bad ones change nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from callcontrol.model import AgentId, AgentState
from callcontrol.routing import terms as t
from callcontrol.routing.config_store import FILE, Applied, apply, doubts, export, in_force, read, text_in_force
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
  - {name: cc, capacity: voz, queues: [net, agua], skills: {internet: 1, agua: 1}}
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


NO_AGENTS = "overflow: [{when: no_agents, over: 20, to: callback}]"


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
        (("requires: internet >= 2", "requires: internet >= 9"), "11:5", "can fulfil 'internet >= 8'"),
        (("requires: internet >= 2", "requires: internet <= 2"), "11:5", "can fulfil 'internet <= 2'"),
        (("requires: internet >= 2", f"requires: {' and '.join('abcde')} and not a"), "11:5", "contradict each other"),
        (("- name: agua", f"- name: agua\n    max_wait_s: 10\n    {NO_AGENTS}"), "16:34", "gives up after 10 s"),
        (("limits: {voice: 1}", "limits: {}"), "7:9", "nobody can take anything"),
        (("limits: {voice: 1}", "limits: {voice: 0}"), "7:9", "nobody can take anything"),
        (("agua: Agua}", "agua: Agua, not: No}"), "1:42", "'not' is a word of expressions"),
        (("requires: internet >= 2", "requires: internet = 2"), "11:5", "write >= for this level"),
        (("requires: internet >= 2", "requires: Internet >= 2"), "11:5", "in lower case"),
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


def test_mistakes_of_fields_and_between_entries_come_together(tmp_path: Path) -> None:
    """And one mistake is told once: what an entry that is wrong would have had to say is taken for said."""
    text = (
        SMALL.replace("requires: internet >= 2", "requires: internet >= ")
        .replace("- name: agua", "- name: agua\n    handle_s: x\n    calendar: casa")
        .replace("mon-fri:", "lunes:")
        .replace("team: cc", "team: dd")
        .replace("queues: [net, agua]", "queues: [net, nett]")
        .replace("holidays: cuenca", "holidays: cuenca\n    special: {2026-12-24: [8-9]}")
    ) + "  - {id: eva, team: ee}\ncallbacks: {attempts: 0}\n"
    with pytest.raises(SettingsError) as caught:
        apply(put(tmp_path, text), tmp_path)
    assert [(one.key, one.message[:22]) for one in caught.value.mistakes] == [
        ("calendars.oficina.week", "'lunes' is no weekday,"),
        ("calendars.oficina.special.2026-12-24", "'8-9' is not of the fo"),
        ("queues.0.requires", "a level (a whole numbe"),
        ("queues.1.handle_s", "expected a number, fou"),
        ("queues.1.calendar", "unknown calendar 'casa"),
        ("teams.0.queues.1", "unknown queue 'nett'; "),
        ("agents.0.team", "unknown team 'dd'"),
        ("agents.1.name", "this required key is m"),
        ("callbacks.attempts", "must be greater than o"),
    ]


@pytest.mark.parametrize("text", ["", "# nada\n", "{}", "skills: {agua: Agua}", SMALL[: SMALL.index("agents:")]])
def test_what_would_empty_the_centre_is_refused_unless_it_is_meant(tmp_path: Path, text: str) -> None:
    apply(put(tmp_path, SMALL), tmp_path)
    with pytest.raises(SettingsError):
        apply(put(tmp_path, text), tmp_path)
    assert text_in_force(tmp_path) == SMALL
    if "skills" in text:
        assert apply(put(tmp_path, text), tmp_path, empty=True).written
        assert text_in_force(tmp_path) == text


def test_what_is_hardly_meant_is_told_with_its_place_and_put_in_force(tmp_path: Path) -> None:
    text = (
        SMALL.replace("loosen: {internet: 1}", "loosen: {internet: 1}, drop: [agua]")
        .replace("agents:\n", "agents:\n  - {id: eva, name: Eva, team: cc, queues: [], phone: eva}\n")
        .replace("capacities:", "  feria: {special: {2026-03-01: ['08:00-12:00']}}\ncapacities:")
    )
    path = put(tmp_path, text)
    assert [(one.key, one.message[:20]) for one in doubts(path, dt.date(2026, 3, 2), {"ana"})] == [
        ("calendars.feria", "no open hour from 20"),
        ("queues.0.rings.0.drop.0", "this queue does not "),
        ("agents.0", "'eva' works in no qu"),
        ("agents.0.phone", "the settings have no"),
    ]
    assert doubts(path, dt.date(2026, 3, 1), {"eva"})[0].key != "calendars.feria"
    assert apply(path, tmp_path).written
    assert doubts(ETAPA, dt.date(2026, 11, 1)) == []


def test_a_file_that_is_not_there_has_no_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no\.yaml: cannot be read: No such file"):
        apply(tmp_path / "no.yaml", tmp_path)
    with pytest.raises(SettingsError, match=r"org\.yaml:2:1: YAML: a second document begins here"):
        apply(put(tmp_path, "queues: []\n---\nqueues: []\n"), tmp_path)


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
    assert len(config.teams[0].queues) == 9 + 1  # the nine services, and what is none of them
    volumes = {q.name: q.contacts_per_month or 0 for q in config.queues}
    assert sum(volumes[name] for name in config.teams[0].queues) == 15915
    router = Router(config.rules(), criticality=config.criticality)
    for agent in config.agents:
        event = config.profile(AgentId(agent.id), 1_795_000_000.0)
        assert event is not None
        router.step(event)
        router.step(t.AgentAsked(at=event.at, agent=AgentId(agent.id), state=AgentState.READY))
    assert len(router.agents) == 60
