"""The words for a person, heard beside what goes on: while a system is asked, a telephone rings, a message is left, or
in a queue. Nothing was asked, so nothing else that is said there means anything; music, tone and recording go on.

What is to be listened for follows from the call's state alone (`wanted`): after each step the ear is opened or closed
to fit it. Where none can be opened, the key for a person is what is left.
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


class Overhearing:
    """Of one call. `say` is told the words that were heard."""

    def __init__(self, switch: Switch, ears: Ears | None, say: Callable[[str], None]) -> None:
        self._switch = switch
        self._ears = ears
        self._say = say
        self._now: Wanted | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def fit(self, state: CallState) -> None:
        """Listen for what this state wants, and for nothing else. An ear that was lost is opened again."""
        if self._ears is None or self._ears.recogniser is None:
            return
        want = wanted(state)
        if want == self._now and (self._task is None or not self._task.done()):
            return
        self._end()
        self._now = want
        if want is not None:
            listening = self._listen(self._ears.beside, self._ears.recogniser, want)
            self._task = asyncio.create_task(listening, name="overhearing")

    def _end(self) -> None:
        """Each is cancelled once: closing an ear takes commands of its own."""
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        self._now = None
        self._end()
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
        endpointer = Endpointer(RATE)
        ear = await self._switch.open_ear(ChannelId(want.channel), RATE)
        try:
            await recogniser.prepare([want.expected])
            async for frame in ear:
                match endpointer.feed(frame):
                    case SpeechEnded(pcm=pcm) if pcm is not None and len(pcm) <= want.longest_s * RATE:
                        await self._understand(recogniser, want, pcm)
                    case _:
                        pass
        finally:
            await ear.close()

    async def _understand(self, recogniser: Recogniser, want: Wanted, pcm: Pcm) -> None:
        """A recogniser that fails hears nothing, this time."""
        try:
            heard = await recogniser.recognise(pcm, RATE, want.expected)
        except RimayError as error:
            log.warning("speech.not_recognised", problem=error.message)
            return
        if heard is not None and want == self._now:
            self._say(heard.text)
