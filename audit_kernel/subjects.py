"""Looks up what an operator typed: a person by any identifier, a code as a log writes it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from audit_kernel.errors import ParameterError, Phrase, UnknownSubjectError
from audit_kernel.sources.dictionary import FIELDS
from audit_kernel.store.tables import with_access_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb

# A personal number as people write it; logs that are mapped as such hold its digits alone.
WRITTEN_OUT = re.compile(r"\d{8}[+-]\d{4}|\d{6} \d{5}", re.ASCII)
# What the logs may call a patient is stored in the column `patient_id`.
IDENTIFIERS_OF_DAYS = """
with patients_of_days as (select unnest($patients) as id)
select prefix || id as patient_id from identifier_prefixes cross join patients_of_days
union
select identifier from patient_identifiers semi join patients_of_days on patient_identifiers.patient_id = id
"""
ORDERS = {"patient": "accesses_by_patient", "employee": "accesses_by_employee"}


def point_at(connection: duckdb.DuckDBPyConnection, order: str) -> None:
    """Point the views at the rows sorted by `patient` or by `employee`."""
    connection.execute(f"create or replace temp view stored_accesses as {with_access_id(ORDERS[order])}")


def resolve_subject(connection: duckdb.DuckDBPyConnection, kind: str, typed: str) -> str:
    """Return the site's one id for what the operator typed: that id itself, or an identifier of any log.

    Raises
    ------
    UnknownSubjectError: it stands neither in the log nor in the reference data, or it names several persons: one of the
        reference data, and another whom a log calls so without any identifier that says who it is.
    """
    subject = f"{kind}_id"
    # the site's own id is looked for alone first: it needs no look at every identifier
    if connection.execute(
        f"select 1 from {kind}_identifiers where {subject} = $typed limit 1", {"typed": typed}
    ).fetchone():
        return typed
    rows = connection.execute(
        f"select distinct {subject} from {kind}_identifiers where identifier = $typed order by 1",
        {"typed": typed},
    ).fetchall()
    ids = [str(row[0]) for row in rows]
    if stands_in_log(connection, kind, typed):
        ids.append(typed)
    if not ids and connection.execute(f"select 1 from {kind}s where {subject} = ? limit 1", [typed]).fetchone():
        return typed
    if len(ids) == 1:
        return ids[0]
    if ids:
        raise UnknownSubjectError(
            "{typed!r} names {number} {kinds}, in different logs or at different times.",
            "Give the site's own {kind} id.",
            typed=typed,
            number=len(ids),
            kinds=Phrase(f"{kind}s"),
            kind=Phrase(kind),
        )
    if WRITTEN_OUT.fullmatch(typed):
        return resolve_subject(connection, kind, re.sub("[ +-]", "", typed))
    raise UnknownSubjectError(
        "The {kind} {typed!r} stands neither in any log nor in the reference data.",
        "Check the number; nothing was searched.",
        kind=Phrase(kind),
        typed=typed,
    )


def stands_in_log(connection: duckdb.DuckDBPyConnection, kind: str, typed: str) -> bool:
    """Say whether a log names somebody so whom no identifier of that log resolves on that day."""
    point_at(connection, kind)
    prefixes = connection.execute("select prefix from identifier_prefixes").fetchall() if kind == "patient" else [("",)]
    # as constants, because only these reach the scan: a patient may stand behind the table of the related record
    stored = {f"stored_{place}": prefix + typed for place, (prefix,) in enumerate(prefixes)}
    names = ", ".join(f"${name}" for name in stored)
    found = connection.execute(
        f"select 1 from resolved_accesses where {kind}_id in ({names}) and resolved_{kind}_id = $typed limit 1",
        {"typed": typed, **stored},
    )
    return found.fetchone() is not None


@contextmanager
def rows_of_days(connection: duckdb.DuckDBPyConnection, unit_keys: Sequence[str]) -> Iterator[None]:
    """Point the views at the rows of the patients of these days, each `employee|patient|date`, then at all again.

    Without it a month's rows would each be resolved to find some thousand.
    """
    # an id may hold the separator: each reading of a key counts
    parts = [key.split("|")[:-1] for key in unit_keys]
    patients = {"|".join(part[place:]) for part in parts for place in range(1, len(part))}
    connection.execute(
        f"create or replace temp table identifiers_of_days as {IDENTIFIERS_OF_DAYS}", {"patients": sorted(patients)}
    )
    text = with_access_id(ORDERS["patient"])
    connection.execute(
        f"create or replace temp view stored_accesses as {text} semi join identifiers_of_days using (patient_id)"
    )
    try:
        yield
    finally:
        point_at(connection, "patient")


def refuse_unknown_code(connection: duckdb.DuckDBPyConnection, name: str, typed: str) -> None:
    """Refuse a log type, table or message type that was mistyped; other parameters are not codes.

    Raises
    ------
    ParameterError: it stands neither in the dictionary nor in any log.
    """
    if name not in FIELDS:
        return
    known = "select 1 from codes where field = $name and code = $typed limit 1"
    if connection.execute(known, {"name": name, "typed": typed}).fetchone():
        return
    stored = f'select 1 from lake.{ORDERS["patient"]} where "{name}" = $typed limit 1'
    if connection.execute(stored, {"typed": typed}).fetchone():
        return
    raise ParameterError(
        "The {name} {typed!r} stands neither in any log nor in a code dictionary.",
        "Check the spelling, capitals included; nothing was searched.",
        name=name,
        typed=typed,
    )
