"""Commands to FreeSWITCH as bytes. Nothing that a caller, a setting or a colleague wrote can end a line, add a header
or add a channel variable: what cannot be written safely is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from pbx.terms import CommandRefused

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
# Our variables carry this: they are told from the switch's own, and no name of ours can mean anything to it.
VARIABLE_PREFIX = "rimay_v_"


def line(text: str) -> str:
    """`text`, known to be one line. A NUL ends a C string and would hide the rest."""
    if any(character in text for character in "\n\r\0"):
        raise CommandRefused("a line break or NUL in a command to the switch")
    return text


def command(text: str, headers: Mapping[str, str] | None = None) -> bytes:
    """One command with its headers. Encodes lone surrogates (undecodable input) as a question mark."""
    lines = [line(text), *(f"{line(name)}: {line(value)}" for name, value in (headers or {}).items())]
    return ("\n".join(lines) + "\n\n").encode("utf-8", "replace")


def sendmsg(channel: str, headers: Mapping[str, str]) -> bytes:
    return command(f"sendmsg {word(channel)}", headers)


def word(text: str) -> str:
    """One argument of a command that is cut at spaces, such as a channel's id."""
    if not text or any(character.isspace() for character in line(text)):
        raise CommandRefused("an empty argument, or one with a space, in a command to the switch")
    return text


def path_argument(path: str) -> str:
    """A path for a command that is cut at spaces; unescaped, it would be cut and still answered +OK."""
    return line(path).replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"').replace(" ", "\\s")


def originate_variables(variables: Mapping[str, str]) -> str:
    """``{a=1,b=x\\\\\\\\,y}``, as `originate` reads it.

    The switch cuts the text three times, at spaces, at commas, at the equals sign, and each time takes one layer of
    backslashes away. Quotes are of no use: the first cut removes them. Braces are counted without regard to either, and
    ``${`` and ``:_:`` mean things anywhere in the text: a value that holds one of those is refused.
    """
    parts = []
    for name, value in variables.items():
        if not _NAME.fullmatch(name):
            raise CommandRefused("not a variable's name", name=repr(name)[:80])
        if not can_originate_with(value):
            raise CommandRefused("a value that cannot be written into an originate", name=name)
        parts.append(f"{name}={_escape(_escape(_escape(value, ''), ','), ' ')}")
    return "{" + ",".join(parts) + "}"


def can_originate_with(value: str) -> bool:
    """Whether `originate_variables` can carry it unharmed."""
    if any(token in value for token in ("${", ":_:", "\n", "\r", "\0")) or value != value.strip():
        return False
    depth = 0
    for character in value:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return False
    return depth == 0


def _escape(value: str, delimiter: str) -> str:
    value = value.replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"')
    if delimiter == " ":
        return value.replace(" ", "\\s")
    return value.replace(delimiter, "\\" + delimiter) if delimiter else value


# --- our own variables on channels

_PLAIN = "!()*+-./:=?@_~"


def encode_value(value: str) -> str:
    """A value of ours, percent-encoded: the switch refuses ``${`` and line breaks, and cuts at other characters. The
    sign before it keeps an empty one from being no variable at all."""
    return "=" + quote(value, safe=_PLAIN)


def decode_value(value: str) -> str:
    return unquote(value.removeprefix("="), errors="replace")


def variable_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise CommandRefused("not a variable's name", name=repr(name)[:80])
    return VARIABLE_PREFIX + name
