"""Finds the records of a FHIR file (NDJSON, Bundle, list or single resource) with their place and text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audit_kernel.errors import DamagedFileError, IntakeError, Phrase
from audit_kernel.sources.formats import FoundRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_kernel.sources.prepare import PreparedFile

LARGEST_DOCUMENT = 512 << 20
REMEDY = Phrase("Nothing was taken in. Export the file again.")
BLANKS = " \t\r\n"


@dataclass(frozen=True)
class Number:
    """A JSON number as written: none is computed with, and a huge one must not be converted."""

    text: str


class _Decoder:
    """Python's JSON decoder, with what it would let pass noted in `failure`: a key that stands twice, NaN, Infinity."""

    def __init__(self) -> None:
        self.failure = ""
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_int=Number, parse_float=Number, parse_constant=self._constant
        )

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            self.failure = "not_readable"
        return found

    def _constant(self, text: str) -> Number:
        self.failure = "not_readable"
        return Number(text)

    def read(self, text: str, place: int) -> tuple[Any, int, str]:
        """Decode the value that begins at `place`: value, where it ends, failure."""
        self.failure = ""
        value, end = self.decoder.raw_decode(text, place)
        return value, end, self.failure


def find_records(prepared: PreparedFile) -> Iterator[FoundRecord]:
    """Give the file's records in order; NDJSON is read line by line, a document as a whole.

    Raises
    ------
    DamagedFileError: a document is no JSON or holds neither AuditEvent nor Bundle; the last NDJSON line is cut short.
    IntakeError: a document is larger than 512 MiB.
    """
    first, n_lines = _first_lines(prepared)
    if n_lines > 1 and _is_object(first):
        yield from _lines(prepared)
        return
    if prepared.text.stat().st_size > LARGEST_DOCUMENT:
        raise IntakeError(
            "{name} is one JSON document of more than 512 MiB.",
            "Export it as NDJSON, one AuditEvent a line.",
            name=prepared.name,
        )
    text = prepared.text.read_bytes().decode("utf-8-sig")
    try:
        found = list(_document(text, prepared.name))
    except (ValueError, RecursionError) as error:
        if n_lines > 1 and _has_object_line(prepared):
            yield from _lines(prepared)
            return
        line = text.count("\n", 0, error.pos) + 1 if isinstance(error, json.JSONDecodeError) else 1
        raise DamagedFileError(
            "{name}, line {line}: not JSON, cut short, or nested too deeply.", REMEDY, name=prepared.name, line=line
        ) from None
    yield from found


def _first_lines(prepared: PreparedFile) -> tuple[str, int]:
    """Return the first line that is not blank, and how many there are of these, counted up to two."""
    lines = []
    with prepared.text.open(encoding="utf-8-sig", newline="\n") as stream:
        for line in stream:
            if line.strip(BLANKS):
                lines.append(line)
            if len(lines) > 1:
                break
    return (lines[0] if lines else ""), len(lines)


def _is_object(line: str) -> bool:
    return not _parse(line.strip(BLANKS)).failure


def _has_object_line(prepared: PreparedFile) -> bool:
    with prepared.text.open(encoding="utf-8-sig", newline="\n") as stream:
        return any(line.startswith("{") and _is_object(line) for line in stream)


def _parse(text: str, record_number: int = 1, line_number: int = 1) -> FoundRecord:
    """Read one line as one object."""
    try:
        value, end, failure = _Decoder().read(text, 0)
    except json.JSONDecodeError as error:
        is_control = error.msg.startswith("Invalid control character")
        failure = "control_characters" if is_control else "not_readable"
        return FoundRecord(record_number, line_number, text, failure=failure)
    except (ValueError, RecursionError):
        return FoundRecord(record_number, line_number, text, failure="not_readable")
    if end != len(text) or not isinstance(value, dict):
        failure = "not_readable"
    return FoundRecord(record_number, line_number, text, value, failure)


def _lines(prepared: PreparedFile) -> Iterator[FoundRecord]:
    number = 0
    with prepared.text.open(encoding="utf-8-sig", newline="\n") as stream:
        for line_number, line in enumerate(stream, start=1):
            text = line.strip(BLANKS)
            if not text:
                continue
            number += 1
            record = _parse(text, number, line_number)
            if record.failure and not line.endswith("\n") and record.value is None:
                raise DamagedFileError(
                    "{name}, line {line_number} is cut short.", REMEDY, name=prepared.name, line_number=line_number
                )
            yield record


def _document(text: str, name: str) -> Iterator[FoundRecord]:
    """Give the records of one document; raises ValueError where it is not JSON."""
    place = _skip(text, 0)
    decoder = _Decoder()
    if text[place : place + 1] == "[":
        elements, end = _elements(text, place, decoder)
        _expect_end(text, end)
        yield from elements
        return
    fields, elements, end = _top_level(text, place, decoder)
    _expect_end(text, end)
    kind = fields.get("resourceType")
    if kind == "Bundle":
        yield from elements
    elif kind in ("AuditEvent", "SecurityEvent"):
        whole = text.strip(BLANKS)
        record = _parse(whole)
        yield FoundRecord(1, text.count("\n", 0, place) + 1, whole, record.value, record.failure)
    else:
        raise DamagedFileError("{name} holds neither an AuditEvent nor a Bundle of them.", REMEDY, name=name)


def _top_level(text: str, place: int, decoder: _Decoder) -> tuple[dict[str, Any], list[FoundRecord], int]:
    """Walk the outermost object by hand, so that each entry's own text and line are known."""
    fields: dict[str, Any] = {}
    elements: list[FoundRecord] = []
    place = _expect(text, place, "{")
    if text[place : place + 1] == "}":
        return fields, elements, place + 1
    while True:
        key, place, _failure = decoder.read(text, place)
        place = _expect(text, _skip(text, place), ":")
        if not isinstance(key, str) or key in fields:
            message = "a key stands twice"
            raise json.JSONDecodeError(message, text, place)
        if key == "entry" and text[place : place + 1] == "[":
            elements, place = _elements(text, place, decoder)
            fields[key] = None
        else:
            fields[key], place, _failure = decoder.read(text, place)
        place = _skip(text, place)
        if text[place : place + 1] == "}":
            return fields, elements, place + 1
        place = _expect(text, place, ",")


def _elements(text: str, place: int, decoder: _Decoder) -> tuple[list[FoundRecord], int]:
    """Read a list's elements, each with its own text and line."""
    found: list[FoundRecord] = []
    line, counted = text.count("\n", 0, place) + 1, place
    place = _expect(text, place, "[")
    if text[place : place + 1] == "]":
        return found, place + 1
    while True:
        value, end, failure = decoder.read(text, place)
        line, counted = line + text.count("\n", counted, place), place
        found.append(FoundRecord(len(found) + 1, line, text[place:end], value, failure))
        place = _skip(text, end)
        if text[place : place + 1] == "]":
            return found, place + 1
        place = _expect(text, place, ",")


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in BLANKS:
        place += 1
    return place


def _expect(text: str, place: int, sign: str) -> int:
    if text[place : place + 1] != sign:
        message = f"expecting {sign}"
        raise json.JSONDecodeError(message, text, place)
    return _skip(text, place + 1)


def _expect_end(text: str, place: int) -> None:
    if (place := _skip(text, place)) != len(text):
        message = "more than one document"
        raise json.JSONDecodeError(message, text, place)
