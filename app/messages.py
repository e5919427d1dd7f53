"""Messages of supervisors to agents: kept in PostgreSQL, told live."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import insert, or_, select

from app.organisation import Organisation
from callcontrol.model import AgentId
from foundation.clock import Clock
from foundation.database import Database
from foundation.errors import NotFound
from foundation.ids import new_id
from softphone_web.ports import LiveEvent, Topic
from softphone_web.ports_board import Kind, MessageView
from softphone_web.schemas_board import message_out
from softphone_web.tables import messages as kept


class SqlMessages:
    def __init__(
        self,
        database: Database,
        organisation: Organisation,
        clock: Clock,
        midnight: Callable[[float], float],
        publish: Callable[[LiveEvent], None],
    ) -> None:
        self._database = database
        self._organisation = organisation
        self._clock = clock
        self._midnight = midnight
        self._publish = publish

    async def send(self, *, sender: str, sender_name: str, kind: Kind, to: str, text: str) -> MessageView:
        now = round(self._clock.now(), 6)
        view = MessageView(
            id=new_id(),
            at=now,
            sender=sender,
            sender_name=sender_name,
            kind=kind,
            to=to,
            text=text,
            agents=self._reached(kind, to),
        )
        row = {
            "id": view.id,
            "at": datetime.fromtimestamp(now, UTC),
            "sender": sender,
            "sender_name": sender_name,
            "kind": kind,
            "recipient": to,
            "text": text,
            "agents": sorted(view.agents),
        }
        async with self._database.begin() as session:
            await session.execute(insert(kept).values(row))
        data = message_out(view, "").model_dump(mode="json", exclude={"mine"})
        self._publish(
            LiveEvent(topic=Topic.MESSAGES, type="message", at=now, key=view.id, data=data, agents=view.agents)
        )
        return view

    def _reached(self, kind: Kind, to: str) -> frozenset[AgentId]:
        agents = self._organisation.agents
        if kind == "queue" and to not in self._organisation.queues:
            raise NotFound("There is no such queue.", queue=to)
        if kind == "agent" and to not in {agent.id for agent in agents}:
            raise NotFound("There is no such agent.", agent=to)
        return frozenset(
            AgentId(a.id) for a in agents if kind == "all" or (a.id == to if kind == "agent" else to in a.queues)
        )

    async def of(self, *, agent: AgentId | None, sender: str) -> Sequence[MessageView]:
        today = datetime.fromtimestamp(self._midnight(self._clock.now()), UTC)
        mine = kept.c.sender == sender
        if agent is not None:
            mine = or_(mine, kept.c.agents.contains([agent]))
        query = select(kept).where(kept.c.at >= today, mine).order_by(kept.c.at, kept.c.id)
        async with self._database.begin() as session:
            rows = (await session.execute(query)).mappings().all()
        return [
            MessageView(
                id=row["id"],
                at=row["at"].timestamp(),
                sender=row["sender"],
                sender_name=row["sender_name"],
                kind=row["kind"],
                to=row["recipient"],
                text=row["text"],
                agents=frozenset(AgentId(a) for a in row["agents"]),
            )
            for row in rows
        ]
