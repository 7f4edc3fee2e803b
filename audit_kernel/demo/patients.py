"""The 900 patients: where they live or get care and when, whose record is blocked, and the ids of their records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audit_kernel.demo import places
from audit_kernel.demo.people import Person, make_people
from audit_kernel.demo.settings import Calendar, stream

if TYPE_CHECKING:
    import numpy

    from audit_kernel.demo.places import Unit

N_PATIENTS = 900
# how the patients are shared among the units of each type, per unit
WEIGHT_OF_TYPE = {places.NURSING_HOME: 13.0, places.HOME_CARE: 23.0, places.SHELTERED_HOUSING: 11.5}
N_MOVES = N_ARRIVALS = N_DEPARTURES = 15
N_DEATHS = 6  # of the departures
N_BLOCKED = 12


@dataclass(frozen=True, slots=True)
class Stay:
    """A patient belongs to a unit for days [first, last); None is open."""

    patient: int
    unit: int
    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Patients:
    """Everybody who is cared for. `blocks`: patient to the days [first, last) on which the record is blocked.

    `deceased`: patient to the day of death, which ends the stay.
    """

    people: list[Person]
    stays: list[Stay]
    blocks: dict[int, tuple[int, int | None]]
    deceased: dict[int, int] = field(default_factory=dict)

    def patient_id(self, patient: int) -> str:
        """Return the site's id."""
        return f"P{10001 + patient}"

    def number(self, patient: int) -> str:
        """Return the patient number of the journal system."""
        return str(500123 + 7 * patient)


def make_patients(
    seed: int, calendar: Calendar, units: list[Unit], country: str = "NO", n_patients: int = N_PATIENTS
) -> Patients:
    """Return the patients of all care units."""
    draws = stream(seed, "patients")
    homes = _homes(units, n_patients)
    stays: list[Stay] = []
    chosen = draws.choice(n_patients, N_MOVES + N_ARRIVALS + N_DEPARTURES + N_BLOCKED, replace=False).tolist()
    moving = set(chosen[:N_MOVES])
    arriving = set(chosen[N_MOVES : N_MOVES + N_ARRIVALS])
    leaving = set(chosen[N_MOVES + N_ARRIVALS : -N_BLOCKED])
    nursing_homes = [number for number, unit in enumerate(units) if unit.unit_type == places.NURSING_HOME]
    for patient, unit in enumerate(homes):
        day = int(draws.integers(5, calendar.n_days - 5))
        new_unit = nursing_homes[int(draws.integers(len(nursing_homes)))]
        if patient in moving and new_unit != unit:
            stays += [Stay(patient, unit, None, day), Stay(patient, new_unit, day, None)]
        else:
            first, last = (day if patient in arriving else None), (day if patient in leaving else None)
            stays.append(Stay(patient, unit, first, last))
    blocks = _blocks(draws, calendar, chosen[-N_BLOCKED:])
    dying = sorted(leaving)[:N_DEATHS]
    deceased = {stay.patient: stay.last for stay in stays if stay.patient in dying and stay.last is not None}
    return Patients(make_people(draws, n_patients, (1926, 1968), country=country), stays, blocks, deceased)


def _homes(units: list[Unit], n_patients: int) -> list[int]:
    """Return each patient's first unit, by the weights of the unit types, largest remainders first."""
    wards = [number for number, unit in enumerate(units) if unit.unit_type in places.CARE_TYPES]
    weights = [WEIGHT_OF_TYPE[units[number].unit_type] for number in wards]
    shares = [n_patients * weight / sum(weights) for weight in weights]
    counts = [int(share) for share in shares]
    by_remainder = sorted(range(len(wards)), key=lambda place: counts[place] - shares[place])
    for place in by_remainder[: n_patients - sum(counts)]:
        counts[place] += 1
    return [ward for ward, count in zip(wards, counts, strict=True) for _ in range(count)]


def _blocks(draws: numpy.random.Generator, calendar: Calendar, chosen: list[int]) -> dict[int, tuple[int, int | None]]:
    """Half of the blocks were there before the period, half begin in it; a third ends in it."""
    blocks: dict[int, tuple[int, int | None]] = {}
    for place, patient in enumerate(chosen):
        first = -int(draws.integers(30, 900)) if place % 2 == 0 else int(draws.integers(1, calendar.n_days // 2))
        ends = place % 3 == 2  # noqa: PLR2004 - every third
        blocks[patient] = (first, int(draws.integers(calendar.n_days // 2, calendar.n_days)) if ends else None)
    return blocks
