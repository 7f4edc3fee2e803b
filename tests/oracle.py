"""What the reports must say, worked out from the raw export with Python's csv module alone.

This module imports nothing of the product and no database: where it and the product agree, two readings of the
definitions agree. The product's own codes are not used either; the small tables below are this module's own.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

HEADER = ["Id. nr.", "Dato", "Tid", "Loggtype", "Ansatt", "Tabell", "Relatert post", "Meldingstype"]
ZONE = ZoneInfo("Europe/Oslo")
IN_JOURNAL = {"Journal", "Medisinkort"}
ON_PATIENT = {"Journal", "Medisinkort", "Bruker", "Tiltaksplan"}
TABLES_WITH_RECORD_IDS = {"Journal", "Medisinkort", "Tiltaksplan"}
SEARCHES = {"Brukersøk", "Brukersøk sperret"}
DENIED = "Innsyn avvist"
READINGS = {"Post vist", "Forhåndsvisning", "Skrevet ut"}
ALWAYS = (date.min, date.max)


@dataclass(frozen=True)
class Entry:
    """One readable record of the log; `at` is UTC without offset; `patient` is None where it names none."""

    number: int
    local: datetime
    at: datetime
    log_type: str
    log_in_name: str
    table: str
    reference: str
    message_type: str
    employee: str
    patient: str | None
    is_blocked: bool

    @property
    def is_access(self) -> bool:
        """A search opens nothing, and who was refused saw nothing."""
        return self.log_type not in SEARCHES and self.log_type != DENIED


@dataclass
class Counter:
    """Rows and openings of one kind, with the first and last of them."""

    rows: int = 0
    openings: int = 0
    first: datetime | None = None
    last: datetime | None = None
    latest_of_table: dict[str, datetime] = field(default_factory=dict, repr=False, compare=False)

    def add(self, entry: Entry, gap: timedelta) -> None:
        """Count a row; rows of one table less than `gap` after the one before belong to the same opening."""
        latest = self.latest_of_table.get(entry.table)
        self.latest_of_table[entry.table] = entry.at
        self.rows += 1
        self.openings += latest is None or entry.at - latest >= gap
        self.first = entry.at if self.first is None else self.first
        self.last = entry.at


@dataclass
class Activity:
    """One employee and one patient: rows in the journal (read or written), and readings on the patient."""

    journal: Counter = field(default_factory=Counter)
    patient: Counter = field(default_factory=Counter)
    is_blocked: bool = False


class Oracle:
    """All entries of the log files, oldest first, and the answers."""

    def __init__(self, log_files: Iterable[Path], reference_folder: Path) -> None:
        self._read_references(reference_folder)
        self.n_unreadable = 0
        records: dict[str, list[str]] = {}
        for path in log_files:
            for record in read_records(path):
                records.setdefault(record[0], record)
        entries = [entry for record in records.values() if (entry := self._entry(record)) is not None]
        self.entries = sorted(entries, key=lambda entry: (entry.at, entry.number))

    def _read_references(self, folder: Path) -> None:
        self.identifiers: dict[tuple[str, str], list[tuple[str, date, date]]] = defaultdict(list)
        for row in read_reference(folder / "identifiers.csv"):
            self.identifiers[row["kind"], row["identifier"]].append((row["id"], *validity(row)))
        for row in read_reference(folder / "record_keys.csv"):
            key = ("record", row["table_name"] + row["record_ref"])
            self.identifiers[key].append((row["patient_id"], *validity(row)))
        self.blocks: dict[str, list[tuple[date, date]]] = defaultdict(list)
        for row in read_reference(folder / "patients.csv"):
            if row["blocked_from"]:
                first, last = validity(row, "blocked_from", "blocked_to")
                valid_first, valid_last = validity(row)
                self.blocks[row["patient_id"]].append((max(first, valid_first), min(last, valid_last)))

    def _resolved(self, kind: str, identifier: str, day: date) -> str | None:
        for resolved, first, last in self.identifiers.get((kind, identifier), []):
            if first <= day < last:
                return resolved
        return None

    def _entry(self, record: list[str]) -> Entry | None:
        number, day_text, time_text, log_type, name, table, reference, message_type = record
        try:
            day, month, year = (int(part) for part in day_text.split("."))
            local = datetime.combine(date(year, month, day), time.fromisoformat(time_text))
        except ValueError:
            self.n_unreadable += 1
            return None
        # of an hour that occurs twice the log does not say which: the first is taken
        at = local.replace(tzinfo=ZONE, fold=0).astimezone(UTC).replace(tzinfo=None)
        patient: str | None = None
        if table == "Bruker":
            patient = self._resolved("patient", reference, local.date()) or reference
        elif table in TABLES_WITH_RECORD_IDS:
            patient = self._resolved("record", table + reference, local.date()) or f"{table}:{reference}"
        employee = self._resolved("employee", name, local.date()) or name
        blocked = any(first <= local.date() < last for first, last in self.blocks.get(patient or "", []))
        return Entry(int(number), local, at, log_type, name, table, reference, message_type, employee, patient, blocked)

    def system_log(
        self,
        patient: str | None = None,
        employee: str | None = None,
        first: date | None = None,
        last: date | None = None,
        table: str | None = None,
        log_type: str | None = None,
    ) -> list[Entry]:
        """-119: every entry that passes all filters given; `last` is included."""
        return [
            entry
            for entry in self.entries
            if (patient is None or entry.patient == patient)
            and (employee is None or entry.employee == employee)
            and (first is None or entry.local.date() >= first)
            and (last is None or entry.local.date() <= last)
            and (table is None or entry.table == table)
            and (log_type is None or entry.log_type == log_type)
        ]

    def detailed_activity(self, patient: str | None, employee: str | None, first: date, last: date) -> list[Entry]:
        """-140: every entry about the patient, of the employee, or of both."""
        return self.system_log(patient, employee, first, last)

    def activity(
        self, patient: str | None, employee: str | None, first: date, last: date, gap: timedelta = timedelta(minutes=5)
    ) -> dict[tuple[str, str], Activity]:
        """-141: by employee and patient."""
        found: dict[tuple[str, str], Activity] = defaultdict(Activity)
        for entry in self.system_log(patient, employee, first, last):
            if not entry.is_access or entry.patient is None:
                continue
            one = found[entry.employee, entry.patient]
            one.is_blocked |= entry.is_blocked
            if entry.table in IN_JOURNAL:
                one.journal.add(entry, gap)
            if entry.table in ON_PATIENT and entry.message_type in READINGS:
                one.patient.add(entry, gap)
        return dict(found)

    def blocked_searches(self, patient: str | None, employee: str | None, first: date, last: date) -> list[Entry]:
        """Searches that hit a patient whose record was blocked."""
        found = self.system_log(patient, employee, first, last)
        return [
            entry
            for entry in found
            if entry.log_type == "Brukersøk sperret" or (entry.log_type in SEARCHES and entry.is_blocked)
        ]

    def patient_searches(
        self,
        patient: str | None,
        employee: str | None,
        first: date,
        last: date,
        within: timedelta = timedelta(minutes=10),
    ) -> list[tuple[Entry, datetime | None]]:
        """Every search, with the time of the first opening that followed in time, or None."""
        openings: dict[tuple[str, str | None], list[datetime]] = defaultdict(list)
        for entry in self.entries:
            if entry.is_access:
                openings[entry.employee, entry.patient].append(entry.at)
        found = []
        for entry in self.system_log(patient, employee, first, last):
            if entry.log_type in SEARCHES:
                times = openings[entry.employee, entry.patient]
                found.append((entry, next((at for at in times if entry.at <= at <= entry.at + within), None)))
        return found


def read_records(path: Path) -> Iterator[list[str]]:
    """Yield the records of an export file as they stand, without its header."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252")
    records = csv.reader(text.splitlines(keepends=True), delimiter=";", strict=True)
    if next(records) != HEADER:
        problem = f"{path.name} has another header than expected"
        raise ValueError(problem)
    yield from records


def read_reference(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a reference file by column name."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file, delimiter=";")


def validity(row: dict[str, str], first: str = "valid_from", last: str = "valid_to") -> tuple[date, date]:
    """Return the half-open days of a row; an empty field is open."""
    return (
        date.fromisoformat(row[first]) if row[first] else ALWAYS[0],
        date.fromisoformat(row[last]) if row[last] else ALWAYS[1],
    )
