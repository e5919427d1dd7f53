"""All mistakes at once: where fields are wrong, what could be read is held against the rest all the same.

What was not understood is taken out (a field, else its whole entry) and the checks between entries run on what is left.
A name that stands in the text counts as known, also when its entry was not understood: one mistake is told once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from callcontrol.routing.config_checks import Known, Problem, problems_of

if TYPE_CHECKING:
    from callcontrol.routing.config import RoutingConfig

    C = TypeVar("C", bound=RoutingConfig)

_LISTS = {"queues": "name", "teams": "name", "agents": "id"}
_REQUIRED = {"name", "id", "team", "capacity"}
_MAPPINGS = ("skills", "calendars", "capacities", "dispositions", "contact_reasons")
# Fields that are checked against each other go together: one alone would be held against the other's default.
_TOGETHER = {
    "calendar": ("overflow",),
    "requires": ("rings",),
    "wrap_up_s": ("wrap_up_most_s",),
    "wrap_up_most_s": ("wrap_up_s",),
    "max_wait_s": ("rings", "overflow"),
    "max_length": ("overflow",),
}


def checked(values: Any, read: Callable[[Any], C]) -> C:
    """`read` is pydantic's. Raises its `ValidationError` with the mistakes of fields and those between entries."""
    try:
        config = read(values)
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        problems = _of_the_rest(values, wrong, read) if isinstance(values, Mapping) else []
        found = [*map(_again, wrong), *map(_detail, problems)]
        raise ValidationError.from_exception_data("routing", found) from None
    problems = problems_of(config, _known(values if isinstance(values, Mapping) else {}, config), people=True)
    if problems:
        # As pydantic's own: each with its place in the file.
        raise ValidationError.from_exception_data("routing", [_detail(problem) for problem in problems])
    return config


def _of_the_rest(values: Mapping[str, Any], wrong: list[ErrorDetails], read: Callable[[Any], C]) -> list[Problem]:
    people = not any(error["loc"][:1] in {("teams",), ("agents",), ("skills",)} for error in wrong)
    for whole_entries in (False, True):
        rest, numbers = _without(values, (error["loc"] for error in wrong), whole_entries=whole_entries)
        try:
            config = read(rest)
        except ValidationError:
            continue
        found = problems_of(config, _known(values, config), people=people)
        return [Problem(_as_written(problem.path, numbers), problem.message) for problem in found]
    return []


def _without(
    values: Mapping[str, Any], places: Iterable[tuple[int | str, ...]], *, whole_entries: bool
) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """The values without what stands there; for each list, the places at which its entries stood."""
    rest: dict[str, Any] = {key: copy(value) for key, value in values.items()}
    gone: dict[str, set[int]] = {section: set() for section in _LISTS}
    for place in places:
        section, *inner = place
        if not inner or section not in rest:
            rest.pop(str(section), None)
        elif section in gone and isinstance(inner[0], int):
            entry = rest[str(section)][inner[0]]
            if whole_entries or len(inner) == 1 or inner[1] in _REQUIRED or not isinstance(entry, Mapping):
                gone[str(section)].add(inner[0])
            else:
                fields = {str(inner[1]), *_TOGETHER.get(str(inner[1]), ())}
                rest[str(section)][inner[0]] = {k: v for k, v in entry.items() if k not in fields}
        elif isinstance(rest[str(section)], dict):
            rest[str(section)].pop(inner[0], None)
    numbers: dict[str, list[int]] = {}
    for section, out in gone.items():
        if isinstance(rest.get(section), list):
            numbers[section] = [n for n in range(len(rest[section])) if n not in out]
            rest[section] = [rest[section][n] for n in numbers[section]]
    return rest, numbers


def _as_written(path: tuple[str | int, ...], numbers: Mapping[str, list[int]]) -> tuple[str | int, ...]:
    if len(path) > 1 and isinstance(path[1], int) and path[0] in numbers:
        return (path[0], numbers[str(path[0])][path[1]], *path[2:])
    return path


class _All(frozenset[str]):
    """Of a section that could not be read at all: every name may be in it."""

    def __contains__(self, _name: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return True


def _known(values: Mapping[str, Any], config: RoutingConfig) -> Known:
    def names(section: str) -> frozenset[str]:
        given, key = values.get(section), _LISTS.get(section)
        if given is not None and not isinstance(given, Mapping if key is None else list):
            return _All()
        mine = getattr(config, section)
        if key is None:
            return frozenset(mine) | frozenset(map(str, given or ()))
        written = [entry.get(key) for entry in given or () if isinstance(entry, Mapping)]
        return frozenset(getattr(entry, key) for entry in mine) | frozenset(n for n in written if isinstance(n, str))

    return Known(**{section: names(section) for section in (*_MAPPINGS, "queues", "teams")})


def _again(error: ErrorDetails) -> InitErrorDetails:
    return InitErrorDetails(type=error["type"], loc=error["loc"], input=error["input"], ctx=error.get("ctx", {}))


def _detail(problem: Problem) -> InitErrorDetails:
    # Braces would be read as places to fill in.
    message = problem.message.replace("{", "{{").replace("}", "}}")
    return InitErrorDetails(type=PydanticCustomError("routing", message), loc=problem.path, input=None)
