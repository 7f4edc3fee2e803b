"""A made-up municipality with known truth: export files and reference files, the same bytes for the same seed.

Everything is drawn: nothing here knows or uses a rule of the product's checks, and nobody in it exists.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy

from audit_kernel.demo.care_references import write_care_references
from audit_kernel.demo.everyday import everyday_events
from audit_kernel.demo.export import Log, make_log, write_log
from audit_kernel.demo.incidents import Episode, World, plant
from audit_kernel.demo.patients import make_patients
from audit_kernel.demo.places import make_units
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
    """What was written. `truth` names the planted snoopers: the product never reads it."""

    log_files: list[Path]
    reference_files: dict[str, Path]
    truth: Path
    n_records: int


def generate(
    folder: Path, seed: int = 1, last_month: str = "2026-10", settings: WorldSettings | None = None
) -> GeneratedWorld:
    """Write a world into `folder`/logs, /reference and /truth; what an earlier run wrote there is replaced.

    Raises
    ------
    UsageError: `last_month` is not a month.
    """
    settings = settings or WorldSettings()
    calendar = calendar_of(last_month, settings.n_months)
    for part in PARTS:
        shutil.rmtree(folder / part, ignore_errors=True)
    units = make_units()
    staff = make_staff(seed, calendar, units)
    patients = make_patients(seed, calendar, units)
    shifts = make_shifts(seed, calendar, staff.duties)
    ordinary = everyday_events(seed, settings.activity, calendar, staff.duties, shifts, patients)
    episodes = plant(World(seed, calendar, units, staff.duties, shifts, patients))
    events = joined([ordinary, *(episode.events for episode in episodes)])
    log = make_log(seed, calendar, events, patients, settings.n_unresolvable, settings.n_bad_values)
    paths, running = write_log(folder / "logs", calendar, log, staff)
    references = write_references(folder / "reference", calendar, units, staff, patients, log)
    references |= write_care_references(folder / "reference", seed, calendar, units, staff, patients, shifts)
    truth = _write_truth(folder / "truth", log, running, episodes, staff, patients)
    return GeneratedWorld(paths, references, truth, len(running))


def _write_truth(
    folder: Path, log: Log, running: list[int], episodes: list[Episode], staff: Staff, patients: Patients
) -> Path:
    """Write truth.csv, a row an episode, and truth_events.csv, the log's running numbers of each."""
    folder.mkdir(parents=True)
    rows: list[tuple[object, ...]] = []
    records: list[tuple[object, ...]] = []
    for episode in episodes:
        places = numpy.flatnonzero(log.events.episode == episode.number).tolist()
        days = [numpy.datetime_as_string(log.local[place].astype("datetime64[s]"), unit="D") for place in places]
        about = " ".join(patients.patient_id(patient) for patient in sorted(episode.patients))
        name = staff.people[episode.employee].name
        employee = (staff.employee_id(episode.employee), staff.log_in_names[episode.employee][-1][0], name)
        rows.append(
            (episode.number, episode.scenario, *employee, about, days[0], days[-1], len(places), episode.description)
        )
        records += [(episode.number, running[place]) for place in places]
    write_table(folder / "truth_events.csv", "episode record_number", records)
    header = "episode scenario employee_id log_in_name name patient_ids first_date last_date n_records description"
    return write_table(folder / "truth.csv", header, rows)
