"""The talk with a bot, turn by turn: who speaks next, when it is over, and how it ended. Whoever carries the words (a
call, a terminal) stands before it.

The bot is asked over the port `Bots`, one turn after the other. A bot that is slow, wrong or gone, or talks without
end, ends the talk as unavailable, and the flow offers a person; so does a caller who asks for one, by the flow's key or
words, whatever the bot thinks of it.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from callcontrol.listening import Answer
from foundation.clock import Clock, within
from foundation.errors import RimayError
from foundation.logs import get_logger
from ivr_flows.protocol import UNEXPECTED, BotExit, Converse, Conversed
from ivr_flows.terms import Scalar
from pbx.recognition.terms import Expected

log = get_logger(__name__)

# How long a turn may last, where the settings say nothing else; what is heard meanwhile is `bot_filler`'s.
TURN_S = 8.0
MOST_TURNS = 60
MOST_SLOTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class BotTurn:
    """What the bot is told. The first turn of a talk has neither text nor digits; `silence`: nobody answered. `text` is
    what was said, `UNEXPECTED` (``?``) for words that were not understood. Personal data."""

    session: str
    language: str
    text: str = field(default="", repr=False)
    digits: str = field(default="", repr=False)
    silence: bool = False
    slots: Mapping[str, Scalar] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotReply:
    """What the bot wants: say this, and where it is not `done` hear so many digits, or one of the phrases, or (neither)
    anything. `escalate`: a person is to go on, for that `reason`. `slots` is all that is known now."""

    say: str = ""
    slots: Mapping[str, object] = field(default_factory=dict, repr=False)
    done: bool = False
    escalate: bool = False
    reason: str = ""
    digits: int = 0
    phrases: tuple[str, ...] = ()


class Bots(Protocol):
    def turn(self, bot: str, told: BotTurn) -> Coroutine[Any, Any, BotReply]:
        """One turn. Raises `RimayError` for a bot that nobody set up, or does not answer, or not with a turn."""
        ...

    def turn_s(self, bot: str) -> float:
        """How long a turn of that bot's may last."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """The bot's turn; with `ended` its last one."""

    reply: BotReply
    ended: Conversed | None = None


class BotDialogue:
    """`turn` until it says `ended`. Times are counted from the first turn."""

    def __init__(self, clock: Clock, bots: Bots, session: str, wanted: Converse) -> None:
        self._clock = clock
        self._bots = bots
        self._wanted = wanted
        self._told = BotTurn(session=session, language=wanted.language)
        self._slots: dict[str, object] = dict(wanted.slots)
        self._give_up_at = clock.now() + wanted.timeout_s
        self._turns = 0

    async def turn(self, answer: Answer | None = None) -> Said:
        """What the bot says to that; the first time without. Never raises for what the bot does."""
        try:
            return await self._turn(answer)
        except (RimayError, TimeoutError, OSError) as error:
            return Said(BotReply(), self.failed(error))

    async def _turn(self, answer: Answer | None) -> Said:
        if answer is not None:
            if self.asks_for_a_person(answer):
                return self.wished()
            if self._clock.now() > self._give_up_at:
                return Said(BotReply(), self._ended(BotExit.UNAVAILABLE, "too_long"))
            silence = not answer.digits and not answer.phrase
            self._told = replace(self._told, text=answer.phrase, digits=answer.digits, silence=silence)
        if self._turns >= MOST_TURNS:
            return Said(BotReply(), self._ended(BotExit.UNAVAILABLE, "without_end"))
        self._turns += 1
        reply = await self._reply()
        if not reply.done and not reply.escalate:
            return Said(reply)
        return Said(reply, self._ended(BotExit.PERSON if reply.escalate else BotExit.DONE, reply.reason))

    async def _reply(self) -> BotReply:
        plain = {name: value for name, value in self._slots.items() if isinstance(value, str | int | float)}
        most_s = self._bots.turn_s(self._wanted.bot)
        turn = self._bots.turn(self._wanted.bot, replace(self._told, slots=plain))
        reply = await within(self._clock, most_s, turn)
        self._slots |= dict(list(reply.slots.items())[:MOST_SLOTS])
        return reply

    def expected(self, reply: BotReply) -> Expected:
        """What the caller may say to it."""
        if reply.digits:
            return Expected(digits=reply.digits, language=self._wanted.language)
        if reply.phrases:
            return Expected(phrases=(*reply.phrases, *self._wanted.asides), language=self._wanted.language)
        return Expected(language=self._wanted.language)

    def wished(self) -> Said:
        """The caller has asked for a person."""
        return Said(BotReply(), self._ended(BotExit.PERSON, "asked"))

    def asks_for_a_person(self, answer: Answer) -> bool:
        if answer.digits and answer.digits == self._wanted.person_digit:
            return True
        said = f" {answer.phrase.casefold()} "
        return answer.phrase not in ("", UNEXPECTED) and any(f" {words} " in said for words in self._wanted.asides)

    def failed(self, error: BaseException) -> Conversed:
        log.warning("bot.not_usable", bot=self._wanted.bot, problem=str(error) or type(error).__name__)
        return self._ended(BotExit.UNAVAILABLE, "fault")

    def _ended(self, how: BotExit, why: str) -> Conversed:
        log.info("bot.ended", bot=self._wanted.bot, how=how.value, why=why[:60])
        return Conversed(how, dict(self._slots), why[:60])
