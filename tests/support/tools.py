"""Programs that tests drive, found as the product finds its own: on this machine, else made of Debian's packages or
of a wheel and kept in the cache. A test whose program is not to be had is skipped; why is told at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest

from app.apt_root import ProvisionError
from app.node import Node, find_node
from app.provision import find_tool

Found = TypeVar("Found")


@cache
def look_for(name: str) -> tuple[Path | None, str]:
    """The program, or why there is none."""
    found, why = _found(find_tool(name))
    return (None, f"no {name}: {why}") if found is None else (found.binary, "")


def tool(name: str) -> str:
    """Skips the test where there is none."""
    binary, why = look_for(name)
    if binary is None:
        pytest.skip(why)
    return str(binary)


@pytest.fixture(scope="session")
def node() -> Node:
    """With its npm."""
    found, why = _found(find_node())
    if found is None:
        pytest.skip(f"no node: {why}")
    return found


def _found(search: Coroutine[Any, Any, Found]) -> tuple[Found | None, str]:
    # in a loop of its own: asked from within one and from without
    with ThreadPoolExecutor(1) as thread:
        try:
            return thread.submit(asyncio.run, search).result(), ""
        except ProvisionError as error:
            return None, error.message.splitlines()[0]
