"""The `var` folder: its lock, secrets and ports; two side by side."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.place import AlreadyRunning, Place, UnreachablePlace
from app.ports import Ports, switch_ports
from foundation.processes import PortInUse
from foundation.run_as import run_as
from pbx.settings import PbxSettings
from tests.support.folders import open_folder

__all__ = ["open_folder"]


@pytest.fixture(autouse=True)
def own_cache(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIMAY_CACHE", str(open_folder / "cache"))
    monkeypatch.delenv("RIMAY_VAR", raising=False)


def test_one_daemon_at_a_time(open_folder: Path) -> None:
    place = Place.open(open_folder / "var")
    with place.hold():
        assert place.daemon is not None
        assert place.daemon.process.pid == os.getpid()
        with pytest.raises(AlreadyRunning, match=rf"process {os.getpid()} already runs .*--var"), place.hold():
            pass
        with Place.open(open_folder / "other").hold():
            pass
    assert place.daemon is None


def test_the_lock_goes_with_a_killed_process(open_folder: Path) -> None:
    program = (
        "import sys, signal; from pathlib import Path; from app.place import Place\n"
        "with Place.open(Path(sys.argv[1])).hold():\n    print('held', flush=True); signal.pause()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(open_folder / "var")], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    place = Place.open(open_folder / "var")
    with pytest.raises(AlreadyRunning, match=str(holder.pid)), place.hold():
        pass
    holder.kill()
    holder.communicate()
    assert place.daemon is None
    with place.hold():
        pass


def test_secrets_are_made_once_and_are_ours_alone(open_folder: Path) -> None:
    place = Place.open(open_folder / "var")
    value = place.secrets.get("postgres")
    assert len(value) >= 32
    assert Place.open(open_folder / "var").secrets.get("postgres") == value
    assert place.secrets.get("redis") != value
    assert stat.S_IMODE((place.var / "secrets/postgres").stat().st_mode) == 0o600
    assert stat.S_IMODE((place.var / "secrets").stat().st_mode) == 0o700


def test_a_secret_torn_by_a_kill_is_made_anew(open_folder: Path) -> None:
    place = Place.open(open_folder / "var")
    place.secrets.get("x")
    (place.var / "secrets/x").write_text("")
    assert len(place.secrets.get("x")) >= 32


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's servers run as that user, who can reach it")
def test_a_var_that_the_servers_cannot_reach_is_refused(open_folder: Path) -> None:
    (open_folder / "private").mkdir(mode=0o700)
    with pytest.raises(UnreachablePlace, match="the servers' user 'nobody' cannot reach"):
        Place.open(open_folder / "private" / "var")


def test_ports_are_kept_and_never_shared(open_folder: Path) -> None:
    one, two = Ports(Place.open(open_folder / "one")), Ports(Place.open(open_folder / "two"))
    mine = {name: one.choose(name) for name in ("a", "b", "c")}
    assert {name: one.choose(name) for name in mine} == mine
    assert Ports(Place.open(open_folder / "one")).known() == dict(sorted(mine.items()))
    theirs = switch_ports(two, PbxSettings())
    rtp = range(theirs.rtp_from, theirs.rtp_to + 1)
    assert len(rtp) == 1000
    assert theirs.rtp_from % 2 == 0
    assert not set(mine.values()) & {theirs.sip, theirs.tls, theirs.control, theirs.manager, *rtp}
    ours = switch_ports(one, PbxSettings())
    assert not set(rtp) & set(range(ours.rtp_from, ours.rtp_to + 1)), "ranges of two copies do not overlap"


def test_a_port_that_somebody_took_is_chosen_again(open_folder: Path) -> None:
    ports = Ports(Place.open(open_folder / "var"))
    first = ports.choose("web")
    with socket.create_server(("127.0.0.1", first)):
        second = ports.choose("web")
        assert second != first
    assert ports.choose("web") == second


def test_a_fixed_port_in_use_is_an_error_with_its_holder(open_folder: Path) -> None:
    ports = Ports(Place.open(open_folder / "var"))
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(
            PortInUse, match=rf"port {port} \(web\), fixed by --port, is in use by process {os.getpid()}"
        ):
            ports.choose("web", fixed=port, why_fixed="--port")
    assert ports.choose("web", fixed=port) == port


def test_a_udp_port_counts_as_taken(open_folder: Path) -> None:
    ports = Ports(Place.open(open_folder / "var"))
    first = ports.choose("sip")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", first))
        assert ports.choose("sip") != first


def test_a_torn_ports_file_is_replaced(open_folder: Path) -> None:
    place = Place.open(open_folder / "var")
    (place.var / "ports.json").write_text('{"web": [1')
    assert Ports(place).choose("web") > 1024


def test_folders_of_servers_belong_to_their_user(open_folder: Path) -> None:
    place = Place.open(open_folder / "var")
    user = run_as()
    expected = user.uid if user else os.geteuid()
    assert place.server_folder("redis").stat().st_uid == expected
    assert place.recordings.stat().st_uid == expected
    assert place.var.stat().st_uid == os.geteuid()
