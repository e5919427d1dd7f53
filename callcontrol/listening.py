"""One question that is answered by keys or by speech: the prompt goes out and the caller's voice comes in over one
audio stream of the switch.

Keys follow `pbx.collect`, as in a question without ears. Speech that begins stops the prompt where barge-in is allowed;
while somebody speaks nobody runs out of time; an utterance that ends is recognised, and that is the answer, also when
it was none of the phrases. A recogniser that fails hears nothing: then keys are what is left, and the time runs on.

What somebody says across the boundary of two questions is carried over: it answers the second one where it fits there,
and else says nothing about it, for it was begun before that was asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import soundfile

from foundation.clock import Clock, Timer, pause
from foundation.errors import RimayError
from foundation.logs import get_logger
from ivr_flows.protocol import UNEXPECTED
from pbx import collect
from pbx.recognition.endpointing import Endpointer, SpeechBegan, SpeechEnded
from pbx.recognition.settings import MOST_BESIDE
from pbx.recognition.terms import Expected, Pcm, Recogniser
from pbx.sounds import SoundLibrary
from pbx.switch import AudioStream, Switch
from pbx.terms import ChannelGone, ChannelId, DigitRules, DigitsEnd, Sound

log = get_logger(__name__)

RATE = 8000
# A prompt goes out in pieces, so that stopping it has little to take back.
_PIECE = RATE // 5 * 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Ears:
    """What hearing takes: who recognises (None: only keys are heard), and the sounds that are said."""

    sounds: SoundLibrary
    recogniser: Recogniser | None = None
    # Callers who are listened to beside what goes on, at once: each takes a part of the daemon's processor.
    beside: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_BESIDE))

    async def close(self) -> None:
        if self.recogniser is not None:
            await self.recogniser.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`phrase` is one of those expected, figures, free text, or `UNEXPECTED`; empty where nobody spoke."""

    digits: str
    end: DigitsEnd
    phrase: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """`answers` False: what is expected are asides. Speech then neither stops the prompt nor counts as a wrong answer;
    only an aside that is understood ends the question, and with `to_the_end` not before the prompt has."""

    sounds: Sequence[Sound]
    rules: DigitRules
    expected: Expected
    answers: bool = True
    to_the_end: bool = False


@dataclass(frozen=True, slots=True)
class Carried:
    """What was being said when a question ended: an utterance that goes on, or the last one, not yet understood."""

    endpointer: Endpointer
    pcm: Pcm | None


@dataclass(frozen=True, slots=True)
class _Frame:
    pcm: bytes


@dataclass(frozen=True, slots=True)
class _Understood:
    """What an utterance was; None: nothing that was expected. `carried`: it was begun before the question."""

    text: str | None
    failed: bool = False
    carried: bool = False


@dataclass(frozen=True, slots=True)
class _CarriedOver:
    """What somebody else heard out."""

    pcm: Pcm | None


class _Over:
    """The stream ended: the caller is gone, or somebody else took the channel."""


_Heard: TypeAlias = "_Frame | _Understood | _CarriedOver | _Over | collect.Input"


