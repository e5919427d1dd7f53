"""Structured logs: one JSON object a line (readable on a terminal), ours and the libraries' through one chain.

``log = get_logger(__name__)``, then ``log.info("call.answered", caller=private(number, "phone"))``: the event is a
stable dotted name, facts are keys. `interaction` binds the id that every line of a call carries."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, Literal, TextIO

import structlog
from pydantic import Field, SecretStr

from foundation.privacy import MASK, Private, PrivateKind, private
from foundation.secret import HIDDEN
from foundation.settings import Section

__all__ = ["LogSettings", "PrivateKind", "configure", "get_logger", "handle_loop_errors", "interaction", "private"]

_SECRET_KEY = re.compile(r"passw|secret|token$|authorization|cookie|api_?key|private_?key|credential", re.IGNORECASE)
_SECRET_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(rimay_[0-9a-f]{16})_[0-9a-f]{64}\b"), rf"\1_{HIDDEN}"),  # our API tokens: the id may be seen
    (re.compile(r"(?<=://)([^/@\s:]*):[^/@\s]*@"), rf"\1:{HIDDEN}@"),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\b((?:api_?key|password|passwd|access_token|secret)=)[^&\s'\"]+", re.IGNORECASE), rf"\1{HIDDEN}"),
)
# At their INFO these tell every request or every statement.
_QUIET = ("aiohttp.access", "asyncio", "sqlalchemy", "alembic", "psycopg")

if not structlog.is_configured():
    # structlog's own default is stdout, which belongs to what a command prints (`--json`).
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "readable"] = Field(default="auto", description="auto: readable on a terminal")
    show_private: bool = Field(default=False, description="phone numbers in full; keyed digits stay masked")


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


@contextmanager
def interaction(interaction_id: str) -> Iterator[None]:
    """Every line logged inside, also by tasks begun inside, carries the id."""
    with structlog.contextvars.bound_contextvars(interaction_id=interaction_id):
        yield


def configure(settings: LogSettings | None = None, stream: TextIO | None = None) -> None:
    """Once, at the start of a process. Calling it again replaces the earlier configuration."""
    settings = settings or LogSettings()
    out = stream or sys.stderr
    readable = settings.format == "readable" or (settings.format == "auto" and out.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # module-level loggers are made before `configure`
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            # %-arguments stay until here, so that a `Private` among them is masked by its own __str__.
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _Cleaner(settings.show_private),
                structlog.dev.ConsoleRenderer(colors=out.isatty())
                if readable
                else structlog.processors.JSONRenderer(serializer=_json),
            ],
        )
    )
    handler.set_name("rimay")
    root = logging.getLogger()
    for old in [h for h in root.handlers if h.get_name() == "rimay"]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    sys.excepthook = _log_uncaught


def handle_loop_errors(loop: asyncio.AbstractEventLoop) -> None:
    """Exceptions that nobody awaited (a lost task, a callback) become `asyncio.uncaught` lines."""
    loop.set_exception_handler(_log_loop_error)


def _log_loop_error(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    task = context.get("task") or context.get("future")
    name = task.get_name() if isinstance(task, asyncio.Task) else None
    error = context.get("exception")
    get_logger("asyncio").error("asyncio.uncaught", task=name, problem=context.get("message"), exc_info=error)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    get_logger("rimay").critical("process.uncaught", exc_info=(kind, error, trace))


class _Cleaner:
    """The last step before rendering: masks personal data and hides secrets, however deep."""

    def __init__(self, show_private: bool) -> None:
        self.show_private = show_private

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: self.clean(key, value) for key, value in event.items()}

    def clean(self, key: str, value: Any) -> Any:
        if _SECRET_KEY.search(key) and value is not None and not isinstance(value, bool):
            return HIDDEN
        match value:
            case Private():
                return self.reveal(value)
            case SecretStr():
                return HIDDEN
            case str():
                return _without_secrets(value)
            case Mapping():
                return {str(k): self.clean(str(k), v) for k, v in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.clean("", item) for item in value]
            case None | bool() | int() | float():
                return value
            case _:
                return _without_secrets(str(value))

    def reveal(self, value: Private) -> str:
        # What a caller keyed in may be a PIN or a card: no setting shows it.
        if value.kind is PrivateKind.DIGITS:
            return MASK
        return str(value.value) if self.show_private else value.masked


def _without_secrets(text: str) -> str:
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    return text


def _json(event: Any, **options: Any) -> str:
    return json.dumps(event, ensure_ascii=False, **options)
