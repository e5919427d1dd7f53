"""What `rimay apply` put in force reaches the desk: at the start, and while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.flow_names import FlowNames
from app.organisation import Organisation
from app.settings import Settings
from callcontrol.desk import Desk
from callcontrol.directory import ConfiguredAgents
from callcontrol.model import AgentId, AgentState
from callcontrol.routing.config_store import FILE, apply
from callcontrol.settings import Queue
from foundation.clock import VirtualClock
from foundation.metrics import Metrics
from ivr_flows.references import AgentName, QueueName

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
    assert list(ours.queues) == ["own", "net"]
    assert [(a.id, a.queues) for a in ours.agents] == [("ana", ["net"])]
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


async def test_new_queues_and_agents_work_without_a_restart_and_who_is_gone_is_signed_out(
    tmp_path: Path, desk: Desk
) -> None:
    put(tmp_path, TEXT)
    ours = Organisation(tmp_path, Settings(queues=[Queue(name="own")]))
    directory = ConfiguredAgents(ours.agents)
    ours.followers.append(lambda: directory.replace(ours.agents))
    names = FlowNames(Settings(queues=[Queue(name="own")]), ours.config, tmp_path)
    ours.followers.append(lambda: names.follow(ours.config))
    ours.take_up(desk)
    desk.sign_in(AgentId("ana"), frozenset({"net"}))
    put(
        tmp_path,
        TEXT.replace("queues: [{name: net", "queues: [{name: agua, title: Agua}, {name: net")
        .replace("queues: [net]", "queues: [net, agua]")
        .replace("{id: ana, name: Ana", "{id: eva, name: Eva"),
    )
    ours.look(desk)
    assert names.known.names[QueueName] == {"own", "agua", "net"}
    assert names.known.names[AgentName] == {"eva"}
    assert ours.title("agua") == "Agua"
    assert directory.queues() == {"eva": frozenset({"net", "agua"})}
    assert desk.router.agents[AgentId("ana")].state is AgentState.SIGNED_OUT
    desk.sign_in(AgentId("eva"), directory.queues()[AgentId("eva")])
    assert desk.router.agents[AgentId("eva")].queues == {"net", "agua"}
    assert "agua" in desk.router.queues
    desk.close()


TOO_LONG = "queues: [{name: una-cola-con-un-nombre-demasiado-largo}]\n"


@pytest.mark.parametrize("text", [TOO_LONG, "queues: [{name: net, wrap_up_s: 7200}]\n", "queues: [", "\x00"])
async def test_a_file_spoilt_by_hand_is_refused_wholly_and_the_last_good_one_serves_on(
    tmp_path: Path, desk: Desk, text: str
) -> None:
    put(tmp_path, TEXT)
    ours = Organisation(tmp_path, Settings(queues=[Queue(name="own")]))
    ours.take_up(desk)
    (tmp_path / FILE).write_text(text)
    ours.look(desk)
    assert ours.refused
    assert (list(ours.queues), sorted(desk.router.queues)) == (["own", "net"], ["net", "own"])
    again = Organisation(tmp_path, Settings(queues=[Queue(name="own")]))  # the next start
    assert again.refused
    assert list(again.queues) == ["own", "net"]
    again.take_up(desk)
    put(tmp_path, TEXT.replace("99", "77"))
    again.look(desk)
    assert again.refused is None
    assert desk.router.queues["net"].handle_s == 77
    desk.close()


async def test_what_cannot_be_built_changes_nothing_even_when_no_check_saw_it(
    tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, TEXT)
    ours = Organisation(tmp_path, Settings())
    ours.take_up(desk)
    put(tmp_path, TEXT.replace("name: net", "name: neto").replace("[net]", "[neto]"))

    def broken(*_: object) -> Settings:
        raise ValueError("nobody thought of this")

    monkeypatch.setattr(Organisation, "_merged", broken)
    ours.look(desk)
    assert ours.refused == "ValueError: nobody thought of this"
    assert (list(ours.queues), list(desk.router.queues)) == (["net"], ["net"])
    assert [queue.name for queue in ours.config.queues] == ["net"]
    desk.close()


def test_what_the_organisation_may_say_the_platform_can_hold(tmp_path: Path) -> None:
    longest = "x" * 32
    text = TEXT.replace("net", longest).replace("id: ana", f"id: {longest}")
    put(
        tmp_path,
        text.replace("handle_s: 99", "handle_s: 99, wrap_up_s: 3600, max_wait_s: 604800, wrap_up_most_s: 3600"),
    )
    ours = Organisation(tmp_path, Settings())
    assert ours.refused is None
    assert (list(ours.queues), ours.agents[0].id) == ([longest], longest)
