"""Collecting DTMF under `DigitRules`, pure: the Asterisk adapter and the twin feed it and carry out its effects.

``begin`` makes the state; ``step(state, input, at) -> (state, effects)``. While ``state.deadline`` is set, the owner
sends a `Tick` at that time (an early or a late one does no harm). After `Finished` the state is over and steps to
itself, so that a digit or a timer that was under way needs no guard.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pbx.terms import DIGITS, DigitRules, DigitsEnd


@dataclass(frozen=True, slots=True)
class Digit:
    digit: str


@dataclass(frozen=True, slots=True)
class PromptEnded:
    """It played to its end, or failed: the caller may now be waited for."""


@dataclass(frozen=True, slots=True)
class Tick:
    pass


@dataclass(frozen=True, slots=True)
class Stop:
    """stop_collecting, another collect, or the channel's end."""


Input: TypeAlias = Digit | PromptEnded | Tick | Stop


@dataclass(frozen=True, slots=True)
class StopPrompt:
    pass


@dataclass(frozen=True, slots=True)
class Finished:
    digits: str
    end: DigitsEnd


Effect: TypeAlias = StopPrompt | Finished


@dataclass(frozen=True, slots=True)
class Collecting:
    rules: DigitRules
    digits: str = ""
    prompting: bool = False
    deadline: float | None = None
    over: bool = False


Step: TypeAlias = tuple[Collecting, Sequence[Effect]]
_MOST_AHEAD = 32


@dataclass(slots=True)
class KeysAhead:
    """What a leg pressed while nothing collected from it."""

    pressed: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=_MOST_AHEAD))

    def add(self, digit: str, at: float) -> None:
        self.pressed.append((round(at, 6), digit))

    def let_in(self, rules: DigitRules) -> bool:
        """Forgets what these rules do not let in; whether there are any left. A ``#`` that comes first ended an answer
        which was complete without it."""
        since = rules.since if rules.barge_in else None
        kept = [] if since is None else [(at, digit) for at, digit in self.pressed if at > since]
        while kept and kept[0][1] == "#":
            del kept[0]
        self.pressed = deque(kept, maxlen=_MOST_AHEAD)
        return bool(kept)

    def next(self) -> str | None:
        """One at a time: the first may complete an answer, and the question after it takes the others at once."""
        return self.pressed.popleft()[1] if self.pressed else None


def begin(rules: DigitRules, *, prompt: bool, at: float) -> Collecting:
    if rules.max_digits < 1:
        raise ValueError("max_digits must be at least 1")
    if rules.terminator and (len(rules.terminator) != 1 or rules.terminator not in DIGITS):
        raise ValueError(f"the terminator must be one of {DIGITS}, or empty for none")
    return Collecting(rules, prompting=prompt, deadline=None if prompt else at + rules.first_s)


def step(state: Collecting, given: Input, at: float) -> Step:
    if state.over:
        return state, ()
    if isinstance(given, Stop):
        # The prompt is left alone: whoever stops us says what becomes of it.
        return _finish(state, DigitsEnd.STOPPED)
    if isinstance(given, PromptEnded):
        if not state.prompting:
            return state, ()
        return replace(state, prompting=False, deadline=at + state.rules.first_s), ()
    if isinstance(given, Tick):
        is_due = state.deadline is not None and at >= state.deadline
        return _finish(state, DigitsEnd.TIMEOUT) if is_due else (state, ())
    return _digit(state, given.digit, at)


def _digit(state: Collecting, digit: str, at: float) -> Step:
    if len(digit) != 1 or digit not in DIGITS:
        return state, ()
    if state.deadline is not None and at > state.deadline:
        return _finish(state, DigitsEnd.TIMEOUT)  # its tick is late; the digit was too
    if state.prompting and not state.rules.barge_in:
        return state, ()
    stop: tuple[Effect, ...] = (StopPrompt(),) if state.prompting else ()
    state = replace(state, prompting=False)
    if digit == state.rules.terminator:
        return _finish(state, DigitsEnd.TERMINATOR, stop)
    state = replace(state, digits=state.digits + digit, deadline=at + state.rules.between_s)
    if len(state.digits) >= state.rules.max_digits:
        return _finish(state, DigitsEnd.COMPLETE, stop)
    return state, stop


def _finish(state: Collecting, end: DigitsEnd, before: Sequence[Effect] = ()) -> Step:
    return replace(state, over=True, deadline=None), (*before, Finished(state.digits, end))
