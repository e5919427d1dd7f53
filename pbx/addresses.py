"""This machine's own addresses, for switches that must tell browsers where they are."""

from __future__ import annotations

import ipaddress
import socket

import psutil


def own_addresses() -> list[str]:
    """IPv4, without loopback, in the order of the interfaces' names."""
    found = [
        address.address
        for _, addresses in sorted(psutil.net_if_addrs().items())
        for address in addresses
        if address.family is socket.AF_INET
    ]
    return [one for one in dict.fromkeys(found) if not ipaddress.ip_address(one).is_loopback]
