"""Interactions: the list, one, its events."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal

import msgspec

from callcontrol.events import Dequeued, InteractionEvent, Offered, OfferEnded, Relaxed, is_behind_the_agent
from callcontrol.model import AgentId, Interaction, InteractionId
from callcontrol.routing.why import Why, left_sentence, relaxed_sentence, sentence
from foundation.access import Permission, PermissionDenied
from foundation.errors import NotFound
from softphone_web.call import Call
from softphone_web.facts import event_out
from softphone_web.languages import explained_in
from softphone_web.look_ups import look_ups_of
from softphone_web.permissions import INTERACTIONS, agents_in, guard_interaction, interaction_not_found, sees_private
from softphone_web.ports import InteractionFilter, Position
from softphone_web.problems import FieldError, RequestInvalid
from softphone_web.routes import Routes
from softphone_web.schemas import (
    EventPage,
    EventsQuery,
    InteractionOut,
    InteractionPage,
    InteractionPath,
    InteractionQuery,
    InteractionSearch,
    RoutingDecisionOut,
    RoutingOut,
    interaction_out,
)

routes = Routes("/api/v1", tag="interactions")


def encode_cursor(position: Position) -> str:
    raw = msgspec.json.encode((position.created_at, position.id))
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_cursor(text: str, where: str = "query") -> Position:
    """Raises RequestInvalid for anything that `encode_cursor` did not make."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        created_at, interaction = msgspec.json.decode(raw, type=tuple[float, str])
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _bad_cursor(where) from error
    if not (math.isfinite(created_at) and 0 <= created_at < 2**33) or not 1 <= len(interaction) <= 128:
        raise _bad_cursor(where)
    if not interaction.isprintable():
        raise _bad_cursor(where)
    return Position(created_at=created_at, id=InteractionId(interaction))


def _bad_cursor(where: str) -> RequestInvalid:
    message = "Pass the `next` of an earlier answer, unchanged."
    return RequestInvalid([FieldError(where=where, field="cursor", code="cursor", message=message)])


@routes.get("/interactions", INTERACTIONS)
async def list_interactions(call: Call, query: InteractionQuery) -> InteractionPage:
    """Interactions, newest first.

    An agent sees those in which they took part. Pages are followed by `next`; what begins meanwhile shifts nothing.
    """
    return await _page(call, query, None, "query")


@routes.post("/interactions/search", INTERACTIONS, raises=(429,))
async def search_interactions(call: Call, body: InteractionSearch) -> InteractionPage:
    """The interactions with a number, newest first; only for who sees numbers."""
    if not sees_private(call.who, mine=True):
        # It would tell whose the number is.
        raise PermissionDenied("Your role sees no personal data and cannot search by it.", role=call.who.role)
    look_ups = look_ups_of(call)
    await look_ups.take(call, body.number)
    await look_ups.tell(call, body.number, "interactions")
    return await _page(call, body, body.number, "body")


async def _page(call: Call, query: InteractionQuery, number: str | None, where: str) -> InteractionPage:
    everything = call.may(Permission.INTERACTIONS_READ)
    if not everything and call.agent is None:
        return InteractionPage(items=[], next=None)
    wanted = InteractionFilter(
        medium=query.medium,
        queue=query.queue,
        agent=AgentId(query.agent) if query.agent is not None else None,
        phase=query.phase,
        direction=query.direction,
        exit_reason=query.exit_reason,
        since=query.since.timestamp() if query.since is not None else None,
        until=query.until.timestamp() if query.until is not None else None,
        number=number,
        took_part=None if everything else call.agent,
    )
    after = decode_cursor(query.cursor, where) if query.cursor is not None else None
    found = await call.deps.interactions.page(wanted, after=after, limit=query.limit + 1)
    shown = found[: query.limit]
    more = len(found) > query.limit
    last = Position(created_at=shown[-1].created_at, id=shown[-1].id) if more else None
    return InteractionPage(
        items=[_out(call, record) for record in shown],
        next=encode_cursor(last) if last is not None else None,
    )


@routes.get("/interactions/{interaction}", INTERACTIONS, raises=(404,))
async def get_interaction(call: Call, path: InteractionPath) -> InteractionOut:
    """One interaction as it is now."""
    return _out(call, await visible_interaction(call, path.interaction))


