"""What the runner of a switch of ours must choose: its ports, its folders, its secrets, and the program itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchPorts:
    """All on the bind address; chosen free once for a `var` folder and remembered there."""

    sip: int  # UDP and TCP
    tls: int
    control: int  # Asterisk: HTTP (ARI, web sockets); FreeSWITCH: event socket
    manager: int  # Asterisk: AMI; FreeSWITCH: web sockets for browsers
    rtp_from: int
    rtp_to: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchFolders:
    home: Path  # configuration, run files, logs: private to the switch
    recordings: Path  # the switch writes, we read and tidy
    sounds: Path  # we write prompts, the switch reads


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskProgram:
    """An Asterisk >= 20: from PATH, or Debian's packages unpacked into a folder of their own."""

    binary: Path
    modules: Path
    data: Path  # holds documentation/, rest-api/, sounds/
    music: Path | None
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeswitchProgram:
    binary: Path
    modules: Path
    version: str
    sounds: Path | None = None
