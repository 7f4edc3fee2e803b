"""Gathers what the data-protection officer sees: months, closings, use, cases, journals. No store, no patient's data.

Everything is read with read-only rights to `settings.yml`, `archive/` and `journals/`; GDPR 38(6): she watches the
control and does not run it.
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from audit_kernel.closing.close import KIND as CLOSING
from audit_kernel.due import BROKEN, MISSING, archive_states
from audit_kernel.errors import KeyFileError, UsageError, VerificationError
from audit_kernel.evidence import certificate, keys
from audit_kernel.evidence.journals import PATTERN, broken_journals
from audit_kernel.evidence.month import KIND as MONTHLY
from audit_kernel.evidence.month import month_days
from audit_kernel.evidence.sealed_bag import bags_of
from audit_kernel.evidence.signatures import fingerprint
from audit_kernel.evidence.verify import head_code
from audit_kernel.journal import parse_line
from audit_kernel.use_log_rows import ACT, OPENING, QUESTION, Used, place_now, read_use

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_kernel.evidence.sealed_bag import SealedBag
    from audit_kernel.site import Site

CASES = "case-*.jsonl"
EARLY = "early"  # a run that began before its month was over, which `due` does not count
OPENED, DID = "opened", re.compile(r"[a-z_]{1,30}")
MONTHS_SHOWN, MOST_MONTHS = 12, 240
LONGEST_NUMBER = 100


@dataclass(frozen=True)
class Month:
    """A month's control: how far it is (a state of `due`, or EARLY), its run, certificate and closing.

    certificate: its path in the archive; empty where it is missing.
    n_checks, n_unanswered, n_findings: of the newest run, without findings kept for the privacy officer.
    closed_on: ISO day; empty where it was not closed.
    """

    month: str
    state: str
    run: str = ""
    certificate: str = ""
    n_checks: int = 0
    n_unanswered: int = 0
    n_findings: int = 0
    n_restricted: int = 0
    closed_on: str = ""
    signed_by: str = ""
    n_undecided: int = 0


@dataclass
class Use:
    """What one user did for one case number, or (empty) without one: only how often, never about whom."""

    user: str
    case_number: str
    is_control: bool
    n_openings: int = 0
    n_questions: int = 0
    n_acts: int = 0
    n_rows: int = 0
    people: set[tuple[str | None, str | None]] = field(default_factory=set)


@dataclass(frozen=True)
class CaseCourse:
    """The course of a case: its number, and of each line when it was written (UTC, ISO) and of what kind it is."""

    number: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class JournalState:
    """A journal: its lines, when the last was written (UTC, ISO), and what is wrong with it."""

    file: str
    n_lines: int
    last_at: str
    breaks: tuple[str, ...]


@dataclass(frozen=True)
class Overview:
    """All of it.

    first, last: days of which use is counted. problems: of the archive, a sentence each. fingerprint: of the public key
        that it was verified with.
    reads_restricted: whether what only the privacy officer reads could be verified too.
    """

    first: date
    last: date
    months: tuple[Month, ...]
    uses: tuple[Use, ...]
    used: Used
    cases: tuple[CaseCourse, ...]
    journals: tuple[JournalState, ...]
    problems: tuple[str, ...]
    head_code: str
    fingerprint: str
    reads_restricted: bool


def overview(site: Site, first: str = "", last: str = "", language: str = "") -> Overview:
    """Read the months from `first` to `last`, YYYY-MM; the last twelve that have ended when empty, and use up to today.

    Raises
    ------
    UsageError: it is no month, or the last comes before the first.
    UnavailableError: archive or public key is not there.
    JournalError: a journal cannot be read at all.
    """
    language = language or site.settings.language
    key, reads_restricted = _public_key(site)
    states, problems = archive_states(site, None if reads_restricted else key)
    public = keys.load_public(key)
    months = _months(site, first, last, min(states, default=""))
    start, end = month_days(months[0])[0], month_days(months[-1])[1]
    end = end if last else max(end, _today(site))  # what was done with the program since is of interest too
    place = place_now(site)
    used = read_use(site, place, start, end) if place else Used(is_whole=False)
    return Overview(
        start,
        end,
        tuple(_month(site, month, states) for month in months),
        tuple(_uses(used)),
        used,
        tuple(_cases(site)),
        tuple(_journals(site, language)),
        tuple(each.text(language) for each in problems),
        head_code(site.archive_folder, public),
        fingerprint(public),
        reads_restricted,
    )


def _today(site: Site) -> date:
    return datetime.now(ZoneInfo(site.settings.time_zone)).date()


def _months(site: Site, first: str, last: str, earliest: str) -> list[str]:
    """Return the months asked about, oldest first; with no first one, none before the earliest that was run."""
    last = last or f"{_today(site).replace(day=1) - timedelta(days=1):%Y-%m}"
    for month in filter(None, (first, last)):
        month_days(month)
    if first > last:
        raise UsageError("{last} comes before {first}.", "Give the earlier month first.", first=first, last=last)
    found, n_months = [last], MONTHS_SHOWN if not first else MOST_MONTHS
    while found[0] > (first or earliest or last) and len(found) < n_months:
        found.insert(0, f"{month_days(found[0])[0] - timedelta(days=1):%Y-%m}")
    return found


def _public_key(site: Site) -> tuple[Path, bool]:
    """Return the public key of `keys/`, else the archive's own copy, and whether `keys/` and `restricted/` are read."""
    own, copy = (folder / keys.PUBLIC_NAME for folder in (site.keys_folder, site.archive_folder))
    with contextlib.suppress(OSError):
        own.read_bytes()
        if site.restricted_folder.is_dir():
            next(site.restricted_folder.iterdir(), None)
        return own, True
    if copy.is_file():
        return copy, False
    raise KeyFileError(
        "No public key was found to verify {path!r} with.",
        "Name the file {public} that you got when the archive was set up.",
        path=str(site.archive_folder),
        public=keys.PUBLIC_NAME,
    )


