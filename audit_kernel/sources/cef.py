"""ArcSight Common Event Format (CEF, version 25 of its guide), one record a line or in octet-counted syslog frames.

    CEF:0|vendor|product|version|class|name|severity|key=value key=value ...

Read as the Norwegian NAV writes its audit log: `suid` the employee, `duid` the patient, `sproc` the session, `request`
the record, a field labelled Decision the outcome. A syslog header before `CEF:` is transport and read for nothing but
the time of a record that has none itself.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from audit_kernel.sources.cef_time import cef_time, header_time
from audit_kernel.sources.count import FileFacts
from audit_kernel.sources.count_json import count_lines
from audit_kernel.sources.count_syslog import count_syslog_frames
from audit_kernel.sources.fhir_element import Element
from audit_kernel.sources.formats import BadValueError, Format, FoundRecord, StagedRows
from audit_kernel.sources.record_flags import with_self_service
from audit_kernel.sources.syslog_frames import COUNTED, find_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from audit_kernel.sources.definition import SourceDefinition
    from audit_kernel.sources.prepare import PreparedFile

    Fields = dict[str, str]
    Row = dict[str, Any]

BLANKS = " \t\r\n"
LONGEST_TRANSPORT = 1024
START = re.compile(r"(?:\A|(?<=[\s:\ufeff]))CEF:\d{1,3}\|")
HEADER_FIELD = re.compile(r"((?:[^|\\]|\\.)*+)\|")
N_HEADER_FIELDS = 6
ANOTHER = re.compile(r"CEF:\d{1,3}\|(?:[^|]*\|){6}")
KEY = re.compile(r"(?:\A|(?<=[ \t]))([A-Za-z0-9_.\-\[\]]+)=")
HEADER_ESCAPE = re.compile(r"\\([|\\])")
VALUE_ESCAPE = re.compile(r"\\([\\=|nr])")
ESCAPES = {"n": "\n", "r": "\r"}
LABEL = "Label"
DECISION = "decision"

ACTIONS = {
    "access": "read", "read": "read", "view": "read", "create": "write", "write": "write", "update": "write",
    "delete": "delete", "search": "search", "print": "print", "export": "export", "sign": "sign",
}  # fmt: skip
LOGINS = {"login": "login", "logon": "login", "logout": "logout", "logoff": "logout"}
OUTCOMES = {
    "permit": "success", "allow": "success", "allowed": "success", "success": "success", "/success": "success",
    "deny": "denied", "denied": "denied", "blocked": "denied",
    "failure": "failed", "/failure": "failed", "failed": "failed", "error": "failed",
}  # fmt: skip
# Keys with a place of their own; a labelled field is named by its label.
TIMES = ("end", "rt", "start")


def _records(prepared: PreparedFile) -> Iterator[FoundRecord]:
    with prepared.text.open("rb") as stream:
        is_counted = COUNTED.match(stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip())
    if is_counted:
        for number, frame in enumerate(find_frames(prepared), start=1):
            yield _record(number, frame.line_number, frame.text.decode("utf-8", errors="backslashreplace"))
        return
    number = 0
    with prepared.text.open(encoding="utf-8-sig", newline="\n") as stream:
        for line_number, line in enumerate(stream, start=1):
            if line.strip(BLANKS):
                number += 1
                yield _record(number, line_number, line)


def _record(number: int, line_number: int, written: str) -> FoundRecord:
    text = written.strip(BLANKS)
    return FoundRecord(number, line_number, text, value=text)


def _count(text: Path, _name: str, progress: Callable[[int], None]) -> FileFacts:
    frames = None
    with text.open("rb") as stream:
        if re.match(rb"(?:\xef\xbb\xbf)?\s*[1-9][0-9]{0,8} <", stream.read(64)):
            frames = count_syslog_frames(text, progress)
    if frames:
        return frames
    n_records, longest = count_lines(text, progress)
    return FileFacts(n_records=n_records, longest_record=longest)


def _rows(text: Any, source: SourceDefinition) -> StagedRows:  # noqa: ANN401 - as every reader's
    start = START.search(text, 0, LONGEST_TRANSPORT)
    if start is None or "\n" in text:
        raise BadValueError("", "not_readable")
    header, place = _header(text, start.end())
    if ANOTHER.search(text, place):  # two records ran into one: whose values they are, nothing says
        raise BadValueError("", "not_readable")
    fields = _fields(text[place:])
    moment, has_zone, is_own = _moment(fields, text[: start.start()])
    # Transport is no part of the record, unless its time is.
    identity = text[start.start() :] if is_own else text
    labelled = _labelled(fields)
    action = (fields.get("act") or header.get("class", "").rpartition(":")[2]).lower()
    common: Row = {
        "recorded_at": moment if has_zone else None,
        "recorded_local": None if has_zone else moment,
        "employee_id": fields.get("suid"),
        "network_address": fields.get("src"),
        "session_id": fields.get("sproc"),
    }
    outcome = _outcome(fields, labelled, source)
    if kind := LOGINS.get(action):
        failed = {"failed": "failure", "denied": "failure"}
        login = {"account": fields.get("suser"), "kind": failed.get(outcome, kind), "reason": fields.get("reason")}
        device = {"device": fields.get("shost"), "repeated": _repeated(fields)}
        return StagedRows("authentications", [{**common, **login, **device}], identity.encode())
    access = {
        **common,
        "item": 0,
        "employee_name": fields.get("suser"),
        "patient_id": fields.get("duid"),
        "patient_name": fields.get("duser"),
        "action": ACTIONS.get(action, "other"),
        "log_type": header.get("name"),
        "message_type": header.get("class"),
        "table_name": fields.get("requestContext"),
        "record_ref": fields.get("request"),
        "message": _message(fields, labelled),
        "outcome": outcome,
        "is_break_glass": False,
        "flags": _flags(fields, has_zone=has_zone),
    }
    return StagedRows("accesses", with_self_service([access]), identity.encode())


def _header(text: str, place: int) -> tuple[Fields, int]:
    """Return the header's fields and where the extension begins."""
    values = []
    for _number in range(N_HEADER_FIELDS):
        field = HEADER_FIELD.match(text, place)
        if field is None:
            raise BadValueError("", "not_readable")
        values.append(HEADER_ESCAPE.sub(r"\1", field[1]))
        place = field.end()
    names = ("vendor", "product", "version", "class", "name", "severity")
    return _checked(dict(zip(names, values, strict=True))), place


