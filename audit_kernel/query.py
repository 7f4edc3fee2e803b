"""Runs one catalogued query: parameters checked and bound, the result an Arrow table with its description."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb

from audit_kernel import completeness, explanations, places, statistics
from audit_kernel.catalog import (
    CHANCE_PAIRS,
    FRAME,
    MONTH_FINDINGS,
    OF_DAYS,
    PERIOD_RELATIONS,
    PRESENCES,
    TRIAL_FINDINGS,
    USE_LINES,
    USE_USERS,
    is_field,
)
from audit_kernel.counts import count_examined, count_odd_codes, count_searched
from audit_kernel.errors import NotAssessableError
from audit_kernel.parameters import PERIOD, answer, decided_values, named_values
from audit_kernel.store.views import has_rows, is_made
from audit_kernel.subjects import ORDERS, point_at, refuse_unknown_code, resolve_subject, rows_of_days

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import pandas as pd
    import pyarrow as pa

    from audit_kernel.catalog import Query
    from audit_kernel.completeness import Lack
    from audit_kernel.site import Site
    from audit_kernel.thresholds import Threshold

Period = tuple[datetime | None, datetime | None]


@dataclass(frozen=True)
class Looked:
    """What was looked up about one snapshot and holds for every further question of the same period."""

    searched: dict[Period, tuple[int, int]] = field(default_factory=dict)
    odd_codes: dict[Period, tuple[int, int]] = field(default_factory=dict)
    lacks: dict[tuple[object, ...], tuple[Lack, ...]] = field(default_factory=dict)
    steps: dict[str, tuple[object, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What a query answered.

    Attributes
    ----------
    query: the catalogued query.
    table: all rows, in the query's own order; timestamps are UTC without offset.
    parameters: the values it was run with, by the names of its `.yml`.
    rows_searched: accesses in the period, over all employees and patients; for a check, rows of the logs it draws on.
    rows_unresolved: of these, rows whose patient is not known because their record has no key.
    thresholds: the decisions used.
    rows_unconfirmed, rows_unknown_code: for a check, rows of the period with a code that nobody has confirmed, and with
        one that the dictionary does not know; 0 for other queries.
    reasons_searched: the explanations, each with whether the data that it needs were taken in.
    """

    query: Query
    table: pa.Table
    parameters: Mapping[str, Any]
    rows_searched: int
    rows_unresolved: int
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    rows_unconfirmed: int = 0
    rows_unknown_code: int = 0
    reasons_searched: tuple[tuple[str, bool], ...] = ()

    def df(self) -> pd.DataFrame:
        """Return the rows as a pandas DataFrame; DECIMAL stays exact, timestamps are UTC without offset."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame


def run_query(
    connection: duckdb.DuckDBPyConnection,
    site: Site,
    query: Query,
    given: Mapping[str, Any],
    looked: Looked,
) -> Result:
    """Run one query over an open store.

    Parameters
    ----------
    given: parameters by the names of the `.yml`; a period is given as `from_date` and `to_date`, both included.
    looked: what was looked up before over the same snapshot; what is looked up now is added.

    Raises
    ------
    ParameterError: a parameter is missing, unknown or of the wrong type.
    UnknownSubjectError: a patient or employee stands neither in the log nor in the reference data.
    NotAssessableError: data that the query needs are missing, or the period holds no access at all.
    """
    values, used, day = decided_values(site, query, given)
    bound: dict[str, Any] = {name: value for name, value in values.items() if name not in PERIOD}
    bound["start_at"], bound["end_at"] = site.period(values.get("from_date"), values.get("to_date"))
    for name, parameter in query.description.parameters.items():
        if parameter.type in ORDERS and bound.get(name) is not None:
            bound[name] = values[name] = resolve_subject(connection, parameter.type, bound[name])
        if parameter.type == "text" and bound.get(name) is not None:
            refuse_unknown_code(connection, name, bound[name])
    has_accesses = any(n_accesses for n_accesses, _unresolved in looked.searched.values())
    refuse_missing_data(connection, query, has_accesses=has_accesses)
    period = (bound["start_at"], bound["end_at"])
    is_of_logs = bool(query.description.needs)  # what reads reference data alone searches no log
    bound["public_holidays"] = completeness.holidays_around(site, query, *period)
    if is_of_logs and period not in looked.searched:
        looked.searched[period] = count_searched(connection, *period, looked.searched)
    searched, unresolved = looked.searched[period] if is_of_logs else (0, 0)
    if not searched and "accesses" in query.description.needs:
        raise NotAssessableError(query.name, "accesses", is_period_empty=True)
    point_at_order(connection, query, bound)
    completeness.refuse_incomplete_logs(connection, site, query, bound, day, looked.lacks)
    is_of_days = query.description.sorted_by == OF_DAYS
    with rows_of_days(connection, bound["unit_keys"]) if is_of_days else nullcontext():
        table = _answered(connection, site, query, bound, day, looked)
    is_check = query.room == "checks"
    if is_check and period not in looked.odd_codes:
        looked.odd_codes[period] = count_odd_codes(connection, *period)
    odd_codes = looked.odd_codes[period] if is_check else (0, 0)
    reasons = explanations.searched(connection) if query.description.needs_period else ()
    examined = count_examined(connection, query.complete, *period, searched) if is_check else searched
    return Result(query, table, values, examined, unresolved, used, *odd_codes, reasons)


def _answered(
    connection: duckdb.DuckDBPyConnection, site: Site, query: Query, bound: dict[str, Any], day: date, looked: Looked
) -> pa.Table:
    """Run the query after what it reads, and add what SQL cannot work out: tails, and reasons beside findings."""
    if query.description.of_people:
        explanations.explain_people(connection, site, bound, day, query.description.of_people)
    elif query.description.needs_period:
        explanations.explain_period(connection, site, bound, day)
    if PRESENCES in query.description.needs:
        places.place_period(connection, bound)
    if CHANCE_PAIRS in query.description.needs:
        explanations.explain_chance_pairs(connection, site, bound, day)
    if any(name in query.sql for name, _text in query.steps):  # a frame of what was logged reads none
        make_steps(connection, query, bound, looked.steps)
    if query.part == FRAME:
        answer(connection, f"create or replace temp table frame_of_kind as {query.sql}", bound)
        bound["spot_check_per_stratum"] = query.description.spot_check_per_stratum
        return answer(connection, explanations.period_sql("spot_check"), bound).to_arrow_table()
    table = answer(connection, text_of(connection, query, bound, looked.steps), bound).to_arrow_table()
    if query.description.statistics:
        table = statistics.assess(table, list(query.description.statistics), bound)
    if query.description.needs_period and query.room == "checks" and not query.part:
        table = explanations.with_reasons(connection, table)
    return table


def make_steps(
    connection: duckdb.DuckDBPyConnection,
    query: Query,
    bound: Mapping[str, Any],
    made: dict[str, tuple[object, ...]],
) -> None:
    """Make the TEMP tables of the query's steps, those that a question before made from the same not again.

    Parameters
    ----------
    made: of each step that is there, what it was made from: texts and values of itself and of those before it.
    """
    basis: tuple[object, ...] = (bound["start_at"], bound["end_at"])  # it may read what was made for the period
    for name, text in query.steps:
        values = named_values(connection, text, bound)
        basis = (*basis, text, *values.items())
        if made.get(name) != basis:
            made.pop(name, None)
            connection.execute(f'create or replace temp table "{name}" as {text}', values)
            made[name] = basis


def text_of(
    connection: duckdb.DuckDBPyConnection,
    query: Query,
    bound: Mapping[str, Any],
    made: Mapping[str, tuple[object, ...]],
) -> str:
    """Return what to run: the query's text, or its table where a question before made the very same as its step."""
    basis = made.get(query.name, ())
    own = (query.sql, *named_values(connection, query.sql, bound).items())
    is_same = basis[:2] == (bound["start_at"], bound["end_at"]) and basis[-len(own) :] == own
    return f'select * from "{query.name}"' if is_same and not query.part else query.sql


