"""The settings in force, as rows for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.settings import Settings
from foundation.secret import HIDDEN
from foundation.settings import describe
from softphone_web.ports import SettingView

_SECRET = "(secret)"  # noqa: S105 - what is shown instead of one


def show_settings(settings: Settings) -> list[SettingView]:
    """One row a setting, in the file's order; lists and open maps are one value. What equals the default counts as it,
    whether the file says it or not."""
    defaults = dict(_rows("", describe(Settings())))
    return [
        SettingView(key=key, value=_hidden(value), source="default" if defaults.get(key) == value else "file")
        for key, value in _rows("", describe(settings))
    ]


def _rows(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _rows(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value


def _hidden(value: Any) -> Any:
    match value:
        case str():
            return value.replace(HIDDEN, _SECRET)
        case list():
            return [_hidden(one) for one in value]
        case dict():
            return {key: _hidden(one) for key, one in value.items()}
        case _:
            return value
