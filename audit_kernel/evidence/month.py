"""A month's control: the notebooks of `schedule.yml`, an index page, one sealed bag."""

from __future__ import annotations

import re
import secrets
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from audit_kernel.catalog import Catalog, resource_folder
from audit_kernel.errors import JournalError, MonthIncompleteError, RunError, StoreError, UsageError
from audit_kernel.evidence import keys, masked_run, restricted
from audit_kernel.evidence.answers import CONTROL
from audit_kernel.evidence.execute import check_parameter_names, declared_parameters
from audit_kernel.evidence.journals import broken_journals
from audit_kernel.evidence.month_pages import INDEX, Drawn, answer_month, write_front_pages
from audit_kernel.evidence.restricted_run import run_restricted
from audit_kernel.evidence.run import MONTHLY, Plan, execute_all, notebook_starter, seal_run, working_folder
from audit_kernel.evidence.sample_run import NOTEBOOK, as_parameter, draw_month
from audit_kernel.evidence.sealed_bag import refuse_disposed
from audit_kernel.evidence.signatory import signatories
from audit_kernel.evidence.verify import head_code
from audit_kernel.locale import translator
from audit_kernel.sample_journal import Request
from audit_kernel.spark import counting_store
from audit_kernel.store.reading import Store
from audit_kernel.store.unexplained_days import keep_unexplained_days
from audit_kernel.use_log_rows import place_now, read_use
from audit_kernel.yaml_file import read_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from audit_kernel.evidence.execute import Outcome
    from audit_kernel.evidence.restricted import KeptApart
    from audit_kernel.site import Site
    from audit_kernel.use_log_rows import Place

KIND = MONTHLY
MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


class Schedule(BaseModel):
    """What `schedule.yml` holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    monthly: tuple[str, ...]


@dataclass(frozen=True)
class MonthRun:
    """A run: its bag, its index page, what became of each notebook, and what is lacking or broken.

    restricted: what became of the notebooks for the privacy officer.
    """

    bag: Path
    index: Path
    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...] = ()
    restricted: tuple[Outcome, ...] = ()

    @property
    def head_code(self) -> str:
        """The code of the archive's head record, to be filed in the minutes."""
        archive = self.bag.parent
        return head_code(archive, keys.load_public(archive))

    @property
    def is_complete(self) -> bool:
        """Whether every notebook succeeded, those for the privacy officer too."""
        return all(outcome.succeeded for outcome in (*self.outcomes, *self.restricted))

    def require_complete(self) -> None:
        """Refuse to call a run done in which a notebook failed.

        Raises
        ------
        MonthIncompleteError: it is a month.
        RunError: it is a single report.
        """
        failed = [outcome.name for outcome in self.outcomes if not outcome.succeeded]
        if not all(outcome.succeeded for outcome in self.restricted):
            failed.append(restricted.RESTRICTED)
        if not failed:
            return
        if self.index.name == INDEX:
            raise MonthIncompleteError(
                "Not everything ran: {names} failed; the sealed pages say why.",
                "Remove the cause and run the month again; the failed run stays.",
                names=", ".join(failed),
            )
        raise RunError(
            "Not everything ran: {names} failed; the sealed pages say why.",
            "Remove the cause and ask again; the failed run stays in the archive.",
            names=", ".join(failed),
        )


def month_days(month: str) -> tuple[date, date]:
    """Return first and last day of a month given as YYYY-MM.

    Raises
    ------
    UsageError: it is not a month.
    """
    if not MONTH.fullmatch(month):
        raise UsageError("{month!r} is not a month.", "Give year and month, for example 2026-10.", month=month)
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, 1), date(year, number, monthrange(year, number)[1])


def schedule(site: Site) -> Schedule:
    """Read the site's schedule, or the package's where the site has none."""
    own = site.folder / "parameters" / "schedule.yml"
    return read_model(own if own.is_file() else resource_folder("parameters") / "schedule.yml", Schedule)


