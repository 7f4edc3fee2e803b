"""Keycloak's user and admin events as JSON: a line each, or the list that its admin interface gives.

EventRepresentation and AdminEventRepresentation of Keycloak's admin REST API; an event that is no log-in is kept as
`other`, named by its type.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from audit_kernel.sources.cef_time import from_epoch
from audit_kernel.sources.count_json import count_json_records
from audit_kernel.sources.fhir_element import Element
from audit_kernel.sources.fhir_json import Number, find_records
from audit_kernel.sources.formats import BadValueError, Format, StagedRows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_kernel.sources.definition import SourceDefinition
    from audit_kernel.sources.formats import FoundRecord
    from audit_kernel.sources.prepare import PreparedFile

    Row = dict[str, Any]

KINDS = {
    "LOGIN": "login", "LOGOUT": "logout", "UPDATE_PASSWORD": "password_change",
    "LOGIN_ERROR": "failure", "IDENTITY_PROVIDER_LOGIN_ERROR": "failure",
    "USER_DISABLED_BY_PERMANENT_LOCKOUT": "lockout", "USER_DISABLED_BY_TEMPORARY_LOCKOUT": "lockout",
}  # fmt: skip
MILLISECONDS = re.compile(r"[0-9]{1,18}")
USER_OF_PATH = re.compile(r"(?:.*/)?users/([^/]+)(?:/.*)?")


def _records(prepared: PreparedFile) -> Iterator[FoundRecord]:
    return find_records(prepared, None)


def _rows(value: Any, _source: SourceDefinition) -> StagedRows:  # noqa: ANN401 - whatever the file holds
    if not isinstance(value, dict):
        raise BadValueError("", "not_readable")
    event = Element(value)
    row = _admin_event(event) if "operationType" in event else _user_event(event)
    identity = json.dumps(value, sort_keys=True, separators=(",", ":"), default=lambda number: {"#": number.text})
    own_id = event.text("id")
    common = {"event_id": own_id, "recorded_at": _moment(event), "repeated": 1}
    return StagedRows("authentications", [{**common, **row}], identity.encode())


def _moment(event: Element) -> Any:  # noqa: ANN401 - a datetime
    written = event.value.get("time")
    if written is None:
        raise BadValueError("time", "missing_value")
    if not isinstance(written, Number) or not MILLISECONDS.fullmatch(written.text):
        raise BadValueError("time", "not_a_time")
    return from_epoch("time", int(written.text))


def _user_event(event: Element) -> Row:
    kind_of_event, error = event.text("type"), event.text("error")
    if kind_of_event is None:
        raise BadValueError("type", "missing_value")
    details = event.element("details")
    kind = KINDS.get(kind_of_event, "other")
    if kind_of_event == "UPDATE_CREDENTIAL" and details.text("credential_type") == "password":
        kind = "password_change"
    if error and kind not in ("failure", "lockout"):
        kind = "failure" if kind == "login" else "other"
    username = details.text("username")
    return {
        "employee_id": event.text("userId") or username,
        "account": username or event.text("userId"),
        "kind": kind,
        "reason": kind_of_event if kind == "other" else error if kind == "failure" else None,
        "network_address": event.text("ipAddress"),
        "session_id": event.text("sessionId"),
    }


def _admin_event(event: Element) -> Row:
    """What an administrator did: a new password and an unlocking are about accounts, the rest is `other`."""
    who = event.element("authDetails")
    operation, resource = event.text("operationType") or "", event.text("resourceType") or ""
    path = event.text("resourcePath") or ""
    user = USER_OF_PATH.fullmatch(path)
    kind = "other"
    if not event.text("error"):
        if operation == "ACTION" and path.endswith("/reset-password"):
            kind = "password_change"
        elif operation == "DELETE" and resource == "USER_LOGIN_FAILURE":
            kind = "unlock"
    return {
        "employee_id": who.text("userId"),
        "account": user[1] if user else None,
        "kind": kind,
        "reason": f"{operation} {resource}".strip() if kind == "other" else None,
        "network_address": who.text("ipAddress"),
    }


def _looks_like(start: bytes) -> bool:
    has_time_and_realm = b'"time"' in start and b'"realmId"' in start
    return has_time_and_realm and (b'"type"' in start or b'"operationType"' in start)


FORMAT = Format(count=count_json_records, records=_records, rows=_rows, looks_like=_looks_like)
