"""The promise to contributors: a file under nodes/ is a kind, and every kind has its tests."""

from __future__ import annotations

from pathlib import Path

from ivr_flows import nodes
from ivr_flows.node import NodeModel
from ivr_flows.nodes import KINDS

HERE = Path(__file__).parent


def test_every_file_is_a_kind() -> None:
    files = {path.stem.rstrip("_") for path in Path(nodes.__file__).parent.glob("*.py") if path.stem != "__init__"}
    assert set(KINDS) == files


def test_every_kind_is_what_its_file_says() -> None:
    for name, kind in KINDS.items():
        assert issubclass(kind.model, NodeModel)
        assert kind.model.model_json_schema()["properties"]["kind"]["const"] == name
        assert kind.model.__doc__ or kind.model.__module__


def test_every_kind_has_its_tests() -> None:
    tests = {word for path in (HERE / "nodes").glob("test_*.py") for word in path.stem.split("_")}
    assert set(KINDS) <= tests
