"""The first reader of FHIR AuditEvents (R4, R5, STU3): in batches through Arrow, so big NDJSON needs little memory."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pyarrow

from audit_kernel.sources.delimited import add_to_quarantine, create_quarantine
from audit_kernel.sources.fhir_element import BadValueError
from audit_kernel.sources.fhir_event import rows_of
from audit_kernel.sources.fhir_json import FoundRecord, Number, find_records

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from audit_kernel.sources.prepare import PreparedFile

BATCH = 5_000
ARROW_TYPES = {
    "BIGINT": pyarrow.int64(),
    "INTEGER": pyarrow.int32(),
    "VARCHAR": pyarrow.string(),
    "BOOLEAN": pyarrow.bool_(),
    "TIMESTAMP": pyarrow.timestamp("us"),
    "VARCHAR[]": pyarrow.list_(pyarrow.string()),
}


def stage_fhir(
    connection: duckdb.DuckDBPyConnection, prepared: PreparedFile, accesses: dict[str, str], logins: dict[str, str]
) -> int:
    """Fill the TEMP tables `staged_event_rows`, `staged_login_rows` and `staged_quarantine`; return the records read.

    `accesses` and `logins` are the columns and types of the first two, which are there and empty.

    Raises
    ------
    DamagedFileError: the file is no JSON, holds no AuditEvent, is cut short or changed since it was prepared.
    """
    create_quarantine(connection)
    batches = {
        "staged_event_rows": _Batch(connection, "staged_event_rows", accesses),
        "staged_login_rows": _Batch(connection, "staged_login_rows", logins),
    }
    rejected: list[dict[str, object]] = []
    n_read = 0
    for record in find_records(prepared):
        n_read += 1
        try:
            table, rows = _rows(record)
        except BadValueError as error:
            rejected.append(_quarantined(record, error))
        except RecursionError:
            rejected.append(_quarantined(record, BadValueError("", "not_readable")))
        else:
            batches[table].add(rows)
        if len(rejected) == BATCH:
            add_to_quarantine(connection, rejected)
            rejected.clear()
    add_to_quarantine(connection, rejected)
    for batch in batches.values():
        batch.write()
    prepared.check_unchanged()
    return n_read


def _rows(record: FoundRecord) -> tuple[str, list[dict[str, Any]]]:
    if record.failure:
        raise BadValueError("", record.failure)
    value = record.value
    if isinstance(value, dict) and "resource" in value and "resourceType" not in value:
        value = value["resource"]  # an entry of a Bundle
    accesses, login = rows_of(value)
    place = {
        "record_number": record.record_number,
        "line_number": record.line_number,
        "record_hash": hashlib.sha256(_canonical(value)).hexdigest(),
    }
    if login is not None:
        return "staged_login_rows", [{**place, **login}]
    return "staged_event_rows", [{**place, **row} for row in accesses]


def _canonical(value: Any) -> bytes:  # noqa: ANN401 - whatever the file holds
    """One form of the record whatever its white space and order, so that an export made anew is known again."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_number).encode()


def _number(number: Number) -> dict[str, str]:
    return {"#": number.text}


def _quarantined(record: FoundRecord, error: BadValueError) -> dict[str, object]:
    return {
        "record_number": record.record_number,
        "line_number": record.line_number,
        "column_name": error.column or None,
        "code": error.code,
        "raw_record": record.text.encode("utf-8", errors="backslashreplace").decode("utf-8"),
    }


class _Batch:
    """Rows on their way into one TEMP table."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str]) -> None:
        self.connection = connection
        self.table = table
        self.schema = pyarrow.schema([pyarrow.field(name, ARROW_TYPES[kind]) for name, kind in columns.items()])
        self.rows: list[dict[str, Any]] = []

    def add(self, rows: list[dict[str, Any]]) -> None:
        self.rows += rows
        if len(self.rows) >= BATCH:
            self.write()

    def write(self) -> None:
        if self.rows:
            self.connection.register("staged_batch", pyarrow.Table.from_pylist(self.rows, schema=self.schema))
            self.connection.execute(f"insert into {self.table} select * from staged_batch")
            self.connection.unregister("staged_batch")
            self.rows.clear()
