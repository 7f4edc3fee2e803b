"""Shares that add up over worlds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many; adds up over worlds."""

    part: int = 0
    whole: int = 0

    def __add__(self, other: Share) -> Share:
        """Put two together."""
        return Share(self.part + other.part, self.whole + other.whole)

    @property
    def rate(self) -> float:
        """The share; 0 of nothing."""
        return self.part / self.whole if self.whole else 0.0

    def __str__(self) -> str:
        """Per cent and the two numbers; a dash of nothing."""
        return f"{100 * self.rate:.1f} % ({self.part:,} of {self.whole:,})" if self.whole else "-"


def total(shares: Iterable[Share]) -> Share:
    """Add up."""
    return sum(shares, Share())
