"""FHIR AuditEvents (R4, R5, STU3, DSTU2) as JSON or XML: one resource, a Bundle, a list, NDJSON, documents on end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from audit_kernel.sources.count_json import count_json_records
from audit_kernel.sources.count_xml import count_xml_records
from audit_kernel.sources.fhir_event import EVENT_NAMES, rows_of
from audit_kernel.sources.fhir_json import Number, find_records
from audit_kernel.sources.formats import BadValueError, Format, FoundRecord, StagedRows
from audit_kernel.sources.xml_records import find_xml_records, starts_as_xml
from audit_kernel.sources.xml_values import XmlValue, fhir_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from audit_kernel.sources.count import FileFacts
    from audit_kernel.sources.definition import SourceDefinition
    from audit_kernel.sources.prepare import PreparedFile

NAMESPACE = "http://hl7.org/fhir"
RECORD_NAMES = frozenset([*EVENT_NAMES, "entry"])
FIRST_SIGN = 64 << 10


def _records(prepared: PreparedFile) -> Iterator[FoundRecord]:
    if not starts_as_xml(prepared.text):
        return find_records(prepared)
    return find_xml_records(prepared, RECORD_NAMES, fhir_value, nests=True)


def _count(text: Path, name: str, progress: Callable[[int], None]) -> FileFacts:
    with text.open("rb") as stream:
        is_xml = stream.read(FIRST_SIGN).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"
    if is_xml:
        return count_xml_records(text, name, progress, RECORD_NAMES, nests=True)
    return count_json_records(text, name, progress)


def _rows(value: Any, _source: SourceDefinition) -> StagedRows:  # noqa: ANN401 - whatever the file holds
    flags: tuple[str, ...] = ()
    if isinstance(value, XmlValue):
        if value.namespace not in (NAMESPACE, ""):
            raise BadValueError(value.name, "not_readable")
        flags = value.flags if value.namespace else (*value.flags, "no_namespace")
        value = value.value
    if isinstance(value, dict) and "resource" in value and "resourceType" not in value:
        value = value["resource"]  # an entry of a Bundle
    accesses, login = rows_of(value, flags)
    if login is not None:
        return StagedRows("authentications", [login], canonical(value))
    return StagedRows("accesses", accesses, canonical(value))


def canonical(value: Any) -> bytes:  # noqa: ANN401 - whatever the file holds
    """One form of the record whatever its white space and order, so that an export made anew is known again.

    The same event as JSON and as XML has one form: a list of one is its element, a boolean its word; no narrative.
    """
    return json.dumps(_one_form(value), sort_keys=True, separators=(",", ":")).encode()


def _one_form(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    if isinstance(value, dict):
        return {name: _one_form(part) for name, part in value.items() if name != "div"}
    if isinstance(value, list):
        return _one_form(value[0]) if len(value) == 1 else [_one_form(part) for part in value]
    if isinstance(value, Number):
        return value.text
    return str(value).lower() if isinstance(value, bool) else value


def _looks_like(start: bytes) -> bool:
    if b"AuditEvent" not in start and b"SecurityEvent" not in start:
        return False
    return b'"resourceType"' in start or NAMESPACE.encode() in start


FORMAT = Format(count=_count, records=_records, rows=_rows, looks_like=_looks_like)
