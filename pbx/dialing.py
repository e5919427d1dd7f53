"""Outbound calls: how a number is read, whether it may be called, how often, and over which gateways. Pure.

Ecuador's plan (ARCOTEL) is written here rather than taken from `phonenumbers`, whose ranges age: a mobile range opened
last month must be dialled today. `phonenumbers` reads the rest of the world and letters on the keypad.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers

from pbx.settings import Dialing, Gateway, Trunk
from pbx.terms import DialRefused, HangupCause, NumberDestination, TrunkState, TrunkStatus


class NumberUnreadable(DialRefused):
    code = "switch.number_unreadable"


class DialTooFast(DialRefused):
    """A rate limit; `retry_after_s` says when there is room again (None: never)."""

    code = "switch.dial_too_fast"
    is_permanent = False


class NoGateway(DialRefused):
    code = "switch.no_gateway"
    is_permanent = False


# --- reading numbers --------------------


class NumberKind(StrEnum):
    FIXED = "fixed"
    MOBILE = "mobile"
    FREE = "free"  # 1800
    SHARED = "shared"  # 1700: caller pays a local call
    PREMIUM = "premium"  # 1900
    SHORT = "short"  # 911, 10x, 1xx
    INTERNATIONAL = "international"


@dataclass(frozen=True, slots=True)
class DialNumber:
    text: str  # E.164 with +, or a short code as it stands
    kind: NumberKind

    @property
    def as_dialled(self) -> str:
        """As a subscriber in Ecuador dials it: what a gateway with a national dial plan expects."""
        if self.kind is NumberKind.SHORT:
            return self.text
        if self.kind is NumberKind.INTERNATIONAL:
            return "00" + self.text[1:]
        national = self.text.removeprefix(_COUNTRY)
        return national if national.startswith("1") else "0" + national


@dataclass(frozen=True, slots=True)
class CallerId:
    """Who calls, as far as the trunk tells. `number` is None where it withholds it or we cannot read it: `why`."""

    given: str
    number: DialNumber | None
    why: str = ""


_COUNTRY = "+593"
_MAX_GIVEN = 40  # nothing longer is a telephone number; keeps a hostile caller id out of the regular expressions
_ANONYMOUS = {"", "anonymous", "unknown", "restricted", "private", "withheld", "unavailable", "asterisk"}
# National significant numbers, without the trunk prefix 0.
_NATIONAL: tuple[tuple[re.Pattern[str], NumberKind], ...] = (
    (re.compile(r"[2-7][2-9]\d{6}"), NumberKind.FIXED),
    (re.compile(r"9\d{8}"), NumberKind.MOBILE),
    (re.compile(r"1800\d{6}"), NumberKind.FREE),
    (re.compile(r"1700\d{6}"), NumberKind.SHARED),
    (re.compile(r"1900\d{6}"), NumberKind.PREMIUM),
)
_SHORT = re.compile(r"911|1\d\d")
_LOCAL = re.compile(r"[2-9]\d{6}")
_SPECIAL = re.compile(r"1[789]00")


def read_number(given: str, dialing: Dialing) -> DialNumber:
    """Any way of writing a number, as seen from Ecuador. Raises `NumberUnreadable`, whose message never repeats it."""
    digits = _clean(given)
    if digits.startswith("+"):
        return _read_international(digits[1:])
    if digits.startswith("00"):
        return _read_international(digits[2:])
    if _SHORT.fullmatch(digits):
        return DialNumber(digits, NumberKind.SHORT)
    if _LOCAL.fullmatch(digits):
        return _read_national(dialing.area_code + digits)
    if digits.startswith("593") and len(digits) > 10:
        return _read_international(digits)  # as many trunks deliver it, without the +
    return _read_national(digits.removeprefix("0"))


def read_caller(given: str, dialing: Dialing) -> CallerId:
    """The same for a caller id. Never raises: a call from a number that we cannot read is still a call."""
    if given.strip().lower() in _ANONYMOUS:
        return CallerId(given, None, "the caller's number is withheld")
    try:
        return CallerId(given, read_number(given, dialing))
    except NumberUnreadable as error:
        return CallerId(given, None, error.message)


def _clean(given: str) -> str:
    """Digits with an optional leading +."""
    if len(given) > _MAX_GIVEN:
        raise NumberUnreadable("This is too long to be a telephone number.")
    text = unicodedata.normalize("NFKC", given).strip()
    text = re.sub(r"^(tel|sips?):", "", text, flags=re.IGNORECASE).partition("@")[0].partition(";")[0]
    text = re.sub(r"[\s().\-/\u2010-\u2015]", "", text.replace("(0)", ""))
    if _SPECIAL.match(text) and text.isascii() and text.isalnum():
        text = phonenumbers.convert_alpha_characters_in_number(text)
    if re.search(r"[*#]", text):
        raise NumberUnreadable("Service codes with * or # are not dialled.")
    if not re.fullmatch(r"\+?[0-9]+", text):
        raise NumberUnreadable("This is not a telephone number: it must consist of digits." if text else "No number.")
    return text


def _read_international(digits: str) -> DialNumber:
    if digits.startswith("593"):
        return _read_national(digits[3:].removeprefix("0"))
    try:
        number = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException as error:
        raise NumberUnreadable("This international number has no known country code.") from error
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason == phonenumbers.ValidationResult.TOO_SHORT:
        raise NumberUnreadable(f"This number is too short for country code +{number.country_code}.")
    if reason == phonenumbers.ValidationResult.TOO_LONG:
        raise NumberUnreadable(f"This number is too long for country code +{number.country_code}.")
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise NumberUnreadable(f"This number has no possible length for country code +{number.country_code}.")
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return DialNumber(text, NumberKind.INTERNATIONAL)


def _read_national(number: str) -> DialNumber:
    for pattern, kind in _NATIONAL:
        if pattern.fullmatch(number):
            return DialNumber(_COUNTRY + number, kind)
    raise NumberUnreadable(_why_not_national(number))


def _why_not_national(number: str) -> str:
    length = len(number)
    if number.startswith("9"):
        return f"A mobile number in Ecuador has 9 digits after the 0 (09 XXXX XXXX); this one has {length}."
    if _SPECIAL.match(number):
        return f"1700, 1800 and 1900 numbers have 10 digits; this one has {length}."
    if number[:1] in set("234567"):
        if length == 8:
            return "No subscriber's number in Ecuador begins with 0 or 1."
        return f"A fixed number in Ecuador has 8 digits after the 0 (area code and 7 more); this one has {length}."
    return "No number in Ecuador begins like this."


# --- may it be called at all --------------------


def check_allowed(number: DialNumber, dialing: Dialing) -> None:
    """Raise `DialRefused` unless a prefix allows it and none denies it. Deny wins however long the allow is."""
    denied = _longest(number, dialing.deny)
    if denied is not None:
        raise DialRefused(f"Calls to numbers that begin with {denied} are denied by the settings.", rule=denied)
    if _longest(number, dialing.allow) is None:
        raise DialRefused(f"No rule of the settings allows calls to {_area_of(number)}.")


def _longest(number: DialNumber, prefixes: Iterable[str]) -> str | None:
    matching = [prefix for prefix in prefixes if number.text.startswith(_in_full(prefix))]
    return max(matching, key=len, default=None)


def _in_full(prefix: str) -> str:
    """An operator may write 1800 for +5931800; else a prefix without + is of short codes, and only of them."""
    return _COUNTRY + prefix if _SPECIAL.match(prefix) else prefix


def _area_of(number: DialNumber) -> str:
    """What of a number may be told: the country or the kind, never the subscriber."""
    if number.kind is NumberKind.SHORT:
        return f"the short code {number.text}"
    if number.kind is NumberKind.INTERNATIONAL:
        return f"country code +{phonenumbers.parse(number.text).country_code}"
    return f"{number.kind} numbers in Ecuador"


# --- how often --------------------


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """Holds up to a minute's worth of calls and fills evenly."""

    per_minute: int
    tokens: float
    at: float

    @classmethod
    def full(cls, per_minute: int, at: float) -> TokenBucket:
        return cls(per_minute, float(per_minute), at)

    def filled(self, at: float) -> TokenBucket:
        """As it stands at `at`; a clock that went back adds nothing."""
        gained = max(0.0, at - self.at) * self.per_minute / 60
        return TokenBucket(self.per_minute, min(float(self.per_minute), self.tokens + gained), max(at, self.at))

    @property
    def has_token(self) -> bool:
        return self.tokens >= 1 - 1e-9  # sums of fractions of a token come a hair short

    @property
    def wait_s(self) -> float | None:
        if self.per_minute == 0:
            return None
        return max(0.0, (1 - self.tokens) * 60 / self.per_minute)

    def taken(self) -> TokenBucket:
        return TokenBucket(self.per_minute, max(0.0, self.tokens - 1), self.at)


