"""Articles and scripts for agents, read from a YAML file, and found by words as people write them.

The file is read anew when it changes; one with mistakes is refused whole, and the former stays in force."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from foundation.errors import Invalid

Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000, strip_whitespace=True)]
_EXCERPT = 160
# Too common to say what is looked for.
_EMPTY = frozenset(
    [
        "a",
        "al",
        "con",
        "de",
        "del",
        "el",
        "en",
        "es",
        "la",
        "las",
        "lo",
        "los",
        "me",
        "no",
        "para",
        "por",
        "que",
        "se",
        "si",
        "su",
        "un",
        "una",
        "y",
        "o",
        "como",
    ]
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Article(_Part):
    """`body` is Markdown; `queues` where it belongs first, all when none is named."""

    id: Word
    title: Text
    body: Text
    queues: list[Word] = []
    words: list[str] = []  # others that people use for it
    updated_at: date


class Script(_Part):
    """What is said, step by step; for a contact reason, a queue, or both."""

    id: Word
    title: Text
    steps: list[Text]
    queues: list[Word] = []
    reasons: list[Word] = []


class Number(_Part):
    """A line outside of the house that agents transfer to."""

    number: Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{3,15}$")]
    name: Text
    detail: str = ""


class Library(_Part):
    articles: list[Article] = []
    scripts: list[Script] = []
    numbers: list[Number] = []

    def search(self, words: str, queue: str | None = None, limit: int = 20) -> Sequence[Article]:
        """Best first: every word must be in the article, by its beginning; a title counts most, one's own queue more.
        Without words: all, one's own queue first."""
        wanted = [word for word in _words(words) if word not in _EMPTY] or _words(words)
        ranked = [(self._rank(article, wanted, queue), article) for article in self.articles]
        best = sorted((pair for pair in ranked if pair[0] is not None), key=lambda p: (-(p[0] or 0), p[1].title))
        return [article for _, article in best[:limit]]

    @staticmethod
    def _rank(article: Article, wanted: Sequence[str], queue: str | None) -> float | None:
        title, also, body = _words(article.title), _words(" ".join(article.words)), _words(article.body)
        rank = 0.5 if queue is not None and queue in article.queues else 0.0
        for word in wanted:
            places = ((title, 5.0), (also, 4.0), (body, 1.0))
            found = [weight for words, weight in places if any(known.startswith(word) for known in words)]
            if not found:
                return None
            rank += max(found)
        return rank

    def article(self, name: str) -> Article | None:
        return next((article for article in self.articles if article.id == name), None)

    def scripts_for(self, queue: str | None, reason: str | None) -> Sequence[Script]:
        """Those of this reason first, then those of the queue, then those for everything."""

        def fits(script: Script) -> int | None:
            by_reason = reason in script.reasons if script.reasons else None
            by_queue = queue in script.queues if script.queues else None
            if by_reason is False or by_queue is False:
                return None
            return 2 * bool(by_reason) + bool(by_queue)

        ranked = [(fits(script), script) for script in self.scripts]
        return [s for rank, s in sorted(ranked, key=lambda p: -(p[0] or 0)) if rank is not None]


def plain(text: str) -> str:
    """Without accents and case: people search for `facturacion`."""
    return "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", plain(text))


def excerpt(article: Article, words: str) -> str:
    """The part of the body where the first of the words stands, without Markdown's signs."""
    body = re.sub(r"[#*_`>]+|\n+|\s{2,}", " ", article.body)
    body = re.sub(r" {2,}", " ", body).strip()
    folded = plain(body)
    if len(folded) != len(body):  # a letter that folds into two: places would not fit
        return body[:_EXCERPT]
    places = [folded.find(word) for word in _words(words) if word in folded]
    start = max(0, min(places, default=0) - _EXCERPT // 3)
    start = 0 if start == 0 else body.find(" ", start) + 1
    cut = body[start : start + _EXCERPT].strip()
    return f"{'…' if start else ''}{cut}{'…' if start + _EXCERPT < len(body) else ''}"


def read_library(text: str, name: str) -> Library:
    """Raises `Invalid`, which names every mistake and where it is."""
    try:
        library = Library.model_validate(yaml.safe_load(text) or {})
    except yaml.YAMLError as error:
        raise Invalid(f"{name}: {error}") from error
    except ValidationError as error:
        told = [f"{name}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise Invalid("\n".join(told)) from error
    for kind in (library.articles, library.scripts):
        names = [part.id for part in kind]
        if twice := sorted({each for each in names if names.count(each) > 1}):
            raise Invalid(f"{name}: given twice: {', '.join(twice)}")
    return library


class LibraryFile:
    """The library of a file, as it is now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at: int | None = None
        self._library = Library()
        self.mistake = ""  # of the file as it is now

    def library(self) -> Library:
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._read_at:
                self._read_at = changed
                self._library = read_library(self._path.read_text(encoding="utf-8"), self._path.name)
                self.mistake = ""
        except (OSError, Invalid, UnicodeDecodeError) as error:
            self.mistake = str(error)
        return self._library
