"""The whole settings file: one section a room."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from app.place import CHECKOUT
from callcontrol.settings import Agent, Bot, CallSettings, CustomerSystemSettings, Queue
from customers.settings import CustomersSettings
from foundation.bus_redis import BusSettings
from foundation.database import DatabaseSettings
from foundation.logs import LogSettings
from foundation.settings import Section, load
from ivr_flows.settings import FlowSettings
from pbx.recognition.settings import SpeechSettings
from pbx.settings import PbxSettings
from pbx.voice_settings import VoiceSettings
from recording.settings import RecordingSettings
from softphone_web.settings import WebSettings

DEFAULT_FILE = CHECKOUT / "config/rimay.yaml"
DEMO_FILE = CHECKOUT / "config/demo.yaml"


class ServersSettings(Section):
    """The servers that Rimay starts itself: PostgreSQL, Redis, the switch."""

    user: str | None = Field(default=None, description="whom they run as when Rimay is started by root; nobody if none")


class Settings(Section):
    pbx: PbxSettings = PbxSettings()
    ivr_flows: FlowSettings = FlowSettings()
    queues: list[Queue] = []
    agents: list[Agent] = []
    calls: CallSettings = CallSettings()
    customer_systems: CustomerSystemSettings = CustomerSystemSettings()
    bots: list[Bot] = []
    customers: CustomersSettings = CustomersSettings()
    speech: SpeechSettings = SpeechSettings()
    voice: VoiceSettings = VoiceSettings()
    recording: RecordingSettings = RecordingSettings()
    web: WebSettings = WebSettings()
    database: DatabaseSettings = DatabaseSettings()
    redis: BusSettings = BusSettings()
    logs: LogSettings = LogSettings()
    servers: ServersSettings = ServersSettings()

    @model_validator(mode="after")
    def _refer_to_what_is_there(self) -> Self:
        queues, phones = {queue.name for queue in self.queues}, {phone.name for phone in self.pbx.phones}
        for agent in self.agents:
            for name in agent.queues:
                if name not in queues:
                    raise ValueError(f"agent {agent.id!r} works in queue {name!r}, which is not among `queues`")
            if agent.phone is not None and agent.phone not in phones:
                raise ValueError(f"agent {agent.id!r} has phone {agent.phone!r}, which is not among `pbx.phones`")
        system = self.customers.system
        if system is not None and system not in {each.name for each in self.customer_systems.systems}:
            raise ValueError(f"`customers.system` names {system!r}, which is not among `customer_systems.systems`")
        return self


def settings_file(named: Path | None, default: Path = DEFAULT_FILE) -> Path:
    """The option, then RIMAY_CONFIG, then the file that comes with Rimay."""
    if named is not None:
        return named
    return Path(os.environ["RIMAY_CONFIG"]) if os.environ.get("RIMAY_CONFIG") else default


def read_settings(
    named: Path | None = None, *, default: Path = DEFAULT_FILE, overrides: Mapping[str, object] | None = None
) -> Settings:
    return load(Settings, settings_file(named, default), overrides=overrides)
