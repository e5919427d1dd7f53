"""`queue`: wait for an agent, talk, and go on by how it ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from ivr_flows.faults import FlowFault
from ivr_flows.findings import closest
from ivr_flows.node import Context, Doubt, Go, NodeKind, NodeModel, Outcome, Surroundings, Wait
from ivr_flows.protocol import Enqueue, Input, QueueExit, QueueLeft
from ivr_flows.terms import Name, NodeRef, Spec, Template


class Then(Spec):
    """Where each end leads. What is left out of the last two leads where `timeout` does."""

    talked: NodeRef
    timeout: NodeRef
    no_agents: NodeRef | None = None
    unknown_queue: NodeRef | None = None

    def target(self, reason: QueueExit) -> NodeRef:
        given: dict[QueueExit, NodeRef | None] = {
            QueueExit.TALKED: self.talked,
            QueueExit.NO_AGENTS: self.no_agents,
            QueueExit.UNKNOWN_QUEUE: self.unknown_queue,
        }
        return given.get(reason) or self.timeout


class Queue(NodeModel):
    kind: Literal["queue"]
    name: Name
    priority: int = Field(default=0, ge=0, le=1000)
    skills: dict[Name, Annotated[int, Field(ge=1, le=100)]] = {}
    reason: Template = Template("")
    music: Name = "default"
    timeout_s: float | None = Field(default=None, gt=0, le=86_400, allow_inf_nan=False)
    then: Then


def enter(node: Queue, context: Context) -> Outcome:
    return Wait(
        Enqueue(
            queue=node.name,
            priority=node.priority,
            skills=dict(node.skills),
            reason=context.text(node.reason),
            music=node.music,
            timeout_s=node.timeout_s,
        )
    )


def handle(node: Queue, context: Context, heard: Input) -> Outcome:
    if not isinstance(heard, QueueLeft):
        raise FlowFault("input", f"a queue cannot use {type(heard).__name__}")
    return Go(node.then.target(heard.reason), notes=(context.note("queue.left", reason=heard.reason.value),))


def lint(node: Queue, around: Surroundings) -> Iterable[Doubt]:
    if around.queues is not None and node.name not in around.queues:
        yield Doubt(("name",), "queue.unknown", f"there is no queue {node.name!r}", closest(node.name, around.queues))


KIND = NodeKind(Queue, enter, handle, is_end=True, lint=lint)
