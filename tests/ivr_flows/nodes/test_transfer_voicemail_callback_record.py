from __future__ import annotations

import msgspec
import pytest

from ivr_flows.loader import load
from ivr_flows.protocol import (
    AllowRecording,
    CallBack,
    Collect,
    Hangup,
    Play,
    Record,
    Recorded,
    Transfer,
    TransferExit,
    TransferKind,
)
from tests.support.flows import END, HEAD, PERSON, Caller, flow_of

ENDS = "".join(f"  {name}: {{kind: play, prompts: {name.upper()}, next: fin}}\n" for name in "abc")


@pytest.mark.parametrize(
    ("to", "kind", "target"),
    [
        ("{number: '07 283-1900'}", TransferKind.NUMBER, "072831900"),
        ("{number: '{{ call.trunk }}136'}", TransferKind.NUMBER, "136"),
        ("{phone: '1001'}", TransferKind.PHONE, "1001"),
        ("{agent: ana}", TransferKind.AGENT, "ana"),
    ],
)
def test_whom_it_calls(to: str, kind: TransferKind, target: str) -> None:
    caller = Caller(flow_of(f"  uno: {{kind: transfer, to: {to}, timeout_s: 20, then: {{failed: a}}}}\n{ENDS}"))
    assert caller.waits == Transfer(kind, target, 20.0, "default", PERSON)
    assert msgspec.to_builtins(caller.waits)["target"] == target  # a plain text: it is kept with the call


@pytest.mark.parametrize(("how", "said"), [("no_answer", "A"), ("busy", "B"), ("failed", "C"), ("refused", "C")])
def test_each_end_leads_on(how: str, said: str) -> None:
    then = "{no_answer: a, busy: b, failed: c}"
    caller = Caller(flow_of(f"  uno: {{kind: transfer, to: {{phone: x}}, then: {then}}}\n{ENDS}"))
    caller.transferred(TransferExit(how))
    assert caller.said() == said


def test_after_the_talk_it_hangs_up_or_goes_on() -> None:
    node = "  uno: {kind: transfer, to: {phone: x}, then: {failed: c%s}}\n" + ENDS
    caller = Caller(flow_of(node % ""))
    assert caller.transferred(TransferExit.TALKED)[-1] == Hangup("normal")
    caller = Caller(flow_of(node % ", talked: a"))
    caller.transferred(TransferExit.TALKED)
    assert caller.said() == "A"


def test_a_number_without_digits_is_never_dialled() -> None:
    caller = Caller(
        flow_of(f"  uno: {{kind: transfer, to: {{number: '{{{{ call.nadie }}}}'}}, then: {{failed: c}}}}\n{ENDS}")
    )
    assert caller.said() == "C"


def test_another_flow_takes_over_for_good() -> None:
    other = flow_of("  uno: {kind: return}", HEAD.replace("prueba", "otra"))
    caller = Caller(flow_of("  uno: {kind: transfer, to: {flow: otra}}"), other)
    assert caller.last[-1] == Hangup("normal")
    assert caller.state.flow == "otra"


@pytest.mark.parametrize("to", ["{}", "{number: '1', phone: x}", "{phone: x}"])
def test_what_is_not_whole_is_refused(to: str) -> None:
    assert load(f"{HEAD}nodes:\n  uno: {{kind: transfer, to: {to}}}\n{END}").flow is None


MAIL = f"  uno: {{kind: voicemail, mailbox: noche, prompts: Deje su mensaje., max_s: 60, next: a, none: b}}\n{ENDS}"


def test_a_message_is_noted_with_its_recording() -> None:
    caller = Caller(flow_of(MAIL))
    assert isinstance(caller.waits, Record)
    assert caller.waits.max_s == 60
    assert caller.said() == "Deje su mensaje."
    caller.tell(Recorded("rec1", 12.5))
    assert caller.said() == "A"
    assert caller.notes("voicemail.left")[0].data["recording"] == "rec1"


@pytest.mark.parametrize("heard", [Recorded("", 0.0), Recorded("rec1", 0.5)])
def test_no_message(heard: Recorded) -> None:
    caller = Caller(flow_of(MAIL))
    caller.tell(heard)
    assert caller.said() == "B"


CALL = f"  uno: {{kind: callback, queue: contact-center, reason: agua, next: a, declined: b}}\n{ENDS}"


def callbacks(caller: Caller) -> list[CallBack]:
    return [action for action in caller.all if isinstance(action, CallBack)]


def test_at_the_number_of_the_call() -> None:
    caller = Caller(flow_of(CALL), **{"from": "+593999123456"})
    assert "cero nueve nueve, nueve uno dos, tres cuatro cinco seis" in caller.said()
    caller.press("1")
    assert callbacks(caller) == [CallBack("0999123456", "contact-center", "agua", None)]
    assert caller.notes("callback.asked")[0].private


def test_at_another_number() -> None:
    caller = Caller(flow_of(CALL))
    caller.press("2")
    caller.press("123")
    assert caller.said().startswith("Ese número de teléfono no es correcto.")
    caller.press("2831900")
    caller.press("1")
    assert callbacks(caller)[0].number == "072831900"


@pytest.mark.parametrize("keys", [["3"], ["", ""], ["9", "9"], ["2", "", ""], ["2", "1", "1"]])
def test_not_at_all(keys: list[str]) -> None:
    caller = Caller(flow_of(CALL))
    for key in keys:
        caller.press(key)
    assert caller.said() == "B"
    assert not callbacks(caller)


def test_a_foreign_or_hidden_number_is_asked_for() -> None:
    for number in ("anonymous", "+12025550123", "136"):
        caller = Caller(flow_of(CALL), **{"from": number})
        assert caller.said().startswith("Digite el número")


CONSENT = "  uno: {kind: record, ask: %s, prompts: Grabamos., next: a}\n" + ENDS


@pytest.mark.parametrize(
    ("ask", "key", "allowed"),
    [("refuse", "", True), ("refuse", "2", False), ("refuse", "1", True), ("accept", "", False), ("accept", "1", True)],
)
def test_consent_to_recording(ask: str, key: str, allowed: bool) -> None:
    caller = Caller(flow_of(CONSENT % ask))
    caller.press(key)
    assert [a for a in caller.all if isinstance(a, AllowRecording)] == [AllowRecording(allowed)]
    assert caller.said() == "A"


def test_a_wrong_key_asks_for_consent_again() -> None:
    caller = Caller(flow_of(CONSENT % "refuse"))
    caller.press("7")
    assert isinstance(caller.waits, Collect)
    caller.press("2")
    assert isinstance(caller.waits, Collect | Play)
    assert caller.notes("recording.consent")[0].data["allowed"] is False
