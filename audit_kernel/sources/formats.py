"""The formats of log files: what each reader must offer, and where it is. A delimited file is read by `delimited`."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from audit_kernel.sources.count import FileFacts
    from audit_kernel.sources.definition import SourceDefinition
    from audit_kernel.sources.prepare import PreparedFile

    Row = dict[str, Any]

FormatName = Literal["delimited", "fhir", "dicom_audit", "rivta", "cef", "windows", "keycloak"]


class BadValueError(Exception):
    """A field cannot be used; its record goes to quarantine.

    column: the field's name or path in the record; code: the quarantine's reason, e.g. `not_a_time`.
    """

    def __init__(self, column: str, code: str) -> None:
        super().__init__(code)
        self.column = column
        self.code = code


@dataclass(frozen=True)
class FoundRecord:
    """One record: its number and line, its text, and either its value or why there is none (a quarantine code)."""

    record_number: int
    line_number: int
    text: str
    value: Any = None
    failure: str = ""


@dataclass(frozen=True)
class StagedRows:
    """What one record gives: rows of exactly one table, as dictionaries of its columns; a column left out is NULL.

    Each row of `accesses` has its `item`. `identity` is what the record's hash is made of: the same for the same record
    however it was exported.
    """

    table: Literal["accesses", "authentications", "medication_events"]
    rows: list[Row]
    identity: bytes


@dataclass(frozen=True)
class Format:
    """A reader of one format.

    Attributes
    ----------
    count: the second reader: records of a file, by other code than the first. Called with the plain (UTF-8, unless
        it begins with `binary_mark`) file, the name for messages and a progress callback that takes bytes.
    records: the first reader: the file's records in order, never more than a few of them in memory.
    rows: what one record's value gives.
        Raises BadValueError where the record cannot be used.
    looks_like: whether a file's first 64 KiB (unpacked) look like this format, for `inspect`.
    binary_mark: a file that begins so is no text and is read as it came.
    has_zone: its times carry an offset, so that one without is flagged `no_zone`.
    """

    count: Callable[[Path, str, Callable[[int], None]], FileFacts]
    records: Callable[[PreparedFile], Iterator[FoundRecord]]
    rows: Callable[[Any, SourceDefinition], StagedRows]
    looks_like: Callable[[bytes], bool]
    binary_mark: bytes = b""
    has_zone: bool = True


def reader(name: str) -> Format:
    """Return the reader of a format other than `delimited`: the `FORMAT` of `audit_kernel.sources.NAME`."""
    found = importlib.import_module(f"audit_kernel.sources.{name}").FORMAT
    assert isinstance(found, Format)  # noqa: S101 - a reader of our own without FORMAT is a fault of ours
    return found
