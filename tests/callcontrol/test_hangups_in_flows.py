"""The caller hangs up at each node: the call is closed, and its record says where that was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from callcontrol.events import FlowNoted
from callcontrol.model import ExitReason, Phase
from ivr_flows.settings import FlowSettings
from tests.callcontrol.test_flow_actions import Systems, notes
from tests.support.daemon import DaemonLab
from tests.support.flow_kinds import PART, example, kinds
from tests.support.flows import HEAD

TONE = "{tone: {hz: 450, ms: 6000}}"
FLOW = (
    HEAD
    + """\
calendars: {siempre: {weekly: {mon-sun: "00:00-24:00"}, holidays: none}}
variables: {n: number, t: text}
nodes:
  cola: {kind: queue, name: contact-center, then: {talked: fin, timeout: fin}}
  bien: {kind: play, barge_in: false, prompts: SECOND, next: fin}
  fin: {kind: hangup}
"""
)
# They wait in the node that they lead to, or in the flow that they enter; in `hangup` it is we who hang up.
ELSEWHERE = {"subflow": "parte.a", "return": "parte.a"}
# On the twin nobody has a bot, and a phone that nobody has is refused at once: both are hung up in on a real call.
INSTEAD = {
    "transfer": "  uno: {kind: transfer, to: {number: '0999999999'}, then: {failed: fin, talked: fin}}",
    "bot": "  uno: {kind: bot, name: averias, next: fin, unavailable: bien}",
}
WITHOUT_BARGE_IN = "play without barge-in"


def lab_of(tmp_path: Path, nodes: str, systems: Any = None) -> DaemonLab:
    folder = tmp_path / "flows"
    folder.mkdir()
    for name, text in (("prueba", FLOW + nodes), ("parte", PART)):
        plain = text.replace("FIRST", TONE).replace("SECOND", TONE)
        (folder / f"{name}.yaml").write_text(plain, encoding="utf-8")
    flows = FlowSettings(folders=[str(folder)], shipped=False, default="prueba")
    return DaemonLab(tmp_path, flows=flows, systems=systems)


def where(lab: Any) -> str:
    """The node that was entered last, by the record's own facts."""
    facts = [event.fact for event in lab.journal.events[lab.record().id]]
    return [fact.data["node"] for fact in facts if isinstance(fact, FlowNoted) and fact.kind == "node"][-1]


def nodes_of(kind: str) -> str:
    if kind == WITHOUT_BARGE_IN:
        return f"  uno: {{kind: play, barge_in: false, prompts: {TONE}, next: bien}}"
    return INSTEAD.get(kind, example(kind).nodes)


@pytest.mark.parametrize("kind", [*(kind for kind in kinds() if kind != "hangup"), WITHOUT_BARGE_IN])
async def test_the_record_says_where(tmp_path: Path, kind: str) -> None:
    waits = kind == WITHOUT_BARGE_IN or (example(kind).waits and kind not in ("answer", "bot"))
    place = ELSEWHERE.get(kind, "uno" if waits else "bien")
    async with lab_of(tmp_path, nodes_of(kind), Systems()) as lab:
        caller = await lab.call()
        await lab.go(1)
        assert not lab.record().closed_at
        await caller.hangup()
        await lab.go(60)
        record = lab.record()
        assert record.phase is Phase.CLOSED
        assert not lab.daemon.sessions
        assert where(lab) == place.rpartition(".")[2]
        if kind == "queue":
            assert (record.exit_reason, record.queue) == (ExitReason.ABANDONED_IN_QUEUE, "contact-center")
        else:
            (ended,) = notes(lab, "flow.ended")
            assert (ended["end"], ended["node"]) == ("caller_left", place.rpartition(".")[2])
            assert (ended["path"][0], ended["path"][-1]) == ("uno", place)


async def test_where_we_hang_up_the_record_says_that(tmp_path: Path) -> None:
    async with lab_of(tmp_path, example("hangup").nodes) as lab:
        await lab.call()
        await lab.go(60)
        (ended,) = notes(lab, "flow.ended")
        assert (ended["end"], ended["node"]) == ("hangup", "uno")
        assert lab.record().phase is Phase.CLOSED


async def test_while_it_rings(tmp_path: Path) -> None:
    """Before the flow has answered: there is a node, and the record says that nobody was ever answered."""
    async with lab_of(tmp_path, "  uno: {kind: answer, next: bien}") as lab:
        caller = await lab.call()
        await caller.hangup()
        await lab.go(60)
        assert lab.record().phase is Phase.CLOSED
        assert where(lab) in ("uno", "bien")
