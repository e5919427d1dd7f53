"""The in-memory twin of `callcontrol.call_state.Flows`: a flow is a list of actions, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from callcontrol.call_state import FlowRef
from ivr_flows import protocol as flow
from ivr_flows.faults import NoFlow, UnexpectedInput

# What each action waits for, by `ivr_flows.protocol`. What is in none of these ends the flow.
ANSWERS: Mapping[type, type] = {
    flow.Answer: flow.Answered,
    flow.Play: flow.Played,
    flow.Collect: flow.Collected,
    flow.Enqueue: flow.QueueLeft,
    flow.Request: flow.Response,
    flow.Record: flow.Recorded,
    flow.Transfer: flow.TransferEnded,
    flow.Converse: flow.Conversed,
}
# In these a key is told, too.
_HEARS_KEYS = (flow.Play, flow.Enqueue, flow.Request, flow.Record, flow.Transfer)
_OVER = -1


class MemoryFlows:
    def __init__(self) -> None:
        self._scripts: dict[FlowRef, Sequence[flow.Action]] = {}
        self._numbers: dict[str, FlowRef] = {}

    def put(self, name: str, numbers: Sequence[str], script: Sequence[flow.Action]) -> FlowRef:
        """A new version of it, for calls that come from now on."""
        version = sum(ref.name == name for ref in self._scripts) + 1
        ref = FlowRef(name, str(version))
        self._scripts[ref] = script
        self._numbers |= dict.fromkeys(numbers, ref)
        return ref

    def choose(self, to_number: str) -> FlowRef | None:
        return self._numbers.get(to_number)

    def begin(
        self, ref: FlowRef, facts: Mapping[str, object], at: float
    ) -> tuple[dict[str, Any], Sequence[flow.Action]]:
        return {"name": ref.name, "version": ref.version, "place": 0}, [self._script(ref)[0]]

    def step(self, cursor: dict[str, Any], told: flow.Input, at: float) -> tuple[dict[str, Any], Sequence[flow.Action]]:
        script, place = self._script(FlowRef(cursor["name"], cursor["version"])), cursor["place"]
        waits = None if place == _OVER else script[place]
        match told:
            case flow.CallerLeft():
                return {**cursor, "place": _OVER}, []
            case flow.Resume():
                return cursor, [] if waits is None else [waits]
            case flow.Collected() if isinstance(waits, _HEARS_KEYS):
                return cursor, []
        if waits is None or not isinstance(told, ANSWERS.get(type(waits), ())):
            raise UnexpectedInput(f"{type(told).__name__} is not what the flow waits for")
        return {**cursor, "place": place + 1}, [script[place + 1]]

    def _script(self, ref: FlowRef) -> Sequence[flow.Action]:
        script = self._scripts.get(ref)
        if script is None:
            raise NoFlow(f"flow {ref.name!r} is not loaded", flow=ref.name, version=ref.version)
        return script
