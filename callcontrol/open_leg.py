"""An agent's open audio leg: set up once by their page, answered and parked in silence, and joined with whomever they
talk to. Pure: ``step(leg, input) -> (leg, effects)``.

One leg an agent. A newer one takes the place of an older one at once, whose far end may be dead (a page that was loaded
anew); whoever used the older hears of it by `Down`, before `Up` tells of the newer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

from foundation.errors import RimayError
from pbx.terms import HangupCause, Reach

# What a phone dials to set up its open leg, and the channel variable by which a later daemon finds whose it is.
NUMBER = Reach.OPEN_LEG.value
VARIABLE = "RIMAY_OPEN_LEG"


class LegState(StrEnum):
    DOWN = "down"
    ANSWERING = "answering"
    UP = "up"


@dataclass(frozen=True, slots=True)
class OpenLeg:
    state: LegState = LegState.DOWN
    channel: str = ""


# --- told --------------------


@dataclass(frozen=True, slots=True)
class Arrived:
    channel: str


@dataclass(frozen=True, slots=True)
class Answered:
    channel: str


@dataclass(frozen=True, slots=True)
class Gone:
    channel: str
    cause: HangupCause


@dataclass(frozen=True, slots=True)
class Found:
    """By a daemon that was away: it lives, answered."""

    channel: str


@dataclass(frozen=True, slots=True)
class Silent:
    """Its page is no longer there; the switch may need half a minute to see it."""


# --- to be done --------------------


@dataclass(frozen=True, slots=True)
class Answer:
    channel: str


@dataclass(frozen=True, slots=True)
class Drop:
    channel: str


@dataclass(frozen=True, slots=True)
class Up:
    channel: str


@dataclass(frozen=True, slots=True)
class Down:
    channel: str
    cause: HangupCause


LegInput: TypeAlias = Arrived | Answered | Gone | Found | Silent
LegEffect: TypeAlias = Answer | Drop | Up | Down
Step: TypeAlias = tuple[OpenLeg, Sequence[LegEffect]]


class UnexpectedLegInput(RimayError):
    code: ClassVar[str] = "open_leg.unexpected_input"


def _answer(_leg: OpenLeg, e: Arrived) -> Step:
    return OpenLeg(LegState.ANSWERING, e.channel), [Answer(e.channel)]


def _instead_of_unanswered(leg: OpenLeg, e: Arrived) -> Step:
    return OpenLeg(LegState.ANSWERING, e.channel), [Drop(leg.channel), Answer(e.channel)]


def _instead_of_parked(leg: OpenLeg, e: Arrived) -> Step:
    effects: list[LegEffect] = [Down(leg.channel, HangupCause.NORMAL), Drop(leg.channel), Answer(e.channel)]
    return OpenLeg(LegState.ANSWERING, e.channel), effects


def _up(leg: OpenLeg, e: Answered) -> Step:
    return (OpenLeg(LegState.UP, e.channel), [Up(e.channel)]) if e.channel == leg.channel else (leg, [])


def _found(_leg: OpenLeg, e: Found) -> Step:
    return OpenLeg(LegState.UP, e.channel), [Up(e.channel)]


def _found_beside(leg: OpenLeg, e: Found) -> Step:
    """Two of one agent: the one that is known stays."""
    return leg, [] if e.channel == leg.channel else [Drop(e.channel)]


def _gone_unanswered(leg: OpenLeg, e: Gone) -> Step:
    return (OpenLeg(), []) if e.channel == leg.channel else (leg, [])


def _gone(leg: OpenLeg, e: Gone) -> Step:
    return (OpenLeg(), [Down(e.channel, e.cause)]) if e.channel == leg.channel else (leg, [])


def _silent_unanswered(leg: OpenLeg, _e: Silent) -> Step:
    return OpenLeg(), [Drop(leg.channel)]


def _silent(leg: OpenLeg, _e: Silent) -> Step:
    return OpenLeg(), [Down(leg.channel, HangupCause.UNREACHABLE), Drop(leg.channel)]


def _late(leg: OpenLeg, _e: object) -> Step:
    """Of a leg that is no more."""
    return leg, []


_S = LegState
TABLE: dict[tuple[LegState, type[Any]], Callable[[OpenLeg, Any], Step]] = {
    (_S.DOWN, Arrived): _answer,
    (_S.DOWN, Answered): _late,
    (_S.DOWN, Gone): _late,
    (_S.DOWN, Found): _found,
    (_S.DOWN, Silent): _late,
    (_S.ANSWERING, Arrived): _instead_of_unanswered,
    (_S.ANSWERING, Answered): _up,
    (_S.ANSWERING, Gone): _gone_unanswered,
    (_S.ANSWERING, Found): _found_beside,
    (_S.ANSWERING, Silent): _silent_unanswered,
    (_S.UP, Arrived): _instead_of_parked,
    (_S.UP, Answered): _late,
    (_S.UP, Gone): _gone,
    (_S.UP, Found): _found_beside,
    (_S.UP, Silent): _silent,
}


def step(leg: OpenLeg, told: LegInput) -> Step:
    """Raises `UnexpectedLegInput` for a pair that no row has."""
    handler = TABLE.get((leg.state, type(told)))
    if handler is None:
        raise UnexpectedLegInput(f"{type(told).__name__} while {leg.state.value}")
    return handler(leg, told)
