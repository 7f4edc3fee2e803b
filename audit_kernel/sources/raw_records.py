"""The text of single records, reread from the file's bytes: what quarantine keeps has gone through no parser."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def raw_records(text: Path, quote: str, numbers: Sequence[int]) -> Iterator[str]:
    r"""Give the text of the records with these ascending numbers, 1 the first below the header, without the line end.

    Bytes that are not UTF-8 stand as `\xNN`.
    """
    wanted = iter(numbers)
    next_wanted = next(wanted, None)
    if next_wanted is None:
        return
    mark = quote.encode()
    number = 0
    record: list[bytes] = []
    in_quotes = False
    with text.open("rb") as stream:
        for line in stream:
            if number == next_wanted:
                record.append(line)
            if mark and line.count(mark) % 2:
                in_quotes = not in_quotes
            if in_quotes:
                continue
            if number == next_wanted:
                whole = b"".join(record).removesuffix(b"\n").removesuffix(b"\r")
                yield whole.decode("utf-8", errors="backslashreplace")
                record.clear()
                next_wanted = next(wanted, None)
                if next_wanted is None:
                    return
            number += 1
