"""Disposal: what would go, and with the operator's confirmation it goes; a legal hold wins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from audit_kernel.errors import UnknownSubjectError, UsageError
from audit_kernel.store import hold as holds
from audit_kernel.store.catalogue import exists
from audit_kernel.store.connection import attach, connect, nothing_taken_in, transaction, while_reading, writing
from audit_kernel.store.erase import Disposal, Line, erase_bytes, finish, record_disposal, unfinished
from audit_kernel.store.patient_rows import PatientRows
from audit_kernel.store.retention import refuse_young
from audit_kernel.store.tables import LAKE, table_definitions
from audit_kernel.store.views import create_views, setting_rows, work_out
from audit_kernel.store.workspace import workspace
from audit_kernel.use_log import record_use

if TYPE_CHECKING:
    import duckdb

    from audit_kernel.site import Site


@dataclass(frozen=True)
class Request:
    """What is to be disposed of: events before a local day, or one patient by an authority's decision.

    Raises
    ------
    UsageError: neither or both, or a patient without the decision's reference.
    """

    before: date | None = None
    patient: str | None = None
    decision: str = ""

    def __post_init__(self) -> None:
        """Refuse what is not one of the two."""
        if (self.before is None) == (self.patient is None):
            raise UsageError(
                "Disposal takes one of --before, --patient and --evidence.", "Give one of them; nothing was changed."
            )
        if self.patient is not None and not self.decision.strip():
            raise UsageError(
                "One patient's log is disposed of by an authority's decision only.",
                "Give its reference with --decision. Nothing was changed.",
            )

    @property
    def kind(self) -> str:
        """Return `before` or `patient`."""
        return "before" if self.before else "patient"


@dataclass(frozen=True)
class Selection:
    """Rows of one stored table: the conditions that they go and that they are held, and the values both bind."""

    table: str
    goes: str
    held: str
    values: dict[str, object]
    month: str = "''"
    source: str = "''"

    def bound(self, *conditions: str) -> dict[str, object]:
        """Return the values that these conditions bind, no others."""
        names = set(re.findall(r"\$(\w+)", " ".join(conditions)))
        return {name: value for name, value in self.values.items() if name in names}


def plan_disposal(site: Site, request: Request) -> list[Line]:
    """Return what would go and what is held: rows by table, log and month. Nothing is changed.

    Raises
    ------
    UsageError: the logs are younger than the country's minimum.
    UnknownSubjectError: the patient stands nowhere, or the number names several persons.
    StoreError: the store is empty or cannot be read.
    """
    begin(site, request, is_confirmed=False)
    settings = site.settings.store
    with while_reading(site), workspace(site) as folder:
        connection = connect(folder, settings.memory_limit, settings.threads)
        try:
            attach(connection, site, read_only=True)
            return counted(connection, selections(connection, site, request))
        finally:
            connection.close()


def dispose(site: Site, request: Request) -> list[Disposal]:
    """Dispose of it, physically, and seal a record in the archive; finish what an interrupted disposal left.

    Returns
    -------
    list of Disposal: what was finished now; an earlier, interrupted one comes first.

    Raises
    ------
    UsageError, UnknownSubjectError: as in `plan_disposal`; nothing was changed.
    StoreError: it was not finished; run it again.
    """
    begin(site, request, is_confirmed=True)
    if not exists(site):
        raise nothing_taken_in(site)
    with workspace(site) as folder, writing(site, folder) as connection:
        interrupted = unfinished(connection)
        try:
            remove(connection, site, request, selections(connection, site, request))
        except UnknownSubjectError:
            if not interrupted:  # else it was this very disposal that was interrupted
                raise
        pending = unfinished(connection)
        if any(disposal.n_rows for disposal in pending):
            erase_bytes(connection)
    if pending:
        finish(site, pending)
    return pending


def remove(connection: duckdb.DuckDBPyConnection, site: Site, request: Request, chosen: list[Selection]) -> None:
    """Delete what is not held and record it, in one transaction; nothing where nothing was chosen."""
    lines = counted(connection, chosen)
    if not lines:
        return
    with transaction(connection):
        for each in chosen:
            condition = f"{each.goes} and not ({each.held})"
            connection.execute(f'delete from {LAKE}."{each.table}" where {condition}', each.bound(condition))
        if request.before:
            # Else days without a row would pass for whole. One patient's rows did come: those counts stay.
            connection.execute(f"delete from {LAKE}.hourly_counts where hour_at < ?", [site.instant(request.before)])
        record_disposal(connection, request.kind, request.before, request.decision.strip(), lines)


def begin(site: Site, request: Request, *, is_confirmed: bool) -> None:
    """Refuse logs younger than the country's minimum, then leave a line in the use log: without the patient, for good.

    An authority's decision about one patient knows no minimum.
    """
    if request.before:
        refuse_young(site, request.before)
    purpose = request.decision or f"disposal of logs before {request.before}"
    record_use(site, purpose, "disposal", {"kind": request.kind, "confirmed": is_confirmed})


def selections(connection: duckdb.DuckDBPyConnection, site: Site, request: Request) -> list[Selection]:
    """Return the rows of each stored table that the request is about, the held ones marked."""
    create_views(connection, setting_rows(site))
    work_out(connection)
    in_force = holds.active_holds(connection)
    holds.name_people(connection, in_force)
    about = PatientRows(connection, request.patient) if request.patient else None
    chosen: list[Selection] = []
    for name, table in table_definitions().items():
        if name == "hourly_counts":
            continue  # hours and numbers, of nobody
        day = next((column for column in ("recorded_at", "local_date") if column in table.columns), "")
        held, values = holds.is_held(in_force, site, table.columns)
        goes = ""
        if about:
            goes = about.goes(name, table)
            values |= about.values
        elif request.before and day:
            goes, values["before"] = f"{day} < $before", request.before
            if day == "recorded_at":
                values["before"] = site.instant(request.before)
        elif request.before and name == "quarantine":
            old = "select file_id from lake.intake_files where coalesce(last_at, taken_in_at) < $before"
            goes, values["before"] = f"file_id in ({old})", site.instant(request.before)
        if not goes:
            continue
        if about and not day and name != "quarantine":
            held = str(about.is_held).lower()
        month = f"strftime({day}, '%Y-%m')" if day else "''"
        source = "source_id" if "source_id" in table.columns else "''"
        stored = [each for each in table.stored_names(name) if holds.has_table(connection, each)]
        chosen += [Selection(each, goes, held, values, month, source) for each in stored]
        if about and day and not about.is_held:
            # the names that explain a held row stay with it
            about.is_held = any(line.n_held for line in counted(connection, chosen[-len(stored) :]))
    return chosen


def counted(connection: duckdb.DuckDBPyConnection, chosen: list[Selection]) -> list[Line]:
    """Count rows and files of each table by log and month."""
    lines: list[Line] = []
    for each in chosen:
        rows = connection.execute(
            f"select coalesce({each.source}, ''), {each.month}, count(*) filter (not ({each.held})),"
            f" count(*) filter ({each.held}), count(distinct filename) filter (not ({each.held}))"
            f' from {LAKE}."{each.table}" where {each.goes} group by all order by all',
            each.bound(each.goes, each.held),
        ).fetchall()
        lines += [line for row in rows if (line := Line(each.table, *row)).n_rows or line.n_held]
    return lines
