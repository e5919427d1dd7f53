"""What a text from outside may hold: the types of the models, and whatever stands in free JSON."""

from __future__ import annotations

from typing import Annotated, Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from softphone_web.server import ROUTES
from softphone_web.texts import line, lines, unfit
from tests.support.web import Api


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": "b", "n": 1, "x": None}, None),
        ("ñ\t\n", None),
        ("\x00", ""),
        ("\udfff", ""),
        ({"a": {"b": ["c", "d\x00"]}}, "a.b.1"),
        ({"a": {"b\x00": 1}}, "a"),
        ([[["\ud83d"]]], "0.0.0"),
    ],
)
def test_what_cannot_be_kept_is_found_wherever_it_stands(value: Any, place: str | None) -> None:
    assert unfit(value) == place


def test_however_deep() -> None:
    deep: Any = "\x00"
    for _ in range(50_000):
        deep = [deep]
    assert unfit(deep) is not None


@pytest.mark.parametrize("bad", ["a\x00b", "a\x1bb", "a\x7fb", "a\ud800b", "   ", "x" * 9])
def test_both_kinds_refuse(bad: str) -> None:
    for kind in (line(8), lines(8)):
        with pytest.raises(ValidationError):
            TypeAdapter(Annotated[str, kind]).validate_python(bad)


def test_ends_of_lines_are_for_lines() -> None:
    assert TypeAdapter(Annotated[str, lines(8)]).validate_python(" a\tb\r\nc ") == "a\tb\r\nc"
    for bad in ("a\nb", "a\tb"):
        with pytest.raises(ValidationError):
            TypeAdapter(Annotated[str, line(8)]).validate_python(bad)


def _bare(model: type[BaseModel], seen: set[type[BaseModel]]) -> list[str]:
    """Fields that take any text."""
    seen.add(model)
    found = []
    for name, schema in model.model_fields.items():
        waiting: list[tuple[Any, bool]] = [(schema.annotation, _patterned(schema.metadata))]
        while waiting:
            kind, known = waiting.pop()
            args = get_args(kind)
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found += _bare(kind, seen) if kind not in seen else []
            elif kind is str and not known:
                found.append(f"{model.__name__}.{name}")
            elif hasattr(kind, "__metadata__"):
                waiting.append((args[0], known or _patterned(kind.__metadata__)))
            else:
                waiting += [(one, False) for one in args if not isinstance(one, str)]
    return found


def _patterned(metadata: Any) -> bool:
    return any(getattr(one, "pattern", None) for one in metadata)


def test_no_operation_takes_a_text_of_any_kind() -> None:
    seen: set[type[BaseModel]] = set()
    bare = [
        place
        for route in ROUTES
        for model in route.models.values()
        if model not in seen
        for place in _bare(model, seen)
    ]
    # Of free JSON the keys: what stands in them is looked at by `unfit`.
    assert sorted(set(bare)) == ["Given.answer", "OrganisationDocument.document"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/organisation/render", {"document": {"queues": [{"name": "a\x00b"}]}}),
        ("POST", "/api/v1/organisation/render", {"document": {"a\x00b": 1}}),
        ("POST", "/api/v1/flows/check", {"yaml": "a: b\x00"}),
        ("GET", "/api/v1/interactions/a%00b", None),
        ("GET", "/api/v1/knowledge?q=a%00b", None),
    ],
)
async def test_free_json_paths_and_queries(api: Api, method: str, path: str, body: Any) -> None:
    async with api.ask(method, path, "admin", json=body) as response:
        assert response.status == 422, await response.text()
