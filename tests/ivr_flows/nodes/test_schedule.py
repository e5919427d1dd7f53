from __future__ import annotations

import datetime as dt

import pytest

from ivr_flows.calendars import Calendar, When
from ivr_flows.loader import load
from ivr_flows.moments import instant
from tests.support.flows import END, HEAD, Caller, flow_of

OFFICE = {"weekly": {"mon-fri": ["08:00-13:00", "14:00-17:00"], "sat": "09:00-12:00"}, "holidays": "cuenca"}
CALENDAR = Calendar.model_validate(OFFICE)


@pytest.mark.parametrize(
    ("moment", "when"),
    [
        ("2026-03-02T08:00", When.OPEN),
        ("2026-03-02T07:59:59", When.CLOSED),
        ("2026-03-02T13:00", When.CLOSED),
        ("2026-03-02T16:59", When.OPEN),
        ("2026-03-07T10:00", When.OPEN),  # a Saturday
        ("2026-03-07T12:00", When.CLOSED),
        ("2026-03-08T10:00", When.CLOSED),
        ("2026-02-16T10:00", When.HOLIDAY),  # Monday of carnival
        ("2026-04-03T10:00", When.HOLIDAY),  # Good Friday
    ],
)
def test_hours_week_and_holidays(moment: str, when: When) -> None:
    assert CALENDAR.at(instant(moment))[0] is when


def test_days_of_their_own_win() -> None:
    calendar = Calendar.model_validate(
        {**OFFICE, "closed": {"2026-03-02": "inventario"}, "open": {"2026-02-16": "09:00-11:00"}}
    )
    assert calendar.at(instant("2026-03-02T10:00")) == (When.HOLIDAY, "inventario")
    assert calendar.at(instant("2026-02-16T10:00"))[0] is When.OPEN
    assert calendar.at(instant("2026-02-16T12:00"))[0] is When.CLOSED


def test_the_next_opening() -> None:
    def after(moment: str) -> str:
        opening = CALENDAR.next_opening(instant(moment))
        assert opening is not None
        return dt.datetime.fromtimestamp(opening, dt.timezone(dt.timedelta(hours=-5))).strftime("%Y-%m-%d %H:%M")

    assert after("2026-03-02T13:30") == "2026-03-02 14:00"
    assert after("2026-03-06T18:00") == "2026-03-07 09:00"
    assert after("2026-03-07T18:00") == "2026-03-09 08:00"
    assert after("2026-02-13T18:00") == "2026-02-14 09:00"
    assert after("2026-02-14T18:00") == "2026-02-18 08:00"  # after carnival
    assert CALENDAR.next_opening(instant("2026-03-02T09:00")) == instant("2026-03-02T09:00")


FLOW = HEAD + (
    "variables: {abre: integer}\ncalendars:\n  oficina: {weekly: {mon-fri: ['08:00-17:00']}, holidays: cuenca}\n"
)
NODE = """\
  uno: {kind: schedule, calendar: oficina, open: cola, closed: cerrado, holiday: feriado, opens_at: abre}
  cerrado: {kind: play, prompts: "Abrimos el {{ abre | moment }}.", next: fin}
  feriado: {kind: play, prompts: "Hoy es feriado.", next: fin}
"""


@pytest.mark.parametrize(
    ("moment", "path"),
    [("2026-03-02T10:00", "uno cola"), ("2026-03-02T17:00", "uno cerrado"), ("2026-04-03T10:00", "uno feriado")],
)
def test_the_flow_goes_by_the_time_of_the_call(moment: str, path: str) -> None:
    caller = Caller(flow_of(NODE, FLOW), at=instant(moment))
    assert caller.path == path


def test_the_caller_hears_when_we_open() -> None:
    caller = Caller(flow_of(NODE, FLOW), at=instant("2026-03-06T20:00"))
    assert caller.said() == "Abrimos el lunes nueve de marzo a las ocho de la mañana."


@pytest.mark.parametrize(
    "calendar",
    [
        "{weekly: {mon-fri: ['17:00-08:00']}}",
        "{weekly: {mon-fri: ['8-17']}}",
        "{weekly: {lunes: ['08:00-17:00']}}",
        "{weekly: {mon: ['08:00-25:00']}}",
        "{weekly: {mon: ['08:00-09:00']}, closed: {2026-02-30: x}}",
        "{weekly: {}}",
        "{weekly: {mon: ['08:00-09:00']}, zone: Europe/Madrid}",
    ],
)
def test_a_calendar_with_a_mistake_is_refused(calendar: str) -> None:
    assert load(f"{HEAD}calendars: {{oficina: {calendar}}}\nnodes:\n{NODE}{END}").flow is None


def test_a_calendar_that_is_not_there_is_a_mistake() -> None:
    head = f"{HEAD}variables: {{abre: integer}}\ncalendars: {{oficinas: {{weekly: {{mon: ['08:00-09:00']}}}}}}\n"
    loaded = load(f"{head}nodes:\n{NODE}{END}")
    assert loaded.flow is None
    assert [f.suggestion for f in loaded.findings if f.code == "calendar.unknown"] == ["oficinas"]
