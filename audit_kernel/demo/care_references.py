"""The reference files about care: contracts, rosters, stays, teams, delegations, blocks and flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy

from audit_kernel.demo import places, sweden
from audit_kernel.demo import staff as roles
from audit_kernel.demo.references import write_table
from audit_kernel.demo.settings import stream

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.demo.patients import Patients
    from audit_kernel.demo.places import Unit
    from audit_kernel.demo.roster import Shift
    from audit_kernel.demo.settings import Calendar
    from audit_kernel.demo.staff import Staff

    Row = tuple[object, ...]

KIND_OF_STAY = {places.HOME_CARE: "home_care"}
CONTACTS = (roles.NURSE, roles.ASSISTANT_NURSE, roles.SOCIAL_EDUCATOR)
DELEGATED_SHARE = {roles.ASSISTANT_NURSE: 0.9, roles.ASSISTANT: 0.4}
DELEGATION_DAYS = 365
PROTECTED = {
    "NO": {"confidential_address": 6, "strictly_confidential_address": 2},
    "SE": {"confidentiality_mark": 6, "protected_registration": 1, "assumed_identity": 1},
}
N_SENSITIVE = 10
MOVING_TIME = "11:00"


def write_care_references(
    folder: Path,
    seed: int,
    calendar: Calendar,
    units: list[Unit],
    staff: Staff,
    patients: Patients,
    shifts: list[Shift],
    country: str = "NO",
) -> dict[str, Path]:
    """Write the files beside those of `write_references`; return them by kind."""
    draws = stream(seed, "care_references")

    def day(number: int | None) -> str | None:
        return None if number is None else calendar.day(number).isoformat()

    employments: list[Row] = [
        (staff.employee_id(number), f"C{5001 + number}", _contract(staff, number), *map(day, staff.employment[number]))
        for number in range(len(staff.people))
    ]
    stays: list[Row] = []
    for stay in patients.stays:
        first = -int(draws.integers(20, 1500)) if stay.first is None else stay.first
        kind = KIND_OF_STAY.get(units[stay.unit].unit_type, "residence")
        times = [f"{day(number)} {MOVING_TIME}" if number is not None else None for number in (first, stay.last)]
        stays.append((patients.patient_id(stay.patient), units[stay.unit].unit_id, kind, *times))
    blocks: list[Row] = []
    for place, (patient, days) in enumerate(sorted(patients.blocks.items())):
        home = units[next(stay.unit for stay in patients.stays if stay.patient == patient)].unit_id
        how = ("only_named", "unit", home) if place % 2 else ("on_consent", None, None)
        blocks.append((patients.patient_id(patient), "record", *how, *map(day, days)))
    dates = "valid_from valid_to"
    tables: dict[str, tuple[str, list[Row]]] = {
        "employments": (f"employee_id employment_ref employment_type {dates}", employments),
        "delegations": (
            f"employee_id task unit_id delegated_by {dates}",
            _delegations(draws, calendar, units, staff),
        ),
        "shifts": ("employee_id unit_id kind role starts_at ends_at", _roster(calendar, units, staff, shifts, country)),
        "stays": ("patient_id unit_id kind starts_at ends_at", stays),
        "care_teams": (f"patient_id employee_id team_role {dates}", _contact_persons(draws, calendar, staff, patients)),
        "blocks": (f"patient_id scope direction named_kind named_id {dates}", blocks),
        "patient_flags": (f"patient_id flag detail {dates}", _flags(draws, patients, country)),
    }
    return {kind: write_table(folder / f"{kind}.csv", header, rows) for kind, (header, rows) in tables.items()}


def _contract(staff: Staff, employee: int) -> str:
    kinds = {duty.calendar for duty in staff.duties if duty.employee == employee}
    return "temporary" if kinds <= {roles.BOOKED} else "permanent"


def _roster(calendar: Calendar, units: list[Unit], staff: Staff, shifts: list[Shift], country: str) -> list[Row]:
    """Return every shift as its clock on the wall shows it; one over midnight is one row."""
    starts, ends = (
        calendar.local_seconds(numpy.array([getattr(one, name) for one in shifts], dtype=numpy.int64))
        for name in ("start", "end")
    )
    times = [
        [
            text.replace("T", " ")
            for text in numpy.datetime_as_string(seconds.astype("datetime64[s]"), unit="m").tolist()
        ]
        for seconds in (starts, ends)
    ]
    words = sweden.WORDS if country == "SE" else {}
    rows: list[Row] = []
    for shift, start, end in zip(shifts, *times, strict=True):
        duty = staff.duties[shift.duty]
        rows.append(
            (
                staff.employee_id(duty.employee),
                units[duty.unit].unit_id,
                "shift",
                words.get(duty.role, duty.role),
                start,
                end,
            )
        )
    return rows


def _delegations(draws: numpy.random.Generator, calendar: Calendar, units: list[Unit], staff: Staff) -> list[Row]:
    """Return who may give medicine by delegation, a year at a time, at the units where they work."""
    nurses = [duty.employee for duty in staff.duties if duty.role == roles.NURSE]
    rows: list[Row] = []
    known: set[tuple[int, int]] = set()
    for duty in staff.duties:
        if (duty.employee, duty.unit) in known or draws.random() >= DELEGATED_SHARE.get(duty.role, 0.0):
            continue
        known.add((duty.employee, duty.unit))
        first = duty.first - int(draws.integers(1, 90))
        days = [calendar.day(number).isoformat() for number in (first, first + DELEGATION_DAYS)]
        nurse = staff.employee_id(nurses[int(draws.integers(len(nurses)))])
        rows.append((staff.employee_id(duty.employee), "give_medicine", units[duty.unit].unit_id, nurse, *days))
    return rows


def _contact_persons(draws: numpy.random.Generator, calendar: Calendar, staff: Staff, patients: Patients) -> list[Row]:
    """Return one member of the unit's regular staff for each stay."""
    rows: list[Row] = []
    for stay in patients.stays:
        first, last = stay.first or 0, calendar.n_days if stay.last is None else stay.last
        regular = [
            duty.employee
            for duty in staff.duties
            if duty.unit == stay.unit
            and duty.role in CONTACTS
            and duty.calendar == roles.ROTATION
            and duty.first <= first
            and last <= duty.last
        ]
        if regular:
            contact = staff.employee_id(regular[int(draws.integers(len(regular)))])
            days = [None if number is None else calendar.day(number).isoformat() for number in (stay.first, stay.last)]
            rows.append((patients.patient_id(stay.patient), contact, "contact person", *days))
    return rows


def _flags(draws: numpy.random.Generator, patients: Patients, country: str) -> list[Row]:
    flags = [flag for flag, number in PROTECTED[country].items() for _ in range(number)] + ["sensitive"] * N_SENSITIVE
    chosen = draws.choice(len(patients.people), len(flags), replace=False).tolist()
    return [
        (patients.patient_id(patient), flag, "local list" if flag == "sensitive" else None, None, None)
        for patient, flag in zip(chosen, flags, strict=True)
    ]
