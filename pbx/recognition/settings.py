"""The `speech` section of the settings: who hears what callers say."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from foundation.settings import Secret, Section

# Each takes 0.5 (FreeSWITCH) to 0.8 (Asterisk) percent of a processor, in the daemon: thirty, a quarter of one.
MOST_BESIDE = 30


class RecogniserKind(StrEnum):
    NONE = "none"  # callers answer by keys alone
    LIKENESS = "likeness"  # built in: few phrases, no model from elsewhere
    VOSK = "vosk"
    HTTP = "http"


class SpeechSettings(Section):
    recogniser: RecogniserKind = Field(default=RecogniserKind.NONE, description="none, likeness, vosk or http")
    models: dict[str, str] = Field(default={}, description="of vosk: a model's folder by language (es)")
    url: str = Field(default="", pattern=r"^(https?://[^\s@]+)?$", description="of the HTTP service")
    token: Secret | None = Field(default=None, description="of the HTTP service")
    timeout_s: float = Field(default=3.0, gt=0, le=10, description="of the HTTP service, for one utterance")
    most_beside: int = Field(
        default=MOST_BESIDE,
        ge=0,
        le=1000,
        description="callers whose words for a person are heard while they wait, at once; the others have the key",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.recogniser is RecogniserKind.VOSK and not self.models:
            raise ValueError("speech.recogniser is vosk: name a model's folder in speech.models (es: /path)")
        if self.recogniser is RecogniserKind.HTTP and not self.url:
            raise ValueError("speech.recogniser is http: name the service in speech.url")
        return self
