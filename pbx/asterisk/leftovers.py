"""What a daemon that died left at the switch: its ears and streams, whose sockets nobody reads, and bridges without
anybody in them. A supervisor who listens goes on listening: `supervision` takes that up."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from pbx.asterisk.bridges import dissolve
from pbx.asterisk.core import Core
from pbx.asterisk.legs import OWN
from pbx.asterisk.wire import AriBridge, AriChannel

_ONE_READER = (f"{OWN}ear-", f"{OWN}stream-")


async def clear(
    core: Core, channels: Collection[AriChannel], bridges: Collection[AriBridge], held_in: Collection[str]
) -> None:
    """Before anything is asked of the switch. `held_in`: bridges to which somebody who is on hold will come back."""
    old = {one.id for one in channels if one.id.startswith(_ONE_READER)}
    await asyncio.gather(*(core.ari.attempt("DELETE", f"/channels/{channel}") for channel in old))
    empty = [
        (one.id, [channel for channel in one.channels if channel not in old])
        for one in bridges
        if one.id.startswith(OWN) and one.id not in held_in and (not one.channels or old.intersection(one.channels))
    ]
    await asyncio.gather(*(dissolve(core, bridge, *inside) for bridge, inside in empty))
