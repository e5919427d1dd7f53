"""The in-memory twin of `softphone_web.ports_board.OrganisationDesk`: the text in force is a variable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.web_board import mistake_view
from callcontrol.routing import config_edit, config_store
from callcontrol.routing.config import RoutingConfig
from foundation.settings import SettingsError
from softphone_web.ports_board import MistakeView, OrganisationView


class MemoryOrganisationDesk:
    def __init__(self) -> None:
        self.text = ""

    async def get(self) -> OrganisationView:
        return OrganisationView(
            revision=config_store.revision_of(self.text), yaml=self.text, document=config_edit.document_of(self.text)
        )

    async def check(self, yaml: str) -> tuple[Sequence[MistakeView], Sequence[str]]:
        try:
            return [], self._changes(yaml)
        except SettingsError as error:
            return [mistake_view(one) for one in error.mistakes], []

    async def put(self, yaml: str, revision: str) -> tuple[str, Sequence[str]]:
        changes = self._changes(yaml)
        config_store.check_revision(self.text, revision)
        self.text = yaml
        return config_store.revision_of(yaml), changes

    async def render(self, document: Mapping[str, Any]) -> str:
        return config_edit.render(self.text, dict(document))

    def _changes(self, yaml: str) -> list[str]:
        before = config_store.read_text(self.text) if self.text else RoutingConfig()
        wanted = config_store.read_text(yaml)
        config_store.check_not_emptied(before, wanted)
        return [str(change) for change in config_store.differences(before, wanted)]
