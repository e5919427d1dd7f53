"""An agent's day, as a fold over what happened: recomputed from the events whenever it is asked for, so that a figure
and its proof cannot part. Pure: the window comes in with the question.

handled       contacts in which agent and citizen heard each other
offered, missed, rejected   offers; missed: not taken in time, or the phone could not be reached
talk_s, hold_s, wrap_up_s   of these contacts, within the window; hold is not talk
aht_s         (talk + hold + wrap-up) / contacts, of those handled that are over: one under way is no average
ready_s, not_ready_s        by state; what is not ready by its reason
occupancy     (reserved + in contact + wrap-up) / (these + ready): how much of the time for work was work"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from callcontrol.events import (
    Connected,
    Disconnected,
    Held,
    InteractionEvent,
    Offered,
    OfferEnded,
    Resumed,
    WrapUpEnded,
    WrapUpStarted,
)
from callcontrol.model import AgentId, AgentState, OfferEnd

_BUSY = frozenset({AgentState.RESERVED, AgentState.INTERACTING, AgentState.WRAP_UP})


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    at: float
    state: AgentState
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """[since, until): what lies outside does not count, what reaches in counts in part."""

    since: float
    until: float

    def part(self, start: float, end: float) -> float:
        return max(0.0, min(end, self.until) - max(start, self.since))

    def holds(self, at: float) -> bool:
        return self.since <= at < self.until


@dataclass(slots=True, kw_only=True)
class AgentDay:
    handled: int = 0
    offered: int = 0
    missed: int = 0
    rejected: int = 0
    talk_s: float = 0.0
    hold_s: float = 0.0
    wrap_up_s: float = 0.0
    ready_s: float = 0.0
    busy_s: float = 0.0
    not_ready_s: dict[str, float] = field(default_factory=dict)
    finished: int = 0  # of those handled, and what they took
    finished_s: float = 0.0

    @property
    def aht_s(self) -> float | None:
        return self.finished_s / self.finished if self.finished else None

    @property
    def occupancy(self) -> float | None:
        worked = self.busy_s + self.ready_s
        return self.busy_s / worked if worked else None


def fold_day(
    agent: AgentId,
    window: Window,
    states: Sequence[StateChange],
    contacts: Iterable[Sequence[InteractionEvent]],
) -> AgentDay:
    """`states` in order, the first of them the one in force when the window opens, if any; each of `contacts` the
    whole events of one interaction, in order."""
    day = AgentDay()
    not_ready: dict[str, float] = defaultdict(float)
    ends = [change.at for change in states[1:]] + [window.until]
    for change, end in zip(states, ends, strict=True) if states else ():
        seconds = window.part(change.at, end)
        if change.state is AgentState.READY:
            day.ready_s += seconds
        elif change.state in _BUSY:
            day.busy_s += seconds
        elif change.state is AgentState.NOT_READY and seconds:
            not_ready[change.reason] += seconds
    day.not_ready_s = dict(not_ready)
    for events in contacts:
        _Contact(agent, window, day).run(events)
    return day


class _Contact:
    """One interaction, from this agent's chair."""

    def __init__(self, agent: AgentId, window: Window, day: AgentDay) -> None:
        self._agent, self._window, self._day = agent, window, day
        self._since: dict[str, float] = {}  # what lasts: talk, hold, wrap_up
        self._met = False
        self._took_s = 0.0

    def run(self, events: Sequence[InteractionEvent]) -> None:
        for event in events:
            self._take(event)
        if self._met and not self._since:
            self._day.finished += 1
            self._day.finished_s += self._took_s
        for kind in list(self._since):
            self._end(kind, self._window.until)

    def _take(self, event: InteractionEvent) -> None:
        at, fact = event.at, event.fact
        match fact:
            case Offered(agent=self._agent):
                self._day.offered += self._window.holds(at)
            case OfferEnded(agent=self._agent, how=how) if self._window.holds(at):
                self._day.missed += how in (OfferEnd.EXPIRED, OfferEnd.FAILED)
                self._day.rejected += how is OfferEnd.REJECTED
            case Connected(agent=self._agent):
                self._begin("talk", at)
                if self._window.holds(at) and not self._met:
                    self._met = True
                    self._day.handled += 1
            case Disconnected(agent=self._agent):
                self._end("talk", at)
                self._end("hold", at)
            case Held() if "talk" in self._since:
                self._end("talk", at)
                self._begin("hold", at)
            case Resumed() if "hold" in self._since:
                self._end("hold", at)
                self._begin("talk", at)
            case WrapUpStarted(agent=self._agent):
                self._begin("wrap_up", at)
            case WrapUpEnded(agent=self._agent):
                self._end("wrap_up", at)
            case _:
                pass

    def _begin(self, kind: str, at: float) -> None:
        self._since.setdefault(kind, at)

    def _end(self, kind: str, at: float) -> None:
        since = self._since.pop(kind, None)
        if since is None:
            return
        seconds = self._window.part(since, at)
        self._took_s += seconds
        match kind:
            case "talk":
                self._day.talk_s += seconds
            case "hold":
                self._day.hold_s += seconds
            case _:
                self._day.wrap_up_s += seconds


def rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 1) for name, value in seconds.items()}
