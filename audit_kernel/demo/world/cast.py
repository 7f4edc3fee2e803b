"""Who may play in an episode: the staff, patients, ties and shifts of a world, looked up in the ways episodes need."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy

from audit_kernel.demo.everyday import ODDITIES, SEQUENCES_OF_ROLE
from audit_kernel.demo.places import CARE_TYPES, UNITS_OF_A_PLACE
from audit_kernel.demo.staff import BOOKED
from audit_kernel.demo.steps import WITHOUT_PATIENT
from audit_kernel.demo.world.notes import NOTES
from audit_kernel.demo.world.story import Story, Visit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audit_kernel.demo.entries import Desk
    from audit_kernel.demo.medication import Prescription
    from audit_kernel.demo.roster import Shift
    from audit_kernel.demo.staff import Duty, Staff
    from audit_kernel.demo.steps import Events
    from audit_kernel.demo.ties import Ties
    from audit_kernel.demo.travels import Travel

KEY = 1_000_000  # more than there are patients
QUIET = 900  # seconds at a shift's ends without visits


@dataclass(slots=True)
class Cast:
    """What episodes choose from.

    duty_of: the one lasting duty of each employee. contacts: employee and patient of ordinary care, as one number.
    flags: patients with a protected or sensitive flag, and which. busy: who already plants. played: who is in
    an episode of each family. devices: address and name.
    """

    desk: Desk
    staff: Staff
    ties: Ties
    flags: list[tuple[int, str]]
    prescriptions: dict[int, Prescription]
    travels: list[Travel]
    duty_of: dict[int, Duty]
    shifts_of: dict[int, list[Shift]]
    staying: dict[int, list[int]]
    contacts: frozenset[int]
    busy: set[int] = field(default_factory=set)
    devices: list[tuple[str, str]] = field(default_factory=list)
    played: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    @property
    def flagged(self) -> list[int]:
        """The patients with a flag."""
        return [patient for patient, _flag in self.flags]

    def unit_type(self, unit: int) -> str:
        """Return the type of a unit."""
        return self.desk.world.units[unit].unit_type

    def place(self, unit: int) -> int:
        """Return the number of the place that a unit lies in."""
        return self.desk.world.units[unit].place_number

    def home(self, patient: int) -> int:
        """Return the unit that a patient belongs to, at the period's end or last."""
        return int(self.desk.home_of[patient, -1])

    def people(
        self, roles: Iterable[str] = (), kinds: Iterable[str] = CARE_TYPES, calendars: Iterable[str] = ()
    ) -> list[int]:
        """Return who works through the whole period in one of these roles, types of unit and calendars, and is free."""
        wanted, types, hours = frozenset(roles), frozenset(kinds), frozenset(calendars)
        return [
            employee
            for employee, duty in self.duty_of.items()
            if employee not in self.busy
            and (not wanted or duty.role in wanted)
            and (not types or self.unit_type(duty.unit) in types)
            and (not hours or duty.calendar in hours)
        ]

    def take(self, story: Story, options: Sequence[int]) -> int:
        """Return one of these employees as the one who acts; who plants once is left alone by all later episodes."""
        played = self.played[story.family]
        free = [one for one in options if one not in self.busy] or list(options) or self.people()
        employee = story.one_of([one for one in free if one not in played] or free)
        played.add(employee)
        story.employees.append(employee)
        story.unit = (
            self.duty_of[employee].unit if employee in self.duty_of else self.desk.unit(employee, story.days[0])
        )
        if story.is_planted:
            self.busy.add(employee)
        return employee

    def own(self, employee: int) -> list[int]:
        """Return the patients of the employee's own unit, there through the whole period."""
        return self.staying.get(self.duty_of[employee].unit, [])

    def knows(self, employee: int, patient: int) -> bool:
        """Tell whether the employee cares for the patient."""
        return employee * KEY + patient in self.contacts

    def strangers(self, employee: int, kinds: Iterable[str] = CARE_TYPES) -> list[int]:
        """Return patients of other places that the employee has no part in."""
        place, types = self.place(self.duty_of[employee].unit), frozenset(kinds)
        return [
            patient
            for unit, patients in self.staying.items()
            if self.place(unit) != place and self.unit_type(unit) in types
            for patient in patients
            if not self.knows(employee, patient)
        ]

    def at_work(self, story: Story, employee: int) -> list[Shift]:
        """Return the employee's shifts in the days of the story; any shift where there is none."""
        first, last = story.days
        of_employee = self.shifts_of.get(employee, [])
        return [one for one in of_employee if first <= one.day < last] or of_employee

    def moments(self, story: Story, employee: int, number: int, n_shifts: int = 0) -> list[int]:
        """Return so many moments at work, in order; on at most `n_shifts` different shifts, 0 for any number."""
        shifts = self.at_work(story, employee)
        if not shifts:
            middle = self.at(story.number_of(story.days[0], story.days[1] - 1), 12 * 60)
            return [middle + 600 * place for place in range(number)]
        shifts = story.some_of(shifts, n_shifts) if n_shifts else shifts
        chosen = [story.one_of(shifts) for _ in range(number)]
        return sorted(int(story.draws.integers(one.start + QUIET, one.end - QUIET)) for one in chosen)

    def off_work(self, story: Story, employee: int, number: int, minutes: tuple[int, int]) -> list[int]:
        """Return moments between those minutes of days on which the employee does not work, nor the day before."""
        at_work = {one.day for one in self.shifts_of.get(employee, [])}
        free = [day for day in range(*story.days) if day not in at_work and day - 1 not in at_work]
        days = sorted(story.some_of(free or list(range(*story.days)), number))
        return [self.at(day, story.number_of(*minutes)) for day in days]

    def at(self, day: int, minute: int) -> int:
        """Return the second of UTC of that local day and minute."""
        return self.desk.world.calendar.utc_second(day, minute)

    def day(self, at: int) -> int:
        """Return the number of a moment's local day."""
        return int(self.desk.days(numpy.array([at]))[0])

    def device(self, address: str, name: str = "") -> int:
        """Return the number of a device that is not an employee's own."""
        if (address, name) not in self.devices:
            self.devices.append((address, name))
        return self.devices.index((address, name))

    def ward_device(self, unit: int) -> int:
        """Return the device that all of a ward share."""
        number = unit % UNITS_OF_A_PLACE
        return self.device(f"10.{self.place(unit)}.{number}.254", f"PC-{1000 + unit}-A")

    def home_device(self, employee: int) -> int:
        """Return the employee's device on the road or at home."""
        return self.device(f"192.0.2.{employee % 250 + 1}", f"MOBIL-{employee:04d}")

    def rename(self, patient: int, employee: int, *, is_whole: bool = False) -> None:
        """Give the patient the employee's surname, or whole name."""
        people, person = self.desk.world.patients.people, self.staff.people[employee]
        first_name = person.first_name if is_whole else people[patient].first_name
        people[patient] = replace(people[patient], first_name=first_name, last_name=person.last_name)

    def care(self, story: Story, employee: int, patient: int, number: int, n_shifts: int = 0) -> None:
        """Let the employee care for the patient at work: read, write and sign, as one does for one's own."""
        for at in self.moments(story, employee, number, n_shifts):
            wanted = ("care", "care", "search_and_care", "correct", "look")
            story.visits.append(Visit(at, employee, patient, self.usual(story, employee, wanted)))

    def usual(self, story: Story, employee: int, wanted: Sequence[str]) -> str:
        """Return one of the sequences that the employee's role does too; any of its own where it does none of them."""
        of_role = SEQUENCES_OF_ROLE[self.duty_of[employee].role]
        own = [name for name in of_role if name not in (*ODDITIES, *WITHOUT_PATIENT)]
        return story.one_of([name for name in wanted if name in of_role] or own)

    def broken(self, story: Story, *, is_hollow: bool) -> int:
        """Return the number of a note that breaks the glass."""
        return story.one_of([n for n, note in enumerate(NOTES) if note.is_broken and note.is_hollow == is_hollow])


def make_cast(
    desk: Desk,
    staff: Staff,
    ties: Ties,
    ordinary: Events,
    flags: list[tuple[int, str]],
    prescriptions: dict[int, Prescription],
    travels: list[Travel],
) -> Cast:
    """Look the world up once for all episodes."""
    world = desk.world
    n_days = world.calendar.n_days
    duty_of = {
        duty.employee: duty
        for duty in world.duties
        if (duty.first, duty.last) == (0, n_days) and duty.calendar != BOOKED
    }
    shifts_of: dict[int, list[Shift]] = defaultdict(list)
    for one in world.shifts:
        shifts_of[world.duties[one.duty].employee].append(one)
    staying: dict[int, list[int]] = defaultdict(list)
    for stay in world.patients.stays:
        if stay.first is None and stay.last is None:
            staying[stay.unit].append(stay.patient)
    about = ordinary.take(ordinary.patient >= 0)
    contacts = frozenset(numpy.unique(about.employee * KEY + about.patient).tolist())
    # who is away with leave plans nothing else
    away = {travel.employee for travel in travels}
    found = (duty_of, dict(shifts_of), dict(staying), contacts, away)
    return Cast(desk, staff, ties, flags, prescriptions, travels, *found)
