"""Which months lack a finished control: by the sealed runs that verify, and by what the store holds."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filelock import FileLock, Timeout

from audit_kernel.errors import AuditKernelError, Phrase, SettingsError, UnavailableError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain, keys
from audit_kernel.evidence.coverage import REFERENCE
from audit_kernel.evidence.month import KIND, MonthRun, month_days, run_month
from audit_kernel.evidence.restricted import RESTRICTED
from audit_kernel.evidence.restricted_run import restricted_problems
from audit_kernel.evidence.site_signing import authority_certificate
from audit_kernel.evidence.verify import verify
from audit_kernel.files import OWNER_ONLY_FILE
from audit_kernel.locale import translator
from audit_kernel.site import SETTINGS_FILE
from audit_kernel.store.connection import nothing_taken_in
from audit_kernel.store.reading import Store
from audit_kernel.store.tables import LAKE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from audit_kernel.evidence.execute import Outcome
    from audit_kernel.evidence.problems import Problem
    from audit_kernel.site import Site

LOCK = "due.lock"
WAIT_SECONDS = 12 * 3600
MOST_MONTHS = 36  # a single wrong date must not start years of runs
NAME = re.compile(rf"([0-9]{{4}}-[0-9]{{2}})-{KIND}-")
# A month is as far as its best run.
MISSING, BROKEN, INCOMPLETE, FINISHED = "missing", "broken", "incomplete", "finished"
ORDER = (MISSING, BROKEN, INCOMPLETE, FINISHED)
STATES = {
    MISSING: Phrase("no run"),
    BROKEN: Phrase("a run that does not verify"),
    INCOMPLETE: Phrase("a run in which not everything succeeded"),
}
# What a killed sealing leaves; the next one clears it, and `verify` tells of it until then.
LEFT_BY_A_KILLED_RUN = frozenset({"leftover_filled", "disposal_leftover"})
# An archive in which nothing was sealed yet, be its first sealing killed.
OF_AN_EMPTY_ARCHIVE = frozenset({"nothing_found", "head_missing"})


@dataclass(frozen=True)
class DueMonth:
    """A month without a finished control, and the state of its best run: a key of STATES."""

    month: str
    state: str


@dataclass(frozen=True)
class Due:
    """The months that are due, oldest first, and what the archive's verification found."""

    months: tuple[DueMonth, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Tried:
    """What became of a month: exit code, sentence (empty when it is finished), and its run, if one was sealed."""

    month: str
    exit_code: int
    sentence: str
    run: MonthRun | None = None


@contextlib.contextmanager
def only_one(site: Site, waiting: Callable[[], None], seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Let one `due` work in a site at a time; another waits, and then finds the months done.

    Parameters
    ----------
    waiting: called when there is another one.
    seconds: how long to wait.

    Raises
    ------
    UnavailableError: the other one did not end in that time.
    """
    lock = FileLock(site.temporary_folder / LOCK, mode=OWNER_ONLY_FILE)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting()
        try:
            lock.acquire(timeout=seconds)
        except Timeout:
            raise UnavailableError(
                "Another `audit-kernel due` has been running for a long time.",
                "See what it does, end it if it hangs, and try again; no month was run.",
            ) from None
    try:
        yield
    finally:
        lock.release()


def find_due(site: Site, today: date | None = None) -> Due:
    """Work out which months lack a finished control.

    From the setting `first_month`, else the first month of which a log was taken in and not disposed of, to the last
    month that has ended and whose days to wait are over in the site's time zone.

    Raises
    ------
    UnavailableError: archive, key, journal or store is not reachable, or nothing was taken in.
    SettingsError: there are more months than anybody can have meant.
    """
    states, problems = archive_states(site)
    last = last_month(site, today or datetime.now(ZoneInfo(site.settings.time_zone)).date())
    months = [each for each in _months(first_month(site), last) if states.get(each) != FINISHED]
    if len(months) > MOST_MONTHS:
        raise SettingsError(
            "{n_months} months from {first} on have no control: that is more than is run without being told to.",
            "Write the first month that is to be run into {file}, under `schedule`: first_month.",
            n_months=len(months),
            first=months[0],
            file=SETTINGS_FILE,
        )
    return Due(tuple(DueMonth(each, states.get(each, MISSING)) for each in months), tuple(problems))


def run_due(
    site: Site,
    months: Sequence[DueMonth],
    language: str,
    progress: Callable[[str], contextlib.AbstractContextManager[Callable[[Outcome], None]]],
) -> Iterator[Tried]:
    """Run months in order; one that fails does not keep the next from being run.

    Parameters
    ----------
    progress: gives, for a month, what is told of each notebook.
    """
    _ = translator(language)
    for each in months:
        run = None
        try:
            with progress(each.month) as told:
                run = run_month(site, each.month, language=language, progress=told)
            run.require_complete()
        except AuditKernelError as error:
            yield Tried(each.month, error.exit_code, error.text(language), run)
        except Exception as error:  # noqa: BLE001 - a fault of ours in one month must not cost the next its control
            text = _("The run ended with {error}, which the program did not foresee.")
            yield Tried(each.month, AuditKernelError.exit_code, text.format(error=type(error).__name__), run)
        else:
            yield Tried(each.month, 0, "", run)


def archive_states(site: Site, key: Path | None = None) -> tuple[dict[str, str], list[Problem]]:
    """Return how far each month's control is by its sealed runs, and every failure that `verify` finds.

    A run counts by its verified statement: sealed for the month, begun after its end, every notebook succeeded, those
    kept for the privacy officer too. A month is finished as well when a verified record says that it was disposed of.

    Parameters
    ----------
    key: the public key, for a reader who may read neither `keys/` nor `restricted/`: what lies there is then not
        verified and does not count.

    Raises
    ------
    UnavailableError: the archive is not there.
    KeyFileError: the public key is not.
    """
    archive, reads_all = site.archive_folder, key is None
    key = key or site.keys_folder / keys.PUBLIC_NAME
    if not archive.is_dir():
        raise UnavailableError(
            "The archive {archive!r} is not there.",
            "Mount its volume or restore it; no month was run.",
            archive=str(archive),
        )
    keys.load_public(key)
    authority = authority_certificate(site)
    said = [*verify(archive, key, authority=authority)]
    said += restricted_problems(site, key, authority) if reads_all else []
    found = [each for each in said if each.is_failure]
    passing = LEFT_BY_A_KILLED_RUN | (frozenset() if chain.bag_folders(archive) else OF_AN_EMPTY_ARCHIVE)
    problems = [each for each in found if each.code not in passing]
    failing = {each.run for each in problems}
    states: dict[str, str] = {}
    for folder in chain.bag_folders(archive):
        month, state = _state(site, folder, failing, reads_all=reads_all)
        if month:
            states[month] = max(state, states.get(month, MISSING), key=ORDER.index)
    # Whose evidence was disposed of had its control: run again it would be there again.
    records = [run for run in chain.archive_runs(archive) if run.name not in failing]
    states |= {gone.period: FINISHED for run in records for gone in run.disposed if gone.kind == KIND}
    return states, problems


def _state(site: Site, folder: Path, failing: set[str], *, reads_all: bool) -> tuple[str, str]:
    """Return the month that a run is the control of, "" for other runs, and how far it is."""
    if folder.name in failing:
        named = NAME.match(folder.name)
        return (named[1] if named else ""), BROKEN
    external, pages, started_at = _read(folder)
    month = str(external.get("period", "")) if external.get("kind") == KIND else ""
    if not month or started_at < site.instant(month_days(month)[1] + timedelta(days=1)):
        return "", MISSING
    apart = external.get(RESTRICTED, {}).get("run", "")
    if apart and reads_all:
        if f"{site.restricted_folder.name}/{apart}" in failing:
            return month, BROKEN
        pages = [*pages, *_read(site.restricted_folder / apart)[1]]
    return month, FINISHED if pages and all(page["succeeded"] for page in pages) else INCOMPLETE


def _read(folder: Path) -> tuple[Mapping[str, Any], list[Mapping[str, Any]], datetime]:
    """Return the parameters, the pages and the beginning (UTC) of a run that verifies."""
    predicate = json.loads((folder / bags.STATEMENT).read_bytes())["predicate"]
    built = predicate["buildDefinition"]
    started_at = datetime.fromisoformat(predicate["runDetails"]["metadata"]["startedOn"])
    pages = built["internalParameters"].get("pages", [])
    return built["externalParameters"], pages, started_at.astimezone(UTC).replace(tzinfo=None)


def first_month(site: Site) -> str:
    """Return the first month that is to have a control.

    Raises
    ------
    StoreError: the store cannot be read, or no log was taken in.
    JournalError: the use log cannot be written.
    """
    if site.settings.schedule.first_month:
        return site.settings.schedule.first_month
    _ = translator(site.settings.language)
    with Store(site, _("monthly control"), control="due") as store:
        taken_in = store.deliveries()
        gone = store.sql(f"select max(before_date) as gone_before from {LAKE}.disposals").column(0)[0].as_py()
    zone, gone = ZoneInfo(site.settings.time_zone), gone or date.min
    logs = [each for each in taken_in if each.first_at and each.last_at and not each.source_id.startswith(REFERENCE)]
    periods = [
        [at.replace(tzinfo=UTC).astimezone(zone).date() for at in (each.first_at, each.last_at) if at] for each in logs
    ]
    # What was disposed of can be asked about no more.
    starts = [max(first, gone) for first, last in periods if last >= gone]
    if not starts:
        raise nothing_taken_in(site)
    return f"{min(starts):%Y-%m}"


def last_month(site: Site, today: date) -> str:
    """Return the last month that has ended and whose days to wait are over."""
    day = today - timedelta(days=site.settings.schedule.days_to_wait)
    return f"{day.replace(day=1) - timedelta(days=1):%Y-%m}"


def _months(first: str, last: str) -> list[str]:
    months = []
    while first <= last:
        months.append(first)
        first = f"{month_days(first)[1] + timedelta(days=1):%Y-%m}"
    return months
