"""Records on their way into the Swedish logs, and the desk that knows who is called what and works where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audit_kernel.demo.export import EPOCH, SECONDS_PER_DAY, name_by_day
from audit_kernel.demo.places import HOME_CARE, UNITS_OF_A_PLACE
from audit_kernel.demo.sweden import WORDS

if TYPE_CHECKING:
    import numpy
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
    """Who is called what, and works or lives where, on each day of a world."""

    world: World
    staff: Staff
    names: list[list[str]]
    duty_of: list[list[int]]
    stay_of: list[list[int]]

    def days(self, at: NDArray[numpy.int64]) -> list[int]:
        """Return the number of each moment's local day, the nearest one of the world."""
        calendar = self.world.calendar
        number = calendar.local_seconds(at) // SECONDS_PER_DAY - (calendar.start - EPOCH).days
        days: list[int] = number.clip(0, calendar.n_days - 1).tolist()
        return days

    def name(self, employee: int, day: int) -> str:
        """Return the log-in name."""
        return self.names[employee][day]

    def unit(self, employee: int, day: int) -> int:
        """Return the number of the unit that someone works at."""
        return self.world.duties[self.duty_of[employee][day]].unit

    def role(self, employee: int, day: int) -> str:
        """Return the role, in Swedish."""
        return WORDS[self.world.duties[self.duty_of[employee][day]].role]

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
    names = [name_by_day(of_one, n_days) for of_one in staff.log_in_names]
    return Desk(world, staff, names, [_without_gaps(row) for row in duty_of], [_without_gaps(row) for row in stay_of])


def _fill(row: list[int], number: int, first: int, last: int) -> None:
    row[first:last] = [number] * (last - first)


def _without_gaps(row: list[int]) -> list[int]:
    """Let the one before last on, and the first begin at once: a night shift ends on the day after the last."""
    known = next(number for number in row if number >= 0)
    return [known := number if number >= 0 else known for number in row]
