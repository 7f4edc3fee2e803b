"""The roster: from duties to shifts, in UTC. Day, evening and night; office hours on weekdays; bookings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_kernel.demo.settings import Calendar, stream
from audit_kernel.demo.staff import BOOKED, LEADER, NIGHT, OFFICE, Duty

if TYPE_CHECKING:
    import numpy

DAY_SHIFT, EVENING_SHIFT, NIGHT_SHIFT, OFFICE_HOURS = (450, 930), (900, 1350), (1320, 1890), (480, 930)  # minutes
SATURDAY = 5
WEEKEND_EVERY = 3
NIGHTS_ON, NIGHTS_CYCLE = 7, 14
ATTENDANCE = (0.62, 0.97)  # least and most of a rota that one person fills: part-time posts, leave, illness


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift of one duty: seconds of UTC [start, end), and the local day on which it begins."""

    duty: int
    day: int
    start: int
    end: int


def make_shifts(seed: int, calendar: Calendar, duties: list[Duty]) -> list[Shift]:
    """Return all shifts, duty by duty, in order of time within each."""
    draws = stream(seed, "roster")
    attendance: dict[int, tuple[float, int]] = {}
    shifts: list[Shift] = []
    for number, duty in enumerate(duties):
        if duty.employee not in attendance:
            attendance[duty.employee] = (float(draws.uniform(*ATTENDANCE)), int(draws.integers(NIGHTS_CYCLE)))
        share, phase = attendance[duty.employee]
        for day in range(duty.first, duty.last):
            if draws.random() >= share:
                continue
            hours = _hours(draws, calendar, duty, day, phase)
            if hours is not None:
                start, end = (calendar.utc_second(day, minute) for minute in hours)
                shifts.append(Shift(number, day, start, end))
    return shifts


def _hours(
    draws: numpy.random.Generator, calendar: Calendar, duty: Duty, day: int, phase: int
) -> tuple[int, int] | None:
    """Return minutes after local midnight, or None on a free day."""
    weekday = calendar.day(day).weekday()
    is_weekend = weekday >= SATURDAY
    if duty.calendar == OFFICE or duty.role == LEADER:
        return None if is_weekend else OFFICE_HOURS
    if duty.calendar == NIGHT:
        return NIGHT_SHIFT if (day + phase) % NIGHTS_CYCLE < NIGHTS_ON else None
    if is_weekend and duty.calendar != BOOKED and ((day - weekday + phase) // 7) % WEEKEND_EVERY:
        return None
    return EVENING_SHIFT if draws.random() < 0.35 else DAY_SHIFT  # noqa: PLR2004 - evenings need fewer hands
