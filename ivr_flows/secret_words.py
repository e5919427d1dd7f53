"""What looks like a secret that was written into a flow: by the name of what holds it, or by its own look."""

from __future__ import annotations

import re

# Whole words of a name, whose parts are told by - and _ or by a capital letter.
_WORDS = frozenset(
    {
        *(
            "auth",
            "authorization",
            "bearer",
            "clave",
            "contrasena",
            "contraseña",
            "contrasenia",
            "cookie",
            "credential",
        ),
        *("credentials", "key", "llave", "pass", "passwd", "password", "pin", "pwd", "secret", "secreto", "session"),
        *("token", "apikey"),
    }
)
_LOOKS = re.compile(
    r"(?i)\b(?:bearer|basic)\s+[a-z0-9+/=._~-]{6,}"  # of an Authorization header
    r"|\b(?:sk|pk|rk)[-_](?:live|test)[-_]\w{4,}|\bgh[pousr]_\w{16,}|\bxox[abprs]-[\w-]{10,}|\bAKIA[0-9A-Z]{12,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}"  # a signed token
    r"|\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{24,}\b"  # a long hexadecimal number
)


def is_secret(name: str, value: str) -> bool:
    """Whether a value (one that is always the same) stands under such a name, or looks like one."""
    return _is_named_so(name) or _LOOKS.search(value) is not None


def _is_named_so(name: str) -> bool:
    """Such as ``X-Api-Key`` or ``accessToken``."""
    parts = re.split(r"[^a-zñ]+", re.sub(r"(?<=[a-zñ])(?=[A-ZÑ])", "-", name).lower())
    return any(part in _WORDS for part in parts)


def in_address(url: str) -> bool:
    """A parameter that is named so, or looks like one, with a value that is always the same."""
    return any(is_secret(name, value) for name, value in re.findall(r"[?&]([^=&]+)=([^&{]+)", url))
