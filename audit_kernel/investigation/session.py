"""What the page asks of the store: opened for a purpose, each question logged, the answers of several put together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pyarrow as pa

from audit_kernel.errors import AuditKernelError, NotAssessableError
from audit_kernel.evidence import coverage
from audit_kernel.investigation.ways import year_before

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from audit_kernel.investigation.steps import Step
    from audit_kernel.query import Result
    from audit_kernel.store.ledger import Delivery

FIRST_STEP = "activity"
DETAILS = "detailed_activity"
CHARTED = (FIRST_STEP, DETAILS)
NARROW = (DETAILS, "system_log")  # what the period lacks was said on the step before
PEOPLE, REASONS = "people", "access_reasons"
EXTENT, EXTENT_SOURCES = "extent", "extent_sources"
Order = list[tuple[str, Literal["ascending", "descending"]]]
LOGGED_ORDER: Order = [(name, "ascending") for name in ("recorded_at", "source_id", "event_id", "item")]
MOST_FIRST: Order = [("n_accesses", "descending"), ("employee_id", "ascending"), ("patient_id", "ascending")]


class Store(Protocol):
    """What the page needs of an open store."""

    @property
    def snapshot(self) -> int:
        """The snapshot that it reads."""

    def report(self, name: str, **parameters: Any) -> Result:  # noqa: ANN401 - typed by the query's `.yml`
        """Run a report."""

    def deliveries(self) -> list[Delivery]:
        """Return the ledger."""

    def close(self) -> None:
        """Close the store."""


@dataclass(frozen=True)
class Answer:
    """A step with what the store answered, kept so that going back asks nothing again.

    `timeline` and `hour_map` come after the rows, then `reasons`: of each access its best reason, those searched for
    and absent, and those that could not be searched for. `sources` is what each log holds of an extent.
    """

    step: Step
    result: Result
    timeline: Result | None = None
    hour_map: Result | None = None
    lacking: coverage.Lacking = field(default_factory=list)
    reasons: Result | None = None
    sources: Result | None = None


class Session:
    """The store, open for one purpose at a time.

    Parameters
    ----------
    open_store: opens the store for a purpose, or raises an AuditKernelError; the purpose is logged there, not here.
    """

    def __init__(self, open_store: Callable[[str], Store]) -> None:
        self._open_store = open_store
        self._store: Store | None = None
        self.purpose = ""

    @property
    def store(self) -> Store:
        """The open store.

        Raises
        ------
        AuditKernelError: it is not open.
        """
        if self._store is None:
            raise AuditKernelError("The store is not open.", "Ask again with a purpose.")
        return self._store

    def open(self, purpose: str) -> None:
        """Open the store for a purpose; another purpose opens it anew."""
        if self._store is not None and purpose == self.purpose:
            return
        self.close()
        self._store = self._open_store(purpose)
        self.purpose = purpose

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def people(self, kind: str, typed: str) -> Result:
        """Return who is meant: by number, else by name. Columns: person_id, name, unit_id, unit_name, n_matches."""
        return self.store.report(PEOPLE, kind=kind, typed=typed)

    def ask(self, step: Step) -> Answer:
        """Return what the store answers to a step."""
        result = self._asked(step, step.report)
        lacking = [] if step.report in NARROW else coverage.coverage(self.store, step.questions()[0])
        if step.report == EXTENT and result.table.num_rows:
            return Answer(step, result, lacking=lacking, sources=self._asked(step, EXTENT_SOURCES))
        return Answer(step, result, lacking=lacking)

    def charted(self, answer: Answer) -> Answer:
        """Return an answer with what its charts draw, as it is where the step has none or no row."""
        step = answer.step
        if step.report not in CHARTED or answer.timeline is not None or not answer.result.table.num_rows:
            return answer
        return replace(answer, timeline=self._asked(step, "timeline"), hour_map=self._asked(step, "hour_map"))

    def reasons(self, step: Step) -> Result | None:
        """Return the reasons of a step's accesses, None where nothing about reasons can be said."""
        try:
            return self._asked(step, REASONS)
        except NotAssessableError:
            return None

    def longest(self, today: date) -> tuple[date, date]:
        """Return the first and the last day that the store may hold: what was logged up to today."""
        first = [each.first_at.date() for each in self.store.deliveries() if each.first_at is not None]
        return min(first, default=year_before(today)), today

    def _asked(self, step: Step, report: str) -> Result:
        results = [self.store.report(report, **question) for question in step.questions()]
        return together(results) if len(results) > 1 else results[0]


def together(results: Sequence[Result]) -> Result:
    """Return the answers about several persons as one, in the report's own order.

    Each was asked about a pair of its own, so no row stands in two of them; days and hours are added up.
    """
    table = pa.concat_tables([each.table for each in results])
    names = table.column_names
    if {"day", "local_hour"} & set(names):
        keys = [name for name in names if name != "n_accesses"]
        added = table.group_by(keys).aggregate([("n_accesses", "sum")])
        table = added.rename_columns([name.removesuffix("_sum") for name in added.column_names]).select(names)
        table = table.sort_by([(key, "ascending") for key in keys])
    for order in (LOGGED_ORDER, MOST_FIRST):
        if {name for name, _direction in order} <= set(names):
            table = table.sort_by(order)
            break
    return replace(results[0], table=table)
