"""A caller talks with a bot: the bot's words are spoken, the caller's keys or words are its next turn
(`callcontrol.bot_dialogue` has the turns).

One audio stream holds for the whole talk, and somebody listens on it always: while the bot thinks to the wish for a
person, and what is being said when it answers is carried over to its question.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from callcontrol.bot_dialogue import BotDialogue, BotReply, Bots, Said
from callcontrol.bot_filler import Filler
from callcontrol.listening import RATE, Answer, Carried, Ears, Listening, Question, pcm_of
from foundation.clock import Clock
from foundation.errors import RimayError
from foundation.logs import get_logger
from ivr_flows.protocol import Converse, Conversed
from pbx.recognition.terms import Expected
from pbx.switch import AudioStream, Switch
from pbx.terms import ChannelId, DigitRules, Sound, SwitchError, TextSound

log = get_logger(__name__)

_ANSWER_S = 6.0
# After the bot's last words nothing is waited for.
_FAREWELL = DigitRules(max_digits=1, terminator="", first_s=0.1, between_s=0.1, barge_in=False)
# While the bot thinks: for ever.
_MEANWHILE = DigitRules(max_digits=1, terminator="", first_s=3600.0, between_s=0.1, barge_in=True)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What the bot says, and its sound."""

    said: Said
    pcm: bytes = b""


class BotTalk:
    """`talk` is its life; `key` is told of each key of the channel meanwhile."""

    def __init__(
        self, switch: Switch, ears: Ears, clock: Clock, bots: Bots, channel: ChannelId, session: str, wanted: Converse
    ) -> None:
        self._switch = switch
        self._ears = ears
        self._clock = clock
        self._channel = channel
        self._wanted = wanted
        self._dialogue = BotDialogue(clock, bots, session, wanted)
        self._filler = Filler(clock, ears, tuple(wanted.comfort))
        self._listening: Listening | None = None
        self._carried: Carried | None = None
        self._typed = ""

    def key(self, digit: str) -> None:
        if self._listening is not None:
            self._listening.key(digit)
        else:
            self._type_ahead(digit)

    def _type_ahead(self, digits: str) -> None:
        """For the question that follows. Who ends a number with # means the question before."""
        self._typed += digits.replace("#", "")

    async def talk(self) -> Conversed | None:
        """How it ended; None when the caller's audio ended first, or could not be had: what that means is not the
        bot's affair. Never raises for what the bot does."""
        preparing = asyncio.create_task(self._filler.prepare())
        try:
            stream = await self._switch.open_stream(self._channel, RATE)
            try:
                return await self._talk(stream)
            finally:
                await stream.close()
        except SwitchError as error:
            log.info("bot.no_audio", code=error.code, problem=error.message)
            return None
        finally:
            preparing.cancel()
            await asyncio.gather(preparing, return_exceptions=True)

    async def _talk(self, stream: AudioStream) -> Conversed | None:
        turn = await self._turn(stream, None)
        while turn is not None and turn.said.ended is None:
            typed, self._typed = self._typed, ""
            answer = await self._ask(stream, self._question(turn.said.reply), turn.pcm, typed)
            turn = None if answer is None else await self._turn(stream, answer)
        if turn is None:
            return None
        if turn.pcm and await self._ask(stream, Question((), _FAREWELL, Expected(), answers=False), turn.pcm) is None:
            return None  # gone before it was heard
        return turn.said.ended

    # --- the bot's part --------------------

    async def _turn(self, stream: AudioStream, answer: Answer | None) -> _Turn | None:
        """What the bot says to that; a person where the caller wishes for one meanwhile; None when they are gone."""
        thinking = asyncio.create_task(self._think(answer))
        wishing = asyncio.create_task(self._until_wished(stream))
        filling = asyncio.create_task(self._filler.fill(stream))
        tasks = [thinking, wishing, filling]
        try:
            await asyncio.wait((thinking, wishing), return_when=asyncio.FIRST_COMPLETED)
            filling.cancel()
            if not wishing.done():
                tasks.append(finishing := asyncio.create_task(self._filler.finish(stream)))
                await asyncio.wait((finishing, wishing), return_when=asyncio.FIRST_COMPLETED)
            if wishing.done():
                wish = wishing.result()
                return None if wish is None else _Turn(self._dialogue.wished())
            return thinking.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _think(self, answer: Answer | None) -> _Turn:
        said = await self._dialogue.turn(answer)
        try:
            return _Turn(said, await pcm_of(self._ears.sounds, self._sounds(said.reply)))
        except RimayError as error:  # its words cannot be spoken
            return _Turn(Said(BotReply(), said.ended or self._dialogue.failed(error)))

    async def _until_wished(self, stream: AudioStream) -> Answer | None:
        """Until the caller asks for a person; None when the stream ended."""
        expected = Expected(phrases=tuple(self._wanted.asides), language=self._wanted.language)
        while True:
            heard = await self._ask(stream, Question((), _MEANWHILE, expected, answers=False), b"")
            if heard is None or self._dialogue.asks_for_a_person(heard):
                return heard
            self._type_ahead(heard.digits)

    # --- the caller's --------------------

    def _question(self, reply: BotReply) -> Question:
        rules = DigitRules(
            max_digits=reply.digits or 1, terminator="#", first_s=_ANSWER_S, between_s=3.0, barge_in=True
        )
        return Question((), rules, self._dialogue.expected(reply))

    async def _ask(self, stream: AudioStream, question: Question, pcm: bytes, typed: str = "") -> Answer | None:
        listening = Listening(self._switch, self._ears, self._clock, self._channel, question, self._carried)
        for digit in typed:
            listening.key(digit)
        self._listening = listening
        try:
            return await listening.ask_over(stream, pcm)
        finally:
            self._listening, self._carried = None, listening.left()

    def _sounds(self, reply: BotReply) -> list[Sound]:
        return [TextSound(reply.say, self._wanted.language)] if reply.say.strip() else []
