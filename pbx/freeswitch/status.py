"""The switch's own truth, asked for: channels, gateways, registrations."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable
from xml.etree import ElementTree

from pbx.freeswitch.client import EslClient
from pbx.freeswitch.codec import Event
from pbx.freeswitch.rendering import PROFILE, gateway_name
from pbx.freeswitch.translate import gateway_status, parse_dump
from pbx.settings import PbxSettings
from pbx.terms import ChannelGone, CommandRefused, EndpointStatus, TrunkState, TrunkStatus

# Dumps asked for at once: each is some 8 kB, and the switch answers one after the other.
_AT_ONCE = 50
_REGISTERED = re.compile(r"<user>([^<@]+)@")


async def channel_ids(client: EslClient) -> list[str]:
    text = await client.api("show channels as json")
    rows = json.loads(text).get("rows", [])
    return [row["uuid"] for row in rows]


async def dumps(client: EslClient, channels: Iterable[str]) -> list[Event]:
    """What the switch knows of each; those that end meanwhile are left out."""
    wanted = list(channels)
    found: list[Event] = []
    for start in range(0, len(wanted), _AT_ONCE):
        batch = (_dump(client, channel) for channel in wanted[start : start + _AT_ONCE])
        found += [event for event in await asyncio.gather(*batch) if event is not None]
    return found


async def _dump(client: EslClient, channel: str) -> Event | None:
    try:
        event = parse_dump(await client.api(f"uuid_dump {channel} json"))
    except (ChannelGone, CommandRefused):
        return None
    return None if event.get("Channel-State") in ("CS_HANGUP", "CS_REPORTING", "CS_DESTROY") else event


async def trunks(client: EslClient, settings: PbxSettings) -> list[TrunkStatus]:
    return [
        await _trunk(client, trunk.name, gateway.name, watched=trunk.keepalive_s > 0)
        for trunk in settings.trunks
        for gateway in trunk.gateways
    ]


async def _trunk(client: EslClient, trunk: str, gateway: str, *, watched: bool) -> TrunkStatus:
    text = await client.api(f"sofia xmlstatus gateway {gateway_name(trunk, gateway)}")
    try:
        root = ElementTree.fromstring(text.strip())  # noqa: S314
    except ElementTree.ParseError:
        return TrunkStatus(trunk=trunk, gateway=gateway, state=TrunkState.DOWN, detail="unknown to the switch")
    ping = _number(root.findtext("pingtime"))
    status = gateway_status(
        trunk,
        gateway,
        root.findtext("state") or "",
        root.findtext("status") or "",
        watched=watched,
        round_trip_ms=ping or None,
    )
    if status.state is TrunkState.UP and watched and not ping:
        # It calls a gateway up until the first ping proves otherwise.
        return TrunkStatus(trunk=trunk, gateway=gateway, state=TrunkState.UNKNOWN, detail="not asked yet")
    return status


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


async def registered(client: EslClient) -> set[str]:
    """From SIP's own table: the core's list of registrations is a second or so behind it."""
    text = await client.api(f"sofia xmlstatus profile {PROFILE} reg")
    return set(_REGISTERED.findall(text))


def endpoint_statuses(names: Iterable[str], online: set[str], used: dict[str, int]) -> list[EndpointStatus]:
    return [EndpointStatus(endpoint=name, online=name in online, channels=used.get(name, 0)) for name in sorted(names)]
