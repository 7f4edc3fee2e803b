"""Stages reference data: employees, units, patients and so on, by the same delimited reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.sources.conversions import Conversions, literal
from audit_kernel.sources.delimited import read_records
from audit_kernel.sources.personal_number import personal_number

if TYPE_CHECKING:
    import duckdb

    from audit_kernel.sources.columns import ColumnMapping
    from audit_kernel.sources.definition import ReferenceDefinition
    from audit_kernel.sources.prepare import PreparedFile
    from audit_kernel.store.tables import ColumnDefinition

PERIODS = (("valid_from", "valid_to"), ("blocked_from", "blocked_to"), ("consent_from", "consent_to"))
WRONG_PERIOD = {"DATE": "not_a_date", "TIMESTAMP": "not_a_time"}


def stage_reference(
    connection: duckdb.DuckDBPyConnection, prepared: PreparedFile, definition: ReferenceDefinition
) -> int:
    """Read the file and create `staged_reference` and `staged_quarantine`; return the records read.

    `staged_reference` has record_number, line_number, record_hash and the table's columns, NULL where the file lacks
    them; times are local as they stand there. A period that ends before or when it begins is quarantined as a date or
    time that cannot be right, a value that the table does not allow as one that is not known.

    Raises
    ------
    DamagedFileError: the file's structure is not the mapping's, or it changed since it was prepared.
    """
    layout = definition.model_copy(update={"columns": _columns_of(prepared, definition)})
    conversions = Conversions(layout.columns, prepared.facts)
    columns = definition.table.columns
    given = {name: _expression(conversions, name, columns[name].type) for name in columns if conversions.column(name)}
    for name, expression in given.items():
        _check_values(conversions, name, columns[name], expression)
    times = [("starts_at", "ends_at")] if "starts_at" in definition.table.period else []
    for start, end in (*PERIODS, *times):
        if start in given and end in given:
            conversions.add_check(f"{given[end]} <= {given[start]}", end, WRONG_PERIOD[columns[end].type])
    for name, is_bad in definition.table.checks.items():
        conversions.add_check(is_bad, name, WRONG_PERIOD.get(columns[name].type, "missing_value"))
    computed = [f'{given.get(name, f"null::{column.type}")} as "{name}"' for name, column in columns.items()]
    n_read = read_records(connection, prepared, layout, conversions, computed)
    listed = ", ".join(f'"{name}"' for name in columns)
    connection.execute(
        f"create or replace temp view staged_reference as select record_number, line_number, record_hash, {listed}"
        " from staged_lines where failure is null"
    )
    return n_read


def _check_values(conversions: Conversions, name: str, column: ColumnDefinition, expression: str) -> None:
    if column.values:
        allowed = ", ".join(literal(value) for value in column.values)
        conversions.add_check(f"{expression} not in ({allowed})", name, "unknown_value")
    if column.pattern:
        is_bad = f"not regexp_full_match({conversions.column(name)}, {literal(column.pattern)})"
        conversions.add_check(is_bad, name, "not_readable")


def _columns_of(prepared: PreparedFile, definition: ReferenceDefinition) -> dict[str, ColumnMapping]:
    """The mapping of the columns that the file has, with every column required that the table demands."""
    demanded = {name for name, column in definition.table.columns.items() if not column.nullable}
    return {
        name: mapping.model_copy(update={"required": mapping.required or mapping.to in demanded})
        for name in prepared.columns
        for mapping in (definition.columns[name],)
    }


def _expression(conversions: Conversions, name: str, sql_type: str) -> str:
    column = str(conversions.column(name))
    if name == "personal_number" or conversions.mapping(name).type == "personal_number":
        # The list was written when it is delivered: what valid_from says may lie decades back.
        return personal_number(column, "year(current_date)")
    if sql_type == "DATE":
        return conversions.date(name)
    if sql_type.startswith("DECIMAL"):
        return conversions.decimal(name, sql_type)
    if sql_type == "TIMESTAMP":
        return conversions.time(name)
    if sql_type == "INTEGER":
        conversions.add_check(f"not regexp_full_match({column}, '[0-9]{{1,9}}')", name, "not_a_number")
        return f"try_cast({column} as integer)"
    return str(conversions.converted(name, sql_type))
