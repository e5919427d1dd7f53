"""What a caller in a queue is told: the place, and how long it may take."""

from __future__ import annotations

from ivr_flows.protocol import Prompt, PromptText
from ivr_flows.speech.saying import say
from ivr_flows.speech.spanish import cardinal


def waiting_prompts(position: int | None, wait_s: float | None, language: str = "es") -> tuple[Prompt, ...]:
    """`position` counts from 1. What is not known, or not to be told, is None and left out."""
    spanish = language[:2] == "es"
    texts = []
    if position is not None:
        texts.append(_place(position) if spanish else f"You are number {position} in the line.")
    if wait_s is not None:
        words = say("duration", wait_s) if spanish else f"{max(1, round(wait_s / 60))} minutes"
        texts.append(f"El tiempo aproximado de espera es de {words}." if spanish else f"The expected wait is {words}.")
    return tuple(PromptText(text, language) for text in texts)


def reassurance(language: str = "es") -> tuple[Prompt, ...]:
    """To a caller in a queue who asks for a person."""
    if language[:2] == "es":
        text = "Usted ya está en la fila. Por favor, no cuelgue: le atenderemos en cuanto sea posible."
    else:
        text = "You are in the line already. Please stay: we will be with you as soon as we can."
    return (PromptText(text, language),)


def _place(position: int) -> str:
    if position <= 1:
        return "Usted es el siguiente en ser atendido."
    ahead = position - 1
    if ahead == 1:
        return "Antes de usted hay una persona."
    return f"Antes de usted hay {cardinal(ahead, feminine=True)} personas."
