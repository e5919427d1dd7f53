"""The flow book as a call sees it (`call_state.Flows`): flows by name and version, cursors as plain JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from callcontrol.call_state import FlowRef
from ivr_flows import engine
from ivr_flows.book import FlowBook
from ivr_flows.faults import NoFlow
from ivr_flows.protocol import Action, Begin, Input
from ivr_flows.state import FlowState

# The facts that are known of a number at a time, beside those of the call itself; at once, as the caller waits.
Past = Callable[[str, float], Mapping[str, object]]


def _no_past(_number: str, _at: float) -> Mapping[str, object]:
    return {}


class BookFlows:
    def __init__(self, book: FlowBook, past: Past = _no_past) -> None:
        self._book = book
        self._past = past

    def choose(self, to_number: str) -> FlowRef | None:
        try:
            flow = self._book.choose(to_number)
        except NoFlow:
            return None
        return FlowRef(flow.id, flow.version)

    def begin(self, ref: FlowRef, facts: Mapping[str, object], at: float) -> tuple[dict[str, Any], Sequence[Action]]:
        flow = self._book.version(ref.name, ref.version)
        if flow is None:
            raise NoFlow(f"flow {ref.name!r} is not loaded", flow=ref.name, version=ref.version)
        return self._told(engine.begin(flow), Begin({**self._past(str(facts.get("from", "")), at), **facts}), at)

    def step(self, cursor: dict[str, Any], told: Input, at: float) -> tuple[dict[str, Any], Sequence[Action]]:
        return self._told(FlowState.from_json(cursor), told, at)

    def _told(self, state: FlowState, told: Input, at: float) -> tuple[dict[str, Any], Sequence[Action]]:
        after, actions = self._book.step(state, told, at)
        return after.to_json(), actions
