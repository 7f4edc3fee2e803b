"""A made-up log of controlled drugs with clerical slips, and people who skim: it knows nothing of the check's rules.

Run it to measure: ``python -m tests.sql.drug_log`` prints sensitivity and specificity by person and month.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST = datetime(2026, 10, 1)
N_DAYS, N_UNITS, N_PATIENTS, N_NURSES = 31, 8, 24, 9
# beginning and length of the day's three shifts, hours
SHIFTS = ((7, 8), (15, 7), (22, 9))
DRUGS = (("N02AA01", "10 mg", "tablett"), ("N02AA05", "5 mg", "tablett"), ("N05BA04", "10 mg", "tablett"), ("N02AA01", "10 mg/ml", "ml"))
# Slips of the pen, as shares of all doses: 15 % together for the average person.
SLIPS = {
    "late": 0.045, "unsigned": 0.03, "signed_only": 0.02, "wrong_patient": 0.015, "wrong_amount": 0.015,
    "no_witness": 0.01, "signed_twice": 0.005, "no_prescription": 0.01,
}  # fmt: skip
# Ways to skim; those of the first list were looked at when thresholds were set, those of the second were not.
TUNED = ("unsigned", "own_waste", "dead_patient")
HELD_APART = ("double_amount", "quarter_kept", "mixed")


@dataclass
class Log:
    """Rows of `medication_events` and shifts, the patients who died, and who skimmed how many doses in which way."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    shifts: list[dict[str, Any]] = field(default_factory=list)
    deaths: dict[str, datetime] = field(default_factory=dict)
    skimmed: dict[str, tuple[str, int]] = field(default_factory=dict)
    people: set[str] = field(default_factory=set)

    def add(self, at: datetime, kind: str, who: str, dose: dict[str, Any], quantity: float, witness: str | None = None) -> None:
        """Write one row; `dose` holds patient, unit, drug and prescription."""
        number = len(self.rows)
        self.rows.append(
            {**dose, "event_id": f"{number:08d}", "recorded_at": at.replace(microsecond=0), "kind": kind, "employee_id": who,
             "witness_id": witness, "quantity": round(quantity, 2)}
        )  # fmt: skip


def drug_log(seed: int, skimmers: int = 0, ways: tuple[str, ...] = TUNED, doses: tuple[int, int] = (10, 24)) -> Log:
    """Make a month's log of eight units; `skimmers` nurses take between `doses` doses each."""
    draws = numpy.random.default_rng(seed)
    log = Log()
    nurses = [[f"E{unit}{number:02d}" for number in range(N_NURSES)] for unit in range(N_UNITS)]
    log.people = {each for unit in nurses for each in unit}
    # Some are more careless than others: the share of slips varies by half its mean.
    care = {each: float(draws.gamma(4, 1 / 4)) for each in sorted(log.people)}
    chosen = draws.choice(sorted(log.people), size=skimmers, replace=False)
    log.skimmed = {str(who): (ways[i % len(ways)], int(draws.integers(doses[0], doses[1] + 1))) for i, who in enumerate(chosen)}
    for unit in range(N_UNITS):
        _unit(draws, log, unit, nurses[unit], care)
    return log


def _unit(draws: numpy.random.Generator, log: Log, unit: int, nurses: list[str], care: dict[str, float]) -> None:
    patients = [f"P{unit}{number:02d}" for number in range(N_PATIENTS)]
    load = float(draws.uniform(0.5, 2.0))  # units differ in how much they give
    doses = {
        patient: [
            {
                "patient_id": patient, "unit_id": f"U{unit}", "drug_code": code, "drug_name": code, "strength": strength,
                "quantity_unit": measure, "prescription_ref": f"O{patient}{place}", "amount": float(draws.choice([0.5, 1, 1, 1, 2])),
                "daily": float(draws.choice([0.4, 1, 2, 3])) * load,
            }
            for place, (code, strength, measure) in enumerate(DRUGS)
            if draws.random() < 0.3
        ]
        for patient in patients
    }  # fmt: skip
    for patient in patients[:2]:
        log.deaths[patient] = FIRST + timedelta(days=int(draws.integers(3, 20)))
    worked: dict[str, list[tuple[datetime, datetime]]] = {each: [] for each in nurses}
    for day in range(N_DAYS):
        order = draws.permutation(len(nurses))
        place = 0
        for begin, length in SHIFTS:
            starts_at = FIRST + timedelta(days=day, hours=begin - 2)  # UTC
            ends_at = starts_at + timedelta(hours=length)
            staff = [nurses[order[place + i]] for i in range(2 if begin < 22 else 1)]
            place += len(staff)
            for each in staff:
                worked[each].append((starts_at, ends_at))
                if draws.random() > 0.05:  # the rest is registered late
                    log.shifts.append({"employee_id": each, "unit_id": f"U{unit}", "kind": "shift", "starts_at": starts_at, "ends_at": ends_at})
            for patient in patients:
                if patient in log.deaths and starts_at.date() >= log.deaths[patient].date():
                    continue
                for dose in doses[patient]:
                    for _each in range(int(draws.poisson(dose["daily"] * length / 24))):
                        at = starts_at + timedelta(seconds=int(draws.integers(60, (length * 60 - 50) * 60)))
                        who = staff[int(draws.integers(len(staff)))]
                        _dose(draws, log, at, who, _plain(dose), dose["amount"], _other(draws, staff if len(staff) > 1 else nurses, who), care[who], patients)
    for who in nurses:
        if who in log.skimmed:
            way, number = log.skimmed[who]
            ways = ("unsigned", "own_waste", "double_amount") if way == "mixed" else (way,)
            for i in range(number):
                shift = worked[who][int(draws.integers(len(worked[who])))]
                at = shift[0] + timedelta(seconds=int(draws.integers(60, int((shift[1] - shift[0]).total_seconds()) - 1800)))
                given = [dose for patient in patients[2:] for dose in doses[patient]]
                dead = [dose for patient in patients[:2] for dose in doses[patient] if log.deaths[patient].date() < at.date()]
                SKIMMING[ways[i % len(ways)]](draws, log, at, who, given, dead)


