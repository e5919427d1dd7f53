"""The `voice` section of the settings: who speaks what is not recorded."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from foundation.settings import Secret, Section


class VoiceKind(StrEnum):
    EMBEDDED = "embedded"  # SVOX Pico, else espeak-ng
    PIPER = "piper"
    HTTP = "http"


class VoiceSettings(Section):
    """Whatever is chosen, the embedded voice stands in where it fails: nobody hears silence instead of words."""

    engine: VoiceKind = Field(default=VoiceKind.EMBEDDED, description="embedded, piper or http")
    program: str = Field(default="piper", description="of piper: its name or path")
    models: dict[str, str] = Field(default={}, description="of piper: a voice's .onnx file by language (es)")
    url: str = Field(default="", pattern=r"^(https?://[^\s@]+)?$", description="of the HTTP service")
    token: Secret | None = Field(default=None, description="of the HTTP service")
    timeout_s: float = Field(default=3.0, gt=0, le=30, description="for one text; then the embedded voice speaks it")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.engine is VoiceKind.PIPER and not self.models:
            raise ValueError("voice.engine is piper: name a voice's file in voice.models (es: /path/voice.onnx)")
        if self.engine is VoiceKind.HTTP and not self.url:
            raise ValueError("voice.engine is http: name the service in voice.url")
        return self
