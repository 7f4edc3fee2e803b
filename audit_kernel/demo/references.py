"""The reference files, semicolon-separated UTF-8, as a site's own systems would deliver them."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from audit_kernel.demo import sweden
from audit_kernel.demo.places import SUBSTITUTE_POOL
from audit_kernel.demo.staff import LEADER
from audit_kernel.demo.ties import OWN_MUNICIPALITY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from audit_kernel.demo.export import Log
    from audit_kernel.demo.patients import Patients
    from audit_kernel.demo.places import Unit
    from audit_kernel.demo.settings import Calendar
    from audit_kernel.demo.staff import Staff
    from audit_kernel.demo.ties import Ties

    Row = tuple[object, ...]

LOG_SYSTEM = {"NO": "gerica", "SE": None}  # the four Swedish logs call people by the same names


def write_table(path: Path, header: str, rows: Iterable[Row]) -> Path:
    """Write one file; None is an empty field."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(header.split())
        writer.writerows(rows)
    return path


def people_tables(
    calendar: Calendar,
    units: list[Unit],
    staff: Staff,
    patients: Patients,
    ties: Ties,
    log: Log,
    country: str = "NO",
) -> dict[str, tuple[str, list[Row]]]:
    """Return header and rows of the six files of people, units and keys, by kind."""
    words = sweden.WORDS if country == "SE" else {}
    system = LOG_SYSTEM[country]

    def day(number: int | None) -> str | None:
        return None if number is None else calendar.day(number).isoformat()

    managers = manager_of_units(units, staff)
    employees: list[Row] = [
        (
            staff.employee_id(number),
            person.name,
            person.personal_number,
            person.last_name,
            ties.of_employee[number],
            _manager(units, staff, managers, number),
            *map(day, staff.employment[number]),
        )
        for number, person in enumerate(staff.people)
    ]
    assignments: list[Row] = [
        (
            staff.employee_id(one.employee),
            units[one.unit].unit_id,
            words.get(one.role, one.role),
            one.share,
            day(one.first),
            day(one.last),
        )
        for one in sorted(staff.assignments, key=lambda one: one.employee)
    ]
    people: list[Row] = [
        (
            patients.patient_id(stay.patient),
            patients.people[stay.patient].name,
            patients.people[stay.patient].personal_number,
            units[stay.unit].unit_id,
            *map(day, patients.blocks.get(stay.patient, (None, None))),
            patients.people[stay.patient].last_name,
            ties.of_patient[stay.patient],
            day(stay.first),
            day(stay.last),
        )
        for stay in patients.stays
    ]
    identifiers: list[Row] = [
        (system, "employee", name, staff.employee_id(number), day(first), day(last))
        for number, names in enumerate(staff.log_in_names)
        for name, first, last in names
    ]
    identifiers += [
        (
            system,
            "patient",
            person.personal_number if country == "SE" else patients.number(number),
            patients.patient_id(number),
            None,
            None,
        )
        for number, person in enumerate(patients.people)
    ]
    keys: list[Row] = [
        (system or "mcss_access", words.get(table, table), record, patients.patient_id(patient), None, None)
        for table, record, patient in log.keys
    ]
    dates = "valid_from valid_to"
    own = OWN_MUNICIPALITY[country]
    return {
        "units": (
            f"unit_id name unit_type place municipality manager_id {dates}",
            [
                (
                    unit.unit_id,
                    unit.name,
                    words.get(unit.unit_type, unit.unit_type),
                    unit.place,
                    own,
                    managers[unit.place_number],
                    None,
                    None,
                )
                for unit in units
            ],
        ),
        "employees": (f"employee_id name personal_number surname municipality manager_id {dates}", employees),
        "unit_assignments": (f"employee_id unit_id role share_percent {dates}", assignments),
        "patients": (
            f"patient_id name personal_number unit_id blocked_from blocked_to surname municipality {dates}",
            people,
        ),
        "identifiers": (f"system kind identifier id {dates}", identifiers),
        "record_keys": (f"source_id table_name record_ref patient_id {dates}", keys),
    }


def manager_of_units(units: list[Unit], staff: Staff) -> dict[int, str]:
    """Return the employee_id of the leader of each place."""
    leaders = [duty for duty in staff.duties if duty.role == LEADER]
    return {units[duty.unit].place_number: staff.employee_id(duty.employee) for duty in leaders}


def _manager(units: list[Unit], staff: Staff, managers: dict[int, str], employee: int) -> str | None:
    """Return the leader of the place of the first assignment; leaders and the substitutes' pool have none listed."""
    first = next(one for one in staff.assignments if one.employee == employee)
    unit = units[first.unit]
    return None if first.role == LEADER or unit.unit_type == SUBSTITUTE_POOL else managers[unit.place_number]
