"""Where this machine's own apt gets its packages: read from its source files, one-line and deb822. Pure.

Nothing here names a host: what the operator of the machine trusts is what we use, with the same keyring."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

_ONE_LINE = re.compile(
    r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)(?P<components>(?:\s+\S+)*)$"
)
# Codenames and pockets come after these with a dash; they hold updates of the same release.
_POCKETS = ("", "-updates", "-security")
_FETCHABLE = ("http://", "https://", "mirror+", "mirror:", "file:", "copy:", "tor+", "ftp://")


@dataclass(frozen=True, slots=True, kw_only=True)
class AptSource:
    """One archive: an address, one suite, its components, and what it is trusted by."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""  # a keyring's path or name, or an armoured key; empty: the machine's trusted keys
    options: Mapping[str, str] = field(default_factory=dict)  # `trusted` and the like, carried over as they are

    def render(self, architecture: str) -> str:
        """As a deb822 stanza: the only form that can carry an armoured key."""
        lines = [
            "Types: deb",
            f"URIs: {self.uri}",
            f"Suites: {self.suite}",
            f"Components: {' '.join(self.components)}",
            f"Architectures: {architecture}",
        ]
        if self.signed_by:
            key = self.signed_by.strip("\n").splitlines()
            lines.append("Signed-By: " + key[0] if len(key) == 1 else "Signed-By:\n" + "\n".join(map(_folded, key)))
        lines += [f"{name.capitalize()}: {value}" for name, value in self.options.items()]
        return "\n".join(lines) + "\n"


def _folded(line: str) -> str:
    return f" {line.strip()}" if line.strip() else " ."


def parse_list(text: str) -> Iterator[AptSource]:
    """`sources.list`: one line a source."""
    for raw in text.splitlines():
        match = _ONE_LINE.match(raw.split("#", 1)[0].strip())
        if match is None:
            continue
        options = dict(item.split("=", 1) for item in (match["options"] or "").split() if "=" in item)
        yield AptSource(
            uri=match["uri"],
            suite=match["suite"],
            components=tuple(match["components"].split()),
            signed_by=options.get("signed-by", ""),
            options={name: options[name] for name in ("trusted",) if name in options},
        )


def parse_deb822(text: str) -> Iterator[AptSource]:
    """`*.sources`: stanzas; several addresses and suites in one are taken apart."""
    for stanza in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").strip().lower() == "no":
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield AptSource(
                    uri=uri,
                    suite=suite,
                    components=tuple(fields.get("components", "").split()),
                    signed_by=fields.get("signed-by", "").strip(),
                    options={name: fields[name].strip() for name in ("trusted",) if name in fields},
                )


def _fields(stanza: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] in {" ", "\t"} and name:
            content = line.strip()
            fields[name] += "\n" + ("" if content == "." else content)
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def parse_os_release(text: str) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}


def distribution_sources(sources: Iterable[AptSource], codename: str, aliases: Iterable[str] = ()) -> list[AptSource]:
    """Those of the machine's own release (third parties' archives are not of it), each once."""
    releases = [name for name in (codename, *aliases) if name]
    suites = {release + pocket for release in releases for pocket in _POCKETS}
    found: dict[tuple[str, str], AptSource] = {}
    for source in sources:
        if source.suite in suites and source.uri.startswith(_FETCHABLE) and "main" in source.components:
            found.setdefault((source.uri.rstrip("/"), source.suite), source)
    return list(found.values())


def base_source(sources: Iterable[AptSource]) -> AptSource | None:
    """The release itself, not its updates: the mirror that also holds other suites."""
    return next((source for source in sources if not source.suite.endswith(("-updates", "-security"))), None)


def with_components(source: AptSource, *components: str) -> AptSource:
    return replace(source, components=tuple(dict.fromkeys((*source.components, *components))))


def other_suite(source: AptSource, suite: str, *components: str) -> AptSource:
    """The same mirror, another suite of it."""
    return replace(source, suite=suite, components=components)


_DIGITS = re.compile(r"\d+")


def version_tuple(text: str) -> tuple[int, ...]:
    """The leading dotted number of what a program or package calls its version: `1:20.6.0~dfsg-2` is (20, 6, 0)."""
    without_epoch = text.split(":", 1)[1] if re.match(r"^\d+:", text) else text
    match = re.search(r"\d+(?:\.\d+)*", without_epoch)
    return tuple(int(part) for part in _DIGITS.findall(match[0])) if match else ()
