"""Time-based codes (RFC 6238) as a second factor, and the box in which their secrets are kept."""

from __future__ import annotations

import hashlib
import hmac
import os
import re

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from foundation.errors import Unavailable
from foundation.secret import Secret

STEP_S = 30
_DRIFT_STEPS = 1  # phones' clocks are off by some seconds; people type slowly
_NONCE_BYTES = 12
_CODE = re.compile(r"[0-9]{6}")


class Box:
    """AES-256-GCM under a key of the place; what is sealed opens only for the same user."""

    def __init__(self, key: Secret) -> None:
        self._cipher = AESGCM(hashlib.sha256(b"rimay totp" + key.get_secret_value().encode()).digest())

    def seal(self, text: str, owner: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), owner.encode())

    def open(self, sealed: bytes, owner: str) -> str:
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner.encode()).decode()
        except InvalidTag:
            raise Unavailable(
                "a second factor cannot be read: the key of this place is not the one it was sealed with"
            ) from None


def new_secret() -> str:
    return pyotp.random_base32()


def uri(secret: str, username: str, issuer: str) -> str:
    """What authenticator apps read from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=issuer)


def step_of(secret: str, code: str, now: float) -> int | None:
    """The time step that `code` is of, or None for a wrong one."""
    if not _CODE.fullmatch(code):
        return None
    codes, found = pyotp.TOTP(secret), None
    for step in range(int(now) // STEP_S - _DRIFT_STEPS, int(now) // STEP_S + _DRIFT_STEPS + 1):
        if hmac.compare_digest(codes.at(step * STEP_S), code):
            found = step
    return found
