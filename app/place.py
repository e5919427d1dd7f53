"""Where one copy of the platform lives: its `var` folder, and what is found there.

    var/                       owned by the user who runs the platform
      rimay.pid.json           the daemon that runs here now (`down` and `status` read it)
      lock                     held while a daemon runs: two never share a `var`
      ports.json               ports chosen once and kept
      secrets/                 0700; one file a secret, 0600, made at first need
      servers/<name>/          one folder a server of ours, owned by the user it runs as; its log and pid file in it
      recordings/ sounds/      written by the switch, and read by it
      log/                     the daemon's own log

Two copies with different `var` folders share nothing but the cache of unpacked programs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from foundation import process_table as table
from foundation.errors import Conflict, Invalid
from foundation.pid_files import PidRecord, pid_path, read_pid, write_pid
from foundation.run_as import RunAs, can_traverse, make_folder, run_as

CHECKOUT = Path(__file__).resolve().parent.parent
_DAEMON = "rimay"
SOUNDS = "sounds"
_ROOT_CACHE = Path("/var/cache/rimay")


class AlreadyRunning(Conflict):
    code = "place.already_running"


class UnreachablePlace(Invalid):
    """The servers' user could not reach it."""

    code = "place.unreachable"


def cache_folder() -> Path:
    """Unpacked programs. As root under /var/cache, so that the servers' unprivileged user can read it."""
    named = os.environ.get("RIMAY_CACHE")
    if named:
        return Path(named).absolute()
    if os.geteuid() == 0 and can_traverse(_ROOT_CACHE.parent, run_as()):
        return _ROOT_CACHE
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base).absolute() if base else Path.home() / ".cache") / "rimay"


def _default_var(user: RunAs | None) -> Path:
    """`var` in the checkout, unless the servers' user cannot get there: a checkout in root's home."""
    inside = CHECKOUT / "var"
    if can_traverse(inside, user) and os.access(inside if inside.exists() else CHECKOUT, os.W_OK):
        return inside
    key = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:10]
    return cache_folder() / f"var-{key}"


def _named_var(var: Path | None) -> Path | None:
    """The option, then RIMAY_VAR."""
    named = os.environ.get("RIMAY_VAR")
    return var.absolute() if var is not None else Path(named).absolute() if named else None


def chosen_var(var: Path | None) -> Path:
    """Where the place is or would be; nothing is made."""
    return _named_var(var) or _default_var(run_as(None))


@dataclass(frozen=True, slots=True)
class Secrets:
    folder: Path

    def get(self, name: str) -> str:
        """The secret of that name; made at the first call, the same for ever after."""
        make_folder(self.folder, None, 0o700)
        path = self.folder / name
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            value = path.read_text().strip()
            if value:
                return value
            descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)  # torn by a kill between making and writing
        value = secrets.token_urlsafe(24)
        with os.fdopen(descriptor, "w") as file:
            file.write(value + "\n")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    var: Path
    cache: Path
    user: RunAs | None  # whom the servers run as, when we are root
    moved: bool = False  # the default `var` could not be in the checkout

    @classmethod
    def open(cls, var: Path | None = None, *, user_name: str | None = None, quiet: bool = False) -> Place:
        """The place of that `var` folder, made when missing; `RIMAY_VAR` and then the checkout's own when none."""
        user = run_as(user_name)
        var = _named_var(var)
        chosen = var or _default_var(user)
        if var is not None and not can_traverse(chosen, user):
            who = f"the servers' user {user.name!r}" if user else "this user"
            raise UnreachablePlace(f"{who} cannot reach {chosen}; choose another --var")
        place = cls(var=chosen, cache=cache_folder(), user=user, moved=var is None and chosen.parent != CHECKOUT)
        if place.moved and not quiet:
            who = user.name if user else "this user"
            print(f"rimay: {CHECKOUT} is closed to {who}; data goes to {chosen}", file=sys.stderr)
        try:
            make_folder(place.var, None, 0o755 if user else 0o750)
            make_folder(place.servers, None, 0o755 if user else 0o750)
        except OSError as exc:
            raise UnreachablePlace(f"{chosen} cannot be made: {exc.strerror}; choose another --var") from exc
        return place

    def with_user(self, name: str | None) -> Place:
        """The same place with the servers' user that the settings name."""
        return replace(self, user=run_as(name)) if name else self

    @property
    def secrets(self) -> Secrets:
        return Secrets(self.var / "secrets")

    @property
    def servers(self) -> Path:
        return self.var / "servers"

    @property
    def log(self) -> Path:
        return make_folder(self.var / "log", None)

    @property
    def recordings(self) -> Path:
        return make_folder(self.var / "recordings", self.user)

    @property
    def sounds(self) -> Path:
        return make_folder(self.var / SOUNDS, self.user)

    def server_folder(self, name: str) -> Path:
        return make_folder(self.servers / name, self.user)

    # -- the daemon that runs here

    @property
    def daemon(self) -> PidRecord | None:
        """The daemon that lives here now, if any."""
        record = read_pid(pid_path(self.var, _DAEMON))
        return record if record is not None and record.is_alive else None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Be the one daemon of this place. The lock goes with the process, however that ends."""
        with (self.var / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                other = self.daemon
                who = f"process {other.process.pid}" if other else "another process"
                raise AlreadyRunning(
                    f"{who} already runs the platform in {self.var}. Stop it with `down`, or choose another --var"
                ) from exc
            me = table.inspect(os.getpid())
            if me is None:
                raise Invalid("/proc is not mounted; it is needed to watch the servers")
            record = PidRecord(name=_DAEMON, process=me.id, boot=table.boot_id(), fingerprint="")
            path = pid_path(self.var, _DAEMON)
            write_pid(path, record)
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
