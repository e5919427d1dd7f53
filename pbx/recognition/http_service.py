"""A recogniser behind HTTP, by setting: the utterance goes out as a WAV, the text comes back as JSON.

``POST <url>?language=es&phrases=<json list>&digits=N`` with ``audio/wav``; the answer is ``{"text": "...", "sure":
0.93}`` (`sure` may be missing; an empty text is nothing heard). What leaves the house is the caller's voice: the
service must be the customer's own."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Sequence

import aiohttp
import soundfile

from foundation.secret import Secret
from pbx.recognition.terms import Expected, Pcm, Recognised, RecognitionFailed
from pbx.recognition.vosk_models import pick

MAX_ANSWER = 64 * 1024


class HttpRecogniser:
    def __init__(self, url: str, token: Secret | None = None, *, timeout_s: float = 3.0) -> None:
        self._url = url
        self._token = token
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def prepare(self, expected: Sequence[Expected]) -> None:
        """Nothing is made ahead: the service is told with each utterance."""

    async def recognise(self, pcm: Pcm, rate: int, expected: Expected) -> Recognised | None:
        file = io.BytesIO()
        await asyncio.to_thread(soundfile.write, file, pcm, rate, format="WAV", subtype="PCM_16")
        query = {"language": expected.language, "digits": str(expected.digits)}
        query["phrases"] = json.dumps(list(expected.phrases), ensure_ascii=False)
        headers = {"Content-Type": "audio/wav"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=self._timeout)
        try:
            async with self._session.post(
                self._url, params=query, data=file.getvalue(), headers=headers, allow_redirects=False
            ) as answer:
                raw = await answer.content.read(MAX_ANSWER)
                if answer.status != 200:
                    raise RecognitionFailed(f"the speech service answered {answer.status}")
                told = json.loads(raw)
                text, sure = str(told.get("text", "")), float(told.get("sure", 1.0))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RecognitionFailed(f"the speech service does not answer ({type(error).__name__})") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise RecognitionFailed("the speech service answered something else than a text") from error
        return pick(text.strip(), sure, expected) if text.strip() else None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
