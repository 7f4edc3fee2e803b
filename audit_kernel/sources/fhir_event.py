"""One AuditEvent as staged rows: accesses, one for each patient or record it is about, or one log-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_kernel.sources.fhir_agents import codes, who
from audit_kernel.sources.fhir_element import Element
from audit_kernel.sources.fhir_entities import about
from audit_kernel.sources.formats import BadValueError
from audit_kernel.sources.record_flags import missing, with_self_service

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from audit_kernel.sources.fhir_agents import Who

    Row = dict[str, Any]

EVENT_NAMES = ("AuditEvent", "SecurityEvent")  # the second until DSTU1
ACTIONS = {"C": "write", "R": "read", "U": "write", "D": "delete", "E": "execute"}
ACTION_NAMES = {"create": "C", "read": "R", "update": "U", "delete": "D", "execute": "E"}
LATER_NAMES = {"participant": "agent", "object": "entity"}
SEARCHES = frozenset(["search", "search-type", "search-system", "history-type", "history-system", "110112"])
EXPORTS = frozenset(["110106"])
LOGIN_TYPE = "110114"
LOGINS = {"110122": "login", "110123": "logout"}
BREAK_GLASS_PURPOSES = frozenset(["BTG", "ETREAT", "EMER"])
BREAK_GLASS_TYPES = frozenset(["110127"])
# R4 and STU3 write DICOM's numbers; R5 may write an issue's severity.
OUTCOMES = {
    "0": "success", "4": "failed", "8": "failed", "12": "failed",
    "success": "success", "information": "success", "warning": "success", "error": "failed", "fatal": "failed",
}  # fmt: skip
DENIALS = frozenset(["forbidden", "security", "login", "suppressed"])


def rows_of(value: Any, read_flags: Sequence[str] = ()) -> tuple[list[Row], Row | None]:  # noqa: ANN401 - whatever the file holds
    """Return the rows of one record: its accesses, or none and its log-in.

    Parameters
    ----------
    read_flags: what reading the record already found odd.

    Raises
    ------
    BadValueError: the record cannot be used; names the field and the reason.
    """
    if not isinstance(value, dict):
        raise BadValueError("", "not_readable")
    event = Element(with_later_names(value))
    if event.text("resourceType") not in EVENT_NAMES:
        raise BadValueError("resourceType", "not_readable")
    types = codes(event, "category") or codes(event, "type")
    subtypes = codes(event, "code") or codes(event, "subtype")
    moment, has_zone = _moment(event)
    person = who(event)
    event_id = _event_id(event)
    common = {
        "event_id": event_id,
        "recorded_at": moment if has_zone else None,
        "recorded_local": None if has_zone else moment,
        "employee_id": person.employee_id,
        "network_address": person.network_address,
    }
    kind = next((LOGINS[code] for code in subtypes if code in LOGINS), None)
    if kind or LOGIN_TYPE in types:
        return [], {**common, **_login(event, person, kind)}
    return _accesses(event, {**common, **_codes(event, types, subtypes)}, person, read_flags, has_zone=has_zone), None


def with_later_names(event: dict[str, Any]) -> dict[str, Any]:
    """Return a DSTU2 event with the names that later versions gave its parts; another one as it is."""
    inner = event.get("event")
    if isinstance(inner, dict):
        event = {**inner, **{name: part for name, part in event.items() if name != "event"}}
    later = {new: event[old] for old, new in LATER_NAMES.items() if old in event and new not in event}
    return {**event, **later}


def _moment(event: Element) -> tuple[datetime, bool]:
    for holder, name in (
        (event.element("occurredPeriod"), "start"),
        (event, "occurredDateTime"),
        (event.element("period"), "start"),
        (event, "recorded"),
        (event, "dateTime"),  # DSTU2
    ):
        if found := holder.time(name):
            return found
    raise BadValueError("recorded", "missing_value")


def _event_id(event: Element) -> str | None:
    """The record's id with the name of the server that gave it: two servers give the same ids."""
    own = event.text("id")
    if own is None:
        return None
    source = event.element("source")
    observer = source.element("observer")
    server = (
        observer.element("identifier").text("value")
        or observer.text("reference")
        or observer.text("display")
        or source.element("identifier").text("value")  # STU3
        or _site(source)
    )
    return f"{server}|{own}" if server else own


