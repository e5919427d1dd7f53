"""What a heap snapshot of V8 holds, told apart: what programs made, and what V8 and the browser keep beside it."""

from __future__ import annotations

import json

# By V8's own names of kinds. Compiled code is made as functions grow hot, and is bounded by the program's size;
# `native` is the browser's: nodes, but also what a debugger that looks on keeps of requests, timings and shifts.
_KINDS = {
    **dict.fromkeys(("object", "closure", "regexp", "symbol", "bigint", "string", "number"), "objects"),
    **dict.fromkeys(("concatenated string", "sliced string", "array"), "objects"),
    "code": "code",
    "object shape": "code",
    "native": "browser",
}
KINDS = tuple(dict.fromkeys(_KINDS.values()))


def kinds(snapshot: str) -> dict[str, float]:
    """Bytes of `objects`, `code` and `browser`. An array without a name is a cache of V8's and counts as code."""
    found = dict.fromkeys(KINDS, 0.0)
    told = json.loads(snapshot)
    meta, nodes, strings = told["snapshot"]["meta"], told["nodes"], told["strings"]
    fields = meta["node_fields"]
    types = meta["node_types"][fields.index("type")]
    at_type, at_name, at_size = (fields.index(field) for field in ("type", "name", "self_size"))
    for start in range(0, len(nodes), len(fields)):
        kind = types[nodes[start + at_type]]
        nameless = kind == "array" and not strings[nodes[start + at_name]]
        counts_as = "code" if nameless else _KINDS.get(kind)
        if counts_as:
            found[counts_as] += nodes[start + at_size]
    return found
