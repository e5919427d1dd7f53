"""Browsers' endpoints: pushed into Asterisk's memory over ARI while it runs, and pushed again into its next life.

Asterisk's own configuration maps endpoints to its files and, behind them, to memory (``sorcery.conf``); what is pushed
is an authentication, an address of record and an endpoint, in this order, so that none names what is not there yet."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from urllib.parse import quote

from pbx.asterisk.core import Core
from pbx.asterisk.instance import RTP_TIMEOUT_HOLD_S, RTP_TIMEOUT_S, AsteriskLink
from pbx.asterisk.rendering import browser_context
from pbx.settings import PbxSettings
from pbx.terms import BrowserEndpoint, CommandRefused, Signalling, check_endpoint_name

_CONFIG = "/asterisk/config/dynamic/res_pjsip"
# Not Opus, though it would be better on a bad network: docs/adr/0012-no-opus-on-asterisk.md.
_CODECS = "!all,ulaw,alaw"
# A page that registered and then says nothing more is dropped by its socket's end, not by asking it.
_LONGEST_REGISTRATION_S = 600


class Browsers:
    def __init__(self, core: Core, link: AsteriskLink, settings: PbxSettings) -> None:
        self._core = core
        self._link = link
        self._settings = settings
        self._phones = {phone.name for phone in settings.phones}
        self._admitted: dict[str, BrowserEndpoint] = {}
        self._going: set[str] = set()  # revoked, and still listed by Asterisk for a moment

    @property
    def signalling(self) -> Signalling:
        base = self._link.ari_url.removesuffix("/ari")
        return Signalling(f"ws{base.removeprefix('http')}/ws")

    async def admit(self, endpoint: BrowserEndpoint) -> None:
        check_endpoint_name(endpoint.name)
        if endpoint.name in self._phones:
            raise CommandRefused("a phone of the settings has this name", endpoint=endpoint.name)
        self._going.discard(endpoint.name)
        await self._push(endpoint)
        self._admitted[endpoint.name] = endpoint

    async def admit_all_again(self) -> None:
        """Into a new life of Asterisk, whose memory is empty."""
        await asyncio.gather(*(self._push(endpoint) for endpoint in self._admitted.values()))

    async def _push(self, endpoint: BrowserEndpoint) -> None:
        name = endpoint.name
        await self._put("auth", name, {"auth_type": "userpass", "username": name, "password": endpoint.password})
        await self._put(
            "aor",
            name,
            {"max_contacts": "1", "remove_existing": "yes", "maximum_expiration": str(_LONGEST_REGISTRATION_S)},
        )
        await self._put("endpoint", name, self._endpoint(endpoint))

    async def _put(self, kind: str, name: str, fields: Mapping[str, str]) -> None:
        body = {"fields": [{"attribute": key, "value": value} for key, value in fields.items()]}
        await self._core.ari.call("PUT", f"{_CONFIG}/{kind}/{name}", body=body)

    def _endpoint(self, endpoint: BrowserEndpoint) -> dict[str, str]:
        fields = {
            "transport": "transport-ws",
            "context": browser_context(endpoint.reach),
            "identify_by": "username",
            "auth": endpoint.name,
            "aors": endpoint.name,
            "callerid": f'"{endpoint.name}" <{endpoint.name}>',
            "webrtc": "yes",
            "max_audio_streams": "1",
            "max_video_streams": "0",
            "allow": _CODECS,
            "dtmf_mode": "auto_info",
            "direct_media": "no",
            "rewrite_contact": "yes",
            "rtp_symmetric": "yes",
            "force_rport": "yes",
            "allow_transfer": "no",
            "language": self._settings.language,
            "tone_zone": "ec",
            "rtp_timeout": str(RTP_TIMEOUT_S),
            "rtp_timeout_hold": str(RTP_TIMEOUT_HOLD_S),
        }
        if self._link.media_address:
            fields |= {"media_address": self._link.media_address, "bind_rtp_to_media_address": "yes"}
        if self._link.certificate:
            certificate, key = self._link.certificate
            fields |= {
                "dtls_auto_generate_cert": "no",
                "dtls_cert_file": str(certificate),
                "dtls_private_key": str(key),
            }
        return fields

    async def revoke(self, name: str) -> None:
        check_endpoint_name(name)
        if name in self._phones:
            raise CommandRefused("a phone of the settings has this name", endpoint=name)
        self._admitted.pop(name, None)
        self._going.add(name)
        ari = self._core.ari
        await ari.attempt("DELETE", f"{_CONFIG}/auth/{name}")
        # While the endpoint is there, so that its going offline is told.
        for contact in await self._contacts(name):
            await ari.attempt("DELETE", f"{_CONFIG}/contact/{quote(contact, safe='')}")
        for kind in ("endpoint", "aor"):
            await ari.attempt("DELETE", f"{_CONFIG}/{kind}/{name}")

    def left(self, listed: Collection[str]) -> set[str]:
        """Of those that Asterisk lists, whoever was not revoked. What it lists no more is forgotten here, too."""
        self._going &= set(listed)
        return set(listed) - self._going

    async def _contacts(self, name: str) -> list[str]:
        """Object names of its registrations, which outlive the address of record that they belong to."""
        try:
            rows = await self._core.ami.listing("PJSIPShowContacts", "ContactList")
        except CommandRefused:
            return []  # "no contacts found" is an error to it
        names = (str(row.get("ObjectName", "")) for row in rows)
        return [contact for contact in names if contact.partition(";@")[0] == name]
