"""A made-up municipality with known truth: export files and reference files, the same bytes for the same seed.

Everything is drawn: nothing here knows or uses a rule of the product's checks, and nobody in it exists.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_kernel.demo import places, sweden
from audit_kernel.demo.care_references import write_care_references
from audit_kernel.demo.everyday import everyday_events
from audit_kernel.demo.export import WrittenLogs, make_log, write_log
from audit_kernel.demo.incidents import Episode, World, plant
from audit_kernel.demo.mcss import write_mcss
from audit_kernel.demo.patients import make_patients
from audit_kernel.demo.references import write_references, write_table
from audit_kernel.demo.roster import make_shifts
from audit_kernel.demo.settings import WorldSettings, calendar_of
from audit_kernel.demo.staff import Staff, make_staff
from audit_kernel.demo.steps import joined

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.demo.patients import Patients

PARTS = ("logs", "reference", "truth")


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
    shifts = make_shifts(seed, calendar, staff.duties)
    ordinary = everyday_events(seed, settings.activity, calendar, staff.duties, shifts, patients)
    world = World(seed, calendar, units, staff.duties, shifts, patients)
    episodes = plant(world)
    events = joined([ordinary, *(episode.events for episode in episodes)])
    log = make_log(seed, calendar, events, patients, settings.n_unresolvable, settings.n_bad_values)
    if is_swedish:
        written, episodes = write_mcss(folder / "logs", world, log, staff, episodes)
    else:
        written = write_log(folder / "logs", calendar, log, staff)
    references = write_references(folder / "reference", calendar, units, staff, patients, log, country)
    references |= write_care_references(folder / "reference", seed, calendar, units, staff, patients, shifts, country)
    truth = _write_truth(folder / "truth", written, episodes, staff, patients)
    return GeneratedWorld(written.paths, written.sources, references, truth, written.n_records)


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
