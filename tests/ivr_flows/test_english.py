"""What callers hear who choose English, word for word; and texts and prompts speak the caller's language."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_flows.speech import english
from ivr_flows.speech.saying import SAYINGS, say, say_count
from ivr_flows.speech.waiting import waiting_prompts
from ivr_flows.templates import render
from tests.support.flows import HEAD, Caller, flow_of, texts

AT = "2026-03-02T15:30:00"


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("number", 0, "zero"),
        ("number", 21, "twenty-one"),
        ("number", 130, "one hundred thirty"),
        ("number", 1_001, "one thousand one"),
        ("number", 2_000_000, "two million"),
        ("number", "-3,25", "minus three point two five"),
        ("money", "12.50", "twelve dollars and fifty cents"),
        ("money", 1.01, "one dollar and one cent"),
        ("money", 0, "zero dollars"),
        ("date", AT, "Monday, March second, twenty twenty-six"),
        ("date", "2005-12-31", "Saturday, December thirty-first, two thousand five"),
        ("date", "1905-11-20", "Monday, November twentieth, nineteen oh five"),
        ("day", "12/11/2026", "Thursday, November twelfth"),
        ("time", AT, "three thirty in the afternoon"),
        ("time", "00:00", "twelve midnight"),
        ("time", "12:00", "twelve noon"),
        ("time", "12:05", "twelve oh five in the afternoon"),
        ("time", "8:00", "eight o'clock in the morning"),
        ("time", "22:00", "ten o'clock at night"),
        ("moment", 1_772_481_600, "Monday, March second, at three o'clock in the afternoon"),
        ("digits", "12*4#", "one two star, four pound"),
        ("phone", "+593991234567", "zero nine nine, one two three, four five six seven"),
        ("duration", 20, "less than one minute"),
        ("duration", 60, "one minute"),
        ("duration", 7300, "two hours"),
    ],
)
def test_every_kind_has_english_words(kind: str, value: object, words: str) -> None:
    assert say(kind, value, "en") == words
    assert render(f"{{{{ value | {kind} }}}}", {"value": value}, language="en") == words


@pytest.mark.parametrize(
    ("number", "noun", "plural", "words"),
    [
        (1, "person", "people", "one person"),
        (21, "person", "people", "twenty-one people"),
        (0, "day", "", "zero days"),
        (2, "company", "", "two companies"),
        (2, "box", "", "two boxes"),
    ],
)
def test_so_many_of_a_noun(number: int, noun: str, plural: str, words: str) -> None:
    assert say_count(number, noun, plural, language="en") == words


def test_a_language_without_words_here_hears_figures_that_mean_something() -> None:
    assert say("moment", 1_772_481_600, "fr") == "2026-03-02 15:00"
    assert say("time", AT, "fr") == "15:30"
    assert say("date", AT, "fr") == "2026-03-02"
    assert say("money", 3.5, "fr") == "3.5"
    assert say_count(3, "jour", "jours", language="fr") == "3 jours"


@given(st.integers(-(10**15), 10**15))
def test_every_number_is_words(number: int) -> None:
    words = english.cardinal(number)
    assert not any(c.isdigit() for c in words)
    assert "  " not in words


@pytest.mark.parametrize("kind", sorted(SAYINGS))
def test_an_english_flow_speaks_no_spanish(kind: str) -> None:
    value = "'0991234567'" if kind == "phone" else "1772481600"
    head = HEAD + 'language: en\nvariables: {truth: {type: boolean, default: "true"}}\n'
    node = f"""
  uno:
    kind: play
    prompts: ["It is {{{{ truth }}}}: {{{{ {value} | {kind} }}}}.", {{{kind}: "{value}"}}]
    next: fin
"""
    caller = Caller(flow_of(node, head))
    first, second = texts(caller.waits.prompts)  # type: ignore[union-attr]
    assert first == f"It is yes: {second}."
    assert not re.search(r"[0-9áéíóúñ]", second)
    assert not re.search(r"\b(uno|mil|de|con|lunes|segundos|horas)\b", second)


def test_a_prompt_in_another_language_than_the_call_says_its_values_so() -> None:
    node = """
  uno: {kind: play, prompts: ["{{ 21 | number }}", {text: "{{ 21 | number }}", language: en}], next: fin}
"""
    caller = Caller(flow_of(node))
    assert texts(caller.waits.prompts) == ["veintiuno", "twenty-one"]  # type: ignore[union-attr]


def test_the_place_in_the_line() -> None:
    assert texts(waiting_prompts(1, 60, "en")) == ["You are next in the line.", "The expected wait is one minute."]
    assert texts(waiting_prompts(2, None, "en")) == ["There is one person before you."]
    assert texts(waiting_prompts(22, None, "en")) == ["There are twenty-one people before you."]
