"""Call flows for who edits them: read, check, save as a new version, go back, try; as `rimay ivr` does."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from foundation.access import Permission
from foundation.errors import NotFound
from ivr_flows.drawing_svg import draw_svg
from ivr_flows.findings import Finding, Severity
from ivr_flows.shelf import Listed
from ivr_flows.source import parse
from ivr_flows.trying import Standing
from softphone_web.call import Call
from softphone_web.flow_mistakes_es import hint_in_spanish, message_in_spanish
from softphone_web.languages import wants_spanish
from softphone_web.routes import Model, Routes
from softphone_web.schemas import Number, Time, at, maybe_at
from softphone_web.texts import line, lines

routes = Routes("/api/v1", tag="flows")
READ, WRITE = (Permission.FLOWS_READ,), (Permission.FLOWS_WRITE,)

FlowId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
Yaml = Annotated[str, lines(256 * 1024, shortest=0, strip=False)]
Comment = Annotated[str, line(300, shortest=0)]


# --- models --------------------


class ProblemOut(Model):
    """A mistake or a doubt. Lines and columns count from 1."""

    line: int
    column: int
    severity: Severity
    code: str
    message: str
    hint: str = Field(description="what was expected, or the word that was probably meant")


class FlowItem(Model):
    name: str
    title: str
    version: str = Field(description="that serves new calls")
    entry: str
    numbers: list[str] = Field(description="patterns of the numbers that begin it; * where all others do")
    problems: list[ProblemOut]
    updated_at: datetime | None


class FlowList(Model):
    items: list[FlowItem]


class VersionItem(Model):
    version: str
    at: datetime
    by: str = Field(description="empty: edited in its folder, or as it was shipped")
    comment: str
    active: bool


class FlowOut(Model):
    name: str
    yaml: str
    version: str = Field(description="of the file as it is now")
    versions: list[VersionItem] = Field(description="newest first")


class NodeItem(Model):
    name: str
    kind: str
    line: int


class CheckOut(Model):
    problems: list[ProblemOut]
    svg: str | None = Field(description="the picture; none while there are errors")
    nodes: list[NodeItem]


class SavedOut(Model):
    version: str


class VersionOut(Model):
    yaml: str
    difference: list[str] = Field(description="from this version to the present file, as lines of a unified difference")


class SaidOut(Model):
    kind: str = Field(description="text, file (here by its words), tone, or fault: where the flow failed, and why")
    text: str


class ChoiceOut(Model):
    field: str = Field(description="digits, text, or a part of the answer such as answer.queue")
    value: str
    title: str


class WaitingOut(Model):
    kind: str = Field(
        description="keys, queue, system, message, transfer, bot (by hand), talk (the bot answers) or nothing"
    )
    detail: str
    options: list[ChoiceOut]


class TryOut(Model):
    session: str
    said: list[SaidOut]
    waiting: WaitingOut
    path: list[str]
    node: str
    variables: dict[str, Any]
    over: bool


class FlowPath(Model):
    flow: FlowId


class VersionPath(Model):
    flow: FlowId
    version: Version


class TryPath(Model):
    session: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,40}$")]


class CheckBody(Model):
    name: FlowId = "flujo"
    yaml: Yaml


class SaveBody(Model):
    yaml: Yaml
    comment: Comment = ""
    version: Version | None = Field(default=None, description="the version that was edited; null for a new flow")


class RollBackBody(Model):
    version: Version


class TryBody(Model):
    yaml: Yaml | None = Field(default=None, description="without it: the version that serves")
    caller: Number = "0991234567"
    at: Time | None = Field(default=None, description="when the call comes; now, if not given")
    by_hand: bool = Field(default=False, description="play the bots of the settings, too, instead of asking them")


class Given(Model):
    """One of these."""

    digits: Annotated[str, StringConstraints(pattern=r"^[0-9*#]{1,40}$")] | None = None
    text: Annotated[str, lines(500, strip=False)] | None = None
    silence: bool | None = None
    hangup: bool | None = None
    answer: dict[str, Any] | None = Field(
        default=None,
        description="of whoever is asked: {status, body} or {failure} of a system, {queue}, {transfer}, {seconds} of a "
        "message, {bot, slots}",
    )

    @model_validator(mode="after")
    def _one(self) -> Given:
        if len(self.model_fields_set) != 1:
            raise ValueError("give one of digits, text, silence, hangup, answer")
        return self


class TellBody(Model):
    input: Given


# --- operations --------------------


@routes.get("/flows", READ)
async def list_flows(call: Call) -> FlowList:
    """All flows, with what is wrong with the files that they come from."""
    spanish = wants_spanish(call)
    return FlowList(items=[_item(each, spanish) for each in await call.deps.flows.list()])


@routes.post("/flows/check", READ, takes_document=True)
async def check_flow(call: Call, body: CheckBody) -> CheckOut:
    """Every mistake in a flow's text, its nodes and its picture. Nothing is saved.

    Mistakes are told in Spanish to who asks for it first (`Accept-Language`), else in English."""
    checked = await call.deps.flows.check(body.name, body.yaml)
    svg = None if checked.flow is None else draw_svg(checked.flow)
    spanish = wants_spanish(call)
    problems = [_problem(each, spanish) for each in checked.findings]
    return CheckOut(problems=problems, svg=svg, nodes=_nodes(body.yaml))


@routes.get("/flows/{flow}", READ, raises=(404,))
async def get_flow(call: Call, path: FlowPath) -> FlowOut:
    """A flow's file as it is now, and its versions."""
    draft = await call.deps.flows.read(path.flow)
    active = [each.version == draft.active for each in draft.versions]
    first = active.index(True) if True in active else -1  # of a version that was saved twice, the last time counts
    versions = [
        VersionItem(version=v.version, at=at(v.at), by=v.by, comment=v.comment, active=number == first)
        for number, v in enumerate(draft.versions)
    ]
    return FlowOut(name=draft.id, yaml=draft.text, version=draft.version, versions=versions)


