"""Writes decisions down: each a line of the journal, whether it came in a workbook, from the page, or settles a row."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from audit_kernel import decisions
from audit_kernel.canonical import canonical_json
from audit_kernel.errors import UsageError
from audit_kernel.evidence.month import month_days
from audit_kernel.review.acting import acting_reviewer, purpose_of, refuse_others_list, refuse_reviewer
from audit_kernel.review.reading import Answer
from audit_kernel.review.workbook import LONGEST_REMARK
from audit_kernel.review_reasons import DECISIONS, review_reasons
from audit_kernel.use_log import operating_system_user, record_use

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from audit_kernel.decisions import Opinions, Subject
    from audit_kernel.site import Site

SHOWN_LETTERS = 8


class EntryError(UsageError):
    """What was filled in is incomplete or does not fit; `field` names it: decision, reason or remark."""

    def __init__(self, problem: str, remedy: str, field: str, /, **values: object) -> None:
        super().__init__(problem, remedy, **values)
        self.field = field


def add_decisions(
    site: Site, made: Mapping[str, Any], answers: Iterable[Answer], **more: str
) -> tuple[list[Answer], int]:
    """Write what is new among a reviewer's answers; return it, and how much of it changes what they said before.

    Parameters
    ----------
    made: the list's entry in the journal. more: further values of the line, as the file's SHA-256.

    Raises
    ------
    JournalError: the journal cannot be read or written.
    """
    second = {(row["kind"], key) for row in made["rows"] if row.get("is_second") for key in row["keys"]}
    said = decisions.opinions(site, made["month"])
    new, n_changed = [], 0
    for each in answers:
        subject = each.kind, each.key
        of = said.get(subject, decisions.Opinions()).of(is_second=subject in second)
        words = {"decision": each.decision, "reason": each.reason, "remark": each.remark}
        before = of and {name: of[-1][name] for name in (*words, "decided_by")}
        if before != {**words, "decided_by": made["reviewer_id"]}:
            new.append(each)
            n_changed += bool(of)
    if new:
        named = {name: made[name] for name in ("list_id", "month", "run", "run_sha256", "reviewer_id")}
        _append(site, decisions.DECIDED, new, {**named, **more})
    return new, n_changed


def decide_row(
    site: Site, made: Mapping[str, Any], number: int, given: Mapping[str, str], purpose: str = ""
) -> list[Answer]:
    """Write the decision about one row of a list that went out; return what is new, nothing where it stands already.

    Parameters
    ----------
    made: the list's entry in the journal.
    given: decision, reason (a code of `review_reasons.yml`) and remark, each required.

    Raises
    ------
    EntryError: one of the three is missing or wrong.
    UsageError: it is another reviewer's list, or has no such row.
    JournalError: use log or journal cannot be written; nothing was decided.
    """
    purpose = purpose_of(site, made["month"], purpose)
    refuse_others_list(acting_reviewer(site, purpose), made["reviewer_id"])
    row = next((row for row in made["rows"] if row["number"] == number), None)
    if row is None:
        raise UsageError("The list has no row {number}.", "Choose a row of the list.", number=number)
    words = checked_entry(given, _reasons(site))
    record_use(site, purpose, "decide", {"month": made["month"], "list": made["list_id"], "row": number})
    return add_decisions(site, made, [Answer(row["kind"], key, **words) for key in row["keys"]])[0]


def checked_entry(given: Mapping[str, str], allowed: Collection[tuple[str, str]]) -> dict[str, str]:
    """Return decision, reason and remark when all three are there and fit each other.

    Parameters
    ----------
    allowed: each decision with a reason that belongs to it.

    Raises
    ------
    EntryError: one is missing or wrong.
    """
    decision, reason, remark = (given.get(name, "").strip() for name in ("decision", "reason", "remark"))
    if decision not in DECISIONS:
        raise EntryError("No decision was chosen.", "Choose one of the list.", "decision")
    if (decision, reason) not in allowed:
        raise EntryError(
            "No reason was chosen, or it belongs to another decision.",
            "Choose one of the written reasons of this decision.",
            "reason",
        )
    if not remark or len(remark) > LONGEST_REMARK:
        raise EntryError(
            "The free text is missing, or longer than {count} characters.",
            "Write in your own words why.",
            "remark",
            count=LONGEST_REMARK,
        )
    return {"decision": decision, "reason": reason, "remark": remark}


def _reasons(site: Site) -> set[tuple[str, str]]:
    return {(each.decision, each.code) for each in review_reasons(site)}


def row_name(subjects: Sequence[Subject]) -> str:
    """Return the short name of a row that is to be settled: the beginning of its keys' hash."""
    return hashlib.sha256(canonical_json(sorted(map(list, subjects)))).hexdigest()[:SHOWN_LETTERS]


def rows_to_settle(site: Site, month: str, purpose: str = "") -> dict[str, tuple[tuple[Subject, ...], Opinions]]:
    """Return the rows whose two reviewers differ, or did until they were settled, by their short names.

    Raises
    ------
    UsageError: it is no month, or this user reviews and so may not see what others decided.
    JournalError: the journal cannot be read, or its chain is broken.
    """
    month_days(month)
    refuse_reviewer(acting_reviewer(site, purpose_of(site, month, purpose)))
    said = decisions.opinions(site, month)
    found: dict[str, tuple[tuple[Subject, ...], Opinions]] = {}
    for entry in decisions.lists(site, month):
        for row in (row for row in entry["rows"] if row.get("is_second")):
            subjects = tuple((str(row["kind"]), str(key)) for key in row["keys"])
            of = said.get(subjects[0])
            if of and (of.differ or of.settled):
                found[row_name(subjects)] = (subjects, of)
    return found


def settle(site: Site, month: str, row: str, given: Mapping[str, str], purpose: str = "") -> None:
    """Settle a row whose two reviewers differ; both decisions stay in the journal, and this one stands.

    Parameters
    ----------
    row: its short name. given: decision, reason and remark, each required.

    Raises
    ------
    EntryError: one of the three is missing or wrong.
    UsageError: this user reviews, it is no month, or the two do not differ about such a row.
    JournalError: use log or journal cannot be written; nothing was settled.
    """
    purpose = purpose_of(site, month, purpose)
    found = rows_to_settle(site, month, purpose).get(row)
    if found is None:
        raise UsageError(
            "No two reviewers differ about a row {row!r}.",
            "See which rows: audit-kernel review settle {month}",
            row=row,
            month=month,
        )
    words = checked_entry(given, _reasons(site))
    record_use(site, purpose, "settle", {"month": month, "row": row})
    _append(site, decisions.SETTLED, [Answer(*subject, **words) for subject in found[0]], {"month": month})


def _append(site: Site, kind: str, answers: Iterable[Answer], more: Mapping[str, Any]) -> None:
    said = [asdict(each) for each in answers]
    decisions.journal(site).append({"kind": kind, **more, "user": operating_system_user(), "decisions": said})
