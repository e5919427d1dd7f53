"""The flows as their pages need them: what `ivr_flows.shelf` and `ivr_flows.trying` do, behind one protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from foundation.access import Principal
from ivr_flows.shelf import Checked, Draft, Listed
from ivr_flows.trying import Standing


class Flows(Protocol):
    """Raises the errors of `foundation.errors`, and of `ivr_flows.shelf`."""

    async def list(self) -> Sequence[Listed]: ...
    async def read(self, flow: str) -> Draft: ...
    async def check(self, name: str, text: str) -> Checked: ...
    async def version(self, flow: str, version: str) -> str: ...
    async def difference(self, flow: str, version: str) -> Sequence[str]:
        """From that version to the present file, as lines of a unified difference."""
        ...

    async def save(self, flow: str, text: str, *, base: str, comment: str, by: Principal) -> str:
        """The new version, which serves new calls when this returns."""
        ...

    async def roll_back(self, flow: str, version: str, *, by: Principal) -> str: ...
    async def begin_try(
        self, flow: str, text: str | None, *, caller: str, at: float | None, by_hand: bool, by: Principal
    ) -> Standing:
        """A rehearsal of that text, or of the version that serves. The settings' bots answer by themselves in it,
        unless they are played `by_hand`, too."""
        ...

    async def tell_try(self, session: str, given: Mapping[str, Any], *, by: Principal) -> Standing: ...
