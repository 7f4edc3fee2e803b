"""One Windows event as a row of authentications; one that is no log-in is kept as `other`, named by its number.

The meanings are those of Microsoft's documentation of the Security log's events and of SQL Server's errors 18453-18456.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audit_kernel.sources.fhir_element import Element
from audit_kernel.sources.formats import BadValueError

if TYPE_CHECKING:
    from datetime import datetime

    from audit_kernel.sources.xml_nodes import Node

    Row = dict[str, Any]

NAMESPACES = frozenset(["http://schemas.microsoft.com/win/2004/08/events/event", ""])
SECURITY = "Microsoft-Windows-Security-Auditing"
EVENT_LOG = "Microsoft-Windows-Eventlog"
SQL_SERVER = re.compile(r"MSSQL(?:SERVER|\$.+)")
KINDS = {
    "4624": "login", "4634": "logout", "4647": "logout", "4625": "failure", "4771": "failure",
    "4740": "lockout", "4767": "unlock", "4723": "password_change", "4724": "password_change",
}  # fmt: skip
# Each tells of a success too; that is a ticket or a check for another computer, where the log-in itself stands.
FAILURES_BY_STATUS = frozenset(["4768", "4776"])
LOG_CLEARED = "1102"
SQL_LOGINS = {"18453": "login", "18454": "login", "18455": "login", "18456": "failure"}
# Events in which the subject did it, to an account of another.
BY_SUBJECT = frozenset(["4723", "4724", "4767"])
AUDIT_FAILURE = 0x10_0000_0000_0000
NO_VALUE = frozenset(["", "-"])
# Windows' own accounts (system, services, nobody, window managers) and, by their `$`, those of computers.
MACHINES = re.compile(r"S-1-5-(?:7|18|19|20|9[06]-.*)")
NO_STATUS = re.compile(r"0x0+|0", re.IGNORECASE)
CLIENT = re.compile(r"\[CLIENT: ([^\]\s<>]+)\]")
MAPPED = "::ffff:"


@dataclass(frozen=True)
class _Event:
    """What an event says: its System part, its named and unnamed data."""

    provider: str
    number: str
    computer: str | None
    channel: str | None
    record: str | None
    moment: datetime
    has_zone: bool
    is_failure: bool
    data: Element
    unnamed: list[str]

    def value(self, name: str) -> str | None:
        """Return one of the named data; `-` is none."""
        found = (self.data.text(name) or "").strip()
        return None if found in NO_VALUE else found

    def person(self, who: str) -> str | None:
        """Return the name of the `Target` or `Subject`; a machine is no employee and gives None."""
        name = self.value(f"{who}UserName")
        is_machine = MACHINES.fullmatch(self.value(f"{who}UserSid") or "") or (name or "").endswith("$")
        return None if is_machine else name

    def account(self, who: str) -> str | None:
        r"""Return DOMAIN\name of the `Target` or `Subject`, the name alone where there is no domain."""
        name, domain = self.value(f"{who}UserName"), self.value(f"{who}DomainName")
        return f"{domain}\\{name}" if name and domain and "@" not in name else name


def row_of(node: Node) -> tuple[Row, bytes]:
    """Return the row of an event and what its hash is made of, the same for its EVTX and its XML.

    Raises
    ------
    BadValueError: it has no System part, no number or no time that can be used.
    """
    event = _read(node)
    kind = _kind(event)
    if SQL_SERVER.fullmatch(event.provider) and kind != "other":
        row = _sql_login(event)
    elif event.number in BY_SUBJECT or kind in ("log_cleared", "other"):
        who = "Subject" if event.value("SubjectUserName") else "Target"
        target = "Target" if event.number in BY_SUBJECT else who
        row = {
            "employee_id": event.person(who),
            "account": event.account(target),
            "session_id": event.value(f"{who}LogonId"),
            "device": event.computer,
        }
    else:
        row = _login(event)
    own_id = f"{event.computer}|{event.channel}|{event.record}" if event.computer and event.record else None
    return {
        "event_id": own_id,
        "recorded_at": event.moment if event.has_zone else None,
        "recorded_local": None if event.has_zone else event.moment,
        "network_address": _address(event.value("IpAddress")),
        "kind": kind,
        "reason": event.number if kind == "other" else _reason(event) if kind == "failure" else None,
        "repeated": 1,
        **row,
    }, _identity(event)


def _read(node: Node) -> _Event:
    parts = {child.name: child for child in node.children}
    if node.namespace not in NAMESPACES or "System" not in parts:
        raise BadValueError("System", "not_readable")
    system = {child.name: child for child in parts["System"].children}
    texts = Element({name: child.text for name, child in system.items()}, "System")
    number = texts.text("EventID")
    if number is None or not re.fullmatch(r"[0-9]{1,10}", number):
        raise BadValueError("System.EventID", "not_a_number")
    created = Element(system["TimeCreated"].attributes if "TimeCreated" in system else {}, "System.TimeCreated")
    found = created.time("SystemTime")
    if found is None:
        raise BadValueError("System.TimeCreated", "missing_value")
    provider = Element(system["Provider"].attributes if "Provider" in system else {}, "System.Provider")
    keywords = texts.text("Keywords") or ""
    data, unnamed = _data(parts)
    return _Event(
        provider=provider.text("Name") or "",
        number=number,
        computer=texts.text("Computer"),
        channel=texts.text("Channel"),
        record=texts.text("EventRecordID"),
        moment=found[0],
        has_zone=found[1],
        is_failure=bool(re.fullmatch(r"0x[0-9a-fA-F]{1,16}", keywords) and int(keywords, 16) & AUDIT_FAILURE),
        data=data,
        unnamed=unnamed,
    )


def _data(parts: dict[str, Node]) -> tuple[Element, list[str]]:
    """Return the event's data by name, and those without one in their order.

    Raises
    ------
    BadValueError: a name stands twice: which of its values holds, nothing says.
    """
    named: list[tuple[str, str]] = []
    unnamed: list[str] = []
    for item in parts["EventData"].children if "EventData" in parts else []:
        if name := item.attributes.get("Name"):
            named.append((name, item.text))
        else:
            unnamed.append(item.text)
    for holder in parts["UserData"].children if "UserData" in parts else []:
        named += [(item.name, item.text) for item in holder.children]
    found = dict(named)
    if len(found) != len(named):
        raise BadValueError("EventData", "not_readable")
    return Element(found, "EventData"), Element({"EventData": unnamed}).texts("EventData")


def _kind(event: _Event) -> str:
    if SQL_SERVER.fullmatch(event.provider):
        return SQL_LOGINS.get(event.number, "other")
    if event.provider == EVENT_LOG and event.channel == "Security" and event.number == LOG_CLEARED:
        return "log_cleared"
    if event.provider != SECURITY:
        return "other"
    if event.number in FAILURES_BY_STATUS and not NO_STATUS.fullmatch(event.value("Status") or "0"):
        return "failure"
    kind = KINDS.get(event.number, "other")
    return "other" if kind == "password_change" and event.is_failure else kind


def _login(event: _Event) -> Row:
    is_lockout = event.number == "4740"  # whose TargetDomainName is the computer that the attempts came from
    workstation = event.value("TargetDomainName") if is_lockout else None
    return {
        "employee_id": event.person("Target"),
        "account": event.value("TargetUserName") if is_lockout else event.account("Target"),
        "device": workstation or event.value("WorkstationName") or event.value("Workstation") or event.computer,
        "session_id": event.value("TargetLogonId"),
    }


def _sql_login(event: _Event) -> Row:
    account, reason, *_others = [*(text.strip() for text in event.unnamed), "", ""]
    client = CLIENT.search(" ".join(event.unnamed))
    is_failure = SQL_LOGINS[event.number] == "failure"
    return {
        "employee_id": account or None,
        "account": account or None,
        "device": event.computer,
        "reason": (reason or None) if is_failure else None,
        "network_address": _address(client[1]) if client else None,
    }


def _reason(event: _Event) -> str | None:
    """The code that says why; a sub-status says more than the status."""
    codes = [event.value("SubStatus"), event.value("Status")]
    return next((code.lower() for code in codes if code and not NO_STATUS.fullmatch(code)), None)


def _address(written: str | None) -> str | None:
    if written is None:
        return None
    is_mapped = written.lower().startswith(MAPPED) and "." in written
    return written[len(MAPPED) :] if is_mapped else written


def _identity(event: _Event) -> bytes:
    """The event whatever tool wrote it: they differ in braces around GUIDs, in case, and in digits of the time."""
    named = sorted((name, _plain(value)) for name, value in event.data.value.items())
    unnamed = [_plain(value) for value in event.unnamed]
    system = [event.provider, event.number, event.computer, event.channel, event.record, event.moment.isoformat()]
    return json.dumps([system, named, unnamed]).encode()


def _plain(value: str) -> str:
    return " ".join(value.split()).removeprefix("{").removesuffix("}").lower()
