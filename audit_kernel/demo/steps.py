"""What the journal system writes: the kinds of log rows, the sequences they come in, and events as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PERSON, JOURNAL, PLAN, MEDICATION = "Bruker", "Journal", "Tiltaksplan", "Medisinkort"
SERVICE, REPORT = "Tjenestetype", "Rapport"

# name: (Loggtype, Tabell, Meldingstype), as they stand in the export
STEPS = {
    "search": ("Brukersøk", PERSON, "Søk utført"),
    "search_blocked": ("Brukersøk sperret", PERSON, "Søk på sperret bruker"),
    "open_person": ("Lesing", PERSON, "Post vist"),
    "preview_person": ("Lesing", PERSON, "Forhåndsvisning"),
    "edit_person": ("Skriving", PERSON, "Post endret"),
    "read_journal": ("Lesing", JOURNAL, "Post vist"),
    "preview_journal": ("Lesing", JOURNAL, "Forhåndsvisning"),
    "write_journal": ("Skriving", JOURNAL, "Post opprettet"),
    "edit_journal": ("Skriving", JOURNAL, "Post endret"),
    "sign_journal": ("Signering", JOURNAL, "Signert"),
    "print_journal": ("Utskrift", JOURNAL, "Skrevet ut"),
    "delete_journal": ("Sletting", JOURNAL, "Post slettet"),
    "read_plan": ("Lesing", PLAN, "Post vist"),
    "preview_plan": ("Lesing", PLAN, "Forhåndsvisning"),
    "edit_plan": ("Skriving", PLAN, "Post endret"),
    "print_plan": ("Utskrift", PLAN, "Skrevet ut"),
    "read_medication": ("Lesing", MEDICATION, "Post vist"),
    "edit_medication": ("Skriving", MEDICATION, "Post endret"),
    "sign_medication": ("Signering", MEDICATION, "Signert"),
    "print_medication": ("Utskrift", MEDICATION, "Skrevet ut"),
    "read_service": ("Lesing", SERVICE, "Post vist"),
    "run_report": ("Rapport", REPORT, "Rapport kjørt"),
    "denied_person": ("Innsyn avvist", PERSON, "Ingen tilgang"),
    "denied_journal": ("Innsyn avvist", JOURNAL, "Ingen tilgang"),
}
CODE = {name: code for code, name in enumerate(STEPS)}
GROUP = 25  # the most seconds between two rows of a sequence is about ten times this

# name: rows in the order they are written
SEQUENCES = {
    "care": "open_person read_plan read_journal write_journal",
    "search_and_care": "search open_person read_journal read_journal read_plan write_journal sign_journal",
    "look": "open_person read_journal",
    "search_and_look": "search open_person read_journal",
    "plan": "open_person read_plan preview_plan edit_plan",
    "medicine": "open_person read_medication sign_medication",
    "doctor": "search open_person read_journal read_medication edit_medication write_journal sign_journal",
    "handover": "preview_person preview_journal preview_journal",
    "correct": "open_person read_journal edit_journal sign_journal",
    "case_work": "search open_person edit_person read_service read_plan",
    "print": "open_person read_plan print_plan print_medication",
    "transfer": "open_person read_journal print_journal",
    "delete": "open_person read_journal delete_journal",
    "search_only": "search",
    "denied": "search denied_journal",
    "reports": "run_report",
    "services": "read_service read_service",
    "bill": "search open_person",
    "support": "open_person preview_plan",
    "write_up": "read_journal write_journal sign_journal",
}
WITHOUT_PATIENT = ("reports", "services")


COLUMNS = ("at", "employee", "patient", "step", "episode", "note", "device")


@dataclass(frozen=True, slots=True)
class Events:
    """Log rows as columns of one length.

    at: seconds of UTC; employee, patient: numbers, patient -1 where there is none; step: code of STEPS;
    episode: 0 for ordinary work, else the number of the planted episode; note: number of what was stated as the
    purpose, 0 for nothing; device: number of a device that is not the employee's own, -1 for the own.
    """

    at: NDArray[numpy.int64]
    employee: NDArray[numpy.int64]
    patient: NDArray[numpy.int64]
    step: NDArray[numpy.int64]
    episode: NDArray[numpy.int64]
    note: NDArray[numpy.int64]
    device: NDArray[numpy.int64]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.at)

    def take(self, which: NDArray[numpy.int64] | NDArray[numpy.bool_]) -> Events:
        """Return those rows, in that order."""
        return Events(*(getattr(self, name)[which] for name in COLUMNS))

    def in_order(self) -> Events:
        """Return the rows in order of time, equal times in order of writing."""
        return self.take(numpy.argsort(self.at, kind="stable"))


_EMPTY = numpy.empty(0, dtype=numpy.int64)
NOTHING = Events(*(_EMPTY for _ in COLUMNS))


@dataclass(frozen=True, slots=True)
class Visits:
    """Sequences to be written out: when each begins, by whom, about whom, and which.

    episode, note, device: as in `Events`; None for ordinary work without a note at one's own device.
    """

    at: NDArray[numpy.int64]
    employee: NDArray[numpy.int64]
    patient: NDArray[numpy.int64]
    sequence: NDArray[numpy.int64]
    episode: NDArray[numpy.int64] | None = None
    note: NDArray[numpy.int64] | None = None
    device: NDArray[numpy.int64] | None = None


SEQUENCE_NUMBER = {name: number for number, name in enumerate(SEQUENCES)}
_ROWS = [numpy.array([CODE[step] for step in steps.split()]) for steps in SEQUENCES.values()]
_LENGTHS = numpy.array([len(rows) for rows in _ROWS])
_ALL_ROWS = numpy.concatenate(_ROWS)
_FIRST_ROW = numpy.cumsum(_LENGTHS) - _LENGTHS


def write_out(draws: numpy.random.Generator, visits: Visits, episode: int = 0) -> Events:
    """Return the log rows of visits: some seconds to a few minutes lie between the rows of one."""
    lengths = _LENGTHS[visits.sequence]
    visit = numpy.repeat(numpy.arange(len(lengths)), lengths)
    begins = numpy.cumsum(lengths) - lengths
    place = numpy.arange(len(visit)) - begins[visit]
    gaps = 3 + numpy.minimum(draws.exponential(GROUP, len(visit)), 10 * GROUP).astype(numpy.int64)
    elapsed = numpy.cumsum(gaps) - gaps
    elapsed = elapsed - elapsed[begins][visit] if len(visit) else elapsed
    sequence = visits.sequence[visit]
    return Events(
        at=visits.at[visit] + elapsed,
        employee=visits.employee[visit],
        patient=visits.patient[visit],
        step=_ALL_ROWS[_FIRST_ROW[sequence] + place],
        episode=_of_visits(visits.episode, visit, episode),
        note=_of_visits(visits.note, visit, 0),
        device=_of_visits(visits.device, visit, -1),
    )


def _of_visits(given: NDArray[numpy.int64] | None, visit: NDArray[numpy.int64], usual: int) -> NDArray[numpy.int64]:
    return numpy.full(len(visit), usual, dtype=numpy.int64) if given is None else given[visit]


def joined(parts: Sequence[Events]) -> Events:
    """Return the rows of all parts, one part after another."""
    return Events(*(numpy.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS))
