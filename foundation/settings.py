"""Settings: frozen, typed, parsed once; every mistake of the file is told at once, with its line and column.

Each room declares its own `Section`s; `app` puts them into one model and calls `load`. Secrets stand in the file by
reference only (`foundation.secret`)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from foundation.errors import Invalid
from foundation.secret import HIDDEN, PlainAllowed, Secret, SecretSource
from foundation.settings_mistakes import explain
from foundation.settings_yaml import Document, Mistake, Place, parse

__all__ = [
    "Mistake",
    "Place",
    "PlainAllowed",
    "Secret",
    "Section",
    "SettingsError",
    "describe",
    "load",
    "load_text",
    "text_of",
]

M = TypeVar("M", bound=BaseModel)

# Shorter ones would blot out ordinary words of the messages, and protect nothing.
_SHORTEST_SCRUBBED = 4
_USER_INFO = re.compile(r"(?<=://)([^/@\s:]*):[^/@\s]*@")


class Section(BaseModel):
    """Base of every settings section: frozen, unknown keys refused, numbers finite, values never in error texts."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True, allow_inf_nan=False
    )


class SettingsError(Invalid):
    """All mistakes of one settings file, in the file's order; the message has one line for each."""

    code: ClassVar[str] = "settings.invalid"

    def __init__(self, file: str, mistakes: list[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        lines = [_line(file, mistake) for mistake in mistakes]
        super().__init__("\n".join(lines), mistakes=lines)


def load(
    model: type[M],
    path: Path,
    *,
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> M:
    """Read the file into the model, or raise `SettingsError` with all that is wrong.

    `overrides` are dotted keys (``pbx.sip_port``) that win over the file: the command line's options."""
    return load_text(model, text_of(path), str(path), folder=path.parent, overrides=overrides, environ=environ)


def load_text(
    model: type[M],
    text: str,
    name: str,
    *,
    folder: Path = Path(),
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> M:
    """As `load`, of a text that is in no file yet; `name` stands before each mistake, `folder` is where secrets are."""
    source = SecretSource(folder=folder, environ=os.environ if environ is None else environ)
    document = parse(text)
    if any(mistake.message.startswith("YAML: ") for mistake in document.mistakes):
        # Nothing behind a syntax error can be trusted.
        raise SettingsError(name, document.mistakes)
    for key, value in (overrides or {}).items():
        document.override(key, value)
    settings, errors = _validate(model, document, source)
    mistakes = _in_order(document.mistakes + explain(errors, model, document))
    if mistakes or settings is None:
        # Raised here and not where pydantic's error was caught: that one holds the values, secrets too.
        raise SettingsError(name, [_scrubbed(mistake, source.seen) for mistake in mistakes])
    return settings


def describe(settings: BaseModel) -> dict[str, Any]:
    """As plain data to show to people: secrets hidden, passwords cut out of URLs."""
    shown: dict[str, Any] = _hide_in_urls(settings.model_dump(mode="json"))
    return shown


def _validate(model: type[M], document: Document, source: SecretSource) -> tuple[M | None, list[ErrorDetails]]:
    try:
        return model.model_validate(document.values, context=source), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def text_of(path: Path) -> str:
    """The file as text, line ends as they are. Raises `SettingsError` where it cannot be read."""
    try:
        return path.read_bytes().decode()
    except OSError as error:
        # A file that is not there has no lines.
        raise SettingsError(str(path), [Mistake(Place(0, 0), "", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        raise SettingsError(str(path), [Mistake(Place(1, 1), "", f"not UTF-8 text (byte {error.start})")]) from None


def _in_order(mistakes: list[Mistake]) -> list[Mistake]:
    """By place, those of the command line last; one that two members of a union both found is told once."""
    return sorted(dict.fromkeys(mistakes), key=lambda mistake: (mistake.place is None, mistake.place or Place(0, 0)))


def _scrubbed(mistake: Mistake, secrets: set[str]) -> Mistake:
    message = mistake.message
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SCRUBBED:
            message = message.replace(secret, HIDDEN)
    return Mistake(mistake.place, mistake.key, message)


def _line(file: str, mistake: Mistake) -> str:
    where = "command line" if mistake.place is None else file
    if mistake.place:
        where += f":{mistake.place.line}:{mistake.place.column}" if mistake.place.line else ""
    return ": ".join(part for part in (where, mistake.key, mistake.message) if part)


def _hide_in_urls(value: Any) -> Any:
    match value:
        case str():
            return _USER_INFO.sub(rf"\1:{HIDDEN}@", value)
        case dict():
            return {key: _hide_in_urls(item) for key, item in value.items()}
        case list():
            return [_hide_in_urls(item) for item in value]
        case _:
            return value
