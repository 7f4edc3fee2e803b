"""Legal holds: what they name stays, whatever is to be disposed of."""

from __future__ import annotations

import secrets
from dataclasses import astuple, dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from audit_kernel.errors import UsageError
from audit_kernel.journal import Journal
from audit_kernel.store.catalogue import exists
from audit_kernel.store.connection import transaction, writing
from audit_kernel.store.deliver import reading
from audit_kernel.store.tables import LAKE
from audit_kernel.store.workspace import workspace
from audit_kernel.use_log import checked_purpose, operating_system_user

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import duckdb

    from audit_kernel.site import Site

JOURNAL = "holds.jsonl"
PEOPLE = {"patient": ("patient_id",), "employee": ("employee_id", "witness_id")}


@dataclass(frozen=True)
class Hold:
    """One line of the table `holds`: what it names must all be true of a row. Times in UTC without offset."""

    hold_id: str
    patient_id: str | None
    employee_id: str | None
    source_id: str | None
    from_date: date | None
    to_date: date | None
    reason: str
    placed_at: datetime
    placed_by: str
    released_at: datetime | None = None
    released_by: str | None = None
    release_reason: str | None = None


COLUMNS = ", ".join(field.name for field in fields(Hold))


def place_hold(
    site: Site,
    reason: str,
    *,
    patient_id: str | None = None,
    employee_id: str | None = None,
    source_id: str | None = None,
    from_date: date | None = None,
    to_date: date | None = None,
) -> Hold:
    """Place a hold; its line in the journal names no person, because a journal cannot be disposed of.

    Raises
    ------
    UsageError: no reason, nothing named, or a period that ends before it begins.
    StoreError, JournalError: it was not placed.
    """
    reason = checked_purpose(reason)
    if not any((patient_id, employee_id, source_id, from_date, to_date)):
        raise UsageError(
            "The hold names nothing.",
            "Give at least one of --patient, --employee, --source, --from and --to; all that is given must be true.",
        )
    site.period(from_date, to_date)
    now = datetime.now(UTC).replace(tzinfo=None)
    hold_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    user = operating_system_user()
    hold = Hold(hold_id, patient_id, employee_id, source_id, from_date, to_date, reason, now, user)
    named = [name for name in ("patient_id", "employee_id") if getattr(hold, name)]
    entry = {"hold": hold_id, "did": "placed", "reason": reason, "names": named, "user": user}
    with workspace(site) as folder, writing(site, folder) as connection, transaction(connection):
        marks = ", ".join("?" for _ in fields(Hold))
        connection.execute(f"insert into {LAKE}.holds ({COLUMNS}) values ({marks})", list(astuple(hold)))
        Journal(site.journals_folder / JOURNAL).append(
            {**entry, "source_id": source_id, "from_date": from_date, "to_date": to_date}
        )
    return hold


def release_hold(site: Site, hold_id: str, reason: str) -> None:
    """Release a hold; what it kept goes with the next disposal, not by itself.

    Raises
    ------
    UsageError: no reason, or no such hold is in force.
    """
    reason, user = checked_purpose(reason), operating_system_user()
    with workspace(site) as folder, writing(site, folder) as connection:
        if hold_id not in [hold.hold_id for hold in active_holds(connection)]:
            raise UsageError(
                "No hold {hold_id!r} is in force.", "See them with: audit-kernel hold list", hold_id=hold_id
            )
        with transaction(connection):
            connection.execute(
                f"update {LAKE}.holds set released_at = ?, released_by = ?, release_reason = ? where hold_id = ?",
                [datetime.now(UTC).replace(tzinfo=None), user, reason, hold_id],
            )
            entry = {"hold": hold_id, "did": "released", "reason": reason, "user": user}
            Journal(site.journals_folder / JOURNAL).append(entry)


def list_holds(site: Site) -> list[Hold]:
    """Return every hold, released ones too, oldest first."""
    if not exists(site):
        return []
    with reading(site) as connection:
        if not has_table(connection, "holds"):
            return []
        rows = connection.execute(f"select {COLUMNS} from {LAKE}.holds order by placed_at, hold_id").fetchall()
    return [Hold(*row) for row in rows]


def active_holds(connection: duckdb.DuckDBPyConnection) -> list[Hold]:
    """Return the holds in force, oldest first; none in a store from before there were holds."""
    if not has_table(connection, "holds"):
        return []
    rows = connection.execute(
        f"select {COLUMNS} from {LAKE}.holds where released_at is null order by placed_at, hold_id"
    ).fetchall()
    return [Hold(*row) for row in rows]


