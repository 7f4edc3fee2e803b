"""What of the sealed evidence may go, and what keeps the rest: time, a legal hold, an open case, an unclosed month."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, Literal

from audit_kernel.cases.lines import PATTERN as CASE_JOURNALS
from audit_kernel.cases.work import is_any_open
from audit_kernel.closing.close import KIND as CLOSING
from audit_kernel.errors import JournalError, UsageError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain
from audit_kernel.evidence.disposed import disposed_runs
from audit_kernel.evidence.journals import broken_journals
from audit_kernel.evidence.month import KIND as MONTHLY
from audit_kernel.evidence.month import month_days
from audit_kernel.evidence.restamp import KIND as TIMESTAMPS
from audit_kernel.evidence.restricted import RESTRICTED
from audit_kernel.evidence.run import BUILD_TYPE
from audit_kernel.evidence.sealed_bag import changed
from audit_kernel.journal import Journal
from audit_kernel.restriction import JOURNAL as RESTRICTED_PEOPLE
from audit_kernel.restriction import restrictions
from audit_kernel.site import SETTINGS_FILE
from audit_kernel.store.hold import JOURNAL as HOLDS
from audit_kernel.store.hold import list_holds
from audit_kernel.store.retention import evidence_retention

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from audit_kernel.site import Site

OF_A_MONTH = frozenset({MONTHLY, CLOSING, RESTRICTED})
LOOKS_BACK_YEARS = 1  # a month's checks count up to twelve months before it
Reason = Literal["", "hold", "case", "unclosed", "stamps"]


@dataclass(frozen=True)
class Rule:
    """What the settings say: years, years of cleared months, and the decision with its date."""

    years: int
    cleared_years: int
    decision: str
    decided_on: date


@dataclass
class SealedRun:
    """A run as retention looks at it.

    folder: the archive that it lies in. made_on: the day it was made (UTC).
    first_day, last_day: of its period; None where that has no end, so that it may be about any day.
    asked, worked: the statement's external and internal parameters.
    """

    folder: Path
    record: chain.RunRecord
    kind: str
    period: str
    made_on: date
    may_go: bool
    asked: Mapping[str, Any]
    worked: Mapping[str, Any]
    first_day: date | None = field(init=False, default=None)
    last_day: date | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Read the period."""
        self.first_day, self.last_day = _days(self.period)

    @property
    def ends_on(self) -> date:
        """The day that the years are counted from: its period's end, or the later day on which it was made."""
        return max(self.made_on, self.last_day or self.made_on)


@dataclass(frozen=True)
class EvidenceLine:
    """A run whose time is over: it goes, or `kept_by` says what keeps it, `holds` which legal holds.

    archive: the name of the archive's folder. until: the last day on which it is kept. is_cleared: by the shorter time.
    is_recorded: an interrupted disposal recorded it already.
    """

    archive: str
    run: str
    kind: str
    period: str
    until: date
    is_cleared: bool
    is_recorded: bool
    kept_by: Reason
    holds: tuple[str, ...] = ()


def rule_of(site: Site, today: date) -> Rule:
    """Return what the site's settings say of evidence.

    Raises
    ------
    UsageError: no decision is named, it is not dated or not in force, no years are set, or fewer than the country's.
    """
    said, minimum = site.settings.retention, evidence_retention(site)
    if not said.disposal_decision.strip() or said.decided_on is None or said.decided_on > today:
        raise UsageError(
            "No evidence is disposed of before the body's own disposal decision is in force and named in {file}.",
            "Write its name or number and its date there, under `retention`: disposal_decision, decided_on. "
            "Nothing was changed.",
            file=SETTINGS_FILE,
        )
    if said.evidence_years is None:
        raise UsageError(
            "{file} does not say how many years evidence is kept.",
            "Write them there as the decision has them, under `retention`: evidence_years. Nothing was changed.",
            file=SETTINGS_FILE,
        )
    cleared = said.cleared_years or said.evidence_years
    for name, years, fewest in (
        ("evidence_years", said.evidence_years, minimum.minimum_years),
        ("cleared_years", cleared, minimum.cleared_minimum_years),
    ):
        if years < fewest:
            raise UsageError(
                "`retention`: {name} is {years} in {file}, but the country's minimum is {fewest}.",
                "Correct the setting; the minimum stands in parameters/retention.yml. Nothing was changed.",
                name=name,
                years=years,
                fewest=fewest,
                file=SETTINGS_FILE,
            )
    return Rule(said.evidence_years, min(cleared, said.evidence_years), said.disposal_decision.strip(), said.decided_on)


