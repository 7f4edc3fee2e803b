"""The first reader of syslog: RFC 5424 and RFC 3164 messages, counted by octets (RFC 6587) or each from a new line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from audit_kernel.errors import DamagedFileError, Phrase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_kernel.sources.prepare import PreparedFile

LONGEST_FRAME = 32 << 20
LONGEST_COUNT = 9
START = 64 << 10
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLANKS, LINE_ENDS = b" \t\r\n", b"\r\n"
REMEDY = Phrase("Nothing was taken in. Export the file again.")
PRIORITY = re.compile(rb"<\d{1,3}>(?=[0-9A-Z])")
COUNTED = re.compile(rb"[1-9]\d{0,8} <\d{1,3}>")
# RFC 5424 6: version, time, host, application, process, message id, structured data.
HEADER = re.compile(
    rb"<\d{1,3}>[1-9]\d{0,2}(?: [\x21-\x7e]+){5} "
    rb'(?:-|(?:\[(?:[^"\]]++|"(?:[^"\\]++|\\.)*+")*+\])++)(?: |\Z)',
    re.DOTALL,
)
# RFC 3164 4.1: time, host, and the name of the program where there is one.
OLD_HEADER = re.compile(
    rb"<\d{1,3}>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\x21-\x7e]+ (?:[\w./-]{1,48}(?:\[[^\]\s]*\])?:[ ]?)?"
)


@dataclass(frozen=True)
class Frame:
    """One syslog message with its header, the line on which it begins, and whether its end was seen."""

    line_number: int
    text: bytes
    is_whole: bool = True

    def message(self) -> bytes | None:
        """Return what follows the header, without the byte order mark; None where the header is not readable."""
        header = HEADER.match(self.text) or OLD_HEADER.match(self.text)
        if header is None:
            return None
        return self.text[header.end() :].removeprefix(BYTE_ORDER_MARK).strip(BLANKS)


def is_syslog(start: bytes) -> bool:
    """Say whether a file that starts so holds syslog frames."""
    text = start.removeprefix(BYTE_ORDER_MARK).lstrip(LINE_ENDS)
    return bool(COUNTED.match(text) or PRIORITY.match(text))


def find_frames(prepared: PreparedFile) -> Iterator[Frame]:
    """Give a file's frames in order; the first one says whether they are counted.

    Raises
    ------
    DamagedFileError: a count that leads to no frame, a last frame cut short, a frame of more than 32 MiB.
    """
    with prepared.text.open("rb") as stream:
        start = stream.read(START)
        text = start.removeprefix(BYTE_ORDER_MARK).lstrip(LINE_ENDS)
        stream.seek(len(start) - len(text))
        line_number = 1 + start.count(b"\n", 0, len(start) - len(text))
        read = _by_line if PRIORITY.match(text) else _counted
        yield from read(stream, prepared.name, line_number)


def _counted(stream: BinaryIO, name: str, line_number: int) -> Iterator[Frame]:
    while True:
        digits = b""
        while (byte := stream.read(1)) and byte in BLANKS:
            line_number += byte == b"\n"
        while byte.isdigit() and len(digits) < LONGEST_COUNT:
            digits += byte
            byte = stream.read(1)
        if not digits and not byte:
            return
        if byte != b" " or not digits or int(digits) > LONGEST_FRAME:
            _refuse(name, line_number)
        text = stream.read(int(digits))
        if len(text) < int(digits) or not PRIORITY.match(text):
            _refuse(name, line_number)
        yield Frame(line_number, text)
        line_number += text.count(b"\n")


def _by_line(stream: BinaryIO, name: str, line_number: int) -> Iterator[Frame]:
    """A frame goes on over the lines that begin with no priority: XML may be written over several."""
    lines: list[bytes] = []
    first_line, size = line_number, 0
    while line := stream.readline(LONGEST_FRAME):
        if lines and lines[-1].endswith(b"\n") and PRIORITY.match(line):
            yield Frame(first_line, b"".join(lines))
            first_line, size = line_number, 0
            lines.clear()
        lines.append(line)
        size += len(line)
        line_number += 1
        if size > LONGEST_FRAME:
            _refuse(name, first_line)
    yield Frame(first_line, b"".join(lines), is_whole=lines[-1].endswith(b"\n"))


def _refuse(name: str, line_number: int) -> None:
    raise DamagedFileError(
        "{name}, line {line}: not a syslog message, cut short, or of another length than its count.",
        REMEDY,
        name=name,
        line=line_number,
    )
