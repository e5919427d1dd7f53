"""The caller hangs up at each node: the call is closed, and its record says where that was."""

from __future__ import annotations

from typing import Any

import pytest

from callcontrol.events import FlowNoted
from callcontrol.model import ExitReason, Phase
from tests.callcontrol.test_flow_actions import Make, Systems, lab_with, notes

__all__ = ["lab_with"]  # the fixture

TONE = "{tone: {hz: 450, ms: 6000}}"
ASK = "request: {system: s, url: /x}"
# Each kind that waits for something. The others (set, condition, switch, schedule, goto, tag, language, return,
# subflow, hangup) wait for nothing: nobody can hang up in them. `bot` has its own test, on a real call.
WAITING = {
    "play": f"  uno: {{kind: play, prompts: {TONE}, next: tono}}",
    "play without barge-in": f"  uno: {{kind: play, barge_in: false, prompts: {TONE}, next: tono}}",
    "menu": f"  uno: {{kind: menu, prompts: {TONE}, options: {{'1': tono}}}}",
    "collect": f"  uno: {{kind: collect, as: contract, into: t, prompts: {TONE}, next: tono}}",
    "identify": (
        f"  uno: {{kind: identify, by: contract, prompts: {TONE}, next: fin, unknown: fin, fallback: fin, {ASK}}}"
    ),
    "http": f"  uno: {{kind: http, {ASK}, take: {{n: n}}, next: tono, fallback: cola}}",
    "announce": f"  uno: {{kind: announce, {ASK}, list: x, each: {TONE}, next: tono, fallback: fin}}",
    "record": f"  uno: {{kind: record, prompts: {TONE}, next: tono}}",
    "voicemail": f"  uno: {{kind: voicemail, mailbox: m, prompts: {TONE}, max_s: 30, next: tono}}",
    "survey": f"  uno: {{kind: survey, name: s, questions: [{{id: calidad, prompts: {TONE}}}], next: tono}}",
    "callback": f"  uno: {{kind: callback, queue: contact-center, prompts: {TONE}, next: tono, declined: fin}}",
    "transfer": "  uno: {kind: transfer, to: {number: '0999999999'}, then: {failed: fin, talked: fin}}",
    "queue": "  uno: {kind: queue, name: contact-center, then: {talked: fin, timeout: fin}}",
}


def where(lab: Any) -> str:
    """The node that was entered last, by the record's own facts."""
    facts = [event.fact for event in lab.journal.events[lab.record().id]]
    return [fact.data["node"] for fact in facts if isinstance(fact, FlowNoted) and fact.kind == "node"][-1]


@pytest.mark.parametrize("kind", WAITING)
async def test_the_record_says_where(lab_with: Make, kind: str) -> None:
    async with lab_with(WAITING[kind], Systems()) as lab:
        caller = await lab.call()
        await lab.go(1)
        assert not lab.record().closed_at
        await caller.hangup()
        await lab.go(60)
        record = lab.record()
        assert record.phase is Phase.CLOSED
        assert not lab.daemon.sessions
        assert where(lab) == "uno"
        if kind == "queue":
            assert (record.exit_reason, record.queue) == (ExitReason.ABANDONED_IN_QUEUE, "contact-center")
        else:
            (ended,) = notes(lab, "flow.ended")
            assert (ended["end"], ended["node"], ended["path"]) == ("caller_left", "uno", ["uno"])


async def test_while_it_rings(lab_with: Make) -> None:
    """Before the flow has answered: there is a node, and the record says that nobody was ever answered."""
    async with lab_with(
        f"  uno: {{kind: answer, next: dos}}\n  dos: {{kind: play, prompts: {TONE}, next: fin}}"
    ) as lab:
        caller = await lab.call()
        await caller.hangup()
        await lab.go(60)
        assert lab.record().phase is Phase.CLOSED
        assert where(lab) in ("uno", "dos")
