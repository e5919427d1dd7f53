"""Around a contact: who the customer is, notes, knowledge and scripts, whom one can reach, the agent's own day."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from callcontrol.agent_day import AgentDay, rounded
from callcontrol.model import AgentState, Interaction
from customers.card import CustomerCard, Note, Sure
from customers.knowledge import Article, excerpt, plain
from foundation.access import Permission, PermissionDenied
from foundation.errors import Conflict, NotFound
from softphone_web.api_interactions import visible_interaction
from softphone_web.call import Call
from softphone_web.look_ups import look_ups_of, target_of
from softphone_web.permissions import agents_in, sees_private
from softphone_web.problems import FieldError, RequestInvalid
from softphone_web.routes import Model, Routes
from softphone_web.schemas import InteractionPath, Number, at
from softphone_web.texts import line, lines

customer_routes = Routes("/api/v1", tag="customers")
knowledge_routes = Routes("/api/v1", tag="knowledge")
me_routes = Routes("/api/v1", tag="me")

# Ecuador's mainland keeps this offset the whole year; a day of work is a day there.
ECUADOR = timezone(timedelta(hours=-5))
NoteText = Annotated[str, lines(4000)]
Words = Annotated[str, line(200, shortest=0, strip=False)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Document = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{5,20}$")]

READ_CUSTOMERS = (Permission.CUSTOMERS_READ,)
WRITE_CUSTOMERS = (Permission.CUSTOMERS_WRITE,)
READ_KNOWLEDGE = (Permission.KNOWLEDGE_READ,)


# --- customers --------------------


class IdentityOut(Model):
    """Personal data, all of it."""

    name: str
    document: str
    kind: str
    phones: list[str]
    emails: list[str]
    sector: str
    accessibility: bool
    critical: bool
    how_sure: Sure


class ContractOut(Model):
    number: str
    service: str
    address: str
    status: str
    debt: float = Field(description="US dollars")
    due: str


class CaseOut(Model):
    id: str
    title: str
    status: str
    opened_at: str


class OutageOut(Model):
    service: str
    sector: str
    reason: str
    until: str


class PastContactOut(Model):
    id: str
    at: datetime
    medium: str
    direction: str
    queue: str | None
    reason: str | None
    disposition: str | None
    agent: str | None
    seconds: float | None


class NoteOut(Model):
    id: str
    at: datetime
    by: str = Field(description="name of who wrote it")
    text: str
    interaction: str | None


class SourceOut(Model):
    name: str
    ok: bool
    detail: str


class CustomerOut(Model):
    identity: IdentityOut
    contracts: list[ContractOut]
    cases: list[CaseOut]
    outages: list[OutageOut]
    interactions: list[PastContactOut]
    notes: list[NoteOut]
    measured_at: datetime
    sources: list[SourceOut] = Field(description="which systems answered; a hole on the card is explained here")


class NoteList(Model):
    items: list[NoteOut]


class NoteBody(Model):
    text: NoteText


class CustomerNoteBody(Model):
    address: Number
    text: NoteText


class CustomerSearch(Model):
    """Exactly one of them."""

    address: Number | None = None
    document: Document | None = None
    contract: Document | None = None


@customer_routes.get("/interactions/{interaction}/customer", READ_CUSTOMERS, raises=(404,))
async def get_customer_of_interaction(call: Call, path: InteractionPath) -> CustomerOut:
    """The card of the customer of an interaction: one's own, or anybody's for who may hear its recording."""
    return _card_out(await call.deps.around.customers.of_interaction(await _private_interaction(call, path)))


@customer_routes.post("/customers/search", READ_CUSTOMERS, raises=(429,))
async def find_customer(call: Call, body: CustomerSearch) -> CustomerOut:
    """The card of a customer by number, document or contract. Who was looked up is kept in the audit trail.

    They stand in the body: every proxy on the way writes URLs down."""
    given = [
        (by, value)
        for by, value in (
            (Sure.PHONE, body.address),
            (Sure.DOCUMENT, body.document),
            (Sure.CONTRACT, body.contract),
        )
        if value is not None
    ]
    if len(given) != 1:
        message = "Give one of address, document and contract."
        raise RequestInvalid([FieldError(where="body", field="address", code="one_of", message=message)])
    ((by, value),) = given
    look_ups = look_ups_of(call)
    await look_ups.take(call, value)
    card = await call.deps.around.customers.look_up(by, value)
    await look_ups.tell(call, value, by.value, known=(card.identity.document, *card.identity.phones))
    return _card_out(card)


@customer_routes.get("/interactions/{interaction}/notes", READ_CUSTOMERS, raises=(404,))
async def list_notes(call: Call, path: InteractionPath) -> NoteList:
    """Notes of an interaction, newest first."""
    notes = await call.deps.around.customers.notes_of(await _private_interaction(call, path))
    return NoteList(items=[_note_out(note) for note in notes])


@customer_routes.post("/interactions/{interaction}/notes", WRITE_CUSTOMERS, raises=(404,), status=201)
async def add_note(call: Call, path: InteractionPath, body: NoteBody) -> NoteOut:
    """Write a note of an interaction. It also stands on the customer's card at their next contact."""
    record = await _private_interaction(call, path)
    who = call.who
    note = await call.deps.around.customers.note(text=body.text, by=who.id, by_name=who.name, interaction=record)
    return _note_out(note)


