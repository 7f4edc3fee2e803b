"""A made-up municipality with known truth: export files and reference files, the same bytes for the same seed.

Everything is drawn: nothing here knows or uses a rule of the product's checks, and nobody in it exists.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_kernel.demo import places, sweden
from audit_kernel.demo.care_references import care_tables
from audit_kernel.demo.everyday import everyday_events
from audit_kernel.demo.export import WrittenLogs, make_log, write_log
from audit_kernel.demo.extra_hours import make_extra_hours, roster_rows
from audit_kernel.demo.gaps import with_gaps
from audit_kernel.demo.incidents import Episode, World, plant
from audit_kernel.demo.life_references import life_tables
from audit_kernel.demo.mcss import write_mcss
from audit_kernel.demo.patients import make_patients
from audit_kernel.demo.references import people_tables, write_table
from audit_kernel.demo.roster import make_shifts
from audit_kernel.demo.settings import WorldSettings, calendar_of
from audit_kernel.demo.staff import Staff, make_staff
from audit_kernel.demo.steps import joined
from audit_kernel.demo.ties import tie
from audit_kernel.demo.travels import honest_travels

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.demo.extra_hours import ExtraHours
    from audit_kernel.demo.patients import Patients
    from audit_kernel.demo.roster import Shift
    from audit_kernel.demo.settings import Calendar
    from audit_kernel.demo.steps import Events

PARTS = ("logs", "reference", "truth")
OVERTIME_ACTIVITY, ON_CALL_ACTIVITY = 0.25, 0.15  # of what is done on a shift


@dataclass(frozen=True, slots=True)
class GeneratedWorld:
    """What was written. `sources`: the log of each file. `truth` names the planted: the product never reads it."""

    log_files: list[Path]
    sources: list[str]
    reference_files: dict[str, Path]
    truth: Path
    n_records: int


def generate(
    folder: Path,
    seed: int = 1,
    last_month: str = "2026-10",
    settings: WorldSettings | None = None,
    country: str = "NO",
) -> GeneratedWorld:
    """Write a world into `folder`/logs, /reference and /truth; what an earlier run wrote there is replaced.

    Parameters
    ----------
    country: NO, a municipality with Gerica's system log, or SE, one with four MCSS-style logs.

    Raises
    ------
    UsageError: `last_month` is not a month.
    """
    settings = settings or WorldSettings()
    is_swedish = country == "SE"
    calendar = calendar_of(last_month, settings.n_months, sweden.ZONE if is_swedish else "Europe/Oslo")
    for part in PARTS:
        shutil.rmtree(folder / part, ignore_errors=True)
    units = places.make_units(sweden.PLACES if is_swedish else places.NORWEGIAN)
    staff = make_staff(seed, calendar, units, country)
    patients = make_patients(seed, calendar, units, country)
    ties, patients = tie(seed, calendar, units, staff, patients, country)
    shifts = make_shifts(seed, calendar, staff.duties)
    extra = make_extra_hours(seed, calendar, staff.duties, shifts)
    travels = honest_travels(seed, calendar, staff.duties)
    ordinary = _ordinary(seed, settings.activity, calendar, staff, patients, shifts, extra)
    world = World(seed, calendar, units, staff.duties, shifts, patients)
    episodes = plant(world)
    events = joined([ordinary, *(episode.events for episode in episodes)])
    log = make_log(seed, calendar, events, patients, settings.n_unresolvable, settings.n_bad_values)
    if is_swedish:
        written, episodes = write_mcss(folder / "logs", world, log, staff, episodes, travels)
    else:
        written = write_log(folder / "logs", calendar, log, staff)
    roster = roster_rows(calendar, units, staff, shifts, extra, country)
    tables = people_tables(calendar, units, staff, patients, ties, log, country)
    tables |= care_tables(seed, calendar, units, staff, patients, roster, country)
    tables |= life_tables(world, staff, ties, travels, ordinary, country)
    references = {}
    (folder / "reference").mkdir()
    for kind, (header, rows) in tables.items():
        kept = with_gaps(seed, calendar, kind, header, rows, settings.missing_share)
        references[kind] = write_table(folder / "reference" / f"{kind}.csv", header, kept)
    truth = _write_truth(folder / "truth", written, episodes, staff, patients)
    return GeneratedWorld(written.paths, written.sources, references, truth, written.n_records)


def _ordinary(
    seed: int,
    activity: float,
    calendar: Calendar,
    staff: Staff,
    patients: Patients,
    shifts: list[Shift],
    extra: ExtraHours,
) -> Events:
    """Return the log rows of the rota, of overtime, and of evenings on call, on which little happens."""
    parts = (
        ("everyday", activity, shifts),
        ("overtime", activity * OVERTIME_ACTIVITY, extra.overtime),
        ("on_call", activity * ON_CALL_ACTIVITY, extra.on_call),
    )
    return joined(
        [everyday_events(seed, much, calendar, staff.duties, of_kind, patients, name) for name, much, of_kind in parts]
    )


def _write_truth(folder: Path, written: WrittenLogs, episodes: list[Episode], staff: Staff, patients: Patients) -> Path:
    """Write truth.csv, a row an episode, and truth_events.csv, the records of each."""
    folder.mkdir(parents=True)
    rows: list[tuple[object, ...]] = []
    records: list[tuple[object, ...]] = []
    for episode in episodes:
        planted = [(day, key) for number, day, key in written.planted if number == episode.number]
        days = sorted(day for day, _key in planted)
        about = " ".join(patients.patient_id(patient) for patient in sorted(episode.patients))
        name = staff.people[episode.employee].name
        employee = (staff.employee_id(episode.employee), staff.log_in_names[episode.employee][-1][0], name)
        rows.append(
            (episode.number, episode.scenario, *employee, about, days[0], days[-1], len(planted), episode.description)
        )
        records += [(episode.number, *key) for _day, key in planted]
    write_table(folder / "truth_events.csv", written.header, records)
    header = "episode scenario employee_id log_in_name name patient_ids first_date last_date n_records description"
    return write_table(folder / "truth.csv", header, rows)
