"""Result tables as files: all rows as Parquet and as CSV that a spreadsheet cannot be tricked by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from audit_kernel.canonical import plain
from audit_kernel.evidence.harmless import FORMULA

if TYPE_CHECKING:
    from pathlib import Path


def write_tables(table: pa.Table, folder: Path, file_name: str) -> list[str]:
    """Write all rows as `name.parquet` and `name.csv` (UTF-8); return the file names.

    In CSV, text that begins with = + - @, tab or carriage return gets an apostrophe before it; lists and structures are
    written as JSON, timestamps are UTC.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = table.column_names
    flat = pa.Table.from_arrays([as_plain_text(table.column(name)) for name in names], names)
    pyarrow.parquet.write_table(flat, folder / f"{file_name}.parquet", compression="zstd")
    safe = pa.Table.from_arrays([neutralised(flat.column(name)) for name in names], names)
    pyarrow.csv.write_csv(safe, folder / f"{file_name}.csv")
    return [f"{file_name}.csv", f"{file_name}.parquet"]


def as_plain_text(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Turn UUIDs, lists and structures into text; leave what CSV knows as it is."""
    kind = column.type
    if pa.types.is_nested(kind):
        texts = [None if value is None else _json(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    if isinstance(kind, pa.BaseExtensionType):
        texts = [None if value is None else str(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    return column


def neutralised(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Put an apostrophe before text that a spreadsheet would compute."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    return pc.replace_substring_regex(column, pattern=f"^({FORMULA})", replacement=r"'\1")


def _json(value: Any) -> str:  # noqa: ANN401 - a nested Arrow value
    return json.dumps(plain(value), ensure_ascii=False, sort_keys=True)