def _month(site: Site, month: str, states: dict[str, str]) -> Month:
    try:
        runs, closings = (bags_of(site, month, kind) for kind in (MONTHLY, CLOSING))
    except VerificationError:  # the archive's problems say which
        return Month(month, BROKEN)
    state = states.get(month, EARLY if runs else MISSING)
    if not runs:
        return Month(month, state)
    run: SealedBag = runs[-1]
    checks = {str(each["page"]) for each in run.asked["notebooks"] if str(each["notebook"]).startswith("checks/")}
    facts = [each["facts"] if each["succeeded"] else {} for each in run.worked["pages"] if each["page"] in checks]
    answered = [each for each in facts if each.get("is_assessable")]
    page = run.folder / "data" / "pages" / certificate.FILE
    made = Month(
        month,
        state,
        run.name,
        page.relative_to(site.archive_folder).as_posix() if page.is_file() else "",
        len(facts),
        len(facts) - len(answered),
        sum(int(each.get("n_rows", 0)) for each in answered),
        int((run.asked.get("restricted") or {}).get("n_findings", 0)),
    )
    if not closings:
        return made
    closing = closings[-1]
    signed = str(closing.asked["signed_by"])
    told = {"closed_on": signed.rsplit(", ", 1)[-1], "signed_by": signed.rsplit(", ", 1)[0]}
    return Month(**{**vars(made), **told, "n_undecided": int(closing.worked[CLOSING]["n_undecided"])})


def _uses(used: Used) -> list[Use]:
    """Return what each user did, by case number; the control's own runs last."""
    found: dict[tuple[bool, str, str], Use] = {}
    people: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for each in used.people:
        people[each["sequence"]].append(each)
    for line in used.lines:
        case_number = "" if line["is_control"] else line["case_number"] or ""
        key = (line["is_control"], line["user_name"], case_number)
        use = found.setdefault(key, Use(key[1], key[2], key[0]))
        use.n_openings += line["use_kind"] == OPENING
        use.n_questions += line["use_kind"] == QUESTION
        use.n_acts += line["use_kind"] == ACT
        if line["use_kind"] in (QUESTION, ACT):
            use.n_rows += line["n_rows"] or 0
            use.people |= {(each["employee_id"], each["patient_id"]) for each in people[line["sequence"]]}
    return [found[key] for key in sorted(found)]


def _cases(site: Site) -> Iterator[CaseCourse]:
    """Return the course of each case by its journal: number, times and kinds, nothing of what was said or of whom."""
    for path in sorted(site.journals_folder.glob(CASES)):
        lines = [(str(each["at"]), each["entry"]) for each in _lines(path) if isinstance(each["entry"], dict)]
        kinds = [(at, str(entry.get("did", ""))) for at, entry in lines]
        number = next((entry.get("number") for _at, entry in lines if entry.get("did") == OPENED), None)
        if isinstance(number, str):
            yield CaseCourse(number[:LONGEST_NUMBER], tuple(each for each in kinds if DID.fullmatch(each[1])))


def _journals(site: Site, language: str) -> Iterator[JournalState]:
    broken: dict[str, list[str]] = defaultdict(list)
    for name, text in broken_journals(site, language):
        broken[name].append(text)
    names = {path.name for path in site.journals_folder.glob(PATTERN)} | set(broken)
    for name in sorted(names):
        n_lines, last_at = 0, ""
        for line in _lines(site.journals_folder / name):
            n_lines, last_at = n_lines + 1, str(line["at"])
        yield JournalState(name, n_lines, last_at, tuple(broken[name]))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines that hold; those that do not are told as breaks."""
    if path.is_file():
        with path.open("rb") as file:
            yield from filter(None, (parse_line(raw.rstrip(b"\n")) for raw in file))
