"""Figures for Prometheus, in a registry of our own (two platforms in one process, as in tests, must not meet).

Names are ``rimay_<room>_<what>_<unit>``: base units (seconds, bytes, ratio), counters end in ``total``. Labels are few
and from closed sets: an id or a phone number as a label would be a leak and would never stop growing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

# What control adds to a call: the goal is 10 ms, a caller notices about 200.
CONTROL_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
# INVITE to answer, with ringing in it.
SETUP_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
# Waiting in a queue; service levels are set at 10, 20 and 30 s.
WAIT_S = (1.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
# Talk and handling time: the customer's means are 2.2 and 12 minutes.
TALK_S = (10.0, 30.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)
# Estimated mean opinion score: under 3.6 people complain.
MOS = (1.0, 2.0, 2.6, 3.1, 3.6, 4.0, 4.3, 4.5)

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
_ENDLESS_LABELS = frozenset(
    {"id", "interaction", "interaction_id", "call", "call_id", "channel_id", "phone", "number", "caller", "customer"}
)
# Names that tell a unit other than the base one.
_WRONG_UNITS = ("_ms", "_milliseconds", "_minutes", "_hours", "_kb", "_mb", "_percent", "_s")

_Shape: TypeAlias = tuple[tuple[str, ...], tuple[float, ...]]  # labels, buckets
_Kind = TypeVar("_Kind", Counter, Gauge, Histogram)


class Metrics:
    """One a process. Asking for a name again gives the same figure, so that modules need not share variables."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._made: dict[str, tuple[_Shape, Counter | Gauge | Histogram]] = {}
        ProcessCollector(namespace="rimay", registry=self.registry)

    def counter(self, name: str, what: str, labels: Sequence[str] = ()) -> Counter:
        if not name.endswith("_total"):
            raise ValueError(f"a counter's name ends in _total: {name}")
        return self._make(
            Counter, name, (tuple(labels), ()), lambda full: Counter(full, what, labels, registry=self.registry)
        )

    def gauge(self, name: str, what: str, labels: Sequence[str] = ()) -> Gauge:
        if name.endswith("_total"):
            raise ValueError(f"only a counter's name ends in _total: {name}")
        return self._make(
            Gauge, name, (tuple(labels), ()), lambda full: Gauge(full, what, labels, registry=self.registry)
        )

    def histogram(self, name: str, what: str, buckets: Sequence[float], labels: Sequence[str] = ()) -> Histogram:
        """Buckets are named, never the library's default: that ends at 10 s, where a queue only begins."""
        if name.endswith("_total"):
            raise ValueError(f"only a counter's name ends in _total: {name}")
        shape = (tuple(labels), tuple(buckets))
        return self._make(
            Histogram, name, shape, lambda full: Histogram(full, what, labels, buckets=shape[1], registry=self.registry)
        )

    def render(self) -> bytes:
        """The page that `/metrics` answers with."""
        return generate_latest(self.registry)

    def _make(self, kind: type[_Kind], name: str, shape: _Shape, make: Callable[[str], _Kind]) -> _Kind:
        _check(name, shape[0])
        if name in self._made:
            known_shape, known = self._made[name]
            if known_shape != shape or not isinstance(known, kind):
                raise ValueError(f"{name} exists with another type, labels or buckets")
            return known
        made = make(f"rimay_{name}")
        self._made[name] = (shape, made)
        return made


def _check(name: str, labels: Sequence[str]) -> None:
    if name.startswith("rimay_") or not _NAME.fullmatch(name):
        raise ValueError(f"a metric's name is <room>_<what>_<unit> without the prefix: {name}")
    if name.endswith(_WRONG_UNITS):
        raise ValueError(f"base units only (seconds, bytes, ratio): {name}")
    endless = _ENDLESS_LABELS.intersection(labels)
    if endless:
        raise ValueError(f"labels of {name} that grow without end: {', '.join(sorted(endless))}")
