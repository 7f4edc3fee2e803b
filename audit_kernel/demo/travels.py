"""Who works from abroad with leave: honest travellers, whose accesses look as foreign as any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_kernel.demo.settings import Calendar, stream
from audit_kernel.demo.staff import OFFICE

if TYPE_CHECKING:
    from audit_kernel.demo.staff import Duty

# country and address, of the networks set apart for documentation (RFC 5737)
DESTINATIONS = (("TH", "198.51.100.41"), ("BR", "203.0.113.42"), ("TH", "198.51.100.43"))
LENGTH = (5, 12)  # days


@dataclass(frozen=True, slots=True)
class Travel:
    """One employee works from a country on days [first, last); `is_filed` where somebody asked for leave and got it."""

    employee: int
    country: str
    address: str
    first: int
    last: int
    is_filed: bool = True


def honest_travels(seed: int, calendar: Calendar, duties: list[Duty]) -> list[Travel]:
    """Return the approved travels, by people with office work, one of them in the last month."""
    draws = stream(seed, "travels")
    office = [duty.employee for duty in duties if duty.calendar == OFFICE]
    chosen = draws.choice(office, len(DESTINATIONS), replace=False).tolist()
    last_month = calendar.number(calendar.months[-1])
    travels = []
    for place, (employee, (country, address)) in enumerate(zip(chosen, DESTINATIONS, strict=True)):
        first = last_month + 6 if place == 0 else int(draws.integers(calendar.n_days - LENGTH[0]))
        travels.append(Travel(employee, country, address, first, first + int(draws.integers(*LENGTH))))
    return travels
