"""What a month's decisions come to: counted over the subjects that its sealed run shows, never by person."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet

from audit_kernel import decisions
from audit_kernel.review.agreement import agreement
from audit_kernel.review.candidates import SAMPLE, TARGETED
from audit_kernel.review.status import progress
from audit_kernel.review_reasons import DECISIONS
from audit_kernel.sample_journal import Draw
from audit_kernel.sample_result import SECOND_STAGE, TABLE, judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from audit_kernel.decisions import Subject
    from audit_kernel.evidence.sealed_bag import SealedBag
    from audit_kernel.sample_result import SampleResult
    from audit_kernel.site import Site

RANDOM_SAMPLE, RISK_TARGETED, UNDECIDED = "random_sample", "risk_targeted", "undecided"


@dataclass(frozen=True)
class _Listed:
    """A finding or a day to judge: its key in the journal, the check or stratum it belongs to, and its unit."""

    subject: Subject
    check: str
    unit_id: str
    unit_name: str
    stage: int = 1


def count_decisions(site: Site, month: SealedBag) -> dict[str, Any]:
    """Return the counts that a closing seals, of JSON's own types only.

    Returns
    -------
    dict: `by_unit`: a row for each check and unit with how many there are, each decision, and undecided; `reasons`: by
        decision and reason; `managers`: each reviewer's rows and open rows; `sample`: its bounds (`SampleResult`), None
        without a sample; `agreement`: how far two reviewers agree (`Agreement`); `n_subjects`, `n_undecided`,
        `n_unlisted` (undecided and on no list), `n_elsewhere` (decided, but not shown by this run: kept apart, or of an
        earlier run), `n_restricted`.

    Raises
    ------
    JournalError: the journal of decisions cannot be read, or its chain is broken.
    """
    period = str(month.asked["period"])
    decided = decisions.decided(site, period)
    result = _judged(site, month, period)
    rows = [each for each in _subjects(month) if _is_due(each, decided, result)]
    of_list = {
        (row["kind"], key) for made in decisions.lists(site, period) for row in made["rows"] for key in row["keys"]
    }
    undecided = [each.subject for each in rows if each.subject not in decided]
    reasons = Counter(
        (decided[each.subject]["decision"], decided[each.subject]["reason"]) for each in rows if each.subject in decided
    )
    known = {each.subject for each in rows}
    managers = [asdict(each) for each in progress(site, period)]
    return {
        "by_unit": _by_unit(rows, decided),
        "reasons": [{"decision": key[0], "reason": key[1], "count": count} for key, count in sorted(reasons.items())],
        "managers": [
            {name: each[name] for name in ("reviewer_id", "reviewer_name", "n_rows", "n_open")} for each in managers
        ],
        "sample": result.as_plain() if result else None,
        "agreement": agreement(site, period).as_plain(),
        "n_subjects": len(rows),
        "n_undecided": len(undecided),
        "n_unlisted": sum(each not in of_list for each in undecided),
        "n_elsewhere": sum(subject not in known for subject in decided),
        "n_restricted": int((month.asked.get("restricted") or {}).get("n_findings", 0)),
    }


def _judged(site: Site, month: SealedBag, period: str) -> SampleResult | None:
    """Return what the month's sample says after the decisions."""
    drawn, path = month.asked.get("sample_draw"), month.folder / TABLE
    if not drawn or not path.is_file():
        return None
    draw, latest = Draw.from_plain(drawn), decisions.latest_decisions(site, period)
    picked = pyarrow.parquet.read_table(path)
    return judge(picked, draw.design, latest, month=period, run=month.name, draw=draw.number)


def _subjects(month: SealedBag) -> Iterable[_Listed]:
    """Yield every finding of the run's checks, then the days of the sample and those picked for their risk."""
    for page in month.worked["pages"]:
        if page["facts"].get("room") == "checks":
            for row in month.table(page["page"]):
                yield _Listed(("finding", row["finding_id"]), page["page"], *_unit(row))
    drawn: set[str] = set()
    for kind, check, name in (("sample", RANDOM_SAMPLE, SAMPLE), ("targeted", RISK_TARGETED, TARGETED)):
        keys = {row["unit_key"]: row for row in month.table(name)}
        for key, row in keys.items():
            if key not in drawn:
                yield _Listed((kind, key), check, *_unit(row), int(row.get("stage") or 1))
        drawn |= set(keys)


def _unit(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row.get("unit_id") or ""), str(row.get("unit_name") or "")


def _is_due(each: _Listed, decided: Mapping[Subject, Any], result: SampleResult | None) -> bool:
    """Say whether a day must be judged: one of the second stage only where the plan came to that."""
    return each.stage == 1 or each.subject in decided or (result is not None and result.stage == SECOND_STAGE)


def _by_unit(rows: Iterable[_Listed], decided: Mapping[Subject, Mapping[str, Any]]) -> list[dict[str, Any]]:
    counted: dict[tuple[str, str], Counter[str]] = {}
    names: dict[str, str] = {}
    for each in rows:
        said = decided[each.subject]["decision"] if each.subject in decided else UNDECIDED
        counted.setdefault((each.check, each.unit_id), Counter())[said] += 1
        names.setdefault(each.unit_id, each.unit_name)
    return [
        {
            "check": check,
            "unit_id": unit,
            "unit_name": names[unit],
            "count": counts.total(),
            **{name: counts[name] for name in (*DECISIONS, UNDECIDED)},
        }
        for (check, unit), counts in sorted(counted.items())
    ]