def has_table(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Say whether the lake has a table: a store made by an earlier version gets it with its next intake."""
    found = "select 1 from duckdb_columns() where database_name = ? and table_name = ? limit 1"
    return connection.execute(found, [LAKE, name]).fetchone() is not None


def name_people(connection: duckdb.DuckDBPyConnection, holds: Sequence[Hold]) -> None:
    """Make the temp table `held_people` (hold_id, kind, identifier): every identifier of those whom a hold names.

    It needs the model views. An identifier counts on whatever day: too much is held rather than too little.
    """
    connection.execute("create or replace temp table held_people (hold_id varchar, kind varchar, identifier varchar)")
    for hold in holds:
        for kind, typed in (("patient", hold.patient_id), ("employee", hold.employee_id)):
            if typed:
                connection.execute(
                    f"insert into held_people select $hold_id, $kind, identifier from ({identifiers_of(kind)})",
                    {"hold_id": hold.hold_id, "kind": kind, "typed": typed},
                )
    numbers = connection.execute(
        f"select distinct hold_id, personal_number from held_people join {LAKE}.patients on patient_id = identifier"
        " where kind = 'patient' and personal_number is not null"
    ).fetchall()
    for hold_id, number in numbers:
        forms = [[hold_id, "patient", form] for form in written_forms(str(number))]
        connection.executemany("insert into held_people values (?, ?, ?)", forms)


def written_forms(number: str) -> list[str]:
    """Return a personal number as people write it in a text: 12 digits (Sweden) or 11 (Norway)."""
    birth, last = number[:-4], number[-4:]
    if len(number) == NORWEGIAN_DIGITS:
        birth, last = number[:6], number[6:]
    forms = [number, f"{birth} {last}", f"{birth}-{last}"]
    return forms + [f"{birth[2:]}{sign}{last}" for sign in ("", "-", "+", " ") if len(birth) == len("yyyymmdd")]


def identifiers_of(kind: str) -> str:
    """Return the SELECT of every `identifier` of the patient or employee `$typed`, the site's own id among them."""
    known, subject = f"{kind}_identifiers", f"{kind}_id"
    person = f"(select {subject} from {known} where {subject} = $typed or identifier = $typed union select $typed)"
    prefixes = "identifier_prefixes" if kind == "patient" else "(select '' as prefix)"
    return (
        f"select identifier from {known} where {subject} in {person}"
        f" union select prefix || {subject} from {prefixes} cross join {person}"
    )


SHORTEST_WORD = 6  # a shorter number in a free text is as likely something else
NORWEGIAN_DIGITS = 11
FREE_TEXTS = ("message", "purpose", "patient_name")
TEXTS = f"concat_ws(' ', {', '.join(FREE_TEXTS)})"
OF_ANY_DAY = "true"  # when a record that could not be read was written, nobody knows


def is_held(holds: Sequence[Hold], site: Site, columns: Collection[str]) -> tuple[str, dict[str, object]]:
    """Return the condition under which a row of a table with these columns is held, and the values that it binds.

    A table without a column that a hold asks for has no row that it holds.
    """
    day = next((name for name in ("recorded_at", "local_date") if name in columns), "")
    values: dict[str, object] = {}
    held: list[str] = []

    def bind(value: object) -> str:
        values[f"hold_{len(values)}"] = value
        return f"$hold_{len(values) - 1}"

    for hold in holds:
        parts: list[str] = []
        for kind, typed in (("patient", hold.patient_id), ("employee", hold.employee_id)):
            if typed:
                of_hold = f"hold_id = {bind(hold.hold_id)} and kind = '{kind}'"
                people = f"select identifier from held_people where {of_hold}"
                named = [f"{name} in ({people})" for name in PEOPLE[kind] if name in columns]
                if "raw_record" in columns:  # a record that could not be read: whom it names, its text says
                    named.append(f"exists (from ({people}) where contains(raw_record, identifier))")
                elif "message" in columns and kind == "patient":
                    long = f"length(identifier) >= {SHORTEST_WORD}"
                    named.append(f"exists (from ({people}) where {long} and contains({TEXTS}, identifier))")
                parts.append(either(named))
        if hold.source_id:
            parts.append(either(f"{name} = {bind(hold.source_id)}" for name in ("source_id",) if name in columns))
        for edge, sign in ((hold.from_date, ">="), (hold.to_date and hold.to_date + timedelta(days=1), "<")):
            if edge:
                moment = site.instant(edge) if day == "recorded_at" else edge
                parts.append(
                    f"{day} {sign} {bind(moment)}" if day else OF_ANY_DAY if "raw_record" in columns else "false"
                )
        held.append(f"({' and '.join(parts)})")
    return f"coalesce({' or '.join(held) or 'false'}, false)", values


def either(conditions: Iterable[str]) -> str:
    """Return the conditions joined by `or`, NULL counted as false; false where there is none."""
    return f"coalesce({' or '.join(conditions) or 'false'}, false)"
