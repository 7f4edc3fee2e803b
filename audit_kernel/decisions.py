"""The journal of review: which lists went out, and what was decided; a later decision stands beside the earlier one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audit_kernel.evidence.month import month_days
from audit_kernel.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_kernel.site import Site

FILE = "decisions.jsonl"
LIST, DECIDED = "list", "decisions"
COLUMNS: dict[str, pa.DataType] = {
    **dict.fromkeys(("subject_kind", "subject_key", "decision", "reason", "decided_by"), pa.string()),
    "decided_at": pa.timestamp("us"),
}
SCHEMA = pa.schema(COLUMNS)
Subject = tuple[str, str]


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


def decided(site: Site, month: str) -> dict[Subject, dict[str, Any]]:
    """Return the latest decision about each sampling unit (`sample`) and finding of a month.

    Each has decision, reason, remark, decided_by (the reviewer), recorded_by (who took the list in) and decided_at, the
    UTC time of the journal.

    Raises
    ------
    JournalError: the journal cannot be read, or its chain is broken.
    """
    found: dict[Subject, dict[str, Any]] = {}
    for at, entry in _entries(site, DECIDED, month):
        who = {"decided_by": entry["reviewer_id"], "recorded_by": entry["user"], "decided_at": at}
        for each in entry["decisions"]:
            words = {name: each[name] for name in ("decision", "reason", "remark")}
            found[each["kind"], each["key"]] = {**words, **who}
    return found


def latest_decisions(site: Site, month: str) -> pa.Table:
    """Return the latest decision about each sampling unit and finding of a month.

    Returns
    -------
    pyarrow.Table: subject_kind (`sample` or `finding`), subject_key (the sampling unit, or the finding's id), decision
        (`justified`, `unjustified` or `follow_up`), reason (a code of `review_reasons.yml`), decided_by (the reviewer's
        employee_id), decided_at (UTC without offset); sorted by kind and key.

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
    return {entry["file_sha256"] for _at, entry in _entries(site, DECIDED)}


def _entries(site: Site, kind: str, month: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for line in journal(site).entries():
        entry = line["entry"]
        if entry.get("kind") == kind and month in ("", entry["month"]):
            yield line["at"], entry