# Numbers, addresses or people whose buckets are kept before full ones are dropped.
REMEMBERED = 10_000


class TokenBuckets:
    """One for each of many: a number, an address, a person. Above `tidy_above` those that are full again go."""

    def __init__(self, per_minute: int, *, tidy_above: int = REMEMBERED) -> None:
        self._per_minute = per_minute
        self._tidy_above = tidy_above
        self._buckets: dict[str, TokenBucket] = {}

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._buckets)

    def of(self, whose: str, at: float) -> TokenBucket:
        """As it stands at `at`."""
        found = self._buckets.get(whose)
        return TokenBucket.full(self._per_minute, at) if found is None else found.filled(at)

    def take(self, whose: str, at: float) -> None:
        """One token, from a bucket that has one."""
        self._buckets[whose] = self.of(whose, at).taken()
        if len(self._buckets) > self._tidy_above:
            filled = {each: bucket.filled(at) for each, bucket in self._buckets.items()}
            self._buckets = {each: bucket for each, bucket in filled.items() if bucket.tokens < bucket.per_minute}


class DialLimiter:
    """The two rate limits; time comes in. A refused call costs neither of them a token."""

    def __init__(self, dialing: Dialing, at: float) -> None:
        self._all = TokenBucket.full(dialing.calls_per_minute, at)
        self._numbers = TokenBuckets(dialing.calls_per_minute_per_number)

    def take(self, number: DialNumber, at: float) -> None:
        """Raise `DialTooFast` when either is empty."""
        everyone = self._all.filled(at)
        one = self._numbers.of(number.text, at)
        if not one.has_token:
            raise _too_fast("this number", one)
        if not everyone.has_token:
            raise _too_fast("the whole platform", everyone)
        self._all = everyone.taken()
        self._numbers.take(number.text, at)


