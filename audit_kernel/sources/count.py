"""The second reader of delimited files: counts records from the bytes alone and checks the file's structure.

It shares no code with the first reader (DuckDB), so that a record lost by either shows. A quote toggles between inside
and outside; a doubled quote toggles twice; a line feed outside ends a record. The rules are stricter than those of
DuckDB, which takes `x"y`, drops what follows a closing quote, skips blank lines and ignores an empty field too many.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy

from audit_kernel.errors import DamagedFileError, Phrase

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

BLOCK = 1 << 20
LONGEST_RECORD = 256 << 20
TAB, LINE_FEED, RETURN, FIRST_PRINTABLE = 0x09, 0x0A, 0x0D, 0x20
DELETE = b"\x7f"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LATER_CONTROLS = re.compile(rb"\xc2[\x80-\x9f]")
REMEDY = Phrase("Nothing was taken in. Export the file again.")


@dataclass(frozen=True)
class FileFacts:
    """What the second reader found.

    n_records: records, the header not counted. n_quoted_breaks: line feeds inside quotes.
    longest_record: bytes, an upper bound. has_controls: there are control characters other than tab and line ends.
    """

    n_records: int
    n_quoted_breaks: int = 0
    longest_record: int = 0
    has_controls: bool = False
    line_end: str = "\n"


def count_records(
    text: Path, delimiter: str, quote: str, n_columns: int, name: str, progress: Callable[[int], None]
) -> FileFacts:
    """Count the records of a UTF-8 file below its header.

    Raises
    ------
    DamagedFileError: an unbalanced or misplaced quote, a last line without its end, a blank line, mixed line ends,
        a record with too many columns, or longer than 256 MiB; names file and line.
    """
    counter = _Counter(name, delimiter.encode(), quote.encode())
    with text.open("rb") as stream:
        if stream.read(len(BYTE_ORDER_MARK)) != BYTE_ORDER_MARK:
            stream.seek(0)
        pending = b""
        while block := stream.read(BLOCK):
            progress(len(block))
            whole, feed, rest = block.rpartition(b"\n")
            if feed:
                counter.feed(pending + whole + feed)
                pending = rest
            else:
                pending += rest
                if len(pending) > LONGEST_RECORD:
                    counter.refuse(Phrase("{name}, line {line} is longer than 256 MiB."), counter.n_lines + 1)
    if counter.in_quotes:
        counter.refuse(Phrase("{name}, line {line} opens a quote that is never closed."), counter.quote_line)
    if pending:
        counter.refuse(Phrase("{name}, line {line} is cut short: its line end is missing."), counter.n_lines + 1)
    if counter.n_delimiters != counter.n_ends * (n_columns - 1):
        line = line_with_other_columns(text, delimiter, quote, n_columns)
        counter.refuse(
            Phrase("{name}, line {line} does not have the {count} columns of the header."), line or 1, count=n_columns
        )
    return FileFacts(
        n_records=counter.n_ends - 1,
        n_quoted_breaks=counter.n_lines - counter.n_ends,
        longest_record=counter.longest,
        has_controls=counter.has_controls,
        line_end="\r\n" if counter.ends_in_return else "\n",
    )


def line_with_other_columns(text: Path, delimiter: str, quote: str, n_columns: int) -> int | None:
    """Return the line on which the first record begins that has not `n_columns` columns; None if all have."""
    sign, mark = delimiter.encode(), quote.encode()
    quoted = re.compile(mark + b"[^" + mark + b"]*" + mark) if mark else None
    record = b""
    begins = 1
    with text.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            record += line
            if mark and record.count(mark) % 2:
                continue
            outside = quoted.sub(b"", record) if quoted else record
            if outside.count(sign) != n_columns - 1:
                return begins
            record, begins = b"", number + 1
    return None


class _Counter:
    """The state between blocks; each block ends with a line feed."""

    def __init__(self, name: str, delimiter: bytes, quote: bytes) -> None:
        self.name = name
        self.delimiter = delimiter
        self.quote = quote
        self.n_ends = self.n_lines = self.n_delimiters = 0
        self.in_quotes = self.has_controls = False
        self.ends_in_return: bool | None = None
        self.longest = self.open_bytes = 0
        self.quote_line = 1

    def refuse(self, problem: Phrase, line: int, **values: object) -> None:
        raise DamagedFileError(problem, REMEDY, name=self.name, line=line, **values)

    def feed(self, block: bytes) -> None:
        if self.ends_in_return is None:
            self.ends_in_return = block[: block.index(b"\n")].endswith(b"\r")
        data = numpy.frombuffer(block, dtype=numpy.uint8)
        feeds = numpy.flatnonzero(data == LINE_FEED)
        n_returns = int(numpy.count_nonzero(data == RETURN))
        if not self.has_controls:
            n_allowed = len(feeds) + n_returns + numpy.count_nonzero(data == TAB)
            has_low = numpy.count_nonzero(data < FIRST_PRINTABLE) != n_allowed or DELETE in block
            self.has_controls = has_low or (not block.isascii() and LATER_CONTROLS.search(block) is not None)
        if self.in_quotes or (self.quote and self.quote in block):
            self._feed_quoted(block, data, feeds)
        else:
            self._feed_plain(block, data, feeds, n_returns)

    def _feed_plain(
        self, block: bytes, data: NDArray[numpy.uint8], feeds: NDArray[numpy.int64], n_returns: int
    ) -> None:
        width = 2 if self.ends_in_return else 1
        expected_returns = len(feeds) if self.ends_in_return else 0
        if n_returns != expected_returns or (self.ends_in_return and (data[feeds - 1] != RETURN).any()):
            self._refuse_line_end(block)
        is_blank = numpy.diff(feeds, prepend=-1) == width
        if is_blank.any():
            self.refuse(Phrase("{name}, line {line} is blank."), self.n_lines + int(is_blank.argmax()) + 1)
        self.n_ends += len(feeds)
        self.n_lines += len(feeds)
        self.n_delimiters += int(numpy.count_nonzero(data == self.delimiter[0]))
        self.longest = max(self.longest, len(block))

    def _refuse_line_end(self, block: bytes) -> None:
        for number, line in enumerate(block.split(b"\n")[:-1], start=self.n_lines + 1):
            inner = line[:-1] if self.ends_in_return else line
            if b"\r" in inner or (self.ends_in_return and not line.endswith(b"\r")):
                self.refuse(Phrase("{name}, line {line} ends otherwise than the first line."), number)

    def _feed_quoted(self, block: bytes, data: NDArray[numpy.uint8], feeds: NDArray[numpy.int64]) -> None:
        quotes = numpy.flatnonzero(data == self.quote[0])
        self._check_quotes(data, quotes, feeds)
        ends = feeds[self._is_outside(quotes, feeds)]
        self._check_line_ends(data, quotes, ends, feeds)
        delimiters = numpy.flatnonzero(data == self.delimiter[0])
        self.n_delimiters += int(self._is_outside(quotes, delimiters).sum())
        self.n_ends += len(ends)
        self._measure(block, ends)
        if len(quotes) and (len(quotes) + self.in_quotes) % 2:
            self.quote_line = self._line_of(feeds, int(quotes[-1]))
        self.in_quotes = bool((len(quotes) + self.in_quotes) % 2)
        self.n_lines += len(feeds)

    def _is_outside(self, quotes: NDArray[numpy.int64], places: NDArray[numpy.int64]) -> NDArray[numpy.bool_]:
        """Say for each place whether it stands outside quotes: an even number of them before it."""
        outside: NDArray[numpy.bool_] = (numpy.searchsorted(quotes, places) + self.in_quotes) % 2 == 0
        return outside

    def _line_of(self, feeds: NDArray[numpy.int64], place: int) -> int:
        return self.n_lines + int(numpy.searchsorted(feeds, place)) + 1

    def _check_quotes(
        self, data: NDArray[numpy.uint8], quotes: NDArray[numpy.int64], feeds: NDArray[numpy.int64]
    ) -> None:
        """A quote opens at a field's beginning and closes at its end, nowhere else."""
        is_opening = (numpy.arange(len(quotes)) + self.in_quotes) % 2 == 0
        around = numpy.concatenate(([LINE_FEED], data))
        before = around[quotes]  # shifted by one: the byte before each quote
        after = data[numpy.minimum(quotes + 1, len(data) - 1)]
        sign, mark = self.delimiter[0], self.quote[0]
        opens_well = numpy.isin(before, (sign, LINE_FEED, mark))
        closes_well = numpy.isin(after, (sign, LINE_FEED, RETURN, mark))
        wrong = quotes[numpy.where(is_opening, ~opens_well, ~closes_well)]
        if len(wrong):
            self.refuse(
                Phrase("{name}, line {line} has a quote that is not balanced or not doubled."),
                self._line_of(feeds, int(wrong[0])),
            )

    def _check_line_ends(
        self,
        data: NDArray[numpy.uint8],
        quotes: NDArray[numpy.int64],
        ends: NDArray[numpy.int64],
        feeds: NDArray[numpy.int64],
    ) -> None:
        returns = numpy.flatnonzero(data == RETURN)
        returns = returns[self._is_outside(quotes, returns)]
        expected = ends - 1 if self.ends_in_return else ends[:0]
        odd = numpy.setxor1d(returns, expected)
        if len(odd):
            self.refuse(
                Phrase("{name}, line {line} ends otherwise than the first line."), self._line_of(feeds, int(odd[0]))
            )
        width = 2 if self.ends_in_return else 1
        starts = numpy.concatenate(([-1], feeds))  # a blank line is a record end right after a line feed
        follows = numpy.isin(ends - width, starts)
        if follows.any():
            self.refuse(Phrase("{name}, line {line} is blank."), self._line_of(feeds, int(ends[follows][0])))

    def _measure(self, block: bytes, ends: NDArray[numpy.int64]) -> None:
        """Keep an upper bound of the longest record's bytes."""
        if len(ends):
            self.longest = max(self.longest, self.open_bytes + len(block))
            self.open_bytes = len(block) - int(ends[-1]) - 1
        else:
            self.open_bytes += len(block)
            self.longest = max(self.longest, self.open_bytes)
        if self.open_bytes > LONGEST_RECORD:
            self.refuse(Phrase("{name}, line {line} opens a quote that is not closed within 256 MiB."), self.quote_line)
