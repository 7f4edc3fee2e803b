"""Runs one catalogued query: parameters checked and bound, the result an Arrow table with its description."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import duckdb

from audit_kernel import completeness, statistics
from audit_kernel.counts import count_odd_codes, count_searched
from audit_kernel.errors import NotAssessableError, ParameterError, Phrase
from audit_kernel.store.tables import LAKE
from audit_kernel.store.views import model_names
from audit_kernel.subjects import ORDERS, point_at, refuse_unknown_code, resolve_subject
from audit_kernel.thresholds import Threshold, thresholds_valid_on

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    import pyarrow as pa

    from audit_kernel.catalog import Parameter, Query
    from audit_kernel.site import Site

PERIOD = ("from_date", "to_date")
Period = tuple[datetime | None, datetime | None]
LARGEST_INTEGER = 2**63
WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Result:
    """What a query answered.

    Attributes
    ----------
    query: the catalogued query.
    table: all rows, in the query's own order; timestamps are UTC without offset.
    parameters: the values it was run with, by the names of its `.yml`.
    rows_searched: accesses in the period, over all employees and patients.
    rows_unresolved: of these, rows whose patient is not known because their record has no key.
    thresholds: the decisions used.
    rows_unconfirmed, rows_unknown_code: for a check, rows of the period with a code that nobody has confirmed, and with
        one that the dictionary does not know; 0 for other queries.
    """

    query: Query
    table: pa.Table
    parameters: Mapping[str, Any]
    rows_searched: int
    rows_unresolved: int
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    rows_unconfirmed: int = 0
    rows_unknown_code: int = 0

    def df(self) -> pd.DataFrame:
        """Return the rows as a pandas DataFrame; DECIMAL stays exact, timestamps are UTC without offset."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame


def run_query(
    connection: duckdb.DuckDBPyConnection,
    site: Site,
    query: Query,
    given: Mapping[str, Any],
    counted: dict[Period, tuple[int, int]],
) -> Result:
    """Run one query over an open store.

    Parameters
    ----------
    given: parameters by the names of the `.yml`; a period is given as `from_date` and `to_date`, both included.
    counted: what `count_searched` answered before over the same snapshot, by period; the answer is added.

    Raises
    ------
    ParameterError: a parameter is missing, unknown or of the wrong type.
    UnknownSubjectError: a patient or employee stands neither in the log nor in the reference data.
    NotAssessableError: data that the query needs are missing, or the period holds no access at all.
    """
    values = typed_parameters(query, given)
    day = values.get("from_date") or values.get("to_date") or datetime.now(UTC).date()
    bound: dict[str, Any] = {name: value for name, value in values.items() if name not in PERIOD}
    bound["start_at"], bound["end_at"] = site.period(values.get("from_date"), values.get("to_date"))
    parameters = query.description.parameters
    decided = {name: each.threshold for name, each in parameters.items() if each.threshold and values.get(name) is None}
    valid = thresholds_valid_on(day, site.folder) if decided else {}
    used = {name: valid[threshold] for name, threshold in decided.items()}
    for name, decision in used.items():
        bound[name] = values[name] = decision.value
    for name, parameter in query.description.parameters.items():
        if parameter.type in ORDERS and bound.get(name) is not None:
            bound[name] = values[name] = resolve_subject(connection, parameter.type, bound[name])
        if parameter.type == "text" and bound.get(name) is not None:
            refuse_unknown_code(connection, name, bound[name])
    refuse_missing_data(connection, query, has_accesses=any(n_accesses for n_accesses, _unresolved in counted.values()))
    period = (bound["start_at"], bound["end_at"])
    bound["public_holidays"] = completeness.holidays_around(site, query, *period)
    if period not in counted:
        counted[period] = count_searched(connection, *period)
    searched, unresolved = counted[period]
    if not searched and "accesses" in query.description.needs:
        raise NotAssessableError(query.name, "accesses", is_period_empty=True)
    point_at_order(connection, query, bound)
    completeness.refuse_incomplete_logs(connection, site, query, bound, day)
    for name, text in query.steps:
        answer(connection, f'create or replace temp table "{name}" as {text}', bound)
    table = answer(connection, query.sql, bound).to_arrow_table()
    if query.description.statistics:
        table = statistics.assess(table, list(query.description.statistics), bound)
    odd_codes = count_odd_codes(connection, *period) if query.room == "checks" else (0, 0)
    return Result(query, table, values, searched, unresolved, used, *odd_codes)


