"""What the pages need around a contact: the customer's card and notes, knowledge, the agent's day.
The twins are in ``tests/support/web_around.py``; errors as in `softphone_web.ports`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from callcontrol.agent_day import AgentDay
from callcontrol.model import AgentId, Interaction
from customers.card import CustomerCard, Note, Sure
from customers.knowledge import Library


class Customers(Protocol):
    """`customers.desk.CustomerDesk` is one. A system that does not answer is named on the card; nothing is raised."""

    async def of_interaction(self, record: Interaction) -> CustomerCard: ...
    async def look_up(self, by: Sure, value: str) -> CustomerCard: ...
    async def note(
        self, *, text: str, by: str, by_name: str, interaction: Interaction | None = None, address: str = ""
    ) -> Note: ...
    async def notes_of(self, interaction: Interaction) -> Sequence[Note]: ...


class Knowledge(Protocol):
    """`customers.knowledge.LibraryFile` is one."""

    def library(self) -> Library: ...


class Days(Protocol):
    async def of(self, agent: AgentId, *, since: float, until: float) -> AgentDay: ...
