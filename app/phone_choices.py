"""Where each agent wants to be reached, over restarts: a small file beside the organisation's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from callcontrol.model import AgentId, PhoneKind
from foundation.logs import get_logger

log = get_logger(__name__)


class PhoneChoices:
    """What cannot be read or written is told and costs a choice at most: the settings' own holds then."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[AgentId, PhoneKind]:
        try:
            kept = json.loads(self._path.read_text())
            return {AgentId(agent): PhoneKind(kind) for agent, kind in kept.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError) as error:
            log.warning("phone_choices.not_read", problem=type(error).__name__)
            return {}

    def keep(self, kinds: Mapping[AgentId, PhoneKind]) -> None:
        aside = self._path.with_suffix(".new")
        try:
            aside.write_text(json.dumps({agent: kind.value for agent, kind in sorted(kinds.items())}, indent=1) + "\n")
            aside.replace(self._path)
        except OSError as error:
            log.warning("phone_choices.not_kept", problem=type(error).__name__)
