"""The rules by which Mozilla's HTTP Observatory scores a site's answer (version 2: developer.mozilla.org/observatory),
as far as headers can earn or lose anything: 100 points to begin with, malus always, bonus only from 90 upwards."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

HALF_A_YEAR_S = 15768000
_PRIVATE = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}


def score(headers: Mapping[str, str], cookies: Sequence[str] = (), *, https: bool = True) -> dict[str, int]:
    """What each rule gives; `total` is the score. From 100 the grade is A+."""
    policy = _policy(headers.get("Content-Security-Policy", ""))
    found = {
        "content-security-policy": _content_security(policy),
        "cookies": _cookies(cookies),
        "cross-origin-resource-sharing": -50 if headers.get("Access-Control-Allow-Origin") == "*" else 0,
        "redirection": 0 if https else -20,
        "referrer-policy": _referrer(headers.get("Referrer-Policy")),
        "strict-transport-security": _transport(headers.get("Strict-Transport-Security"), https),
        "x-content-type-options": 0 if headers.get("X-Content-Type-Options") == "nosniff" else -5,
        "x-frame-options": _framing(policy, headers.get("X-Frame-Options")),
        "cross-origin-resource-policy": _resource_policy(headers.get("Cross-Origin-Resource-Policy")),
    }
    malus = sum(value for value in found.values() if value < 0)
    bonus = sum(value for value in found.values() if value > 0)
    base = 100 + malus
    return {**found, "total": base + bonus if base >= 90 else base}


def _policy(text: str) -> dict[str, list[str]]:
    parts = [part.split() for part in text.split(";") if part.strip()]
    return {name.lower(): values for name, *values in parts}


def _content_security(policy: Mapping[str, Sequence[str]]) -> int:
    if not policy:
        return -25
    default = policy.get("default-src", ["*"])
    scripts, styles = policy.get("script-src", default), policy.get("style-src", default)
    if {"*", "http:", "https:", "data:", "'unsafe-inline'"} & {*scripts, *policy.get("object-src", default)}:
        return -20
    if any(value.startswith("http://") for values in policy.values() for value in values):
        return -20
    if "'unsafe-eval'" in scripts:
        return -10
    if "'unsafe-inline'" in styles:
        return 0
    return 10 if list(default) == ["'none'"] else 5


def _cookies(cookies: Sequence[str]) -> int:
    for cookie in cookies:
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        if "secure" not in attributes or "httponly" not in attributes:
            return -40
        if not any(part.startswith("samesite=") for part in attributes):
            return 0
    return 5 if cookies else 0


def _referrer(value: str | None) -> int:
    if value is None:
        return 0
    return 5 if value.split(",")[-1].strip() in _PRIVATE else -5


def _transport(value: str | None, https: bool) -> int:
    age = re.search(r"max-age=(\d+)", value or "")
    if not https or age is None:
        return -20
    return 0 if int(age[1]) >= HALF_A_YEAR_S else -10


def _framing(policy: Mapping[str, Sequence[str]], value: str | None) -> int:
    if policy.get("frame-ancestors", ["*"])[0] in {"'none'", "'self'"}:
        return 5
    return 0 if value in {"DENY", "SAMEORIGIN"} else -20


def _resource_policy(value: str | None) -> int:
    return {"same-origin": 10, "same-site": 10, "cross-origin": 0, None: 0}.get(value, -5)
