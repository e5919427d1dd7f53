"""The digit collector against the sentences of `DigitRules`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.collect import Collecting, Digit, Effect, Finished, Input, PromptEnded, Stop, StopPrompt, Tick, begin, step
from pbx.terms import DIGITS, DigitRules, DigitsEnd

RULES = DigitRules(max_digits=3, terminator="#", first_s=5.0, between_s=3.0)


def run(state: Collecting, *given: tuple[float, Input]) -> tuple[Collecting, list[Effect]]:
    effects: list[Effect] = []
    for at, one in given:
        state, more = step(state, one, at)
        effects += more
    return state, effects


def keys(digits: str, at: float = 1.0) -> list[tuple[float, Input]]:
    return [(at + i / 10, Digit(d)) for i, d in enumerate(digits)]


@pytest.mark.parametrize(
    ("digits", "collected", "end"),
    [
        ("123", "123", DigitsEnd.COMPLETE),
        ("12#", "12", DigitsEnd.TERMINATOR),
        ("#", "", DigitsEnd.TERMINATOR),
        ("1*A", "1*A", DigitsEnd.COMPLETE),
        ("12345", "123", DigitsEnd.COMPLETE),
        ("1x23", "123", DigitsEnd.COMPLETE),  # what is no digit is none
    ],
)
def test_digits_end_it(digits: str, collected: str, end: DigitsEnd) -> None:
    state, effects = run(begin(RULES, prompt=False, at=0), *keys(digits))
    assert effects == [Finished(collected, end)]
    assert state.over
    assert state.deadline is None


def test_no_digit_times_out_after_first_s_from_the_start_without_a_prompt() -> None:
    state = begin(RULES, prompt=False, at=100.0)
    assert state.deadline == 105.0
    assert run(state, (104.99, Tick()))[1] == []
    assert run(state, (105.0, Tick()))[1] == [Finished("", DigitsEnd.TIMEOUT)]


def test_with_a_prompt_the_time_runs_from_its_end() -> None:
    state = begin(RULES, prompt=True, at=100.0)
    assert state.deadline is None
    assert run(state, (1000.0, Tick()))[1] == []
    state, _ = run(state, (130.0, PromptEnded()))
    assert state.deadline == 135.0


def test_between_digits_each_digit_gives_new_time() -> None:
    state, effects = run(begin(RULES, prompt=False, at=0), (4.9, Digit("1")), (7.8, Digit("2")))
    assert (effects, state.deadline) == ([], 10.8)
    assert run(state, (10.8, Tick()))[1] == [Finished("12", DigitsEnd.TIMEOUT)]


def test_a_digit_after_the_deadline_is_too_late_though_its_tick_is_later_still() -> None:
    _, effects = run(begin(RULES, prompt=False, at=0), (1.0, Digit("1")), (4.5, Digit("2")))
    assert effects == [Finished("1", DigitsEnd.TIMEOUT)]


def test_barge_in_stops_the_prompt_once() -> None:
    state, effects = run(begin(RULES, prompt=True, at=0), (1, Digit("1")), (1.1, PromptEnded()), (1.2, Digit("2")))
    assert effects == [StopPrompt()]
    assert state.digits == "12"
    assert state.deadline == pytest.approx(4.2)  # the prompt's end did not set it back to first_s


def test_the_terminator_barges_in_too() -> None:
    assert run(begin(RULES, prompt=True, at=0), (1, Digit("#")))[1] == [
        StopPrompt(),
        Finished("", DigitsEnd.TERMINATOR),
    ]


def test_without_barge_in_digits_before_the_prompts_end_are_dropped() -> None:
    rules = DigitRules(max_digits=2, barge_in=False)
    state, effects = run(begin(rules, prompt=True, at=0), *keys("98#"), (2.0, PromptEnded()), *keys("12", 3.0))
    assert effects == [Finished("12", DigitsEnd.COMPLETE)]
    assert state.digits == "12"


def test_without_a_terminator_every_key_is_a_digit() -> None:
    rules = DigitRules(max_digits=2, terminator="")
    assert run(begin(rules, prompt=False, at=0), *keys("##"))[1] == [Finished("##", DigitsEnd.COMPLETE)]


def test_stopping_keeps_the_digits_and_leaves_the_prompt_alone() -> None:
    assert run(begin(RULES, prompt=True, at=0), (1, Stop()))[1] == [Finished("", DigitsEnd.STOPPED)]
    assert run(begin(RULES, prompt=False, at=0), (1, Digit("7")), (1, Stop()))[1] == [Finished("7", DigitsEnd.STOPPED)]


@pytest.mark.parametrize("rules", [DigitRules(max_digits=0), DigitRules(terminator="##"), DigitRules(terminator="x")])
def test_rules_that_make_no_sense_are_refused(rules: DigitRules) -> None:
    with pytest.raises(ValueError, match=r"max_digits|terminator"):
        begin(rules, prompt=False, at=0)


INPUTS: st.SearchStrategy[Input] = st.one_of(
    st.builds(Digit, st.sampled_from(DIGITS)), st.just(PromptEnded()), st.just(Tick()), st.just(Stop())
)


@given(
    rules=st.builds(
        DigitRules,
        max_digits=st.integers(1, 6),
        terminator=st.sampled_from(["", *DIGITS]),
        first_s=st.floats(0.1, 20),
        between_s=st.floats(0.1, 20),
        barge_in=st.booleans(),
    ),
    prompt=st.booleans(),
    moves=st.lists(st.tuples(st.floats(0, 8), INPUTS), max_size=30),
)
def test_whatever_comes_it_ends_once_and_keeps_the_rules(
    rules: DigitRules, prompt: bool, moves: Sequence[tuple[float, Input]]
) -> None:
    at, state, effects = 0.0, begin(rules, prompt=prompt, at=0.0), []
    for wait, one in moves:
        at += wait
        before = state
        state, more = step(state, one, at)
        effects += more
        assert before.over or state.over or state.prompting or state.deadline is not None  # it cannot hang
        if rules.terminator:
            assert rules.terminator not in state.digits
    if not state.over:  # time and the prompt's end always finish it
        state, more = step(state, PromptEnded(), at)
        effects += more
        assert state.deadline is not None
        state, more = step(state, Tick(), state.deadline)
        effects += more
    finished = [e for e in effects if isinstance(e, Finished)]
    assert len(finished) == 1
    assert effects[-1] is finished[0]
    assert effects.count(StopPrompt()) <= (1 if prompt and rules.barge_in else 0)
    pressed = "".join(one.digit for _, one in moves if isinstance(one, Digit))
    assert len(finished[0].digits) <= rules.max_digits
    remaining = iter(pressed)
    assert all(digit in remaining for digit in finished[0].digits)  # in order, none invented
    if finished[0].end is DigitsEnd.COMPLETE:
        assert len(finished[0].digits) == rules.max_digits
