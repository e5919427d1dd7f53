"""A caller talks with a bot: the bot's words are spoken, the caller's keys or words are its next turn
(`callcontrol.bot_dialogue` has the turns)."""

from __future__ import annotations

from callcontrol.bot_dialogue import BotDialogue, BotReply, Bots
from callcontrol.listening import Answer, Ears, Listening, Question
from foundation.clock import Clock
from foundation.errors import RimayError
from foundation.logs import get_logger
from ivr_flows.protocol import Converse, Conversed
from pbx.recognition.terms import Expected
from pbx.switch import Switch
from pbx.terms import ChannelId, DigitRules, Sound, SwitchError, TextSound

log = get_logger(__name__)

_ANSWER_S = 6.0
# After the bot's last words nothing is waited for.
_NO_WAIT_S = 0.1


class BotTalk:
    """`talk` is its life; `key` is told of each key of the channel meanwhile."""

    def __init__(
        self, switch: Switch, ears: Ears, clock: Clock, bots: Bots, channel: ChannelId, session: str, wanted: Converse
    ) -> None:
        self._switch = switch
        self._ears = ears
        self._clock = clock
        self._channel = channel
        self._language = wanted.language
        self._dialogue = BotDialogue(clock, bots, session, wanted)
        self._listening: Listening | None = None

    def key(self, digit: str) -> None:
        if self._listening is not None:
            self._listening.key(digit)

    async def talk(self) -> Conversed | None:
        """How it ended; None when the caller's audio ended first, or could not be had: what that means is not the
        bot's affair. Never raises for what the bot does."""
        try:
            said = await self._dialogue.turn()
            while said.ended is None:
                answer = await self._hear(said.reply)
                if answer is None:
                    return None
                said = await self._dialogue.turn(answer)
            await self._say_farewell(said.reply)
        except SwitchError as error:
            log.info("bot.no_audio", code=error.code, problem=error.message)
            return None
        except RimayError as error:  # its words cannot be spoken
            return self._dialogue.failed(error)
        return said.ended

    async def _hear(self, reply: BotReply) -> Answer | None:
        rules = DigitRules(
            max_digits=reply.digits or 1, terminator="#", first_s=_ANSWER_S, between_s=3.0, barge_in=True
        )
        return await self._ask(Question(self._sounds(reply), rules, self._dialogue.expected(reply)))

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
        return [TextSound(reply.say, self._language)] if reply.say.strip() else []
