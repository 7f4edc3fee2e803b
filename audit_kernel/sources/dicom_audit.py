"""Audit messages of DICOM PS3.15 A.5 and RFC 3881: XML documents, singly or on end, or one in each syslog message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.errors import DamagedFileError, Phrase
from audit_kernel.sources.count_syslog import count_syslog_frames
from audit_kernel.sources.count_xml import count_xml_records
from audit_kernel.sources.dicom_event import rows_of
from audit_kernel.sources.fhir import canonical
from audit_kernel.sources.formats import Format, FoundRecord, StagedRows
from audit_kernel.sources.syslog_frames import find_frames, is_syslog
from audit_kernel.sources.xml_records import find_xml_records, parse_record
from audit_kernel.sources.xml_values import XmlValue, plain_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from audit_kernel.sources.count import FileFacts
    from audit_kernel.sources.definition import SourceDefinition
    from audit_kernel.sources.prepare import PreparedFile
    from audit_kernel.sources.syslog_frames import Frame

RECORD_NAMES = frozenset(["AuditMessage"])
START = 64 << 10


def _records(prepared: PreparedFile) -> Iterator[FoundRecord]:
    with prepared.text.open("rb") as stream:
        start = stream.read(START)
    if not is_syslog(start):
        yield from find_xml_records(prepared, RECORD_NAMES, plain_value)
        return
    for number, frame in enumerate(find_frames(prepared), start=1):
        yield _framed(frame, number, prepared.name)


def _framed(frame: Frame, number: int, name: str) -> FoundRecord:
    message = frame.message()
    failure, value = "not_readable", None
    if message is not None:
        found = parse_record(message, RECORD_NAMES)
        failure, value = found.failure, found.node and plain_value(found.node)
    if failure and not frame.is_whole:
        raise DamagedFileError(
            "{name}, line {line_number} is cut short.",
            Phrase("Nothing was taken in. Export the file again."),
            name=name,
            line_number=frame.line_number,
        )
    text = frame.text.decode("utf-8", errors="backslashreplace").rstrip("\r\n")
    return FoundRecord(number, frame.line_number, text, value, failure)


def _count(text: Path, name: str, progress: Callable[[int], None]) -> FileFacts:
    return count_syslog_frames(text, progress) or count_xml_records(text, name, progress, RECORD_NAMES)


def _rows(value: XmlValue, _source: SourceDefinition) -> StagedRows:
    flags = (*value.flags, "unexpected_namespace") if value.namespace else value.flags
    accesses, login = rows_of(value.value, flags)
    if login is not None:
        return StagedRows("authentications", [login], canonical(value.value))
    return StagedRows("accesses", accesses, canonical(value.value))


def _looks_like(start: bytes) -> bool:
    return b"AuditMessage" in start


FORMAT = Format(count=_count, records=_records, rows=_rows, looks_like=_looks_like)