@customer_routes.post("/customers/notes", WRITE_CUSTOMERS, status=201)
async def add_customer_note(call: Call, body: CustomerNoteBody) -> NoteOut:
    """Write a note about a customer, known by a number, without an interaction."""
    await call.audit("customer.noted", target_of(body.address), citizen=[look_ups_of(call).mark(body.address)])
    who = call.who
    note = await call.deps.around.customers.note(text=body.text, by=who.id, by_name=who.name, address=body.address)
    return _note_out(note)


async def _private_interaction(call: Call, path: InteractionPath) -> Interaction:
    record = await visible_interaction(call, path.interaction)
    mine = call.agent is not None and call.agent in agents_in(record)
    # A program that reads customers reads them by number, too: the same permission holds for both ways.
    if not sees_private(call.who, mine):
        raise PermissionDenied("The personal data of this interaction is not for your role.", role=call.who.role)
    return record


def _card_out(card: CustomerCard) -> CustomerOut:
    identity = card.identity
    return CustomerOut(
        identity=IdentityOut(
            name=identity.name,
            document=identity.document,
            kind=identity.kind,
            phones=list(identity.phones),
            emails=list(identity.emails),
            sector=identity.sector,
            accessibility=identity.accessibility,
            critical=identity.critical,
            how_sure=identity.how_sure,
        ),
        contracts=[
            ContractOut(number=c.number, service=c.service, address=c.address, status=c.status, debt=c.debt, due=c.due)
            for c in card.contracts
        ],
        cases=[CaseOut(id=c.id, title=c.title, status=c.status, opened_at=c.opened_at) for c in card.cases],
        outages=[OutageOut(service=o.service, sector=o.sector, reason=o.reason, until=o.until) for o in card.outages],
        interactions=[
            PastContactOut(
                id=c.id,
                at=at(c.at),
                medium=c.medium,
                direction=c.direction,
                queue=c.queue,
                reason=c.reason,
                disposition=c.disposition,
                agent=c.agent,
                seconds=None if c.seconds is None else round(c.seconds, 1),
            )
            for c in card.interactions
        ],
        notes=[_note_out(note) for note in card.notes],
        measured_at=at(card.measured_at),
        sources=[SourceOut(name=s.name, ok=s.ok, detail=s.detail) for s in card.sources],
    )


def _note_out(note: Note) -> NoteOut:
    return NoteOut(id=note.id, at=at(note.at), by=note.by_name, text=note.text, interaction=note.interaction)


# --- knowledge --------------------


class KnowledgeQuery(Model):
    q: Words = ""
    queue: Code | None = None


class ArticleHit(Model):
    id: str
    title: str
    excerpt: str
    updated_at: date


class ArticleHits(Model):
    items: list[ArticleHit]


class ArticlePath(Model):
    article: Code


class ArticleOut(Model):
    id: str
    title: str
    body: str = Field(description="Markdown")
    queues: list[str]
    updated_at: date


class ScriptQuery(Model):
    queue: Code | None = None
    reason: Code | None = None


class StepOut(Model):
    text: str


class ScriptOut(Model):
    id: str
    title: str
    steps: list[StepOut]


class ScriptList(Model):
    items: list[ScriptOut]


@knowledge_routes.get("/knowledge", READ_KNOWLEDGE)
async def search_knowledge(call: Call, query: KnowledgeQuery) -> ArticleHits:
    """Articles in which all these words begin a word, best first; those of the queue first when nothing is asked."""
    found = call.deps.around.knowledge.library().search(query.q, query.queue)
    return ArticleHits(items=[_hit(article, query.q) for article in found])


