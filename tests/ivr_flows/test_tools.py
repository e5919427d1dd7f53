"""What admins use: checks across files, flow tests, the terminal, drawings, the schema, the list of prompts."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import ivr_flows
from app.cli import main
from ivr_flows.checking import check, load_all
from ivr_flows.conversation import Conversation
from ivr_flows.drawing_svg import draw_svg
from ivr_flows.flow import Flow
from ivr_flows.flow_tests import plain, run_tests
from ivr_flows.prompt_list import wanted
from ivr_flows.rehearsal import Rehearsal
from ivr_flows.schema import json_schema
from ivr_flows.trying import TryRoom
from tests.support.flows import END, HEAD, flow_of

SHIPPED = Path(ivr_flows.__file__).parent / "flows"
MENU = "  uno: {kind: menu, prompts: {file: elija, text: Elija.}, options: {'1': fin, '2': cola}, repeats: 1}"
FLOW = flow_of(MENU)


def ran(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "t.yaml"
    file.write_text(f"flow: prueba\ntests:\n{text}", encoding="utf-8")
    return [f"{f.line}: {f.message}" for f in run_tests([file], {"prueba": FLOW}).findings]


BROKEN = flow_of("  uno: {kind: set, values: {n: {expr: '1 / n'}}, next: fin}", HEAD + "variables: {n: integer}\n")


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ("{ends: queue contact-center}", "a: a fault at prueba.uno: expression: "),
        ("{ends: queue contact-center, fault: expression}", ""),
        ("{ends: queue contact-center, fault: template}", "a: there was no fault 'template'; there are ['expression']"),
    ],
)
def test_a_fault_fails_a_test_that_does_not_expect_it(tmp_path: Path, expect: str, told: str) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(f"flow: prueba\ntests:\n  - {{name: a, expect: {expect}}}", encoding="utf-8")
    found = [finding.message for finding in run_tests([file], {"prueba": BROKEN}).findings]
    assert (len(found) == 1 and found[0].startswith(told)) if told else found == []


def test_a_fault_is_told_in_the_page_s_rehearsal() -> None:
    standing = TryRoom().begin(BROKEN, lambda _f, _v: None, caller="0991234567", owner="a", now=1_772_463_600.0)
    (said,) = standing.said
    assert said.kind == "fault"
    assert said.text.startswith("prueba.uno: expression: ")


def test_a_fault_is_told_in_the_terminal_once() -> None:
    talk = Conversation(Rehearsal(BROKEN, lambda _f, _v: None, {"from": "0991234567"}))
    assert next(line for line in talk.begin() if "fault" in line).startswith("  ! a fault at prueba.uno: expression: ")
    assert "fault" not in " ".join(talk.say("/queue timeout"))


@pytest.mark.parametrize(
    "test",
    [
        "  - {name: a, do: [{hear: elija}, {press: '1'}], expect: {path: [uno, fin], ends: hangup}}",
        "  - {name: a, do: [{press: '2'}], expect: {visits: [cola], avoids: [fin], ends: queue contact-center}}",
        "  - {name: a, do: [{press: '0'}, {queue: talked}], expect: {ends: hangup, notes: [person.asked]}}",
        "  - {name: a, do: [{silence: }, {silence: }], expect: {ends: queue contact-center}}",
        "  - {name: a, do: [{hangup: }], expect: {ends: left}}",
        "  - {name: a, expect: {ends: waits}}",
    ],
)
def test_what_holds_passes(tmp_path: Path, test: str) -> None:
    assert ran(tmp_path, test) == []


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("  - {name: a, do: [{press: '1'}], expect: {path: [uno]}}", "3: a: the path was uno fin"),
        ("  - {name: a, do: [{hear: Adiós}], expect: {}}", "3: a: 'Adiós' was not said; the last was 'Elija.'"),
        (
            "  - {name: a, do: [{queue: talked}], expect: {}}",
            "3: a: the caller is in no queue; at uno it waits for up to 1 keys",
        ),
        (
            "  - {name: a, do: [{press: '1'}, {press: '1'}], expect: {}}",
            "3: a: key 1 is not waited for; the call is over",
        ),
        ("  - {name: a, expect: {ends: hangup}}", "3: a: it ended with waits; at uno it waits for up to 1 keys"),
        ("  - {name: a, expect: {tags: [x]}}", "3: a: tag 'x' is missing; there are []"),
        (
            "  - {name: a, do: [{answer: {}}], expect: {}}",
            "3: a: no system was asked; at uno it waits for up to 1 keys",
        ),
    ],
)
def test_what_does_not_hold_is_told_with_its_place(tmp_path: Path, test: str, told: str) -> None:
    assert ran(tmp_path, test) == [told]


@pytest.mark.parametrize(
    "test",
    [
        "  - {name: a}",
        "  - {name: a, do: [{pres: '1'}], expect: {}}",
        "  - {name: a, do: [{press: '1', hear: x}], expect: {}}",
        "  - {name: a, at: mañana, expect: {}}",
        "  []",
        "  - [",
    ],
)
def test_a_file_with_mistakes_is_told(tmp_path: Path, test: str) -> None:
    assert ran(tmp_path, test)


def test_a_test_of_a_flow_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text("flow: nada\ntests: [{name: a, expect: {}}]", encoding="utf-8")
    outcome = run_tests([file, tmp_path / "gone.yaml"], {})
    assert [f.code for f in outcome.findings] == ["test.flow", "file.unreadable"]


def test_nodes_that_no_test_comes_to_are_told(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text("flow: prueba\ntests: [{name: a, do: [{press: '1'}], expect: {}}]", encoding="utf-8")
    assert run_tests([file], {"prueba": FLOW}).unvisited == {"prueba": ["cola"]}


def test_texts_become_what_json_would_have() -> None:
    assert plain({"a": "12.5", "b": ["3", "007", "true", "x"], "c": {"d": "-1"}}) == {
        "a": 12.5,
        "b": [3, "007", True, "x"],
        "c": {"d": -1},
    }


def test_talking_in_a_terminal() -> None:
    talk = Conversation(Rehearsal(FLOW, lambda _f, _v: None, {"from": "0991234567"}))
    assert talk.begin() == ["  « Elija.", "  [at uno it waits for up to 1 keys]"]
    assert talk.say("9")[0] == "  « La opción no es válida. Elija."
    assert talk.say("/answer 200 {}")[0].startswith("  ! no system was asked")
    assert talk.say("/answer x")[0].startswith("  ! ")
    assert "press keys" in talk.say("/nada")[0]
    assert talk.say("/path") == ["  uno", "  [at uno it waits for up to 1 keys]"]
    assert talk.say("2") == ["  [at cola it waits for an agent of queue contact-center]"]
    assert talk.say("/queue talked") == ["  [the call is over]"]
    assert talk.is_over


@pytest.fixture(scope="module")
def shipped() -> dict[str, Flow]:
    return load_all([SHIPPED])


def test_the_picture_is_xml_with_every_node_and_nothing_from_outside(shipped: dict[str, Flow]) -> None:
    for flow in shipped.values():
        picture = draw_svg(flow)
        tree = ET.fromstring(picture)  # noqa: S314 - our own
        assert len(tree.findall(".//{http://www.w3.org/2000/svg}g")) == len(flow.nodes)
        assert "<script" not in picture
        assert "href" not in picture


def test_no_label_of_the_picture_lies_upon_another_or_upon_a_node(shipped: dict[str, Flow]) -> None:
    svg = "{http://www.w3.org/2000/svg}"
    for name, flow in shipped.items():
        tree = ET.fromstring(draw_svg(flow))  # noqa: S314 - our own
        boxes = []
        for rect in tree.iter(f"{svg}rect"):
            x, y, width, height = (int(rect.attrib[key]) for key in ("x", "y", "width", "height"))
            boxes.append((x, y, x + width, y + height, "a node"))
        labels = []
        for text in tree.iter(f"{svg}text"):
            if text.get("class") == "l":
                word, x, y = text.text or "", float(text.attrib["x"]), float(text.attrib["y"])
                half = len(word) * 4.4 / 2  # as wide as nine-point letters are drawn
                labels.append((x - half, y - 7, x + half, y + 1, word))
        assert labels, name
        for index, one in enumerate(labels):
            for other in (*labels[:index], *boxes):
                apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
                assert apart, f"{name}: {one[4]} at {one[:2]} lies upon {other[4]}"


def test_names_cannot_write_into_the_picture() -> None:
    flow = flow_of(MENU, HEAD.replace("id: prueba", "id: prueba\nname: '</title><script>alert(1)</script>'"))
    assert "<script" not in draw_svg(flow)


def strings(value: Any) -> Any:
    """As our loader reads YAML: all scalars are text."""
    if isinstance(value, dict):
        return {str(key): strings(each) for key, each in value.items()}
    if isinstance(value, list):
        return [strings(each) for each in value]
    return value


def test_the_schema_takes_what_is_shipped() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for file in SHIPPED.glob("*.yaml"):
        errors = list(validator.iter_errors(strings(yaml.safe_load(file.read_text(encoding="utf-8")))))
        assert [e.message[:300] for e in errors] == [], file.name


@pytest.mark.parametrize(
    "nodes",
    [
        {},
        {"a": {"kind": "nada"}},
        {"a": {"kind": "hangup", "x": 1}},
        {"a": {"kind": "goto"}},
        {"A": {"kind": "hangup"}},
    ],
)
def test_the_schema_refuses_mistakes(nodes: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"id": "x", "entry": "a", "nodes": nodes}, json_schema())


def test_what_is_still_to_be_recorded(shipped: dict[str, Flow]) -> None:
    all_ = wanted(shipped.values(), lambda language, name: (language, name) == ("es", "bienvenida"))
    assert len(all_) > 30
    assert [prompt.name for prompt in all_ if prompt.recorded] == ["bienvenida"]
    assert all(len(prompt.texts) == 1 for prompt in all_), [p.name for p in all_ if len(p.texts) != 1]


def test_a_flow_that_enters_one_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"{HEAD}nodes:\n  uno: {{kind: subflow, flow: otr, next: fin}}\n{END}", encoding="utf-8")
    (finding,) = check([file])
    assert (finding.code, finding.line, finding.column) == ("flow.unknown", 6, 30)
    (tmp_path / "b.yaml").write_text(
        f"{HEAD.replace('prueba', 'otro')}nodes:\n  uno: {{kind: return}}\n{END}", encoding="utf-8"
    )
    found = [f for f in check([file]) if f.code == "flow.unknown"]
    assert found[0].suggestion == "otro"


def test_a_prompt_without_text_is_told() -> None:
    from ivr_flows.loader import load

    loaded = load(f"{HEAD}nodes:\n  uno: {{kind: play, prompts: {{file: x}}, next: fin}}\n{END}")
    assert [f.code for f in loaded.findings] == ["prompt.no_text"]


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["ivr", "check"]) == 0
    assert main(["ivr", "test"]) == 0
    assert main(["ivr", "draw", "principal", "--out", str(tmp_path / "p.svg")]) == 0
    assert (tmp_path / "p.svg").read_text(encoding="utf-8").startswith("<svg")
    assert main(["ivr", "schema", "--out", str(tmp_path / "s.json")]) == 0
    assert main(["ivr", "prompts"]) == 0
    assert "es/bienvenida" in capsys.readouterr().out
    assert main(["ivr", "draw", "nada"]) == 1
    bad = tmp_path / "bad.yaml"
    bad.write_text("id: x\nentry: a\nnodes: {a: {kind: plai}}\n", encoding="utf-8")
    assert main(["ivr", "check", str(bad)]) == 1
    assert main(["ivr", "check", "--json", str(bad)]) == 1
    assert '"suggestion": "play"' in capsys.readouterr().out
    lines = iter(["1", "1", "/queue talked", "/hangup"])
    monkeypatch.setattr("builtins.input", lambda _prompt: next(lines))
    assert main(["ivr", "try", "principal", "--at", "2026-03-02T10:00"]) == 0
    assert "Bienvenido a ETAPA EP" in capsys.readouterr().out
