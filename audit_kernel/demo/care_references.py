"""The reference files about care: contracts, stays, teams, delegations, blocks and flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.demo import places, sweden
from audit_kernel.demo import staff as roles
from audit_kernel.demo.settings import stream

if TYPE_CHECKING:
    import numpy

    from audit_kernel.demo.patients import Patients, Stay
    from audit_kernel.demo.places import Unit
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


def care_tables(
    seed: int,
    calendar: Calendar,
    units: list[Unit],
    staff: Staff,
    patients: Patients,
    roster: list[Row],
    country: str = "NO",
) -> dict[str, tuple[str, list[Row]]]:
    """Return header and rows of each file by kind; `roster` is the rows of the shifts."""
    draws = stream(seed, "care_references")

    def day(number: int | None) -> str | None:
        return None if number is None else calendar.day(number).isoformat()

    employments: list[Row] = [
        (
            staff.employee_id(number),
            f"C{5001 + number}",
            _contract(staff, number),
            _position(staff, number, country),
            *map(day, _days_of_contract(draws, staff, calendar, number)),
        )
        for number in range(len(staff.people))
    ]
    stays: list[Row] = []
    for stay in patients.stays:
        first = -int(draws.integers(20, 1500)) if stay.first is None else stay.first
        kind = KIND_OF_STAY.get(units[stay.unit].unit_type, "residence")
        times = [f"{day(number)} {MOVING_TIME}" if number is not None else None for number in (first, stay.last)]
        why = _end_reason(patients, stay)
        stays.append((patients.patient_id(stay.patient), units[stay.unit].unit_id, kind, why, *times))
    blocks: list[Row] = []
    for place, (patient, days) in enumerate(sorted(patients.blocks.items())):
        home = units[next(stay.unit for stay in patients.stays if stay.patient == patient)].unit_id
        how = ("only_named", "unit", home) if place % 2 else ("on_consent", None, None)
        blocks.append((patients.patient_id(patient), "record", *how, *map(day, days)))
    dates = "valid_from valid_to"
    return {
        "employments": (f"employee_id employment_ref employment_type position {dates}", employments),
        "delegations": (
            f"employee_id task unit_id delegated_by {dates}",
            _delegations(draws, calendar, units, staff),
        ),
        "shifts": ("employee_id unit_id kind role status starts_at ends_at", roster),
        "stays": ("patient_id unit_id kind end_reason starts_at ends_at", stays),
        "care_teams": (f"patient_id employee_id team_role {dates}", _contact_persons(draws, calendar, staff, patients)),
        "blocks": (f"patient_id scope direction named_kind named_id {dates}", blocks),
        "patient_flags": (f"patient_id flag detail {dates}", _flags(draws, calendar, patients, country)),
    }


def _contract(staff: Staff, employee: int) -> str:
    kinds = {duty.calendar for duty in staff.duties if duty.employee == employee}
    return "temporary" if kinds <= {roles.BOOKED} else "permanent"


def _position(staff: Staff, employee: int, country: str) -> str:
    role = next(one.role for one in staff.assignments if one.employee == employee)
    return sweden.WORDS[role] if country == "SE" else role


def _days_of_contract(
    draws: numpy.random.Generator, staff: Staff, calendar: Calendar, employee: int
) -> tuple[int | None, int | None]:
    """Return the days of employment; a temporary contract has both, a permanent one at least the first."""
    first, last = staff.employment[employee]
    first = -int(draws.integers(30, 6000)) if first is None else first
    if last is None and _contract(staff, employee) == "temporary":
        last = calendar.n_days + int(draws.integers(1, 200))
    return first, last


def _end_reason(patients: Patients, stay: Stay) -> str | None:
    if stay.last is None:
        return None
    if stay.patient in patients.deceased:
        return "deceased"
    moves_on = any(one.patient == stay.patient and one.first == stay.last for one in patients.stays)
    return "moved" if moves_on else "discharged"


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


def _flags(draws: numpy.random.Generator, calendar: Calendar, patients: Patients, country: str) -> list[Row]:
    flags = [flag for flag, number in PROTECTED[country].items() for _ in range(number)] + ["sensitive"] * N_SENSITIVE
    chosen = draws.choice(len(patients.people), len(flags), replace=False).tolist()
    rows: list[Row] = [
        (patients.patient_id(patient), flag, "local list" if flag == "sensitive" else None, None, None)
        for patient, flag in zip(chosen, flags, strict=True)
    ]
    return rows + [
        (patients.patient_id(patient), "deceased", None, calendar.day(day).isoformat(), None)
        for patient, day in patients.deceased.items()
    ]
