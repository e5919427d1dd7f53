"""What the check sees beside single mistakes: names that nobody has, values that never fit, secrets, doubts about
nodes; and that its sentences are for people."""

from __future__ import annotations

import json

import pytest
import yaml

from ivr_flows import expressions
from ivr_flows.findings import Severity
from ivr_flows.loader import load
from ivr_flows.references import (
    AgentName,
    BotName,
    CriticalityName,
    Known,
    PhoneName,
    QueueName,
    SecretName,
    SkillName,
    SystemName,
)
from ivr_flows.schema import json_schema
from ivr_flows.terms import PATTERNS, Word
from tests.support.flows import HEAD

REST = "  cola: {kind: queue, name: q, then: {talked: fin, timeout: fin}}\n  fin: {kind: hangup}\n"


def codes(nodes: str, head: str = HEAD) -> set[str]:
    return {f.code for f in load(f"{head}nodes:\n{nodes}{REST}").findings}


def found_by(nodes: str, head: str = HEAD, known: Known | None = None) -> set[tuple[str, str]]:
    """The code of each warning, and the first word of its line."""
    text = f"{head}nodes:\n{nodes}{REST}"
    loaded = load(text, known=known or Known())
    assert loaded.flow is not None, loaded.findings
    return {(f.code, text.splitlines()[f.line - 1].split(":")[0].strip()) for f in loaded.findings}


def test_expected_speaks_no_regular_expressions() -> None:
    """Of no field of any kind: each pattern has its meaning in words."""
    patterns = set()

    def gather(value: object) -> None:
        if isinstance(value, dict):
            if isinstance(pattern := value.get("pattern"), str):
                patterns.add(pattern)
            for each in value.values():
                gather(each)
        elif isinstance(value, list):
            for each in value:
                gather(each)

    gather(json.loads(json.dumps(json_schema())))
    assert len(patterns) > 8
    assert patterns - PATTERNS.keys() <= {Word.pattern}


@pytest.mark.parametrize(
    ("written", "line", "column", "says"),
    [
        ("id: a\n\tentry: b\n", 2, 1, "a tab character"),
        ("id: a\nnodes:\n  b: {kind: hangup}\n c: {kind: hangup}\n", 4, 2, "apart from its block"),
        ("id: a\nname: hola: mundo\n", 2, 11, "a colon"),
        ("id: a\nname: 'hola\nentry: b\n", 2, 7, "quotes that are not closed"),
        ("id: a\nnodes:\n  b: {kind: hangup\n  c: {kind: hangup}\n", 3, 6, "a bracket that is not closed"),
        ("id: a\nname: @x\n", 2, 7, "cannot begin a value"),
    ],
)
@pytest.mark.parametrize("in_python", [False, True])
def test_what_is_no_yaml_is_told_in_plain_words(
    monkeypatch: pytest.MonkeyPatch, written: str, line: int, column: int, says: str, in_python: bool
) -> None:
    if in_python:
        monkeypatch.setattr("ivr_flows.source._LOADER", yaml.SafeLoader)
    (found,) = load(written).findings
    assert says in found.message
    assert found.expected
    assert in_python or (found.line, found.column) == (line, column)


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("a = 'x'", "=="),
        ("a == 'x' && b == 'y'", "and, or"),
        ("a == 'x' y b == 'z'", "and, or"),
        ("a <> 'x'", "!="),
        ("!a", "not"),
        ("a is b", "=="),
        ("a == 'x", "quotes"),
    ],
)
def test_conditions_in_another_language_are_told_how_they_are_written_here(condition: str, says: str) -> None:
    assert says in expressions.problem_of(condition)


def test_what_stands_in_quotes_is_no_condition() -> None:
    assert not expressions.problem_of("a == 'x = y && !z' and not b")


def test_nodes_as_a_list_and_a_name_in_capitals_are_one_mistake_each() -> None:
    assert [f.message for f in load("id: a\nentry: uno\nnodes:\n- uno\n").findings] == ["nodes is a list"]
    loaded = load(f"{HEAD}nodes:\n  uno: {{kind: goto, to: Cola}}\n{REST}")
    assert [f.suggestion for f in loaded.findings if f.severity is Severity.ERROR] == ["cola"]


