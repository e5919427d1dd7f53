"""The words for a person, heard beside what goes on: while a system is asked, a telephone rings, a message is left, or
in a queue. Nothing was asked, so nothing else that is said there means anything; music, tone and recording go on.

What is to be listened for follows from the call's state alone (`wanted`): after each step the ear is opened or closed
to fit it. Where none can be opened, the key for a person is what is left.

Who is speaking at the instant when the flow goes on is heard out by the ear that heard them begin, and what they said
is for the question that follows: a stream of that question's own would have half of a word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from callcontrol.call_state import CallState
from callcontrol.listening import RATE, Ears
from callcontrol.model import Phase
from foundation.errors import RimayError
from foundation.logs import get_logger
from pbx.recognition.endpointing import Endpointer, SpeechEnded
from pbx.recognition.terms import Expected, Pcm, Recogniser
from pbx.switch import Switch
from pbx.terms import ChannelId

log = get_logger(__name__)

# A wish is said in one breath: *quiero hablar con una persona*. Longer talk is with somebody beside the telephone.
_LONGEST_S = 5.0
# In a message the word stands alone: one that is part of what is told there is no wish. With what an utterance carries
# of the silence around it.
_ALONE_S = 2.4


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to listen for, on which channel; utterances longer than `longest_s` are nothing of ours."""

    channel: str
    expected: Expected
    longest_s: float = _LONGEST_S


def wanted(s: CallState) -> Wanted | None:
    """What this call's caller may say now, beside all that goes on."""
    if not s.asides or not s.answered or not s.customer_up or s.flow is None:
        return None
    expected = Expected(phrases=s.asides, language=s.language)
    if s.phase is Phase.QUEUED:
        return Wanted(s.channel, expected)
    if s.phase is not Phase.FLOW:
        return None
    if s.message is not None:
        return Wanted(s.channel, expected, _ALONE_S)
    rings = s.onward is not None and not s.onward.talks
    return Wanted(s.channel, expected) if s.request is not None or rings else None


def _goes_on(s: CallState) -> bool:
    """Whether the caller is still with the flow: in a talk nobody listens."""
    return s.phase is Phase.FLOW and s.customer_up and s.flow is not None and not (s.onward and s.onward.talks)


class Overhearing:
    """Of one call. `say` is told the words that were heard, and `carry` what was being said when the flow went on: None
    where that was nothing, after all. While `is_hearing_out`, one or the other is still to come."""

    def __init__(
        self, switch: Switch, ears: Ears | None, say: Callable[[str], None], carry: Callable[[Pcm | None], None]
    ) -> None:
        self._switch = switch
        self._ears = ears
        self._say = say
        self._carry = carry
        self._now: Wanted | None = None
        self._task: asyncio.Task[None] | None = None
        self._endpointer: Endpointer | None = None  # of the ear that is open now
        self._understanding = False
        self._hearing_out: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def fit(self, state: CallState) -> None:
        """Listen for what this state wants, and for nothing else. An ear that was lost is opened again."""
        if self._ears is None or self._ears.recogniser is None:
            return
        goes_on = _goes_on(state)
        if self._hearing_out is not None and not goes_on:
            self._hearing_out.cancel()
            self._heard_out(self._hearing_out, None)
        want = wanted(state)
        if want == self._now and (self._task is None or not self._task.done()):
            return
        self._end(hear_out=goes_on)
        self._now = want
        if want is not None:
            listening = self._listen(self._ears.beside, self._ears.recogniser, want)
            self._task = asyncio.create_task(listening, name="overhearing")

    @property
    def is_hearing_out(self) -> bool:
        return self._hearing_out is not None

    @property
    def _somebody_speaks(self) -> bool:
        return self._understanding or (self._endpointer is not None and self._endpointer.in_speech)

    def _heard_out(self, task: asyncio.Task[None] | None, pcm: Pcm | None) -> None:
        if task is not None and task is self._hearing_out:
            self._hearing_out = None
            self._carry(pcm)

    def _end(self, *, hear_out: bool = False) -> None:
        """Each is cancelled once: closing an ear takes commands of its own."""
        task, self._task = self._task, None
        if task is not None and not task.done():
            if hear_out and self._hearing_out is None and self._somebody_speaks:
                self._hearing_out = task
            else:
                task.cancel()
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        self._now = None
        self._end()
        if self._hearing_out is not None:
            self._hearing_out.cancel()
            self._hearing_out = None
        await self._closed()

    async def _closed(self) -> None:
        if self._closing:
            await asyncio.wait(set(self._closing))

    async def _listen(self, beside: asyncio.Semaphore, recogniser: Recogniser, want: Wanted) -> None:
        await self._closed()
        if beside.locked():
            log.info("speech.no_ear_left")
            return
        async with beside:
            try:
                await self._hear(recogniser, want)
            except RimayError as error:
                log.info("speech.not_overheard", code=error.code, problem=error.message)
            except Exception:  # the call goes on, with the key
                log.exception("speech.overhearing_failed")

    async def _hear(self, recogniser: Recogniser, want: Wanted) -> None:
        me = asyncio.current_task()
        ear = await self._switch.open_ear(ChannelId(want.channel), RATE)
        try:
            await recogniser.prepare([want.expected])
            self._endpointer = endpointer = Endpointer(RATE)
            async for frame in ear:
                mark = endpointer.feed(frame)
                if not isinstance(mark, SpeechEnded):
                    continue
                now = want if me is not self._hearing_out else self._now
                if now is not None and mark.pcm is not None and len(mark.pcm) <= now.longest_s * RATE:
                    await self._understand(recogniser, now, mark.pcm)
                if me is self._hearing_out:
                    return self._heard_out(me, mark.pcm)
        finally:
            self._heard_out(me, None)
            await ear.close()

    async def _understand(self, recogniser: Recogniser, want: Wanted, pcm: Pcm) -> None:
        """A recogniser that fails hears nothing, this time."""
        self._understanding = True
        try:
            heard = await recogniser.recognise(pcm, RATE, want.expected)
        except RimayError as error:
            log.warning("speech.not_recognised", problem=error.message)
            return
        finally:
            self._understanding = False
        if heard is not None and want == self._now:
            self._say(heard.text)
