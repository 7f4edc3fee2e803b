"""Curiosity about one person: kin, colleagues, neighbours, oneself, the news, and the look-alikes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.demo import staff
from audit_kernel.demo.places import HOME_CARE, SHELTERED_HOUSING
from audit_kernel.demo.ties import Tie
from audit_kernel.demo.world.story import Family, Visit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_kernel.demo.world.cast import Cast
    from audit_kernel.demo.world.story import Story

KIN = ("parent", "sibling", "relative", "spouse", "partner")
READING = ("look", "search_and_look", "search_and_look", "handover")
NURSES = (staff.NURSE, staff.ASSISTANT_NURSE, staff.SOCIAL_EDUCATOR)
DAY = 86_400


def tied(cast: Cast, story: Story, relations: Sequence[str]) -> tuple[int, int]:
    """Return an employee and a patient elsewhere who are that to each other; a new tie where none is left."""
    pairs = [
        (tie.employee, tie.patient)
        for tie in cast.ties.pairs
        if tie.relation in relations
        and tie.employee in cast.duty_of
        and tie.employee not in cast.busy
        and not cast.knows(tie.employee, tie.patient)
    ]
    if pairs:
        employee, patient = story.one_of(pairs)
        return cast.take(story, [employee]), patient
    employee = cast.take(story, cast.people())
    patient = story.one_of(cast.strangers(employee))
    cast.ties.pairs.append(Tie(employee, patient, relations[0]))
    return employee, patient


def peek(cast: Cast, story: Story, employee: int, patient: int, number: int, n_shifts: int = 0) -> None:
    """Let the employee look a patient up at work, now and then twice in a row."""
    for at in cast.moments(story, employee, number, n_shifts):
        story.visits.append(Visit(at, employee, patient, story.one_of(READING)))
        if story.chance(0.25):
            story.visits.append(Visit(at + story.number_of(200, 600), employee, patient, "look"))


def own_carer(cast: Cast, story: Story, patient: int) -> int:
    """Return somebody of the patient's own unit as the one who acts."""
    home = cast.home(patient)
    return cast.take(story, [one for one, duty in cast.duty_of.items() if duty.unit == home and one not in cast.busy])


def family(cast: Cast, story: Story) -> None:
    """A carer follows how a relative fares who is cared for elsewhere."""
    employee, patient = tied(cast, story, KIN)
    peek(cast, story, employee, patient, story.number_of(3, 9))
    story.description = "Looks up a relative who is cared for elsewhere."


def namesake_in_care(cast: Cast, story: Story) -> None:
    """A carer has a patient of her own unit with her surname, and is no kin."""
    employee = cast.take(story, cast.people(NURSES))
    patient = story.one_of(cast.own(employee))
    cast.rename(patient, employee)
    cast.care(story, employee, patient, story.number_of(4, 12))
    story.description = "Cares at her own unit for a patient who happens to have her surname."


def colleague(cast: Cast, story: Story) -> None:
    """A carer wonders why a colleague of the same house is away, who is a patient elsewhere."""
    pairs = [tie for tie in cast.ties.pairs if tie.relation == "self" and tie.employee in cast.duty_of]
    if not pairs:
        other = story.one_of(cast.people())
        patient = story.one_of([one for one in cast.strangers(other) if one not in cast.flagged])
        cast.desk.world.patients.people[patient] = cast.staff.people[other]
        pairs = [Tie(other, patient, "self")]
        cast.ties.pairs.append(pairs[0])
    tie = story.one_of(pairs)
    place = cast.place(cast.duty_of[tie.employee].unit)
    beside = [
        one
        for one in cast.people(kinds=())
        if cast.place(cast.duty_of[one].unit) == place and one != tie.employee and not cast.knows(one, tie.patient)
    ]
    employee = cast.take(story, beside or [one for one in cast.people() if not cast.knows(one, tie.patient)])
    peek(cast, story, employee, tie.patient, story.number_of(2, 5), 3)
    story.description = "Looks up a colleague of the same house who is a patient elsewhere."


