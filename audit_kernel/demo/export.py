"""The export files: related records, running numbers, odd records, and the months as Gerica's -119 writes them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy

from audit_kernel.demo.settings import Calendar, stream
from audit_kernel.demo.steps import CODE, JOURNAL, MEDICATION, PERSON, PLAN, SERVICE, STEPS, Events

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from audit_kernel.demo.patients import Patients
    from audit_kernel.demo.staff import Staff

SOURCE_ID = "gerica"
HEADER = ("Id. nr.", "Dato", "Tid", "Loggtype", "Ansatt", "Tabell", "Relatert post", "Meldingstype")
FIRST_NUMBER = 48_210_001
ENCODINGS = ("cp1252", "cp1252", "utf-8")
OLD_JOURNALS, PLANS = 12, 2  # per patient, from before the period
FIRST_OLD_JOURNAL, FIRST_NEW_JOURNAL, FIRST_LOST_JOURNAL = 100_001, 200_001, 90_001
FIRST_PLAN, FIRST_MEDICATION = 30_001, 70_001
N_LOST_JOURNALS = 8
LOST_JOURNALS = frozenset(f"J{FIRST_LOST_JOURNAL + place}" for place in range(N_LOST_JOURNALS))
SERVICES = ("Hjemmesykepleie", "Praktisk bistand; opplæring", "Trygghetsalarm", "Korttidsopphold", "Dagsenter")
REPORTS = ("Døgnrapport", 'Liste "Dagens oppdrag"', "IPLOS-statistikk", "Vaktrapport")
BAD_VALUES = (("date", "31.09.2026"), ("date", "2026-10-07"), ("time", "25:61:00"), ("date", "00.00.0000"))
SECONDS_PER_DAY = 86_400
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Log:
    """The log as text columns in order of time, and the keys to its records: (table, record, patient number)."""

    events: Events
    local: NDArray[numpy.int64]
    references: list[str]
    keys: list[tuple[str, str, int]]
    bad: dict[int, tuple[str, str]]


@dataclass(slots=True)
class WrittenLogs:
    """The files and the log that each is of; `planted`: episode, local day, and the record's key as `header` has it.

    event_ids: of the planted records, as the log or, where it has none, their content gives them.
    """

    paths: list[Path]
    sources: list[str]
    n_records: int
    header: str
    planted: list[tuple[int, str, tuple[object, ...]]]
    event_ids: list[str] = field(default_factory=list)


def make_log(
    seed: int, calendar: Calendar, events: Events, patients: Patients, n_unresolvable: int, n_bad_values: int
) -> Log:
    """Cut to the period, put in order of time, name the related records, and choose the odd ones."""
    draws = stream(seed, "export")
    first, last = calendar.utc_second(0, 0), calendar.utc_second(calendar.n_days, 0)
    events = events.take((first <= events.at) & (events.at < last)).in_order()
    events = _with_blocked_searches(calendar, events, patients)
    references, keys = _references(draws, events, patients)
    ordinary = numpy.flatnonzero((events.episode == 0) & (events.step == CODE["read_journal"]))
    for row in draws.choice(ordinary, n_unresolvable, replace=False).tolist():
        references[row] = f"J{FIRST_LOST_JOURNAL + int(draws.integers(N_LOST_JOURNALS))}"
    chosen = draws.choice(numpy.flatnonzero(events.episode == 0), n_bad_values, replace=False).tolist()
    bad = {row: BAD_VALUES[place % len(BAD_VALUES)] for place, row in enumerate(chosen)}
    return Log(events, calendar.local_seconds(events.at), references, keys, bad)


def _with_blocked_searches(calendar: Calendar, events: Events, patients: Patients) -> Events:
    """A search that hits a patient whose record is blocked that day is logged under a type of its own."""
    day = calendar.local_seconds(events.at) // SECONDS_PER_DAY - (calendar.start - EPOCH).days
    step = events.step.copy()
    for patient, (first, last) in patients.blocks.items():
        hit = (events.patient == patient) & (step == CODE["search"]) & (day >= first)
        step[hit if last is None else hit & (day < last)] = CODE["search_blocked"]
    return replace(events, step=step)


def _newest(events: Events, created: NDArray[numpy.int64]) -> NDArray[numpy.int64]:
    """For each row the newest journal written before it (or by it) about its patient, -1 where there is none."""
    order = numpy.lexsort((numpy.arange(len(events)), events.patient))
    place = numpy.arange(len(events))
    newest = numpy.maximum.accumulate(numpy.where(created[order] >= 0, place, -1))
    begins = numpy.maximum.accumulate(numpy.where(numpy.diff(events.patient[order], prepend=-2) != 0, place, 0))
    result = numpy.empty(len(events), dtype=numpy.int64)
    result[order] = numpy.where(newest >= begins, created[order][newest], -1)
    return result


def _references(
    draws: numpy.random.Generator, events: Events, patients: Patients
) -> tuple[list[str], list[tuple[str, str, int]]]:
    """Name each row's related record: journals written in the period get new ids, readings go to these or older."""
    tables = [STEPS[name][1] for name in STEPS]
    created = numpy.full(len(events), -1, dtype=numpy.int64)
    is_new = events.step == CODE["write_journal"]
    created[is_new] = FIRST_NEW_JOURNAL + numpy.arange(int(is_new.sum()))
    newest = _newest(events, created)
    old = FIRST_OLD_JOURNAL + OLD_JOURNALS * events.patient + draws.integers(OLD_JOURNALS, size=len(events))
    reads_old = numpy.isin(events.step, [CODE["read_journal"], CODE["print_journal"]])
    reads_old &= draws.random(len(events)) < 0.4  # noqa: PLR2004 - the newest entry is what most come for
    journal = numpy.where((newest < 0) | reads_old, old, newest)
    plan = FIRST_PLAN + PLANS * events.patient + draws.integers(PLANS, size=len(events))
    kind = draws.integers(len(SERVICES) * len(REPORTS), size=len(events))
    references = []
    rows = zip(events.step.tolist(), events.patient.tolist(), journal.tolist(), plan.tolist(), kind, strict=True)
    for step, patient, journal_number, plan_number, which in rows:
        table = tables[step]
        if table == PERSON:
            references.append(patients.number(patient))
        elif table == JOURNAL:
            references.append(f"J{journal_number}")
        elif table == PLAN:
            references.append(f"T{plan_number}")
        elif table == MEDICATION:
            references.append(f"M{FIRST_MEDICATION + patient}")
        elif table == SERVICE:
            references.append(SERVICES[which % len(SERVICES)])
        else:
            references.append(REPORTS[which % len(REPORTS)])
    keys: list[tuple[str, str, int]] = []
    for patient in range(len(patients.people)):
        first = FIRST_OLD_JOURNAL + OLD_JOURNALS * patient
        keys += [(JOURNAL, f"J{first + place}", patient) for place in range(OLD_JOURNALS)]
        keys += [(PLAN, f"T{FIRST_PLAN + PLANS * patient + place}", patient) for place in range(PLANS)]
        keys.append((MEDICATION, f"M{FIRST_MEDICATION + patient}", patient))
    written = zip(created[is_new].tolist(), events.patient[is_new].tolist(), strict=True)
    keys += [(JOURNAL, f"J{number}", patient) for number, patient in written]
    return references, keys


