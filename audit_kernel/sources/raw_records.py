"""The text of single records, reread from the file's bytes: what quarantine keeps has gone through no parser."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Row = TypeVar("Row", bound=tuple[int, ...])


def raw_records(text: Path, quote: str, rows: Iterable[Row]) -> Iterator[tuple[Row, str]]:
    r"""Give each row with the text of its record, without the line end; the row's first item is the record's number.

    Rows ascend; 1 is the first record below the header. Bytes that are not UTF-8 stand as `\xNN`.
    """
    wanted = iter(rows)
    row = next(wanted, None)
    mark = quote.encode()
    number = 0
    record: list[bytes] = []
    in_quotes = False
    with text.open("rb") as stream:
        while row is not None and (line := stream.readline()):
            is_wanted = number == row[0]
            if is_wanted:
                record.append(line)
            if mark and line.count(mark) % 2:
                in_quotes = not in_quotes
            if in_quotes:
                continue
            if is_wanted:
                whole = b"".join(record).removesuffix(b"\n").removesuffix(b"\r")
                yield row, whole.decode("utf-8", errors="backslashreplace")
                record.clear()
                row = next(wanted, None)
            number += 1