def run_month(
    site: Site,
    month: str,
    *,
    seed: str = "",
    seed_witness: str = "",
    draw_again: str = "",
    run_by: str = "",
    approved_by: str = "",
    purpose: str = "",
    language: str = "",
    snapshot: int | None = None,
    threads: int | None = None,
    identity: str = "",
    progress: Callable[[Outcome], None] | None = None,
) -> MonthRun:
    """Run a month's control and seal it.

    Parameters
    ----------
    month: YYYY-MM, the site's local month.
    seed: what the sample is drawn with; when empty the one registered for the month, else derived from the frame's
        hash and the archive's head. It stands on the page.
    seed_witness: who saw how the seed came about.
    draw_again: why a month is drawn once more that was drawn before.
    run_by, approved_by: `NAME, TITLE, YYYY-MM-DD`, on the certificate; the first is the settings' where left out.
    snapshot: the store's snapshot; the newest when None.
    identity: how people stand in the evidence, full or masked; as the settings say when empty.
    progress: called with each notebook's outcome.

    Raises
    ------
    UsageError: the month is no month, its evidence was disposed of, or somebody is named without title or date.
    StoreError: nothing was taken in, or the snapshot is gone.
    RunError: the sample was drawn already, over another frame, plan or seed, and no reason is given to draw again.
    """
    first, last = month_days(month)
    refuse_disposed(site, month)  # over the rows that are left it would say less than the control that was made
    language = language or site.settings.language
    _ = translator(language)
    purpose = purpose or _("monthly control")
    scheduled, began = schedule(site).monthly, datetime.now(UTC)
    mask = masked_run.mask_for(site, identity)
    people = masked_run.masked_signatories(mask, signatories(site, run_by, approved_by, began))
    used_to = place_now(site)  # what this run asks stands in the next month's page
    # the notebooks' process loads its libraries while the store counts
    with working_folder(site) as working, notebook_starter(working) as start:
        with counting_store(site, purpose, snapshot, threads, month) as store:
            pinned, deliveries = store.snapshot, store.deliveries()
            apart = restricted.kept_apart(site, store, first, last)  # before anything is drawn: it may not be readable
            has_use = CONTROL in scheduled and is_used_apart(site, used_to, first, last, apart)
            asked = Request(seed, seed_witness, draw_again)
            draw = draw_month(store, site, first, last, asked) if NOTEBOOK in scheduled else None
            seed = draw.seed if draw else seed or secrets.token_hex(16)
            answers = answer_month(store, scheduled, Drawn(first, last, seed, draw), apart, working, mask)
            days = store.unexplained_days(first, last)
        draw, unkept = answers.drawn.draw, []
        if snapshot is None:  # a month asked for as it once was changes nothing
            try:
                pinned = keep_unexplained_days(site, first, days, pinned)
            except StoreError as error:  # a role that may only read, say: the control itself is whole
                unkept.append(error.text(language))
        notebooks = planned(
            site, scheduled, {**answers.drawn.given, "draw": as_parameter(draw), "use_log": str(used_to or "")}
        )
        drawn: dict[str, Any] = {"seed": seed, "sample_draw": draw.as_plain() if draw else None, **people}
        plan = Plan(KIND, month, purpose, language, pinned, notebooks, deliveries, drawn, began, threads)
        plan = masked_run.with_scope(plan, mask)
        unstamped: list[str] = []  # told when nothing can be written into the run any more
        kept = (answers.apart, answers.kept_back)
        warm = replace(plan, start=start)
        outcomes = execute_all(site, warm, working, progress)
        breaks = journal_breaks(site, language)
        sealed = run_restricted(site, warm, working, *kept, breaks, unstamped.append, has_use=has_use)
        plan = replace(plan, parameters={**plan.parameters, **sealed.told()})
        warnings = write_front_pages(site, plan, working / "payload" / "pages", outcomes, answers, [*breaks, *unkept])
        bag = seal_run(site, plan, working, outcomes, breaks, unstamped.append, unkept)
    told = [*warnings, *dict.fromkeys(unstamped)]
    return MonthRun(bag, bag / "data" / "pages" / INDEX, tuple(outcomes), tuple(told), sealed.outcomes)


def is_used_apart(site: Site, place: Place | None, first: date, last: date, apart: KeptApart) -> bool:
    """Say whether the use log has lines that only the privacy officer reads."""
    if place is None or not (apart.employee_id or apart.patient_id):
        return False
    return read_use(site, place, first, last, apart.holds).n_apart > 0


def planned(site: Site, scheduled: Sequence[str], given: Mapping[str, str]) -> list[tuple[str, str, dict[str, str]]]:
    """Return page name, notebook name and parameters of each notebook: those of `given` that it declares."""
    catalog, notebooks = Catalog(site.folder), []
    for name in scheduled:
        names = declared_parameters(catalog.notebook(name))
        parameters = {key: value for key, value in {**given, "check": name}.items() if key in names}
        notebooks.append((name.split("/")[-1], name, parameters))
    return notebooks


def journal_breaks(site: Site, language: str) -> list[str]:
    """Return what is wrong with the site's journals: it must not stop the control, but it must be loud."""
    try:
        return [text for _name, text in broken_journals(site, language)]
    except JournalError as error:
        return [error.text(language)]


def run_report(
    site: Site,
    name: str,
    parameters: dict[str, Any],
    *,
    purpose: str,
    language: str = "",
    threads: int | None = None,
    identity: str = "",
    told: Mapping[str, Any] | None = None,
) -> MonthRun:
    """Run one report's notebook and seal it as a bag of its own; other arguments as in `run_month`.

    Parameters
    ----------
    told: what the statement says of the run besides.
    """
    with Store(site, purpose) as store:
        snapshot, deliveries = store.snapshot, store.deliveries()
        mask = masked_run.mask_for(site, identity, purpose, store)
        asked = masked_run.masked_parameters(mask, store, name, parameters) if mask else parameters
    given = {key: str(value) if isinstance(value, date) else value for key, value in asked.items()}
    period = "_".join(str(given[key]) for key in ("from_date", "to_date") if given.get(key)) or "all"
    language = language or site.settings.language
    catalog = Catalog(site.folder)
    notebook = name
    if catalog.query(name).room == "checks":
        notebook, given = f"checks/{name}", {**given, "check": f"checks/{name}"}
    check_parameter_names(name, catalog.notebook(notebook), given)
    notebooks = [(name, notebook, given)]
    plan = Plan(name, period, purpose, language, snapshot, notebooks, deliveries, told or {}, threads=threads)
    plan = masked_run.with_scope(plan, mask)
    with working_folder(site) as working:
        outcomes = execute_all(site, plan, working)
        breaks = journal_breaks(site, language)
        unstamped: list[str] = []
        bag = seal_run(site, plan, working, outcomes, breaks, unstamped.append)
    return MonthRun(bag, bag / "data" / "pages" / f"{name}.html", tuple(outcomes), (*breaks, *unstamped))
