"""The node kinds, one file each: a file here is a kind, and its name is the `kind` that flows write.

To add one, add ``ivr_flows/nodes/<kind>.py`` with a model, `enter`, `handle` and ``KIND = NodeKind(...)`` (see
`ivr_flows.node`), and ``tests/ivr_flows/nodes/test_<kind>.py``. Nothing else has to be touched.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ivr_flows.node import NodeKind


def _discover() -> Mapping[str, NodeKind[Any]]:
    kinds: dict[str, NodeKind[Any]] = {}
    for module in pkgutil.iter_modules(__path__):
        kind = getattr(importlib.import_module(f"{__name__}.{module.name}"), "KIND", None)
        if not isinstance(kind, NodeKind):
            raise TypeError(f"ivr_flows/nodes/{module.name}.py defines no KIND")
        kinds[module.name.rstrip("_")] = kind
    return MappingProxyType(kinds)


KINDS: Mapping[str, NodeKind[Any]] = _discover()
