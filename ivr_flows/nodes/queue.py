"""`queue`: wait for an agent, talk, and go on by how it ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ivr_flows.faults import FlowFault
from ivr_flows.node import Context, Doubt, Go, NodeKind, NodeModel, Outcome, Surroundings, Wait
from ivr_flows.protocol import Enqueue, Input, QueueExit, QueueLeft
from ivr_flows.references import CriticalityName, QueueText, SkillName
from ivr_flows.terms import Digit, Expression, Name, NodeRef, Prompts, Spec, Template


class Then(Spec):
    """Where each end leads. What is left out leads where `timeout` does; a queue's rule that says `voicemail`,
    `callback` or `message`, where `no_agents` does."""

    talked: NodeRef
    timeout: NodeRef
    no_agents: NodeRef | None = None
    unknown_queue: NodeRef | None = None
    voicemail: NodeRef | None = None
    callback: NodeRef | None = None
    message: NodeRef | None = None

    def target(self, reason: QueueExit) -> NodeRef:
        given: dict[QueueExit, NodeRef | None] = {
            QueueExit.TALKED: self.talked,
            QueueExit.NO_AGENTS: self.no_agents,
            QueueExit.UNKNOWN_QUEUE: self.unknown_queue,
            QueueExit.VOICEMAIL: self.voicemail or self.no_agents,
            QueueExit.CALLBACK: self.callback or self.no_agents,
            QueueExit.MESSAGE: self.message or self.no_agents,
        }
        return given.get(reason) or self.timeout


class Urgency(Spec):
    """A rule that brings a caller forward: an open claim, an outage of a hospital, a disability."""

    when: Expression
    by: int = Field(ge=1, le=1000)


class Queue(NodeModel):
    """While the caller waits, the music is interrupted every `comfort_every_s` by the place in the line, the expected
    wait and the comfort prompts, as far as asked for; the keys of `exits` lead away at any moment."""

    kind: Literal["queue"]
    name: QueueText
    priority: int = Field(default=0, ge=0, le=1000)
    skills: dict[SkillName, Annotated[int, Field(ge=1, le=100)]] = {}
    reason: Template = Template("")
    music: Name = "default"
    timeout_s: float | None = Field(default=None, gt=0, le=86_400, allow_inf_nan=False)
    urgency: tuple[Urgency, ...] = Field(default=(), max_length=20, description="added to the priority where they hold")
    criticality: CriticalityName | None = Field(default=None, description="what the organisation gives priority for")
    target_s: float | None = Field(
        default=None, gt=0, le=86_400, allow_inf_nan=False, description="answered within, where it is not the queue's"
    )
    prefer: tuple[Template, ...] = Field(
        default=(), max_length=5, description="agents tried first, by their names: who looks after this customer"
    )
    comfort: Prompts = ()
    comfort_every_s: float | None = Field(default=None, ge=10, le=600, allow_inf_nan=False)
    say_position: bool = False
    say_wait: bool = False
    exits: dict[Digit, NodeRef] = Field(default={}, max_length=12)
    then: Then

    @model_validator(mode="after")
    def _comforts(self) -> Queue:
        if self.comfort_every_s is None and (self.comfort or self.say_position or self.say_wait):
            raise PydanticCustomError("comfort", "comfort_every_s is missing: how often the music is interrupted")
        return self


def enter(node: Queue, context: Context) -> Outcome:
    return Wait(
        Enqueue(
            queue=context.text(node.name, use="data"),
            priority=min(1000, node.priority + sum(u.by for u in node.urgency if context.value(u.when))),
            skills={str(skill): level for skill, level in node.skills.items()},
            reason=context.text(node.reason),
            music=node.music,
            timeout_s=node.timeout_s,
            comfort=context.prompts(node.comfort),
            comfort_every_s=node.comfort_every_s,
            say_position=node.say_position,
            say_wait=node.say_wait,
            exits="".join(node.exits),
            language=context.language,
            criticality=str(node.criticality or ""),
            target_s=node.target_s,
            preferred=tuple(name for template in node.prefer if (name := context.text(template).strip())),
        )
    )


def handle(node: Queue, context: Context, heard: Input) -> Outcome:
    if not isinstance(heard, QueueLeft):
        raise FlowFault("input", f"a queue cannot use {type(heard).__name__}")
    if heard.reason is QueueExit.DIGIT:
        note = context.note("queue.left", reason=heard.reason.value, option=heard.digit)
        return Go(node.exits.get(heard.digit) or node.then.timeout, notes=(note,))
    reason = heard.reason.value
    if heard.why:
        note = context.note("queue.left", reason=reason, why=heard.why, target=heard.target)
    else:
        note = context.note("queue.left", reason=reason)
    return Go(node.then.target(heard.reason), notes=(note,))


def lint(node: Queue, around: Surroundings) -> Iterable[Doubt]:
    if around.person_digit is not None and around.person_digit in node.exits:
        text = f"exit {around.person_digit} takes the place of the key for a person in this queue"
        yield Doubt(("exits", around.person_digit), "queue.hides_person", text)


KIND = NodeKind(Queue, enter, handle, is_end=True, lint=lint)
