"""A voice behind HTTP, by setting: ``POST <url>`` with ``{"text": "...", "language": "es"}``; the answer is a sound
file (WAV, MP3, FLAC, Ogg). Texts may name a caller and a debt: the service must be the customer's own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp

from foundation.secret import Secret
from pbx.speech import SpeechFailed, plain_text

MAX_ANSWER = 32 * 1024 * 1024  # ten minutes of the largest format


class HttpSpeech:
    """`pbx.speech.Speech`."""

    def __init__(self, url: str, token: Secret | None = None, *, timeout_s: float = 3.0) -> None:
        self._url = url
        self._token = token
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    def voice(self, language: str) -> str:
        return f"http:{self._url}"

    async def speak(self, text: str, language: str, to: Path) -> None:
        headers = {} if self._token is None else {"Authorization": f"Bearer {self._token.get_secret_value()}"}
        told = {"text": plain_text(text), "language": language}
        sound = b""
        try:
            # A session for each: a text is spoken once, and kept.
            async with (
                aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=self._timeout) as session,
                session.post(self._url, json=told, headers=headers, allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    raise SpeechFailed(f"The voice service answered {answer.status}.")
                async for chunk in answer.content.iter_chunked(64 * 1024):
                    sound += chunk
                    if len(sound) > MAX_ANSWER:
                        raise SpeechFailed("The voice service answered with more than a prompt.")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SpeechFailed(f"The voice service does not answer ({type(error).__name__}).") from error
        if not sound:
            raise SpeechFailed("The voice service answered nothing.")
        await asyncio.to_thread(to.write_bytes, sound)
