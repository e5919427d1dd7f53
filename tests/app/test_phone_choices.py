"""Where agents want to be reached, over restarts."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.phone_choices import PhoneChoices
from callcontrol.directory import ConfiguredAgents
from callcontrol.model import AgentId, PhoneKind
from callcontrol.settings import Agent

ANA = AgentId("ana")
WITH_PHONE = [Agent(id="ana", name="Ana", phone="1001", queues=["agua"])]
WITHOUT = [Agent(id="ana", name="Ana", queues=["agua"])]


def test_a_choice_outlasts_a_restart(tmp_path: Path) -> None:
    choices = PhoneChoices(tmp_path / "phones.json")
    before = ConfiguredAgents(WITH_PHONE, choices.load(), choices.keep)
    assert before.phone_kind(ANA) is PhoneKind.DESK
    before.choose_phone(ANA, PhoneKind.WEB)
    assert ConfiguredAgents(WITH_PHONE, choices.load(), choices.keep).phone_kind(ANA) is PhoneKind.WEB
    before.choose_phone(ANA, PhoneKind.DESK)
    assert ConfiguredAgents(WITH_PHONE, choices.load()).phone_kind(ANA) is PhoneKind.DESK
    assert ConfiguredAgents(WITHOUT, choices.load()).phone_kind(ANA) is PhoneKind.WEB


@pytest.mark.parametrize("text", ["{", "[]", '{"ana": "fax"}'])
def test_a_file_that_makes_no_sense_is_no_choice(tmp_path: Path, text: str) -> None:
    path = tmp_path / "phones.json"
    path.write_text(text)
    assert PhoneChoices(path).load() == {}


def test_what_cannot_be_written_is_no_end(tmp_path: Path) -> None:
    choices = PhoneChoices(tmp_path / "nowhere" / "phones.json")
    agents = ConfiguredAgents(WITH_PHONE, choices.load(), choices.keep)
    agents.choose_phone(ANA, PhoneKind.WEB)
    assert agents.phone_kind(ANA) is PhoneKind.WEB
