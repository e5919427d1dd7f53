"""A small bot of our own: it finds out which service has a problem, where, and the contract, by keys or by words. It
can also be made slow, wrong or silent. The protocol is in `docs/bots.md`.

Run it beside a platform: ``python -m app.demo_bot --port 8810``, with the settings

    bots: [{name: averias, url: "http://127.0.0.1:8810/turno"}]
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from app.demo_customer_system import Faults, held_up

MOST_TRIES = 3


@dataclass(frozen=True, slots=True)
class Slot:
    """A question, and what answers it: keys or words that stand for a value, or so many digits."""

    name: str
    question: str
    choices: Mapping[str, str] = field(default_factory=dict)  # key: value, which may also be said
    digits: int = 0


SLOTS = (
    Slot(
        "servicio",
        "¿Qué servicio tiene el problema? Diga internet, agua potable o telefonía; o marque uno, dos o tres.",
        {"1": "internet", "2": "agua potable", "3": "telefonía"},
    ),
    Slot("contrato", "Marque o diga los seis dígitos de su contrato.", digits=6),
    Slot("urgente", "¿Es urgente? Diga sí o no; o marque uno para sí y dos para no.", {"1": "sí", "2": "no"}),
)


def turn(told: Mapping[str, Any]) -> dict[str, Any]:
    """One turn, from nothing but what it is told: the slots carry the state."""
    slots = {str(name): value for name, value in dict(told.get("slots", {})).items()}
    asked = next((slot for slot in SLOTS if slot.name not in slots), None)
    said = ""
    if asked is not None and (told.get("text") or told.get("digits") or told.get("silence")):
        value = _value(asked, str(told.get("digits", "")), str(told.get("text", "")))
        if value is None:
            tries = int(slots.get("intentos", 0)) + 1
            slots["intentos"] = tries
            if tries >= MOST_TRIES:
                return {
                    "escalate": True,
                    "reason": "no_entendido",
                    "slots": slots,
                    "say": "Le comunico con una persona.",
                }
            said = "No le entendí. "
        else:
            slots[asked.name], slots["intentos"] = value, 0
            asked = next((slot for slot in SLOTS if slot.name not in slots), None)
    if asked is None:
        return {"done": True, "slots": slots, "say": f"Gracias. Registré su problema de {slots['servicio']}."}
    expect = {"digits": asked.digits, "phrases": list(asked.choices.values())}
    return {"say": said + asked.question, "slots": slots, "expect": expect}


def _value(slot: Slot, digits: str, text: str) -> str | None:
    if slot.digits:
        found = digits or text
        return found if found.isdigit() and len(found) == slot.digits else None
    if digits:
        return slot.choices.get(digits)
    said = text.casefold()
    return next((value for value in slot.choices.values() if value.casefold() in said), None)


class DemoBot:
    def __init__(self) -> None:
        self.faults = Faults()
        self.turns: list[Mapping[str, Any]] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/turno", self._turn)
        return app

    async def _turn(self, request: web.Request) -> web.StreamResponse:
        told = await request.json()
        self.turns.append(told)
        return await held_up(self.faults) or web.json_response(turn(told))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=8810)
    web.run_app(DemoBot().app(), host="127.0.0.1", port=parser.parse_args().port)


if __name__ == "__main__":
    main()
