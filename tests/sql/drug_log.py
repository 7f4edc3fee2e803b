"""A made-up month of controlled drugs with slips of the pen, and people who skim: it knows no rule of the check.

``python -m tests.sql.drug_measure`` prints how many of them the check finds, and how many honest people it asks about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST, NEVER, N_DAYS = datetime(2026, 10, 1), datetime(9999, 1, 1), 31
N_UNITS, N_PATIENTS, N_NURSES = 8, 24, 9
SHIFTS = ((5, 8, 2), (13, 7, 2), (20, 9, 1))  # first hour (UTC), hours, nurses
DRUGS = (
    ("N02AA01", "10 mg", "tablett"),
    ("N02AA05", "5 mg", "tablett"),
    ("N05BA04", "10 mg", "tablett"),
    ("N02AA01", "10 mg/ml", "ml"),
)
# Slips as shares of all doses: 15 % together for the average person.
SLIPS = {
    "late": 0.045, "unsigned": 0.03, "signed_only": 0.02, "wrong_patient": 0.015, "wrong_amount": 0.015,
    "no_witness": 0.01, "no_prescription": 0.01, "signed_twice": 0.005,
}  # fmt: skip
# Ways to skim: the first were looked at when kinds and thresholds were set, the others never.
TUNED = ("unsigned", "own_waste", "dead_patient", "double_amount", "quarter_kept", "mixed")
HELD_APART = ("half_wasted_alone", "alternating")
BY_TURNS = {
    "mixed": ("unsigned", "own_waste", "double_amount"),
    "alternating": ("half_wasted_alone", "quarter_kept", "dead_patient"),
}

Dose = dict[str, Any]
Draws = numpy.random.Generator


@dataclass
class Log:
    """Rows of `medication_events` and of `shifts`, who died when, and who skimmed in which way how many doses."""

    draws: Draws
    rows: list[dict[str, Any]] = field(default_factory=list)
    shifts: list[dict[str, Any]] = field(default_factory=list)
    deaths: dict[str, datetime] = field(default_factory=dict)
    people: list[str] = field(default_factory=list)
    skimmed: dict[str, tuple[str, int]] = field(default_factory=dict)

    def add(self, at: datetime, kind: str, who: str, dose: Dose, share: float = 1, witness: str | None = None) -> None:
        """Write one row about a share of a dose."""
        row = {key: value for key, value in dose.items() if key not in ("amount", "daily")}
        row |= {"event_id": f"{len(self.rows):08d}", "recorded_at": at.replace(microsecond=0), "kind": kind}
        self.rows.append(
            row | {"employee_id": who, "witness_id": witness, "quantity": round(dose["amount"] * share, 3)}
        )

    def one_of(self, things: list[Any]) -> Any:
        """Draw one."""
        return things[int(self.draws.integers(len(things)))]

    def minutes(self, least: float, most: float) -> timedelta:
        """Draw a time."""
        return timedelta(minutes=float(self.draws.uniform(least, most)))


def drug_log(seed: int, n_skimmers: int = 0, ways: tuple[str, ...] = TUNED, doses: tuple[int, int] = (16, 40)) -> Log:
    """Make the month of eight units in which some nurses take between so many doses each."""
    log = Log(numpy.random.default_rng(seed))
    teams = [[f"E{unit}{number:02d}" for number in range(N_NURSES)] for unit in range(N_UNITS)]
    log.people = [each for team in teams for each in team]
    # Some are more careless than others: the standard deviation is half the mean.
    care = {each: float(log.draws.gamma(4, 1 / 4)) for each in log.people}
    chosen = log.draws.choice(log.people, size=n_skimmers, replace=False)
    for number, who in enumerate(chosen.tolist()):
        log.skimmed[who] = ways[(seed + number) % len(ways)], int(log.draws.integers(doses[0], doses[1] + 1))
    for unit, team in enumerate(teams):
        _unit(log, unit, team, care)
    return log


def _unit(log: Log, unit: int, team: list[str], care: dict[str, float]) -> None:
    patients = [f"P{unit}{number:02d}" for number in range(N_PATIENTS)]
    load = float(log.draws.uniform(0.5, 2))  # some units give more than others
    doses = [_prescription(log, unit, patient, drug, load) for patient in patients for drug in DRUGS]
    doses = [dose for dose in doses if log.draws.random() < 0.3]
    log.deaths |= {patient: FIRST + timedelta(days=int(log.draws.integers(3, 20))) for patient in patients[:2]}
    worked: dict[str, list[datetime]] = {each: [] for each in team}
    for day in range(N_DAYS):
        order = log.draws.permutation(team).tolist()
        for hour, n_hours, n_nurses in SHIFTS:
            begin = FIRST + timedelta(days=day, hours=hour)
            staff = [order.pop() for _each in range(n_nurses)]
            for who in staff:
                worked[who].append(begin)
                _shift(log, unit, who, begin, n_hours)
            for dose in doses:
                if begin.date() >= log.deaths.get(dose["patient_id"], NEVER).date():
                    continue
                for _each in range(int(log.draws.poisson(dose["daily"] * n_hours / 24))):
                    who = log.one_of(staff)
                    witness = log.one_of([each for each in (staff if n_nurses > 1 else team) if each != who])
                    at = begin + log.minutes(1, n_hours * 60 - 50)
                    _give(log, at, who, dose, witness, _slip(log, care[who]), patients)
    for who in team:
        if who in log.skimmed:
            _skim(log, who, worked[who], doses)


def _prescription(log: Log, unit: int, patient: str, drug: tuple[str, str, str], load: float) -> Dose:
    return {
        "patient_id": patient, "unit_id": f"U{unit}", "drug_code": drug[0], "drug_name": drug[0], "strength": drug[1],
        "quantity_unit": drug[2], "prescription_ref": f"O{patient}{drug[1]}",
        "amount": log.one_of([0.5, 1, 1, 1, 2]), "daily": log.one_of([0.4, 1, 2, 3]) * load,
    }  # fmt: skip


def _shift(log: Log, unit: int, who: str, begin: datetime, n_hours: int) -> None:
    if log.draws.random() > 0.05:  # the others are registered late
        times = {"starts_at": begin, "ends_at": begin + timedelta(hours=n_hours)}
        log.shifts.append({"employee_id": who, "unit_id": f"U{unit}", "kind": "shift", **times})


def _slip(log: Log, care: float) -> str:
    chance = log.draws.random()
    for name, share in SLIPS.items():
        chance -= share * care
        if chance < 0:
            return name
    return ""


def _give(log: Log, at: datetime, who: str, dose: Dose, witness: str, slip: str, patients: list[str]) -> None:
    """Give one dose, most often written as it should be: some seven minutes from withdrawal to signing."""
    signed_at = at + timedelta(seconds=float(log.draws.lognormal(6, 0.8)))
    if slip == "no_prescription":
        dose = {**dose, "prescription_ref": None}
    if slip != "signed_only":
        log.add(at, "withdrawal", who, dose, 2 if slip == "wrong_amount" else 1)
    if slip == "late":
        signed_at = at + log.minutes(150, 1200)
    if slip == "wrong_patient":
        dose = {**dose, "patient_id": log.one_of(patients)}
    if slip != "unsigned":
        _account(log, signed_at, who, dose, witness, has_witness=slip != "no_witness")
    if slip == "signed_twice":
        log.add(signed_at + timedelta(minutes=1), "administration", who, dose)


def _account(log: Log, at: datetime, who: str, dose: Dose, witness: str, *, has_witness: bool) -> None:
    """Write what became of a dose: given, now and then in halves, wasted or returned."""
    chance = log.draws.random()
    if chance < 0.03 or not has_witness:
        log.add(at, "waste", who, dose, witness=witness if has_witness else None)
    elif chance < 0.05:
        log.add(at, "return", who, dose)
    elif chance < 0.10:
        log.add(at, "administration", who, dose, 0.5)
        log.add(at + log.minutes(1, 40), "waste", who, dose, 0.5, witness)
    elif chance < 0.15:
        log.add(at, "administration", who, dose, 0.5)
        log.add(at + log.minutes(20, 60), "administration", witness, dose, 0.5)
    else:
        log.add(at, "administration", who, dose)


def _skim(log: Log, who: str, shifts: list[datetime], doses: list[Dose]) -> None:
    way, number = log.skimmed[who]
    ways = BY_TURNS.get(way, (way,))
    living = [dose for dose in doses if dose["patient_id"] not in log.deaths]
    for place in range(number):
        at = log.one_of(shifts) + log.minutes(1, 6 * 60)
        dead = [dose for dose in doses if log.deaths.get(dose["patient_id"], NEVER).date() < at.date()]
        chosen = ways[place % len(ways)]
        is_gone = chosen == "dead_patient" and bool(dead)
        dose = log.one_of(dead if is_gone else living)
        log.add(at, "withdrawal", who, dose, 2 if chosen == "double_amount" else 1)
        if is_gone or chosen != "dead_patient":
            SKIMMING[chosen](log, at + timedelta(minutes=8), who, dose)


def _half_wasted_alone(log: Log, at: datetime, who: str, dose: Dose) -> None:
    log.add(at, "administration", who, dose, 0.5)
    log.add(at + timedelta(minutes=2), "waste", who, dose, 0.5)


SKIMMING: dict[str, Callable[[Log, datetime, str, Dose], None]] = {
    "unsigned": lambda _log, _at, _who, _dose: None,
    "own_waste": lambda log, at, who, dose: log.add(at, "waste", who, dose, 1, log.one_of([who, None])),
    "dead_patient": lambda log, at, who, dose: log.add(at, "administration", who, dose),
    "double_amount": lambda log, at, who, dose: log.add(at, "administration", who, dose),
    "quarter_kept": lambda log, at, who, dose: log.add(at, "administration", who, dose, 0.75),
    "half_wasted_alone": _half_wasted_alone,
}
