"""What a recogniser hears: whole utterances in, one of the expected phrases out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from foundation.errors import RimayError

Pcm = NDArray[np.int16]


class RecognitionFailed(RimayError):
    """The recogniser itself could not do its work; the message never says what was said."""

    code = "speech.recognition_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the caller may say: one of the `phrases`, or with `digits` so many digits, one after the other. Neither:
    anything, where the recogniser can do that."""

    phrases: tuple[str, ...] = ()
    digits: int = 0
    language: str = "es"


@dataclass(frozen=True, slots=True)
class Recognised:
    """`text` is one of the phrases as it was expected, or figures (``0102``), or free text; personal data. `sure` goes
    from 0 to 1 and means something only beside others of the same recogniser."""

    text: str = field(repr=False)
    sure: float


class Recogniser(Protocol):
    """Gives whole utterances their words; safe to use from many calls at once."""

    async def prepare(self, expected: Sequence[Expected]) -> None:
        """What will be asked soon: models may be made ahead. Raises `RecognitionFailed`."""
        ...

    async def recognise(self, pcm: Pcm, rate: int, expected: Expected) -> Recognised | None:
        """None when it was nothing of what is expected. Raises `RecognitionFailed`."""
        ...

    async def close(self) -> None: ...
