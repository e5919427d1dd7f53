"""What is reckoned from looks at a page's memory, and from snapshots of it."""

from __future__ import annotations

import json

import pytest

from bench._heap import kinds
from bench._memory import by_halves, reckoned, slope


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


def test_what_levels_off_grows_in_the_first_half_and_not_in_the_last() -> None:
    off = by_halves([(contact, min(4020.0, 3000 + 20.0 * contact)) for contact in range(1, 101)])
    assert off["first_slope"] == pytest.approx(20)
    assert off["slope"] == pytest.approx(0, abs=1e-9)
    on = by_halves([(contact, 3000 + 20.0 * contact) for contact in range(1, 101)])
    assert (on["first_slope"], on["slope"]) == (pytest.approx(20), pytest.approx(20))


def test_growth_is_told_by_kind_in_kb_a_contact() -> None:
    looks = [{"contacts": n, "heap_mb": 4 + n / 100, "nodes": 246 + n, "listeners": 46} for n in range(1, 81)]
    of_kinds = [{"contacts": n, "objects": 1e6, "code": 3e6 + 5000 * n, "browser": 1e6} for n in range(10, 81, 10)]
    found = reckoned(looks, of_kinds)
    assert (found["memory_first_slope_kb"], found["memory_slope_kb"]) == (pytest.approx(10), pytest.approx(10))
    assert (found["memory_objects_slope_kb"], found["memory_code_slope_kb"]) == (0, pytest.approx(5))
    assert (found["memory_nodes_slope_per_100"], found["memory_listeners_slope_per_100"]) == (pytest.approx(100), 0)


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
