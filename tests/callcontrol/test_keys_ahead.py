"""Who knows the way need not wait for the questions: keys that are pressed between them, on the twin."""

from __future__ import annotations

from typing import Any

import pytest

from ivr_flows.protocol import Response
from tests.callcontrol.test_flow_actions import Make, Systems, lab_with, notes
from tests.support.daemon import DaemonLab

__all__ = ["lab_with"]  # the fixture

MENU_HZ = 800
REST = """\
  elige:
    kind: menu
    prompts: {tone: {hz: 800, ms: 4000}}
    options: {'5': numero, '6': {to: tono, name: seis}}
  numero: {kind: collect, into: t, max_digits: 4, prompts: {tone: {hz: 700, ms: 4000}}, next: tono}
"""
HTTP = "  uno: {kind: http, request: {system: s, url: /x}, next: elige, fallback: cola}\n" + REST
MUST_BE_HEARD = "  uno: {kind: play, barge_in: false, prompts: {tone: {hz: 600, ms: 2000}}, next: elige}\n" + REST


def chosen(lab: DaemonLab) -> list[str]:
    return [note["option"] for note in notes(lab, "menu.choice")]


def variables(lab: DaemonLab) -> Any:
    (state,) = [each.flow for each in lab.journal.states.values()]
    assert state is not None
    return state["variables"]


async def test_a_key_while_a_system_thinks_answers_the_next_question(lab_with: Make) -> None:
    systems = Systems()
    async with lab_with(HTTP, systems) as lab:
        caller = await lab.call()
        await lab.go(1)
        await lab.during(caller.send_digits("6"))
        await lab.go(0.5)
        assert chosen(lab) == []
        systems.answer.set_result(Response(200, {}))
        await lab.go(0.2)
        assert chosen(lab) == ["6"]
        assert not await lab.hears(caller, MENU_HZ)


async def test_all_keys_count_and_the_last_question_takes_the_rest_of_them(lab_with: Make) -> None:
    systems = Systems()
    async with lab_with(HTTP, systems) as lab:
        caller = await lab.call()
        await lab.go(1)
        await lab.during(caller.send_digits("511"))
        await lab.go(1)
        systems.answer.set_result(Response(200, {}))
        await lab.go(0.2)
        assert chosen(lab) == ["5"]
        await lab.during(caller.send_digits("00"))
        await lab.go(1)
        assert variables(lab)["t"] == "1100"


async def test_keys_in_what_must_be_heard_are_for_nothing(lab_with: Make) -> None:
    async with lab_with(MUST_BE_HEARD) as lab:
        caller = await lab.call()
        await lab.go(1)
        await lab.during(caller.send_digits("6"))
        await lab.go(1.5)
        assert chosen(lab) == []
        assert await lab.hears(caller, MENU_HZ)


@pytest.mark.parametrize("after_s", [0.0, 0.001, 0.05])
async def test_a_key_right_after_the_answer(lab_with: Make, after_s: float) -> None:
    async with lab_with(REST.replace("elige", "uno", 1)) as lab:
        caller = await lab.call()
        await lab.go(after_s)
        await lab.during(caller.send_digits("6"))
        await lab.go(0.2)
        assert chosen(lab) == ["6"]


async def test_the_key_that_asked_for_a_person_asks_once(lab_with: Make) -> None:
    """It leads to a menu here, in which the same key means something."""
    systems = Systems()
    nodes = HTTP.replace("'6': {to: tono, name: seis}", "'6': tono, '0': fin")
    async with lab_with(nodes.replace("fallback: cola", "fallback: elige"), systems) as lab:
        caller = await lab.call()
        await lab.go(1)
        await lab.during(caller.send_digits("0"))
        await lab.go(0.5)
        assert notes(lab, "person.asked")
        assert chosen(lab) == []
