"""Where a request comes from, with or without proxies that we trust before us."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttp import web

from softphone_web.settings import WebSettings

Address = IPv4Address | IPv6Address


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def client_address(request: web.Request, settings: WebSettings) -> str:
    """The nearest address that is not a trusted proxy's; headers of anybody else are not believed."""
    address = _parse(str(request.remote or ""))
    hops = [hop for line in request.headers.getall("X-Forwarded-For", []) for hop in line.split(",")]
    while address is not None and hops and any(address in network for network in settings.trusted_proxies):
        address = _parse(hops.pop())
    return str(address) if address is not None else "unknown"


def is_local(request: web.Request) -> bool:
    """From this machine itself. What a proxy forwarded is not, wherever the proxy runs."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    address = _parse(str(request.remote or ""))
    return address is not None and address.is_loopback