def colleague_in_care(cast: Cast, story: Story) -> None:
    """A carer really cares for somebody who works for the municipality too."""
    pairs = [tie for tie in cast.ties.pairs if tie.relation == "self"]
    if not pairs:
        namesake_in_care(cast, story)
        return
    patient = story.one_of(pairs).patient
    employee = own_carer(cast, story, patient)
    cast.care(story, employee, patient, story.number_of(4, 10))
    story.description = "Cares at her own unit for a patient who is a colleague."


def neighbour(cast: Cast, story: Story) -> None:
    """A carer follows a neighbour for some weeks."""
    employee, patient = tied(cast, story, ("neighbour",))
    peek(cast, story, employee, patient, story.number_of(4, 14))
    story.description = "Follows a neighbour's record for some weeks."


def neighbour_in_care(cast: Cast, story: Story) -> None:
    """In a small place one also cares, lawfully, for the neighbour."""
    employee = cast.take(story, cast.people(NURSES, (HOME_CARE, SHELTERED_HOUSING)))
    patient = story.one_of(cast.own(employee))
    cast.ties.pairs.append(Tie(employee, patient, "neighbour"))
    cast.care(story, employee, patient, story.number_of(4, 12))
    story.description = "Cares at her own unit for a neighbour."


def former_partner(cast: Cast, story: Story) -> None:
    """A carer follows a former partner through all months, in the evenings, from home and at work."""
    story.days = (0, cast.desk.world.calendar.n_days)
    employee, patient = tied(cast, story, ("former_partner",))
    n_months = len(cast.desk.world.calendar.months)
    home = cast.home_device(employee)
    for at in cast.off_work(story, employee, story.number_of(2, 4) * n_months, (18 * 60, 23 * 60 + 30)):
        story.visits.append(Visit(at, employee, patient, "search_and_look", device=home))
    peek(cast, story, employee, patient, story.number_of(1, 3) * n_months)
    story.description = "Follows a former partner's record through all months, in the evenings and at work."


def contact_person(cast: Cast, story: Story) -> None:
    """A contact person opens the same patient week after week, and writes."""
    story.days = (0, cast.desk.world.calendar.n_days)
    employee = cast.take(story, cast.people(NURSES))
    patient = story.one_of(cast.own(employee))
    cast.care(story, employee, patient, story.number_of(8, 16) * len(cast.desk.world.calendar.months))
    story.description = "Follows the same patient through all months as contact person, and writes."


def own_record(cast: Cast, story: Story) -> None:
    """Somebody reads the own record."""
    pairs = [
        tie
        for tie in cast.ties.pairs
        if tie.relation == "self" and tie.employee in cast.duty_of and tie.employee not in cast.busy
    ]
    if pairs:
        tie = story.one_of(pairs)
        employee, patient = cast.take(story, [tie.employee]), tie.patient
    else:
        employee = cast.take(story, cast.people())
        patient = story.one_of([one for one in cast.strangers(employee) if one not in cast.flagged])
        cast.desk.world.patients.people[patient] = cast.staff.people[employee]
        cast.ties.pairs.append(Tie(employee, patient, "self"))
    peek(cast, story, employee, patient, story.number_of(2, 6), 4)
    story.description = "Reads her own record."


def whole_namesake(cast: Cast, story: Story) -> None:
    """A carer's patient has both her names, and is another person."""
    employee = cast.take(story, cast.people(NURSES))
    patient = story.one_of(cast.own(employee))
    cast.rename(patient, employee, is_whole=True)
    cast.care(story, employee, patient, story.number_of(4, 10))
    story.description = "Cares at her own unit for a patient with the very same name."


def media_crowd(cast: Cast, story: Story) -> None:
    """The papers write about a patient, and staff of many units look within days."""
    free = [one for patients in cast.staying.values() for one in patients if one not in cast.flagged]
    patient = story.one_of(free)
    day = story.number_of(story.days[0] + 3, story.days[1] - 8)
    cast.ties.in_the_news.append((patient, day, None))
    story.days = (day, min(day + 5, story.days[1]))
    for _ in range(story.number_of(6, 12)):
        options = [one for one in cast.people(kinds=()) if not cast.knows(one, patient)]
        employee = cast.take(story, [one for one in options if one not in story.employees])
        peek(cast, story, employee, patient, story.number_of(1, 3), 2)
    story.unit = -1
    story.description = "Staff of many units look up a patient in the days after the papers wrote of her."


