"""Several things at once, with one failure to tell: people and callers want the cause, not a group of one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


async def together(*work: Coroutine[Any, Any, T]) -> list[T]:
    """The results in order. The first failure cancels the others, waits for their end, and is raised itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except* Exception as failures:  # noqa: BLE001 - raised again below
        first: BaseException = failures
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        failure = first
    else:
        return [task.result() for task in tasks]
    # outside of except*, which would wrap it again
    raise failure


async def three_together(
    a: Coroutine[Any, Any, A], b: Coroutine[Any, Any, B], c: Coroutine[Any, Any, C]
) -> tuple[A, B, C]:
    """The same for three of different kinds."""
    results: list[Any] = await together(a, b, c)
    first, second, third = results
    return first, second, third
