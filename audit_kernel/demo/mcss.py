"""The Swedish export files: four MCSS-style logs, one file of each a local month. Their layout is invented.

Network addresses are those set apart for documentation (RFC 5737), so that nobody's device is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy

from audit_kernel.demo.entries import Desk, make_desk
from audit_kernel.demo.export import LOST_JOURNALS, Log, WrittenLogs
from audit_kernel.demo.lines import Records, chosen, quoted, write_months
from audit_kernel.demo.medication import medication_entries
from audit_kernel.demo.sign_ins import Sittings, abroad_and_intrusion, sittings_of
from audit_kernel.demo.steps import CODE, PERSON, STEPS
from audit_kernel.demo.sweden import EVENT_WORDS, WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow
    from numpy.typing import NDArray

    from audit_kernel.demo.incidents import Episode, World
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
BAD_MOMENTS = ("2026-09-31 08:00:00", "07.10.2026 08:00", "2026-10-07 25:61:00", "0000-00-00 00:00:00")
ENTERED = ("mcss_authentication", "mcss_medication")
NOT_BROKEN = ("Nej", "")
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
    signed_in, intrusion, abroad = abroad_and_intrusion(desk, sittings, travels, len(episodes) + 1, busy)
    busy |= {intrusion.employee, abroad.employee}
    medication, withdrawals = medication_entries(desk, log, abroad.number + 1, busy)
    accesses, searches = accesses_and_searches(desk, log, sittings)
    entries = (signed_in, medication)
    filed = [Records.of(each, HEADERS[name]) for each, name in zip(entries, ENTERED, strict=True)]
    logs = dict(zip(HEADERS, (accesses, *filed, searches), strict=True))
    written = WrittenLogs([], [], 0, "episode source_id file_name line_number", [])
    for source_id, records in logs.items():
        write_months(folder, world.calendar, source_id, HEADERS[source_id], records, written)
    return written, [*episodes, intrusion, abroad, withdrawals]


def accesses_and_searches(
    desk: Desk,
    log: Log,
    sittings: Sittings,
    notes: Sequence[tuple[str, str]] = (NOT_BROKEN,),
    *,
    keeps_home: bool = True,
) -> tuple[Records, Records]:
    """Return the records of the access log and of the search log.

    Parameters
    ----------
    notes: by the events' `note`: whether the glass was broken, and the purpose that was stated.
    keeps_home: whether the log names the last unit of patients who have left.
    """
    events, patients = log.events, desk.world.patients
    n_days = desk.world.calendar.n_days
    days, sitting = desk.days(events.at), numpy.array(sittings.of_row, dtype=numpy.int64)
    who = events.employee * n_days + days
    is_search = numpy.isin(events.step, list(SEARCHES))
    is_lost = numpy.fromiter((each in LOST_JOURNALS for each in log.references), dtype=bool, count=len(events))
    # of a few readings somebody typed the number by hand, and wrongly
    numbers = [desk.number(patient) for patient in range(len(patients.people))]
    numbers += [_mistyped(number) for number in numbers]
    about = numpy.where(events.patient < 0, 2 * len(patients.people), events.patient)
    about = numpy.where(is_lost & (events.patient >= 0), about + len(patients.people), about)
    moments = {row: BAD_MOMENTS[place % len(BAD_MOMENTS)] for place, row in enumerate(sorted(log.bad))}
    common = {
        "Användare": chosen([name for names in desk.names for name in names], who),
        "Enhet": chosen([unit.unit_id for unit in desk.world.units], desk.unit_of[events.employee, days]),
        "Personnummer": chosen([*numbers, ""], about),
        "Nätadress": chosen(sittings.address, sitting),
        "Session": chosen([f"S{100_000 + number}" for number in range(len(sittings.address))], sitting),
    }
    place_searched = numpy.where(is_search, (events.at + events.employee) % len(SEARCHED_IN), 0)
    kinds = [SEARCHES.get(step, "") for step in range(len(STEPS))]
    searched = common | {"Söktyp": chosen(kinds, events.step), "Sökt på": chosen(SEARCHED_IN, place_searched)}
    words = [EVENT_WORDS.get(name, ("", "")) for name in STEPS]
    tables = [table for _log_type, table, _message_type in STEPS.values()]
    is_person = numpy.isin(events.step, [step for step, table in enumerate(tables) if table == PERSON]).tolist()
    pairs = zip(is_person, log.references, strict=True)
    is_at_none = events.patient < 0 if keeps_home else (events.patient < 0) | ~desk.is_staying[events.patient, days]
    homes = numpy.where(is_at_none, len(desk.world.units), desk.home_of[events.patient, days])
    opened: dict[str, pyarrow.StringArray | list[str]] = {
        **common,
        "Befattning": chosen([WORDS[duty.role] for duty in desk.world.duties], desk.duty_of[events.employee, days]),
        "Boende": chosen([*(unit.unit_id for unit in desk.world.units), ""], homes),
        "Spärrad": chosen(("Nej", "Ja", ""), _blocked(desk, log, days)),
        "Händelse": chosen([word for word, _result in words], events.step),
        "Uppgiftstyp": chosen([WORDS[table] for table in tables], events.step),
        "Uppgift": ["" if is_one else quoted(WORDS.get(each, each)) for is_one, each in pairs],
        "Resultat": chosen([result for _word, result in words], events.step),
        "Nödöppning": chosen([is_broken for is_broken, _purpose in notes], events.note),
        "Ändamål": chosen([quoted(purpose) for _is_broken, purpose in notes], events.note),
    }
    episodes = numpy.where(events.episode > 0, events.episode, numpy.array(sittings.episode)[sitting])
    whole = Records(events.at, episodes, opened, moments)
    return whole.take(~is_search), Records(events.at, episodes, searched, moments).take(is_search)


def _blocked(desk: Desk, log: Log, days: NDArray[numpy.int64]) -> NDArray[numpy.int64]:
    """Return 1 where the patient's record was blocked that day, 0 where not, 2 where there is no patient."""
    blocked = numpy.where(log.events.patient < 0, 2, 0)
    for patient, (first, last) in desk.world.patients.blocks.items():
        is_hit = (log.events.patient == patient) & (days >= first)
        blocked[is_hit if last is None else is_hit & (days < last)] = 1
    return blocked


def _mistyped(number: str) -> str:
    return number[:-1] + str((int(number[-1]) + 1) % 10)
