"""Hours beside the rota: overtime, on-call, swaps and absences, and the roster file that tells of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy

from audit_kernel.demo import sweden
from audit_kernel.demo.roster import Shift
from audit_kernel.demo.settings import Calendar, stream
from audit_kernel.demo.staff import DOCTOR, LEADER, ROTATION

if TYPE_CHECKING:
    from audit_kernel.demo.places import Unit
    from audit_kernel.demo.staff import Duty, Staff

    Row = tuple[object, ...]

OVERTIME_SHARE, OVERTIME_MINUTES = 0.03, (60, 180)
ON_CALL_SHARE = {DOCTOR: 0.2, LEADER: 0.08}
ON_CALL_HOURS = (960, 1380)  # minutes: from the office's closing to eleven
SWAPPED_SHARE, ABSENT_SHARE = 0.02, 0.02


@dataclass(frozen=True, slots=True)
class ExtraHours:
    """Work beside the rota, and the rows of the plan that nobody worked."""

    overtime: list[Shift]
    on_call: list[Shift]
    swapped: list[Shift]
    absent: list[Shift]


def make_extra_hours(seed: int, calendar: Calendar, duties: list[Duty], shifts: list[Shift]) -> ExtraHours:
    """Return overtime after shifts, evenings on call, shifts that a colleague took over, and days of absence."""
    draws = stream(seed, "extra_hours")
    at_work = {(duties[one.duty].employee, one.day) for one in shifts}
    at_unit: dict[int, list[int]] = {}
    for number, duty in enumerate(duties):
        if duty.calendar == ROTATION:
            at_unit.setdefault(duty.unit, []).append(number)
    extra = ExtraHours([], _on_call(stream(seed, "on_call_hours"), calendar, duties), [], [])
    for one in shifts:
        duty = duties[one.duty]
        chance = draws.random()
        if chance < OVERTIME_SHARE and duty.calendar == ROTATION:
            minutes = int(draws.integers(*OVERTIME_MINUTES))
            extra.overtime.append(Shift(one.duty, one.day, one.end, one.end + 60 * minutes))
        elif OVERTIME_SHARE <= chance < OVERTIME_SHARE + SWAPPED_SHARE and duty.calendar == ROTATION:
            free = [
                number
                for number in at_unit[duty.unit]
                if (duties[number].employee, one.day) not in at_work
                and duties[number].first <= one.day < duties[number].last
            ]
            if free:
                extra.swapped.append(Shift(free[int(draws.integers(len(free)))], one.day, one.start, one.end))
        elif chance > 1 - ABSENT_SHARE and (duty.employee, one.day + 1) not in at_work and one.day + 1 < duty.last:
            length = 24 * 3600
            extra.absent.append(Shift(one.duty, one.day + 1, one.start + length, one.end + length))
    return extra


def _on_call(draws: numpy.random.Generator, calendar: Calendar, duties: list[Duty]) -> list[Shift]:
    evenings = []
    for number, duty in enumerate(duties):
        for day in range(duty.first, duty.last):
            if draws.random() < ON_CALL_SHARE.get(duty.role, 0.0):
                start, end = (calendar.utc_second(day, minute) for minute in ON_CALL_HOURS)
                evenings.append(Shift(number, day, start, end))
    return evenings


def roster_rows(
    calendar: Calendar, units: list[Unit], staff: Staff, shifts: list[Shift], extra: ExtraHours, country: str
) -> list[Row]:
    """Return every shift as its clock on the wall shows it; one over midnight is one row."""
    filed = [
        *((one, "shift", "worked") for one in shifts),
        *((one, "overtime", "worked") for one in extra.overtime),
        *((one, "on_call", "planned") for one in extra.on_call),
        *((one, "shift", "swapped") for one in extra.swapped),
        *((one, "shift", "absent") for one in extra.absent),
    ]
    words = sweden.WORDS if country == "SE" else {}
    starts, ends = (wall_times(calendar, [getattr(one, name) for one, _, _ in filed]) for name in ("start", "end"))
    rows: list[Row] = []
    for (shift, kind, status), start, end in zip(filed, starts, ends, strict=True):
        duty = staff.duties[shift.duty]
        role = words.get(duty.role, duty.role)
        rows.append((staff.employee_id(duty.employee), units[duty.unit].unit_id, kind, role, status, start, end))
    return rows


def wall_times(calendar: Calendar, seconds: list[int]) -> list[str]:
    """Return moments of UTC as the clock on the wall shows them, to the minute."""
    local = calendar.local_seconds(numpy.array(seconds, dtype=numpy.int64)).astype("datetime64[s]")
    return [text.replace("T", " ") for text in numpy.datetime_as_string(local, unit="m").tolist()]
