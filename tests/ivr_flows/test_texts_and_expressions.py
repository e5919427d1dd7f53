"""What templates and expressions may do, and that nothing else gets through: not from files, not from callers."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_flows import expressions, templates
from ivr_flows.faults import FlowFault

CALL = {"call": {"from": "0999", "name": "Ana"}, "n": 3, "x": 2.5, "ok": True, "word": "hola"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hola {{ call.name }}, {{ n }} veces", "Hola Ana, 3 veces"),
        ("{{ call['from'] }}/{{ call.nothing }}", "0999/"),
        ("{% if n > 2 and ok %}sí{% else %}no{% endif %}", "sí"),
        ("{{ word|upper }} {{ call.nothing|default('x', true) }}", "HOLA x"),
        ("{{ 'a' if ok else 'b' }} {{ ok }} {{ x }} {{ x|int }}", "a sí 2.5 2"),
        ("sin  nada\nque cambiar", "sin nada que cambiar"),
    ],
)
def test_a_template_renders(text: str, expected: str) -> None:
    assert templates.problem_of(text) == ""
    assert templates.render(text, CALL) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{{ call.__class__ }}{{ ''.__class__ }}",
        "{{ word.__class__.__mro__ }}",
        "{{ word.format }}",
        "{{ word['__class__'] }}",
        "{{ word() }}",
        "{{ 'a' * 10000000000 }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{% for a in word %}{{ a }}{% endfor %}",
        "{% set a = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'x' %}",
        "{% import 'os' as os %}",
        "{% extends 'x' %}",
        "{{ word|attr('__class__') }}",
        "{{ word|map('upper') }}",
        "{{ word|center(1000000000) }}",
        "{{ range(10) }}",
        "{{ lipsum() }}",
        "{{ [1,2] }}",
        "{{ {'a': 1} }}",
        "{{ a",
        "{{ }}",
        "{% if %}",
        "{{ " + "(" * 900 + "1" + ")" * 900 + " }}",
        "x" * 2001,
    ],
)
def test_a_template_that_is_more_than_text_is_refused(text: str) -> None:
    assert templates.problem_of(text) != ""


def test_no_python_attribute_is_reached_even_with_the_check_left_out() -> None:
    for text in ("{{ call.items }}", "{{ call.__class__ }}", "{{ call.__init__ }}"):
        assert templates.render(text, CALL) == ""
    with pytest.raises(FlowFault):
        templates.render("{{ word.__class__ }}", CALL)


def test_an_unknown_name_is_a_fault() -> None:
    with pytest.raises(FlowFault, match="nadie"):
        templates.render("{{ nadie }}", CALL)


@pytest.mark.parametrize(
    "evil",
    [
        "{{ 7*7 }}",
        "{% for x in y %}",
        "<speak><break time='99s'/></speak>",
        "[[fonemas]]",
        "a\x00b\x1b[31m\r\nInjected: header",
        "`rm -rf /`",
        "$(reboot)|x",
        "\ud800",
    ],
)
def test_what_callers_write_is_data(evil: str) -> None:
    said = templates.render("De {{ call.from }}.", {"call": {"from": evil}})
    assert not set(said) & set("<>[]{}\\`|\x00\x1b\r\n\ud800")
    assert said.startswith("De ")
    assert "49" not in said


def test_a_long_fact_is_cut() -> None:
    assert len(templates.render("{{ call.from }}", {"call": {"from": "9" * 100_000}})) == templates.MAX_INSERTED


def test_a_text_that_grows_is_a_fault() -> None:
    many = "{{ call.a }}" * 100
    with pytest.raises(FlowFault, match="long"):
        templates.render(many, {"call": {"a": "x" * 200}})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("n > 2 and ok", True),
        ("n + 1", 4),
        ("call.from == '0999'", True),
        ("call.nothing == ''", True),
        ("starts_with(call.from, '09') or ends_with(word, 'a')", True),
        ("word in ('hola', 'adiós')", True),
        ("word not in ['adiós']", True),
        ("'call.from' == 'call.from'", True),
        ("-n if not ok else n % 2", 1),
        ("length(word) // 3", 1),
        ("integer('7') * 2", 14),
        ("'ho' in word", True),
    ],
)
def test_an_expression_has_its_value(text: str, value: object) -> None:
    assert expressions.problem_of(text) == ""
    assert expressions.evaluate(text, CALL) == value


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "open('/etc/passwd')",
        "word.__class__",
        "call.from.x",
        "word[0]",
        "().__class__.__bases__[0].__subclasses__()",
        "[x for x in word]",
        "lambda: 1",
        "9 ** 9",
        "1 << 99",
        "f'{n}'",
        "b'x'",
        "1j",
        "(a := 1)",
        "{**call}",
        "upper(text='x')",
        "upper(*word)",
        "n ==",
        "",
        "n; n",
        "'" + "x" * 600 + "'",
        "not " * 100 + "n",
        "(" * 300,
        "'a",
        "\x00",
    ],
)
def test_an_expression_that_is_more_is_refused(text: str) -> None:
    assert expressions.problem_of(text) != ""


@pytest.mark.parametrize(
    "text",
    [
        "n / 0",
        "n > word",
        "'%s' % n",
        "word * 10000000",
        "integer(word)",
        "nadie",
        "word - 1",
        "1 in n",
        "integer(x, x)",
    ],
)
def test_an_expression_that_fails_is_a_fault(text: str) -> None:
    assert expressions.problem_of(text) == ""
    with pytest.raises(FlowFault):
        expressions.evaluate(text, CALL)


PIECES = st.lists(
    st.sampled_from(
        ["n", "word", "call", ".", "from", "(", ")", "[", "]", "'", "+", "*", "%", "-", "1", "9999999", ",", " in ",
         " not ", "==", "<", "text", "integer", "length", "__class__", "{{", "}}", "{%", "%}", "|", "upper", " if ",
         " else ", "#", "\\", "\n", "é"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@given(st.one_of(st.text(max_size=80), PIECES))
def test_no_text_crashes_either_language(text: str) -> None:
    started = time.process_time()
    if expressions.problem_of(text) == "":
        expressions.names_in(text)
        with contextlib.suppress(FlowFault):
            expressions.evaluate(text, CALL)
    if templates.problem_of(text) == "":
        templates.names_in(text)
        try:
            said = templates.render(text, CALL)
        except FlowFault:
            said = ""
        assert len(said) <= templates.MAX_RENDERED
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-3-2", "2026-03-02"),
        ("16/03/2026", "2026-03-16"),
        ("2026-03-02T23:00", "2026-03-02"),
        ("pronto", ""),
        ("", ""),
    ],
)
def test_days_can_be_compared(value: str, day: str) -> None:
    assert expressions.evaluate("iso_date(value)", {"value": value}) == day
