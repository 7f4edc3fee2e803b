"""Every row about one patient, in every table: what an authority's decision to dispose of a patient's log reaches."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audit_kernel.errors import UnknownSubjectError
from audit_kernel.store.hold import NORWEGIAN_DIGITS, SHORTEST_WORD, TEXTS, either, identifiers_of
from audit_kernel.store.tables import LAKE
from audit_kernel.subjects import resolve_subject, stands_in_log

if TYPE_CHECKING:
    import duckdb

    from audit_kernel.store.tables import TableDefinition

SHORTEST_IN_QUARANTINE = 3
SWEDISH_DIGITS = 12
GOING = "(select identifier from going_people)"


class PatientRows:
    """Every row about one patient, by all identifiers; texts that hold one of them as a word count too.

    Raises
    ------
    UnknownSubjectError: the patient stands nowhere, or the number names several persons.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, typed: str) -> None:
        self.connection = connection
        self.patient_id = known_patient(connection, typed)
        of_patient = {"typed": self.patient_id}
        connection.execute(
            f"create or replace temp table going_people as select distinct identifier"
            f" from ({identifiers_of('patient')})",
            of_patient,
        )
        rows = connection.execute(
            "select $typed union select identifier from lake.identifiers where kind = 'patient' and id = $typed"
            " union select personal_number from lake.patients where patient_id = $typed and personal_number is not null"
            " order by 1",
            of_patient,
        ).fetchall()
        self.identifiers = [str(each) for (each,) in rows]
        connection.execute("insert into going_people select unnest($identifiers)", {"identifiers": self.identifiers})
        self.is_held = bool(
            connection.execute(f"select 1 from held_people where kind = 'patient' and identifier in {GOING}").fetchone()
        )
        self.values: dict[str, object] = {
            "patient": self.patient_id,
            "identifiers": self.identifiers,
            "words": pattern(self.identifiers, SHORTEST_WORD),
            "quarantined_words": pattern(self.identifiers, SHORTEST_IN_QUARANTINE),
        }
        connection.execute(
            "create or replace temp table going_accesses as select source_id, event_id, item from resolved_accesses"
            " where (resolved_patient_id = $patient and patient_id in (select identifier from going_people))"
            f" or regexp_matches({TEXTS}, $words)",
            {name: self.values[name] for name in ("patient", "words")},
        )

    def goes(self, name: str, table: TableDefinition) -> str:
        """Return the condition for one table; empty where nothing of it is about a patient."""
        fixed = {
            "accesses": "(source_id, event_id, item) in (select (source_id, event_id, item) from going_accesses)",
            "quarantine": "regexp_matches(raw_record, $quarantined_words)",
            "identifiers": "kind = 'patient' and (id = $patient or list_contains($identifiers, identifier))",
            "holds": f"released_at is not null and coalesce(patient_id in {GOING}, false)",
        }
        if name in fixed:
            return fixed[name]
        if {"source_id", "event_id", "patient_id", "local_date"} <= table.columns.keys():
            # who the number was on that day: it may have been another person's at another time
            self.connection.execute(
                f"create or replace temp table going_{name} as select stored.source_id, stored.event_id"
                f" from {LAKE}.{table.stored_names(name)[0]} as stored left join identifier_periods as known"
                " on known.kind = 'patient' and known.source_id = stored.source_id"
                " and known.identifier = stored.patient_id and stored.local_date >= known.valid_from"
                " and stored.local_date < known.valid_to where coalesce(known.id, stored.patient_id) = $patient",
                {"patient": self.patient_id},
            )
            return f"(source_id, event_id) in (select (source_id, event_id) from going_{name})"
        named = [column for column in table.columns if "patient_id" in column]
        if not named:
            return ""
        named += [column for column in ("personal_number",) if column in table.columns]
        return either(f"{column} in {GOING}" for column in named)


def known_patient(connection: duckdb.DuckDBPyConnection, typed: str) -> str:
    """Return the site's id of a patient; one whom only a record in quarantine names is taken as typed.

    Raises
    ------
    UnknownSubjectError: as `resolve_subject`.
    """
    try:
        return resolve_subject(connection, "patient", typed)
    except UnknownSubjectError:
        known = "select 1 from patient_identifiers where $typed in (patient_id, identifier) limit 1"
        if connection.execute(known, {"typed": typed}).fetchone() or stands_in_log(connection, "patient", typed):
            raise
        found = f"select 1 from {LAKE}.quarantine where regexp_matches(raw_record, $words) limit 1"
        if not connection.execute(found, {"words": pattern([typed], SHORTEST_IN_QUARANTINE)}).fetchone():
            raise
        return typed


def pattern(identifiers: list[str], shortest: int) -> str:
    """Return a regular expression that finds an identifier as a word, a personal number as people write it."""
    words = [spelled(each) for each in identifiers if len(each) >= shortest]
    return f"(^|[^0-9A-Za-z])({'|'.join(words)})($|[^0-9A-Za-z])" if words else "^\\b$"  # which no text fits


def spelled(identifier: str) -> str:
    """Return the expression of one identifier: 12 digits (Sweden), 11 (Norway) with a sign or without the century."""
    if identifier.isdigit() and len(identifier) == SWEDISH_DIGITS:
        return f"({identifier[:2]})?{identifier[2:8]}[-+ ]?{identifier[8:]}"
    if identifier.isdigit() and len(identifier) == NORWEGIAN_DIGITS:
        return f"{identifier[:6]}[- ]?{identifier[6:]}"
    return re.escape(identifier)
