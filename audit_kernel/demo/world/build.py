"""Builds a whole world in memory: people, plans, ordinary work, episodes, and what no log is without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy

from audit_kernel.demo import places, sweden
from audit_kernel.demo.care_references import care_tables
from audit_kernel.demo.entries import make_desk
from audit_kernel.demo.everyday import everyday_events
from audit_kernel.demo.export import make_log
from audit_kernel.demo.extra_hours import make_extra_hours, roster_rows, wall_times
from audit_kernel.demo.gaps import with_gaps
from audit_kernel.demo.generator import ON_CALL_ACTIVITY, OVERTIME_ACTIVITY
from audit_kernel.demo.incidents import World
from audit_kernel.demo.life_references import life_tables
from audit_kernel.demo.medication import prescribe
from audit_kernel.demo.patients import make_patients
from audit_kernel.demo.references import people_tables
from audit_kernel.demo.roster import make_shifts
from audit_kernel.demo.settings import calendar_of, stream
from audit_kernel.demo.sign_ins import sign_in_entries, sittings_of
from audit_kernel.demo.staff import N_DEMO_EMPLOYEES, make_staff
from audit_kernel.demo.steps import joined, write_out
from audit_kernel.demo.ties import tie
from audit_kernel.demo.travels import honest_travels
from audit_kernel.demo.world.cast import make_cast
from audit_kernel.demo.world.disorder import with_notes, with_wrong_clocks, without_lost, without_lost_entries
from audit_kernel.demo.world.life import blocks_table, flags_of, with_floaters, with_former, without_rosters
from audit_kernel.demo.world.planting import stories_of
from audit_kernel.demo.world.rounds import drug_entries
from audit_kernel.demo.world.story import visits_of

if TYPE_CHECKING:
    from audit_kernel.demo.entries import Desk, Entries
    from audit_kernel.demo.export import Log
    from audit_kernel.demo.extra_hours import ExtraHours
    from audit_kernel.demo.roster import Shift
    from audit_kernel.demo.settings import Calendar, WorldSettings
    from audit_kernel.demo.sign_ins import Sittings
    from audit_kernel.demo.staff import Staff
    from audit_kernel.demo.steps import Events
    from audit_kernel.demo.world.cast import Cast
    from audit_kernel.demo.world.story import Story

    Row = tuple[object, ...]
    Table = tuple[str, list[Row]]

COUNTRY = "SE"
N_AREAS = 4
BESIDE = 0.02  # of a helping hand that nobody files
DEMO_ACCESSES = 311  # of an employee and month, where every patient of a shift is opened once


@dataclass(frozen=True, slots=True)
class Built:
    """A world: its logs by source as columns or entries, its reference tables, and its episodes."""

    calendar: Calendar
    desk: Desk
    staff: Staff
    stories: list[Story]
    log: Log
    sittings: Sittings
    signed_in: Entries
    drugs: Entries
    tables: dict[str, Table]


def build(settings: WorldSettings, seed: int, last_month: str) -> Built:
    """Return the world of that seed.

    Raises
    ------
    UsageError: `last_month` is not a month.
    """
    calendar = calendar_of(last_month, settings.n_months, sweden.ZONE)
    units = places.make_units(sweden.PLACES, settings.n_units)
    staff = make_staff(seed, calendar, units, COUNTRY, settings.n_employees, N_AREAS, BESIDE)
    patients = make_patients(seed, calendar, units, COUNTRY, settings.n_patients)
    ties, patients = tie(seed, calendar, units, staff, patients, COUNTRY, len(staff.people) / N_DEMO_EMPLOYEES)
    patients = with_former(seed, patients, ties)
    shifts = with_floaters(seed, calendar, staff, make_shifts(seed, calendar, staff.duties))
    extra = make_extra_hours(seed, calendar, staff.duties, shifts)
    world = World(seed, calendar, units, staff.duties, shifts, patients)
    desk = make_desk(world, staff)
    ordinary = _ordinary(seed, settings, desk, shifts, extra)
    flags = flags_of(seed, patients, COUNTRY)
    prescriptions = prescribe(stream(seed, "prescriptions"), len(patients.people))
    travels = honest_travels(seed, calendar, staff.duties)
    cast = make_cast(desk, staff, ties, ordinary, flags, prescriptions, travels)
    stories = stories_of(seed, settings, cast)
    ordinary = with_notes(seed, desk, ordinary)
    planted = write_out(stream(seed, "stories"), visits_of(stories))
    events = without_lost(seed, with_wrong_clocks(seed, desk, joined([ordinary, planted])))
    log = make_log(seed, calendar, events, patients, settings.n_unresolvable, settings.n_bad_values)
    sittings = sittings_of(log.events)
    _label(sittings, log.events)
    signed_in = sign_in_entries(stream(seed, "sign-ins"), desk, sittings, travels, cast.devices)
    for story in stories:
        for at, fields, episode in zip(story.sign_ins.at, story.sign_ins.fields, story.sign_ins.episode, strict=True):
            signed_in.add(at, fields, episode)
    drugs = drug_entries(seed, desk, log.events, prescriptions, stories, settings.drug_noise)
    without_lost_entries(seed, "sign-ins", signed_in)
    without_lost_entries(seed, "drugs", drugs)
    tables = _tables(seed, settings, cast, stories, ordinary, extra, log)
    return Built(calendar, desk, staff, stories, log, sittings, signed_in, drugs, tables)


def _ordinary(seed: int, settings: WorldSettings, desk: Desk, shifts: list[Shift], extra: ExtraHours) -> Events:
    """Return the log rows of the rota, of overtime, and of evenings on call."""
    world = desk.world
    n_openings = max(1.0, settings.accesses_per_month / DEMO_ACCESSES)
    parts = (
        ("everyday", settings.activity, shifts),
        ("overtime", settings.activity * OVERTIME_ACTIVITY, extra.overtime),
        ("on_call", settings.activity * ON_CALL_ACTIVITY, extra.on_call),
    )
    return joined(
        [
            everyday_events(seed, much, world.calendar, world.duties, of_kind, world.patients, name, n_openings)
            for name, much, of_kind in parts
        ]
    )


def _label(sittings: Sittings, events: Events) -> None:
    """Give a sitting the episode that all of its rows belong to."""
    of_row = numpy.array(sittings.of_row, dtype=numpy.int64)
    least = numpy.full(len(sittings.first), numpy.iinfo(numpy.int64).max)
    most = numpy.zeros(len(sittings.first), dtype=numpy.int64)
    numpy.minimum.at(least, of_row, events.episode)
    numpy.maximum.at(most, of_row, events.episode)
    sittings.episode = numpy.where(least == most, most, 0).tolist()


def _tables(
    seed: int,
    settings: WorldSettings,
    cast: Cast,
    stories: list[Story],
    ordinary: Events,
    extra: ExtraHours,
    log: Log,
) -> dict[str, Table]:
    """Return header and rows of each reference file by kind, with what a site forgets or files late."""
    world, staff = cast.desk.world, cast.staff
    calendar, units = world.calendar, world.units
    roster = roster_rows(calendar, units, staff, world.shifts, extra, COUNTRY) + _beside_the_rota(cast, stories)
    tables = people_tables(calendar, units, staff, world.patients, cast.ties, log, COUNTRY)
    tables |= care_tables(seed, calendar, units, staff, world.patients, roster, COUNTRY)
    tables |= life_tables(world, staff, cast.ties, cast.travels, ordinary, COUNTRY)
    tables["blocks"] = blocks_table(world)
    header, rows = tables["patient_flags"]
    deceased = [row for row in rows if row[1] == "deceased"]
    flags: list[Row] = [(world.patients.patient_id(one), flag, None, None, None) for one, flag in cast.flags]
    tables["patient_flags"] = (header, flags + deceased)
    shares = stream(seed, "missing shares")
    most = max(settings.missing_share, settings.missing_most)
    header, rows = tables.pop("shifts")
    filed = without_rosters(seed, header, rows, float(shares.uniform(settings.missing_share, most)))
    kept = {"shifts": (header, filed)}
    for kind, (header, rows) in tables.items():
        share = float(shares.uniform(settings.missing_share, most))
        kept[kind] = (header, with_gaps(seed, calendar, kind, header, rows, share))
    return kept


def _beside_the_rota(cast: Cast, stories: list[Story]) -> list[Row]:
    """Return the roster's rows of shifts at other units."""
    filed = [shift for story in stories for shift in story.shifts]
    starts, ends = (
        wall_times(cast.desk.world.calendar, [getattr(one, name) for one in filed]) for name in ("start", "end")
    )
    return [
        (
            cast.staff.employee_id(one.employee),
            cast.desk.world.units[one.unit].unit_id,
            one.kind,
            sweden.WORDS[cast.duty_of[one.employee].role],
            one.status,
            start,
            end,
        )
        for one, start, end in zip(filed, starts, ends, strict=True)
    ]
