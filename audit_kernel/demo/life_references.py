"""The reference files about life and plans: homes, ties, the news, travels, networks, roles, bookings, holidays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy

from audit_kernel.demo import places, staff, sweden
from audit_kernel.demo.everyday import SEQUENCES_OF_ROLE
from audit_kernel.demo.extra_hours import wall_times
from audit_kernel.demo.settings import stream
from audit_kernel.demo.steps import SEQUENCES, STEPS, Events
from audit_kernel.demo.ties import OWN_MUNICIPALITY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audit_kernel.demo.incidents import World
    from audit_kernel.demo.staff import Staff
    from audit_kernel.demo.ties import Ties
    from audit_kernel.demo.travels import Travel

    Row = tuple[object, ...]

MANDATES = {
    staff.LEADER: "administration",
    staff.CASE_OFFICER: "administration",
    staff.BILLING_OFFICER: "billing",
    staff.ANALYST: "laboratory",
    staff.ARCHIVIST: "archive",
    staff.SYSTEM_MANAGER: "system_support",
}  # all others: care
ACTIONS = {
    "Lesing": "read",
    "Skriving": "write",
    "Signering": "sign",
    "Utskrift": "print",
    "Sletting": "delete",
    "Rapport": "execute",
}
BY_APPOINTMENT = (staff.DOCTOR, staff.PHYSIOTHERAPIST, staff.OCCUPATIONAL_THERAPIST)
BOOKED_SHARE, HOME_VISIT_SHARE, NOT_MET_SHARE, REFERRED_SHARE = 0.85, 0.5, 0.05, 0.75
QUARTER = 900  # seconds
AUTUMN_BREAK = {"NO": (40, "Høstferie"), "SE": (44, "Höstlov")}
EVES = {"NO": ("Julaften", "Nyttårsaften"), "SE": ("Julafton", "Nyårsafton")}


@dataclass(frozen=True, slots=True)
class Contacts:
    """The first contact of each employee, patient and local day: seconds of UTC, and the numbers."""

    at: NDArray[numpy.int64]
    day: NDArray[numpy.int64]
    employee: NDArray[numpy.int64]
    patient: NDArray[numpy.int64]


def life_tables(
    world: World, people: Staff, ties: Ties, travels: list[Travel], ordinary: Events, country: str
) -> dict[str, tuple[str, list[Row]]]:
    """Return header and rows of each file by kind."""
    dates = "valid_from valid_to"
    contacts = _contacts(world, ordinary)
    return {
        "households": ("household_id employee_id patient_id", _households(world, people, ties)),
        "relations": (
            "employee_id patient_id relation",
            [
                (people.employee_id(one.employee), world.patients.patient_id(one.patient), one.relation)
                for one in ties.pairs
            ],
        ),
        "media_interest": (
            f"patient_id reason {dates}",
            [
                (world.patients.patient_id(patient), "local newspaper", _day(world, first), _day(world, last))
                for patient, first, last in ties.in_the_news
            ],
        ),
        "approved_travel": (
            f"employee_id country approved_by {dates}",
            [
                (people.employee_id(one.employee), one.country, None, _day(world, one.first), _day(world, one.last))
                for one in travels
                if one.is_filed
            ],
        ),
        "networks": ("network name kind country unit_id", _networks(world, country)),
        "roles": ("role name mandate", _roles(world, country)),
        "role_permissions": ("role table_name action", _permissions(world, country)),
        "appointments": (
            "patient_id appointment_ref employee_id unit_id kind status starts_at ends_at",
            _appointments(world, people, contacts),
        ),
        "referrals": (f"patient_id referral_ref from_unit_id to_unit_id kind {dates}", _referrals(world, contacts)),
        "holidays": ("holiday_date name kind municipality", _holidays(world, country)),
    }


def _day(world: World, number: int | None) -> str | None:
    return None if number is None else world.calendar.day(number).isoformat()


def _households(world: World, people: Staff, ties: Ties) -> list[Row]:
    rows: list[Row] = []
    for number, (employees, patients) in enumerate(ties.households, start=1):
        rows += [(f"H{number:04d}", people.employee_id(one), None) for one in employees]
        rows += [(f"H{number:04d}", None, world.patients.patient_id(one)) for one in patients]
    return rows


def _networks(world: World, country: str) -> list[Row]:
    rows: list[Row] = [
        (f"10.{unit.place_number}.{number % places.UNITS_OF_A_PLACE}.0/24", unit.name, "own", country, unit.unit_id)
        for number, unit in enumerate(world.units)
    ]
    return [*rows, ("192.0.2.0/24", "mobile", "remote", country, None)]


def _roles(world: World, country: str) -> list[Row]:
    words = sweden.WORDS if country == "SE" else {}
    roles = _roles_at_work(world)
    names = [words.get(role, role) for role in roles]
    return [(name, name, MANDATES.get(role, "care")) for name, role in zip(names, roles, strict=True)]


def _roles_at_work(world: World) -> list[str]:
    present = {duty.role for duty in world.duties}
    return [role for role in SEQUENCES_OF_ROLE if role in present]


def _permissions(world: World, country: str) -> list[Row]:
    """Return what each role's work is made of, table by table."""
    words = sweden.WORDS if country == "SE" else {}
    rows: list[Row] = []
    for role in _roles_at_work(world):
        steps = [STEPS[step] for name in SEQUENCES_OF_ROLE[role] for step in SEQUENCES[name].split()]
        uses = dict.fromkeys((table, ACTIONS[kind]) for kind, table, _message in steps if kind in ACTIONS)
        rows += [(words.get(role, role), words.get(table, table), action) for table, action in uses]
    return rows


