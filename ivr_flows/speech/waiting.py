"""What a caller in a queue is told: the place, and how long it may take."""

from __future__ import annotations

from ivr_flows.protocol import Prompt, PromptText
from ivr_flows.speech.saying import say, say_count


def waiting_prompts(position: int | None, wait_s: float | None, language: str = "es") -> tuple[Prompt, ...]:
    """`position` counts from 1. What is not known, or not to be told, is None and left out."""
    spanish = language[:2] == "es"
    texts = []
    if position is not None:
        place = _place if spanish else _place_in_english
        texts.append(place(position))
    if wait_s is not None:
        words = say("duration", wait_s, "es" if spanish else "en")
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
    return f"Antes de usted hay {say_count(position - 1, 'persona')}."


def _place_in_english(position: int) -> str:
    if position <= 1:
        return "You are next in the line."
    people = say_count(position - 1, "person", "people", language="en")
    return f"There {'is' if position == 2 else 'are'} {people} before you."