def _too_fast(whose: str, bucket: TokenBucket) -> DialTooFast:
    if bucket.wait_s is None:
        return DialTooFast(f"The settings allow no calls per minute for {whose}.", retry_after_s=None)
    return DialTooFast(
        f"The limit of {bucket.per_minute} calls a minute for {whose} is reached; try again in {bucket.wait_s:.0f} s.",
        retry_after_s=round(bucket.wait_s, 1),
    )


# --- over which gateways --------------------


@dataclass(frozen=True, slots=True)
class GatewayChoice:
    trunk: Trunk
    gateway: Gateway


# The network failed, not the called party: another gateway may do better. Everything else is an answer.
TRY_NEXT = frozenset({HangupCause.CONGESTION, HangupCause.UNREACHABLE})


def may_try_next(cause: HangupCause) -> bool:
    return cause in TRY_NEXT


def choose_gateways(
    trunks: Sequence[Trunk],
    statuses: Iterable[TrunkStatus] = (),
    *,
    trunk: str | None = None,
    active: Mapping[str, int] | None = None,
) -> list[GatewayChoice]:
    """All that may be tried, in order: trunks as the settings list them, in each its gateways by priority.

    Left out are gateways that are DOWN (unknown ones are tried) and trunks whose `max_calls` are `active`. Raises
    `NoGateway` with the reason when nothing is left."""
    wanted = [t for t in trunks if trunk is None or t.name == trunk]
    if not wanted:
        raise NoGateway("There is no trunk in the settings." if trunk is None else f"There is no trunk {trunk!r}.")
    down = {(s.trunk, s.gateway) for s in statuses if s.state is TrunkState.DOWN}
    free = [t for t in wanted if (active or {}).get(t.name, 0) < t.max_calls]
    if not free:
        raise NoGateway(f"All lines are taken: {', '.join(f'{t.name} ({t.max_calls})' for t in wanted)}.")
    choices = [
        GatewayChoice(t, gateway)
        for t in free
        for gateway in sorted(t.gateways, key=lambda g: g.priority)
        if (t.name, gateway.name) not in down
    ]
    if not choices:
        raise NoGateway(f"Every gateway is down: {', '.join(f'{t}/{g}' for t, g in sorted(down))}.")
    return choices


# --- all of it --------------------


@dataclass(frozen=True, slots=True)
class DialPlan:
    """What a checked call is to do: try each gateway in turn while `may_try_next` says so."""

    number: DialNumber
    gateways: Sequence[GatewayChoice]


class OutboundRules:
    """Every outbound call passes here, once, before anything is sent."""

    def __init__(self, dialing: Dialing, trunks: Sequence[Trunk], at: float) -> None:
        self._dialing, self._trunks = dialing, trunks
        self._limiter = DialLimiter(dialing, at)

    def plan(
        self,
        destination: NumberDestination,
        at: float,
        *,
        statuses: Iterable[TrunkStatus] = (),
        active: Mapping[str, int] | None = None,
    ) -> DialPlan:
        """Raises `DialRefused` with the reason. Only a call that can be placed uses up the rate limit."""
        number = read_number(destination.number, self._dialing)
        check_allowed(number, self._dialing)
        gateways = choose_gateways(self._trunks, statuses, trunk=destination.trunk, active=active)
        self._limiter.take(number, at)
        return DialPlan(number, gateways)