@routes.get("/interactions/{interaction}/events", INTERACTIONS, raises=(404,))
async def list_events(call: Call, path: InteractionPath, query: EventsQuery) -> EventPage:
    """All that happened in an interaction, in order."""
    record = await visible_interaction(call, path.interaction)
    found = await call.deps.interactions.events(record.id, after=query.after, limit=query.limit + 1)
    shown = found[: query.limit]
    private = sees_private(call.who, mine=_is_mine(call, record))
    everything = call.may(Permission.INTERACTIONS_READ)
    return EventPage(
        items=[event_out(event, private) for event in shown if everything or not is_behind_the_agent(event.fact)],
        next=shown[-1].n if len(found) > query.limit else None,
    )


# Events are read in pieces of this size: most interactions have fewer in all.
_PIECE = 500


@routes.get("/interactions/{interaction}/routing", INTERACTIONS, raises=(404,))
async def get_routing(call: Call, path: InteractionPath) -> RoutingOut:
    """Why each agent was chosen to whom this interaction was offered, when less was required, and why it left a queue
    without an agent."""
    record = await visible_interaction(call, path.interaction)
    queues = {view.name: view.title for view in await call.deps.queues.list()}
    named = await _naming(call, queues)
    items: list[RoutingDecisionOut] = []
    after = 0
    while True:
        found = await call.deps.interactions.events(record.id, after=after, limit=_PIECE)
        for event in found:
            if isinstance(event.fact, Offered) and event.fact.why is not None:
                items.append(_decision(call, event, event.fact, event.fact.why, named))
            elif isinstance(event.fact, Relaxed | Dequeued):
                items += _step(call, event, event.fact, queues)
            elif isinstance(event.fact, OfferEnded):
                how = event.fact.how.value
                items = [i.model_copy(update={"outcome": how}) if i.offer == event.fact.offer else i for i in items]
        if len(found) < _PIECE:
            return RoutingOut(items=items)
        after = found[-1].n


async def _naming(call: Call, queues: Mapping[str, str]) -> Callable[[Why], Why]:
    """With what people call agent and queue, for the sentence; of whom there is no more, with the id."""
    agents = {view.id: view.name for view in await call.deps.agents.list()}
    return lambda why: msgspec.structs.replace(
        why, agent=AgentId(agents.get(why.agent, why.agent)), queue=queues.get(why.queue, why.queue)
    )


def _step(
    call: Call, event: InteractionEvent, fact: Relaxed | Dequeued, queues: Mapping[str, str]
) -> list[RoutingDecisionOut]:
    """Of the router's, without an agent; none for who was answered or hung up."""
    language, queue = explained_in(call), queues.get(fact.queue, fact.queue)
    kind: Literal["relaxed", "left"]
    text: str | None
    if isinstance(fact, Relaxed):
        titles = call.deps.organisation.skill_titles()
        kind, outcome = "relaxed", None
        text = relaxed_sentence(queue, fact.ring, fact.requires, fact.waited_s, language, titles)
    else:
        kind, outcome = "left", fact.how
        text = left_sentence(queue, fact.how, fact.waited_s, language)
    if text is None:
        return []
    at = datetime.fromtimestamp(event.at, UTC)
    return [RoutingDecisionOut(at=at, kind=kind, offer=None, agent=None, outcome=outcome, sentence=text, why=None)]


def _decision(
    call: Call, event: InteractionEvent, fact: Offered, why: Why, named: Callable[[Why], Why]
) -> RoutingDecisionOut:
    if not call.may(Permission.INTERACTIONS_READ):
        why = msgspec.structs.replace(why, excluded=())  # what colleagues were doing is not for everybody
    return RoutingDecisionOut(
        at=datetime.fromtimestamp(event.at, UTC),
        kind="offered",
        offer=fact.offer,
        agent=fact.agent,
        outcome=None,
        sentence=sentence(named(why), explained_in(call), call.deps.organisation.skill_titles()),
        why=msgspec.to_builtins(why),
    )


async def visible_interaction(call: Call, interaction: str) -> Interaction:
    """The record, when who asks may know of it; else `NotFound`."""
    try:
        record = await call.deps.interactions.get(InteractionId(interaction))
    except NotFound as error:
        raise interaction_not_found() from error  # word for word what the guard says
    guard_interaction(call.who, call.agent, record)
    return record


def _is_mine(call: Call, record: Interaction) -> bool:
    return call.agent is not None and call.agent in agents_in(record)


def _out(call: Call, record: Interaction) -> InteractionOut:
    return interaction_out(record, sees_private(call.who, mine=_is_mine(call, record)))
