"""The settings' bots in a rehearsal: asked over HTTP by the same dialogue as in a call, answered by who types."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any

from app.bots import HttpBots
from callcontrol.bot_dialogue import BotDialogue, Said
from callcontrol.listening import Answer
from callcontrol.settings import Bot
from foundation.clock import SystemClock
from ivr_flows.protocol import UNEXPECTED, Converse
from ivr_flows.rehearsal import BotSaid
from pbx.recognition.vosk_models import pick
from pbx.terms import DigitsEnd

# Carries out a turn, and waits for it.
Run = Callable[[Coroutine[Any, Any, Said]], Said]


class RehearsedTalks:
    """`ivr_flows.rehearsal.BotPlayer` of one rehearsal, which knows no event loop: `run` does. The talk that the bots
    are told begins with ``rehearsal-``, for bots that write something down."""

    def __init__(self, bots: HttpBots, run: Run) -> None:
        self._bots = bots
        self._run = run
        self._session = f"rehearsal-{secrets.token_hex(4)}"
        self._dialogue: BotDialogue | None = None
        self._said: Said | None = None
        self._talks = 0

    def begin(self, wanted: Converse) -> BotSaid | None:
        if wanted.bot not in self._bots.names:
            return None
        self._talks += 1
        self._dialogue = BotDialogue(SystemClock(), self._bots, f"{self._session}-{self._talks}", wanted)
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
        self._said = self._run(dialogue.turn(answer))
        return BotSaid(self._said.reply.say, self._said.ended, self._said.reply.phrases)


class RehearsedBots:
    """Where there is no event loop: there is one here. A context manager, which gives the `BotPlayer`."""

    def __init__(self, bots: Sequence[Bot]) -> None:
        self._bots = HttpBots(list(bots))
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()

    def __enter__(self) -> RehearsedTalks:
        self._runner.run(self._stack.enter_async_context(self._bots))
        return RehearsedTalks(self._bots, self._runner.run)

    def __exit__(self, *exc: object) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()


def beside(bots: HttpBots) -> RehearsedTalks:
    """For a rehearsal in a thread beside the loop that this is called in, which goes on meanwhile."""
    loop = asyncio.get_running_loop()
    return RehearsedTalks(bots, lambda work: asyncio.run_coroutine_threadsafe(work, loop).result())
