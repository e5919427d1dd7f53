"""What each figure means, in the words that people read beside it. A figure without an entry here is not shown."""

from __future__ import annotations

from dataclasses import dataclass

from callcontrol.routing.service_level import FORMULAS, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """`figure` is the field's name in the API; `source` says from what it is counted."""

    figure: str
    title: str
    definition: str
    formula: str
    source: str


_EVENTS = "Eventos de cada interacción; se puede recalcular en cualquier momento."
_NOW = "Estado del enrutador en este instante."
_TODAY = "Cuenta desde la medianoche local, en el cuarto de hora en que ocurrió."

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        figure="waiting",
        title="En espera",
        definition="Contactos que están en la cola y todavía no hablan con una persona. Uno que se está ofreciendo a"
        " un agente sigue en espera.",
        formula="contactos en la cola ahora",
        source=_NOW,
    ),
    Definition(
        figure="longest_wait_s",
        title="Espera más larga",
        definition="Tiempo del contacto que más lleva en espera, contado desde que entró a su primera cola.",
        formula="ahora − llegada del más antiguo",
        source=_NOW,
    ),
    Definition(
        figure="expected_s",
        title="Espera estimada",
        definition="Lo que esperaría quien llegue ahora. Vacío cuando nadie atiende la cola. Un agente que atiende"
        " varias colas cuenta en cada una.",
        formula="(lugar en la fila × duración media de atención) / agentes que atienden la cola",
        source=_NOW,
    ),
    Definition(
        figure="offered_today",
        title="Recibidos hoy",
        definition=f"Contactos que entraron a la cola. {_TODAY} Quien pasa de una cola a otra cuenta en ambas.",
        formula="entradas a la cola",
        source=_EVENTS,
    ),
    Definition(
        figure="answered_today",
        title="Atendidos hoy",
        definition=f"Contactos de esta cola que hablaron con una persona. {_TODAY}",
        formula="primeras conversaciones",
        source=_EVENTS,
    ),
    Definition(
        figure="abandoned_today",
        title="Abandonados hoy",
        definition=f"Contactos que colgaron en la cola antes de hablar con una persona. {_TODAY}",
        formula="salidas de la cola por decisión de quien llama",
        source=_EVENTS,
    ),
    Definition(
        figure="abandoned_rate",
        title="Abandono",
        definition="Parte de los contactos recibidos hoy que colgaron en la cola antes de hablar con una persona.",
        formula="abandonados hoy / recibidos hoy",
        source=_EVENTS,
    ),
    Definition(
        figure="sent_on_today",
        title="Derivados hoy",
        definition="Contactos que dejaron la cola sin hablar con una persona y sin colgar: tiempo máximo, cola cerrada"
        f" o llena, otra cola, devolución de llamada. {_TODAY}",
        formula="recibidos − atendidos − abandonados − en espera",
        source=_EVENTS,
    ),
    Definition(
        figure="service_level",
        title="Nivel de servicio",
        definition="Parte de los contactos atendidos dentro del umbral T, según la variante que la cola tiene fijada."
        " Vacío mientras no haya contactos. De todas las colas juntas: la media, según los contactos que cada una"
        " recibió.",
        formula="; ".join(f"{variant.value}: {FORMULAS[variant]}" for variant in Variant),
        source=_EVENTS,
    ),
    Definition(
        figure="asa_s",
        title="Tiempo medio de respuesta (ASA)",
        definition="Espera media de los contactos atendidos, desde la primera cola hasta la primera palabra.",
        formula="suma de esperas de los atendidos / atendidos",
        source=_EVENTS,
    ),
    Definition(
        figure="aht_s",
        title="Tiempo medio de atención (AHT)",
        definition="Conversación, retención y posventa de cada agente en cada contacto, contado cuando termina la"
        " posventa.",
        formula="suma de (fin de la posventa − inicio de la conversación) / atenciones terminadas",
        source=_EVENTS,
    ),
    Definition(
        figure="waiting_max",
        title="Máximo en espera",
        definition="El mayor número de contactos que esperaron a la vez en cada cuarto de hora.",
        formula="máximo de (entradas − salidas)",
        source=_EVENTS,
    ),
    Definition(
        figure="sla_risk",
        title="Riesgo de nivel de servicio",
        definition="De un contacto en espera: «a tiempo» hasta tres cuartos del umbral T de su cola, «por vencer» hasta"
        " T, «fuera de tiempo» después. De uno atendido, según lo que esperó.",
        formula="espera / T",
        source=_NOW,
    ),
    Definition(
        figure="agents",
        title="Agentes por estado",
        definition="Agentes asignados a la cola, según su estado: disponible, ofrecido, en atención, en posventa, no"
        " disponible o fuera de turno. Quien atiende varias colas cuenta en cada una.",
        formula="agentes de la cola en cada estado",
        source=_NOW,
    ),
)