def _plain(dose: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in dose.items() if key not in ("amount", "daily")}


def _other(draws: numpy.random.Generator, nurses: list[str], who: str) -> str:
    others = [each for each in nurses if each != who]
    return others[int(draws.integers(len(others)))]


def _dose(
    draws: numpy.random.Generator, log: Log, at: datetime, who: str, dose: dict[str, Any], amount: float,
    witness: str, care: float, patients: list[str],
) -> None:  # fmt: skip
    """Give one dose, most often as it should be written."""
    chance, slip = draws.random(), ""
    for name, share in SLIPS.items():
        chance -= share * care
        if chance < 0:
            slip = name
            break
    signed_at = at + timedelta(seconds=int(draws.lognormal(6, 0.8)))  # some seven minutes
    if slip == "no_prescription":
        dose = {**dose, "prescription_ref": None}
    if slip != "signed_only":
        log.add(at, "withdrawal", who, dose, amount * (2 if slip == "wrong_amount" else 1))
    kind = draws.random()
    if slip == "unsigned":
        return
    if slip == "late":
        signed_at = at + timedelta(hours=float(draws.uniform(2.5, 20)))
    if slip == "wrong_patient":
        dose = {**dose, "patient_id": patients[int(draws.integers(len(patients)))]}
    if kind < 0.03 or slip == "no_witness":
        log.add(signed_at, "waste", who, dose, amount, None if slip == "no_witness" else witness)
    elif kind < 0.05:
        log.add(signed_at, "return", who, dose, amount)
    elif kind < 0.10 and amount >= 1:
        log.add(signed_at, "administration", who, dose, amount / 2)
        log.add(signed_at + timedelta(minutes=int(draws.integers(1, 40))), "waste", who, dose, amount / 2, witness)
    elif kind < 0.15 and amount >= 1:
        log.add(signed_at, "administration", who, dose, amount / 2)
        log.add(signed_at + timedelta(minutes=int(draws.integers(20, 60))), "administration", witness, dose, amount / 2)
    else:
        log.add(signed_at, "administration", who, dose, amount)
    if slip == "signed_twice":
        log.add(signed_at + timedelta(minutes=1), "administration", who, dose, amount)


Skim = tuple[numpy.random.Generator, Log, datetime, str, list[dict[str, Any]], list[dict[str, Any]]]


def _unsigned(draws: numpy.random.Generator, log: Log, at: datetime, who: str, given: list[Any], _dead: list[Any]) -> None:
    dose = given[int(draws.integers(len(given)))]
    log.add(at, "withdrawal", who, _plain(dose), dose["amount"])


def _own_waste(draws: numpy.random.Generator, log: Log, at: datetime, who: str, given: list[Any], _dead: list[Any]) -> None:
    dose = given[int(draws.integers(len(given)))]
    log.add(at, "withdrawal", who, _plain(dose), dose["amount"])
    log.add(at + timedelta(minutes=9), "waste", who, _plain(dose), dose["amount"], who if draws.random() < 0.5 else None)


def _dead_patient(draws: numpy.random.Generator, log: Log, at: datetime, who: str, given: list[Any], dead: list[Any]) -> None:
    if not dead:
        _unsigned(draws, log, at, who, given, dead)
        return
    dose = dead[int(draws.integers(len(dead)))]
    log.add(at, "withdrawal", who, _plain(dose), dose["amount"])
    log.add(at + timedelta(minutes=6), "administration", who, _plain(dose), dose["amount"])


def _double_amount(draws: numpy.random.Generator, log: Log, at: datetime, who: str, given: list[Any], _dead: list[Any]) -> None:
    dose = given[int(draws.integers(len(given)))]
    log.add(at, "withdrawal", who, _plain(dose), 2 * dose["amount"])
    log.add(at + timedelta(minutes=7), "administration", who, _plain(dose), dose["amount"])


def _quarter_kept(draws: numpy.random.Generator, log: Log, at: datetime, who: str, given: list[Any], _dead: list[Any]) -> None:
    dose = given[int(draws.integers(len(given)))]
    log.add(at, "withdrawal", who, _plain(dose), dose["amount"])
    log.add(at + timedelta(minutes=7), "administration", who, _plain(dose), dose["amount"] * 0.5)
    log.add(at + timedelta(minutes=9), "waste", who, _plain(dose), dose["amount"] * 0.25, "E000" if who != "E000" else "E001")


SKIMMING: dict[str, Callable[..., None]] = {
    "unsigned": _unsigned,
    "own_waste": _own_waste,
    "dead_patient": _dead_patient,
    "double_amount": _double_amount,
    "quarter_kept": _quarter_kept,
}
