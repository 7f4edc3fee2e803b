"""The use log as rows: what was asked in a period, about whom, and how many rows were handed out.

Its lines are hostile: purposes are typed by people, and whoever owns the file can write a line that fits the chain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from audit_kernel.errors import JournalError
from audit_kernel.evidence.harmless import harmless
from audit_kernel.journal import START, Journal, parse_line
from audit_kernel.use_log import ANSWERED, FILE, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audit_kernel.site import Site

# What a line is. Names are asked for beside every list, so they are no question of anybody's.
OPENING, QUESTION, ACT, OTHER = "opening", "question", "act", "other"
KINDS = {
    "open": OPENING,
    **dict.fromkeys(("report", "sql", "subject", "ledger", "unexplained_days", "quarantine"), QUESTION),
    **dict.fromkeys(("backup", "decide", "decision", "disposal", "export", "extract"), ACT),
    **dict.fromkeys(("refusal", "restore", "settle"), ACT),
    **dict.fromkeys(("device_issued", "device_requested", "device_revoked"), ACT),
    **dict.fromkeys(("device_refused", "device_list_refreshed", "device_list_failed"), OTHER),
    **dict.fromkeys(("names", "finding", "reviewer", "inspect", "draft", "identity", "seal_refused"), OTHER),
    **dict.fromkeys(("preview", "sensitivity", "case_list", "login", "logout", "server_start"), OTHER),
}
OF_THE_HUB = ("login", "logout", "refusal", "server_start")  # written by one account about another
OF_A_CASE = re.compile(r"case_[a-z_]{1,30}")
QUERY_NAME = re.compile(r"[a-z0-9_./]{1,100}")
LONGEST = 500
COLUMNS: dict[str, pa.DataType] = {
    "sequence": pa.int64(),
    "recorded_at": pa.timestamp("us"),
    "local_date": pa.date32(),
    **dict.fromkeys(("user_name", "purpose", "case_number", "use_kind", "use_activity", "query_name"), pa.string()),
    "n_rows": pa.int64(),
    "is_control": pa.bool_(),
}
LINES = pa.schema(COLUMNS)
PEOPLE_COLUMNS: dict[str, pa.DataType] = {"sequence": pa.int64(), "employee_id": pa.string(), "patient_id": pa.string()}
PEOPLE = pa.schema(PEOPLE_COLUMNS)
USERS = pa.schema([("user_name", pa.string()), ("employee_id", pa.string())])


@dataclass(frozen=True)
class Place:
    """A line of the use log: everything up to it is read. Its hash stands for all before it."""

    sequence: int
    hash: str

    @classmethod
    def of(cls, text: str) -> Place | None:
        """Return a place as `str` writes it; None for other text."""
        found = re.fullmatch(r"([0-9]{1,15}) ([0-9a-f]{64})", text)
        return cls(int(found[1]), found[2]) if found else None

    def __str__(self) -> str:
        """Return it as a notebook's parameter."""
        return f"{self.sequence} {self.hash}"


@dataclass
class Used:
    """What was read.

    lines: one dict a line, with the columns of LINES. people: of PEOPLE, one for each person that a line is about.
    n_lines: lines of the period, openings and answers included. n_damaged: lines that do not hold, whenever written.
    n_apart: lines left out, because only the privacy officer reads about these people.
    is_whole: the log still holds the line that it was to be read to.
    """

    lines: list[dict[str, Any]] = field(default_factory=list)
    people: list[dict[str, Any]] = field(default_factory=list)
    n_lines: int = 0
    n_damaged: int = 0
    n_apart: int = 0
    is_whole: bool = True

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """Return lines and people as Arrow."""
        return pa.Table.from_pylist(self.lines, LINES), pa.Table.from_pylist(self.people, PEOPLE)


def place_now(site: Site) -> Place | None:
    """Return where the use log stands; None where its last line is damaged."""
    try:
        return Place(*_journal(site).position())
    except JournalError:
        return None


def users_table(site: Site) -> pa.Table:
    """Return who the users are, by the site's settings."""
    known = site.settings.use_log.employees
    rows = [{"user_name": user, "employee_id": employee} for user, employee in known.items()]
    return pa.Table.from_pylist(rows, USERS)


