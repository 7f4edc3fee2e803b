"""The drug log: ordinary rounds with their clerical noise, what episodes did, and a stock that adds up."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy

from audit_kernel.demo.entries import Entries
from audit_kernel.demo.medication import DRUGS, dose_of, drug_fields
from audit_kernel.demo.settings import stream
from audit_kernel.demo.steps import CODE

if TYPE_CHECKING:
    from audit_kernel.demo.entries import Desk, Fields
    from audit_kernel.demo.medication import Prescription
    from audit_kernel.demo.steps import Events
    from audit_kernel.demo.world.story import Dose, Story

MOST_DOSES = 4  # of a patient and day
# what goes wrong where something does, by weight
NOISE = {"unsigned": 20, "late": 34, "not_withdrawn": 12, "refused": 12, "returned": 10, "too_many": 8, "mistyped": 4}
FIRST_STOCK, REFILL_BELOW, REFILL = 60, 25, 60
MISCOUNT_SHARE = 0.03
WEEK = 7 * 86_400
SKEWED_SHARE, MOST_SKEW = 0.15, 240  # cabinets whose clock is wrong, and by how many seconds at most


def drug_entries(
    seed: int,
    desk: Desk,
    events: Events,
    prescriptions: dict[int, Prescription],
    stories: list[Story],
    noise: float,
) -> Entries:
    """Return the log of controlled drugs.

    Parameters
    ----------
    noise: share of the rounds in which something is late, wrong, put back or not written at all.
    """
    draws = stream(seed, "rounds")
    entries = Entries()
    team = _team(desk)
    signed = events.take((events.step == CODE["sign_medication"]) & (events.episode == 0)).in_order()
    given = Counter[tuple[int, int]]()
    columns = (signed.at, signed.employee, signed.patient, desk.days(signed.at))
    kinds, weights = list(NOISE), [weight / sum(NOISE.values()) for weight in NOISE.values()]
    for at, employee, patient, day in zip(*(column.tolist() for column in columns), strict=True):
        if patient not in prescriptions or given[patient, day] >= MOST_DOSES:
            continue
        given[patient, day] += 1
        unit = desk.unit(employee, day)
        wrong = kinds[int(draws.choice(len(kinds), p=weights))] if draws.random() < noise else ""
        who: Fields = {"Användare": desk.name(employee, day), "Enhet": desk.unit_id(unit)}
        dose = who | dose_of(desk, patient, prescriptions[patient])
        others = [one for one in team[unit] if one != employee]
        witness = desk.name(others[int(draws.integers(len(others)))], day) if others else ""
        _round(draws, entries, at, dose, witness, wrong)
    for story in stories:
        for each in story.doses:
            _planted(desk, entries, each, prescriptions, story.number)
    _stock(draws, desk, entries, team)
    _skew(draws, desk, entries)
    return entries


def _team(desk: Desk) -> dict[int, list[int]]:
    team: dict[int, list[int]] = defaultdict(list)
    for duty in desk.world.duties:
        if (duty.first, duty.last) == (0, desk.world.calendar.n_days):
            team[duty.unit].append(duty.employee)
    return team


def _round(draws: numpy.random.Generator, entries: Entries, at: int, dose: Fields, witness: str, wrong: str) -> None:
    """Add what one dose leaves: a withdrawal and its signing, or what was written instead."""
    taken_at = at - int(draws.integers(60, 240))
    amount = Decimal(str(dose["Mängd"]).replace(",", "."))
    if wrong != "not_withdrawn":
        taken = dose | {"Mängd": _text(2 * amount)} if wrong == "too_many" else dose
        entries.add(taken_at, taken | {"Händelse": "Uttag"})
    if wrong == "refused":
        entries.add(at, dose | {"Händelse": "Kassation", "Vittne": witness})
    elif wrong == "returned":
        entries.add(at, dose | {"Händelse": "Retur"})
    elif wrong == "late":
        entries.add(at + int(draws.integers(2400, 18_000)), dose | {"Händelse": "Signering"})
    elif wrong == "mistyped":
        entries.add(at, dose | {"Mängd": _text(amount + 1), "Händelse": "Signering"})
    elif wrong != "unsigned":
        entries.add(at, dose | {"Händelse": "Signering"})
    if wrong == "too_many":
        entries.add(at + int(draws.integers(200, 1200)), dose | {"Händelse": "Retur"})


def _text(amount: Decimal) -> str:
    return f"{amount.normalize():f}".replace(".", ",")


def _planted(desk: Desk, entries: Entries, dose: Dose, prescriptions: dict[int, Prescription], number: int) -> None:
    """Add what an episode wrote; who has no prescription is given the first drug of the list."""
    day = int(desk.days(numpy.array([dose.at]))[0])
    of = dose.patient if dose.drug_of is None else dose.drug_of
    common: Fields = {"Användare": desk.name(dose.employee, day), "Enhet": desk.unit_id(desk.unit(dose.employee, day))}
    fields: Fields = (
        dose_of(desk, of, prescriptions[of])
        if of in prescriptions
        else drug_fields(DRUGS[0]) | {"Mängd": "1", "Ordination": ""}
    )
    more: Fields = {"Händelse": dose.kind, "Personnummer": desk.number(dose.patient)}
    if of != dose.patient:
        more["Ordination"] = ""
    if dose.quantity is not None:
        more["Mängd"] = dose.quantity
    if dose.witness is not None:
        more["Vittne"] = desk.name(dose.witness, day)
    entries.add(dose.at, common | fields | more, number)


def _stock(draws: numpy.random.Generator, desk: Desk, entries: Entries, team: dict[int, list[int]]) -> None:
    """Count each unit's cabinet once a week; it is filled up in time, and a count is now and then one wrong."""
    moves: dict[tuple[str, str], list[tuple[int, Decimal]]] = defaultdict(list)
    for at, fields in zip(entries.at, entries.fields, strict=True):
        sign = {"Uttag": -1, "Retur": 1}.get(str(fields["Händelse"]), 0)
        amount = Decimal(str(fields["Mängd"]).replace(",", "."))
        moves[str(fields["Enhet"]), str(fields["ATC-kod"])].append((at, sign * amount))
    unit_of = {unit.unit_id: number for number, unit in enumerate(desk.world.units)}
    drug_of = {drug[0]: drug for drug in DRUGS}
    start = desk.world.calendar.utc_second(0, 14 * 60)
    for (unit_id, code), of_drug in sorted(moves.items()):
        balance, week = Decimal(FIRST_STOCK), 0
        carers = team[unit_of[unit_id]] or [0]
        for at, amount in [
            *sorted(of_drug),
            (desk.world.calendar.utc_second(desk.world.calendar.n_days, 0), Decimal(0)),
        ]:
            while at > start + week * WEEK:
                counted_at = start + week * WEEK
                day = int(desk.days(numpy.array([counted_at]))[0])
                names = [desk.name(carers[(week + place) % len(carers)], day) for place in range(2)]
                common: Fields = {"Användare": names[0], "Vittne": names[1], "Enhet": unit_id}
                if balance < REFILL_BELOW:
                    amount_in: Fields = {"Mängd": REFILL, "Händelse": "Överföring"}
                    entries.add(counted_at - 300, common | drug_fields(drug_of[code]) | amount_in)
                    balance += REFILL
                wrong = int(draws.integers(-1, 2)) if draws.random() < MISCOUNT_SHARE else 0
                counted: Fields = {"Mängd": _text(max(balance + wrong, Decimal(0))), "Händelse": "Inventering"}
                entries.add(counted_at, common | drug_fields(drug_of[code]) | counted)
                week += 1
            balance += amount


def _skew(draws: numpy.random.Generator, desk: Desk, entries: Entries) -> None:
    """Some cabinets' clocks are some minutes wrong."""
    skews = {
        unit.unit_id: int(draws.integers(-MOST_SKEW, MOST_SKEW + 1)) if draws.random() < SKEWED_SHARE else 0
        for unit in desk.world.units
    }
    entries.at = [at + skews[str(fields["Enhet"])] for at, fields in zip(entries.at, entries.fields, strict=True)]
