"""The run of a month's known incidents: a bag of its own, of its own kind, and nothing else anywhere."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audit_kernel.catalog import Catalog
from audit_kernel.evidence.answers import keep
from audit_kernel.evidence.masked_run import mask_for, with_scope
from audit_kernel.evidence.month import MonthRun, journal_breaks, month_days, schedule
from audit_kernel.evidence.run import Plan, execute_all, seal_run, working_folder
from audit_kernel.locale import translator
from audit_kernel.sensitivity.copied_store import CopiedStore
from audit_kernel.sensitivity.measure import measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_kernel.catalog import Query
    from audit_kernel.site import Site

KIND, BY_CHECK = "sensitivity", "sensitivity_checks"
INCIDENTS_OF_KIND = 5


def run_sensitivity(
    site: Site,
    month: str,
    *,
    n_of_kind: int = INCIDENTS_OF_KIND,
    seed: str = "",
    every_check: bool = False,
    purpose: str = "",
    language: str = "",
    progress: Callable[[str, int, int], None] = lambda _name, _done, _total: None,
) -> MonthRun:
    """Put known incidents into a copy of a month in memory, ask the checks, and seal how many each found.

    The bag holds figures alone: who the incidents were drawn from is told nowhere, since nobody of them did anything.

    Parameters
    ----------
    month: YYYY-MM.
    n_of_kind: incidents of each kind.
    seed: what people, patients and moments are drawn with; 32 random hexadecimal digits when empty.
    every_check: ask those too that the schedule does not switch on.

    Raises
    ------
    UsageError: the month is no month.
    NotAssessableError: none of the checks is assessable in that month.
    StoreError: nothing was taken in.
    """
    first, last = month_days(month)
    seed, language = seed or secrets.token_hex(16), language or site.settings.language
    _ = translator(language)
    purpose = purpose or _("the control's own sensitivity, with known incidents")
    began = datetime.now(UTC)
    queries = checks(site, every_check=every_check)
    given = {"from_date": first.isoformat(), "to_date": last.isoformat(), "seed": seed, "incidents_of_kind": n_of_kind}
    with working_folder(site) as working:
        with CopiedStore(site, purpose) as store:
            store.note(KIND, {"month": month, "seed": seed, "checks": [each.name for each in queries]})
            snapshot, deliveries = store.snapshot, store.deliveries()
            measure(store, queries, (first, last), seed, n_of_kind, language, progress)
            answers = working / "answers"
            answers.mkdir(mode=0o700)
            period = {name: given[name] for name in ("from_date", "to_date")}
            keep(answers, store.report(f"reports/{KIND}", **given), given)
            keep(answers, store.report(f"reports/{BY_CHECK}", **period), period)
        plan = Plan(KIND, month, purpose, language, snapshot, [(KIND, KIND, given)], deliveries, started_at=began)
        plan = with_scope(plan, mask_for(site))
        outcomes = execute_all(site, plan, working)
        breaks = journal_breaks(site, language)
        unstamped: list[str] = []
        bag = seal_run(site, plan, working, outcomes, breaks, unstamped.append)
    return MonthRun(bag, bag / "data" / "pages" / f"{KIND}.html", tuple(outcomes), (*breaks, *unstamped))


def checks(site: Site, *, every_check: bool) -> list[Query]:
    """Return the checks that the site's schedule switches on, or every one there is."""
    catalog = Catalog(site.folder)
    names = [name for name in schedule(site).monthly if name.startswith("checks/")]
    if every_check:
        names = sorted(name for name in catalog.queries if name.startswith("checks/"))
    return [catalog.query(name) for name in names]
