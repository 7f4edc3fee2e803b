"""The SQL of each kind of reference data as of a day: one text in `sql/reference`, the names from `tables.yml`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.catalog import resource_folder
from audit_kernel.store.tables import TableDefinition, reference_tables

if TYPE_CHECKING:
    from collections.abc import Iterable

ALWAYS = {"DATE": "date '0001-01-01'", "TIMESTAMP": "timestamp '0001-01-01'"}
OPEN = {"DATE": "date '9999-12-31'", "TIMESTAMP": "timestamp '9999-12-31'"}


def dated_sql(kind: str) -> str:
    """Return the SELECT of the model `kind`: its table's columns, the period's ends never NULL.

    A kind whose period is in days has at most one row for a key and day.
    """
    table = reference_tables()[kind]
    if not table.is_in_days:
        return latest_sql(kind)
    repeated = f"lake.{kind} as one semi join repeated as later on {_is_same_key(table)}"
    return reference_sql("days").format(
        **_names(kind),
        latest=latest_sql(kind, f"(select one.* from {repeated})"),
        key_of_one=", ".join(f"one.{name}" for name in table.key),
        is_same_key=_is_same_key(table),
        values=", ".join(name for name in table.columns if name not in table.period),
    )


def latest_sql(kind: str, rows: str = "") -> str:
    """Return the SELECT of the rows that hold, before any cut: what the next delivery is compared with."""
    table = reference_tables()[kind]
    begins = bounded(table, table.period[0]) if table.is_in_days else table.key[-1]
    return reference_sql("latest").format(**_names(kind), rows=rows or f"lake.{kind}", begins=begins)


def _names(kind: str) -> dict[str, str]:
    """SQL of a kind's table, key, columns with their ends never NULL, and the condition that a row holds at all."""
    table = reference_tables()[kind]
    columns = [f"{bounded(table, name)} as {name}" for name in table.columns]
    holds = "coalesce(valid_from < valid_to, true)" if table.is_in_days else "row_number > 0"
    return {"table": kind, "key": ", ".join(table.key), "columns": ", ".join(columns), "holds": holds}


def _is_same_key(table: TableDefinition) -> str:
    return " and ".join(f"one.{name} is not distinct from later.{name}" for name in table.key)


def delivery_sql(name: str, kind: str, *, is_complete: bool) -> str:
    """Return the statement `known` or `ended` for a delivery of a kind.

    It compares `placed_reference` (staged, in UTC) with `holding_reference`; where the period is in days, `ended` and a
    complete delivery's `known` take the day of delivery as $day.
    """
    table = reference_tables()[kind]
    others = [column for column in table.columns if column not in (*table.key, *table.period)]
    columns = list(table.columns)
    begins = "true"
    covered = (
        "holding.starts_at between (select min(starts_at) from placed_reference)"
        " and (select max(starts_at) from placed_reference)"
    )
    if table.is_in_days:
        begins = f"holding.valid_from = {bounded(table, 'valid_from', 'staged.')}"
        covered = "holding.valid_to > $day"
        columns[columns.index("valid_to")] = "greatest(valid_from, $day) as valid_to"
        if is_complete:
            on_the_day = "holding.valid_from <= $day and $day < holding.valid_to"
            begins = f"case when staged.valid_from is null then {on_the_day} else {begins} end"
    ends = [f"holding.{column} = {bounded(table, column, 'staged.')}" for column in table.period[1:]]
    return reference_sql(name).format(
        is_same_key=_same(table.key),
        is_same_content=_same(others) or "true",
        is_same_period=" and ".join([begins, *ends]),
        is_same_beginning=begins,
        is_covered=covered,
        columns=", ".join(columns),
    )


def empty_sql(kind: str) -> str:
    """Return a SELECT of no row with the model's columns: nothing is read where nothing was ever delivered."""
    columns = reference_tables()[kind].columns
    return f"select {', '.join(f'null::{column.type} as {name}' for name, column in columns.items())} where false"


def bounded(table: TableDefinition, name: str, prefix: str = "") -> str:
    """The column; where the period is open there, its first or last day or time."""
    if name not in table.period:
        return f"{prefix}{name}"
    bound = (ALWAYS if name == table.period[0] else OPEN)[table.columns[name].type]
    return f"coalesce({prefix}{name}, {bound})"


def _same(columns: Iterable[str]) -> str:
    return " and ".join(f"holding.{column} is not distinct from staged.{column}" for column in columns)


def reference_sql(name: str) -> str:
    """Return one text of `sql/reference`."""
    return (resource_folder("sql") / "reference" / f"{name}.sql").read_text(encoding="utf-8")
