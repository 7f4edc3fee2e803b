"""The Swedish export files: four MCSS-style logs, one file of each a local month. Their layout is invented.

Network addresses are those set apart for documentation (RFC 5737), so that nobody's device is named.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy

from audit_kernel.demo.entries import Desk, Entries, Fields, make_desk
from audit_kernel.demo.export import EPOCH, LOST_JOURNALS, SECONDS_PER_DAY, Log, WrittenLogs
from audit_kernel.demo.medication import medication_entries
from audit_kernel.demo.sign_ins import Sittings, sign_in_entries, sittings_of
from audit_kernel.demo.steps import CODE, PERSON, STEPS
from audit_kernel.demo.sweden import EVENT_WORDS, WORDS

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.demo.incidents import Episode, World
    from audit_kernel.demo.settings import Calendar
    from audit_kernel.demo.staff import Staff
    from audit_kernel.demo.travels import Travel

HEADERS = {
    "mcss_access": "Logg-id;Tidpunkt;Användare;Befattning;Enhet;Personnummer;Boende;Händelse;Uppgiftstyp;Uppgift;"
    "Resultat;Nödöppning;Spärrad;Ändamål;Nätadress;Session",
    "mcss_authentication": "Tidpunkt;Användare;Konto;Händelse;Orsak;Metod;Nätadress;Enhet;Session;Antal",
    "mcss_medication": "Händelse-id;Datum;Klockslag;Händelse;Användare;Vittne;Personnummer;Enhet;ATC-kod;Läkemedel;"
    "Styrka;Mängd;Mängdenhet;Ordination",
    "mcss_search": "Tidpunkt;Användare;Enhet;Söktyp;Sökt på;Personnummer;Nätadress;Session",
}
FIRST_LOG_ID = 7_300_001
BAD_MOMENTS = ("2026-09-31 08:00:00", "07.10.2026 08:00", "2026-10-07 25:61:00", "0000-00-00 00:00:00")
SEARCHES = {CODE["search"]: "Patientsökning", CODE["search_blocked"]: "Sökning på spärrad patient"}
SEARCHED_IN = ("Namn", "Namn", "Namn", "Personnummer", "Lägenhet")


def write_mcss(
    folder: Path, world: World, log: Log, staff: Staff, episodes: list[Episode], travels: list[Travel]
) -> tuple[WrittenLogs, list[Episode]]:
    """Write the four logs; return what was written and the episodes, the Swedish ones added."""
    folder.mkdir(parents=True)
    desk = make_desk(world, staff)
    busy = {episode.employee for episode in episodes} | {travel.employee for travel in travels}
    sittings = sittings_of(log.events)
    signed_in, intrusion, abroad = sign_in_entries(desk, sittings, travels, len(episodes) + 1, busy)
    busy |= {intrusion.employee, abroad.employee}
    medication, withdrawals = medication_entries(desk, log, abroad.number + 1, busy)
    accesses, searches = _accesses_and_searches(desk, log, sittings)
    logs = dict(zip(HEADERS, (accesses, signed_in, medication, searches), strict=True))
    written = WrittenLogs([], [], 0, "episode source_id file_name line_number", [])
    for source_id, entries in logs.items():
        _write(folder, world.calendar, source_id, entries, written)
    return written, [*episodes, intrusion, abroad, withdrawals]


def _accesses_and_searches(desk: Desk, log: Log, sittings: Sittings) -> tuple[Entries, Entries]:
    patients, steps = desk.world.patients, list(STEPS.items())
    accesses, searches = Entries(), Entries()
    bad = {row: BAD_MOMENTS[place % len(BAD_MOMENTS)] for place, row in enumerate(sorted(log.bad))}
    days = desk.days(log.events.at)
    columns = (log.events.at, log.events.employee, log.events.patient, log.events.step, log.events.episode)
    rows = zip(*(column.tolist() for column in columns), days, log.references, sittings.of_row, strict=True)
    for row, (at, employee, patient, step, episode, day, reference, sitting) in enumerate(rows):
        moment = {"Tidpunkt": bad[row]} if row in bad else {}
        common: Fields = moment | {
            "Användare": desk.name(employee, day),
            "Enhet": desk.unit_id(desk.unit(employee, day)),
            "Nätadress": sittings.address[sitting],
            "Session": f"S{100_000 + sitting}",
        }
        if step in SEARCHES:
            field_searched = SEARCHED_IN[(at + employee) % len(SEARCHED_IN)]
            more = {"Söktyp": SEARCHES[step], "Sökt på": field_searched, "Personnummer": desk.number(patient)}
            searches.add(at, common | more, episode or sittings.episode[sitting])
            continue
        name, (_log_type, table, _message_type) = steps[step]
        about: Fields = {}
        if patient >= 0:
            # of a few readings somebody typed the number by hand, and wrongly
            number = _mistyped(desk.number(patient)) if reference in LOST_JOURNALS else desk.number(patient)
            first, last = patients.blocks.get(patient, (day + 1, None))
            is_blocked = first <= day and (last is None or day < last)
            home = desk.unit_id(patients.stays[desk.stay_of[patient][day]].unit)
            about = {"Personnummer": number, "Boende": home, "Spärrad": "Ja" if is_blocked else "Nej"}
        word, result = EVENT_WORDS[name]
        what: Fields = {
            "Befattning": desk.role(employee, day),
            "Händelse": word,
            "Uppgiftstyp": WORDS[table],
            "Uppgift": "" if table == PERSON else WORDS.get(reference, reference),
            "Resultat": result,
            "Nödöppning": "Nej",
        }
        accesses.add(at, common | about | what, episode or sittings.episode[sitting])
    return accesses, searches


def _mistyped(number: str) -> str:
    return number[:-1] + str((int(number[-1]) + 1) % 10)


def _write(folder: Path, calendar: Calendar, source_id: str, entries: Entries, written: WrittenLogs) -> None:
    """Write one log month by month in order of time, CRLF, the last file in UTF-8 and the others in Windows-1252."""
    header = HEADERS[source_id].split(";")
    at = numpy.array(entries.at, dtype=numpy.int64)
    first, last = calendar.utc_second(0, 0), calendar.utc_second(calendar.n_days, 0)
    order = [place for place in numpy.argsort(at, kind="stable").tolist() if first <= entries.at[place] < last]
    local = calendar.local_seconds(at[order])
    offset = (calendar.start - EPOCH).days
    starts = [(calendar.number(month) + offset) * SECONDS_PER_DAY for month in calendar.months]
    bounds = [*numpy.searchsorted(local // SECONDS_PER_DAY * SECONDS_PER_DAY, starts).tolist(), len(order)]
    for place, month in enumerate(calendar.months):
        text = io.StringIO()
        writer = csv.DictWriter(text, header, restval="", delimiter=";", lineterminator="\r\n")
        writer.writeheader()
        path = folder / f"{source_id}_{month:%Y-%m}.csv"
        for number in range(bounds[place], bounds[place + 1]):
            moment = datetime.fromtimestamp(int(local[number]), UTC)
            given = entries.fields[order[number]]
            writer.writerow(_own_fields(header, moment, number) | given)
            if episode := entries.episode[order[number]]:
                line = number - bounds[place] + 2
                written.planted.append((episode, f"{moment:%Y-%m-%d}", (source_id, path.name, line)))
        path.write_bytes(text.getvalue().encode("utf-8-sig" if month == calendar.months[-1] else "cp1252"))
        written.paths.append(path)
        written.sources.append(source_id)
    written.n_records += len(order)


def _own_fields(header: list[str], moment: datetime, number: int) -> Fields:
    """Return what the log itself adds to a record: when, and its own id where it has one."""
    own: Fields = {
        "Logg-id": FIRST_LOG_ID + number,
        "Händelse-id": f"H{number + 1:06d}",
        "Tidpunkt": f"{moment:%Y-%m-%d %H:%M:%S}",
        "Datum": f"{moment:%Y-%m-%d}",
        "Klockslag": f"{moment:%H:%M:%S}",
    }
    return {name: value for name, value in own.items() if name in header}
