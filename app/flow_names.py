"""The names that flows may use: of the organisation in force and of the settings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from app.settings import Settings
from callcontrol.routing.config import RoutingConfig
from ivr_flows.prompt_list import Recorded
from ivr_flows.references import (
    AgentName,
    BotName,
    CriticalityName,
    Known,
    PhoneName,
    QueueName,
    Reference,
    SecretName,
    SkillName,
    SystemName,
)
from pbx.sounds import SUFFIXES


def recordings_in(library: Path) -> Recorded:
    """Looks into the folders of the languages."""

    def recorded(language: str, name: str) -> bool:
        return any((library / language / f"{name}{end}").is_file() for end in SUFFIXES)

    return recorded


class FlowNames:
    """`known` is one for ever, kept true: flows hold on to it. Where nothing of a kind is set up at all (queues,
    skills, agents), nobody is told that a name is missing there. `sounds` is the sound library."""

    def __init__(self, settings: Settings, organisation: RoutingConfig, sounds: Path) -> None:
        self._settings = settings
        self._names: dict[type[Reference], set[str]] = {
            BotName: {bot.name for bot in settings.bots},
            SystemName: {system.name for system in settings.customer_systems.systems},
            SecretName: set(settings.customer_systems.secrets),
            PhoneName: {phone.name for phone in settings.pbx.phones},
        }
        self.follow(organisation)
        self.known = Known(self._names, recordings_in(sounds))

    def follow(self, organisation: RoutingConfig) -> None:
        """After each change of it."""
        settings = self._settings
        self._tell(QueueName, [*(q.name for q in settings.queues), *(q.name for q in organisation.queues)])
        self._tell(AgentName, [*(a.id for a in settings.agents), *(a.id for a in organisation.agents)])
        self._tell(SkillName, organisation.skills)
        self._tell(CriticalityName, organisation.criticality)

    def _tell(self, kind: type[Reference], names: Iterable[str]) -> None:
        if found := set(names):
            self._names[kind] = found
        else:
            self._names.pop(kind, None)