def _fields(extension: str) -> Fields:
    """Read `key=value key=value`; a value ends where the next key begins, an empty one is left out.

    Raises
    ------
    BadValueError: it begins with no key, or a key stands twice: which of them holds, nothing says.
    """
    keys = list(KEY.finditer(extension))
    begins_with = extension[: keys[0].start()] if keys else extension
    if begins_with.strip():
        raise BadValueError("", "not_readable")
    found: dict[str, str] = {}
    for key, following in zip_longest(keys, keys[1:]):
        if key[1] in found:
            raise BadValueError(key[1], "not_readable")
        written = extension[key.end() : following.start() if following else None].rstrip(" \t")
        found[key[1]] = VALUE_ESCAPE.sub(lambda escape: ESCAPES.get(escape[1], escape[1]), written)
    return _checked(found)


def _checked(found: Fields) -> Fields:
    """Leave empty values out; control characters and the like in any of the others are refused."""
    element = Element(found)
    return {name: value for name in found if (value := element.text(name)) is not None}


def _moment(fields: Fields, transport: str) -> tuple[Any, bool, bool]:
    """Return the time, whether it has an offset, and whether it is the record's own and not its transport's."""
    for name in TIMES:
        if written := fields.get(name):
            moment, has_zone = cef_time(name, written)
            return moment, has_zone, True
    found = header_time(transport)
    if found is None:
        raise BadValueError(TIMES[0], "missing_value")
    return *found, False


def _labelled(fields: Fields) -> dict[str, str]:
    """The custom fields by their labels: `flexString1Label=Decision flexString1=Permit` is Decision: Permit."""
    found: dict[str, str] = {}
    for key in fields:
        name = key.removesuffix(LABEL)
        label, value = fields.get(key), fields.get(name)
        if name == key or not label or value is None:
            continue
        if label in found:
            raise BadValueError(key, "not_readable")
        found[label] = value
    return found


def _outcome(fields: Fields, labelled: dict[str, str], source: SourceDefinition) -> str:
    decisions = [value for label, value in labelled.items() if label.strip().lower() == DECISION]
    if len(decisions) > 1:
        raise BadValueError("Decision", "not_readable")
    written = decisions[0] if decisions else fields.get("outcome")
    return OUTCOMES.get(written.strip().lower(), "unknown") if written else source.outcome


def _message(fields: Fields, labelled: dict[str, str]) -> str | None:
    """The message, then what is named but has no column: the labelled fields and the process that groups records."""
    lines = [text for text in (fields.get("msg"), fields.get("reason")) if text]
    lines += [f"{label}: {value}" for label, value in labelled.items() if label.strip().lower() != DECISION]
    if process := fields.get("dproc"):
        lines.append(f"dproc: {process}")
    return "\n".join(lines) or None


def _flags(fields: Fields, *, has_zone: bool) -> list[str]:
    """Facts about the record; an employee of 11 digits is a person's own number: often one who sees to her own case."""
    flags = [] if has_zone else ["no_zone"]
    if re.fullmatch(r"[0-9]{11}", fields.get("suid") or ""):
        flags.append("employee_by_personal_number")
    return flags


def _repeated(fields: Fields) -> int:
    written = fields.get("cnt") or "1"
    if not re.fullmatch(r"[1-9][0-9]{0,8}", written):
        raise BadValueError("cnt", "not_a_number")
    return int(written)


def _looks_like(start: bytes) -> bool:
    return re.search(rb"(?:^|[\s:])CEF:[0-9]{1,3}\|", start, re.MULTILINE) is not None


FORMAT = Format(count=_count, records=_records, rows=_rows, looks_like=_looks_like)
