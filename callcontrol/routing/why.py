"""Why this agent: a decision as data, and as a sentence in Spanish or English for who reads the interaction's file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from callcontrol.model import AgentId, AgentState
from callcontrol.routing.rules import Strategy
from callcontrol.routing.skills import BadNeed, Need, parse

# Looked at one by one for an explanation; the rest is told by number. More would make the explanation dearer than the
# decision in a queue of a thousand; the customer's largest group has 43.
LOOKED_AT = 48
NAMED = 8  # candidates named in the data

How = Literal["strategy", "preferred", "direct", "by_hand"]
Language = Literal["es", "en"]


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
    tie_by_name: bool = False  # nor was there any in idle time


_STRATEGY: Mapping[Language, Mapping[Strategy, str]] = {
    "es": {
        Strategy.LONGEST_IDLE: "lleva más tiempo libre",
        Strategy.LEAST_OCCUPIED: "tiene menos carga de trabajo",
        Strategy.BEST_SKILL: "tiene el mejor nivel en lo que se pide",
        Strategy.FASTEST: "atiende en menos tiempo, según lo medido",
        Strategy.ROUND_ROBIN: "es quien sigue en el turno",
        Strategy.RING_ORDER: "está primero en el orden fijado",
    },
    "en": {
        Strategy.LONGEST_IDLE: "has been free the longest",
        Strategy.LEAST_OCCUPIED: "has the least work",
        Strategy.BEST_SKILL: "has the best level in what is required",
        Strategy.FASTEST: "handles contacts the fastest, as measured",
        Strategy.ROUND_ROBIN: "is the next in turn",
        Strategy.RING_ORDER: "is the first in the fixed order",
    },
}
_EXCLUDED: Mapping[Language, Mapping[str, tuple[str, str]]] = {
    "es": {
        "signed_out": ("no ha iniciado sesión", "no han iniciado sesión"),
        "not_ready": ("no está disponible", "no están disponibles"),
        "reserved": ("tiene otra oferta pendiente", "tienen otra oferta pendiente"),
        "no_room": ("está en su capacidad máxima", "están en su capacidad máxima"),
        "skill": ("no tiene la habilidad", "no tienen la habilidad"),
        "blend": ("no atiende este sentido", "no atienden este sentido"),
        "not_asked_for": ("no es la persona solicitada", "no son las personas solicitadas"),
    },
    "en": {
        "signed_out": ("is not signed in", "are not signed in"),
        "not_ready": ("is not ready", "are not ready"),
        "reserved": ("has another offer open", "have another offer open"),
        "no_room": ("is at full capacity", "are at full capacity"),
        "skill": ("lacks the skill", "lack the skill"),
        "blend": ("does not take this direction", "do not take this direction"),
        "not_asked_for": ("is not the person asked for", "are not the persons asked for"),
    },
}
_SAID: Mapping[Language, Mapping[str, str]] = {
    "es": {
        "offered": "Se ofreció a {agent} después de {waited} en la cola {queue}",
        "criticality": "la atención es prioritaria ({criticality})",
        "requires": "se pedía «{requires}»",
        "relaxed": "por la espera se relajó lo pedido al inicio («{relaxed}», paso {ring})",
        "by_hand": "porque una persona de supervisión lo asignó",
        "direct": "porque el contacto es para esta persona",
        "preferred": "porque es su agente de preferencia",
        "only_one": "porque era la única persona disponible que podía atender",
        "strategy": "porque de {count} personas disponibles {best}",
        "tie": ", y entre iguales decidió el mayor tiempo libre",
        "tie_by_name": ", y entre iguales también en tiempo libre decidió el orden de los nombres",
        "others": "Del resto, ",
        "not_looked_at": "{count} más no se detallan",
    },
    "en": {
        "offered": "Offered to {agent} after {waited} in the queue {queue}",
        "criticality": "the contact has priority ({criticality})",
        "requires": "“{requires}” was required",
        "relaxed": "with waiting, what was required at first was relaxed (“{relaxed}”, step {ring})",
        "by_hand": "because a supervisor assigned it",
        "direct": "because the contact is for this person",
        "preferred": "because they are the preferred agent",
        "only_one": "because nobody else was free who could take it",
        "strategy": "because of {count} people who were free this one {best}",
        "tie": ", and among equals the longest free time decided",
        "tie_by_name": ", and among equals, in free time too, the order of names decided",
        "others": "Of the others, ",
        "not_looked_at": "{count} more are not told in detail",
    },
}


# Of the names that come with Rimay; one of the organisation's own is shown as it was written.
_CRITICALITY: Mapping[Language, Mapping[str, str]] = {
    "es": {
        "special_capacities": "capacidades especiales",
        "outage": "corte o avería",
        "vulnerable": "situación de vulnerabilidad",
    },
    "en": {"special_capacities": "special capacities", "outage": "outage", "vulnerable": "vulnerable person"},
}
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "es": {"and": " y ", "or": " o ", "not": "sin ", "level": "nivel"},
    "en": {"and": " and ", "or": " or ", "not": "without ", "level": "level"},
}


def criticality_title(name: str, language: Language = "es") -> str:
    return _CRITICALITY[language].get(name) or name.replace("_", " ").replace("-", " ")


def asked_in_words(requires: str, titles: Mapping[str, str], language: Language = "es") -> str:
    """An expression over skills with the skills' titles: «Internet nivel 3 y Inglés»."""
    try:
        need = parse(requires)
    except BadNeed:
        return requires
    return _need(need, titles, _WORDS[language], inside=False)


