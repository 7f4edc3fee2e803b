"""Planted snoopers, each an episode with its row in truth.csv. Nothing here knows how the product looks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy

from audit_kernel.demo import places
from audit_kernel.demo.settings import Calendar, stream
from audit_kernel.demo.staff import ASSISTANT_NURSE, NIGHT, NURSE, ROTATION
from audit_kernel.demo.steps import SEQUENCE_NUMBER, Events, Visits, write_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_kernel.demo.patients import Patients
    from audit_kernel.demo.places import Unit
    from audit_kernel.demo.roster import Shift
    from audit_kernel.demo.staff import Duty

DAYS_A_MONTH = 30


@dataclass(frozen=True, slots=True)
class World:
    """What planting needs to know of the world."""

    seed: int
    calendar: Calendar
    units: list[Unit]
    duties: list[Duty]
    shifts: list[Shift]
    patients: Patients

    @property
    def last_month(self) -> int:
        """Number of the last month's first day."""
        return self.calendar.number(self.calendar.months[-1])

    def on_shift(self, employee: int, first: int) -> list[Shift]:
        """Return that employee's shifts that begin on day `first` or later."""
        return [one for one in self.shifts if self.duties[one.duty].employee == employee and one.day >= first]

    def living_at(self, *unit_numbers: int) -> list[int]:
        """Return the patients that stay at those units through the whole period."""
        wanted = set(unit_numbers)
        return [
            stay.patient
            for stay in self.patients.stays
            if stay.unit in wanted and stay.first is None and stay.last is None
        ]


@dataclass(frozen=True, slots=True)
class Episode:
    """One planted story; `patients` is empty in truth.csv's column where it is about many."""

    number: int
    scenario: str
    description: str
    employee: int
    patients: tuple[int, ...]
    events: Events


def plant(world: World) -> list[Episode]:
    """Return the five episodes of the demo municipality, by five different employees."""
    draws = stream(world.seed, "incidents")
    careers: dict[int, int] = {}
    for duty in world.duties:
        careers[duty.employee] = careers.get(duty.employee, 0) + 1
    steady = [duty for duty in world.duties if careers[duty.employee] == 1 and duty.last - duty.first > 0]
    whole = [duty for duty in steady if duty.first == 0 and duty.last == world.calendar.n_days]
    home_care = [duty for duty in whole if world.units[duty.unit].unit_type == places.HOME_CARE]
    nursing = [duty for duty in whole if world.units[duty.unit].unit_type == places.NURSING_HOME]
    nurses = [duty for duty in home_care if duty.role == NURSE and duty.calendar == ROTATION]
    helpers = [duty for duty in home_care if duty.role == ASSISTANT_NURSE]
    day_helpers = [duty for duty in nursing if duty.role == ASSISTANT_NURSE and duty.calendar == ROTATION]
    day_nurses = [duty for duty in nursing if duty.role == NURSE and duty.calendar == ROTATION]
    night_nurses = [duty for duty in nursing if duty.calendar == NIGHT]
    return [
        _neighbour(world, draws, 1, _one_of(draws, helpers)),
        _slow_browser(world, draws, 2, _one_of(draws, day_nurses)),
        _blocked_search(world, draws, 3, _one_of(draws, day_helpers)),
        _night_reader(world, draws, 4, _one_of(draws, night_nurses)),
        _former_partner(world, draws, 5, _one_of(draws, nurses)),
    ]


def _one_of(draws: numpy.random.Generator, duties: Sequence[Duty]) -> Duty:
    return duties[int(draws.integers(len(duties)))]


def _elsewhere(world: World, duty: Duty, kind: str) -> list[int]:
    """Return the patients of units of that type in other places."""
    own = world.units[duty.unit].place_number
    numbers = [n for n, unit in enumerate(world.units) if unit.unit_type == kind and unit.place_number != own]
    return world.living_at(*numbers)


