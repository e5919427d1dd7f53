"""What is reckoned from looks at a page's memory, and from snapshots of it."""

from __future__ import annotations

import json

import pytest

from bench._heap import kinds
from bench._memory import slope


def test_a_line_grows_by_its_slope_and_knows_it_exactly() -> None:
    grows, error = slope([(contact, 5000 + 2.5 * contact) for contact in range(20, 40)])
    assert grows == pytest.approx(2.5)
    assert error == pytest.approx(0, abs=1e-9)


def test_noise_about_a_level_is_no_growth_within_its_error() -> None:
    grows, error = slope([(contact, 5000 + (60 if contact % 2 else -60)) for contact in range(20, 40)])
    assert error > 1
    assert abs(grows) < 2 * error


def test_growth_beyond_the_noise_is_seen() -> None:
    grows, error = slope([(contact, 10 * contact + (20 if contact % 2 else -20)) for contact in range(20, 40)])
    assert grows > 4 * error


def test_a_snapshot_is_told_apart_by_who_keeps_it() -> None:
    names = ["", "Map", "(object elements)", "InstructionStream", "Window", "root"]
    types = ["hidden", "array", "string", "object", "code", "closure", "native", "synthetic"]
    nodes = [
        (types.index("object"), 1, 100),
        (types.index("closure"), 1, 20),
        (types.index("string"), 1, 3),
        (types.index("array"), 2, 7),  # an object's elements
        (types.index("array"), 0, 65_536),  # a cache of V8's
        (types.index("code"), 3, 1_000),
        (types.index("native"), 4, 50),
        (types.index("synthetic"), 5, 9),
    ]
    snapshot = {
        "snapshot": {"meta": {"node_fields": ["type", "name", "id", "self_size"], "node_types": [types, "string"]}},
        "nodes": [part for number, (kind, name, size) in enumerate(nodes) for part in (kind, name, number, size)],
        "strings": names,
    }
    assert kinds(json.dumps(snapshot)) == {"objects": 130, "code": 66_536, "browser": 50}
