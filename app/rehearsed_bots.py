"""The settings' bots in a rehearsal: asked over HTTP by the same dialogue as in a call, answered by who types."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from app.bots import HttpBots
from callcontrol.bot_dialogue import BotDialogue, Said
from callcontrol.listening import Answer
from callcontrol.settings import Bot
from foundation.clock import SystemClock
from ivr_flows.protocol import UNEXPECTED, Converse
from ivr_flows.rehearsal import BotSaid
from pbx.recognition.vosk_models import pick
from pbx.terms import DigitsEnd


class RehearsedBots:
    """`ivr_flows.rehearsal.BotPlayer`, as a context manager: a rehearsal knows no event loop, so there is one here."""

    def __init__(self, bots: Sequence[Bot]) -> None:
        self._settings = list(bots)
        self._known = {bot.name for bot in bots}
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._bots: HttpBots | None = None
        self._dialogue: BotDialogue | None = None
        self._said: Said | None = None
        self._talks = 0

    def __enter__(self) -> RehearsedBots:
        self._bots = self._runner.run(self._stack.enter_async_context(HttpBots(self._settings)))
        return self

    def __exit__(self, *exc: object) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()

    def begin(self, wanted: Converse) -> BotSaid | None:
        if self._bots is None or wanted.bot not in self._known:
            return None
        self._talks += 1
        self._dialogue = BotDialogue(SystemClock(), self._bots, f"rehearsal-{self._talks}", wanted)
        return self._turn(self._dialogue, None)

    def hear(self, digits: str, phrase: str) -> BotSaid:
        assert self._dialogue is not None  # noqa: S101 - it has begun
        assert self._said is not None  # noqa: S101 - it has begun
        reply = self._said.reply
        keys = digits.partition("#")[0][: reply.digits or 1]
        heard = pick(phrase, 1.0, self._dialogue.expected(reply)) if phrase else None
        words = heard.text if heard is not None else UNEXPECTED if phrase else ""
        return self._turn(self._dialogue, Answer(digits=keys, end=DigitsEnd.COMPLETE, phrase=words))

    def _turn(self, dialogue: BotDialogue, answer: Answer | None) -> BotSaid:
        self._said = self._runner.run(dialogue.turn(answer))
        return BotSaid(self._said.reply.say, self._said.ended)