def _visits(
    draws: numpy.random.Generator, shifts: list[Shift], employee: int, patients: Sequence[int], names: Sequence[str]
) -> Visits:
    """One visit for each patient, each at a moment of one of the shifts, as one of the sequences."""
    which = [shifts[place] for place in draws.integers(len(shifts), size=len(patients))]
    sequences = [SEQUENCE_NUMBER[names[place]] for place in draws.integers(len(names), size=len(patients))]
    return Visits(
        at=numpy.array([int(draws.integers(one.start + 300, one.end - 900)) for one in which], dtype=numpy.int64),
        employee=numpy.full(len(patients), employee, dtype=numpy.int64),
        patient=numpy.array(patients, dtype=numpy.int64),
        sequence=numpy.array(sequences, dtype=numpy.int64),
    )


def _neighbour(world: World, draws: numpy.random.Generator, number: int, duty: Duty) -> Episode:
    elsewhere = _elsewhere(world, duty, places.NURSING_HOME)
    patient = elsewhere[int(draws.integers(len(elsewhere)))]
    shifts = world.on_shift(duty.employee, world.last_month)
    visits = _visits(draws, shifts, duty.employee, [patient] * 120, ("look", "search_and_look"))
    events = write_out(draws, visits, number)
    text = "Opens the record of a neighbour, a patient of another place, very many times in the last month."
    return Episode(number, "neighbour", text, duty.employee, (patient,), events)


def _slow_browser(world: World, draws: numpy.random.Generator, number: int, duty: Duty) -> Episode:
    everybody = _elsewhere(world, duty, places.HOME_CARE)
    n_patients = 20 * len(world.calendar.months)
    chosen = draws.choice(everybody, n_patients, replace=False).tolist()
    shifts = world.on_shift(duty.employee, 0)
    events = write_out(draws, _visits(draws, shifts, duty.employee, chosen, ("look", "search_and_look")), number)
    text = "Reads the records of some twenty patients a month of units where she does not work, once or twice each."
    return Episode(number, "slow_browser", text, duty.employee, tuple(chosen), events)


def _blocked_search(world: World, draws: numpy.random.Generator, number: int, duty: Duty) -> Episode:
    own = set(world.living_at(*(unit for unit, _ in duty.covers)))
    blocked = [
        patient
        for patient, (first, last) in sorted(world.patients.blocks.items())
        if first < world.last_month and last is None and patient not in own
    ]
    patient = blocked[int(draws.integers(len(blocked)))]
    shifts = world.on_shift(duty.employee, world.last_month)
    visits = _visits(draws, shifts, duty.employee, [patient] * 9, ("search_only", "search_only", "denied"))
    text = "Searches again and again for a patient whose record is blocked, and is refused."
    return Episode(number, "blocked_search", text, duty.employee, (patient,), write_out(draws, visits, number))


def _night_reader(world: World, draws: numpy.random.Generator, number: int, duty: Duty) -> Episode:
    elsewhere = _elsewhere(world, duty, places.NURSING_HOME)
    chosen = draws.choice(elsewhere, 45, replace=False).tolist()
    readings = [patient for patient in chosen for _ in range(int(draws.integers(1, 4)))]
    shifts = world.on_shift(duty.employee, world.last_month)
    events = write_out(draws, _visits(draws, shifts, duty.employee, readings, ("look", "transfer")), number)
    text = "A night nurse reads, through quiet nights of the last month, the records of patients of another place."
    return Episode(number, "night_reader", text, duty.employee, tuple(chosen), events)


def _former_partner(world: World, draws: numpy.random.Generator, number: int, duty: Duty) -> Episode:
    elsewhere = _elsewhere(world, duty, places.HOME_CARE)
    patient = elsewhere[int(draws.integers(len(elsewhere)))]
    n_openings = 10 * len(world.calendar.months)
    days = sorted(draws.integers(0, world.calendar.n_days, n_openings).tolist())
    # from home, in the evening, whether at work that day or not
    at = [world.calendar.utc_second(day, int(draws.integers(19 * 60, 23 * 60))) for day in days]
    visits = Visits(
        at=numpy.array(at, dtype=numpy.int64),
        employee=numpy.full(n_openings, duty.employee, dtype=numpy.int64),
        patient=numpy.full(n_openings, patient, dtype=numpy.int64),
        sequence=numpy.full(n_openings, SEQUENCE_NUMBER["search_and_look"], dtype=numpy.int64),
    )
    text = "Follows a former partner's record through all months, in the evenings, outside her shifts."
    return Episode(number, "former_partner", text, duty.employee, (patient,), write_out(draws, visits, number))