def refuse_missing_data(connection: duckdb.DuckDBPyConnection, query: Query, *, has_accesses: bool = False) -> None:
    """Refuse to answer from nothing.

    Parameters
    ----------
    has_accesses: an earlier question counted some.

    Raises
    ------
    NotAssessableError: a relation that the query needs has no row.
    """
    for need in query.description.needs:
        if need in (*PERIOD_RELATIONS, PRESENCES, CHANCE_PAIRS) or (has_accesses and need == "accesses"):
            continue  # what is made for the period cannot lack
        if need in (MONTH_FINDINGS, TRIAL_FINDINGS, USE_LINES):
            is_there = is_made(connection, need)  # none of them is an answer too
        elif need == USE_USERS:
            is_there = is_made(connection, need) and bool(
                connection.execute(f"select 1 from {need} limit 1").fetchall()
            )
        else:
            # A field of a log is asked for in the period, by `completeness.unfilled`.
            is_there = is_field(need) or any(has_rows(connection, each) for each in need.split("|"))
        if not is_there:
            raise NotAssessableError(query.name, need)


def point_at_order(connection: duckdb.DuckDBPyConnection, query: Query, bound: Mapping[str, Any]) -> None:
    """Point the views at the rows sorted by patient or by employee, as the `.yml` says."""
    order = query.description.sorted_by
    if order == OF_DAYS:
        return
    if order == "subject":
        only_employee = bound.get("employee_id") is not None and bound.get("patient_id") is None
        order = "employee" if only_employee else "patient"
    point_at(connection, order)
