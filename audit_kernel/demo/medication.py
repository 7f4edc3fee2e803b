"""Controlled drugs: withdrawals and signings of ordinary rounds with their slips, and one nurse who takes some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_kernel.demo import places
from audit_kernel.demo.entries import Desk, Entries
from audit_kernel.demo.incidents import Episode
from audit_kernel.demo.settings import stream
from audit_kernel.demo.staff import NURSE, ROTATION
from audit_kernel.demo.steps import CODE, NOTHING

if TYPE_CHECKING:
    import numpy

    from audit_kernel.demo.entries import Fields
    from audit_kernel.demo.export import Log

# ATC code, name, strength, unit of the quantity
DRUGS = (
    ("N02AA01", "Morfin", "10 mg", "tablett"),
    ("N02AA05", "Oxikodon", "5 mg", "tablett"),
    ("N05BA04", "Oxazepam", "10 mg", "tablett"),
    ("N05CF01", "Zopiklon", "7,5 mg", "tablett"),
    ("N02AB03", "Fentanyl", "25 µg/h", "plåster"),
)
DOSES = ("0,5", "1", "1", "1", "2")
PRESCRIBED_SHARE = 0.35
# how a round goes wrong, by chance: what was taken out is not signed, is signed without, is wasted, is put back
UNSIGNED, WITHOUT, WASTED, RETURNED = 0.02, 0.03, 0.045, 0.06
N_TAKEN = 24
SECONDS_PER_WEEK = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Prescription:
    """What a patient gets."""

    drug: tuple[str, str, str, str]
    dose: str
    number: str


def medication_entries(desk: Desk, log: Log, number: int, busy: set[int]) -> tuple[Entries, Episode]:
    """Return the log of controlled drugs, and the nurse who withdraws doses that nobody signs.

    Parameters
    ----------
    busy: employees of other episodes.
    """
    draws = stream(desk.world.seed, "medication")
    prescriptions = prescribe(draws, len(desk.world.patients.people))
    signed = log.events.take(log.events.step == CODE["sign_medication"])
    entries = Entries()
    counted: set[tuple[int, int]] = set()
    rows = zip(
        signed.at.tolist(),
        signed.employee.tolist(),
        signed.patient.tolist(),
        desk.days(signed.at).tolist(),
        strict=True,
    )
    for at, employee, patient, day in rows:
        if patient not in prescriptions:
            continue
        unit = desk.unit(employee, day)
        who: Fields = {"Användare": desk.name(employee, day), "Enhet": desk.unit_id(unit)}
        _round(draws, entries, at, who, dose_of(desk, patient, prescriptions[patient]), witness_of(desk, employee, day))
        if (unit, at // SECONDS_PER_WEEK) not in counted:
            counted.add((unit, at // SECONDS_PER_WEEK))
            _stock(draws, entries, at, who, witness_of(desk, employee, day))
    return entries, _taken(draws, desk, entries, prescriptions, number, busy)


def prescribe(draws: numpy.random.Generator, n_patients: int) -> dict[int, Prescription]:
    """Return the prescriptions of those patients who have one."""
    return {
        patient: Prescription(
            DRUGS[int(draws.integers(len(DRUGS)))], DOSES[int(draws.integers(len(DOSES)))], f"O{40_001 + patient}"
        )
        for patient in range(n_patients)
        if draws.random() < PRESCRIBED_SHARE
    }


def dose_of(desk: Desk, patient: int, prescription: Prescription) -> Fields:
    """Return the fields of one dose."""
    return {
        **drug_fields(prescription.drug),
        "Personnummer": desk.number(patient),
        "Mängd": prescription.dose,
        "Ordination": prescription.number,
    }


def drug_fields(drug: tuple[str, str, str, str]) -> Fields:
    """Return the fields that name a drug."""
    return dict(zip(("ATC-kod", "Läkemedel", "Styrka", "Mängdenhet"), drug, strict=True))


def witness_of(desk: Desk, employee: int, day: int) -> str:
    """Return the log-in name of somebody else at the unit, the next in the list of duties."""
    unit = desk.unit(employee, day)
    others = (duty for duty in desk.world.duties if duty.unit == unit and duty.employee != employee)
    other = next((duty.employee for duty in others if duty.first <= day < duty.last), None)
    return "" if other is None else desk.name(other, day)


def _round(draws: numpy.random.Generator, entries: Entries, at: int, who: Fields, dose: Fields, witness: str) -> None:
    chance = draws.random()
    taken_at = at - int(draws.integers(60, 240))
    if not UNSIGNED <= chance < WITHOUT:
        entries.add(taken_at, who | dose | {"Händelse": "Uttag"})
    if WITHOUT <= chance < WASTED:
        entries.add(at, who | dose | {"Händelse": "Kassation", "Vittne": witness})
    elif WASTED <= chance < RETURNED:
        entries.add(at, who | dose | {"Händelse": "Retur"})
    elif chance >= UNSIGNED:
        entries.add(at, who | dose | {"Händelse": "Signering"})


def _stock(draws: numpy.random.Generator, entries: Entries, at: int, who: Fields, witness: str) -> None:
    """Once a week a unit's cabinet is counted, and filled up from the store."""
    for place, drug in enumerate(DRUGS):
        amount = {"Mängd": int(draws.integers(20, 80)), "Händelse": "Inventering", "Vittne": witness}
        entries.add(at + 600 + 40 * place, who | drug_fields(drug) | amount)
    amount = {"Mängd": 20, "Händelse": "Överföring", "Vittne": witness}
    entries.add(at + 900, who | drug_fields(DRUGS[int(draws.integers(len(DRUGS)))]) | amount)


def _taken(
    draws: numpy.random.Generator,
    desk: Desk,
    entries: Entries,
    prescriptions: dict[int, Prescription],
    number: int,
    busy: set[int],
) -> Episode:
    world = desk.world

    def wards_patients(unit: int) -> list[int]:
        return [patient for patient in world.living_at(unit) if patient in prescriptions]

    nurses = [
        duty
        for duty in world.duties
        if duty.role == NURSE
        and duty.calendar == ROTATION
        and world.units[duty.unit].unit_type == places.NURSING_HOME
        and duty.employee not in busy
        and (duty.first, duty.last) == (0, world.calendar.n_days)
        and wards_patients(duty.unit)
    ]
    duty = nurses[int(draws.integers(len(nurses)))]
    patients = wards_patients(duty.unit)
    shifts = world.on_shift(duty.employee, world.last_month)
    for _ in range(N_TAKEN):
        shift = shifts[int(draws.integers(len(shifts)))]
        patient = patients[int(draws.integers(len(patients)))]
        who: Fields = {"Användare": desk.name(duty.employee, shift.day), "Enhet": desk.unit_id(duty.unit)}
        dose = dose_of(desk, patient, prescriptions[patient])
        entries.add(int(draws.integers(shift.start, shift.end)), who | dose | {"Händelse": "Uttag"}, number)
    text = "Withdraws controlled drugs through the last month that nobody signs as given."
    return Episode(number, "drug_withdrawals", text, duty.employee, tuple(patients), NOTHING)
