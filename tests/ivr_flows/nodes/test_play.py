from __future__ import annotations

from ivr_flows.protocol import Collect, Hangup, Play, Played, PromptFile, PromptText, PromptTone
from tests.support.flows import PERSON, Caller, flow_of

PROMPTS = "[{file: es/hola, text: Hola}, Buenas, {tone: {hz: 440, ms: 200}}]"


def test_a_key_may_end_it() -> None:
    caller = Caller(flow_of(f"  uno: {{kind: play, prompts: {PROMPTS}, next: fin}}"))
    assert isinstance(caller.waits, Collect)
    assert (caller.waits.max_digits, caller.waits.barge_in) == (1, True)
    assert caller.waits.prompts == (PromptFile("es/hola", "Hola"), PromptText("Buenas"), PromptTone(440, 200))
    assert caller.say_nothing()[-1] == Hangup("normal")


def test_what_must_be_heard_is_heard_to_its_end() -> None:
    caller = Caller(flow_of("  uno: {kind: play, prompts: Aviso, barge_in: false, next: cola}"))
    assert caller.waits == Play((PromptText("Aviso"),), PERSON)
    caller.tell(Played())
    assert caller.state.node == "cola"


def test_a_prompt_that_cannot_be_played_is_noted_and_the_call_goes_on() -> None:
    caller = Caller(flow_of("  uno: {kind: play, prompts: Aviso, barge_in: false, next: cola}"))
    caller.tell(Played(ok=False, detail="no such file"))
    assert caller.notes("play.failed")[0].data["detail"] == "no such file"
    assert caller.state.node == "cola"


def test_a_key_pressed_ahead_skips_the_prompts_up_to_its_question() -> None:
    nodes = """
  uno: {kind: play, prompts: A, next: dos}
  dos: {kind: goto, to: tres}
  tres: {kind: play, prompts: B, next: cuatro}
  cuatro: {kind: menu, prompts: C, options: {'4': fin}}
"""
    caller = Caller(flow_of(nodes))
    caller.press("4")
    assert caller.path == "uno dos tres cuatro fin"
