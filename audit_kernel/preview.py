"""What a change of thresholds, or switching a check on, would have meant in the last months, before it is decided.

Everything is asked anew over one pinned snapshot, with the thresholds valid today for every month; nothing is kept.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from audit_kernel.catalog import Catalog
from audit_kernel.completeness import threshold_types
from audit_kernel.errors import NotAssessableError, ParameterError, UsageError
from audit_kernel.evidence.answers import RANKING
from audit_kernel.evidence.month import month_days, schedule
from audit_kernel.explanations import explanations
from audit_kernel.parameters import convert
from audit_kernel.store.reading import Store
from audit_kernel.thresholds import Threshold, read_decisions, thresholds_valid_on, tried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from audit_kernel.catalog import Query
    from audit_kernel.site import Site

    Answer = pa.Table | NotAssessableError

BUDGET, MINUTES = "findings_per_manager", "minutes_per_finding"
MONTHS_A_YEAR = 12
NOBODY = "-"


@dataclass(frozen=True)
class Figures:
    """What one month would have given under one set of decisions.

    Attributes
    ----------
    n_findings: findings of the check; None where it was not assessable, and `why` says so.
    hours: what these take to review, in hours with one decimal.
    n_of_all: findings of all checks switched on; None where none of them was assessable.
    n_over_budget: reviewers with more findings than `findings_per_manager`.
    n_outside_budget: findings beyond it, over all reviewers.
    n_without_reviewer: findings that have no known reviewer.
    not_counted: checks switched on that were not assessable that month.
    """

    n_findings: int | None
    hours: Decimal | None
    why: NotAssessableError | None
    n_of_all: int | None
    n_over_budget: int | None
    n_outside_budget: int | None
    n_without_reviewer: int | None
    not_counted: tuple[str, ...]


@dataclass(frozen=True)
class Month:
    """A month (YYYY-MM): as it is with the thresholds valid now, and with the change."""

    month: str
    now: Figures
    changed: Figures


@dataclass(frozen=True)
class Preview:
    """The answer: `changes` holds each threshold with its decision valid now and the tried one.

    `moved` names the other checks switched on that the same change moves.
    """

    query: Query
    is_switched_on: bool
    changes: Mapping[str, tuple[Threshold, Threshold]]
    moved: tuple[str, ...]
    months: tuple[Month, ...]


def preview(
    site: Site,
    check: str,
    purpose: str,
    *,
    given: Mapping[str, str] | None = None,
    proposed: Path | None = None,
    n_months: int = 6,
    last: str = "",
    progress: Callable[[str, int, int], None] = lambda _month, _done, _total: None,
) -> Preview:
    """Say what a change would have given in the last months beside what the thresholds valid now give.

    Parameters
    ----------
    check: its name. Without a change it is switching it on that is previewed.
    given: thresholds and their tried values, as typed.
    proposed: a file like `thresholds.yml`; of each threshold its newest decision is tried, `given` goes before it.
    last: the last month (YYYY-MM); the one before today's when empty.
    progress: called with month, questions answered and questions in all.

    Raises
    ------
    UsageError: there is no such check or month, or no purpose.
    ParameterError: the check does not depend on a threshold, or the value is not of its type.
    SettingsError: the proposed file is wrong.
    StoreError, JournalError: as `Store`.
    """
    today = datetime.now(ZoneInfo(site.settings.time_zone)).date()
    valid = thresholds_valid_on(today, site.folder)
    months = months_before(today.strftime("%Y-%m"), n_months) if not last else months_before(_after(last), n_months)
    catalog = Catalog(site.folder)
    query = catalog.query(check.removeprefix("checks/"), "checks")
    changes = _changes(site, query, valid, given or {}, proposed)
    changed = {**valid, **{name: then for name, (_now, then) in changes.items()}}
    names = [name.removeprefix("checks/") for name in schedule(site).monthly if name.startswith("checks/")]
    asked = [catalog.query(name, "checks") for name in dict.fromkeys([*names, query.name])]
    moved = [each for each in asked if changes.keys() & thresholds_of(site, each).keys()]
    with Store(site, purpose) as store:
        values = {name: then.value for name, (_now, then) in changes.items()}
        store.note("preview", {"query": query.name, "thresholds": values})
        trial = _Trial(store, site, changes.keys(), progress, len(months) * (len(asked) + len(moved)))
        found = []
        for month in months:
            trial.month = month
            with trial.decided(valid):
                answers = trial.ask(asked)
                now = trial.figures(answers, query, names, valid)
            with trial.decided(changed):
                answers |= trial.ask(moved)
                found.append(Month(month, now, trial.figures(answers, query, {*names, query.name}, changed)))
    others = tuple(each.name for each in moved if each.name != query.name)
    return Preview(query, query.name in names, changes, others, tuple(found))


def thresholds_of(site: Site, query: Query) -> dict[str, str]:
    """Return the thresholds that a check's findings depend on, each with the type of its value.

    Its own, those of the reasons it looks at, and those that say whether the logs are whole enough.
    """
    described = [query.description.parameters]
    if query.description.needs_period:
        described += [each.description.parameters for each in explanations(site)]
    own = {each.threshold or name: each.type for parameters in described for name, each in parameters.items()}
    own.pop("period", None)
    return own | (threshold_types() if query.complete else {})


def months_before(month: str, number: int) -> list[str]:
    """Return the months before one (YYYY-MM), the earliest first."""
    first, _last = month_days(month)
    index = first.year * MONTHS_A_YEAR + first.month - 1
    counted = [divmod(index - back, MONTHS_A_YEAR) for back in range(number, 0, -1)]
    return [f"{year:04d}-{place + 1:02d}" for year, place in counted]


def _after(month: str) -> str:
    first, _last = month_days(month)
    year, place = divmod(first.year * MONTHS_A_YEAR + first.month, MONTHS_A_YEAR)
    return f"{year:04d}-{place + 1:02d}"


def _changes(
    site: Site, query: Query, valid: Mapping[str, Threshold], given: Mapping[str, str], proposed: Path | None
) -> dict[str, tuple[Threshold, Threshold]]:
    """Return the thresholds of other value that bear on the check, each as it is now and as it is tried."""
    types = {**thresholds_of(site, query), BUDGET: "integer", MINUTES: "decimal"}
    types = {name: kind for name, kind in types.items() if name in valid}
    if unknown := sorted(set(given) - set(types)):
        raise ParameterError(
            "{query} does not depend on a threshold {given!r}.",
            "It depends on: {allowed}.",
            query=query.name,
            given=unknown[0],
            allowed=", ".join(sorted(types)),
        )
    values: dict[str, object] = {}
    if proposed:
        for name, decisions in read_decisions(proposed, valid).items():
            values[name] = max(decisions, key=lambda each: each.valid_from).value
        if not types.keys() & values.keys():
            raise UsageError(
                "{path} holds no threshold that {query} depends on.",
                "It depends on: {allowed}.",
                path=proposed,
                query=query.name,
                allowed=", ".join(sorted(types)),
            )
    values |= given
    changes = {}
    for name in sorted(types.keys() & values.keys()):
        value = convert(query.name, name, types[name], values[name])
        if isinstance(value, int | Decimal) and value < 0:
            raise ParameterError(
                "The threshold {name} cannot be {value}.", "Give zero or more.", name=name, value=values[name]
            )
        if value != convert(query.name, name, types[name], valid[name].value):
            changes[name] = (valid[name], valid[name].model_copy(update={"value": value}))
    return changes


class _Trial:
    """Asks checks about one month after the other; the reasons of a month are searched for once for each decision."""

    def __init__(
        self,
        store: Store,
        site: Site,
        changed: Iterable[str],
        progress: Callable[[str, int, int], None],
        total: int,
    ) -> None:
        self.store = store
        self.month = ""
        of_reasons = {
            each.threshold or name
            for reason in explanations(site)
            for name, each in reason.description.parameters.items()
        }
        self._moves_reasons = bool(of_reasons & set(changed))
        self._progress, self._done, self._total = progress, 0, total

    @contextmanager
    def decided(self, decisions: Mapping[str, Threshold]) -> Iterator[None]:
        """Let these decisions count meanwhile."""
        if self._moves_reasons:
            self.store.forget_period()
        with tried(decisions):
            yield

    def ask(self, queries: Sequence[Query]) -> dict[str, Answer]:
        """Return each check's findings of the month, or why it is not assessable."""
        answers: dict[str, Answer] = {}
        for query in queries:
            try:
                answers[query.name] = self.store.ask(query, self._period()).table
            except NotAssessableError as error:
                answers[query.name] = error
            self._done += 1
            self._progress(self.month, self._done, self._total)
        return answers

    def figures(
        self,
        answers: Mapping[str, Answer],
        query: Query,
        names: Iterable[str],
        decisions: Mapping[str, Threshold],
    ) -> Figures:
        """Count the check's findings, and rank those of the checks named together for each reviewer."""
        own, why = answers[query.name], None
        n_findings, hours = None, None
        if isinstance(own, NotAssessableError):
            why = own
        else:
            n_findings = own.num_rows
            hours = (n_findings * Decimal(str(decisions[MINUTES].value)) / 60).quantize(Decimal("0.1"))
        of_all = {name: answers[name] for name in sorted(set(names))}
        counted = [each for each in of_all.values() if not isinstance(each, NotAssessableError)]
        not_counted = tuple(name for name, each in of_all.items() if isinstance(each, NotAssessableError))
        if not counted:
            return Figures(n_findings, hours, why, None, None, None, None, not_counted)
        places = self._ranked(counted)
        outside = [reviewer for reviewer, is_within in places if not is_within]
        n_without = sum(reviewer == NOBODY for reviewer, _is_within in places)
        n_over = len(set(outside) - {NOBODY})
        return Figures(n_findings, hours, why, len(places), n_over, len(outside), n_without, not_counted)

    def _ranked(self, findings: Sequence[pa.Table]) -> list[tuple[str, bool]]:
        """Return each finding's reviewer, and whether it is among those that the reviewer has time for."""
        self.store.keep_findings(findings)
        table = self.store.ask(self.store.catalog.query(RANKING, "reports"), self._period()).table
        columns = [table.column(name).to_pylist() for name in ("reviewer_id", "is_within_budget")]
        return list(zip(*columns, strict=True))

    def _period(self) -> dict[str, str]:
        first, last = month_days(self.month)
        return {"from_date": first.isoformat(), "to_date": last.isoformat()}