def evidence_lines(site: Site, rule: Rule, today: date) -> list[EvidenceLine]:
    """Return the runs whose time is over, in the order of the chain, `restricted/` first.

    Raises
    ------
    JournalError: the journal of holds or of open cases cannot be read, or does not hold: what is kept is not known.
    VerificationError: a run's statement cannot be read.
    """
    held = _holds(site)
    has_case = bool(restrictions(site)) or is_any_open(site)
    lines: list[EvidenceLine] = []
    archives = (site.restricted_folder, site.archive_folder)
    read = {folder: sealed_runs(folder) for folder in archives}
    recorded = {folder: disposed_runs(folder) for folder in archives}
    months: dict[str, list[SealedRun]] = defaultdict(list)
    for run in (each for runs in read.values() for each in runs):
        if run.may_go and run.kind in OF_A_MONTH:
            months[run.period].append(run)
    for folder in archives:
        stays = False  # whether a run that could go, and that comes before, stays
        for run in read[folder]:
            if not run.may_go:
                continue
            group = months[run.period] if run.kind in OF_A_MONTH else [run]
            is_cleared = run.kind in OF_A_MONTH and rule.cleared_years < rule.years and is_cleared_month(group)
            years = rule.cleared_years if is_cleared else rule.years
            until = later(max(each.ends_on for each in group), years)
            is_recorded = run.record.name in recorded[folder]
            if today <= until and not is_recorded:
                stays = True
                continue
            holds = tuple(name for name, days in held.items() if touches(days, run))
            kept_by: Reason = "hold" if holds else "case" if has_case else ""
            if not kept_by and not is_recorded:
                if run.kind in OF_A_MONTH and not closing_of(group):
                    kept_by = "unclosed"
                elif run.kind == TIMESTAMPS and stays:
                    kept_by = "stamps"
            stays = stays or bool(kept_by)
            told = (folder.name, run.record.name, run.kind, run.period, until, is_cleared, is_recorded)
            lines.append(EvidenceLine(*told, kept_by, holds))
    return lines


def sealed_runs(archive: Path) -> list[SealedRun]:
    """Return the runs of an archive in the order of the chain; whether they are whole is not asked here.

    Raises
    ------
    VerificationError: the statement of one cannot be read.
    """
    found = []
    for record in chain.archive_runs(archive) if archive.is_dir() else []:
        try:
            predicate = json.loads((archive / record.name / bags.STATEMENT).read_bytes())["predicate"]
            built = predicate["buildDefinition"]
            asked, worked = built["externalParameters"], built["internalParameters"]
            made = datetime.fromisoformat(predicate["runDetails"]["metadata"]["finishedOn"])
            kind, period = str(asked.get("kind", "")), str(asked.get("period", ""))
            may_go = built["buildType"] == BUILD_TYPE or kind == TIMESTAMPS
            made_on = made.replace(tzinfo=made.tzinfo or UTC).astimezone(UTC).date()
            found.append(SealedRun(archive, record, kind, period, made_on, may_go, asked, worked))
        except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
            raise changed(record.name) from error
    return found


def closing_of(group: Sequence[SealedRun]) -> SealedRun | None:
    """Return the closing over a month's newest run; None where it has none."""
    newest = max((run for run in group if run.kind == MONTHLY), key=lambda run: run.record.sequence, default=None)
    closings = [run for run in group if run.kind == CLOSING]
    last = max(closings, key=lambda run: run.record.sequence, default=None)
    if newest is None or last is None or last.asked["month"]["run"] != newest.record.name:
        return None
    return last


def is_cleared_month(group: Sequence[SealedRun]) -> bool:
    """Tell whether a month ran once, and its closing says of every finding and day that it was justified."""
    closing = closing_of(group)
    if closing is None or sum(run.kind == MONTHLY for run in group) != 1 or any(r.kind == RESTRICTED for r in group):
        return False
    facts = closing.worked[CLOSING]
    counted = ("n_undecided", "n_elsewhere", "n_restricted")
    return not any(facts[name] for name in counted) and all(
        row["justified"] == row["count"] for row in facts["by_unit"]
    )


def later(day: date, years: int) -> date:
    """Return the same day so many years on; of 29 February the 28th where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


Days = tuple[date | None, date | None]


def touches(days: Days, run: SealedRun) -> bool:
    """Tell whether a hold over these days may be about a run: whom a run is about is not looked into."""
    if run.first_day is None or run.last_day is None:
        return True
    first, last = days
    begins = later(run.first_day, -LOOKS_BACK_YEARS)
    return (first is None or first <= run.last_day) and (last is None or begins <= last)


def _holds(site: Site) -> dict[str, Days]:
    """Return the legal holds in force: by their journal, which is there without the store, and by the store."""
    for name, reason in broken_journals(site):
        if name in {HOLDS, RESTRICTED_PEOPLE} or fnmatch(name, CASE_JOURNALS):
            raise JournalError(
                "What is held is not known: {reason}",
                "Restore the journal from a backup; nothing was disposed of.",
                reason=reason,
            )
    found: dict[str, Days] = {}
    for line in Journal(site.journals_folder / HOLDS).entries():
        entry = line["entry"]
        if entry.get("did") == "placed":
            first, last = (
                date.fromisoformat(day) if (day := entry[name]) else None for name in ("from_date", "to_date")
            )
            found[str(entry["hold"])] = (first, last)
        elif entry.get("did") == "released":
            found.pop(str(entry["hold"]), None)
    for hold in list_holds(site):
        if hold.released_at is None:
            found.setdefault(hold.hold_id, (hold.from_date, hold.to_date))
    return found


def _days(period: str) -> Days:
    """Return the first and last day of a month, a year, or `first_last`; None where one of them is not said."""
    try:
        if len(period) == len("2026"):
            return date(int(period), 1, 1), date(int(period), 12, 31)
        if len(period) == len("2026-10"):
            return month_days(period)
        first, last = period.split("_")
        return date.fromisoformat(first), date.fromisoformat(last)
    except (ValueError, UsageError):
        return None, None


def going(lines: Iterable[EvidenceLine], archive: str) -> set[str]:
    """Return the runs of an archive that go."""
    return {line.run for line in lines if line.archive == archive and not line.kept_by}
