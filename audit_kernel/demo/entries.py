"""Records on their way into the Swedish logs, and the desk that knows who is called what and works where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy

from audit_kernel.demo.export import EPOCH, SECONDS_PER_DAY, name_by_day
from audit_kernel.demo.places import HOME_CARE, UNITS_OF_A_PLACE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audit_kernel.demo.incidents import World
    from audit_kernel.demo.staff import Staff

Fields = dict[str, object]


@dataclass(slots=True)
class Entries:
    """Records of one log: when (seconds of UTC), their fields by column, and the number of the planted episode."""

    at: list[int] = field(default_factory=list)
    fields: list[Fields] = field(default_factory=list)
    episode: list[int] = field(default_factory=list)

    def add(self, at: int, fields: Fields, episode: int = 0) -> None:
        """Add one record; a column that is not given stays empty."""
        self.at.append(at)
        self.fields.append(fields)
        self.episode.append(episode)


@dataclass(frozen=True, slots=True)
class Desk:
    """Who is called what, and works or lives where, on each day of a world.

    duty_of: number of the duty by employee and day; unit_of: of its unit; home_of: of the unit by patient and day,
    the nearest where there was no stay; is_staying: whether there was one.
    """

    world: World
    staff: Staff
    names: list[list[str]]
    duty_of: NDArray[numpy.int64]
    unit_of: NDArray[numpy.int64]
    home_of: NDArray[numpy.int64]
    is_staying: NDArray[numpy.bool_]

    def days(self, at: NDArray[numpy.int64]) -> NDArray[numpy.int64]:
        """Return the number of each moment's local day, the nearest one of the world."""
        calendar = self.world.calendar
        number = calendar.local_seconds(at) // SECONDS_PER_DAY - (calendar.start - EPOCH).days
        return number.clip(0, calendar.n_days - 1)

    def name(self, employee: int, day: int) -> str:
        """Return the log-in name."""
        return self.names[employee][day]

    def unit(self, employee: int, day: int) -> int:
        """Return the number of the unit that someone works at."""
        return int(self.unit_of[employee, day])

    def unit_id(self, unit: int) -> str:
        """Return the site's id of a unit."""
        return self.world.units[unit].unit_id

    def number(self, patient: int) -> str:
        """Return a patient's personal number as the log writes it."""
        number = self.world.patients.people[patient].personal_number
        return f"{number[:8]}-{number[8:]}"

    def address(self, employee: int, day: int) -> str:
        """Return the address of a device: inside a house a private one, on the road one of the mobile network."""
        unit = self.unit(employee, day)
        if self.world.units[unit].unit_type == HOME_CARE:
            return f"192.0.2.{employee % 250 + 1}"
        return f"10.{self.world.units[unit].place_number}.{unit % UNITS_OF_A_PLACE}.{employee % 250 + 1}"


def make_desk(world: World, staff: Staff) -> Desk:
    """Work out the tables by day."""
    n_days = world.calendar.n_days
    duty_of = [[-1] * n_days for _ in staff.people]
    for number, duty in enumerate(world.duties):
        _fill(duty_of[duty.employee], number, duty.first, duty.last)
    stay_of = [[-1] * n_days for _ in world.patients.people]
    for number, stay in enumerate(world.patients.stays):
        _fill(stay_of[stay.patient], number, stay.first or 0, n_days if stay.last is None else stay.last)
    is_staying = numpy.array(stay_of, dtype=numpy.int64) >= 0
    for number, stay in enumerate(world.patients.stays):
        if stay.last is not None and stay.last <= 0:
            stay_of[stay.patient][0] = number
    names = [name_by_day(of_one, n_days) for of_one in staff.log_in_names]
    duties = numpy.array([_without_gaps(row) for row in duty_of], dtype=numpy.int64)
    stays = numpy.array([_without_gaps(row) for row in stay_of], dtype=numpy.int64)
    units = numpy.array([duty.unit for duty in world.duties], dtype=numpy.int64)
    homes = numpy.array([stay.unit for stay in world.patients.stays], dtype=numpy.int64)
    return Desk(world, staff, names, duties, units[duties], homes[stays], is_staying)


def _fill(row: list[int], number: int, first: int, last: int) -> None:
    row[max(first, 0) : max(last, 0)] = [number] * (max(last, 0) - max(first, 0))


def _without_gaps(row: list[int]) -> list[int]:
    """Let the one before last on, and the first begin at once: a night shift ends on the day after the last."""
    known = next(number for number in row if number >= 0)
    return [known := number if number >= 0 else known for number in row]