_ASK = "kind: http, next: fin, fallback: fin, request: {method: POST, url: 'https://a/', "
_GET = "kind: http, next: fin, fallback: fin, request: "
_SET = "kind: set, next: fin, values: "


@pytest.mark.parametrize(
    "node",
    [
        _ASK + "headers: {X-Auth: 9f8a}}",
        _ASK + "headers: {Cookie: session=1}}",
        _ASK + "headers: {Ocp-Apim-Subscription-Key: 0123}}",
        _ASK + "headers: {X-Who: Bearer abcdef12}}",
        _ASK + "body: {pass: hunter2}}",
        _ASK + "body: {userPin: '1234'}}",
        _GET + "{url: 'https://a/?subscription-key=12345&x=1'}",
        _GET + "{url: 'https://a/?access_token=zzz'}",
        _SET + "{v: Basic dXNlcjpwYXNz}",
        _SET + "{v: sk-live-abcdef}",
        _SET + "{v: 0123456789abcdef0123456789abcdef}",
    ],
)
def test_secrets_in_plain_text_are_seen(node: str) -> None:
    assert codes(f"  uno: {{{node}}}\n", HEAD + "variables: {v: text}\n") - {"variable.unused"} == {"secret.plain"}


def test_secrets_in_variables_are_seen_and_what_is_none_is_not() -> None:
    go = "  uno: {kind: play, prompts: '{{ token }}{{ monkey }}', next: fin}\n"
    for default, seen in (("abc", True), ("''", False)):
        head = f"{HEAD}variables: {{token: {{type: text, default: {default}}}, monkey: {{type: text, default: key}}}}\n"
        assert ("secret.plain" in codes(go, head)) is seen
    asks = "{url: 'https://a/?key={{ clave }}&contrato=204510', headers: {X-Key: '{{ clave }}', Accept: text}}"
    assert "secret.plain" not in codes(f"  uno: {{{_GET}{asks}}}\n", HEAD + "variables: {clave: text}\n")


def test_doubts_about_single_nodes() -> None:
    head = HEAD + "calendars: {nunca: {weekly: {mon: []}}}\n"
    more = "'6': {to: fin, when: call.from}, '7': {to: fin, when: call.from}, '8': {to: fin, when: call.from}"
    nodes = (
        f"  uno: {{kind: menu, prompts: x, options: {{'1': dos, '2': tres, '3': fin, '4': fin, {more}}}}}\n"
        "  dos: {kind: menu, prompts: x, options: {'1': {to: fin, phrases: [sí]}, '2': {to: fin, phrases: [SÍ]}}}\n"
        "  tres: {kind: switch, value: call.to, cases: {si: fin, SI: cola}, else: cuatro}\n"
        "  cuatro: {kind: survey, name: s, next: cinco, questions: [{id: a, prompts: x}, {id: a, prompts: x}]}\n"
        "  cinco: {kind: record, prompts: x, refuse: '0', next: fin}\n"
    )
    assert codes(nodes, head) == {
        "menu.long",
        "menu.phrase_twice",
        "switch.twice",
        "survey.twice",
        "record.hides_person",
        "calendar.closed",
    }
    assert "field.value" in codes("  uno: {kind: record, prompts: x, accept: '2', next: fin}\n")


@pytest.mark.parametrize("cola", ["{kind: hangup}", "{kind: menu, prompts: x, options: {'1': uno}}"])
def test_a_way_to_a_person_that_leads_to_nobody(cola: str) -> None:
    nodes = f"  uno: {{kind: goto, to: cola}}\n  cola: {cola}\n"
    assert "person.nobody" in {f.code for f in load(f"{HEAD}nodes:\n{nodes}").findings}
    assert codes("  uno: {kind: goto, to: cola}\n") == set()


