"""The server's certificate, read anew when its files change: a renewed one counts from the next connection on, and open
calls and sockets do not notice."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import ClassVar

from foundation.errors import Invalid
from foundation.logs import get_logger
from softphone_web.settings import WebSettings

log = get_logger(__name__)
LOOK_EVERY_S = 30.0


class BadCertificate(Invalid):
    code: ClassVar[str] = "web.bad_certificate"


class Certificate:
    """`context` serves; raises `BadCertificate` when the files cannot be used."""

    def __init__(self, certificate: Path, private_key: Path) -> None:
        self._files = (certificate, private_key)
        self.context = _context()
        self._stamp = self._look()
        self._load()

    def refresh(self) -> bool:
        """Take up files that have changed; False when there was nothing new. A pair that does not fit (one file is
        still being written) raises and changes nothing: it is tried again at the next look."""
        stamp = self._look()
        if stamp == self._stamp:
            return False
        self._load()
        self._stamp = stamp
        return True

    async def watch(self, every_s: float = LOOK_EVERY_S) -> None:
        """For ever; a bad file is told, and the former certificate goes on serving."""
        told = ""
        while True:
            await asyncio.sleep(every_s)
            try:
                if await asyncio.to_thread(self.refresh):
                    log.info("web.certificate_renewed", file=str(self._files[0]))
                told = ""
            except BadCertificate as error:
                if error.message != told:
                    log.error("web.certificate_unusable", problem=error.message)  # noqa: TRY400 - it says all
                told = error.message

    def _load(self) -> None:
        # Into a context that serves nobody first: a pair that does not fit leaves one half loaded.
        for context in (_context(), self.context):
            try:
                context.load_cert_chain(*self._files, password=_no_password)
            except (OSError, ValueError) as error:
                raise BadCertificate(_sentence(error, *self._files)) from None

    def _look(self) -> tuple[tuple[int, int], ...]:
        try:
            return tuple((found.st_mtime_ns, found.st_ino) for found in (path.stat() for path in self._files))
        except OSError as error:
            raise BadCertificate(f"cannot read {error.filename}: {error.strerror}") from None


def open_certificate(settings: WebSettings) -> Certificate | None:
    """What the settings name; None where we speak plain HTTP."""
    if settings.certificate is None or settings.private_key is None:
        return None
    return Certificate(settings.certificate, settings.private_key)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Web sockets need HTTP/1.1, and it is all that our server speaks.
    context.set_alpn_protocols(["http/1.1"])
    return context


def _no_password() -> str:
    """Called for an encrypted key only; OpenSSL would ask at the terminal."""
    raise ValueError("the private key is encrypted; give one without a password, readable by this user only")


def _sentence(error: Exception, certificate: Path, private_key: Path) -> str:
    if isinstance(error, ssl.SSLError):
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"{private_key} is not the key of {certificate}"
        return f"{certificate} with {private_key} is no usable certificate and key in PEM ({error.reason})"
    if isinstance(error, OSError):
        return f"cannot read {certificate} or {private_key}: {error.strerror}"
    return str(error)
