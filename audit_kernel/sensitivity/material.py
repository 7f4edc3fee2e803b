"""What the month's own data offer to draw incidents from: people, patients, moments, and rows to write like."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from audit_kernel.sensitivity.copied_store import CopiedStore

MOMENTS_OF_ONE, DONORS_OF_ONE, PATIENTS_OF_UNIT = 200, 200, 80
SNOOPERS_FOR_EACH, PATIENTS_FOR_EACH = 3, 60
Row = dict[str, Any]


@dataclass(frozen=True)
class Snooper:
    """An employee drawn: home unit, days with any row of the month, and moments of the month's own openings."""

    employee_id: str
    unit_id: str | None
    days: frozenset[date]
    moments: tuple[tuple[str, datetime], ...]


@dataclass(frozen=True)
class Material:
    """What incidents are made of.

    Attributes
    ----------
    first, last: the month's days.
    snoopers, patients: in the order of their draw.
    openers, opener_units: by patient, the employees who opened the record in the month and their units.
    unit_patients: by unit, patients whose records its people opened.
    persons: (employee, patient) by who they are: staff, relative, protected, media, dead, blocked.
    since: by patient, the first day of the month on which such a person is one.
    donors: rows by (source, deed); `identities` by (source, employee); `targets` by (source, patient).
    records: by (source, table, patient), a record of that patient.
    zones: each log's time zone.
    earlier_months: months before, that a run has counted the days without a reason of.
    """

    first: date
    last: date
    snoopers: tuple[Snooper, ...]
    patients: tuple[str, ...]
    openers: Mapping[str, frozenset[str]]
    opener_units: Mapping[str, frozenset[str]]
    unit_patients: Mapping[str, tuple[str, ...]]
    persons: Mapping[str, tuple[tuple[str | None, str], ...]]
    since: Mapping[str, date]
    donors: Mapping[tuple[str, str], tuple[Row, ...]]
    identities: Mapping[tuple[str, str], Row]
    targets: Mapping[tuple[str, str], Row]
    records: Mapping[tuple[str, str, str], str]
    zones: Mapping[str, str]
    earlier_months: tuple[date, ...]

    def rows_like(self, source_id: str, deed: str, patient_id: str) -> list[Row]:
        """Return the rows of a deed that can be written about this patient; some need a record of the patient."""
        return [
            row
            for row in self.donors.get((source_id, deed), ())
            if not (row["is_named_by_record"] and row["related"] == "record")
            or (source_id, row["table_name"], patient_id) in self.records
        ]

    @property
    def has_countries(self) -> bool:
        """Whether the log says from which country an access came."""
        return any(each["country"] for each in self.identities.values())


def material(store: CopiedStore, first: date, last: date, seed: str, n_incidents: int) -> Material:
    """Draw the month's people and patients in the order of SHA-256 over seed, `|` and id; look up how logs write them.

    Parameters
    ----------
    store: a month of it was explained, so that `period_accesses` is there.
    n_incidents: in all; some more people are drawn, since not everyone suits every kind.
    """
    start_at, end_at = store.site.period(first, last)
    bound: Row = {"seed": seed, "start_at": start_at, "end_at": end_at}

    def look(name: str, most: int = 0, keep_as: str = "") -> list[Row]:
        return store.look(name, {**bound, "most": most}, keep_as)

    persons = look("persons", keep_as="drawn_persons")
    people = look("snoopers", SNOOPERS_FOR_EACH * n_incidents, "drawn_snoopers")
    patients = look("patients", PATIENTS_FOR_EACH * n_incidents, "drawn_patients")
    of_units = look("unit_patients", PATIENTS_OF_UNIT, "drawn_unit_patients")
    look("everybody", keep_as="drawn_everybody")
    moments, days = defaultdict(list), defaultdict(set)
    for row in look("moments", MOMENTS_OF_ONE):
        moments[row["employee_id"]].append((row["source_id"], row["recorded_at"]))
    for row in look("days"):
        days[row["employee_id"]].add(row["local_date"])
    openers, opener_units = defaultdict(set), defaultdict(set)
    for row in look("openers"):
        openers[row["patient_id"]].add(row["employee_id"])
        opener_units[row["patient_id"]].add(row["unit_id"])
    donors = _grouped(look("donors", DONORS_OF_ONE, "drawn_donors"), "source_id", "deed")
    return Material(
        first=first,
        last=last,
        snoopers=tuple(
            Snooper(who, row["unit_id"], frozenset(days[who]), tuple(moments[who]))
            for row in people
            if (who := row["employee_id"])
        ),
        patients=tuple(row["patient_id"] for row in patients),
        openers={patient: frozenset(found) for patient, found in openers.items()},
        opener_units={patient: frozenset(found) for patient, found in opener_units.items()},
        unit_patients={
            key[0]: tuple(row["patient_id"] for row in rows) for key, rows in _grouped(of_units, "unit_id").items()
        },
        persons={
            key[0]: tuple((row["employee_id"], row["patient_id"]) for row in rows)
            for key, rows in _grouped(persons, "person").items()
        },
        since={row["patient_id"]: row["since"] for row in persons},
        donors={(key[0], key[1]): rows for key, rows in donors.items()},
        identities={(row["source_id"], row["employee_id"]): row for row in look("identities")},
        targets={(row["source_id"], row["patient_id"]): row for row in look("targets")},
        records={
            (row["source_id"], row["table_name"], row["patient_id"]): row["record_ref"] for row in look("records")
        },
        zones={row["source_id"]: row["time_zone"] for row in look("zones")},
        earlier_months=tuple(row["month"] for row in look("earlier_months")),
    )


def _grouped(rows: list[Row], *names: str) -> dict[tuple[str, ...], tuple[Row, ...]]:
    """Return the rows by the values of these columns, in their order."""
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return {key: tuple(found) for key, found in groups.items()}
