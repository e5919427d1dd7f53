"""Names of what lies outside a flow's file: of the organisation, and of the settings. A field's type says whose name it
is, so that a name which nobody has is found wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ivr_flows.terms import NAME, Template, Word


class Reference(Word):
    """The base of those below. `what` is the word for it in findings and their codes (``queue.unknown``)."""

    __slots__ = ()
    pattern = NAME
    what: ClassVar[str] = ""


class QueueName(Reference):
    __slots__ = ()
    what = "queue"


class QueueText(Template):
    """The name of a queue, or a text that becomes one in the call (``{{ linea }}``)."""

    __slots__ = ()
    refers_to: ClassVar[type[Reference]] = QueueName

    @classmethod
    def problem(cls, text: str) -> str:
        if "{" not in text and re.fullmatch(NAME, text) is None:
            return f"{text[:64]!r} is no name of a queue (lower-case letters, digits, _ or -)"
        return super().problem(text)


class SkillName(Reference):
    __slots__ = ()
    what = "skill"


class CriticalityName(Reference):
    __slots__ = ()
    what = "criticality"


class AgentName(Reference):
    __slots__ = ()
    what = "agent"


class PhoneName(Reference):
    """A SIP telephone."""

    __slots__ = ()
    what = "phone"


class BotName(Reference):
    __slots__ = ()
    what = "bot"


class SystemName(Reference):
    """One of the customer's systems."""

    __slots__ = ()
    what = "system"


class SecretName(Reference):
    __slots__ = ()
    what = "secret"


def _not_told(language: str, name: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the world outside. `names` are those that there are, by what they name; of what is not among
    the keys nobody was told. Both may change while they are held: each look is at what there is then."""

    names: Mapping[type[Reference], Collection[str]] = field(default_factory=dict)
    recorded: Callable[[str, str], bool] = _not_told  # a prompt, by language and name

    def untold(self) -> list[str]:
        """The kinds of names that nobody told."""
        return [kind.what for kind in Reference.__subclasses__() if kind not in self.names]


NOTHING_KNOWN = Known()
# The facts of a call that texts and expressions read (``call.from``).
FACTS: Mapping[str, str] = {
    "from": "the number that calls",
    "name": "the name that came with it",
    "to": "the number that was called",
    "trunk": "the trunk by which the call came",
    "today": "the day in Ecuador when it came, as 2026-03-16",
    "last_reason": "why this number called last (a queue's reason, else a tag); empty where nothing is known",
    "last_at": "how many whole days ago that was; there where last_reason is",
}
