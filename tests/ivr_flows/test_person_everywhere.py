"""A person at any time: from every kind that waits, by the key and by words."""

from __future__ import annotations

from typing import Any

import pytest

from ivr_flows.loader import load
from ivr_flows.nodes import KINDS
from ivr_flows.protocol import (
    Answer,
    BotExit,
    Collect,
    Collected,
    CollectEnd,
    Converse,
    Conversed,
    Enqueue,
    Played,
    Record,
    Response,
    Resume,
    Waiting,
)
from tests.support.flow_kinds import EXAMPLES, PART, WAITING, example, kinds
from tests.support.flows import HEAD, Caller, flow_of

TEXT = (
    HEAD.replace("on_error: cola", "on_error: fin")
    + """\
calendars: {siempre: {weekly: {mon-sun: "00:00-24:00"}, holidays: none}}
variables: {t: text, n: number}
"""
)
SECOND = "  bien: {kind: play, prompts: Bien, next: fin}"
# Who waits for a person already is told so (`test_person_in_queue.py`); nobody hears anything before the answer.
ALREADY = {"queue", "answer"}


def calling(kind: str, nodes: str = "") -> Caller:
    text = "\n".join((nodes or example(kind).nodes, SECOND)).replace("FIRST", "Aviso")
    part = load(PART.replace("FIRST", "Aviso")).flow
    assert part is not None
    caller = Caller(flow_of(text, TEXT), part)
    if kind == "announce":
        caller.answer(200, {"cortes": [{"sector": "Monay"}]})
    return caller


def hearing(caller: Caller) -> Any:
    """What the caller waits for: every such action says which words are listened for."""
    assert isinstance(caller.waits, Waiting)
    assert not isinstance(caller.waits, Answer)
    return caller.waits


def asks(caller: Caller, **given: Any) -> None:
    """For a person, and lets what must be heard or kept come to its end."""
    if isinstance(caller.waits, Converse):
        caller.tell(Conversed(BotExit.PERSON))
        return
    caller.tell(Collected(given.get("digits", ""), CollectEnd.COMPLETE, given.get("phrase", "")))
    if isinstance(caller.waits, Record):
        caller.message(8.0)
    elif not isinstance(caller.waits, Enqueue):
        caller.tell(Played())


def test_every_kind_is_here() -> None:
    assert set(EXAMPLES) == set(KINDS)


@pytest.mark.parametrize("kind", kinds())
def test_a_kind_that_waits_says_so(kind: str) -> None:
    caller = calling(kind)
    stays = caller.path.split()[-1] in ("uno", "parte.a") and not caller.state.is_over
    assert (stays and kind != "return") or kind == "answer" or not example(kind).waits


@pytest.mark.parametrize("kind", [kind for kind in WAITING if kind not in ALREADY])
def test_the_key_leads_to_a_person(kind: str) -> None:
    caller = calling(kind)
    assert not isinstance(caller.waits, Answer)
    asks(caller, digits="0")
    assert (caller.state.node, type(caller.waits)) == ("cola", Enqueue)
    assert kind == "bot" or len(caller.notes("person.asked")) == 1


@pytest.mark.parametrize("kind", [kind for kind in WAITING if kind not in ALREADY])
def test_so_do_the_words_from_each_kind(kind: str) -> None:
    caller = calling(kind)
    assert "operadora" in hearing(caller).asides
    asks(caller, phrase="operadora")
    assert (caller.state.node, type(caller.waits)) == ("cola", Enqueue)
    assert kind == "bot" or len(caller.notes("person.asked")) == 1


@pytest.mark.parametrize("kind", [kind for kind in WAITING if kind != "answer"])
def test_words_are_heard_in_the_language_of_the_caller(kind: str) -> None:
    text = "\n".join((example(kind).nodes.replace("  uno:", "  propio:", 1), SECOND)).replace("FIRST", "Aviso")
    part = load(PART.replace("FIRST", "Aviso")).flow
    assert part is not None
    caller = Caller(flow_of(f"  uno: {{kind: language, language: en, next: propio}}\n{text}", TEXT), part)
    if kind == "announce":
        caller.answer(200, {"cortes": [{"sector": "Monay"}]})
    assert hearing(caller).language == "en"


@pytest.mark.parametrize("kind", [kind for kind in WAITING if kind not in ALREADY])
def test_words_of_nobody_lead_nowhere_where_nothing_was_asked(kind: str) -> None:
    caller = calling(kind)
    if isinstance(caller.waits, Collect | Converse):
        return  # there they are an answer
    before = caller.state
    assert caller.say("la sopa") == ()
    assert (caller.state.node, caller.state.waiting) == (before.node, before.waiting)


ANNOUNCED = "  uno: {kind: play, barge_in: false, prompts: Aviso legal, next: fin}"


@pytest.mark.parametrize("given", [{"digits": "0"}, {"phrase": "operadora"}])
def test_what_must_be_heard_is_heard_and_then_comes_the_person(given: dict[str, str]) -> None:
    caller = calling("play", ANNOUNCED)
    said = Collected(given.get("digits", ""), CollectEnd.COMPLETE, given.get("phrase", ""))
    assert [type(action).__name__ for action in caller.tell(said)] == ["Note"]
    assert caller.tell(said) == ()  # asked for once is enough
    assert caller.state.node == "uno"
    caller.tell(Resume())  # also after a restart of the daemon
    caller.tell(Played())
    assert caller.state.node == "cola"


@pytest.mark.parametrize("kind", ["http", "transfer", "voicemail", "play"])
def test_other_keys_change_nothing(kind: str) -> None:
    caller = calling(kind, ANNOUNCED if kind == "play" else "")
    before = caller.state
    assert caller.press("5") == ()
    assert (caller.state.node, caller.state.waiting) == (before.node, before.waiting)


def test_a_message_that_was_left_is_kept_on_the_way_to_the_person() -> None:
    caller = calling("voicemail")
    caller.press("0")
    caller.message(8.0)
    assert caller.notes("voicemail.left")[0].data["seconds"] == 8.0
    assert caller.state.node == "cola"


def test_a_late_answer_after_the_person_is_refused() -> None:
    caller = calling("http")
    asks(caller, digits="0")
    with pytest.raises(Exception, match="not what the flow waits for"):
        caller.tell(Response(200))
