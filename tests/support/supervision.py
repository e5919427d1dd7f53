"""The supervisors' parts on the daemon of the in-memory twin: as `app.bootstrap_board` joins them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.board_rows import Rows
from app.figures import LiveFigures
from app.organisation import Organisation
from app.settings import Settings
from app.stall_watch import StallWatch
from app.web_board import DeskBoard, DeskSteering
from app.web_data import DeskAgents
from callcontrol.directory import ConfiguredAgents
from callcontrol.events import InteractionEvent
from callcontrol.model import Interaction
from callcontrol.routing.config_store import apply
from callcontrol.routing.terms import AgentChanged
from softphone_web.ports import LiveEvent
from tests.support.daemon import AGENTS, QUEUES, SETTINGS, DaemonLab, Echo


async def _stored(_within_s: float) -> bool:
    return True


class Supervision:
    def __init__(self, lab: DaemonLab, folder: Path, organisation: str = "") -> None:
        if organisation:
            (folder / "org.yaml").write_text(organisation)
            apply(folder / "org.yaml", folder)
        self.lab = lab
        self.told: list[LiveEvent] = []
        self.organisation = Organisation(folder, Settings(pbx=SETTINGS, queues=QUEUES, agents=AGENTS))
        self.rows = Rows(self.organisation)
        daemon, clock = lab.daemon, lab.clock
        self.figures = LiveFigures(self.organisation, daemon.desk, clock, self.log)
        self.agents = DeskAgents(daemon, ConfiguredAgents(AGENTS), daemon._around.switch, clock, _stored)
        self.stalls = StallWatch(daemon, self.organisation, self.rows, self.figures, clock, self.told.append)
        self.board = DeskBoard(daemon, self.organisation, self.rows, self.figures, self.stalls, self.agents, clock)
        self.steering = DeskSteering(daemon, self.agents, clock)
        self.organisation.followers.append(self.figures.organisation_changed)
        self.organisation.take_up(daemon.desk)
        _listen(lab.herald, self.figures)

    async def log(self, since: float) -> Sequence[InteractionEvent]:
        """The journal's, as it would be read again: interleaved as it happened."""
        events = [e for call in self.lab.journal.events.values() for e in call if e.at >= since]
        return sorted(events, key=lambda e: e.at)


def _listen(herald: Echo, figures: LiveFigures) -> None:
    """The herald tells the figures too, as `app.live` does."""
    interaction, agent = herald.interaction, herald.agent

    def both(event: InteractionEvent, record: Interaction) -> None:
        interaction(event, record)
        figures.tell(event)

    def agents(change: AgentChanged) -> None:
        agent(change)
        figures.agent_changed(change)

    herald.interaction = both  # type: ignore[method-assign]
    herald.agent = agents  # type: ignore[method-assign]
