"""Secrets in settings: written by reference (`{env: NAME}` or `{file: path}`), never shown by errors or dumps."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, SecretStr, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

HIDDEN = "(hidden)"
# A longer "secret" is a wrong path (a log, a device), not a password or key.
_MAX_FILE_BYTES = 64 * 1024
_HOW_TO = "write {env: NAME} or {file: path}"


@dataclass(slots=True)
class SecretSource:
    """Where references of one settings file are looked up; `seen` gathers what must not be printed."""

    folder: Path
    environ: Mapping[str, str]
    seen: set[str] = field(default_factory=set)

    def resolve(self, reference: Mapping[str, object]) -> str:
        if len(reference) != 1:
            raise _wrong("a secret is given by exactly one reference: " + _HOW_TO)
        ((kind, target),) = reference.items()
        if kind not in {"env", "file"}:
            raise _wrong("unknown way to give a secret: " + _HOW_TO)
        if not isinstance(target, str) or not target:
            raise _wrong(f"the name after '{kind}' must be text")
        value = self._from_env(target) if kind == "env" else _from_file(self.folder / Path(target).expanduser())
        self.seen.add(value)
        return value

    def _from_env(self, name: str) -> str:
        value = self.environ.get(name)
        if value is None:
            raise _wrong(f"environment variable {name} is not set")
        if not value:
            raise _wrong(f"environment variable {name} is empty")
        return value


class Secret(SecretStr):
    """Text that no repr, log, error or dump shows; `get_secret_value()` gives it.

    In a settings file it must be a reference. Program code may pass `Secret("...")` or plain text."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda _: HIDDEN, when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        one = {"type": "string"}
        return {
            "description": "a reference to a secret",
            "oneOf": [
                {"type": "object", "properties": {k: one}, "required": [k], "additionalProperties": False}
                for k in ("env", "file")
            ],
        }

    @classmethod
    def _validate(cls, value: object, info: ValidationInfo) -> Secret:
        source = info.context if isinstance(info.context, SecretSource) else None
        if isinstance(value, cls):
            return value
        if isinstance(value, SecretStr):
            return cls(value.get_secret_value())
        if source is None:
            if isinstance(value, str):
                return cls(value)
            raise _wrong("a secret must be text")
        if isinstance(value, Mapping):
            return cls(source.resolve(value))
        if value is not None and not isinstance(value, (bool, list)):
            source.seen.add(str(value))
            raise _wrong("a secret must not stand in the settings file: " + _HOW_TO)
        raise _wrong("a secret is missing: " + _HOW_TO)


class PlainAllowed:
    """Marker: `Annotated[Secret, PlainAllowed]` may also stand in the settings file as plain text.

    For credentials that protect nothing (the demo's loopback-only phones): whoever reads the file may know them. They
    are hidden from logs and dumps all the same. It is the model's author who decides, never the file's."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_before_validator_function(_plain_to_secret, handler(source))


def _plain_to_secret(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str):
        return value
    if isinstance(info.context, SecretSource):
        info.context.seen.add(value)
    return Secret(value)


def _from_file(path: Path) -> str:
    try:
        # Non-blocking, so that a FIFO in its place is refused and does not hang the start.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            # The open file is asked, not the path: what was checked is what is read.
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise _wrong(f"{path} is not a regular file")
            if mode & (stat.S_IROTH | stat.S_IWOTH):
                raise _wrong(f"every user of this machine can read or write {path}; run: chmod o-rw {path}")
            raw = os.read(descriptor, _MAX_FILE_BYTES + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _wrong(f"cannot read {path}: {error.strerror}") from None
    if len(raw) > _MAX_FILE_BYTES:
        raise _wrong(f"{path} is larger than {_MAX_FILE_BYTES} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise _wrong(f"{path} is not UTF-8 text") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise _wrong(f"{path} is empty")
    return text


def _wrong(sentence: str) -> PydanticCustomError:
    # Braces would be read as places for values.
    return PydanticCustomError("secret", "{sentence}", {"sentence": sentence})
