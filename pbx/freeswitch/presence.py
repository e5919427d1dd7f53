"""Gateways and phones as last told: the switch repeats itself with every keepalive and every registration."""

from __future__ import annotations

from collections.abc import Callable

from pbx.events import EndpointChanged, TrunkChanged
from pbx.freeswitch import status, translate
from pbx.freeswitch.browsers import Browsers
from pbx.freeswitch.codec import Event
from pbx.freeswitch.legs import Board
from pbx.settings import PbxSettings
from pbx.terms import EndpointStatus, TrunkStatus


class Presence:
    def __init__(self, board: Board, settings: PbxSettings, browsers: Browsers, is_up: Callable[[], bool]) -> None:
        self._board, self._settings, self._browsers, self._is_up = board, settings, browsers, is_up
        self._trunks: dict[tuple[str, str], TrunkStatus] = {}
        self.online: set[str] = set()

    def trunks(self) -> list[TrunkStatus]:
        return list(self._trunks.values())

    def endpoints(self) -> set[str]:
        """Phones and browsers that may register."""
        return {phone.name for phone in self._settings.phones} | self._browsers.names()

    def used(self) -> dict[str, int]:
        """The legs of each."""
        used: dict[str, int] = {}
        for leg in self._board.legs.values():
            if leg.endpoint and not leg.ended:
                used[leg.endpoint] = used.get(leg.endpoint, 0) + 1
        return used

    async def learn(self) -> None:
        """What is, after a connection; nothing of it is news."""
        client = self._board.client
        self._trunks = {(one.trunk, one.gateway): one for one in await status.trunks(client, self._settings)}
        self.online = await status.registered(client) & self.endpoints()

    async def look_at_trunks(self) -> None:
        """The first answer to a keepalive changes nothing in the switch's eyes, so it tells of none."""
        if not any(trunk.keepalive_s for trunk in self._settings.trunks):
            return
        for seen in await status.trunks(self._board.client, self._settings):
            self._trunk_seen(TrunkChanged(at=self._board.clock.now(), status=seen))

    def _trunk_seen(self, told: TrunkChanged) -> None:
        key = (told.status.trunk, told.status.gateway)
        before, self._trunks[key] = self._trunks.get(key), told.status
        if self._is_up() and before is not None and before.state is not told.status.state:
            self._board.tell(told)

    def on_gateway_state(self, event: Event) -> None:
        trunk, _, gateway = event.get("Gateway").partition(".")
        watched = any(one.name == trunk and one.keepalive_s > 0 for one in self._settings.trunks)
        told = translate.trunk_changed(event, self._board.clock.now(), watched)
        if told is not None and (trunk, gateway) in self._trunks:
            self._trunk_seen(told)

    def on_registration(self, event: Event) -> None:
        told = translate.endpoint_changed(event, self._board.clock.now(), 0)
        name, online = told.status.endpoint, told.status.online
        # One that was revoked is known by being online, until it is told that it is not.
        if (name not in self.endpoints() and name not in self.online) or online == (name in self.online):
            return
        (self.online.add if online else self.online.discard)(name)
        used = self.used().get(name, 0)
        self._board.tell(EndpointChanged(at=told.at, status=EndpointStatus(name, online, used)))
