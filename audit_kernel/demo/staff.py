"""The 300 employees: who works where, in which role, on which kind of shift, from when to when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audit_kernel.demo import places
from audit_kernel.demo.people import NEIGHBOUR_SHARE, Person, make_people, plain_letters
from audit_kernel.demo.settings import Calendar, stream

if TYPE_CHECKING:
    import numpy

    from audit_kernel.demo.places import Unit

NURSE, ASSISTANT_NURSE, ASSISTANT = "Sykepleier", "Helsefagarbeider", "Assistent"
SOCIAL_EDUCATOR, LEADER, CASE_OFFICER = "Vernepleier", "Avdelingsleder", "Saksbehandler"
PHYSIOTHERAPIST, OCCUPATIONAL_THERAPIST, DOCTOR = "Fysioterapeut", "Ergoterapeut", "Lege"
ANALYST, BILLING_OFFICER, SPECIALIST_NURSE = "Bioingeniør", "Økonomimedarbeider", "Spesialsykepleier"
ARCHIVIST, SYSTEM_MANAGER = "Arkivar", "Systemforvalter"
ROTATION, NIGHT, OFFICE, BOOKED = "rotation", "night", "office", "booked"

# (role, kind of shift) of the regular staff of one unit
STAFF_OF_A_UNIT = {
    places.NURSING_HOME: (
        (NURSE, ROTATION),
        (ASSISTANT_NURSE, ROTATION),
        (ASSISTANT_NURSE, ROTATION),
        (ASSISTANT, ROTATION),
        (NURSE, NIGHT),
    ),
    places.HOME_CARE: (
        (NURSE, ROTATION),
        (ASSISTANT_NURSE, ROTATION),
        (ASSISTANT_NURSE, ROTATION),
        (ASSISTANT, ROTATION),
    ),
    places.SHELTERED_HOUSING: (
        (SOCIAL_EDUCATOR, ROTATION),
        (ASSISTANT_NURSE, ROTATION),
        (ASSISTANT_NURSE, ROTATION),
        (ASSISTANT_NURSE, NIGHT),
    ),
    places.SERVICE_OFFICE: ((CASE_OFFICER, OFFICE),) * 8,
    places.NIGHT_PATROL: ((NURSE, NIGHT),) * 4 + ((ASSISTANT_NURSE, NIGHT),) * 4,
    places.THERAPY: ((PHYSIOTHERAPIST, OFFICE),) * 3 + ((OCCUPATIONAL_THERAPIST, OFFICE),) * 2,
    places.MEDICAL_SERVICE: ((DOCTOR, OFFICE),) * 4,
    places.SUBSTITUTE_POOL: ((NURSE, BOOKED),) * 5 + ((ASSISTANT_NURSE, BOOKED),) * 7 + ((ASSISTANT, BOOKED),) * 6,
    places.LABORATORY: ((ANALYST, OFFICE),) * 4,
    places.BILLING: ((BILLING_OFFICER, OFFICE),) * 3,
    places.CONSULTATION: ((SPECIALIST_NURSE, OFFICE),) * 4,
    places.ARCHIVE: ((ARCHIVIST, OFFICE),) * 2,
    places.SYSTEM_SUPPORT: ((SYSTEM_MANAGER, OFFICE),) * 2,
}
N_DEMO_EMPLOYEES = 300
MUNICIPAL = (BILLING_OFFICER, ARCHIVIST, SYSTEM_MANAGER)  # these see everybody, however large the municipality
SHARE_OF_DEMO = 60 / N_DEMO_EMPLOYEES
N_LEAVERS = N_STARTERS = 4
N_TRANSFERS = 8
N_NEW_LOG_IN_NAMES = 2
HOME_SHARE, OTHER_SHARE = 60, 10
BOOKING_DAYS = (5, 13)


@dataclass(frozen=True, slots=True)
class Duty:
    """An employee works in a role for days [first, last) and sees the patients of `covers` (unit number, weight)."""

    employee: int
    role: str
    calendar: str
    unit: int
    first: int
    last: int
    covers: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One row of the assignment list; days are numbers, None is open."""

    employee: int
    unit: int
    role: str
    share: int
    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Staff:
    """Everybody who works, and how the lists call them."""

    people: list[Person]
    employment: list[tuple[int | None, int | None]]
    log_in_names: list[list[tuple[str, int | None, int | None]]]
    duties: list[Duty]
    assignments: list[Assignment]

    def employee_id(self, employee: int) -> str:
        """Return the site's id."""
        return f"E{1001 + employee}"


