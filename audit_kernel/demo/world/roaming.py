"""Reading far and wide: many strangers slowly or at once, at odd hours, behind the glass, or only searched for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.demo import staff
from audit_kernel.demo.places import CARE_TYPES, HOME_CARE, NURSING_HOME
from audit_kernel.demo.staff import NIGHT, ROTATION
from audit_kernel.demo.world.curious import NURSES, peek
from audit_kernel.demo.world.notes import PURPOSES
from audit_kernel.demo.world.story import Family, FiledShift, Visit

if TYPE_CHECKING:
    from audit_kernel.demo.world.cast import Cast
    from audit_kernel.demo.world.story import Story

HOUR = 3600
WRITING = ("write_up", "care", "correct")


def help_out(cast: Cast, story: Story, employee: int, unit: int, n_patients: int) -> None:
    """Let the employee work a shift at another unit, as the roster says, and care for patients there."""
    shift = story.one_of(cast.at_work(story, employee))
    story.shifts.append(FiledShift(employee, unit, shift.start, shift.end))
    for patient in story.some_of(cast.staying[unit], n_patients):
        at = int(story.draws.integers(shift.start + 900, shift.end - 900))
        story.visits.append(Visit(at, employee, patient, cast.usual(story, employee, ("care", "search_and_care"))))


def slow_browser(cast: Cast, story: Story) -> None:
    """Some twenty strangers a month, through all months, once or twice each."""
    first, last = 0, cast.desk.world.calendar.n_days
    employee = cast.take(story, cast.people(NURSES, calendars=(ROTATION,)))
    months = [cast.desk.world.calendar.number(month) for month in cast.desk.world.calendar.months]
    strangers = story.some_of(cast.strangers(employee), len(cast.desk.world.patients.people))
    for begins, ends in zip(months, [*months[1:], last], strict=True):
        story.days = (begins, ends)
        for _ in range(story.number_of(16, 24)):
            patient = strangers.pop() if strangers else story.one_of(cast.strangers(employee))
            peek(cast, story, employee, patient, 1 if story.chance(0.8) else 2)
    story.days = (first, last)
    story.description = "Reads some twenty strangers a month through all months, once or twice each."


def floating_nurse(cast: Cast, story: Story) -> None:
    """A nurse is sent to several other units, on the roster, and cares there."""
    employee = cast.take(story, cast.people(NURSES, calendars=(ROTATION,)))
    own = cast.duty_of[employee].unit
    units = story.some_of([unit for unit in cast.staying if unit != own], story.number_of(2, 4))
    for unit in units:
        help_out(cast, story, employee, unit, story.number_of(4, 8))
    story.description = "Is sent to several other units, on the roster, and cares for patients there."


def student_browsing(cast: Cast, story: Story) -> None:
    """A student reads widely in other units' records, many on each day."""
    employee = cast.take(story, cast.people((staff.ASSISTANT, staff.ASSISTANT_NURSE), calendars=(ROTATION,)))
    chosen = story.some_of(cast.strangers(employee), story.number_of(35, 70))
    moments = cast.moments(story, employee, len(chosen), 8)
    for patient, at in zip(chosen, moments, strict=True):
        sequence = story.one_of(("look", "search_and_look", "handover", "transfer"))
        story.visits.append(Visit(at, employee, patient, sequence))
    story.description = "A student reads widely in the records of other units, out of interest in the cases."


def supervised_student(cast: Cast, story: Story) -> None:
    """A student on placement reads the ward's own patients up before the round, under supervision."""
    options = cast.people((staff.ASSISTANT, staff.ASSISTANT_NURSE), calendars=(ROTATION,))
    employee = cast.take(story, options)
    purpose = PURPOSES["Handledning"]
    for patient in cast.own(employee):
        for at in cast.moments(story, employee, 2, 1):
            story.visits.append(Visit(at, employee, patient, story.one_of(("look", "handover", "plan")), purpose))
    story.description = "A student on placement reads up on the ward's own patients, under supervision."


def off_shift(cast: Cast, story: Story) -> None:
    """From home, on free days, a carer reads about patients of the own unit."""
    employee = cast.take(story, cast.people(NURSES, calendars=(ROTATION,)))
    home, own = cast.home_device(employee), cast.own(employee)
    for at in cast.off_work(story, employee, story.number_of(4, 8), (22 * 60, 28 * 60)):
        for place in range(story.number_of(1, 4)):
            moment = at + 420 * place
            story.visits.append(Visit(moment, employee, story.one_of(own), "look", device=home))
    story.description = "Reads from home in the nights of free days."


def unregistered_overtime(cast: Cast, story: Story) -> None:
    """A carer stays an hour or two, which the roster does not say, to write up."""
    employee = cast.take(story, cast.people(NURSES, calendars=(ROTATION,)))
    for shift in story.some_of(cast.at_work(story, employee), story.number_of(2, 4)):
        for patient in story.some_of(cast.own(employee), 3):
            at = shift.end + story.number_of(20 * 60, 100 * 60)
            story.visits.append(Visit(at, employee, patient, cast.usual(story, employee, WRITING)))
    story.description = "Stays after the shift, which the roster does not say, and writes up."


