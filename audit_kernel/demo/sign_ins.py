"""Log-ins: sittings at a device, worked out from what was done in them, with failures, lockouts, and two incidents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy

from audit_kernel.demo.entries import Desk, Entries, Fields
from audit_kernel.demo.incidents import Episode
from audit_kernel.demo.settings import stream
from audit_kernel.demo.staff import CASE_OFFICER
from audit_kernel.demo.steps import NOTHING, Events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from audit_kernel.demo.travels import Travel

LONGEST_PAUSE = 4 * 3600
FAILURE_SHARE, LOCKOUT_SHARE, TIMEOUT_SHARE, PASSWORD_SHARE = 0.04, 0.002, 0.3, 0.15
INTRUDER, ABROAD = "203.0.113.66", "198.51.100.23"
N_NIGHTS, GUESSES = 3, (9, 15)
DAYS_ABROAD = (9, 16)
FAILED: Fields = {"Händelse": "Misslyckad inloggning"}
LOCKED: Fields = {"Händelse": "Låsning"}
UNLOCKED: Fields = {"Händelse": "Upplåsning"}


@dataclass(slots=True)
class Sittings:
    """One row a sitting: who, from when to when (UTC), from which address, in which episode; `of_row` by log row.

    device: -1 for the employee's own, else the number of another one.
    """

    employee: list[int]
    first: list[int]
    last: list[int]
    address: list[str]
    episode: list[int]
    of_row: list[int]
    device: list[int]


def sittings_of(events: Events) -> Sittings:
    """Return the sittings of all employees at each device: a pause of more than four hours ends one."""
    order = numpy.lexsort((events.at, events.device, events.employee))
    at, employee, device = events.at[order], events.employee[order], events.device[order]
    begins = (numpy.diff(employee, prepend=-1) != 0) | (numpy.diff(device, prepend=-2) != 0)
    begins |= numpy.diff(at, prepend=at[:1]) > LONGEST_PAUSE
    number = numpy.cumsum(begins) - 1
    of_row: NDArray[numpy.int64] = numpy.empty(len(events), dtype=numpy.int64)
    of_row[order] = number
    starts = numpy.flatnonzero(begins)
    ends = numpy.append(starts[1:], len(events)) - 1
    n_sittings = len(starts)
    return Sittings(
        employee[starts].tolist(),
        at[starts].tolist(),
        at[ends].tolist(),
        [""] * n_sittings,
        [0] * n_sittings,
        of_row.tolist(),
        device[starts].tolist(),
    )


def abroad_and_intrusion(
    desk: Desk, sittings: Sittings, travels: list[Travel], first_number: int, busy: set[int]
) -> tuple[Entries, Episode, Episode]:
    """Give each sitting its address; return the log-ins, the intrusion attempts and the accesses from abroad.

    Parameters
    ----------
    busy: employees of other episodes.
    """
    draws = stream(desk.world.seed, "sign-ins")
    days = desk.days(numpy.array(sittings.first)).tolist()
    abroad = _abroad(desk, sittings, days, first_number + 1, busy)
    entries = sign_in_entries(draws, desk, sittings, travels, episode_address=ABROAD)
    intrusion = _intrusion(draws, desk, entries, first_number, busy | {abroad.employee})
    return entries, intrusion, abroad


def sign_in_entries(
    draws: numpy.random.Generator,
    desk: Desk,
    sittings: Sittings,
    travels: list[Travel],
    devices: Sequence[tuple[str, str]] = (),
    episode_address: str = "",
) -> Entries:
    """Give each sitting its address; return its log-in and log-out, with the failures and lockouts before some.

    Parameters
    ----------
    devices: address and name of those that are not an employee's own.
    episode_address: from which the sittings of episodes are, where not from the own device.
    """
    days = desk.days(numpy.array(sittings.first)).tolist()
    away = {(one.employee, day): one.address for one in travels for day in range(one.first, one.last)}
    entries = Entries()
    rows = zip(sittings.employee, sittings.first, sittings.last, days, sittings.episode, strict=True)
    for number, (employee, first, last, day, episode) in enumerate(rows):
        at_home = away.get((employee, day)) or desk.address(employee, day)
        device = sittings.device[number]
        other = devices[device] if device >= 0 else (episode_address, "") if episode and episode_address else None
        address = sittings.address[number] = other[0] if other else at_home
        name = desk.name(employee, day)
        common: Fields = {
            "Användare": name,
            "Konto": name.lower(),
            "Metod": "Lösenord" if draws.random() < PASSWORD_SHARE else "SITHS-kort",
            "Nätadress": address,
            "Enhet": (other and other[1]) or f"PC-{1000 + desk.unit(employee, day)}",
            "Antal": 1,
        }
        session: Fields = {"Session": f"S{100_000 + number}"}
        begins = first - int(draws.integers(20, 120))
        chance = draws.random()
        if chance < LOCKOUT_SHARE:
            entries.add(begins - 900, common | FAILED | {"Orsak": "Fel PIN-kod", "Antal": 3}, episode)
            entries.add(begins - 899, common | LOCKED | {"Orsak": "Tre felaktiga försök"}, episode)
            entries.add(begins - 300, common | UNLOCKED | {"Orsak": "Av systemförvaltare"}, episode)
        elif chance < FAILURE_SHARE:
            n_failures = 1 + int(draws.random() < 0.25)  # noqa: PLR2004 - one in four fails twice
            entries.add(begins - 30, common | FAILED | {"Orsak": "Fel PIN-kod", "Antal": n_failures}, episode)
        entries.add(begins, common | session | {"Händelse": "Inloggning"}, episode)
        is_timeout = draws.random() < TIMEOUT_SHARE
        ends = last + (1200 if is_timeout else int(draws.integers(30, 600)))
        reason = {"Händelse": "Utloggning", "Orsak": "Tidsgräns" if is_timeout else ""}
        entries.add(ends, common | session | reason, episode)
    return entries


def _abroad(desk: Desk, sittings: Sittings, days: list[int], number: int, busy: set[int]) -> Episode:
    """Let a case officer work a week of the last month from a third country."""
    world = desk.world
    officers = [duty.employee for duty in world.duties if duty.role == CASE_OFFICER and duty.employee not in busy]
    first, last = (world.last_month + day for day in DAYS_ABROAD)

    def of(employee: int) -> list[int]:
        rows = enumerate(zip(sittings.employee, days, strict=True))
        return [place for place, (one, day) in rows if one == employee and first <= day < last]

    employee = max(officers, key=lambda one: (len(of(one)), -one))
    for place in of(employee):
        sittings.episode[place] = number
    text = "Works for a week of the last month from a third country, where she is on holiday."
    return Episode(number, "third_country", text, employee, (), NOTHING)


def _intrusion(draws: numpy.random.Generator, desk: Desk, entries: Entries, number: int, busy: set[int]) -> Episode:
    """Let somebody guess a password at night, from abroad, until the account is locked."""
    world = desk.world
    whole = [duty.employee for duty in world.duties if duty.first == 0 and duty.last == world.calendar.n_days]
    employee = next(one for one in draws.permutation(whole).tolist() if one not in busy)
    for night in range(N_NIGHTS):
        day = world.last_month + 5 + 7 * night
        name = desk.name(employee, day)
        common: Fields = {"Metod": "Lösenord", "Nätadress": INTRUDER, "Antal": 1}
        who: Fields = {"Användare": name, "Konto": name.lower()}
        at = world.calendar.utc_second(day, 150)
        for account in ("admin", "test"):
            at += int(draws.integers(4, 20))
            entries.add(at, common | FAILED | {"Orsak": "Okänt konto", "Konto": account}, number)
        for _ in range(int(draws.integers(*GUESSES))):
            at += int(draws.integers(4, 20))
            entries.add(at, common | who | FAILED | {"Orsak": "Fel lösenord"}, number)
        entries.add(at + 1, common | who | LOCKED | {"Orsak": "För många felaktiga försök"}, number)
        morning = world.calendar.utc_second(day, 440)
        entries.add(morning, common | who | UNLOCKED | {"Nätadress": "10.12.0.1", "Orsak": "Av systemförvaltare"})
    text = "Somebody guesses the password of an employee's account on three nights, until it is locked."
    return Episode(number, "intrusion_attempts", text, employee, (), NOTHING)
