"""What no log is without: broken glass in ordinary work, clocks that are wrong, records that got lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy

from audit_kernel.demo.settings import stream
from audit_kernel.demo.staff import ARCHIVIST
from audit_kernel.demo.world.notes import GOOD, HOLLOW, PURPOSES

if TYPE_CHECKING:
    from audit_kernel.demo.entries import Desk, Entries
    from audit_kernel.demo.steps import Events

LEAST_BROKEN, MOST_BROKEN = 0.01, 0.40  # of the contacts of a unit
HOLLOW_SHARE = 0.08  # honest people are in a hurry too
PURPOSE_SHARE = 0.01
SKEWED_SHARE, MOST_SKEW = 0.1, 150  # units whose devices' clock is wrong, and by how many seconds at most
LOST_SHARE = 0.001
KEY = 1_000_000


def with_notes(seed: int, desk: Desk, events: Events) -> Events:
    """State a purpose, or a reason for breaking the glass, in some ordinary contacts; each unit has its own share."""
    draws = stream(seed, "notes")
    shares = numpy.exp(draws.uniform(numpy.log(LEAST_BROKEN), numpy.log(MOST_BROKEN), len(desk.world.units)))
    days = desk.days(events.at)
    # one number for each employee, patient and day: what is stated once holds for the whole contact
    contacts, place = numpy.unique((events.employee * 1000 + days) * KEY + events.patient, return_inverse=True)
    number = len(contacts)
    good, hollow = (draws.choice(numbers, number) for numbers in (GOOD, HOLLOW))
    reason = numpy.where(draws.random(number) < HOLLOW_SHARE, hollow, good)
    purpose = numpy.where(draws.random(number) < PURPOSE_SHARE, draws.choice(sorted(PURPOSES.values()), number), 0)
    is_broken = draws.random(number)[place] < shares[desk.unit_of[events.employee, days]]
    note = numpy.where(is_broken, reason[place], purpose[place])
    # the archive gives out nothing without a purpose
    archivists = [duty.employee for duty in desk.world.duties if duty.role == ARCHIVIST]
    note = numpy.where(numpy.isin(events.employee, archivists), PURPOSES["Administration"], note)
    is_ordinary = (events.episode == 0) & (events.patient >= 0)
    return replace(events, note=numpy.where(is_ordinary, note, events.note))


def with_wrong_clocks(seed: int, desk: Desk, events: Events) -> Events:
    """Let the devices of some units be some minutes wrong."""
    draws = stream(seed, "clocks")
    number = len(desk.world.units)
    skews = draws.integers(-MOST_SKEW, MOST_SKEW + 1, number) * (draws.random(number) < SKEWED_SHARE)
    return replace(events, at=events.at + skews[desk.unit_of[events.employee, desk.days(events.at)]])


def without_lost(seed: int, events: Events) -> Events:
    """Leave a few records out, which the log never got."""
    draws = stream(seed, "lost")
    return events.take(draws.random(len(events)) >= LOST_SHARE)


def without_lost_entries(seed: int, name: str, entries: Entries) -> Entries:
    """Leave a few entries out, in place, and return them all."""
    draws = stream(seed, f"lost {name}")
    kept = numpy.flatnonzero(draws.random(len(entries.at)) >= LOST_SHARE).tolist()
    for column in ("at", "fields", "episode"):
        values = getattr(entries, column)
        setattr(entries, column, [values[place] for place in kept])
    return entries
