"""What a log line shows, and what it never shows."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from foundation.logs import LogSettings, configure, get_logger, handle_loop_errors, interaction, private
from foundation.privacy import Private
from foundation.settings import Secret

ROOT = Path(__file__).parents[2]
TOKEN = "rimay_" + "0a" * 8 + "_" + "f1" * 32


class Log(io.StringIO):
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        return self.lines()[-1]


@pytest.fixture
def untouched() -> Iterator[None]:
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def out(untouched: None) -> Log:
    stream = Log()
    configure(LogSettings(level="debug"), stream)
    return stream


def test_one_object_a_line(out: Log) -> None:
    get_logger("room.part").info("call.answered", seconds=1.5, names=["año"])
    line = out.last
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "call.answered", "level": "info", "logger": "room.part", "seconds": 1.5, "names": ["año"]}


async def test_lines_carry_the_interaction_also_in_tasks_begun_inside(out: Log) -> None:
    async def later() -> None:
        logging.getLogger("some.library").warning("hm")

    log = get_logger("x")
    with interaction("abc"):
        task = asyncio.create_task(later())
    with interaction("other"):
        log.info("inside")
    await task
    log.info("outside")
    assert [line.get("interaction_id") for line in out.lines()] == ["other", "abc", None]


class TestPersonalData:
    def test_masked_by_kind(self, out: Log) -> None:
        get_logger("x").info(
            "call",
            caller=private("+593991234567", "phone"),
            short=private("911", "phone"),
            keys=private("1234", "digits"),
            name=private("Ana"),
            deep={"list": [private("0991234567", "phone")]},
        )
        line = out.last
        assert (line["caller"], line["short"], line["keys"], line["name"]) == ("***567", "***", "***", "***")
        assert line["deep"] == {"list": ["***567"]}

    def test_formatted_by_mistake(self, out: Log) -> None:
        keys = private("1234", "digits")
        get_logger("x").info(f"keys {keys} {keys!r}")
        logging.getLogger("y").warning("caller %s", private("0991234567", "phone"))
        assert [line["event"] for line in out.lines()] == ["keys *** ***", "caller ***567"]

    def test_shown_when_the_settings_say_so_but_never_keyed_digits(self, untouched: None) -> None:
        out = Log()
        configure(LogSettings(show_private=True), out)
        get_logger("x").info("call", caller=private("0991234567", "phone"), keys=private("1234", "digits"))
        assert (out.last["caller"], out.last["keys"]) == ("0991234567", "***")

    def test_an_unknown_kind_is_refused(self) -> None:
        with pytest.raises(ValueError, match="is not a valid PrivateKind"):
            private("x", "fone")

    def test_the_value_is_there_for_code(self) -> None:
        wrapped = private("1234", "digits")
        assert isinstance(wrapped, Private)
        assert wrapped.value == "1234"


class TestSecrets:
    @pytest.mark.parametrize("key", ["password", "ari_password", "access_token", "Authorization", "api_key", "cookie"])
    def test_by_their_key(self, out: Log, key: str) -> None:
        get_logger("x").info("e", **{key: "s3cr3t"}, nested={key: ["s3cr3t"]})
        assert "s3cr3t" not in out.getvalue()

    @pytest.mark.parametrize(
        "text",
        [
            f"token {TOKEN} was used",
            "GET http://me:s3cr3t@host/path",
            "Authorization: Bearer s3cr3t-abcdef",
            "/ari/events?api_key=s3cr3t&app=x",
        ],
    )
    def test_by_their_form(self, out: Log, text: str) -> None:
        get_logger("x").info(text, more=text)
        logging.getLogger("aiohttp.client").warning("%s", text)
        get_logger("x").error("failed", exc_info=RuntimeError(text))
        assert len(out.lines()) == 3
        assert "s3cr3t" not in out.getvalue()
        assert "f1f1" not in out.getvalue()

    def test_by_their_type(self, out: Log) -> None:
        get_logger("x").info("e", anything=Secret("s3cr3t"), deep=[Secret("s3cr3t")])
        assert "s3cr3t" not in out.getvalue()

    def test_what_only_sounds_like_one_stays(self, out: Log) -> None:
        get_logger("x").info("e", token_id="abc", has_password=True)
        assert out.last["token_id"] == "abc"
        assert out.last["has_password"] is True


def test_libraries_go_the_same_way_and_the_chatty_are_quieted(out: Log) -> None:
    logging.getLogger("some.library").info("loaded %d", 3, extra={"where": "here"})
    logging.getLogger("sqlalchemy.engine").info("SELECT 1")
    (line,) = out.lines()
    assert (line["event"], line["logger"], line["where"]) == ("loaded 3", "some.library", "here")


async def test_a_task_that_nobody_awaits_is_told(out: Log) -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    handle_loop_errors(loop)
    loop.call_exception_handler({"message": "Task exception was never retrieved", "exception": ValueError("lost one")})
    loop.call_soon(lambda: 1 / 0)
    loop.call_soon(told.set)
    await told.wait()
    assert [line["event"] for line in out.lines()] == ["asyncio.uncaught"] * 2
    assert "lost one" in out.lines()[0]["exception"]
    assert "ZeroDivisionError" in out.last["exception"]


def test_what_ends_the_process_is_told(out: Log) -> None:
    error = ValueError("the end")
    sys.excepthook(ValueError, error, None)
    assert out.last["event"] == "process.uncaught"
    assert "the end" in out.last["exception"]


def test_readable_for_people(untouched: None) -> None:
    out = Log()
    configure(LogSettings(format="readable"), out)
    get_logger("x").info("call.answered", caller=private("0991234567", "phone"), password="s3cr3t")
    assert "call.answered" in out.getvalue()
    assert "***567" in out.getvalue()
    assert "s3cr3t" not in out.getvalue()


def test_before_configuring_nothing_goes_to_stdout() -> None:
    program = "import foundation.logs, structlog; structlog.get_logger('x').warning('early')"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert "early" in done.stderr


def test_configuring_again_replaces(out: Log) -> None:
    second = Log()
    configure(LogSettings(level="warning"), second)
    get_logger("x").info("low")
    get_logger("x").warning("high")
    assert out.getvalue() == ""
    assert [line["event"] for line in second.lines()] == ["high"]
