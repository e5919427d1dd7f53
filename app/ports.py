"""Free ports, chosen once for a `var` folder and remembered there; chosen again when somebody else has taken one."""

from __future__ import annotations

import fcntl
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.place import Place
from foundation import process_table as table
from foundation.errors import Unavailable
from foundation.pid_files import running_in
from foundation.processes import PortInUse
from pbx.instance import SwitchPorts
from pbx.settings import PbxSettings

# Below the ports that the kernel hands out to clients (32768 on by default), so that none of those takes ours.
_LOWEST, _HIGHEST = 15000, 32000
_SMALL_BELOW, _SLOT = 17000, 100


class NoFreePorts(Unavailable):
    code = "ports.none_free"


@dataclass(frozen=True, slots=True)
class Range:
    first: int
    count: int

    @property
    def numbers(self) -> range:
        return range(self.first, self.first + self.count)


class Ports:
    """The ports of one place. `claims`, in the cache, keeps two places from choosing the same."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._file = place.var / "ports.json"
        self._claims = place.cache / "ports-claimed.json"

    def choose(self, name: str, *, fixed: int = 0, count: int = 1, why_fixed: str = "the settings") -> int:
        """The (first) port of that name. A `fixed` one that somebody else holds is an error; another is replaced."""
        used = table.ports_in_use()
        if fixed:
            taken = used.intersection(range(fixed, fixed + count))
            for port in sorted(taken):
                if not self._is_ours(port):
                    raise PortInUse(
                        f"port {port} ({name}), fixed by {why_fixed}, is in use by {table.port_holder(port)}. "
                        "Stop that, or choose another port (0: any free one)",
                        port=port,
                    )
            return fixed
        with self._locked() as (mine, others):
            known = mine.get(name)
            if known is not None and known.count == count and self._is_usable(known, used):
                return known.first
            avoid = used | {port for claimed in (*others, *mine.values()) for port in claimed.numbers}
            mine[name] = _free_range(count, avoid)
            return mine[name].first

    def known(self) -> dict[str, int]:
        """What has been chosen so far, for people to see."""
        return {name: value.first for name, value in sorted(_read(self._file).items())}

    def _is_usable(self, known: Range, used: set[int]) -> bool:
        return all(self._is_ours(port) for port in used.intersection(known.numbers))

    def _is_ours(self, port: int) -> bool:
        """Held by a server of this place that an earlier run left, to be adopted."""
        holder = table.port_holder(port)
        if holder is None:
            return True  # let go meanwhile
        if holder.pid is None:
            return False
        leaders = {record.process.pid for record in running_in(self._place.servers)}
        if (daemon := self._place.daemon) is not None:
            leaders.add(daemon.process.pid)
        info = table.inspect(holder.pid)
        return info is not None and not leaders.isdisjoint({info.id.pid, info.parent, info.session})

    @contextmanager
    def _locked(self) -> Iterator[tuple[dict[str, Range], list[Range]]]:
        self._claims.parent.mkdir(parents=True, exist_ok=True)
        with self._claims.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            mine = _read(self._file)
            claims = {
                var: ranges for var, ranges in _read_claims(self._claims).items() if (Path(var) / "ports.json").exists()
            }
            others = [claimed for var, ranges in claims.items() if var != str(self._place.var) for claimed in ranges]
            yield mine, others
            _write(self._file, {name: [value.first, value.count] for name, value in mine.items()})
            claims[str(self._place.var)] = list(mine.values())
            _write(self._claims, {var: [[r.first, r.count] for r in ranges] for var, ranges in claims.items()})


def _free_range(count: int, avoid: set[int]) -> Range:
    """Of all that are free, one by chance. Small ones lie together and large ones in slots, so that what is taken
    leaves room for the next large one."""
    highest = _HIGHEST if count < (_HIGHEST - _LOWEST) // 2 else 65000
    # Even numbers: RTP has even ports, RTCP the odd ones behind.
    slots = range(_SMALL_BELOW, highest - count + 1, _SLOT)
    small = range(_LOWEST, _SMALL_BELOW - count + 1, 2)
    for starts in (slots if count >= _SLOT else small, range(_LOWEST, highest - count + 1, 2)):
        free = [first for first in starts if avoid.isdisjoint(range(first, first + count))]
        if free:
            return Range(random.SystemRandom().choice(free), count)
    raise NoFreePorts(f"no {count} free ports in a row were found between {_LOWEST} and {_HIGHEST}")


def _read(path: Path) -> dict[str, Range]:
    try:
        raw = json.loads(path.read_text())
        return {str(name): Range(int(first), int(count)) for name, (first, count) in raw.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _read_claims(path: Path) -> dict[str, list[Range]]:
    try:
        raw = json.loads(path.read_text())
        return {str(var): [Range(int(first), int(count)) for first, count in ranges] for var, ranges in raw.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write(path: Path, value: object) -> None:
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps(value, indent=1) + "\n")
    new.replace(path)


def switch_ports(ports: Ports, pbx: PbxSettings) -> SwitchPorts:
    """All that a switch of ours needs."""
    rtp_from = ports.choose("rtp", fixed=pbx.rtp_from, count=pbx.rtp_count, why_fixed="pbx.rtp_from")
    return SwitchPorts(
        sip=ports.choose("sip", fixed=pbx.sip_port, why_fixed="pbx.sip_port"),
        tls=ports.choose("sip-tls", fixed=pbx.tls_port, why_fixed="pbx.tls_port"),
        control=ports.choose("switch-control"),
        manager=ports.choose("switch-manager"),
        rtp_from=rtp_from,
        rtp_to=rtp_from + pbx.rtp_count - 1,
    )
