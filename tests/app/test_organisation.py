"""What `rimay apply` put in force reaches the desk: at the start, and while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.organisation import Organisation
from app.settings import Settings
from callcontrol.desk import Desk
from callcontrol.model import AgentId
from callcontrol.routing.config_store import FILE, apply
from callcontrol.settings import Queue
from foundation.clock import VirtualClock
from foundation.metrics import Metrics

TEXT = """\
skills: {internet: Internet}
capacities: {voz: {limits: {voice: 1}}}
queues: [{name: net, requires: internet, handle_s: 99}]
teams: [{name: cc, capacity: voz, queues: [net], skills: {internet: 2}}]
agents: [{id: ana, name: Ana, team: cc}]
"""


def put(folder: Path, text: str) -> None:
    (folder / "org.yaml").write_text(text)
    apply(folder / "org.yaml", folder)


@pytest.fixture
def desk() -> Desk:
    nobody: list[object] = []
    return Desk(
        [],
        VirtualClock(),
        Metrics(),
        to_call=lambda *_: nobody.append(0),
        to_agent=nobody.append,
        to_supervisors=nobody.append,
    )


async def test_rules_and_skills_reach_the_desk_and_follow_the_file(tmp_path: Path, desk: Desk) -> None:
    put(tmp_path, TEXT)
    settings = Settings(queues=[Queue(name="own")])
    ours = Organisation(tmp_path, settings)
    shown = ours.over(settings)
    assert [q.name for q in shown.queues] == ["own", "net"]
    assert [(a.id, a.queues) for a in shown.agents] == [("ana", ["net"])]
    ours.take_up(desk)
    desk.sign_in(AgentId("ana"), frozenset({"net"}))
    assert desk.router.agents[AgentId("ana")].skills == {"internet": 2}
    ours.look(desk)
    assert desk.router.queues["net"].handle_s == 99
    put(tmp_path, TEXT.replace("{internet: 2}", "{internet: 4}").replace("99", "77.5"))
    ours.look(desk)
    assert desk.router.queues["net"].handle_s == 77.5
    assert desk.router.agents[AgentId("ana")].skills == {"internet": 4}
    (tmp_path / FILE).write_text("queues: [{name: BAD}]\n")
    ours.look(desk)
    assert sorted(desk.router.queues) == ["net", "own"]
    desk.close()