def foreign_unit(cast: Cast, story: Story) -> None:
    """A carer goes through the patients of one unit in another place."""
    employee = cast.take(story, cast.people(NURSES, calendars=(ROTATION,)))
    place = cast.place(cast.duty_of[employee].unit)
    units = [
        unit
        for unit, patients in cast.staying.items()
        if cast.place(unit) != place
        and len(patients) > 4  # noqa: PLR2004 - a unit with somebody in it
        and not any(cast.knows(employee, one) for one in patients)
    ]
    unit = story.one_of(units or [one for one in cast.staying if cast.place(one) != place])
    for patient in story.some_of(cast.staying[unit], story.number_of(8, 16)):
        peek(cast, story, employee, patient, story.number_of(1, 2))
    story.description = "Goes through the patients of one unit in another place."


def helping_hand(cast: Cast, story: Story) -> None:
    """A carer helps out at the unit beside, and writes what she did."""
    employee = cast.take(story, cast.people(NURSES, calendars=(ROTATION,)))
    own = cast.duty_of[employee].unit
    beside = [unit for unit in cast.staying if cast.place(unit) == cast.place(own) and unit != own]
    help_out(cast, story, employee, story.one_of(beside or list(cast.staying)), story.number_of(3, 7))
    story.description = "Helps out for a shift at the unit beside, on the roster."


def break_glass_hollow(cast: Cast, story: Story) -> None:
    """Behind the glass, with a reason that says nothing, a carer reads strangers."""
    employee = cast.take(story, cast.people(NURSES))
    for patient in story.some_of(cast.strangers(employee), story.number_of(8, 14)):
        for at in cast.moments(story, employee, 1):
            note = cast.broken(story, is_hollow=True)
            story.visits.append(Visit(at, employee, patient, "search_and_look", note))
    story.description = "Breaks the glass to strangers' records, with reasons that say nothing."


def emergency(cast: Cast, story: Story) -> None:
    """In a big emergency the carers on duty break the glass to many records at once, and write."""
    employee = cast.take(story, cast.people(NURSES, (NURSING_HOME,)))
    house = _house(cast, employee)
    shift = story.one_of(cast.at_work(story, employee))
    at = int(story.draws.integers(shift.start + 900, shift.end - 2 * HOUR))
    note = cast.broken(story, is_hollow=False)
    for number, patient in enumerate(story.some_of(house, story.number_of(6, 16))):
        sequence = cast.usual(story, employee, ("care", "care", "look"))
        story.visits.append(Visit(at + 300 * number, employee, patient, sequence, note))
    story.description = "In an emergency in the house breaks the glass to many records at once, with its reason."


def search_without_opening(cast: Cast, story: Story) -> None:
    """Somebody searches for many people to see where they live, and opens nothing."""
    employee = cast.take(story, cast.people(kinds=()))
    chosen = story.some_of(cast.strangers(employee), story.number_of(15, 30))
    for patient, at in zip(chosen, cast.moments(story, employee, len(chosen)), strict=True):
        story.visits.append(Visit(at, employee, patient, "search_only"))
    story.description = "Searches for many people and opens none."


def wrong_names(cast: Cast, story: Story) -> None:
    """Who takes the calls searches for a name twice or thrice before the right patient is found and opened."""
    employee = cast.take(story, cast.people((staff.CASE_OFFICER, staff.NURSE), kinds=()))
    everybody = [one for patients in cast.staying.values() for one in patients]
    right = [one for one in everybody if cast.knows(employee, one)] or everybody
    for at in cast.moments(story, employee, story.number_of(3, 6)):
        for place, patient in enumerate(story.some_of(everybody, story.number_of(1, 2))):
            story.visits.append(Visit(at + 25 * place, employee, patient, "search_only"))
        sequence = cast.usual(story, employee, ("search_and_care", "case_work"))
        story.visits.append(Visit(at + 90, employee, story.one_of(right), sequence))
    story.description = "Finds the right patient only at the second or third search, and opens that one."


def blocked_search(cast: Cast, story: Story) -> None:
    """Somebody searches again and again for a patient whose record is blocked, and is refused."""
    employee = cast.take(story, cast.people())
    blocked = _blocked(cast, story)
    patient = story.one_of([one for one in blocked if not cast.knows(employee, one)] or blocked)
    for at in cast.moments(story, employee, story.number_of(5, 10)):
        story.visits.append(Visit(at, employee, patient, story.one_of(("search_only", "search_only", "denied"))))
    story.description = "Searches again and again for a patient whose record is blocked, and is refused."


def blocked_own_patient(cast: Cast, story: Story) -> None:
    """At the patient's own unit the record is open, and its carers find it by a search."""
    patient = story.one_of(_blocked(cast, story))
    home = cast.home(patient)
    employee = cast.take(story, [one for one, duty in cast.duty_of.items() if duty.unit == home])
    for at in cast.moments(story, employee, story.number_of(3, 6)):
        story.visits.append(Visit(at, employee, patient, cast.usual(story, employee, ("search_and_care",))))
    story.description = "Cares at her own unit for a patient whose record is blocked to others."


