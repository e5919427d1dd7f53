"""What is no mistake and yet is hardly meant: told with its place by `rimay apply`, and put in force all the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from callcontrol.routing.config_checks import Problem, crew_of
from callcontrol.routing.skills import names, parse

if TYPE_CHECKING:
    from callcontrol.routing.config import RoutingConfig


def doubts_of(config: RoutingConfig, today: dt.date, phones: Collection[str] | None = None) -> Iterator[Problem]:
    """`phones` are those of the settings; None where they are not known."""
    for n, queue in enumerate(config.queues):
        asked = names(parse(queue.requires))
        for k, ring in enumerate(queue.rings):
            for skill in sorted({*ring.loosen, *ring.drop} - asked):
                here = ("loosen", skill) if skill in ring.loosen else ("drop", ring.drop.index(skill))
                text = (
                    f"this queue does not ask for {skill!r}: the ring changes something only where a flow asks for it"
                )
                yield Problem(("queues", n, "rings", k, *here), text)
    for name, calendar in config.calendars.items():
        weekly, to_come = any(calendar.week.values()), any(h for day, h in calendar.special.items() if day >= today)
        if not weekly and not to_come:
            yield Problem(("calendars", name), f"no open hour from {today.isoformat()} on")
    for n, (agent, (queues, _)) in enumerate(zip(config.agents, crew_of(config), strict=True)):
        if not queues:
            yield Problem(("agents", n), f"{agent.id!r} works in no queue, so nobody can sign in as this agent")
        if agent.phone is not None and phones is not None and agent.phone not in phones:
            yield Problem(("agents", n, "phone"), f"the settings have no phone {agent.phone!r}; it is passed over")