def _site(source: Element) -> str | None:
    """Return the source's site: a text, in R5 a reference."""
    if isinstance(source.value.get("site"), dict):
        return source.element("site").text("reference") or source.element("site").text("display")
    return source.text("site")


def _codes(event: Element, types: list[str], subtypes: list[str]) -> Row:
    """The columns that the event's own codes give."""
    letter = event.text("action") or ""
    action = ACTIONS.get(ACTION_NAMES.get(letter, letter))
    if not EXPORTS.isdisjoint([*types, *subtypes]):
        action = "export"
    elif not SEARCHES.isdisjoint([*types, *subtypes]):
        action = "search"
    displays = [coding.text("display") for coding in event.codings("subtype") + event.codings("code")]
    kinds = [coding.text("display") for coding in event.codings("type") + event.codings("category")]
    return {
        "action": action or "other",
        "log_type": next(iter(types), None),
        "message_type": next(iter(subtypes), None),
        "activity": ", ".join(display for display in displays if display) or None,
        "access_type": ", ".join(kind for kind in kinds if kind) or None,
    }


def _outcome(event: Element) -> tuple[str, str | None]:
    """Return the outcome and its description; R5 has both in one object."""
    if isinstance(event.value.get("outcome"), dict):
        outcome = event.element("outcome")
        found = codes(outcome, "code")
        details = outcome.codings("detail")
        texts = [detail.text("display") or detail.text("code") for detail in details]
        issues = codes(outcome, "detail")
        description = ", ".join(text for text in texts if text) or None
    else:
        found = [code] if (code := event.text("outcome")) else []
        description = event.text("outcomeDesc")
        issues = []
    for contained in event.elements("contained"):
        if contained.text("resourceType") == "OperationOutcome":
            issues += [code for issue in contained.elements("issue") if (code := issue.text("code"))]
    result = OUTCOMES.get(found[0], "unknown") if found else "unknown"
    is_denied = result == "failed" and not DENIALS.isdisjoint(issues)
    return ("denied" if is_denied else result), description


def _accesses(event: Element, common: Row, person: Who, read_flags: Sequence[str], *, has_zone: bool) -> list[Row]:
    entities = about(event)
    outcome, description = _outcome(event)
    purposes = [*codes(event, "purposeOfEvent"), *codes(event, "authorization"), *person.purposes]
    types = {common["log_type"], *codes(event, "subtype"), *codes(event, "code")}
    is_break_glass = not BREAK_GLASS_PURPOSES.isdisjoint(purposes) or not BREAK_GLASS_TYPES.isdisjoint(types)
    has_type = "type" in event or "category" in event or "code" in event
    flags = [
        *person.flags,
        *entities.flags,
        *([] if has_zone else ["no_zone"]),
        *([] if has_type else ["missing_type"]),
        *missing(event, ("agent", "source")),
        *read_flags,
    ]
    whole = {
        **common,
        "employee_name": person.employee_name,
        "role": person.role,
        "unit_id": person.unit_id,
        "on_behalf_of": person.on_behalf_of,
        "session_id": person.session_id or entities.session_id,
        "message": "\n".join([*entities.messages, *([description] if description else [])]) or None,
        "outcome": outcome,
        "is_break_glass": is_break_glass,
        "purpose": ", ".join(dict.fromkeys(purposes)) or None,
        "flags": flags,
    }
    return with_self_service([{**whole, "item": item, **parts} for item, parts in enumerate(entities.items())])


def _login(event: Element, person: Who, kind: str | None) -> Row:
    outcome, description = _outcome(event)
    failed = outcome in ("failed", "denied")
    return {
        "account": person.employee_id,
        "kind": "failure" if failed else kind or "login",
        "reason": description,
        "device": person.device,
        "session_id": person.session_id,
        "repeated": 1,
    }
