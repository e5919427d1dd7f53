"""How long somebody in a line may still wait: by the pace at which the queue was served lately."""

from __future__ import annotations

from collections import deque

# Pace is a thing of the last minutes: before the morning's rush nobody wants to hear of the night.
KEPT = 12
_FORGOTTEN_S = 1800.0
# Fewer say too little.
_ENOUGH = 3


class QueuePace:
    """Told of every item that an agent took; asked for the wait at a place in the line."""

    def __init__(self) -> None:
        self._served: dict[str, deque[float]] = {}

    def served(self, queue: str, at: float) -> None:
        self._served.setdefault(queue, deque(maxlen=KEPT)).append(at)

    def wait_s(self, queue: str, position: int, now: float) -> float | None:
        """None where too little is known. One whose turn was due already is not promised less than the pace."""
        times = [at for at in self._served.get(queue, ()) if now - at <= _FORGOTTEN_S]
        if len(times) < _ENOUGH:
            return None
        pace = (now - times[0]) / len(times)
        return position * pace
