"""What one episode does: openings, log-ins, drug events and shifts, planted or honest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy

from audit_kernel.demo.entries import Entries
from audit_kernel.demo.steps import SEQUENCE_NUMBER, Visits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_kernel.demo.world.cast import Cast

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Visit:
    """One sequence of log rows: when it begins (seconds of UTC), who, about whom, which, note and device."""

    at: int
    employee: int
    patient: int
    sequence: str
    note: int = 0
    device: int = -1


@dataclass(frozen=True, slots=True)
class Dose:
    """One event of the drug log; quantity None is the prescribed one, `drug_of` the patient whose drug it is."""

    at: int
    employee: int
    patient: int
    kind: str
    quantity: str | None = None
    witness: int | None = None
    drug_of: int | None = None


@dataclass(frozen=True, slots=True)
class FiledShift:
    """A row of the roster beside the rota: seconds of UTC [start, end)."""

    employee: int
    unit: int
    start: int
    end: int
    kind: str = "shift"
    status: str = "worked"


@dataclass(slots=True)
class Story:
    """One episode.

    family: name of the family, or of the honest look-alike; `resembles`: the family that it looks like.
    employees: who acts, empty where nobody of the site does; account, address: what else names the episode.
    """

    number: int
    family: str
    resembles: str
    is_planted: bool
    leaves_trace: bool
    draws: numpy.random.Generator
    days: tuple[int, int]
    description: str = ""
    employees: list[int] = field(default_factory=list)
    account: str = ""
    address: str = ""
    unit: int = -1
    visits: list[Visit] = field(default_factory=list)
    sign_ins: Entries = field(default_factory=Entries)
    doses: list[Dose] = field(default_factory=list)
    shifts: list[FiledShift] = field(default_factory=list)

    def one_of(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[int(self.draws.integers(len(options)))]

    def some_of(self, options: Sequence[T], number: int) -> list[T]:
        """Return so many different ones, or all where there are fewer."""
        chosen = self.draws.permutation(len(options))[:number].tolist()
        return [options[place] for place in chosen]

    def number_of(self, least: int, most: int) -> int:
        """Return a whole number, both ends included."""
        return int(self.draws.integers(least, most + 1))

    def chance(self, share: float) -> bool:
        """Tell whether something happens that happens so often."""
        return bool(self.draws.random() < share)

    @property
    def patients(self) -> list[int]:
        """Everybody the episode is about, each once."""
        about = [visit.patient for visit in self.visits] + [dose.patient for dose in self.doses]
        return sorted({patient for patient in about if patient >= 0})


@dataclass(frozen=True, slots=True)
class Family:
    """A planted family and its honest look-alike.

    leaves_trace: whether what the episode does differs, in any delivered file, from the work of an honest colleague.
    plant, resemble: fill a story of either kind.
    """

    name: str
    plant: Callable[[Cast, Story], None]
    look_alike: str
    resemble: Callable[[Cast, Story], None]
    leaves_trace: bool


def visits_of(stories: Sequence[Story]) -> Visits:
    """Return the openings of all stories as columns."""
    rows = [(visit, story.number) for story in stories for visit in story.visits]

    def column(values: list[int]) -> numpy.ndarray[tuple[int], numpy.dtype[numpy.int64]]:
        return numpy.array(values, dtype=numpy.int64)

    return Visits(
        at=column([visit.at for visit, _ in rows]),
        employee=column([visit.employee for visit, _ in rows]),
        patient=column([visit.patient for visit, _ in rows]),
        sequence=column([SEQUENCE_NUMBER[visit.sequence] for visit, _ in rows]),
        episode=column([number for _, number in rows]),
        note=column([visit.note for visit, _ in rows]),
        device=column([visit.device for visit, _ in rows]),
    )
