"""One audit message of DICOM PS3.15 A.5 or RFC 3881 as staged rows: accesses, or one log-in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audit_kernel.sources.fhir_element import Element
from audit_kernel.sources.fhir_entities import About
from audit_kernel.sources.fhir_event import (
    ACTIONS,
    BREAK_GLASS_PURPOSES,
    BREAK_GLASS_TYPES,
    EXPORTS,
    LOGIN_TYPE,
    LOGINS,
    OUTCOMES,
    SEARCHES,
)
from audit_kernel.sources.formats import BadValueError
from audit_kernel.sources.record_flags import missing, with_self_service

if TYPE_CHECKING:
    from collections.abc import Iterable

    Row = dict[str, Any]

# DICOM PS3.16 CID 402: application, launcher, destination, source, destination media, source media.
MACHINE_ROLES = frozenset(["110150", "110151", "110152", "110153", "110154", "110155"])
ADDRESS_LIKE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|/")
PERSON, PATIENT_ROLE, QUERY_ROLE, PATIENT_NUMBER = "1", "1", "24", "2"
NAME_ADDRESS, URI_ADDRESS = "1", "5"
DEMANDED = ("EventID", "EventOutcomeIndicator")
DEMANDED_PARTS = ("ActiveParticipant", "AuditSourceIdentification")
YES, NO = ("true", "1"), ("false", "0")


@dataclass(frozen=True)
class Code:
    """A coded value: `csd-code` and `originalText` in DICOM, `code` and `displayName` in RFC 3881 and later DICOM."""

    code: str
    text: str | None


def rows_of(value: Any, read_flags: Iterable[str]) -> tuple[list[Row], Row | None]:  # noqa: ANN401 - any XML
    """Return the rows of one message: its accesses, or none and its log-in.

    Raises
    ------
    BadValueError: the record cannot be used; names the field and the reason.
    """
    if not isinstance(value, dict):
        raise BadValueError("EventIdentification", "missing_value")
    message = Element(value)
    event = message.element("EventIdentification")
    if (time := event.time("EventDateTime")) is None:
        raise BadValueError("EventIdentification.EventDateTime", "missing_value")
    moment, has_zone = time
    kinds, types = codes(event, "EventID"), codes(event, "EventTypeCode")
    people = _People(message.elements("ActiveParticipant"))
    found = {code.code for code in [*kinds, *types]}
    common = {
        "recorded_at": moment if has_zone else None,
        "recorded_local": None if has_zone else moment,
        "employee_id": identifier_of(people.employee) if people.employee else None,
        "network_address": people.address(),
    }
    kind = next((LOGINS[code.code] for code in types if code.code in LOGINS), None)
    if kind or LOGIN_TYPE in found:
        return [], {**common, **_login(event, people, kind)}
    about = _about(message)
    purposes = [code.code for holder in (event, message) for code in codes(holder, "PurposeOfUse")]
    description = event.text("EventOutcomeDescription")
    flags = [
        *people.flags,
        *about.flags,
        *([] if has_zone else ["no_zone"]),
        *missing(event, DEMANDED),
        *missing(message, DEMANDED_PARTS),
        *read_flags,
    ]
    whole = {
        **common,
        "employee_name": people.employee.text("UserName") if people.employee else None,
        "role": people.role(),
        "on_behalf_of": people.second(),
        "action": _action(event, found),
        "log_type": kinds[0].code if kinds else None,
        "message_type": types[0].code if types else None,
        "access_type": _texts(kinds),
        "activity": _texts(types),
        "message": "\n".join([*about.messages, *([description] if description else [])]) or None,
        "outcome": _outcome(event),
        "is_break_glass": not BREAK_GLASS_PURPOSES.isdisjoint(purposes) or not BREAK_GLASS_TYPES.isdisjoint(found),
        "purpose": ", ".join(dict.fromkeys(purposes)) or None,
        "flags": flags,
    }
    return with_self_service([{**whole, "item": item, **parts} for item, parts in enumerate(about.items())]), None


def codes(element: Element, name: str) -> list[Code]:
    """Return the codes of a field, its text where it has no code."""
    found = []
    for each in element.elements(name):
        text = each.text("originalText") or each.text("displayName")
        code = each.text("csd-code") or each.text("code") or text
        if code:
            found.append(Code(code, text))
    return found


def identifier_of(participant: Element) -> str | None:
    """Return who a participant is: the user's id, or another one where there is none."""
    return participant.text("UserID") or participant.text("AlternativeUserID")


