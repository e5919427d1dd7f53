"""Bots over HTTP: one POST a turn; `docs/bots.md` has the protocol for who writes one."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import AsyncExitStack
from typing import Annotated

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from callcontrol.bot_dialogue import TURN_S, BotReply, BotTurn
from callcontrol.settings import Bot
from foundation.errors import Invalid, NotFound, Unavailable

MAX_ANSWER = 64 * 1024
Words = Annotated[str, StringConstraints(max_length=1000)]


class _Expect(BaseModel):
    digits: int = Field(default=0, ge=0, le=40)
    phrases: list[Annotated[str, StringConstraints(min_length=1, max_length=60)]] = Field(default=[], max_length=40)


class _Reply(BaseModel):
    """Unknown fields are allowed: a bot may serve others, too."""

    model_config = ConfigDict(extra="ignore")

    say: Words = ""
    slots: dict[str, str | int | float | bool | None] = Field(default={}, max_length=50)
    done: bool = False
    escalate: bool = False
    reason: Annotated[str, StringConstraints(max_length=60)] = ""
    expect: _Expect = _Expect()


class HttpBots:
    """`callcontrol.bot_dialogue.Bots`, as an async context manager."""

    def __init__(self, bots: list[Bot]) -> None:
        self._bots = {bot.name: bot for bot in bots}
        self._stack = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> HttpBots:
        session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._session = await self._stack.enter_async_context(session)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    @property
    def names(self) -> Collection[str]:
        return self._bots.keys()

    def turn_s(self, bot: str) -> float:
        return self._bots[bot].turn_s if bot in self._bots else TURN_S

    async def turn(self, bot: str, told: BotTurn) -> BotReply:
        known = self._bots.get(bot)
        if known is None or self._session is None:
            raise NotFound(f"there is no bot {bot!r} in the settings")
        timeout = aiohttp.ClientTimeout(total=known.turn_s)
        headers = {} if known.token is None else {"Authorization": f"Bearer {known.token.get_secret_value()}"}
        try:
            async with self._session.post(
                known.url, json=_plain(bot, told), headers=headers, allow_redirects=False, timeout=timeout
            ) as answer:
                raw = await answer.content.read(MAX_ANSWER)
                if answer.status != 200:
                    raise Unavailable(f"bot {bot} answered {answer.status}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"bot {bot} does not answer ({type(error).__name__})") from error
        return _read(bot, raw)


def _plain(bot: str, told: BotTurn) -> dict[str, object]:
    return {
        "bot": bot,
        "session": told.session,
        "language": told.language,
        "text": told.text,
        "digits": told.digits,
        "silence": told.silence,
        "slots": dict(told.slots),
    }


def _read(bot: str, raw: bytes) -> BotReply:
    try:
        reply = _Reply.model_validate(json.loads(raw))
    except (ValidationError, ValueError, RecursionError) as error:
        raise Invalid(f"bot {bot} answered something that is no turn") from error
    if not (reply.say.strip() or reply.done or reply.escalate):
        raise Invalid(f"bot {bot} says nothing and does not end")
    return BotReply(
        say=reply.say,
        slots={name: value for name, value in reply.slots.items() if value is not None},
        done=reply.done,
        escalate=reply.escalate,
        reason=reply.reason,
        digits=reply.expect.digits,
        phrases=tuple(reply.expect.phrases),
    )