@knowledge_routes.get("/knowledge/{article}", READ_KNOWLEDGE, raises=(404,))
async def get_article(call: Call, path: ArticlePath) -> ArticleOut:
    """One article, whole."""
    found = call.deps.around.knowledge.library().article(path.article)
    if found is None:
        raise NotFound("There is no such article.")
    return ArticleOut(
        id=found.id, title=found.title, body=found.body, queues=list(found.queues), updated_at=found.updated_at
    )


@knowledge_routes.get("/scripts", READ_KNOWLEDGE)
async def list_scripts(call: Call, query: ScriptQuery) -> ScriptList:
    """What to say, step by step, for a queue and a contact reason; the one that fits best is first."""
    found = call.deps.around.knowledge.library().scripts_for(query.queue, query.reason)
    items = [ScriptOut(id=s.id, title=s.title, steps=[StepOut(text=text) for text in s.steps]) for s in found]
    return ScriptList(items=items)


def _hit(article: Article, words: str) -> ArticleHit:
    text = excerpt(article, words)
    return ArticleHit(id=article.id, title=article.title, excerpt=text, updated_at=article.updated_at)


# --- the directory --------------------


class DirectorySearch(Model):
    q: Words = ""


class DirectoryEntry(Model):
    kind: Literal["agent", "queue", "number"]
    id: str
    name: str
    detail: str
    state: AgentState | None
    waiting: int | None


class Directory(Model):
    items: list[DirectoryEntry]


@knowledge_routes.post("/directory/search", (Permission.DIRECTORY_READ,))
async def search_directory(call: Call, body: DirectorySearch) -> Directory:
    """Whom one can transfer to: agents with their state, queues with who waits, and the numbers of the house.

    What is typed stands in the body: half of the time it is a citizen's number."""
    deps = call.deps
    queues = {view.name: view.title for view in await deps.queues.list()}
    entries = [
        DirectoryEntry(
            kind="agent",
            id=view.id,
            name=view.name,
            detail=", ".join(queues.get(queue, queue) for queue in view.queues),
            state=view.state,
            waiting=None,
        )
        for view in await deps.agents.list()
        if view.id != call.agent
    ]
    entries += [
        DirectoryEntry(kind="queue", id=view.name, name=view.title, detail="", state=None, waiting=view.waiting)
        for view in await deps.queues.list()
    ]
    entries += [
        DirectoryEntry(kind="number", id=each.number, name=each.name, detail=each.detail, state=None, waiting=None)
        for each in deps.around.knowledge.library().numbers
    ]
    return Directory(items=[entry for entry in entries if _named(entry, body.q)])


def _named(entry: DirectoryEntry, words: str) -> bool:
    known = plain(f"{entry.name} {entry.detail} {entry.id}").split()
    return all(any(part.startswith(word) for part in known) for word in plain(words).split())


# --- the agent's day --------------------


class StatisticsOut(Model):
    """Seconds, counts, and `occupancy` between 0 and 1; null where there is nothing to divide by yet."""

    day: str
    handled: int
    offered: int
    missed: int
    rejected: int
    talk_s: float
    hold_s: float
    wrap_up_s: float
    aht_s: float | None
    ready_s: float
    not_ready_s: dict[str, float] = Field(description="by reason")
    occupancy: float | None
    measured_at: datetime


@me_routes.get("/me/statistics", (Permission.STATISTICS_READ_OWN,), raises=(409,))
async def get_my_statistics(call: Call) -> StatisticsOut:
    """One's own figures of today, recomputed from the events."""
    if call.agent is None:
        raise Conflict("You are no agent, so you have no such figures.")
    now = call.deps.clock.now()
    today = datetime.fromtimestamp(now, ECUADOR).replace(hour=0, minute=0, second=0, microsecond=0)
    day = await call.deps.around.days.of(call.agent, since=today.timestamp(), until=now)
    return _day_out(day, today.date().isoformat(), now)


def _day_out(day: AgentDay, date: str, now: float) -> StatisticsOut:
    aht, occupancy = day.aht_s, day.occupancy
    return StatisticsOut(
        day=date,
        handled=day.handled,
        offered=day.offered,
        missed=day.missed,
        rejected=day.rejected,
        talk_s=round(day.talk_s, 1),
        hold_s=round(day.hold_s, 1),
        wrap_up_s=round(day.wrap_up_s, 1),
        aht_s=None if aht is None else round(aht, 1),
        ready_s=round(day.ready_s, 1),
        not_ready_s=rounded(day.not_ready_s),
        occupancy=None if occupancy is None else round(occupancy, 4),
        measured_at=at(now),
    )
