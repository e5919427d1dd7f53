"""The twins' platform with all that a database keeps in a real PostgreSQL: accounts, tokens, the audit trail,
interactions, notes, messages and days."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.messages import SqlMessages
from app.organisation import Organisation
from app.settings import Settings
from app.web_around import Numbers, SqlDays, SqlHistory
from app.web_data import SqlInteractions
from callcontrol.call_state import CallState
from callcontrol.journal import Entry
from callcontrol.journal_sql import SqlJournal
from callcontrol.settings import Agent, Queue
from customers.desk import CustomerDesk
from customers.notes_sql import SqlNotes
from foundation.audit import PostgresAudit
from foundation.database import Database
from foundation.identity.accounts import Accounts, Stores
from foundation.identity.passwords import Passwords
from foundation.identity.people import People
from foundation.identity.second_factor import Box
from foundation.identity.sql import PostgresRoles, PostgresSessions, PostgresThrottle, PostgresUsers
from foundation.metrics import Metrics
from foundation.secret import Secret
from foundation.tokens import PostgresTokenStore, Tokens
from pbx.dialing import Dialing
from softphone_web.deps import WebDeps
from tests.support.web import Platform, facts_of


class Stored(Platform):
    """What the twins hold of interactions is copied once, by `copy`."""

    def __init__(self, folder: Path, database: Database) -> None:
        super().__init__(folder)
        self.database = database
        passwords = Passwords(cheap=True)
        self._stores = Stores(
            users=PostgresUsers(database),
            roles=PostgresRoles(database),
            sessions=PostgresSessions(database),
            throttle=PostgresThrottle(database),
        )
        self.accounts = Accounts(self._stores, passwords, Box(Secret("only-for-tests")), self.clock)
        self.people = People(self._stores, passwords, self.clock, is_agent=self.agents.views.__contains__)
        self.token_desk = Tokens(PostgresTokenStore(database), self.clock)

    async def copy(self) -> None:
        journal = SqlJournal(self.database, Metrics(), self.folder / "refused.jsonl")
        records = self.interactions.records.values()
        await journal._store(
            [Entry(events=tuple(facts_of(one)), record=one, state=CallState(id=one.id)) for one in records]
        )

    def deps(self) -> WebDeps:
        deps, database = super().deps(), self.database
        organisation = Organisation(
            self.folder,
            Settings(
                queues=[Queue(name="averias"), Queue(name="facturas")],
                agents=[
                    Agent(id="ana", name="Ana", queues=["averias", "facturas"]),
                    Agent(id="luis", name="Luis", queues=["facturas"]),
                ],
            ),
        )
        numbers = Numbers(Dialing())
        history = SqlHistory(database, numbers)
        customers = CustomerDesk(
            [self.around.source], SqlNotes(database), history.last, self.clock, canonical=numbers.canonical
        )
        messages = SqlMessages(database, organisation, self.clock, lambda now: now - 3600, self.live.put)
        return replace(
            deps,
            interactions=SqlInteractions(database),
            audit=PostgresAudit(database),
            around=replace(deps.around, customers=customers, days=SqlDays(database)),
            supervision=replace(deps.supervision, messages=messages),
        )