class _People:
    """The participants: the employee is the person who asked, else the first person."""

    def __init__(self, participants: list[Element]) -> None:
        self.participants = participants
        self.asking = [each for each in participants if _is_requestor(each)]
        self.persons = [each for each in participants if _is_person(each)]
        asking_persons = [each for each in self.persons if each in self.asking]
        self.employee = next(iter([*asking_persons, *self.persons]), None)
        self.flags = []
        if not self.asking:
            self.flags.append("no_requestor")
        elif not asking_persons:
            self.flags.append("machine_requestor")
        if len(asking_persons) > 1:
            self.flags.append("several_requestors")

    def second(self) -> str | None:
        others = [each for each in self.persons if each is not self.employee]
        return next((name for each in others if (name := identifier_of(each) or each.text("UserName"))), None)

    def role(self) -> str | None:
        found = codes(self.employee, "RoleIDCode") if self.employee else []
        return _texts(found)

    def address(self) -> str | None:
        """Return the employee's address, else the asking machine's, else the first that is not a URI."""
        first = ([self.employee] if self.employee else []) + self.asking
        for each in first:
            if address := each.text("NetworkAccessPointID"):
                return address
        others = [each for each in self.participants if each.text("NetworkAccessPointTypeCode") != URI_ADDRESS]
        return next((address for each in others if (address := each.text("NetworkAccessPointID"))), None)

    def device(self) -> str | None:
        """Return the name of the machine at which the employee sat."""
        own = self.employee
        return (
            own.text("NetworkAccessPointID") if own and own.text("NetworkAccessPointTypeCode") == NAME_ADDRESS else None
        )


def _is_requestor(participant: Element) -> bool:
    """RFC 3881 5.2: true where it is not written."""
    written = (participant.text("UserIsRequestor") or YES[0]).lower()
    if written not in (*YES, *NO):
        raise BadValueError(f"{participant.path}.UserIsRequestor", "not_readable")
    return written in YES


def _is_person(participant: Element) -> bool:
    identifier = identifier_of(participant) or participant.text("UserName")
    roles = {code.code for code in codes(participant, "RoleIDCode")}
    if identifier is None or ADDRESS_LIKE.match(identifier) or "MediaIdentifier" in participant:
        return False
    return MACHINE_ROLES.isdisjoint(roles)


def _about(message: Element) -> About:
    found = About()
    for each in message.elements("ParticipantObjectIdentification"):
        if query := each.text("ParticipantObjectQuery"):
            found.add_query(query)
        identifier = each.text("ParticipantObjectID")
        kinds = codes(each, "ParticipantObjectIDTypeCode")
        role = each.text("ParticipantObjectTypeCodeRole")
        is_person = each.text("ParticipantObjectTypeCode") in (PERSON, None)
        is_numbered = role is None and any(kind.code == PATIENT_NUMBER for kind in kinds)
        if is_person and (role == PATIENT_ROLE or is_numbered):
            _add_patients(found, identifier, each.text("ParticipantObjectName"))
        elif identifier and role != QUERY_ROLE:
            found.add_record(kinds[0].code if kinds else None, identifier)
    return found


def _add_patients(found: About, identifier: str | None, name: str | None) -> None:
    """Add each number of HL7's CX, `id^^^authority&oid&ISO~...`; what follows says only of what kind it is."""
    numbers = ["^".join(number.split("^")[:4]).strip() for number in (identifier or "").split("~")]
    if not any(numbers):
        found.flags.append("patient_without_id")
    for number in numbers:
        if number:
            found.add_patient(number, name)


def _texts(found: list[Code]) -> str | None:
    return ", ".join(code.text or code.code for code in found) or None


def _action(event: Element, found: set[str]) -> str:
    if not EXPORTS.isdisjoint(found):
        return "export"
    if not SEARCHES.isdisjoint(found):
        return "search"
    return ACTIONS.get(event.text("EventActionCode") or "", "other")


def _outcome(event: Element) -> str:
    return OUTCOMES.get(event.text("EventOutcomeIndicator") or "", "unknown")


def _login(event: Element, people: _People, kind: str | None) -> Row:
    return {
        "account": identifier_of(people.employee) if people.employee else None,
        "kind": "failure" if _outcome(event) == "failed" else kind or "login",
        "reason": event.text("EventOutcomeDescription"),
        "device": people.device(),
        "repeated": 1,
    }
