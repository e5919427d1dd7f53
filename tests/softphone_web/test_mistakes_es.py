"""The organisation's mistakes in Spanish: held against what the checks really say."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from callcontrol.routing import config_store
from foundation.settings import SettingsError
from ivr_flows.loader import load
from softphone_web.flow_mistakes_es import hint_in_spanish, message_in_spanish
from softphone_web.languages import wants_spanish
from softphone_web.mistakes_es import in_spanish
from tests.callcontrol.routing.test_config import SMALL
from tests.callcontrol.routing.test_config import test_what_contradicts_itself_is_refused_with_its_place as refused
from tests.ivr_flows.test_loader import BROKEN

# Beside those of the routing's own tests: what pydantic says, and the rest of the expressions.
_MORE = [
    ("requires: internet >= 2", "requires: (internet"),
    ("requires: internet >= 2", "requires: internet agua"),
    ("requires: internet >= 2", "requires: '>= 2'"),
    ("requires: internet >= 2", "requires: internet ñ"),
    ("requires: internet >= 2", "requires: [internet]"),
    ("requires: internet >= 2", "requires: internet\n    max_length: -2"),
    ("requires: internet >= 2", "requires: internet\n    max_length: muchos"),
    ("requires: internet >= 2", "requires: internet\n    ageing_per_min: 300"),
    ("requires: internet >= 2", "requires: internet\n    strategy: la_mejor"),
    ("requires: internet >= 2", "requires: internet\n    wrap_up_s: 60\n    wrap_up_most_s: 30"),
    ("- name: agua", "- name: Agua Potable"),
    ("- name: agua", "- name: agua\n    handle_s: .inf"),
    ("- name: agua", "- name: agua\n    handle_s: .nan"),
    ('"14:00-17:00"', '"17:00-14:00"'),
    ('"14:00-17:00"', '"14-17"'),
    ("mon-fri:", "lunes:"),
    ("after_s: 20, loosen", "after_s: -1, loosen"),
]
_CASES = [case[0] for case in next(m for m in refused.pytestmark if m.name == "parametrize").args[1]]


@pytest.mark.parametrize("change", [*_CASES, *_MORE], ids=lambda change: change[1].strip()[:40])
def test_every_mistake_is_told_in_spanish(change: tuple[str, str]) -> None:
    text = SMALL.replace(*change)
    assert text != SMALL
    with pytest.raises(SettingsError) as caught:
        config_store.read_text(text)
    for mistake in caught.value.mistakes:
        bare = mistake.message.partition("; did you mean ")[0]
        said = in_spanish(bare)
        assert said != bare
        assert not {" is ", " the ", " must ", " there ", "expected"} & {f" {word} " for word in said.split()}, said
        assert "{" not in said


def test_names_stay_as_they_were_written() -> None:
    assert in_spanish("unknown queue 'aqua'") == "no existe la cola «aqua»"
    assert in_spanish("unknown queue ''") == "falta elegir la cola"
    assert in_spanish("a bracket is not closed (column 9 of the expression)") == (
        "falta cerrar un paréntesis (columna 9 de la expresión)"
    )
    assert in_spanish("something new") == "something new"


@pytest.mark.parametrize(
    ("header", "spanish"),
    [("es-EC,es;q=0.9,en;q=0.8", True), ("es", True), ("en-GB,es;q=0.5", False), ("", False), ("eskimo", False)],
)
def test_who_asks_for_spanish_gets_it(header: str, spanish: bool) -> None:
    asked = SimpleNamespace(request=SimpleNamespace(headers={"Accept-Language": header}))
    assert wants_spanish(asked) is spanish  # type: ignore[arg-type]


# A flow with every mistake that the loader's own test knows, and one with every doubt of the linter.
_DOUBTFUL = """\
id: prueba
entry: uno
variables: {nunca: text, leida: text}
nodes:
  uno: {kind: play, prompts: [{file: es/nueva}, "{{ leida }}"], next: dos}
  dos: {kind: goto, to: uno}
  sola: {kind: hangup}
"""


@pytest.mark.parametrize("text", [BROKEN, _DOUBTFUL, "", "nodes: []", "id: a\nentry: b\nnodes: {}"])
def test_every_mistake_of_a_flow_is_told_in_spanish(text: str) -> None:
    findings = load(text).findings
    assert findings
    for one in findings:
        assert message_in_spanish(one.message) != one.message, one.message
        if one.expected and one.expected != "kind: ...":
            assert hint_in_spanish(one.expected) != one.expected, one.expected