def make_staff(
    seed: int,
    calendar: Calendar,
    units: list[Unit],
    country: str = "NO",
    n_employees: int = N_DEMO_EMPLOYEES,
    n_areas: int = 1,
    beside: float = 0.1,
) -> Staff:
    """Return the staff of all units.

    Parameters
    ----------
    n_employees: about; a unit has at least one.
    n_areas: among which the places are shared; who works from the town hall has one of them.
    beside: how often a patient of a unit beside is seen, one of the own unit being 6.
    """
    draws = stream(seed, "staff")
    posts = [
        (unit, role, kind)
        for unit, one in enumerate(units)
        for role, kind in _posts(STAFF_OF_A_UNIT[one.unit_type], n_employees * SHARE_OF_DEMO / len(units), unit)
    ]
    place_numbers = list(dict.fromkeys(unit.place_number for unit in units))
    leaders = [next(n for n, unit in enumerate(units) if unit.place_number == place) for place in place_numbers]
    posts += [(unit, LEADER, OFFICE) for unit in leaders]
    duties: list[Duty] = []
    assignments: list[Assignment] = []
    for employee, (unit, role, kind) in enumerate(posts):
        if kind == BOOKED:
            assignments.append(Assignment(employee, unit, role, OTHER_SHARE, None, None))
            bookings = _bookings(draws, calendar, units, employee, role)
            duties += bookings
            assignments += [Assignment(employee, duty.unit, role, 100, duty.first, duty.last) for duty in bookings]
            continue
        areas = n_areas if role not in MUNICIPAL else 1
        covers = _covers(_in_area(units, employee % areas, areas), units, unit, role, kind, beside)
        duty = Duty(employee, role, kind, unit, 0, calendar.n_days, covers)
        duties.append(duty)
        assignments += _assignments(units, duty, is_filed=n_areas > 1)
    employment = _turnover(draws, calendar, duties, assignments)
    people = make_people(draws, len(posts), (1958, 2004), NEIGHBOUR_SHARE, country)
    return Staff(people, employment, _log_in_names(draws, calendar, people), duties, assignments)


def _of_type(units: list[Unit], *kinds: str) -> list[int]:
    return [number for number, unit in enumerate(units) if unit.unit_type in kinds]


def _beside(units: list[Unit], unit: int) -> list[int]:
    return [n for n, other in enumerate(units) if other.place_number == units[unit].place_number and n != unit]


def _posts(regular: tuple[tuple[str, str], ...], share: float, unit: int) -> list[tuple[str, str]]:
    """Return a unit's posts, the regular ones again and again up to that share of their number, at least one.

    Units that are short of some posts are short of different ones.
    """
    n_posts = max(1, round(len(regular) * share))
    first = unit if n_posts < len(regular) else 0
    return [regular[(first + place) % len(regular)] for place in range(n_posts)]


def _in_area(units: list[Unit], area: int, n_areas: int) -> set[int]:
    return {number for number, unit in enumerate(units) if unit.place_number % n_areas == area}


def _covers(
    area: set[int], units: list[Unit], unit: int, role: str, kind: str, beside: float
) -> tuple[tuple[int, float], ...]:
    """Whose patients someone sees: one's own unit's, the whole house's, or, from the town hall, many units'.

    Where the town hall's work is shared by area, its leaders see nobody's.
    """
    unit_type = units[unit].unit_type
    kinds = {places.NIGHT_PATROL: (places.HOME_CARE,), places.MEDICAL_SERVICE: (places.NURSING_HOME,)}
    if unit_type not in places.CARE_TYPES:
        if role == LEADER and area < set(range(len(units))):
            return ()
        return tuple(
            (number, 1.0) for number in _of_type(units, *kinds.get(unit_type, places.CARE_TYPES)) if number in area
        )
    whole_house = role == LEADER or kind == NIGHT
    return ((unit, 6.0), *((number, 1.0 if whole_house else beside) for number in _beside(units, unit)))