def test_names_that_nobody_has_are_found_wherever_they_stand() -> None:
    known = Known(
        {
            QueueName: {"q", "colas"},
            SkillName: {"kichwa"},
            CriticalityName: {"outage"},
            AgentName: {"ana"},
            PhoneName: {"guardia"},
            BotName: {"averias"},
            SystemName: {"etapa"},
            SecretName: {"clave"},
        }
    )
    named = (
        "  uno: {{kind: bot, name: {0[0]}, next: dos, unavailable: fin}}\n"
        "  dos: {{kind: transfer, to: {{phone: {0[1]}}}, then: {{failed: tres}}}}\n"
        "  tres: {{kind: transfer, to: {{agent: {0[2]}}}, then: {{failed: seis}}}}\n"
        "  seis: {{kind: http, request: {{system: {0[3]}, url: /x, secrets: {{X-Key: {0[4]}}}}}, "
        "next: fin, fallback: fin}}\n"
        "  siete: {{kind: callback, queue: {0[5]}, next: fin, declined: fin}}\n"
        "  ocho: {{kind: queue, name: colas, skills: {{{0[6]}: 2}}, criticality: {0[7]}, prefer: [{0[2]}], "
        "then: {{talked: siete, timeout: fin}}}}\n"
    )
    right = ("averias", "guardia", "ana", "etapa", "clave", "colas", "kichwa", "outage")
    found = {code for code, _ in found_by(named.format(right), known=known)}
    assert found == {"node.unreachable"}, found
    wrong = [f"{word[:-1]}x" for word in right]
    found = {code for code, _ in found_by(named.format(wrong), known=known)} - {"node.unreachable"}
    kinds = ("bot", "phone", "agent", "system", "secret", "queue", "skill", "criticality")
    assert found == {f"{kind}.unknown" for kind in kinds}
    assert {code for code, _ in found_by(named.format(wrong))} == {"node.unreachable"}  # nobody told what there is


def test_facts_and_items_that_are_not_there() -> None:
    nodes = (
        "  uno: {kind: play, prompts: 'call.uno {{ call.from }} {{ call.frmo }}', next: dos}\n"
        "  dos: {kind: condition, if: call.trnk == 'a', then: tres, else: cola}\n"
        "  tres: {kind: play, prompts: '{{ item.sector }}', next: cola}\n"
    )
    assert found_by(nodes) == {("fact.unknown", "uno"), ("fact.unknown", "dos"), ("item.none", "tres")}


@pytest.mark.parametrize(
    ("variable", "node"),
    [
        ("n: integer", "uno: {kind: set, values: {n: hola}, next: fin}"),
        ("b: boolean", "uno: {kind: set, values: {b: quizás}, next: fin}"),
        ("d: digits", "uno: {kind: set, values: {d: 12a}, next: fin}"),
        ("n: integer", "uno: {kind: collect, as: date, prompts: x, into: n, next: fin}"),
        ("n: integer", "uno: {kind: collect, as: amount, prompts: x, into: n, next: fin}"),
    ],
)
def test_values_that_never_fit_their_variable(variable: str, node: str) -> None:
    loaded = load(
        f"{HEAD}variables: {{{variable}}}\nnodes:\n  {node}\n  fin: {{kind: hangup}}\n  cola: {{kind: hangup}}\n"
    )
    errors = [f for f in loaded.findings if f.severity is Severity.ERROR]
    assert [(f.code, f.line) for f in errors] == [("value.misfit", HEAD.count("\n") + 3)]
    assert loaded.flow is None


def test_a_calendar_that_is_not_there_is_a_mistake() -> None:
    text = f"{HEAD}calendars: {{oficina: {{weekly: {{mon-fri: '08:00-13:00'}}}}}}\nnodes:\n"
    text += "  uno: {kind: schedule, calendar: oficinas, open: fin, closed: fin}\n  fin: {kind: hangup}\n"
    (found,) = [f for f in load(text + "  cola: {kind: hangup}\n").findings if f.severity is Severity.ERROR]
    assert (found.code, found.suggestion) == ("calendar.unknown", "oficina")
