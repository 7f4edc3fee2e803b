"""About whom and what: the patients, records and queries among an AuditEvent's entities."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audit_kernel.sources.fhir_agents import codes, plain_reference
from audit_kernel.sources.fhir_element import CONTROLS
from audit_kernel.sources.record_flags import unescaped

if TYPE_CHECKING:
    from audit_kernel.sources.fhir_element import Element

PATIENT_ROLE, JOB_STREAM_ROLE, QUERY_ROLE = "1", "21", "24"
REQUEST_ID_TYPES = frozenset(["XrequestId"])
RESOURCE_TYPE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/[^/]+$")


@dataclass
class About:
    """What the entities say. patients: (id, name); records: (table_name, record_ref)."""

    patients: list[tuple[str, str | None]] = field(default_factory=list)
    records: list[tuple[str | None, str]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    session_id: str | None = None
    flags: list[str] = field(default_factory=list)

    def add_patient(self, patient: str, name: str | None) -> None:
        """Add a patient once."""
        patient, name = self._unescaped(patient), name and self._unescaped(name)
        if patient not in [known for known, _name in self.patients]:
            self.patients.append((patient, name))

    def add_record(self, kind: str | None, reference: str) -> None:
        """Add a record."""
        self.records.append((kind, self._unescaped(reference)))

    def _unescaped(self, text: str) -> str:
        """Undo what was escaped once too often: else `1^^^&amp;oid` and `1^^^&oid` were two patients."""
        found = unescaped(text)
        if found != text and "escaped_twice" not in self.flags:
            self.flags.append("escaped_twice")
        return found

    def add_query(self, written: str) -> None:
        """Add a query in base64, decoded; where it is not readable text it stays as written, and the row says so."""
        try:
            text = base64.b64decode("".join(written.split()), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            text = ""
        if not text or CONTROLS.search(text):
            self.flags.append("query_not_text")
            text = written
        self.messages.append(text)

    def items(self) -> list[dict[str, str | None]]:
        """Return patient and record of each row: one for each patient; for each record where there is one or none.

        With several patients and several records nothing says which belong together: each patient's row names all.
        """
        if len(self.patients) > 1:
            tables = {table for table, _record in self.records}
            record = {
                "table_name": tables.pop() if len(tables) == 1 else None,
                "record_ref": " ".join(reference for _table, reference in self.records) or None,
            }
            return [{"patient_id": patient, "patient_name": name, **record} for patient, name in self.patients]
        patient_id, patient_name = self.patients[0] if self.patients else (None, None)
        patient = {"patient_id": patient_id, "patient_name": patient_name}
        if not self.records:
            return [patient]
        return [{**patient, "table_name": table, "record_ref": reference} for table, reference in self.records]


def about(event: Element) -> About:
    """Sort the entities into patients, records, queries and session."""
    found = About()
    entities = event.elements("entity")
    named = [entity for entity in entities if PATIENT_ROLE in codes(entity, "role")]
    for entity in named:
        _add_patient(found, entity)
    if patient := _identifier_of_patient(event.element("patient")):
        found.add_patient(
            patient, event.element("patient").text("display")
        )  # R5 names the patient outside the entities
    for entity in entities:
        if entity not in named:
            _add_other(found, entity)
    if not found.patients:
        # Some systems write the patient as any other resource, without the role.
        for kind, reference in list(found.records):
            if kind == "Patient":
                found.add_patient(str(plain_reference(reference)), None)
        if len(found.patients) > 1:
            found.records = [record for record in found.records if record[0] != "Patient"]
    return found


def what(entity: Element) -> Element:
    """Return what the entity is: R4 and R5 `what`; STU3 writes its parts on the entity itself."""
    return entity.element("what") if "what" in entity else entity


def reference_of(entity: Element) -> str | None:
    """Return the entity's reference."""
    inner = what(entity)
    if isinstance(inner.value.get("reference"), dict):  # STU3
        return inner.element("reference").text("reference")
    return inner.text("reference")


def _identifier_of_patient(person: Element) -> str | None:
    identifier = person.element("identifier")
    value = identifier.text("value") or identifier.text("id")  # some systems write the number as the element's id
    if value:
        return value
    if isinstance(person.value.get("reference"), dict):  # STU3
        return plain_reference(person.element("reference").text("reference"))
    return plain_reference(person.text("reference"))


def _add_patient(found: About, entity: Element) -> None:
    inner = what(entity)
    patient = _identifier_of_patient(inner)
    if patient is None:
        found.flags.append("patient_without_id")
    else:
        found.add_patient(patient, entity.text("name") or inner.text("display"))


def _add_other(found: About, entity: Element) -> None:
    roles, kinds = codes(entity, "role"), codes(entity, "type")
    if query := entity.text("query"):
        found.add_query(query)
    if QUERY_ROLE in roles or not REQUEST_ID_TYPES.isdisjoint(kinds):
        return
    reference = reference_of(entity)
    value = reference or what(entity).element("identifier").text("value")
    if JOB_STREAM_ROLE in roles:
        found.session_id = found.session_id or value
    elif value and not value.startswith("#"):
        match = RESOURCE_TYPE.search(plain_reference(reference) or "")
        shown = [coding.text("display") for coding in entity.codings("type")]
        kind = match[1] if match else next((name for name in [*shown, *kinds] if name), None)
        found.add_record(kind, value)