def _assignments(units: list[Unit], duty: Duty, *, is_filed: bool) -> list[Assignment]:
    """Leaders and the night staff of a house are assigned to all of it; others to their own unit.

    is_filed: whether the night patrol's units are filed too.
    """
    home = Assignment(duty.employee, duty.unit, duty.role, 100, None, None)
    in_care = units[duty.unit].unit_type in places.CARE_TYPES
    if units[duty.unit].unit_type == places.NIGHT_PATROL and is_filed:
        return [home, *(replace(home, unit=unit, share=OTHER_SHARE) for unit, _weight in duty.covers)]
    if not in_care or (duty.role != LEADER and duty.calendar != NIGHT):
        return [home]
    others = [replace(home, unit=number, share=OTHER_SHARE) for number in _beside(units, duty.unit)]
    return [replace(home, share=HOME_SHARE), *others]


def _bookings(
    draws: numpy.random.Generator, calendar: Calendar, units: list[Unit], employee: int, role: str
) -> list[Duty]:
    """Return a substitute's bookings, one after another with days between, at any care unit."""
    wards = _of_type(units, *places.CARE_TYPES)
    bookings = []
    day = int(draws.integers(0, BOOKING_DAYS[0]))
    while day < calendar.n_days:
        last = min(day + int(draws.integers(*BOOKING_DAYS)), calendar.n_days)
        unit = wards[int(draws.integers(len(wards)))]
        bookings.append(Duty(employee, role, BOOKED, unit, day, last, ((unit, 1.0),)))
        day = last + int(draws.integers(1, 4))
    return bookings


def _turnover(
    draws: numpy.random.Generator, calendar: Calendar, duties: list[Duty], assignments: list[Assignment]
) -> list[tuple[int | None, int | None]]:
    """Let some leave, begin, or move to the unit beside theirs within the period; changes both lists."""
    employment: list[tuple[int | None, int | None]] = [(None, None)] * (max(duty.employee for duty in duties) + 1)
    rotating = [number for number, duty in enumerate(duties) if duty.calendar == ROTATION]
    chosen = draws.choice(rotating, N_LEAVERS + N_STARTERS + N_TRANSFERS, replace=False).tolist()
    for place, number in enumerate(chosen):
        duty = duties[number]
        day = int(draws.integers(calendar.n_days // 4, 3 * calendar.n_days // 4))
        row = next(n for n, one in enumerate(assignments) if one.employee == duty.employee)
        if place < N_LEAVERS:
            duties[number] = replace(duty, last=day)
            assignments[row] = replace(assignments[row], last=day)
            employment[duty.employee] = (None, day)
        elif place < N_LEAVERS + N_STARTERS:
            duties[number] = replace(duty, first=day)
            assignments[row] = replace(assignments[row], first=day)
            employment[duty.employee] = (day, None)
        else:
            unit = duty.covers[1][0]
            duties[number] = replace(duty, last=day)
            duties.append(replace(duty, unit=unit, first=day, covers=((unit, 1.0),)))
            assignments.append(replace(assignments[row], unit=unit, first=day))
            assignments[row] = replace(assignments[row], last=day)
    return employment


def _log_in_names(
    draws: numpy.random.Generator, calendar: Calendar, people: list[Person]
) -> list[list[tuple[str, int | None, int | None]]]:
    """Return each employee's log-in names, such as KANO01, with their days; a few change name on the way."""
    used: dict[str, int] = {}

    def new_name(letters: str) -> str:
        used[letters] = used.get(letters, 0) + 1
        return f"{letters}{used[letters]:02d}"

    names: list[list[tuple[str, int | None, int | None]]] = [
        [(new_name(plain_letters(one.first_name)[:2] + plain_letters(one.last_name)[:2]), None, None)] for one in people
    ]
    for employee in draws.choice(len(people), N_NEW_LOG_IN_NAMES, replace=False).tolist():
        first, day = names[employee][0][0], calendar.n_days // 2
        names[employee] = [(first, None, day), (new_name(first[:2] + "DE"), day, None)]
    return names