@routes.put("/flows/{flow}", WRITE, takes_document=True, raises=(409,))
async def save_flow(call: Call, path: FlowPath, body: SaveBody) -> SavedOut:
    """Save a flow: new calls take it at once, calls in progress end on their version.

    Refused with `flows.version_moved` when somebody saved since `version`, and with `flows.invalid` for mistakes.
    """
    base, comment, flows = body.version or "", body.comment, call.deps.flows
    async with call.act("flow.saved", f"flow:{path.flow}", {"version": body.version}, comment=comment) as told:
        saved = await flows.save(path.flow, body.yaml, base=base, comment=comment, by=call.who)
        told |= {"version": saved, "bytes": len(body.yaml.encode())}
    return SavedOut(version=saved)


@routes.get("/flows/{flow}/versions/{version}", READ, raises=(404,))
async def get_flow_version(call: Call, path: VersionPath) -> VersionOut:
    """An older version, and how it differs from the present one."""
    text = await call.deps.flows.version(path.flow, path.version)
    return VersionOut(yaml=text, difference=list(await call.deps.flows.difference(path.flow, path.version)))


@routes.post("/flows/{flow}/roll-back", WRITE, raises=(404, 409))
async def roll_back_flow(call: Call, path: FlowPath, body: RollBackBody) -> SavedOut:
    """Put an older version into force again."""
    before = await call.deps.flows.read(path.flow)
    async with call.act("flow.rolled_back", f"flow:{path.flow}", {"version": before.version}, version=body.version):
        saved = await call.deps.flows.roll_back(path.flow, body.version, by=call.who)
    return SavedOut(version=saved)


@routes.post("/flows/{flow}/try", READ, takes_document=True, raises=(404,))
async def try_flow(call: Call, path: FlowPath, body: TryBody) -> TryOut:
    """Begin a rehearsal: a call without a telephone, to this text or to the version that serves."""
    moment = None if body.at is None else body.at.timestamp()
    standing = await call.deps.flows.begin_try(
        path.flow, body.yaml, caller=body.caller, at=moment, by_hand=body.by_hand, by=call.who
    )
    return _tried(standing)


@routes.post("/flows/try/{session}", READ, raises=(404,))
async def tell_flow(call: Call, path: TryPath, body: TellBody) -> TryOut:
    """Play the caller, or whoever else the flow waits for."""
    given = {name: getattr(body.input, name) for name in body.input.model_fields_set}
    if any(value is None for value in given.values()):
        raise NotFound("Nothing was given.")
    return _tried(await call.deps.flows.tell_try(path.session, given, by=call.who))


# --- from the room's terms --------------------


def _item(each: Listed, spanish: bool) -> FlowItem:
    flow = each.flow
    return FlowItem(
        name=each.id,
        title=each.id if flow is None else flow.name,
        version=each.version,
        entry="" if flow is None else str(flow.head.entry),
        numbers=[*each.numbers, *(["*"] if each.is_default else [])],
        problems=[_problem(finding, spanish) for finding in each.problems],
        updated_at=maybe_at(each.updated_at),
    )


def _problem(finding: Finding, spanish: bool) -> ProblemOut:
    message, hint, meant = finding.message, finding.expected, "did you mean {!r}?"
    if spanish:
        message, hint, meant = message_in_spanish(message), hint_in_spanish(hint), "¿quiso decir «{}»?"
    if finding.suggestion:
        meant = meant.format(finding.suggestion)
        hint = f"{meant} {hint}" if hint else meant  # what was meant before all that could be
    return ProblemOut(
        line=finding.line,
        column=finding.column,
        severity=finding.severity,
        code=finding.code,
        message=message,
        hint=hint,
    )


def _nodes(text: str) -> list[NodeItem]:
    """As far as they can be read: an editor lists them while the file has mistakes, too."""
    source = parse(text, "flow")
    nodes = source.data.get("nodes") if isinstance(source.data, dict) else None
    if not isinstance(nodes, dict):
        return []
    found = []
    for name, node in nodes.items():
        kind = node.get("kind", "") if isinstance(node, dict) else ""
        line, _ = source.place(("nodes", str(name)))
        found.append(NodeItem(name=str(name), kind=str(kind), line=line))
    return found


def _tried(standing: Standing) -> TryOut:
    return TryOut(
        session=standing.session,
        said=[SaidOut(kind=each.kind, text=each.text) for each in standing.said],
        waiting=WaitingOut(
            kind=standing.waits_for,
            detail=standing.detail,
            options=[ChoiceOut(field=each.field, value=each.value, title=each.title) for each in standing.choices],
        ),
        path=list(standing.path),
        node=standing.node,
        variables=dict(standing.variables),
        over=standing.over,
    )
