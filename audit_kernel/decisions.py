"""The journal of review: which lists went out, and what was decided; a later decision stands beside the earlier one.

Of a row that two reviewers have, the first one's decision stands while the second says nothing else. Where the two
differ nothing stands, so the row counts as undecided, until the operator settles it; what was settled stays so until it
is settled anew. Every decision stays in the journal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audit_kernel.evidence.month import month_days
from audit_kernel.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_kernel.site import Site

FILE = "decisions.jsonl"
LIST, DECIDED, SETTLED, REMINDED = "list", "decisions", "settled", "reminded"
COLUMNS: dict[str, pa.DataType] = {
    **dict.fromkeys(("subject_kind", "subject_key", "decision", "reason", "decided_by"), pa.string()),
    "decided_at": pa.timestamp("us"),
}
SCHEMA = pa.schema(COLUMNS)
Subject = tuple[str, str]


@dataclass
class Opinions:
    """What was said about one sampling unit or finding, oldest first: by its reviewer, by the second one, settled.

    Each has decision, reason, remark, decided_by (the reviewer; of what was settled, the user), recorded_by (who took
    the list in or typed it) and decided_at, the UTC time of the journal.
    """

    first: list[dict[str, Any]] = field(default_factory=list)
    second: list[dict[str, Any]] = field(default_factory=list)
    settled: list[dict[str, Any]] = field(default_factory=list)

    @property
    def differ(self) -> bool:
        """Whether the two decisions that are last are not the same."""
        return bool(self.first and self.second) and self.first[-1]["decision"] != self.second[-1]["decision"]

    @property
    def standing(self) -> dict[str, Any] | None:
        """What stands; None while it is open, or the two differ."""
        if self.settled:
            return self.settled[-1]
        return self.first[-1] if self.first and not self.differ else None

    def of(self, *, is_second: bool) -> list[dict[str, Any]]:
        """Return what one of the two said."""
        return self.second if is_second else self.first


def journal(site: Site) -> Journal:
    """Return the journal of review decisions."""
    return Journal(site.journals_folder / FILE)


def lists(site: Site, month: str = "") -> list[dict[str, Any]]:
    """Return the lists that went out, of one month or of all, oldest first, as `ReviewList.entry` made them.

    Raises
    ------
    JournalError: the journal cannot be read, or its chain is broken.
    """
    return [entry for _at, entry in _entries(site, LIST, month)]


def sent(site: Site, month: str = "") -> list[tuple[datetime, dict[str, Any]]]:
    """Return the lists as `lists` does, each with when it went out (UTC).

    Raises
    ------
    JournalError: the journal cannot be read, or its chain is broken.
    """
    return [(datetime.fromisoformat(at), entry) for at, entry in _entries(site, LIST, month)]


def opinions(site: Site, month: str) -> dict[Subject, Opinions]:
    """Return everything that was said about each sampling unit and finding of a month.

    Raises
    ------
    JournalError: the journal cannot be read, or its chain is broken.
    """
    second = {
        (entry["list_id"], row["kind"], key)
        for entry in lists(site, month)
        for row in entry["rows"]
        if row.get("is_second")
        for key in row["keys"]
    }
    found: dict[Subject, Opinions] = {}
    for kind in (DECIDED, SETTLED):
        for at, entry in _entries(site, kind, month):
            who = {"decided_by": entry.get("reviewer_id") or entry["user"], "recorded_by": entry["user"]}
            for each in entry["decisions"]:
                said = {name: each[name] for name in ("decision", "reason", "remark")} | who | {"decided_at": at}
                subject = each["kind"], each["key"]
                of = found.setdefault(subject, Opinions())
                is_second = (entry.get("list_id"), *subject) in second
                (of.settled if kind == SETTLED else of.of(is_second=is_second)).append(said)
    return found


def decided(site: Site, month: str) -> dict[Subject, dict[str, Any]]:
    """Return what stands of each sampling unit (`sample`) and finding of a month, as `Opinions` describes it.

    Raises
    ------
    JournalError: the journal cannot be read, or its chain is broken.
    """
    return {subject: each.standing for subject, each in opinions(site, month).items() if each.standing}


def latest_decisions(site: Site, month: str) -> pa.Table:
    """Return the decision that stands about each sampling unit and finding of a month.

    Returns
    -------
    pyarrow.Table: subject_kind (`sample` or `finding`), subject_key (the sampling unit, or the finding's id), decision
        (`justified`, `unjustified` or `follow_up`), reason (a code of `review_reasons.yml`), decided_by (the reviewer's
        employee_id, or the user who settled it), decided_at (UTC without offset); sorted by kind and key.

    Raises
    ------
    UsageError: it is no month.
    JournalError: the journal cannot be read, or its chain is broken.
    """
    month_days(month)
    rows = [
        {
            "subject_kind": kind,
            "subject_key": key,
            **each,
            "decided_at": datetime.fromisoformat(each["decided_at"]).replace(tzinfo=None),
        }
        for (kind, key), each in sorted(decided(site, month).items())
    ]
    return pa.Table.from_pylist([{name: row[name] for name in SCHEMA.names} for row in rows], SCHEMA)


def imported_files(site: Site) -> set[str]:
    """Return the SHA-256 of each list file that was taken in."""
    return {entry["file_sha256"] for _at, entry in _entries(site, DECIDED) if "file_sha256" in entry}


def said_in_files(site: Site, list_id: str) -> dict[Subject, dict[str, Any]]:
    """Return what the files of a list that were taken in said last of each sampling unit and finding.

    Raises
    ------
    JournalError: the journal cannot be read, or its chain is broken.
    """
    found: dict[Subject, dict[str, Any]] = {}
    for _at, entry in _entries(site, DECIDED):
        if entry.get("list_id") == list_id and "file_sha256" in entry:
            found |= {(each["kind"], each["key"]): each for each in entry["decisions"]}
    return found


def _entries(site: Site, kind: str, month: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for line in journal(site).entries():
        entry = line["entry"]
        if entry.get("kind") == kind and month in ("", entry["month"]):
            yield line["at"], entry
