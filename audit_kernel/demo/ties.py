"""Who is what to whom outside work: kin, homes, neighbours, staff who are patients, and who is in the news."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audit_kernel.demo import places
from audit_kernel.demo.settings import Calendar, stream

if TYPE_CHECKING:
    import numpy

    from audit_kernel.demo.patients import Patients
    from audit_kernel.demo.places import Unit
    from audit_kernel.demo.staff import Staff

# what the patient is to the employee: how many pairs, of how many of these the surname and the household is one
RELATIONS = {
    "self": (6, 1.0, 1.0),
    "spouse": (8, 0.8, 1.0),
    "partner": (4, 0.0, 1.0),
    "parent": (14, 0.7, 0.2),
    "sibling": (5, 0.5, 0.0),
    "relative": (5, 0.3, 0.0),
    "neighbour": (10, 0.0, 0.0),
    "friend": (6, 0.0, 0.0),
    "guardian": (2, 0.0, 0.0),
    "former_partner": (3, 0.1, 0.0),
}
AT_WORK = ("relative", "neighbour", "friend")  # in a small place one also cares, lawfully, for those one knows
AT_WORK_SHARE = 0.3
OWN_MUNICIPALITY, OTHER_MUNICIPALITIES = {"NO": "Demovik", "SE": "Demoköping"}, ("Nordli", "Sørbygda", "Östervik")
COMMUTER_SHARE = 0.12
COUPLE_SHARE, COLLEAGUES_SHARE = 0.06, 0.03
N_IN_THE_NEWS = 3


@dataclass(frozen=True, slots=True)
class Tie:
    """What a patient is to an employee."""

    employee: int
    patient: int
    relation: str


@dataclass(frozen=True, slots=True)
class Ties:
    """The ties of a world.

    pairs: all that exist, filed or not. households: members (employees, patients) of each. of_employee, of_patient:
    the municipality of each. in_the_news: patient and the days [first, last), None is open.
    """

    pairs: list[Tie]
    households: list[tuple[tuple[int, ...], tuple[int, ...]]]
    of_employee: list[str]
    of_patient: list[str]
    in_the_news: list[tuple[int, int, int | None]]


def tie(
    seed: int,
    calendar: Calendar,
    units: list[Unit],
    staff: Staff,
    patients: Patients,
    country: str,
    scale: float = 1.0,
) -> tuple[Ties, Patients]:
    """Return the ties, and the patients with the surnames, and the persons themselves, that follow from them.

    Parameters
    ----------
    scale: how many ties there are, the demo's number being 1.
    """
    draws = stream(seed, "ties")
    people = list(patients.people)
    taken: set[int] = set(patients.blocks)
    at_home = {stay.patient for stay in patients.stays if units[stay.unit].unit_type == places.HOME_CARE}
    whole = [stay for stay in patients.stays if stay.first is None and stay.last is None]
    unit_of = {duty.employee: duty.unit for duty in staff.duties}
    employees = iter(draws.permutation(len(staff.people)).tolist())
    pairs: list[Tie] = []
    together: dict[int, int] = {}
    for relation, (n_pairs, surname_share, household_share) in RELATIONS.items():
        for _ in range(round(n_pairs * scale)):
            employee = next(employees)
            shares_home = bool(draws.random() < household_share)
            works_there = relation in AT_WORK and bool(draws.random() < AT_WORK_SHARE)
            found = [
                stay.patient
                for stay in whole
                if stay.patient not in taken
                and (not shares_home or stay.patient in at_home)
                and (stay.unit == unit_of[employee]) == works_there
            ]
            if not found:
                continue
            patient = found[int(draws.integers(len(found)))]
            taken.add(patient)
            pairs.append(Tie(employee, patient, relation))
            if relation == "self":
                people[patient] = staff.people[employee]
            elif draws.random() < surname_share:
                people[patient] = replace(people[patient], last_name=staff.people[employee].last_name)
            if shares_home:
                together[employee] = patient
    households = _households(draws, staff, sorted(at_home), together)
    own = OWN_MUNICIPALITY[country]
    of_employee = [
        OTHER_MUNICIPALITIES[int(draws.integers(len(OTHER_MUNICIPALITIES)))] if draws.random() < COMMUTER_SHARE else own
        for _ in staff.people
    ]
    for pair in pairs:
        if pair.relation == "neighbour" or together.get(pair.employee) == pair.patient:
            of_employee[pair.employee] = own
    free = [stay.patient for stay in whole if stay.patient not in taken]
    ties = Ties(pairs, households, of_employee, [own] * len(people), _news(draws, calendar, free))
    return ties, replace(patients, people=people)


def _households(
    draws: numpy.random.Generator, staff: Staff, at_home: list[int], together: dict[int, int]
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return everybody who lives at home, in households: kin, couples of patients and of colleagues, and singles."""
    households: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((employee,), (patient,)) for employee, patient in together.items()
    ]
    free_staff = [one for one in draws.permutation(len(staff.people)).tolist() if one not in together]
    free_patients = [one for one in draws.permutation(at_home).tolist() if one not in together.values()]
    while free_staff:
        n_members = 2 if len(free_staff) > 1 and draws.random() < COLLEAGUES_SHARE else 1
        households.append((tuple(free_staff.pop() for _ in range(n_members)), ()))
    while free_patients:
        n_members = 2 if len(free_patients) > 1 and draws.random() < COUPLE_SHARE else 1
        households.append(((), tuple(free_patients.pop() for _ in range(n_members))))
    return households


def _news(draws: numpy.random.Generator, calendar: Calendar, free: list[int]) -> list[tuple[int, int, int | None]]:
    """Return who the papers write about: one from before, one for some weeks, and one from the last month on."""
    chosen = draws.choice(free, N_IN_THE_NEWS, replace=False).tolist()
    last_month = calendar.number(calendar.months[-1])
    days = ((-200, -60), (-20, 25), (last_month + 4, None))
    return [(patient, *of_one) for patient, of_one in zip(chosen, days, strict=True)]
