"""The rules a router works by: of queues, of capacity, of relaxation and overflow. Plain frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

import msgspec

from callcontrol.model import Medium

# Media in which somebody sits and waits; the others can lie until they are taken up.
LIVE = frozenset({Medium.VOICE, Medium.VIDEO, Medium.CHAT})
# An agent's own line: works without being configured, takes items for this agent only.
PERSONAL = "agent:"


class Strategy(StrEnum):
    LONGEST_IDLE = "longest_idle"
    LEAST_OCCUPIED = "least_occupied"
    BEST_SKILL = "best_skill"
    FASTEST = "fastest"
    ROUND_ROBIN = "round_robin"
    RING_ORDER = "ring_order"


class When(StrEnum):
    TIME = "time"  # it has waited for `over` seconds
    LENGTH = "length"  # at least `over` wait already
    EXPECTED_WAIT = "expected_wait"  # more than `over` seconds are to be expected, or nobody works here
    CLOSED = "closed"
    NO_AGENTS = "no_agents"  # after `over` seconds nobody who is signed in could take it, relaxed as far as it goes


class Where(StrEnum):
    QUEUE = "queue"
    VOICEMAIL = "voicemail"
    CALLBACK = "callback"
    MESSAGE = "message"


class Blend(StrEnum):
    """Which work an agent takes."""

    BOTH = "both"
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Hours(Protocol):
    """A calendar, as the router needs it."""

    def is_open(self, at: float) -> bool: ...

    def next_close(self, at: float) -> float | None:
        """The first closing after `at`; None when there is none to be foreseen."""


class Overflow(msgspec.Struct, frozen=True, kw_only=True):
    when: When
    over: float = 0.0
    to: Where
    target: str = ""  # the queue, or the message's name


class Ring(msgspec.Struct, frozen=True, kw_only=True):
    """From `after_s` of waiting on: these skills need so many levels less; those are not needed at all."""

    after_s: float
    loosen: dict[str, int] = {}
    drop: frozenset[str] = frozenset()
    drop_all: bool = False


class QueueRules(msgspec.Struct, frozen=True, kw_only=True):
    """`priority` is added to each item's. `target_s` is the service level's threshold. `keep_free`: outbound items go
    out only while more agents than this are ready. `stranded_s`: how long a live item waits when nobody signed in could
    ever take it."""

    name: str
    offer_s: float = 20.0
    wrap_up_s: float = 30.0
    max_wait_s: float | None = None
    strategy: Strategy = Strategy.LONGEST_IDLE
    priority: int = 0
    ageing_per_min: float = 0.0  # points of priority that a minute of waiting is worth
    target_s: float = 20.0
    requires: str = ""
    rings: tuple[Ring, ...] = ()
    overflow: tuple[Overflow, ...] = ()
    max_length: int | None = None
    hours: Hours | None = None
    auto_accept: bool = False
    preferred_wait_s: float = 0.0
    stranded_s: float = 300.0
    keep_free: int = 0
    handle_s: float = 180.0  # taken for who has not been measured yet
    wrap_up_most_s: float = 600.0  # an extended wrap-up ends here at the latest
    disposition_required: bool = False  # whoever lets a wrap-up run out without one gets no further item before it

    def rate(self, target_s: float | None = None) -> int:
        """How fast a claim grows: thousandths of a point a minute. What has a target of its own ages by its share of
        that: with half the queue's target, twice as fast."""
        own = target_s if target_s is not None and target_s > 0 else self.target_s
        return round(self.ageing_per_min * 1000 * self.target_s / own)

    def rule(self, when: When) -> Overflow | None:
        return next((rule for rule in self.overflow if rule.when is when), None)


_ALL_OF_ME = 100


class Capacity(msgspec.Struct, frozen=True, kw_only=True):
    """How much an agent takes at once: at most `limits` of each medium, `total` points of weight together. A medium
    without a limit is not taken. `interrupts[a]` are the media that work of medium `a` may interrupt."""

    limits: Mapping[Medium, int]
    weights: Mapping[Medium, int]
    total: int = _ALL_OF_ME
    interrupts: Mapping[Medium, frozenset[Medium]] = {}


_QUIET = frozenset({Medium.EMAIL, Medium.TASK})

# One call, or four chats, or three chats and two e-mails.
DEFAULT_CAPACITY = Capacity(
    limits={
        Medium.VOICE: 1,
        Medium.VIDEO: 1,
        Medium.CALLBACK: 1,
        Medium.CHAT: 4,
        Medium.MESSAGE: 6,
        Medium.EMAIL: 2,
        Medium.TASK: 2,
    },
    weights={
        Medium.VOICE: 100,
        Medium.VIDEO: 100,
        Medium.CALLBACK: 100,
        Medium.CHAT: 25,
        Medium.MESSAGE: 16,
        Medium.EMAIL: 12,
        Medium.TASK: 12,
    },
    interrupts={Medium.VOICE: _QUIET, Medium.VIDEO: _QUIET, Medium.CALLBACK: _QUIET},
)

# Points of priority for those who must not wait: the customer's own service for people with disabilities, reports of
# outages, the vulnerable.
DEFAULT_CRITICALITY: Mapping[str, int] = {"special_capacities": 30, "outage": 20, "vulnerable": 25}
