"""A flow's prompts as a switch's sounds."""

from __future__ import annotations

from collections.abc import Sequence

from ivr_flows.protocol import Prompt, PromptFile, PromptText, PromptTone
from pbx.terms import FileSound, Sound, TextSound, ToneSound


def sounds_of(prompts: Sequence[Prompt]) -> list[Sound]:
    return [_sound_of(prompt) for prompt in prompts]


def _sound_of(prompt: Prompt) -> Sound:
    match prompt:
        case PromptFile():
            return FileSound(f"{prompt.language}/{prompt.name}", fallback=_spoken(prompt))
        case PromptText():
            return TextSound(prompt.text, prompt.language)
        case PromptTone():
            return ToneSound(prompt.hz, prompt.ms)


def _spoken(prompt: PromptFile) -> TextSound | None:
    return TextSound(prompt.fallback_text, prompt.language) if prompt.fallback_text else None
