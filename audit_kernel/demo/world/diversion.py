"""Controlled drugs that go astray, and the rounds of a day that only look so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.demo.places import NURSING_HOME
from audit_kernel.demo.staff import NURSE, ROTATION
from audit_kernel.demo.world.story import Dose, Family

if TYPE_CHECKING:
    from audit_kernel.demo.world.cast import Cast
    from audit_kernel.demo.world.story import Story

HOUR = 3600


def nurse_with_drugs(cast: Cast, story: Story, least: int = 2) -> tuple[int, list[int]]:
    """Return a nurse of a nursing home, and the patients of her unit who have a prescription."""
    options = cast.people((NURSE,), (NURSING_HOME,), (ROTATION,))
    found = [one for one in options if len(_prescribed(cast, one)) >= least]
    employee = cast.take(story, found or options)
    return employee, _prescribed(cast, employee) or cast.own(employee)


def _prescribed(cast: Cast, employee: int) -> list[int]:
    return [patient for patient in cast.own(employee) if patient in cast.prescriptions]


def colleague_of(cast: Cast, story: Story, employee: int) -> int | None:
    """Return somebody else of the unit."""
    unit = cast.duty_of[employee].unit
    others = [one for one, duty in cast.duty_of.items() if duty.unit == unit and one != employee]
    return story.one_of(others) if others else None


def missing_signing(cast: Cast, story: Story) -> None:
    """A nurse withdraws doses that nobody signs as given."""
    employee, patients = nurse_with_drugs(cast, story, 1)
    for at in cast.moments(story, employee, story.number_of(12, 24)):
        story.doses.append(Dose(at, employee, story.one_of(patients), "Uttag"))
    story.description = "Withdraws controlled drugs that nobody signs as given."


def one_unsigned(cast: Cast, story: Story) -> None:
    """One dose is left unsigned in the rush; the other doses of that round are signed."""
    employee, patients = nurse_with_drugs(cast, story, 1)
    moments = cast.moments(story, employee, story.number_of(4, 7), 1)
    for place, at in enumerate(moments):
        patient = story.one_of(patients)
        story.doses.append(Dose(at, employee, patient, "Uttag"))
        if place:
            story.doses.append(Dose(at + story.number_of(60, 400), employee, patient, "Signering"))
    story.description = "One dose of a round is left unsigned in the rush; the others are signed."


def delayed_signing(cast: Cast, story: Story) -> None:
    """A nurse signs as given, hours later and just before she goes home, what she withdrew and kept."""
    employee, patients = nurse_with_drugs(cast, story, 1)
    shifts = story.some_of(cast.at_work(story, employee), story.number_of(8, 14))
    for shift in sorted(shifts, key=lambda one: one.start):
        for _ in range(story.number_of(1, 2)):
            patient = story.one_of(patients)
            at = shift.start + story.number_of(900, 5400)
            story.doses.append(Dose(at, employee, patient, "Uttag"))
            later = max(shift.end - story.number_of(60, 900), at + 4 * HOUR)
            story.doses.append(Dose(later, employee, patient, "Signering"))
    story.description = "Signs doses hours after their withdrawal, at the end of the shift, shift after shift."


def late_round(cast: Cast, story: Story) -> None:
    """One busy round is signed half an hour to an hour and a half late."""
    employee, patients = nurse_with_drugs(cast, story, 1)
    shift = story.one_of(cast.at_work(story, employee))
    at = shift.start + story.number_of(1800, 3 * HOUR)
    late = story.number_of(1800, 5400)
    for place, patient in enumerate(story.some_of(patients, 4)):
        story.doses.append(Dose(at + 120 * place, employee, patient, "Uttag"))
        story.doses.append(Dose(at + late + 40 * place, employee, patient, "Signering"))
    story.description = "One busy round is signed half an hour to an hour and a half late."


def wrong_patient_signing(cast: Cast, story: Story) -> None:
    """A nurse withdraws for one patient and signs the dose on another, who has no such prescription."""
    employee, patients = nurse_with_drugs(cast, story, 1)
    others = [one for one in cast.own(employee) if one not in patients] or cast.strangers(employee)
    for at in cast.moments(story, employee, story.number_of(10, 18)):
        patient, other = story.one_of(patients), story.one_of(others)
        story.doses.append(Dose(at, employee, patient, "Uttag"))
        story.doses.append(Dose(at + story.number_of(60, 500), employee, other, "Signering", drug_of=patient))
    story.description = "Withdraws for one patient and signs on another, who has no such prescription."


def mistyped_patient(cast: Cast, story: Story) -> None:
    """One dose is signed on the wrong patient, found at once, and signed on the right one."""
    employee, patients = nurse_with_drugs(cast, story)
    at = cast.moments(story, employee, 1)[0]
    patient = story.one_of(patients)
    other = story.one_of([one for one in cast.own(employee) if one != patient] or patients)
    story.doses.append(Dose(at, employee, patient, "Uttag"))
    story.doses.append(Dose(at + 100, employee, other, "Signering", drug_of=patient))
    story.doses.append(Dose(at + story.number_of(160, 500), employee, patient, "Signering"))
    story.description = "One dose is signed on the wrong patient, found at once, and signed on the right one."


def dose_skimming(cast: Cast, story: Story) -> None:
    """A nurse withdraws double and gives single; now and then she wastes the rest, alone."""
    employee, patients = nurse_with_drugs(cast, story, 1)
    for at in cast.moments(story, employee, story.number_of(14, 26)):
        patient = story.one_of(patients)
        dose = cast.prescriptions[patient].dose if patient in cast.prescriptions else "1"
        double = f"{2 * float(dose.replace(',', '.')):g}".replace(".", ",")
        story.doses.append(Dose(at, employee, patient, "Uttag", double))
        story.doses.append(Dose(at + story.number_of(60, 400), employee, patient, "Signering", dose))
        if story.chance(0.2):
            later = at + story.number_of(500, 900)
            story.doses.append(Dose(later, employee, patient, "Kassation", dose, witness=employee))
    story.description = "Withdraws double and gives single, dose after dose; some of the rest is wasted alone."


def split_dose(cast: Cast, story: Story) -> None:
    """Two doses are withdrawn at once and given one after the other, or one is wasted before a witness."""
    employee, patients = nurse_with_drugs(cast, story, 1)
    patient = story.one_of(patients)
    dose = cast.prescriptions[patient].dose if patient in cast.prescriptions else "1"
    double = f"{2 * float(dose.replace(',', '.')):g}".replace(".", ",")
    at = cast.moments(story, employee, 1)[0]
    witness = colleague_of(cast, story, employee)
    story.doses.append(Dose(at, employee, patient, "Uttag", double))
    story.doses.append(Dose(at + story.number_of(60, 300), employee, patient, "Signering", dose))
    if witness is not None and story.chance(0.4):
        story.doses.append(Dose(at + 500, employee, patient, "Kassation", dose, witness=witness))
    else:
        story.doses.append(Dose(at + story.number_of(900, 3000), employee, patient, "Signering", dose))
    story.description = "Two doses are withdrawn at once and given one after the other, or one wasted with a witness."


FAMILIES = (
    Family("missing_signing", missing_signing, "one_unsigned", one_unsigned, leaves_trace=True),
    Family("delayed_signing", delayed_signing, "late_round", late_round, leaves_trace=True),
    Family("wrong_patient_signing", wrong_patient_signing, "mistyped_patient", mistyped_patient, leaves_trace=True),
    Family("dose_skimming", dose_skimming, "split_dose", split_dose, leaves_trace=True),
)