class Listening:
    """`ask` is its life; `key` is told of each key of the channel meanwhile."""

    def __init__(
        self,
        switch: Switch,
        ears: Ears,
        clock: Clock,
        channel: ChannelId,
        question: Question,
        carried: Carried | None = None,
    ) -> None:
        self._switch = switch
        self._ears = ears
        self._clock = clock
        self._channel = channel
        self._question = question
        self._inbox: asyncio.Queue[_Heard] = asyncio.Queue()
        self._endpointer = Endpointer(RATE) if carried is None else carried.endpointer
        self._is_carried = self._endpointer.in_speech
        self._unheard = None if carried is None else carried.pcm  # what is being understood, or is to be
        self._tasks: list[asyncio.Task[None]] = []
        self._speaker: asyncio.Task[None] | None = None
        self._understanding = False
        self._is_heard_elsewhere = False
        self._aside = ""  # said while the prompt must be heard to its end
        self._timer: Timer | None = None

    def key(self, digit: str) -> None:
        self._inbox.put_nowait(collect.Digit(digit))

    def wait_for_carried(self) -> None:
        """Somebody else hears out who is speaking now, and tells by `carry`: until then nothing is heard here."""
        self._is_heard_elsewhere = True

    def carry(self, pcm: Pcm | None) -> None:
        """What was begun before this question; None: it was nothing."""
        self._inbox.put_nowait(_CarriedOver(pcm))

    async def ask(self) -> Answer | None:
        """The answer; None when the stream ended before there was one. Raises what the switch and the sounds do."""
        pcm = await pcm_of(self._ears.sounds, self._question.sounds)
        stream = await self._switch.open_stream(self._channel, RATE)
        try:
            return await self.ask_over(stream, pcm)
        finally:
            await stream.close()

    async def ask_over(self, stream: AudioStream, pcm: bytes) -> Answer | None:
        """As `ask`, over a stream that stays open afterwards, with the question's sounds as `pcm_of` makes them."""
        try:
            self._start(self._listen(stream))
            self._start(self._prepare())
            if self._unheard is not None:
                self._begin_to_understand(self._unheard, carried=True)
            answer = await self._until_answered(stream, pcm)
            if answer is not None and self._speaker is not None and not self._speaker.done():
                await self._hush(stream)
            return answer
        finally:
            if self._timer is not None:
                self._timer.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def left(self) -> Carried:
        """Once it is over: what was being said, for the question that follows on the same stream."""
        return Carried(self._endpointer, self._unheard)

    async def _until_answered(self, stream: AudioStream, pcm: bytes) -> Answer | None:
        now = self._clock.now()
        state = collect.begin(self._question.rules, prompt=bool(pcm), at=now)
        if pcm:
            self._speaker = self._start(self._say(stream, pcm))
        self._set_timer(state)
        while True:
            heard = await self._inbox.get()
            if isinstance(heard, _Over):
                return None
            if isinstance(heard, _Understood):
                self._understanding, self._unheard = False, None
                if heard.text is not None and self._question.to_the_end and state.prompting:
                    self._aside = heard.text
                    continue
                answers = self._question.answers and not heard.failed and not heard.carried
                if heard.text is not None or answers:
                    return Answer(digits="", end=DigitsEnd.COMPLETE, phrase=heard.text or UNEXPECTED)
                state = self._waited_for_nothing(state)
                continue
            if isinstance(heard, _CarriedOver):
                state = self._carried_over(state, heard.pcm)
                continue
            if isinstance(heard, _Frame):
                state = await self._voice(stream, state, heard.pcm)
                continue
            if isinstance(heard, collect.Tick) and self._somebody_speaks:
                continue  # who speaks is not out of time
            state, effects = collect.step(state, heard, self._clock.now())
            for effect in effects:
                if isinstance(effect, collect.StopPrompt):
                    await self._hush(stream)
                else:
                    return Answer(digits=effect.digits, end=effect.end, phrase=self._aside)
            self._set_timer(state)

    @property
    def _somebody_speaks(self) -> bool:
        return self._endpointer.in_speech or self._understanding or self._is_heard_elsewhere

    def _is_deaf(self, state: collect.Collecting) -> bool:
        busy = state.digits or self._understanding or self._aside or self._is_heard_elsewhere
        must_be_heard = state.prompting and not self._question.rules.barge_in and not self._question.to_the_end
        return self._ears.recogniser is None or bool(busy) or must_be_heard

    def _carried_over(self, state: collect.Collecting, pcm: Pcm | None) -> collect.Collecting:
        self._is_heard_elsewhere = False
        if pcm is None or self._is_deaf(state):
            return self._waited_for_nothing(state)
        self._begin_to_understand(pcm, carried=True)
        return state

    def _waited_for_nothing(self, state: collect.Collecting) -> collect.Collecting:
        """Nobody answered after all: the time for an answer begins again."""
        if not state.prompting:
            state = collect.begin(self._question.rules, prompt=False, at=self._clock.now())
            self._set_timer(state)
        return state

    async def _voice(self, stream: AudioStream, state: collect.Collecting, frame: bytes) -> collect.Collecting:
        if self._is_deaf(state):
            self._endpointer.forget()
            self._is_carried = False
            return state
        mark = self._endpointer.feed(frame)
        carried, self._is_carried = self._is_carried, self._is_carried and self._endpointer.in_speech
        match mark:
            case SpeechBegan() if state.prompting and self._question.answers:
                await self._hush(stream)
                state, _ = collect.step(state, collect.PromptEnded(), self._clock.now())
            case SpeechEnded(pcm=None):
                state = self._waited_for_nothing(state)  # a cough
            case SpeechEnded(pcm=pcm) if pcm is not None:
                self._begin_to_understand(pcm, carried=carried)
            case _:
                pass
        return state

    # --- what runs beside --------------------

    async def _listen(self, stream: AudioStream) -> None:
        try:
            async for frame in stream:
                self._inbox.put_nowait(_Frame(frame))
        finally:
            self._inbox.put_nowait(_Over())

    async def _prepare(self) -> None:
        """While the prompt is heard, so that the first caller's answer waits for nothing."""
        if self._ears.recogniser is not None:
            with suppress(RimayError):  # told when it is needed
                await self._ears.recogniser.prepare([self._question.expected])

    async def _say(self, stream: AudioStream, pcm: bytes) -> None:
        """The prompt, and when it was heard to its end: the switch paces it, and takes more than it has played."""
        begun = self._clock.now()
        with suppress(ChannelGone):  # `_listen` says so
            for start in range(0, len(pcm), _PIECE):
                await stream.send(pcm[start : start + _PIECE])
            await pause(self._clock, begun + seconds_of(pcm) - self._clock.now())
            self._inbox.put_nowait(collect.PromptEnded())

    async def _hush(self, stream: AudioStream) -> None:
        if self._speaker is not None:
            self._speaker.cancel()
            await asyncio.gather(self._speaker, return_exceptions=True)
            self._speaker = None
        await stream.flush()

    def _begin_to_understand(self, pcm: Pcm, *, carried: bool) -> None:
        self._understanding, self._unheard = True, pcm
        self._start(self._understand(pcm, carried))

    async def _understand(self, pcm: Pcm, carried: bool) -> None:
        recogniser = self._ears.recogniser
        found = _Understood(None, failed=True, carried=carried)
        try:
            if recogniser is not None:
                heard = await recogniser.recognise(pcm, RATE, self._question.expected)
                found = _Understood(None if heard is None else heard.text, carried=carried)
        except RimayError as error:
            log.warning("speech.not_recognised", problem=error.message)
        finally:
            self._inbox.put_nowait(found)

    def _set_timer(self, state: collect.Collecting) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if state.deadline is not None:
            delay = max(0.0, state.deadline - self._clock.now()) + 0.002
            self._timer = self._clock.call_later(delay, lambda: self._inbox.put_nowait(collect.Tick()))

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.append(task)
        return task


def seconds_of(pcm: bytes) -> float:
    return len(pcm) / 2 / RATE


async def pcm_of(sounds: SoundLibrary, wanted: Sequence[Sound]) -> bytes:
    """One after the other, as 16 bit samples at `RATE`. Raises the sound library's errors."""
    paths = [await sounds.resolve(sound, RATE) for sound in wanted]
    pieces = [await asyncio.to_thread(soundfile.read, path, dtype="int16") for path in paths]
    return b"".join(np.asarray(samples, "<i2").tobytes() for samples, _ in pieces)
