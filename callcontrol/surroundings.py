"""What every call's session works with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from callcontrol.bot_dialogue import Bots
from callcontrol.call_state import Flows
from callcontrol.callbacks import CallbackOrder
from callcontrol.desk import Desk
from callcontrol.journal import Journal
from callcontrol.listening import Ears
from callcontrol.model import InteractionId
from callcontrol.ports import (
    Acquaintances,
    AgentDirectory,
    CustomerSystems,
    Herald,
    NoSystems,
    RecordingPlace,
    Strangers,
)
from foundation.clock import Clock
from foundation.metrics import Metrics
from pbx.switch import Switch


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every session works with."""

    switch: Switch
    desk: Desk
    journal: Journal
    flows: Flows
    agents: AgentDirectory
    herald: Herald
    recordings: RecordingPlace
    clock: Clock
    metrics: Metrics
    # A command's fate is unknown: this call's truth is to be asked of the switch.
    doubt: Callable[[InteractionId], None]
    # This call used the open legs of the one, and uses those of the other now.
    uses: Callable[[InteractionId, Sequence[str], Sequence[str]], None]
    place_callback: Callable[[CallbackOrder], InteractionId]
    systems: CustomerSystems = field(default_factory=NoSystems)
    acquaintances: Acquaintances = field(default_factory=Strangers)
    ears: Ears | None = None
    bots: Bots | None = None
