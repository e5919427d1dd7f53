"""Every mistake of a file is told, where it is, with what was expected; random files never crash the loader."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_flows.checking import check
from ivr_flows.findings import Finding, Severity
from ivr_flows.loader import load
from ivr_flows.nodes import KINDS
from ivr_flows.references import Known, QueueName
from tests.support.flows import HEAD, flow_of

BROKEN = """\
id: Prueba!
entri: uno
entry: uno
person: {digit: 00, to: asesr}
variables:
  n: integer
  m: {type: entero}
  k: {type: integer, default: abc}
  class: text
nodes:
  uno:
    kind: menu
    promps: hola
    prompts: hola {{ cal }}
    options:
      "1": dso
      "12": uno
      "3": {too: uno, to: uno}
    repeats: muchos
  dos:
    kind: plai
  asesor:
    kind: queue
    name: contact-center
    priority: -1
    then: {talked: fin, timeout: fin, talkd: fin}
  fin: {kind: hangup, cause: norml}
  c:
    kind: condition
    if: nn > 3
    then: fin
    else: fni
  p:
    kind: play
    prompts: [{file: ../x}, {tone: {hz: 1, ms: x}}, "{% for x in y %}{% endfor %}", {}]
    next:
  Q: {}
  r: texto
  s:
    kind: set
    values: {mn: 1}
    nxt: fin