def media_person_in_care(cast: Cast, story: Story) -> None:
    """The carers of a person in the news go on with their work."""
    first, last = story.days
    known = [
        patient
        for patient, begins, ends in cast.ties.in_the_news
        if begins < last and (ends is None or ends > first) and patient in cast.staying.get(cast.home(patient), [])
    ]
    patient = story.one_of(known)
    employee = own_carer(cast, story, patient)
    cast.care(story, employee, patient, story.number_of(4, 10))
    story.description = "Cares at her own unit for a patient who is in the news."


def protected_person(cast: Cast, story: Story) -> None:
    """Somebody looks up protected people elsewhere, one of them again and again."""
    employee = cast.take(story, cast.people(kinds=()))
    own = cast.duty_of[employee].unit
    foreign = [one for one in cast.flagged if cast.home(one) != own and not cast.knows(employee, one)]
    chosen = story.some_of(foreign, story.number_of(3, 6))
    for place, patient in enumerate(chosen):
        peek(cast, story, employee, patient, story.number_of(2, 4) if place == 0 else 1)
    story.description = "Looks up protected persons and sensitive records elsewhere."


def protected_in_care(cast: Cast, story: Story) -> None:
    """A protected person's own carers read and write as for anybody."""
    patient = story.one_of(cast.flagged)
    employee = own_carer(cast, story, patient)
    cast.care(story, employee, patient, story.number_of(5, 12))
    story.description = "Cares at her own unit for a protected person."


def former_patient(cast: Cast, story: Story) -> None:
    """A carer reads on about somebody who moved out, or died, long ago."""
    gone = [stay for stay in cast.desk.world.patients.stays if stay.last is not None and stay.last < story.days[0] - 14]
    gone = [stay for stay in gone if cast.home(stay.patient) == stay.unit]
    stay = story.one_of(gone)
    employee = cast.take(story, [one for one, duty in cast.duty_of.items() if duty.unit == stay.unit])
    peek(cast, story, employee, stay.patient, story.number_of(3, 7))
    story.description = "Reads the record of a former patient of the unit, weeks after the stay ended."


def late_note(cast: Cast, story: Story) -> None:
    """A nurse writes the last note some days after the stay ended."""
    gone = [stay for stay in cast.desk.world.patients.stays if stay.last is not None and stay.last > 0]
    stay = story.one_of(gone)
    last = stay.last or 0
    employee = cast.take(story, [one for one, duty in cast.duty_of.items() if duty.unit == stay.unit])
    shifts = [one for one in cast.shifts_of.get(employee, []) if last <= one.day <= last + 4]
    if not shifts:
        shifts = cast.at_work(story, employee)[:1]
    for one in shifts[:2]:
        sequence = cast.usual(story, employee, ("write_up", "care", "correct"))
        story.visits.append(Visit(one.end - story.number_of(1800, 5400), employee, stay.patient, sequence))
    story.description = "Writes the last note some days after the stay ended."


FAMILIES = (
    Family("family", family, "namesake_in_care", namesake_in_care, leaves_trace=True),
    Family("colleague", colleague, "colleague_in_care", colleague_in_care, leaves_trace=True),
    Family("neighbour", neighbour, "neighbour_in_care", neighbour_in_care, leaves_trace=True),
    Family("former_partner", former_partner, "contact_person", contact_person, leaves_trace=True),
    Family("own_record", own_record, "whole_namesake", whole_namesake, leaves_trace=True),
    Family("media_crowd", media_crowd, "media_person_in_care", media_person_in_care, leaves_trace=True),
    Family("protected_person", protected_person, "protected_in_care", protected_in_care, leaves_trace=True),
    Family("former_patient", former_patient, "late_note", late_note, leaves_trace=True),
)
