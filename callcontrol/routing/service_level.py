"""The service level, by the definition that the queue was given; no figure without its definition."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Variant(StrEnum):
    """T is the threshold; answered and abandoned are counted by their waits."""

    STANDARD = "standard"  # (answered <= T + abandoned <= T) / (answered + abandoned)
    ANSWERED_ONLY = "answered_only"  # answered <= T / answered
    STRICT = "strict"  # answered <= T / (answered + abandoned)
    LATE_ABANDONS = "late_abandons"  # answered <= T / (answered + abandoned > T)
    SHORT_AS_MET = "short_as_met"  # (answered <= T + short) / (answered + abandoned)
    SHORT_EXCLUDED = "short_excluded"  # answered <= T / (answered + abandoned - short)


FORMULAS = {
    Variant.STANDARD: "(atendidas ≤ T + abandonadas ≤ T) / (atendidas + abandonadas)",
    Variant.ANSWERED_ONLY: "atendidas ≤ T / atendidas",
    Variant.STRICT: "atendidas ≤ T / (atendidas + abandonadas)",
    Variant.LATE_ABANDONS: "atendidas ≤ T / (atendidas + abandonadas > T)",
    Variant.SHORT_AS_MET: "(atendidas ≤ T + abandonos cortos) / (atendidas + abandonadas)",
    Variant.SHORT_EXCLUDED: "atendidas ≤ T / (atendidas + abandonadas − abandonos cortos)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevel:
    """`target` of all within `threshold_s`; who leaves within `short_s` has not really waited."""

    variant: Variant = Variant.STANDARD
    threshold_s: float = 20.0
    target: float = 0.8
    short_s: float = 5.0

    @property
    def definition(self) -> str:
        return f"{FORMULAS[self.variant]}, T = {self.threshold_s:g} s, abandono corto ≤ {self.short_s:g} s"

    def reached(self, answered: Iterable[float], abandoned: Iterable[float]) -> float | None:
        """From the waits of both; None when there is nothing to divide by."""
        waits, left = list(answered), list(abandoned)
        met = sum(w <= self.threshold_s for w in waits)
        early = sum(w <= self.threshold_s for w in left)
        short = sum(w <= self.short_s for w in left)
        return self.of_counts(len(waits), len(left), met, early, short)

    def of_counts(self, answered: int, abandoned: int, met: int, early: int, short: int) -> float | None:
        over, under = {
            Variant.STANDARD: (met + early, answered + abandoned),
            Variant.ANSWERED_ONLY: (met, answered),
            Variant.STRICT: (met, answered + abandoned),
            Variant.LATE_ABANDONS: (met, answered + abandoned - early),
            Variant.SHORT_AS_MET: (met + short, answered + abandoned),
            Variant.SHORT_EXCLUDED: (met, answered + abandoned - short),
        }[self.variant]
        return over / under if under else None
