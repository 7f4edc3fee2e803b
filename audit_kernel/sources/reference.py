"""Stages reference data: employees, units, patients and so on, by the same delimited reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.sources.conversions import Conversions
from audit_kernel.sources.delimited import read_records
from audit_kernel.sources.personal_number import personal_number

if TYPE_CHECKING:
    import duckdb

    from audit_kernel.sources.columns import ColumnMapping
    from audit_kernel.sources.definition import ReferenceDefinition
    from audit_kernel.sources.prepare import PreparedFile

PERIODS = (("valid_from", "valid_to"), ("blocked_from", "blocked_to"))
IDENTIFIER_KINDS = ("'employee'", "'patient'", "'unit'")


def stage_reference(
    connection: duckdb.DuckDBPyConnection, prepared: PreparedFile, definition: ReferenceDefinition
) -> int:
    """Read the file and create `staged_reference` and `staged_quarantine`; return the records read.

    `staged_reference` has record_number, line_number, record_hash and the table's columns, NULL where the mapping lacks
    them. A period that ends before or when it begins is quarantined as a date that cannot be right.

    Raises
    ------
    DamagedFileError: the file's structure is not the mapping's, or it changed since it was prepared.
    """
    conversions = Conversions(_with_required(definition), prepared.facts)
    given = [name for name in definition.table.columns if conversions.column(name)]
    expressions = {name: _expression(conversions, name, definition.table.columns[name].type) for name in given}
    for start, end in PERIODS:
        if start in given and end in given:
            conversions.add_check(f"{expressions[end]} <= {expressions[start]}", end, "not_a_date")
    if definition.kind == "identifiers":
        conversions.add_check(
            f"{conversions.column('kind')} not in ({', '.join(IDENTIFIER_KINDS)})", "kind", "not_readable"
        )
    computed = [f'{text} as "{name}"' for name, text in expressions.items()]
    n_read = read_records(connection, prepared, definition, conversions, computed)
    selected = [
        f'"{name}"' if name in given else f'null::{column.type} as "{name}"'
        for name, column in definition.table.columns.items()
    ]
    connection.execute(
        "create or replace temp view staged_reference as select record_number, line_number, record_hash, "
        f"{', '.join(selected)} from staged_lines where failure is null"
    )
    return n_read


def _with_required(definition: ReferenceDefinition) -> dict[str, ColumnMapping]:
    """The mapping, with every column required that the table demands."""
    demanded = {name for name, column in definition.table.columns.items() if not column.nullable}
    return {
        name: mapping.model_copy(update={"required": mapping.required or mapping.to in demanded})
        for name, mapping in definition.columns.items()
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
    return column
