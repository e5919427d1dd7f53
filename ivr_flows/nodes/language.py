"""`language`: from now on, prompts of this language."""

from __future__ import annotations

from typing import Literal

from ivr_flows.node import Context, Go, NodeKind, NodeModel, Outcome
from ivr_flows.terms import Language as LanguageCode
from ivr_flows.terms import NodeRef


class Language(NodeModel):
    kind: Literal["language"]
    language: LanguageCode
    next: NodeRef


def enter(node: Language, context: Context) -> Outcome:
    note = context.note("language", language=node.language)
    return Go(node.next, typed=context.typed, language=node.language, notes=(note,))


KIND = NodeKind(Language, enter)
