"""Who else there is: patients of before, shifts at the unit beside, and whose data are protected or sensitive."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy

from audit_kernel.demo.care_references import PROTECTED
from audit_kernel.demo.patients import N_PATIENTS, Patients, Stay
from audit_kernel.demo.roster import Shift
from audit_kernel.demo.settings import stream
from audit_kernel.demo.staff import ROTATION, Duty

if TYPE_CHECKING:
    from audit_kernel.demo.incidents import World
    from audit_kernel.demo.settings import Calendar
    from audit_kernel.demo.staff import Staff
    from audit_kernel.demo.ties import Ties

    Row = tuple[object, ...]

FLOATING = "floating"
FLOATED_SHARE = 0.04  # of the shifts of the rota, worked at the unit beside
FORMER_SHARE = 0.08  # of the patients: their stay ended before the period
ENDED_DAYS = (8, 400)  # before the period, the second not included
DIED_SHARE = 0.5
ON_PAPER, LOST_WEEKS = 0.75, 0.2  # of the missing rows of the roster; pay follows it, so single shifts rarely miss
N_SENSITIVE = 10  # of 900 patients


def with_former(seed: int, patients: Patients, ties: Ties) -> Patients:
    """Let some patients whom nobody has a tie to have left before the period; their records are still there."""
    draws = stream(seed, "former patients")
    staying = [place for place, stay in enumerate(patients.stays) if stay.first is None and stay.last is None]
    chosen = draws.permutation(staying)[: round(FORMER_SHARE * len(patients.people))].tolist()
    stays, deceased = list(patients.stays), dict(patients.deceased)
    kept = {*patients.blocks, *(tie.patient for tie in ties.pairs), *(news[0] for news in ties.in_the_news)}
    for place in chosen:
        patient = stays[place].patient
        if patient in kept:
            continue
        last = -int(draws.integers(*ENDED_DAYS))
        stays[place] = Stay(patient, stays[place].unit, last - int(draws.integers(30, 900)), last)
        if draws.random() < DIED_SHARE:
            deceased[patient] = last
    return replace(patients, stays=stays, deceased=deceased)


def with_floaters(seed: int, calendar: Calendar, staff: Staff, shifts: list[Shift]) -> list[Shift]:
    """Let some shifts be worked at another unit of the same place; each is a duty of its own, added to the staff's."""
    draws = stream(seed, "floaters")
    floated: list[Shift] = []
    for shift in shifts:
        duty = staff.duties[shift.duty]
        beside = [unit for unit, _weight in duty.covers if unit != duty.unit]
        if duty.calendar != ROTATION or not beside or draws.random() >= FLOATED_SHARE:
            floated.append(shift)
            continue
        unit = beside[int(draws.integers(len(beside)))]
        last = min(shift.day + 1, calendar.n_days)
        staff.duties.append(Duty(duty.employee, duty.role, FLOATING, unit, shift.day, last, ((unit, 1.0),)))
        floated.append(Shift(len(staff.duties) - 1, shift.day, shift.start, shift.end))
    return floated


def flags_of(seed: int, patients: Patients, country: str) -> list[tuple[int, str]]:
    """Return the patients with protected identities and those of the local list of sensitive records, with the flag."""
    draws = stream(seed, "flags")
    scale = len(patients.people) / N_PATIENTS
    numbers = PROTECTED[country] | {"sensitive": N_SENSITIVE}
    flags = [flag for flag, number in numbers.items() for _ in range(max(1, round(number * scale)))]
    staying = [stay.patient for stay in patients.stays if stay.first is None and stay.last is None]
    chosen = draws.permutation(staying)[: len(flags)].tolist()
    return list(zip(chosen, flags, strict=True))


def without_rosters(seed: int, header: str, rows: list[Row], share: float) -> list[Row]:
    """Return the roster without that share of its rows.

    Most of them are of units that plan on paper, some of weeks that were never delivered, few are single shifts that
    somebody forgot to change.
    """
    draws = stream(seed, "rosters")
    names = header.split()
    unit, start = names.index("unit_id"), names.index("starts_at")
    units = sorted({str(row[unit]) for row in rows})
    weeks = sorted({_week(row, unit, start) for row in rows})
    on_paper = set(draws.permutation(units)[: round(ON_PAPER * share * len(units))].tolist())
    lost = {weeks[place] for place in numpy.flatnonzero(draws.random(len(weeks)) < LOST_WEEKS * share).tolist()}
    forgotten = (1 - ON_PAPER - LOST_WEEKS) * share
    return [
        row
        for row in rows
        if str(row[unit]) not in on_paper and _week(row, unit, start) not in lost and draws.random() >= forgotten
    ]


def _week(row: Row, unit: int, start: int) -> tuple[str, int]:
    return str(row[unit]), date.fromisoformat(str(row[start])[:10]).toordinal() // 7


def blocks_table(world: World) -> tuple[str, list[Row]]:
    """Return header and rows of the blocks: each leaves the record open to the units of the patient's own house."""
    calendar, units = world.calendar, world.units
    home = {stay.patient: units[stay.unit] for stay in reversed(world.patients.stays)}
    rows: list[Row] = []
    for patient, days in sorted(world.patients.blocks.items()):
        dates = [None if number is None else calendar.day(number).isoformat() for number in days]
        house = [unit.unit_id for unit in units if unit.place_number == home[patient].place_number]
        patient_id = world.patients.patient_id(patient)
        rows += [(patient_id, "record", "only_named", "unit", unit_id, *dates) for unit_id in house]
    return "patient_id scope direction named_kind named_id valid_from valid_to", rows