def write_log(folder: Path, calendar: Calendar, log: Log, staff: Staff) -> WrittenLogs:
    """Write one file a local month, CRLF, the last in UTF-8 and the others in Windows-1252."""
    folder.mkdir(parents=True)
    day_numbers = log.local // SECONDS_PER_DAY
    first_day = int(day_numbers[0])
    dates = [
        datetime.fromtimestamp(number * SECONDS_PER_DAY, UTC).strftime("%d.%m.%Y")
        for number in range(first_day, int(day_numbers[-1]) + 1)
    ]
    offset = (calendar.start - EPOCH).days
    running = list(range(FIRST_NUMBER, FIRST_NUMBER + len(log.events)))
    first_rows = [int(numpy.searchsorted(day_numbers, calendar.number(month) + offset)) for month in calendar.months]
    bounds = [*first_rows, len(running)]
    names = [name_by_day(names_of_one, calendar.n_days) for names_of_one in staff.log_in_names]
    steps = list(STEPS.values())
    paths = []
    encodings = ENCODINGS[-len(calendar.months) :] if len(calendar.months) <= len(ENCODINGS) else None
    for place, month in enumerate(calendar.months):
        text = io.StringIO()
        writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
        writer.writerow(HEADER)
        for row in range(bounds[place], bounds[place + 1]):
            second = int(log.local[row])
            day, second = divmod(second, SECONDS_PER_DAY)
            log_type, table, message_type = steps[log.events.step[row]]
            written = {"date": dates[day - first_day], "time": _clock(second)}
            if row in log.bad:
                field, value = log.bad[row]
                written[field] = value
            name = names[log.events.employee[row]][day - offset]
            when = (written["date"], written["time"])
            writer.writerow((running[row], *when, log_type, name, table, log.references[row], message_type))
        encoding = encodings[place] if encodings else ENCODINGS[-1 if month == calendar.months[-1] else 0]
        path = folder / f"gerica_systemlogg_{month:%Y-%m}.csv"
        path.write_bytes(text.getvalue().encode(encoding))
        paths.append(path)
    planted: list[tuple[int, str, tuple[object, ...]]] = []
    for row in numpy.flatnonzero(log.events.episode).tolist():
        moment = datetime.fromtimestamp(int(log.local[row]), UTC)
        planted.append((int(log.events.episode[row]), f"{moment:%Y-%m-%d}", (running[row],)))
    return WrittenLogs(paths, [SOURCE_ID] * len(paths), len(running), "episode record_number", planted)


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def name_by_day(names: list[tuple[str, int | None, int | None]], n_days: int) -> list[str]:
    """Return the log-in name that is valid on each day."""
    return [
        next(name for name, first, last in names if (first is None or first <= day) and (last is None or day < last))
        for day in range(n_days)
    ]
