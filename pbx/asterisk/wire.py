"""ARI's JSON as typed structs: only the fields that we read, absent ones empty, unknown ones skipped."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Party(msgspec.Struct, frozen=True, gc=False):
    name: str = ""
    number: str = ""


class Dialplan(msgspec.Struct, frozen=True, gc=False):
    context: str = ""
    exten: str = ""


class AriChannel(msgspec.Struct):
    id: str
    name: str = ""
    state: str = ""
    caller: Party = Party()
    connected: Party = Party()
    dialplan: Dialplan = Dialplan()
    creationtime: str = ""


class AriBridge(msgspec.Struct):
    id: str
    name: str = ""
    channels: list[str] = []


class AriPlayback(msgspec.Struct):
    id: str
    state: str = ""
    target_uri: str = ""
    media_uri: str = ""


class AriEndpoint(msgspec.Struct):
    technology: str = ""
    resource: str = ""
    state: str = ""
    channel_ids: list[str] = []


class Requested(msgspec.Struct, frozen=True):
    destination: str = ""


class ReferTo(msgspec.Struct):
    requested_destination: Requested = Requested()
    destination_channel: AriChannel | None = None


class ReferredBy(msgspec.Struct):
    source_channel: AriChannel | None = None


class AriEvent(msgspec.Struct):
    """Any event of the web socket."""

    type: str
    timestamp: str = ""
    channel: AriChannel | None = None
    bridge: AriBridge | None = None
    playback: AriPlayback | None = None
    refer_to: ReferTo | None = None
    referred_by: ReferredBy | None = None
    args: list[str] = []
    digit: str = ""
    duration_ms: int = 0
    cause: int = 0
    state: str = ""


class SystemPart(msgspec.Struct, frozen=True):
    version: str = ""
    entity_id: str = ""


class StatusPart(msgspec.Struct, frozen=True):
    startup_time: str = ""


class AriInfo(msgspec.Struct):
    """`/asterisk/info`: the start-up time tells one life of a switch from the next."""

    system: SystemPart = SystemPart()
    status: StatusPart = StatusPart()

    @property
    def life(self) -> str:
        return f"{self.system.entity_id} {self.status.startup_time}"


class Problem(msgspec.Struct):
    message: str = ""
    error: str = ""


decode_event = msgspec.json.Decoder(AriEvent).decode


def unix_seconds(timestamp: str) -> float | None:
    """ARI's time, such as ``2026-11-23T19:07:48.603+0000``; None where there is none."""
    try:
        return datetime.fromisoformat(timestamp).timestamp()
    except ValueError:
        return None