def typed_parameters(query: Query, given: Mapping[str, Any]) -> dict[str, Any]:
    """Check names and types; parameters not given are None or their default.

    Raises
    ------
    ParameterError: names the parameter, the value and what is allowed.
    """
    declared: dict[str, Parameter] = {}
    for name, parameter in query.description.parameters.items():
        if parameter.type == "period":
            declared |= dict.fromkeys(PERIOD, parameter.model_copy(update={"type": "date"}))
        else:
            declared[name] = parameter
    if unknown := sorted(set(given) - set(declared)):
        raise ParameterError(
            "{query} has no parameter {given!r}.",
            "It has: {allowed}.",
            query=query.name,
            given=unknown[0],
            allowed=", ".join(declared),
        )
    values: dict[str, Any] = {}
    for name, each in declared.items():
        value = given.get(name)
        value = None if isinstance(value, str) and not value.strip() else value
        value = each.default if value is None else value
        if value is not None:
            values[name] = convert(query.name, name, each.type, value)
        elif each.required and not each.threshold:
            raise ParameterError(
                "{query} needs the parameter {name!r}.", "Give it and try again.", query=query.name, name=name
            )
        else:
            values[name] = None
    one_of = query.description.one_of
    if one_of and all(values.get(name) is None for name in one_of):
        raise ParameterError(
            "{query} needs at least one of {names}.",
            "Give one or more of them.",
            query=query.name,
            names=", ".join(one_of),
        )
    return values


def convert(query_name: str, name: str, kind: str, value: Any) -> Any:  # noqa: ANN401 - typed by the `.yml` at run time
    """Convert one parameter to its declared type.

    Raises
    ------
    ParameterError: it is not of that type.
    """
    try:
        converted = CONVERSIONS[kind](value)
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        converted = None
    if converted is not None:
        return converted
    raise ParameterError(
        "{query}: parameter {name!r} must be of type {kind}, not {value!r}.",
        EXAMPLES.get(kind, Phrase("Give it as {kind}.")),
        query=query_name,
        name=name,
        kind=TYPE_NAMES.get(kind, kind),
        value=value,
    )


def _integer(value: Any) -> int | None:  # noqa: ANN401 - whatever was given, here and below
    number = None if isinstance(value, bool) or not WHOLE_NUMBER.fullmatch(str(value)) else int(str(value))
    return number if number is not None and abs(number) < LARGEST_INTEGER else None


def _decimal(value: Any) -> Decimal | None:  # noqa: ANN401
    number = None if isinstance(value, bool) else Decimal(str(value))
    return number if number is not None and number.is_finite() else None


def _date(value: Any) -> date | None:  # noqa: ANN401
    if type(value) is date:
        return value
    return date.fromisoformat(value) if isinstance(value, str) and DAY.fullmatch(value) else None


def _timestamp(value: Any) -> datetime | None:  # noqa: ANN401
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else None


def _text(value: Any) -> str | None:  # noqa: ANN401
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else None


CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "integer": _integer,
    "decimal": _decimal,
    "date": _date,
    "timestamp": _timestamp,
    "boolean": lambda value: value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value)),
    "text_list": lambda value: [str(each) for each in value] if isinstance(value, list | tuple) else None,
    **dict.fromkeys(("text", *ORDERS), _text),
}
EXAMPLES = {
    "date": Phrase("Give it for example 2026-10-31."),
    "integer": Phrase("Give it for example 5."),
    "decimal": Phrase("Give it for example 0.95."),
    "timestamp": Phrase("Give it with its offset, for example 2026-10-31T08:00:00+01:00."),
    "boolean": Phrase("Give it true or false."),
}
TYPE_NAMES = {
    "date": Phrase("date"),
    "integer": Phrase("integer"),
    "decimal": Phrase("decimal"),
    "timestamp": Phrase("timestamp"),
    "boolean": Phrase("boolean"),
    "text": Phrase("text"),
    "text_list": Phrase("text list"),
    "patient": Phrase("patient"),
    "employee": Phrase("employee"),
}


def refuse_missing_data(connection: duckdb.DuckDBPyConnection, query: Query, *, has_accesses: bool = False) -> None:
    """Refuse to answer from nothing.

    Parameters
    ----------
    has_accesses: an earlier question counted some.

    Raises
    ------
    NotAssessableError: a relation that the query needs has no row.
    """
    for relation in query.description.needs:
        if "." in relation or (has_accesses and relation == "accesses"):  # a field is asked for in the period
            continue
        # The rows of `accesses` are asked for where they lie: the view would resolve each first.
        stored = ORDERS["patient"] if relation == "accesses" else relation
        source = f'"{relation}"' if stored in model_names() else f'{LAKE}."{stored}"'
        if connection.execute(f"select 1 from {source} limit 1").fetchone() is None:
            raise NotAssessableError(query.name, relation)


def answer(connection: duckdb.DuckDBPyConnection, text: str, bound: Mapping[str, Any]) -> duckdb.DuckDBPyConnection:
    """Run one statement with the values that it names."""
    names = duckdb.extract_statements(text)[0].named_parameters
    return connection.execute(text, {name: bound[name] for name in names})


def point_at_order(connection: duckdb.DuckDBPyConnection, query: Query, bound: Mapping[str, Any]) -> None:
    """Point the views at the rows sorted by patient or by employee, as the `.yml` says."""
    order = query.description.sorted_by
    if order == "subject":
        only_employee = bound.get("employee_id") is not None and bound.get("patient_id") is None
        order = "employee" if only_employee else "patient"
    point_at(connection, order)
