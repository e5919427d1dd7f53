"""The `ivr_flows` section of the settings: where flows are and which number begins which."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from foundation.settings import Section

FlowId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class Entry(Section):
    """The first entry whose pattern fits the dialled number wins."""

    number: str = Field(
        pattern=r"^[+0-9*?]{1,32}$", description="digits; ? stands for one, * for any number of them, none too"
    )
    flow: FlowId


class FlowSettings(Section):
    folders: list[str] = Field(default=[], description="folders of flow files besides those that come with Rimay")
    own: str = Field(
        default="",
        description="folder of the flows that are saved from pages and come from no other folder; "
        "flows-own in the data folder when empty",
    )
    shipped: bool = Field(default=True, description="take the flows that come with Rimay, too")
    entries: list[Entry] = []
    default: FlowId = Field(default="principal", description="for numbers that no entry fits")
