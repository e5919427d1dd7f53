"""The supervisors' part of the wiring: figures, alerts, board, steering, messages, the organisation's desk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.board_rows import Rows
from app.figures import LiveFigures, SqlLog
from app.live import BusHerald
from app.messages import SqlMessages
from app.organisation import Organisation
from app.stall_watch import StallWatch
from app.web_board import DeskBoard, DeskSteering, FileOrganisation
from callcontrol.daemon import Daemon
from foundation.clock import Clock
from foundation.database import Database
from foundation.tasks import Supervisor
from softphone_web.deps import Supervision
from softphone_web.ports import Agents


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardParts:
    """`stored` waits for the journal."""

    herald: BusHerald
    figures: LiveFigures
    stalls: StallWatch
    supervision: Supervision
    stored: Callable[[float], Awaitable[bool]]

    @classmethod
    def make(
        cls,
        *,
        herald: BusHerald,
        daemon: Daemon,
        organisation: Organisation,
        database: Database,
        agents: Agents,
        clock: Clock,
        stored: Callable[[float], Awaitable[bool]],
    ) -> BoardParts:
        rows = herald.rows = Rows(organisation)
        figures = LiveFigures(organisation, daemon.desk, clock, SqlLog(database))
        herald.folds.append(figures.tell)
        herald.agent_folds.append(figures.agent_changed)
        organisation.followers.append(figures.organisation_changed)
        organisation.followers.append(lambda: setattr(daemon, "callback_policy", organisation.callback_policy()))
        stalls = StallWatch(daemon, organisation, rows, figures, clock, herald.tell)
        return cls(
            herald=herald,
            figures=figures,
            stalls=stalls,
            supervision=Supervision(
                board=DeskBoard(daemon, organisation, rows, figures, stalls, agents, clock),
                steering=DeskSteering(daemon, agents, clock),
                messages=SqlMessages(database, organisation, clock, figures.midnight, herald.tell),
                organisation=FileOrganisation(organisation, lambda: organisation.look(daemon.desk)),
            ),
            stored=stored,
        )

    async def start(self, supervisor: Supervisor) -> None:
        """Before the daemon: what happened until now is counted first."""
        await self.figures.count()
        supervisor.start("figures", self.figures.run(self.herald.tell, self.stored))
        supervisor.start("alerts", self.stalls.run())