def read_use(
    site: Site,
    place: Place,
    first: date,
    last: date,
    is_apart: Callable[[str | None, str | None], bool] | None = None,
    *,
    shows_apart: bool = False,
) -> Used:
    """Read the lines of local days, `last` included, up to a place.

    A damaged line is counted and passed over: the control of the log must not end where somebody broke it.

    Parameters
    ----------
    is_apart: says of employee_id and patient_id, as typed, whether only the privacy officer reads about them. Purposes
        that were given for one of them are left out whole.
    shows_apart: return these lines instead of the others.

    Raises
    ------
    JournalError: the file cannot be read.
    """
    used, answers = Used(), dict[str, int]()
    pattern, zone = re.compile(site.settings.use_log.case_number), ZoneInfo(site.settings.time_zone)
    start, end = (site.instant(day) for day in (first, last + timedelta(days=1)))
    found: list[tuple[dict[str, Any], list[dict[str, Any]], str]] = []
    last_hash = "" if place.sequence else START
    for line in _lines(site, place, used):
        last_hash = line["hash"] if line["sequence"] == place.sequence else last_hash
        entry, at = line["entry"] if isinstance(line["entry"], dict) else {}, _moment(line["at"])
        if entry.get("activity") == ANSWERED:  # it may come in the first minutes of the next month
            answers[str(entry.get("question"))] = rows if type(rows := entry.get("rows")) is int else 0
        if at is None or not start <= at < end:
            continue
        used.n_lines += 1
        if entry.get("activity") != ANSWERED and "user" in entry:  # torn lines moved aside are no use
            row = _row(line["sequence"], at, zone, entry, pattern)
            found.append((row, _people(row["sequence"], entry), line["hash"]))
    used.is_whole = last_hash == place.hash
    _keep(used, found, answers, is_apart, shows_apart=shows_apart)
    return used


def _keep(
    used: Used,
    found: list[tuple[dict[str, Any], list[dict[str, Any]], str]],
    answers: dict[str, int],
    is_apart: Callable[[str | None, str | None], bool] | None,
    *,
    shows_apart: bool,
) -> None:
    purposes = {
        row["purpose"]
        for row, people, _hash in found
        if is_apart and not row["is_control"] and any(is_apart(p["employee_id"], p["patient_id"]) for p in people)
    }
    for row, people, line_hash in found:
        held = row["purpose"] in purposes and not row["is_control"]
        used.n_apart += held
        if held == shows_apart:
            used.lines.append({**row, "n_rows": answers.get(line_hash, row["n_rows"])})
            used.people += [] if row["is_control"] else people


def _row(
    sequence: int, at: datetime, zone: ZoneInfo, entry: dict[str, Any], pattern: re.Pattern[str]
) -> dict[str, Any]:
    purpose, activity, query = (_text(entry.get(name)) for name in ("purpose", "activity", "query"))
    is_query = activity == "report" and QUERY_NAME.fullmatch(query)
    who = ("who", "login", "user") if activity in OF_THE_HUB else ("login", "user")
    number = pattern.search(purpose)
    kind = KINDS.get(activity, ACT if OF_A_CASE.fullmatch(activity) else "")
    return {
        "sequence": sequence,
        "recorded_at": at,
        "local_date": at.replace(tzinfo=UTC).astimezone(zone).date(),
        "user_name": next(filter(None, (_text(entry.get(each)) for each in who)), ""),
        "purpose": purpose,
        "case_number": " ".join(number[0].split()) if number else None,
        "use_kind": kind or OTHER,
        "use_activity": activity if kind else OTHER,
        "query_name": query.rsplit("/", maxsplit=1)[-1] if is_query else None,
        "n_rows": rows if type(rows := entry.get("rows")) is int else None,
        "is_control": bool(entry.get("control")),
    }


def _people(sequence: int, entry: dict[str, Any]) -> list[dict[str, Any]]:
    about = entry.get("about")
    asked = {kind: about.get(kind) for kind in SUBJECTS} if isinstance(about, dict) else {}
    return [
        {"sequence": sequence, **dict.fromkeys(SUBJECTS), kind: person}
        for kind, people in asked.items()
        for person in (people if isinstance(people, list) else [people])
        if isinstance(person, str) and person
    ]


def _lines(site: Site, place: Place, used: Used) -> Iterator[dict[str, Any]]:
    path = _journal(site).path
    if not path.exists():
        return
    with path.open("rb") as file:
        for raw in file:
            line = parse_line(raw.rstrip(b"\n")) if raw.endswith(b"\n") else None
            if line is None:
                used.n_damaged += raw.endswith(b"\n")  # a half-written end is still being written
            elif type(line["sequence"]) is int and line["sequence"] > place.sequence:
                return
            else:
                yield line


def _journal(site: Site) -> Journal:
    return Journal(site.live_folder / site.journals_folder.name / FILE)


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def _text(value: object) -> str:
    return harmless(value[:LONGEST]) if isinstance(value, str) else ""