def _blocked(cast: Cast, story: Story) -> list[int]:
    blocks = cast.desk.world.patients.blocks
    found = [one for one, (first, last) in blocks.items() if first < story.days[0] and last is None]
    return found or sorted(blocks)


def night_reader(cast: Cast, story: Story) -> None:
    """Through quiet nights a night nurse reads the patients of other places."""
    employee = cast.take(story, cast.people(calendars=(NIGHT,)))
    strangers = story.some_of(cast.strangers(employee, (NURSING_HOME, HOME_CARE)), story.number_of(18, 40))
    for patient in strangers:
        peek(cast, story, employee, patient, story.number_of(1, 2))
    story.description = "A night nurse reads the records of patients of other places through quiet nights."


def night_rounds(cast: Cast, story: Story) -> None:
    """A night nurse goes through the whole house that she is on duty for, and writes."""
    employee = cast.take(story, cast.people(calendars=(NIGHT,), kinds=CARE_TYPES))
    chosen = story.some_of(_house(cast, employee), story.number_of(15, 30))
    for patient, at in zip(chosen, cast.moments(story, employee, len(chosen), 3), strict=True):
        sequence = cast.usual(story, employee, ("care", "handover", "medicine"))
        story.visits.append(Visit(at, employee, patient, sequence))
    story.description = "A night nurse goes through the whole house that she is on duty for."


def busy_shift(cast: Cast, story: Story) -> None:
    """In a busy shift a carer reads out of curiosity about one of the unit's own patients."""
    employee = cast.take(story, cast.people(NURSES, calendars=(ROTATION,)))
    patient = story.one_of(cast.own(employee))
    for at in cast.moments(story, employee, story.number_of(2, 4), 2):
        story.visits.append(Visit(at, employee, patient, "look"))
    story.description = "Reads out of curiosity about a patient of her own unit, in the middle of a busy shift."


def heavy_shift(cast: Cast, story: Story) -> None:
    """A patient gets worse, and the carer opens the record all through the shift."""
    employee = cast.take(story, cast.people(NURSES, calendars=(ROTATION,)))
    cast.care(story, employee, story.one_of(cast.own(employee)), story.number_of(12, 25), 1)
    story.description = "Opens the record of a patient who gets worse all through the shift, and writes."


def bulk_print(cast: Cast, story: Story) -> None:
    """On the last shift before changing jobs a carer prints the records of the whole house to take along."""
    employee = cast.take(story, cast.people(NURSES, (NURSING_HOME,), (ROTATION,)))
    house = [one for one in _house(cast, employee) if one not in cast.flagged]
    chosen = story.some_of(house, story.number_of(14, 25))
    for patient, at in zip(chosen, cast.moments(story, employee, len(chosen), 1), strict=True):
        story.visits.append(Visit(at, employee, patient, "transfer"))
    story.description = "Prints the records of a whole house's patients in one shift."


def round_prints(cast: Cast, story: Story) -> None:
    """Before a round or a meeting somebody prints the plans of some of the unit's own patients."""
    employee = cast.take(story, cast.people((*NURSES, staff.LEADER), (NURSING_HOME,)))
    for _ in range(story.number_of(1, 3)):
        chosen = story.some_of(cast.own(employee), story.number_of(3, 7))
        for patient, at in zip(chosen, cast.moments(story, employee, len(chosen), 1), strict=True):
            story.visits.append(Visit(at, employee, patient, "print"))
    story.description = "Prints the plans of some of the unit's own patients before a round."


def _house(cast: Cast, employee: int) -> list[int]:
    """Return the patients of all units of the employee's place."""
    place = cast.place(cast.duty_of[employee].unit)
    return [one for unit, patients in cast.staying.items() if cast.place(unit) == place for one in patients]


FAMILIES = (
    Family("slow_browser", slow_browser, "floating_nurse", floating_nurse, leaves_trace=True),
    Family("student_browsing", student_browsing, "supervised_student", supervised_student, leaves_trace=True),
    Family("off_shift", off_shift, "unregistered_overtime", unregistered_overtime, leaves_trace=True),
    Family("foreign_unit", foreign_unit, "helping_hand", helping_hand, leaves_trace=True),
    Family("break_glass_hollow", break_glass_hollow, "emergency", emergency, leaves_trace=True),
    Family("search_without_opening", search_without_opening, "wrong_names", wrong_names, leaves_trace=True),
    Family("blocked_search", blocked_search, "blocked_own_patient", blocked_own_patient, leaves_trace=True),
    Family("night_reader", night_reader, "night_rounds", night_rounds, leaves_trace=True),
    Family("bulk_print", bulk_print, "round_prints", round_prints, leaves_trace=True),
    Family("busy_shift", busy_shift, "heavy_shift", heavy_shift, leaves_trace=False),
)
