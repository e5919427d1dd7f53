"""Digest access authentication for a user agent (RFC 2617, RFC 8760): from a challenge to the Authorization header."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASHES = {"md5": hashlib.md5, "sha-256": hashlib.sha256}


@dataclass(frozen=True, slots=True)
class Challenge:
    realm: str
    nonce: str
    algorithm: str
    opaque: str | None
    qop: bool  # the server takes qop=auth

    @classmethod
    def parse(cls, value: str) -> Challenge | None:
        """None when it is not one that we can answer."""
        scheme, _, rest = value.strip().partition(" ")
        found = {m[1].lower(): m[2] if m[2] is not None else m[3] for m in _PARAMETER.finditer(rest)}
        algorithm = found.get("algorithm", "MD5")
        if scheme.lower() != "digest" or algorithm.lower() not in _HASHES or "nonce" not in found:
            return None
        offered = [item.strip() for item in found.get("qop", "").split(",")]
        return cls(found.get("realm", ""), found["nonce"], algorithm, found.get("opaque"), "auth" in offered)


def authorization(challenge: Challenge, *, user: str, password: str, method: str, uri: str, cnonce: str = "") -> str:
    """The header's value. `cnonce` is random unless given."""

    def digest(text: str) -> str:
        return _HASHES[challenge.algorithm.lower()](text.encode()).hexdigest()

    secret = digest(f"{user}:{challenge.realm}:{password}")
    what = digest(f"{method}:{uri}")
    fields = [
        f'username="{user}"',
        f'realm="{challenge.realm}"',
        f'nonce="{challenge.nonce}"',
        f'uri="{uri}"',
        f"algorithm={challenge.algorithm}",
    ]
    if challenge.qop:
        cnonce = cnonce or secrets.token_hex(8)
        count = "00000001"  # every challenge is answered once
        response = digest(f"{secret}:{challenge.nonce}:{count}:{cnonce}:auth:{what}")
        fields += [f'cnonce="{cnonce}"', "qop=auth", f"nc={count}"]
    else:
        response = digest(f"{secret}:{challenge.nonce}:{what}")
    fields.append(f'response="{response}"')
    if challenge.opaque is not None:
        fields.append(f'opaque="{challenge.opaque}"')
    return "Digest " + ", ".join(fields)
