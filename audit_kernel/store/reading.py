"""Opens the store for reading: only with a purpose, and every question is in the use log before its answer."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

import duckdb
import pyarrow as pa

from audit_kernel.catalog import MONTH_FINDINGS, Catalog
from audit_kernel.errors import Phrase, StoreError, UsageError
from audit_kernel.explanations import explain_period, forget_period, period_sql
from audit_kernel.query import Looked, Result, run_query
from audit_kernel.store.catalogue import files_address, literal
from audit_kernel.store.connection import connect, while_reading, without_log_text
from audit_kernel.store.ledger import Delivery, deliveries
from audit_kernel.store.own_sql import run_own
from audit_kernel.store.pinned import attach_pinned, refuse_older_store
from audit_kernel.store.views import create_views, setting_rows, work_out
from audit_kernel.subjects import resolve_subject
from audit_kernel.use_log import (
    SUBJECTS,
    checked_purpose,
    plain_details,
    record_answer,
    record_use,
    units_of_user,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date
    from types import TracebackType

    from audit_kernel.catalog import Query
    from audit_kernel.site import Site

NAMED = ("employee", "patient", "unit")
# What findings are ranked by, and the types that all checks' columns are brought to.
RANKED_COLUMNS: dict[str, pa.DataType] = {
    **dict.fromkeys(("finding_id", "check_id", "stream", "employee_id", "patient_id", "unit_id"), pa.string()),
    **dict.fromkeys(("first_at", "last_at"), pa.timestamp("us")),
    "n_events": pa.int64(),
    "tail_probability": pa.decimal128(19, 18),
    "severity": pa.int32(),
    "explanation_found": pa.string(),
}
RANKED = pa.schema(RANKED_COLUMNS)
Answer = TypeVar("Answer")


class Store:
    """A read-only view of a site's store at one snapshot.

    Parameters
    ----------
    purpose: a case number or a reason; it stands in the use log beside every question.
    snapshot: the snapshot to read; the newest when None.
    threads: threads of one query; the site's setting when None.
    control: the month whose control asks, so that the use log can tell its questions from people's.
    is_counting: it answers a whole month's questions, for which all reference data is worked out once.

    Raises
    ------
    UsageError: no purpose was given.
    JournalError: the use log cannot be written; nothing is opened.
    StoreError: the store is empty or cannot be read.
    SettingsError: a mapping or dictionary of the site is wrong.
    """

    def __init__(
        self,
        site: Site,
        purpose: str,
        snapshot: int | None = None,
        threads: int | None = None,
        control: str = "",
        *,
        is_counting: bool = False,
    ) -> None:
        self.site, self._looked, self._is_counting = site, Looked(), is_counting
        self._units: list[str] | None = None
        self._mark = {"control": control} if control else {}
        self.purpose = checked_purpose(purpose)
        settings = site.settings.store
        self._connection = connect(site.temporary_folder, settings.memory_limit, threads or settings.threads)
        try:
            try:
                self._open(snapshot)
            finally:  # one that failed is an opening too
                record_use(site, self.purpose, "open", {"snapshot": snapshot, **self._mark}, units=self._units)
        except BaseException:
            self._connection.close()
            raise

    def _open(self, snapshot: int | None) -> None:
        self.catalog = Catalog(self.site.folder)
        self.snapshot = self._attach(snapshot)
        with while_reading(self.site):
            create_views(self._connection, setting_rows(self.site))
            self._lock_in()
            self._units = units_of_user(self._connection, self.site)

    def _attach(self, snapshot: int | None) -> int:
        """Attach the lake at that snapshot, the newest when None; return its number."""
        number = attach_pinned(self._connection, self.site, snapshot)
        with while_reading(self.site):
            refuse_older_store(self._connection, self.site)
        return number

    def _lock_in(self) -> None:
        """A reader reads the store and nothing else: no other file, no export beside the use log's knowledge."""
        folders = [f"{folder}/" for folder in (self.site.store_folder, self.site.temporary_folder)]
        allowed = ", ".join(literal(folder) for folder in (*folders, files_address(self.site)))
        self._connection.execute(f"set allowed_directories = [{allowed}]")
        self._connection.execute("set enable_external_access = false")
        self._connection.execute("set lock_configuration = true")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self.close()

    @cached_property
    def _for_questions(self) -> duckdb.DuckDBPyConnection:
        """The connection, with what every question joins worked out."""
        return work_out(self._connection, is_whole=self._is_counting)

    def close(self) -> None:
        """Close the store; later questions raise StoreError."""
        self._connection.close()

    def report(self, name: str, **parameters: Any) -> Result:  # noqa: ANN401 - typed by the query's `.yml`
        """Run a catalogued report, check or sample query.

        Parameters
        ----------
        parameters: as the query's `.yml` declares them; a period is `from_date` and `to_date`, both included.

        Raises
        ------
        ParameterError, UnknownSubjectError, NotAssessableError: see `run_query`.
        JournalError: the use log cannot be written; nothing is returned.
        """
        return self.ask(self.catalog.query(name), parameters, name)

    def ask(self, query: Query, parameters: Mapping[str, Any], name: str = "") -> Result:
        """Run a query of the catalogue, or a file beside it (`Query.beside`); else as `report`.

        Parameters
        ----------
        name: what it was asked as, for the use log; room and name of the query when empty.
        """
        about = {subject: parameters[subject] for subject in SUBJECTS if parameters.get(subject)}
        name = name or "/".join([query.room, ".".join(filter(None, [query.name, query.part]))])
        question = self._asked("report", {"query": name, "about": about, "parameters": parameters})
        problem = Phrase("The query {query!r} could not be answered ({cause}).")
        remedy = Phrase("If it happens again, report the query's name and this sentence.")
        with without_log_text(StoreError, problem, remedy, query=query.name):
            result = run_query(self._for_questions, self.site, query, parameters, self._looked)
        return self._handed_out(question, result, result.table.num_rows)

    def note(self, activity: str, details: Mapping[str, Any]) -> None:
        """Write into the use log what the questions that follow are for.

        Raises
        ------
        JournalError: the use log cannot be written.
        """
        self._recorded(activity, details)

    def forget_period(self) -> None:
        """Search for a period's reasons anew when it is next asked about: thresholds or rows are others now."""
        self._looked = Looked()
        forget_period(self._connection)

    def forget_steps(self, query: Query) -> None:
        """Free the memory of a query's steps; they are made anew where they are asked for again."""
        for name, _text in query.steps:
            if self._looked.steps.pop(name, None) is not None:
                self._connection.execute(f'drop table "{name}"')

    def keep_rows(self, name: str, rows: pa.Table) -> None:
        """Make rows of the program's own a relation that queries read."""
        self._connection.register("kept_rows", rows)
        self._connection.execute(f'create or replace temp table "{name}" as select * from kept_rows')
        self._connection.unregister("kept_rows")

    def keep_findings(self, findings: Sequence[pa.Table]) -> None:
        """Make the findings of a month's checks the relation that `ranked_findings` reads.

        Parameters
        ----------
        findings: one table a check, with the columns of a finding.
        """
        same = [table.select(RANKED.names).cast(RANKED) for table in findings]
        self.keep_rows("finding_rows", pa.concat_tables([RANKED.empty_table(), *same]))
        self._connection.execute(f"create or replace temp table {MONTH_FINDINGS} as {period_sql(MONTH_FINDINGS)}")
        self._connection.execute("drop table finding_rows")

    def unexplained_days(self, first: date, last: date) -> pa.Table:
        """Return the days of a period without a reason: employee_id, patient_id, local_date, unit_id, n_accesses.

        Raises
        ------
        JournalError: the use log cannot be written; nothing is returned.
        """
        question = self._asked("unexplained_days", {"from_date": first, "to_date": last})
        with while_reading(self.site):
            start_at, end_at = self.site.period(first, last)
            explain_period(self._for_questions, self.site, {"start_at": start_at, "end_at": end_at}, first)
            days = self._connection.execute(period_sql("unexplained_days")).to_arrow_table()
        return self._handed_out(question, days, days.num_rows)

    def deliveries(self) -> list[Delivery]:
        """Return the ledger at this snapshot, oldest first.

        Raises
        ------
        JournalError: the use log cannot be written; nothing is returned.
        """
        question = self._asked("ledger", {})
        with while_reading(self.site):
            found = deliveries(self._connection)
        return self._handed_out(question, found, len(found))

    def subject(self, kind: str, typed: str) -> str:
        """Return the site's id of an employee or patient, by that id or an identifier of any log.

        Raises
        ------
        UnknownSubjectError: there is no such person, or several.
        JournalError: the use log cannot be written; nothing is returned.
        """
        question = self._asked("subject", {"about": {f"{kind}_id": typed}})
        with while_reading(self.site):
            found = resolve_subject(self._for_questions, kind, typed)
        return self._handed_out(question, found, 1)

    def names(self, kind: str, ids: Collection[str]) -> dict[str, str]:
        """Return the newest names of these employees, patients or units, by id.

        Raises
        ------
        UsageError: `kind` is none of them.
        JournalError: the use log cannot be written; nothing is returned.
        """
        if kind not in NAMED:
            raise UsageError(
                "There are no names of {kind!r}.", "Ask for those of {allowed}.", kind=kind, allowed=", ".join(NAMED)
            )
        question = self._asked("names", {"about": {f"{kind}_id": sorted(ids)}})
        with while_reading(self.site):
            newest = f"select {kind}_id, arg_max(name, valid_from) from {kind}s where {kind}_id in (from unnest($ids))"
            rows = self._connection.execute(f"{newest} group by 1", {"ids": sorted(ids)}).fetchall()
        found = {str(key): name for key, name in rows if name is not None}
        return self._handed_out(question, found, len(found))

    def sql(self, text: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run one SELECT of one's own over the model views; values are bound by name (`$name`).

        Returns
        -------
        pyarrow.Table: all rows; `.to_pandas()` gives a DataFrame.

        Raises
        ------
        UsageError: it is not one SELECT, or it is wrong; the message quotes the SQL, never a value of the log.
        JournalError: the use log cannot be written; nothing is returned.
        """
        question = self._asked("sql", {"query": text, "parameters": dict(parameters or {})})
        answer = run_own(self._connection, lambda: self._for_questions, self.site, text, parameters or {})
        return self._handed_out(question, answer, answer.num_rows)

    def _asked(self, activity: str, details: Mapping[str, Any]) -> str:
        """Write a question into the use log, before it is asked; return its line's hash."""
        return self._recorded(activity, details, is_question=True)

    def _handed_out(self, question: str, answer: Answer, n_rows: int) -> Answer:
        """Write how many rows answer a question, then return them."""
        record_answer(self.site, self.purpose, question, n_rows)
        return answer

    def _recorded(self, activity: str, details: Mapping[str, Any], *, is_question: bool = False) -> str:
        told = {"snapshot": self.snapshot, **self._mark, **details}
        plain = {key: plain_details(value) for key, value in told.items()}
        return record_use(self.site, self.purpose, activity, plain, units=self._units, is_question=is_question)
