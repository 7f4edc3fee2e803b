"""The parameters of a query: names and types checked, and each threshold's decision taken."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from audit_kernel.errors import ParameterError, Phrase
from audit_kernel.subjects import ORDERS
from audit_kernel.thresholds import Threshold, decision, thresholds_valid_on

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import duckdb

    from audit_kernel.catalog import Parameter, Query
    from audit_kernel.site import Site

PERIOD = ("from_date", "to_date")
LARGEST_INTEGER = 2**63
WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def decided_values(
    site: Site, query: Query, given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Threshold], date]:
    """Return the parameters with their thresholds' values, these decisions, and the day on which they were valid.

    Raises
    ------
    ParameterError: see `typed_parameters`.
    SettingsError: a threshold is not decided.
    """
    values = typed_parameters(query, given)
    day = values.get("from_date") or values.get("to_date") or site.asked_on or datetime.now(UTC).date()
    parameters = query.description.parameters
    decided = {name: each.threshold for name, each in parameters.items() if each.threshold and values.get(name) is None}
    valid = thresholds_valid_on(day, site.folder) if decided else {}
    used = {name: decision(valid, threshold, query.name) for name, threshold in decided.items()}
    # A decimal stands as text in the file, so that it is exact: SQL gets it as what the query declares.
    for name, each in used.items():
        values[name] = convert(query.name, name, parameters[name].type, each.value)
    return values, used, day


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


def answer(connection: duckdb.DuckDBPyConnection, text: str, bound: Mapping[str, Any]) -> duckdb.DuckDBPyConnection:
    """Run one statement with the values that it names."""
    return connection.execute(text, named_values(connection, text, bound))


def named_values(connection: duckdb.DuckDBPyConnection, text: str, bound: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that one statement names, by name."""
    return {name: bound[name] for name in sorted(connection.extract_statements(text)[0].named_parameters)}


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
