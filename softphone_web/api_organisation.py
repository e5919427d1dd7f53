"""The organisation as data: read, checked, changed as a whole; sheets edit the document, YAML stays the truth."""

from __future__ import annotations

from dataclasses import replace

from foundation.access import Permission
from foundation.holidays import holidays
from softphone_web.call import Call
from softphone_web.languages import wants_spanish
from softphone_web.mistakes_es import in_spanish
from softphone_web.routes import Routes
from softphone_web.schemas_board import (
    HolidayList,
    HolidayOut,
    HolidaysQuery,
    OrganisationCheck,
    OrganisationDocument,
    OrganisationOut,
    OrganisationPut,
    OrganisationSaved,
    OrganisationText,
    mistake_out,
)

routes = Routes("/api/v1", tag="organisation")
READ, WRITE = (Permission.ORGANISATION_READ,), (Permission.QUEUES_WRITE,)


@routes.get("/organisation", READ)
async def get_organisation(call: Call) -> OrganisationOut:
    """Queues, skills, calendars, teams, agents, reasons and dispositions in force."""
    found = await call.deps.supervision.organisation.get()
    return OrganisationOut(revision=found.revision, yaml=found.yaml, document=dict(found.document))


@routes.post("/organisation/check", WRITE, takes_document=True)
async def check_organisation(call: Call, body: OrganisationText) -> OrganisationCheck:
    """Every mistake of a text with its line and column; or, where there is none, what it would change.

    Mistakes are told in Spanish to who asks for it first (`Accept-Language`), else in English."""
    mistakes, difference = await call.deps.supervision.organisation.check(body.yaml)
    if wants_spanish(call):
        mistakes = [replace(one, message=in_spanish(one.message)) for one in mistakes]
    return OrganisationCheck(mistakes=[mistake_out(one) for one in mistakes], difference=list(difference))


@routes.put("/organisation", WRITE, takes_document=True, raises=(409,))
async def put_organisation(call: Call, body: OrganisationPut) -> OrganisationSaved:
    """Put a text in force, as a whole or not at all.

    `revision` is the one that was read: when somebody else changed it meanwhile, nothing is done (409).
    """
    async with call.act("organisation.changed", "organisation:routing", {"revision": body.revision}) as told:
        revision, changed = await call.deps.supervision.organisation.put(body.yaml, body.revision)
        told |= {"revision": revision, "changes": list(changed[:100]), "count": len(changed)}
    return OrganisationSaved(revision=revision, difference=list(changed))


@routes.post("/organisation/render", WRITE, takes_document=True)
async def render_organisation(call: Call, body: OrganisationDocument) -> OrganisationText:
    """The text in force with what the document changes of it; comments and order stay."""
    return OrganisationText(yaml=await call.deps.supervision.organisation.render(body.document))


@routes.get("/holidays", READ)
async def list_holidays(call: Call, query: HolidaysQuery) -> HolidayList:
    """The days of rest of one year, by the law that moves them."""
    national = holidays(query.year)
    found = holidays(query.year, query.place)
    items = [HolidayOut(day=day.isoformat(), name=name, local=day not in national) for day, name in found.items()]
    return HolidayList(items=items)