def _contacts(world: World, ordinary: Events) -> Contacts:
    about = ordinary.take(ordinary.patient >= 0).in_order()
    local = world.calendar.local_seconds(about.at) // 86_400
    day = local - (world.calendar.start - date(1970, 1, 1)).days
    # one number for each employee, patient and day; days begin one before the period's first
    key = ((day + 1) * 100_000 + about.employee) * 100_000 + about.patient
    first = numpy.sort(numpy.unique(key, return_index=True)[1])
    return Contacts(about.at[first], day[first], about.employee[first], about.patient[first])


def _duties(world: World) -> dict[int, list[tuple[int, int, int, str]]]:
    duties: dict[int, list[tuple[int, int, int, str]]] = {}
    for duty in world.duties:
        duties.setdefault(duty.employee, []).insert(0, (duty.first, duty.last, duty.unit, duty.role))
    return duties


def _appointments(world: World, people: Staff, contacts: Contacts) -> list[Row]:
    """Return most contacts of doctors and therapists, half of the home visits, and some that nobody came to."""
    draws = stream(world.seed, "appointments")
    duties = _duties(world)
    planned: list[tuple[int, int | None, int, int, str, str]] = []
    visited: set[tuple[int, int]] = set()
    columns = (contacts.at, contacts.day, contacts.employee, contacts.patient)
    for at, day, employee, patient in zip(*(column.tolist() for column in columns), strict=True):
        unit, role = next(((one[2], one[3]) for one in duties[employee] if one[0] <= day < one[1]), (-1, ""))
        start = at - at % QUARTER
        if role in BY_APPOINTMENT and draws.random() < BOOKED_SHARE:
            planned.append((start, employee, patient, unit, "appointment", "done"))
            if draws.random() < NOT_MET_SHARE:
                planned.append((start + 7 * 86_400, employee, patient, unit, "appointment", "missed"))
        elif unit >= 0 and world.units[unit].unit_type == places.HOME_CARE and (patient, day) not in visited:
            visited.add((patient, day))
            if draws.random() < HOME_VISIT_SHARE:
                planned.append((start, None, patient, unit, "home_visit", "done"))
    starts = wall_times(world.calendar, [one[0] for one in planned])
    ends = wall_times(world.calendar, [one[0] + 2 * QUARTER for one in planned])
    return [
        (
            world.patients.patient_id(patient),
            f"A{number:06d}",
            None if employee is None else people.employee_id(employee),
            world.units[unit].unit_id,
            kind,
            status,
            start,
            end,
        )
        for number, ((_at, employee, patient, unit, kind, status), start, end) in enumerate(
            zip(planned, starts, ends, strict=True), start=1
        )
    ]


def _referrals(world: World, contacts: Contacts) -> list[Row]:
    """Return the requests of the patients' units to doctors and therapists, from some days before the first contact."""
    draws = stream(world.seed, "referrals")
    duties = _duties(world)
    home: dict[int, int] = {}
    for stay in world.patients.stays:
        home.setdefault(stay.patient, stay.unit)
    first_of: dict[tuple[int, int], int] = {}
    columns = (contacts.day, contacts.employee, contacts.patient)
    for day, employee, patient in zip(*(column.tolist() for column in columns), strict=True):
        unit, role = next(((one[2], one[3]) for one in duties[employee] if one[0] <= day < one[1]), (-1, ""))
        if role in BY_APPOINTMENT:
            first_of.setdefault((patient, unit), day)
    rows: list[Row] = []
    for number, ((patient, unit), day) in enumerate(first_of.items(), start=1):
        if draws.random() < REFERRED_SHARE:
            first = day - int(draws.integers(1, 15))
            units = (world.units[home[patient]].unit_id, world.units[unit].unit_id)
            kind = "consultation" if draws.random() < 0.5 else "referral"  # noqa: PLR2004 - one in two
            days = (_day(world, first), _day(world, first + 120))
            rows.append((world.patients.patient_id(patient), f"R{number:05d}", *units, kind, *days))
    return rows


def _holidays(world: World, country: str) -> list[Row]:
    """Return the municipality's own days of each year of the period: the autumn break and two eves."""
    week, name = AUTUMN_BREAK[country]
    own = OWN_MUNICIPALITY[country]
    rows: list[Row] = []
    for year in sorted({month.year for month in world.calendar.months}):
        monday = date.fromisocalendar(year, week, 1)
        rows += [((monday + timedelta(days=n)).isoformat(), name, "school_holiday", own) for n in range(5)]
        rows += [(f"{year}-12-{day}", eve, "eve", own) for day, eve in zip((24, 31), EVES[country], strict=True)]
    return rows
