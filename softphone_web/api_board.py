"""The supervisor's board: what goes on now, how the day goes, and what each figure means."""

from __future__ import annotations

from analytics.definitions import DEFINITIONS
from foundation.access import Permission
from softphone_web.api_interactions import visible_interaction
from softphone_web.call import Call
from softphone_web.permissions import Open, sees_private
from softphone_web.routes import Routes
from softphone_web.schemas import InteractionPath, QueuePath, at
from softphone_web.schemas_board import (
    BoardOut,
    DefinitionList,
    DefinitionOut,
    HistoryOut,
    HistoryQuery,
    PlaceOut,
    alert_out,
    board_agent,
    board_item,
    history_out,
    queue_figures,
)

routes = Routes("/api/v1", tag="board")


@routes.get("/board", (Permission.BOARD_READ,))
async def get_board(call: Call) -> BoardOut:
    """Everything that goes on now: interactions, agents, queues with the day's figures, and what needs somebody.

    Load it once; the live topics interactions, agents, queues and alerts keep it true.
    """
    board, private = call.deps.supervision.board, sees_private(call.who, mine=False)
    return BoardOut(
        interactions=[board_item(row, private) for row in await board.rows()],
        agents=[board_agent(one) for one in await board.agents()],
        queues=[queue_figures(view) for view in await board.queues()],
        alerts=[alert_out(view) for view in await board.alerts()],
        measured_at=at(call.deps.clock.now()),
    )


@routes.get("/interactions/{interaction}/place", (Permission.BOARD_READ,), raises=(404, 409))
async def get_place(call: Call, path: InteractionPath) -> PlaceOut:
    """Where a waiting interaction stands in its queue, and how long it may still wait, with the method."""
    record = await visible_interaction(call, path.interaction)
    view = await call.deps.supervision.board.place(record.id)
    return PlaceOut(
        queue=view.queue,
        position=view.position,
        waited_s=view.waited_s,
        expected_s=view.expected_s,
        method=view.method,
    )


@routes.get("/queues/{queue}/history", (Permission.BOARD_READ,), raises=(404,))
async def get_queue_history(call: Call, path: QueuePath, query: HistoryQuery) -> HistoryOut:
    """A queue's last hours in quarters of an hour."""
    step_s, points = await call.deps.supervision.board.history(path.queue, query.hours)
    return history_out(step_s, list(points))


@routes.get("/definitions", Open.SIGNED_IN)
async def list_definitions(call: Call) -> DefinitionList:
    """What each figure means and how it is counted, in Spanish."""
    return DefinitionList(
        items=[
            DefinitionOut(figure=d.figure, title=d.title, definition=d.definition, formula=d.formula, source=d.source)
            for d in DEFINITIONS
        ]
    )
