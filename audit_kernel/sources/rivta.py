"""Log posts of Inera's RIV-TA service contract StoreLog (informationsecurity:auditing:log 2, and 1 before it) in SOAP.

A row for each resource. A time without zone is the mapping's; Sweden's contracts write local time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_kernel.sources.count_xml import count_xml_records
from audit_kernel.sources.fhir import canonical
from audit_kernel.sources.fhir_element import Element
from audit_kernel.sources.formats import BadValueError, Format, FoundRecord, StagedRows
from audit_kernel.sources.record_flags import missing, with_self_service
from audit_kernel.sources.xml_records import find_xml_records
from audit_kernel.sources.xml_values import XmlValue, plain_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from audit_kernel.sources.count import FileFacts
    from audit_kernel.sources.definition import SourceDefinition
    from audit_kernel.sources.prepare import PreparedFile

    Row = dict[str, Any]

RECORD_NAMES = frozenset(["log", "Log"])
NAMESPACES = ("urn:riv:informationsecurity:auditing:log:", "urn:riv:ehr:log:")
BREAK_GLASS = "nödöppning"
ACTIONS = {
    "läsa": "read", "skriva": "write", "signera": "sign", "utskrift": "print", "vidimera": "countersign",
    "radera": "delete", BREAK_GLASS: "read",
}  # fmt: skip
# Skatteverket's personal and co-ordination numbers: as they stand they name one person in all of Sweden.
NATIONAL_ROOTS = frozenset(["1.2.752.129.2.1.3.1", "1.2.752.129.2.1.3.3"])
DEMANDED = ("logId", "system", "user", "resources")


def _records(prepared: PreparedFile) -> Iterator[FoundRecord]:
    return find_xml_records(prepared, RECORD_NAMES, plain_value)


def _count(text: Path, name: str, progress: Callable[[int], None]) -> FileFacts:
    return count_xml_records(text, name, progress, RECORD_NAMES)


def _rows(value: XmlValue, _source: SourceDefinition) -> StagedRows:
    if not value.namespace.startswith(NAMESPACES) or not isinstance(value.value, dict):
        raise BadValueError("log", "not_readable")
    fields = _with_small_initials(value.value)
    return StagedRows("accesses", _accesses(Element(fields), value.flags), canonical(fields))


def _with_small_initials(value: Any) -> Any:  # noqa: ANN401 - any XML
    """Version 1 begins its names with a capital letter."""
    if isinstance(value, list):
        return [_with_small_initials(each) for each in value]
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _with_small_initials(part) for name, part in value.items()}
    return value


def _accesses(log: Element, read_flags: tuple[str, ...]) -> list[Row]:
    activity, user = log.element("activity"), log.element("user")
    if (time := activity.time("startDate")) is None:
        raise BadValueError("activity.startDate", "missing_value")
    moment, has_zone = time
    written = activity.text("activityType")
    kind = (written or "").strip().lower()
    titles = dict.fromkeys(title for title in (user.text("assignment"), user.text("title")) if title)
    demanded = missing(log, DEMANDED) + missing(activity, ["activityType", "purpose"])
    whole = {
        "event_id": log.text("logId"),
        "recorded_at": moment if has_zone else None,
        "recorded_local": None if has_zone else moment,
        "employee_id": user.text("userId"),
        "employee_name": user.text("name"),
        "role": ", ".join(titles) or None,
        "unit_id": user.element("careUnit").text("careUnitId"),
        "action": ACTIONS.get(kind, "other"),
        "activity": written,
        "message_type": written,
        "message": activity.text("activityArgs"),
        "outcome": "success",
        "is_break_glass": kind == BREAK_GLASS,
        "purpose": activity.text("purpose"),
        "record_ref": activity.text("activityLevel"),
        "flags": [*demanded, *read_flags],
    }
    resources = log.element("resources").elements("resource") or [Element({}, "resources.resource")]
    rows = [{**whole, "item": item, **_of_resource(each, user, whole)} for item, each in enumerate(resources)]
    return with_self_service(rows, _number(user.element("personId")))


def _of_resource(resource: Element, user: Element, whole: Row) -> Row:
    kind = resource.text("resourceType")
    patient = resource.element("patient")
    flags = [*whole["flags"], *(missing(resource, ["resourceType"]) if resource else [])]
    for part in ("careProvider", "careUnit"):
        own, others = user.element(part).text(f"{part}Id"), resource.element(part).text(f"{part}Id")
        if own and others and own != others:
            flags.append("other_care_provider" if part == "careProvider" else "other_care_unit")
    return {
        "patient_id": _number(patient.element("patientId")),
        "patient_name": patient.text("patientName"),
        "patient_unit_id": resource.element("careUnit").text("careUnitId"),
        "log_type": kind,
        "table_name": kind,
        "flags": flags,
    }


def _number(identifier: Element) -> str | None:
    """A national number as it stands; another one with who gave it, as in HL7's CX: two regions may give the same."""
    root, number = identifier.text("root"), identifier.text("extension")
    if number is None:
        return root
    return number if root in NATIONAL_ROOTS or root is None else f"{number}^^^&{root}&ISO"


def _looks_like(start: bytes) -> bool:
    return any(namespace.encode() in start for namespace in NAMESPACES)


FORMAT = Format(count=_count, records=_records, rows=_rows, looks_like=_looks_like, has_zone=False)
