"""Bounds of what people write, the same for the settings' queues and agents and for the organisation's: what one
accepts, the other can hold. Every number has both ends, so that no sum of times leaves the calendar."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

WEEK_S = 7 * 86400


def _id(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", value):
        raise ValueError("a name is at most 32 lower-case letters, digits, - and _")
    return value


def _name(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", value):
        raise ValueError("a name is lower-case letters, digits, - and _, beginning with a letter")
    return value


Id = Annotated[str, AfterValidator(_id)]  # of a queue, an agent: also a telephone's name on the switch
Name = Annotated[str, AfterValidator(_name)]  # of all else
Title = Annotated[str, Field(min_length=1, max_length=80)]
Level = Annotated[int, Field(ge=1, le=10)]
Priority = Annotated[int, Field(ge=-100, le=100)]
Seconds = Annotated[float, Field(ge=0, le=WEEK_S)]
Duration = Annotated[float, Field(ge=0.1, le=86400)]  # of what takes some time at least
Length = Annotated[int, Field(ge=0, le=100_000)]
AlertSeconds = Annotated[float, Field(ge=1, le=86400)]
OfferSeconds = Annotated[float, Field(ge=1, le=300)]
WrapUpSeconds = Annotated[float, Field(ge=0, le=3600)]
MaxWaitSeconds = Annotated[float, Field(ge=1, le=WEEK_S)]
