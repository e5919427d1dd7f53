"""Why this agent: a decision as data, and as a sentence in Spanish for the interaction's file."""

from __future__ import annotations

from typing import Literal

import msgspec

from callcontrol.model import AgentId, AgentState
from callcontrol.routing.rules import Strategy

# Looked at one by one for an explanation; the rest is told by number. More would make the explanation dearer than the
# decision in a queue of a thousand; the customer's largest group has 43.
LOOKED_AT = 48
NAMED = 8  # candidates named in the data

How = Literal["strategy", "preferred", "direct", "by_hand"]


class Candidate(msgspec.Struct, frozen=True):
    agent: AgentId
    measure: float  # what the strategy compares: lower wins


class Excluded(msgspec.Struct, frozen=True):
    agent: AgentId
    why: str  # signed_out, not_ready, reserved, no_room, skill, blend, not_asked_for
    detail: str = ""


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """`candidates` are those who were free for it, in the strategy's order, the chosen one among them."""

    queue: str
    strategy: Strategy
    how: How
    agent: AgentId
    waited_s: float
    priority: int  # with what queue and criticality add
    criticality: str = ""
    requires: str = ""
    ring: int = 0
    relaxed_from: str = ""
    candidates: tuple[Candidate, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    not_looked_at: int = 0
    tie: bool = False  # the strategy saw no difference: who has been idle longest, then the name, decided


_STRATEGY = {
    Strategy.LONGEST_IDLE: "lleva más tiempo libre",
    Strategy.LEAST_OCCUPIED: "tiene menos carga de trabajo",
    Strategy.BEST_SKILL: "tiene el mejor nivel en lo que se pide",
    Strategy.FASTEST: "atiende en menos tiempo, según lo medido",
    Strategy.ROUND_ROBIN: "es quien sigue en el turno",
    Strategy.RING_ORDER: "está primero en el orden fijado",
}
_EXCLUDED = {
    "signed_out": ("no ha iniciado sesión", "no han iniciado sesión"),
    "not_ready": ("no está disponible", "no están disponibles"),
    "reserved": ("tiene otra oferta pendiente", "tienen otra oferta pendiente"),
    "no_room": ("está en su capacidad máxima", "están en su capacidad máxima"),
    "skill": ("no tiene la habilidad", "no tienen la habilidad"),
    "blend": ("no atiende este sentido", "no atienden este sentido"),
    "not_asked_for": ("no es la persona solicitada", "no son las personas solicitadas"),
}


def sentence(why: Why) -> str:
    """For people. Whoever asks puts names for the ids of agent and queue into `why` first."""
    parts = [f"Se ofreció a {why.agent} después de {_seconds(why.waited_s)} en la cola {why.queue}", _reason(why)]
    if why.criticality:
        parts.append(f"la atención es prioritaria ({why.criticality})")
    if why.requires:
        parts.append(f"se pedía «{why.requires}»")
    if why.relaxed_from:
        parts.append(f"por la espera se relajó lo pedido al inicio («{why.relaxed_from}», anillo {why.ring})")
    others = _others(why)
    return "; ".join(parts) + (f". {others}." if others else ".")


def _reason(why: Why) -> str:
    match why.how:
        case "by_hand":
            return "porque una persona de supervisión lo asignó"
        case "direct":
            return "porque el contacto es para esta persona"
        case "preferred":
            return "porque es su agente de preferencia"
    if len(why.candidates) == 1:
        return "porque era la única persona disponible que podía atender"
    reason = f"porque de {len(why.candidates)} personas disponibles {_STRATEGY[why.strategy]}"
    return reason + (", y entre iguales decidió el mayor tiempo libre" if why.tie else "")


def _others(why: Why) -> str:
    counts: dict[str, int] = {}
    for one in why.excluded:
        counts[one.why] = counts.get(one.why, 0) + 1
    told = [f"{number} {_EXCLUDED[kind][number > 1]}" for kind, number in counts.items()]
    if why.not_looked_at:
        told.append(f"{why.not_looked_at} más no se detallan")
    return "Del resto, " + ", ".join(told) if told else ""


def _seconds(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s"


OF_STATE = {
    AgentState.SIGNED_OUT: "signed_out",
    AgentState.NOT_READY: "not_ready",
    AgentState.RESERVED: "reserved",
}
