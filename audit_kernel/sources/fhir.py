"""FHIR AuditEvents (R4, R5, STU3): one resource, a Bundle, a list, or NDJSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from audit_kernel.sources.count_json import count_json_records
from audit_kernel.sources.fhir_event import rows_of
from audit_kernel.sources.fhir_json import Number, find_records
from audit_kernel.sources.formats import Format, StagedRows

if TYPE_CHECKING:
    from audit_kernel.sources.definition import SourceDefinition


def _rows(value: Any, _source: SourceDefinition) -> StagedRows:  # noqa: ANN401 - whatever the file holds
    if isinstance(value, dict) and "resource" in value and "resourceType" not in value:
        value = value["resource"]  # an entry of a Bundle
    accesses, login = rows_of(value)
    if login is not None:
        return StagedRows("authentications", [login], _canonical(value))
    return StagedRows("accesses", accesses, _canonical(value))


def _canonical(value: Any) -> bytes:  # noqa: ANN401 - whatever the file holds
    """One form of the record whatever its white space and order, so that an export made anew is known again."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_number).encode()


def _number(number: Number) -> dict[str, str]:
    return {"#": number.text}


def _looks_like(start: bytes) -> bool:
    return b'"AuditEvent"' in start and b'"resourceType"' in start


FORMAT = Format(count=count_json_records, records=find_records, rows=_rows, looks_like=_looks_like)
