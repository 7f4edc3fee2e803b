"""A log extract as JSON: a FHIR R4 Bundle of AuditEvents, one for each row, with who, when and what (EHDS art. 9).

No profile of the EHDS for access logs exists yet, so none is claimed; these are the elements that the Swiss and German
profiles for patients' access logs (CH ATC, gematik ePA) have in common with plain R4.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from audit_kernel.evidence.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DICOM = "http://dicom.nema.org/resources/ontology/DCM"
CODES = "http://terminology.hl7.org/CodeSystem/"
PATIENT_RECORD, QUERY, EXPORT = (
    {"system": DICOM, "code": code, "display": display}
    for code, display in (("110110", "Patient Record"), ("110112", "Query"), ("110106", "Export"))
)
TYPES = {"search": QUERY, "export": EXPORT}
ACTIONS = {
    "read": "R", "print": "R", "export": "R", "write": "U", "sign": "U", "countersign": "U", "delete": "D",
    "search": "E", "execute": "E",
}  # fmt: skip
OUTCOMES = {"success": "0", "denied": "4", "failed": "4"}


def bundle(rows: Iterable[Mapping[str, Any]], language: str, site: str, time_zone: str) -> dict[str, Any]:
    """Return the Bundle.

    Parameters
    ----------
    rows: access_id, recorded_at (UTC), unit, name, role, patient_id, patient, what, action, outcome, is_break_glass and
        source_id; what is not shown to the reader is empty already.
    site: the organisation that kept the log.
    time_zone: times are written with its offset.
    """
    events = [_event(row, site, ZoneInfo(time_zone)) for row in rows]
    entries = [{"fullUrl": f"urn:uuid:{each['id']}", "resource": each} for each in events]
    found: dict[str, Any] = {"resourceType": "Bundle", "type": "collection", "language": language}
    return found | ({"entry": entries} if entries else {})


def _event(row: Mapping[str, Any], site: str, zone: ZoneInfo) -> dict[str, Any]:
    action, outcome = ACTIONS.get(row["action"]), OUTCOMES.get(row["outcome"])
    what = {"type": _coding("audit-entity-type", "2", "System Object"), "description": harmless(row["what"])}
    found: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": row["access_id"],
        "type": TYPES.get(row["action"], PATIENT_RECORD),
        "recorded": row["recorded_at"].replace(tzinfo=UTC).astimezone(zone).isoformat(),
        "agent": list(_agents(row)),
        "source": {"site": harmless(site), "observer": {"display": harmless(row["source_id"])}},
        "entity": [_patient(row), what] if row["patient"] else [what],
    }
    if action:
        found["action"] = action
    if outcome:
        found["outcome"] = outcome
    if row["is_break_glass"]:
        found["purposeOfEvent"] = [{"coding": [_coding("v3-ActReason", "BTG", "break the glass")]}]
    return found


def _agents(row: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    person: dict[str, Any] = {
        "type": {"coding": [_coding("extra-security-role-type", "humanuser", "human user")]},
        "requestor": True,
    }
    if row["name"]:
        person["name"] = harmless(row["name"])
    if row["role"]:
        person["role"] = [{"text": harmless(row["role"])}]
    yield person
    if row["unit"]:
        provider = {"coding": [_coding("v3-RoleClass", "PROV", "healthcare provider")]}
        yield {"type": provider, "name": harmless(row["unit"]), "requestor": False}


def _patient(row: Mapping[str, Any]) -> dict[str, Any]:
    what: dict[str, Any] = {"display": harmless(row["patient"])}
    if row["patient_id"]:
        what["identifier"] = {"value": harmless(row["patient_id"])}
    kind = {"type": _coding("audit-entity-type", "1", "Person"), "role": _coding("object-role", "1", "Patient")}
    return {"what": what, **kind}


def _coding(system: str, code: str, display: str) -> dict[str, str]:
    return {"system": f"{CODES}{system}", "code": code, "display": display}