"""


def told(text: str, **more: object) -> list[Finding]:
    return load(text, "f.yaml", **more).findings  # type: ignore[arg-type]


def test_every_mistake_is_listed_with_its_place() -> None:
    findings = told(BROKEN)
    assert {(f.line, f.column, f.code, f.suggestion) for f in findings} == {
        (1, 5, "field.value", ""),
        (2, 1, "field.unknown", "entry"),
        (4, 17, "field.value", ""),
        (4, 25, "node.unknown_target", "asesor"),
        (7, 13, "field.value", "integer"),
        (8, 6, "field.value", ""),
        (9, 10, "field.value", ""),
        (13, 5, "field.unknown", "prompts"),
        (14, 14, "variable.unknown", "call"),
        (16, 12, "node.unknown_target", "dos"),
        (17, 13, "field.value", ""),
        (18, 13, "field.unknown", "to"),
        (19, 14, "field.value", ""),
        (21, 11, "node.kind", "play"),
        (25, 15, "field.value", ""),
        (26, 39, "field.unknown", "talked"),
        (27, 30, "field.value", "normal"),
        (30, 9, "variable.unknown", "n"),
        (32, 11, "node.unknown_target", "fin"),
        (35, 22, "field.value", ""),
        (35, 41, "field.value", ""),
        (35, 48, "field.value", ""),
        (35, 53, "field.value", ""),
        (35, 85, "field.value", ""),
        (36, 5, "field.value", ""),
        (37, 3, "node.id", ""),
        (37, 3, "node.no_kind", ""),
        (38, 3, "node.not_a_mapping", ""),
        (39, 3, "field.missing", ""),
        (41, 18, "variable.unknown", "n"),
        (42, 5, "field.unknown", "next"),
    }
    assert all(f.severity is Severity.ERROR for f in findings)


def test_a_finding_reads_as_one_line() -> None:
    (finding,) = [f for f in told(BROKEN) if f.line == 21]
    assert str(finding) == (
        f"f.yaml:21:11: error: unknown kind 'plai'; expected one of {', '.join(KINDS)};"
        " did you mean 'play'? [node.kind]"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "flow.not_a_mapping"),
        ("[]", "flow.not_a_mapping"),
        ("hola", "flow.not_a_mapping"),
        ("id: a\nentry: b\n", "flow.no_nodes"),
        ("id: a\nentry: b\nnodes: []\n", "flow.no_nodes"),
        ("id: a\nentry: b\nnodes: {}\n", "flow.no_nodes"),
        ("id: a\nentry: b\nnodes: {b: {kind: [x]}}\n", "node.kind"),
        ("id: a\nentry: b\nvariables: []\nnodes: {b: {kind: hangup}}\n", "field.value"),
    ],
)
def test_files_that_are_no_flow(text: str, code: str) -> None:
    loaded = load(text)
    assert loaded.flow is None
    assert code in {f.code for f in loaded.findings}


def test_a_duplicate_node_refuses_the_flow() -> None:
    loaded = load(f"{HEAD}nodes:\n  uno: {{kind: hangup}}\n  cola: {{kind: hangup}}\n  uno: {{kind: goto, to: cola}}\n")
    assert loaded.flow is None
    assert [(f.code, f.line) for f in loaded.findings] == [("yaml.duplicate_key", 8)]


def test_too_many_nodes_are_refused() -> None:
    nodes = "".join(f"  n{i}: {{kind: hangup}}\n" for i in range(501))
    assert "flow.too_large" in {f.code for f in told(f"id: a\nentry: n1\nnodes:\n{nodes}")}


def test_the_version_is_the_content() -> None:
    one, same, other = (
        flow_of("  uno: {kind: hangup}"),
        flow_of("  uno: {kind: hangup}"),
        flow_of("  uno: {kind: hangup} "),
    )
    assert one.version == same.version
    assert len(one.version) == 12
    assert flow_of("  uno: {kind: hangup, cause: busy}").version != other.version


def warnings(nodes: str, head: str = HEAD, **more: object) -> set[tuple[str, str]]:
    end = "  cola: {kind: queue, name: colas, then: {talked: fin, timeout: fin}}\n  fin: {kind: hangup}\n"
    text = f"{head}nodes:\n{nodes}{end}"
    loaded = load(text, **more)  # type: ignore[arg-type]
    assert loaded.flow is not None, loaded.findings
    assert all(f.severity is Severity.WARNING for f in loaded.findings)
    return {(f.code, text.splitlines()[f.line - 1].split(":")[0].strip()) for f in loaded.findings}


def test_a_good_flow_has_no_warnings() -> None:
    assert warnings("  uno: {kind: goto, to: cola}\n") == set()


def test_unreachable_nodes_and_dead_ends() -> None:
    assert warnings(
        "  uno: {kind: menu, prompts: x, options: {'1': fin, '2': a}}\n"
        "  a: {kind: play, prompts: x, next: b}\n"
        "  b: {kind: goto, to: a}\n"
        "  z: {kind: goto, to: fin}\n"
    ) == {("node.unreachable", "z"), ("node.dead_end", "a"), ("node.dead_end", "b")}


def test_long_menus_and_hidden_persons() -> None:
    options = "{'1': fin, '2': fin, '3': fin, '4': fin, '5': fin, '0': fin}"
    assert warnings(f"  uno: {{kind: menu, prompts: x, options: {options}}}\n") == {
        ("menu.long", "uno"),
        ("menu.hides_person", "uno"),
    }


def test_variables_that_are_never_set_or_used() -> None:
    head = HEAD + "variables:\n  a: text\n  b: {type: text, default: x}\n  c: text\n  d: text\n"
    nodes = (
        "  uno: {kind: play, prompts: '{{ a }} {{ b }} {{ c }}', next: dos}\n"
        "  dos: {kind: set, values: {c: x}, next: fin}\n"
    )
    assert warnings(nodes, head) == {("variable.never_set", "uno"), ("variable.unused", "d")}


def test_a_flow_without_a_person_or_a_way_out_of_faults() -> None:
    head = "id: a\nentry: uno\n"
    assert warnings("  uno: {kind: goto, to: cola}\n", head) == {("flow.no_person", "id"), ("flow.no_on_error", "id")}


def test_queues_that_do_not_exist() -> None:
    nodes = "  uno: {kind: goto, to: cola}\n"
    assert warnings(nodes, known=Known({QueueName: {"colas"}})) == set()
    assert warnings(nodes, known=Known({QueueName: {"cola", "x"}})) == {("queue.unknown", "cola")}


def test_one_key_answers_that_may_be_the_key_for_a_person() -> None:
    head = HEAD + "variables: {a: digits}\n"
    ask = "  uno: {kind: collect, prompts: x, into: a, max_digits: 1, next: fin%s}\n"
    assert ("collect.person", "uno") in warnings(ask % "", head)
    assert ("collect.person", "uno") not in warnings(ask % ", person: false", head)


def test_check_reads_files_and_folders(tmp_path: Path) -> None:
    good = f"{HEAD}nodes:\n  uno: {{kind: goto, to: cola}}\n"
    good += "  cola: {kind: queue, name: q, then: {talked: fin, timeout: fin}}\n  fin: {kind: hangup}\n"
    (tmp_path / "a.yaml").write_text(good, encoding="utf-8")
    (tmp_path / "b.yml").write_text(good, encoding="utf-8")
    (tmp_path / "c.yaml").write_bytes(b"\xff")
    (tmp_path / "notes.txt").write_text("not a flow", encoding="utf-8")
    found = check([tmp_path, tmp_path / "none.yaml"])
    assert [(Path(f.file).name, f.code) for f in found] == [
        ("b.yml", "flow.duplicate_id"),
        ("c.yaml", "yaml.encoding"),
        ("none.yaml", "file.unreadable"),
    ]


# --- whatever is written --------------------

WORDS = st.sampled_from(
    ["uno", "cola", "fin", "kind", "menu", "queue", "play", "set", "condition", "goto", "hangup", "collect", "prompts",
     "options", "to", "then", "talked", "timeout", "next", "values", "text", "expr", "if", "else", "1", "0", "id",
     "entry", "nodes", "person", "digit", "variables", "type", "integer", "{{ x }}", "{{ call.from }}", "n > 1", ""]
)  # fmt: skip
LEAVES = st.one_of(WORDS, st.text(max_size=10), st.integers(), st.floats(), st.booleans(), st.none())
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6), max_leaves=30
)
FIELDS = sorted({name for kind in KINDS.values() for name in kind.model.model_fields} | {"if", "else"})
NODES = st.fixed_dictionaries(
    {"kind": st.sampled_from(sorted(KINDS))}, optional={name: TREES for name in FIELDS if name != "kind"}
)
FLOWS = st.fixed_dictionaries(
    {"id": st.just("a"), "entry": WORDS, "nodes": st.dictionaries(WORDS, NODES | TREES, max_size=5)},
    optional={"person": TREES, "variables": TREES, "limits": TREES, "apology": TREES, "on_error": TREES},
)


@given(st.one_of(TREES, FLOWS))
def test_no_data_crashes_the_loader(data: object) -> None:
    loaded = load(json.dumps(data), "f.yaml")
    assert (loaded.flow is None) == any(f.severity is Severity.ERROR for f in loaded.findings)


@given(st.data())
def test_no_damaged_flow_crashes_the_loader(data: st.DataObject) -> None:
    text = BROKEN
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 40))
        text = text[:at] + data.draw(st.text(max_size=5)) + text[at + cut :]
    loaded = load(text, "f.yaml")
    assert loaded.flow is not None or loaded.findings
    lines = text.count("\n") + 60  # a stray control character can end a line, too
    assert all(1 <= f.line <= lines and f.column >= 1 for f in loaded.findings)
