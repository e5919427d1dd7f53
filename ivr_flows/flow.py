"""A flow: what an admin writes (`FlowHead` and its nodes) and what the engine runs (`Flow`)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import Field

from ivr_flows.calendars import Calendar
from ivr_flows.node import NodeModel
from ivr_flows.terms import Digit, Language, Name, NodeRef, Prompts, Scalar, Spec, VariableRef, VariableSpec

MAX_NODES = 500


class Person(Spec):
    """The way to a person from every node: the key (and the words, where speech is heard), and where it leads."""

    digit: Digit = "0"
    phrases: tuple[str, ...] = Field(default=("asesor", "persona", "operadora"), max_length=20)
    to: NodeRef


class Limits(Spec):
    """What no call needs and every loop reaches."""

    steps: int = Field(default=200, ge=1, le=1000, description="nodes entered in one call")
    visits: int = Field(default=25, ge=1, le=1000, description="of the same node")
    minutes: float = Field(
        default=20, gt=0, le=240, allow_inf_nan=False, description="in the flow, without queues and talks"
    )
    depth: int = Field(default=5, ge=1, le=20, description="of flows that call flows")


class FlowHead(Spec):
    """A flow file without its nodes."""

    id: Name
    name: str = Field(default="", max_length=120)
    description: str = ""
    language: Language = "es"
    entry: NodeRef
    person: Person | None = None
    on_error: NodeRef | None = None
    apology: Prompts = ()
    variables: dict[VariableRef, VariableSpec] = Field(default={}, max_length=200)
    limits: Limits = Limits()
    calendars: dict[Name, Calendar] = Field(default={}, max_length=20)


@dataclass(frozen=True, slots=True)
class Flow:
    """A valid flow: every reference leads somewhere. `version` is the hash of the file's text."""

    head: FlowHead
    version: str
    nodes: Mapping[str, NodeModel]
    first: Mapping[str, Scalar]  # the variables' values at the beginning
    text: str
    enters: tuple[str, ...] = ()  # the flows that its nodes name

    @property
    def id(self) -> str:
        return self.head.id

    @property
    def name(self) -> str:
        return self.head.name or self.head.id

    def __repr__(self) -> str:
        return f"Flow({self.id}@{self.version})"


def version_of(text: str) -> str:
    """Twelve hex digits are enough to tell the versions of one flow apart for ever."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