def _need(need: Need, titles: Mapping[str, str], words: Mapping[str, str], *, inside: bool) -> str:
    match need[0]:
        case "cmp":
            _, skill, op, level = need
            title = titles.get(skill) or skill
            if (op, level) == (">=", 1):
                return title
            return f"{title} {words['level']} {level}" if op == ">=" else f"{title} {words['level']} {op} {level}"
        case "not":
            return words["not"] + _need(need[1], titles, words, inside=True)
        case word:
            text = words[word].join(_need(part, titles, words, inside=True) for part in need[1:])
            return f"({text})" if inside else text


def sentence(why: Why, language: Language = "es", titles: Mapping[str, str] = {}) -> str:
    """For people. Whoever asks puts names for the ids of agent and queue into `why` first; `titles` are the skills'."""
    said = _SAID[language]
    parts = [said["offered"].format(agent=why.agent, waited=_seconds(why.waited_s), queue=why.queue)]
    parts.append(_reason(why, language))
    if why.criticality:
        parts.append(said["criticality"].format(criticality=criticality_title(why.criticality, language)))
    if why.requires:
        parts.append(said["requires"].format(requires=asked_in_words(why.requires, titles, language)))
    if why.relaxed_from:
        parts.append(said["relaxed"].format(relaxed=asked_in_words(why.relaxed_from, titles, language), ring=why.ring))
    others = _others(why, language)
    return "; ".join(parts) + (f". {others}." if others else ".")


def _reason(why: Why, language: Language) -> str:
    said = _SAID[language]
    if why.how != "strategy":
        return said[why.how]
    if len(why.candidates) == 1:
        return said["only_one"]
    reason = said["strategy"].format(count=len(why.candidates), best=_STRATEGY[language][why.strategy])
    return reason + (said["tie_by_name"] if why.tie_by_name else said["tie"] if why.tie else "")


def _others(why: Why, language: Language) -> str:
    said = _SAID[language]
    counts: dict[str, int] = {}
    for one in why.excluded:
        counts[one.why] = counts.get(one.why, 0) + 1
    told = [f"{number} {_EXCLUDED[language][kind][number > 1]}" for kind, number in counts.items()]
    if why.not_looked_at:
        told.append(said["not_looked_at"].format(count=why.not_looked_at))
    return said["others"] + ", ".join(told) if told else ""


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


# How an item left a queue without an agent, by the facts' words.
_LEFT: Mapping[Language, Mapping[str, str]] = {
    "es": {
        "timeout": "esperó el tiempo máximo",
        "time": "esperó el tiempo máximo",
        "no_agents": "nadie conectado podía atender",
        "closed": "la cola estaba cerrada",
        "full": "la cola estaba llena",
        "length": "ya esperaban demasiados",
        "expected_wait": "la espera prevista era demasiado larga",
        "unknown_queue": "la cola no existe",
        "supervisor": "una persona de supervisión lo pasó a otra cola",
    },
    "en": {
        "timeout": "it had waited the longest that is allowed",
        "time": "it had waited the longest that is allowed",
        "no_agents": "nobody signed in could take it",
        "closed": "the queue was closed",
        "full": "the queue was full",
        "length": "too many were waiting",
        "expected_wait": "the expected wait was too long",
        "unknown_queue": "there is no such queue",
        "supervisor": "a supervisor moved it to another queue",
    },
}
_STEPS: Mapping[Language, Mapping[str, str]] = {
    "es": {
        "left": "Salió de la cola {queue} sin agente después de {waited}: {reason}.",
        "relaxed": "Tras {waited} en la cola {queue} se relajó lo pedido (paso {ring}): ahora se pide «{requires}».",
        "nothing": "Tras {waited} en la cola {queue} se relajó lo pedido (paso {ring}): ya no se pide habilidad.",
    },
    "en": {
        "left": "Left the queue {queue} without an agent after {waited}: {reason}.",
        "relaxed": "After {waited} in the queue {queue} less is required (step {ring}): “{requires}”.",
        "nothing": "After {waited} in the queue {queue} less is required (step {ring}): no skill any more.",
    },
}


def left_sentence(queue: str, how: str, waited_s: float, language: Language = "es") -> str | None:
    """None for who was answered or left by their own will: that is no decision of the router's."""
    reason = _LEFT[language].get(how.removeprefix("moved:"))
    if reason is None:
        return None
    return _STEPS[language]["left"].format(queue=queue, waited=_seconds(waited_s), reason=reason)


def relaxed_sentence(
    queue: str, ring: int, requires: str, waited_s: float, language: Language = "es", titles: Mapping[str, str] = {}
) -> str:
    asked = asked_in_words(requires, titles, language)
    said = _STEPS[language]["relaxed" if asked else "nothing"]
    return said.format(queue=queue, ring=ring, waited=_seconds(waited_s), requires=asked)
