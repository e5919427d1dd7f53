"""A caller talks with a bot: the bot's words are spoken, the caller's keys or words are its next turn.

The bot is asked over the port `Bots`, one turn after the other. A bot that is slow, wrong or gone, talks without end or
says nothing ends the talk as unavailable, and the flow offers a person; so does a caller who asks for one, by the
flow's key or words, whatever the bot thinks of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from callcontrol.listening import Answer, Ears, Listening, Question
from foundation.clock import Clock
from foundation.errors import RimayError
from foundation.logs import get_logger
from ivr_flows.protocol import UNEXPECTED, BotExit, Converse, Conversed
from ivr_flows.terms import Scalar
from pbx.recognition.terms import Expected
from pbx.switch import Switch
from pbx.terms import ChannelId, DigitRules, Sound, TextSound

log = get_logger(__name__)

# Nobody waits in silence for longer than four seconds, the flow's next word included.
TURN_S = 3.5
MOST_TURNS = 60
MOST_SLOTS = 50
_ANSWER_S = 6.0
# After the bot's last words nothing is waited for.
_NO_WAIT_S = 0.1


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
    async def turn(self, bot: str, told: BotTurn) -> BotReply:
        """One turn. Raises `RimayError` for a bot that nobody set up, or does not answer, or not with a turn."""
        ...


class BotTalk:
    """`talk` is its life; `key` is told of each key of the channel meanwhile."""

    def __init__(
        self, switch: Switch, ears: Ears, clock: Clock, bots: Bots, channel: ChannelId, session: str, wanted: Converse
    ) -> None:
        self._switch = switch
        self._ears = ears
        self._clock = clock
        self._bots = bots
        self._channel = channel
        self._session = session
        self._wanted = wanted
        self._listening: Listening | None = None
        self._slots: dict[str, object] = dict(wanted.slots)

    def key(self, digit: str) -> None:
        if self._listening is not None:
            self._listening.key(digit)

    async def talk(self) -> Conversed | None:
        """How it ended; None when the caller's audio ended first. Never raises for what the bot does."""
        told = BotTurn(session=self._session, language=self._wanted.language)
        give_up_at = self._clock.now() + self._wanted.timeout_s
        try:
            for _ in range(MOST_TURNS):
                reply = await self._reply(told)
                if reply.done or reply.escalate:
                    await self._say_farewell(reply)
                    return self._ended(BotExit.PERSON if reply.escalate else BotExit.DONE, reply.reason)
                answer = await self._hear(reply)
                if answer is None:
                    return None
                if self._asks_for_a_person(answer):
                    return self._ended(BotExit.PERSON, "asked")
                if self._clock.now() > give_up_at:
                    return self._ended(BotExit.UNAVAILABLE, "too_long")
                silence = not answer.digits and not answer.phrase
                told = replace(told, text=answer.phrase, digits=answer.digits, silence=silence)
        except (RimayError, TimeoutError, OSError) as error:
            log.warning("bot.not_usable", bot=self._wanted.bot, problem=str(error) or type(error).__name__)
            return self._ended(BotExit.UNAVAILABLE, "fault")
        return self._ended(BotExit.UNAVAILABLE, "without_end")

    async def _reply(self, told: BotTurn) -> BotReply:
        async with asyncio.timeout(TURN_S):
            plain = {name: value for name, value in self._slots.items() if isinstance(value, str | int | float)}
            reply = await self._bots.turn(self._wanted.bot, replace(told, slots=plain))
        self._slots |= dict(list(reply.slots.items())[:MOST_SLOTS])
        return reply

    async def _hear(self, reply: BotReply) -> Answer | None:
        person = self._wanted.asides
        if reply.digits:
            expected = Expected(digits=reply.digits, language=self._wanted.language)
        elif reply.phrases:
            expected = Expected(phrases=(*reply.phrases, *person), language=self._wanted.language)
        else:
            expected = Expected(language=self._wanted.language)
        rules = DigitRules(
            max_digits=reply.digits or 1, terminator="#", first_s=_ANSWER_S, between_s=3.0, barge_in=True
        )
        return await self._ask(Question(self._sounds(reply), rules, expected))

    async def _say_farewell(self, reply: BotReply) -> None:
        if reply.say.strip():
            rules = DigitRules(max_digits=1, terminator="", first_s=_NO_WAIT_S, between_s=_NO_WAIT_S, barge_in=False)
            await self._ask(Question(self._sounds(reply), rules, Expected(), answers=False))

    async def _ask(self, question: Question) -> Answer | None:
        self._listening = Listening(self._switch, self._ears, self._clock, self._channel, question)
        try:
            return await self._listening.ask()
        finally:
            self._listening = None

    def _sounds(self, reply: BotReply) -> list[Sound]:
        return [TextSound(reply.say, self._wanted.language)] if reply.say.strip() else []

    def _asks_for_a_person(self, answer: Answer) -> bool:
        if answer.digits and answer.digits == self._wanted.person_digit:
            return True
        said = f" {answer.phrase.casefold()} "
        return answer.phrase not in ("", UNEXPECTED) and any(f" {words} " in said for words in self._wanted.asides)

    def _ended(self, how: BotExit, why: str) -> Conversed:
        log.info("bot.ended", bot=self._wanted.bot, how=how.value, why=why[:60])
        return Conversed(how, dict(self._slots), why[:60])
