"""What lasts too long, with hysteresis: who is told of something is not told again while it goes up and down.

Pure: a look is given everything that is measured now and answers with what began and what is over. `Measure.value`
raises at `limit` and clears below `clear`, or when it is measured no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from callcontrol.model import AgentId, InteractionId
from callcontrol.routing.service_level import ServiceLevel

# A service level that was alarming is well again this far above its target.
LEVEL_MARGIN = 0.03


class Kind(StrEnum):
    WAITING = "waiting_too_long"
    HELD = "held_too_long"
    WRAP_UP = "wrap_up_too_long"
    NOT_RESPONDING = "agent_not_responding"
    LEVEL = "service_level_at_risk"
    UNSTAFFED = "queue_without_agents"
    UNQUALIFIED = "no_qualified_agent"
    ORGANISATION = "organisation_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """`about` is what it is about: an interaction's, agent's or queue's id. `since` is when it began, unix seconds."""

    kind: Kind
    about: str
    value: float
    limit: float
    clear: float
    since: float
    message: str  # in Spanish
    figures: Mapping[str, float] = field(default_factory=dict)  # those of the message, to say it in another language
    queue: str | None = None
    agent: AgentId | None = None
    interaction: InteractionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """Raised and not yet over; `measure` is the newest one."""

    id: str
    raised_at: float
    measure: Measure


class Watch:
    def __init__(self) -> None:
        self._open: dict[tuple[Kind, str], Stall] = {}

    @property
    def open(self) -> list[Stall]:
        """Oldest first."""
        return sorted(self._open.values(), key=lambda stall: (stall.raised_at, stall.id))

    def look(self, measures: Iterable[Measure], at: float) -> tuple[list[Stall], list[Stall]]:
        """What began and what is over."""
        raised, over = [], []
        seen = {(measure.kind, measure.about): measure for measure in measures}
        for key, measure in seen.items():
            known = self._open.get(key)
            if known is not None:
                self._open[key] = Stall(id=known.id, raised_at=known.raised_at, measure=measure)
            elif measure.value >= measure.limit:
                stall = Stall(id=f"{measure.kind.value}:{measure.about}", raised_at=at, measure=measure)
                self._open[key] = stall
                raised.append(stall)
        for key in list(self._open):
            now = seen.get(key)
            if now is None or now.value < now.clear:
                over.append(self._open.pop(key))
        return raised, over


# --- the measures, each with its words --------------------


def lasting(
    kind: Kind,
    *,
    seconds: float,
    limit_s: float,
    since: float,
    what: str,
    queue: str | None = None,
    agent: AgentId | None = None,
    interaction: InteractionId | None = None,
) -> Measure:
    """Something that goes on: it is over when it is measured no more. `what` is a clause like «espera en Internet»."""
    about = str(interaction or agent or queue)
    message = f"{what}: {spoken(seconds)} (límite {spoken(limit_s)})"
    return Measure(
        kind=kind,
        about=about,
        value=seconds,
        limit=limit_s,
        clear=0.0,
        since=since,
        message=message,
        figures={"limit_s": limit_s},
        queue=queue,
        agent=agent,
        interaction=interaction,
    )


def level_at_risk(queue: str, title: str, reached: float, level: ServiceLevel, since: float) -> Measure:
    """The shortfall below the target is what is measured. Compared in whole thousandths, as people read it."""
    short = round(level.target - reached, 3)
    message = (
        f"Nivel de servicio de {title}: {_percent(reached)} en la última media hora (meta {_percent(level.target)})"
    )
    return Measure(
        kind=Kind.LEVEL,
        about=queue,
        value=short,
        limit=0.001,
        clear=0.0005 - min(LEVEL_MARGIN, (1 - level.target) / 2),  # there is not always room above the target
        since=since,
        message=message,
        figures={"level": reached, "target": level.target},
        queue=queue,
    )


def unstaffed(queue: str, title: str, waiting: int, since: float) -> Measure:
    people = "una persona espera" if waiting == 1 else f"{waiting} personas esperan"
    return Measure(
        kind=Kind.UNSTAFFED,
        about=queue,
        value=waiting,
        limit=1,
        clear=1,
        since=since,
        message=f"Nadie atiende {title} y {people}",
        figures={"waiting": waiting},
        queue=queue,
    )


def unqualified(queue: str, title: str, asked: str, waiting: int, since: float) -> Measure:
    """`waiting` is 0 where whoever came has been sent on already."""
    what = f"lo que se pide en {title}: «{asked}»" if asked else f"cómo atender lo que llega a {title}"
    people = {0: "", 1: ", y un contacto espera"}.get(waiting, f", y {waiting} contactos esperan")
    return Measure(
        kind=Kind.UNQUALIFIED,
        about=queue,
        value=1,
        limit=1,
        clear=1,
        since=since,
        message=f"Nadie conectado tiene {what}{people}",
        figures={"waiting": waiting},
        queue=queue,
    )


def organisation_refused(since: float) -> Measure:
    message = (
        "La organización guardada tiene errores y no está en vigor: sigue la anterior. "
        "Guárdela de nuevo en Administración, Organización, o con «rimay apply»"
    )
    return Measure(
        kind=Kind.ORGANISATION, about="organisation", value=1, limit=1, clear=1, since=since, message=message
    )


def spoken(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _percent(part: float) -> str:
    return f"{100 * part:.1f}".replace(".", ",").removesuffix(",0") + " %"
