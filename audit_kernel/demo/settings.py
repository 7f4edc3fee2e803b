"""What a made-up world is made of: its size, its months, its clock, and its streams of random draws."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy

from audit_kernel.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SECONDS_PER_HOUR = 3600
MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """The size of a world; the defaults are the demo municipality.

    Parameters
    ----------
    n_months: months of log, the last one included.
    activity: multiplies the patients seen in a shift; small worlds for tests use less than 1.
    n_bad_values: records whose date or time cannot be read.
    n_unresolvable: readings of journals that no key list knows.
    missing_share: rows of plans and lists that are not delivered, or begin too late, 0 to 1.
    missing_most: where larger, each kind of list has a share of its own between the two.
    n_units: at least 65 in a world of `write_world`, in steps of five; the demo has 60.
    n_employees, n_patients: about, because every unit has somebody.
    accesses_per_month: log rows of an employee and month, about.
    incident_rate: planted episodes per 1,000 employees and month, all families together.
    families: which are planted; empty for all.
    n_per_family: plants exactly so many of each of `families`, whatever the rate.
    hard_case_ratio: honest look-alikes for each planted episode; `least_hard_cases` of each family at least.
    drug_noise: rounds with controlled drugs in which something is written late, wrongly or not at all.
    """

    n_months: int = 3
    activity: float = 1.0
    n_bad_values: int = 4
    n_unresolvable: int = 40
    missing_share: float = 0.08
    missing_most: float = 0.0
    n_units: int = 60
    n_employees: int = 300
    n_patients: int = 900
    accesses_per_month: int = 311
    incident_rate: float = 1.0
    families: tuple[str, ...] = ()
    n_per_family: int = 0
    hard_case_ratio: int = 20
    least_hard_cases: int = 1
    drug_noise: float = 0.15


EVALUATION = WorldSettings(missing_share=0.05, missing_most=0.15, n_units=65, accesses_per_month=1900)
NULL_WORLD = WorldSettings(
    n_months=1,
    missing_share=0.05,
    missing_most=0.15,
    n_units=65,
    n_employees=150,
    n_patients=500,
    accesses_per_month=300,
    incident_rate=0.0,
)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of a world, and its clock: local time in `zone` to seconds of UTC and back."""

    months: tuple[date, ...]
    end: date
    zone: str = "Europe/Oslo"

    @property
    def start(self) -> date:
        """First day of the first month."""
        return self.months[0]

    @property
    def n_days(self) -> int:
        """Days from start to end."""
        return (self.end - self.start).days

    def day(self, number: int) -> date:
        """Day `number`, 0 is the first."""
        return self.start + timedelta(days=number)

    def number(self, day: date) -> int:
        """Inverse of `day`."""
        return (day - self.start).days

    def utc_second(self, day_number: int, minute: int) -> int:
        """Seconds since 1970 (UTC) of that many minutes after local midnight; `minute` may pass 24 hours."""
        more_days, minute = divmod(minute, 24 * 60)
        return _utc_second(self.zone, self.day(day_number + more_days), minute)

    def local_seconds(self, utc_seconds: NDArray[numpy.int64]) -> NDArray[numpy.int64]:
        """Seconds since 1970 as the clock on the wall shows them; offsets change on whole hours of UTC."""
        hours, place = numpy.unique(utc_seconds // SECONDS_PER_HOUR, return_inverse=True)
        zone = ZoneInfo(self.zone)
        offsets = [
            datetime.fromtimestamp(int(hour) * SECONDS_PER_HOUR, zone).utcoffset() or timedelta(0) for hour in hours
        ]
        seconds = numpy.array([int(offset.total_seconds()) for offset in offsets], dtype=numpy.int64)
        return utc_seconds + seconds[place]


@cache
def _utc_second(zone: str, day: date, minute: int) -> int:
    wall = datetime.combine(day, time(minute // 60, minute % 60), ZoneInfo(zone))
    return int(wall.astimezone(UTC).timestamp())


def calendar_of(last_month: str, n_months: int, zone: str = "Europe/Oslo") -> Calendar:
    """Return the calendar of the `n_months` months that end with `last_month` ("2026-10").

    Raises
    ------
    UsageError: not a month, or no month at all.
    """
    try:
        last = date.fromisoformat(f"{last_month}-01")
    except ValueError as error:
        problem = f"{last_month!r} is not a month."
        raise UsageError(problem, "Write year and month, for example 2026-10.") from error
    if n_months < 1:
        problem = f"A world of {n_months} months has no log."
        raise UsageError(problem, "Ask for at least one month.")
    index = last.year * MONTHS_PER_YEAR + last.month - 1
    first_days = [
        date(number // MONTHS_PER_YEAR, number % MONTHS_PER_YEAR + 1, 1)
        for number in range(index - n_months + 1, index + 2)
    ]
    return Calendar(months=tuple(first_days[:-1]), end=first_days[-1], zone=zone)


def stream(seed: int, name: str) -> numpy.random.Generator:
    """Return the random draws of one part of the world: a part added later leaves the others as they were."""
    return numpy.random.Generator(numpy.random.PCG64([seed, zlib.crc32(name.encode())]))
