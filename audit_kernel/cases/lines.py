"""Reads a case and adds lines to it: `journals/case-NAME.jsonl`, append-only, hash-chained, one file a case.

One file a case, so that a case's words can be protected, copied and one day disposed of by themselves, and so that two
people in two cases never wait for each other. NAME is a keyed hash of the case's number: statements of sealed runs name
every journal, and must not say which cases there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_kernel.cases.case import OPENED, Case, normalised
from audit_kernel.errors import JournalError, RunError, UsageError
from audit_kernel.journal import Journal
from audit_kernel.pseudonyms import keyed_hash, pseudonym_key
from audit_kernel.use_log import acting_user, operating_system_user, record_use

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from audit_kernel.site import Site

PATTERN = "case-*.jsonl"
NAME_BYTES = 10


def cases(site: Site) -> list[Case]:
    """Return every case in the order of opening, whoever may see it: for the program's own use, not for showing.

    Raises
    ------
    JournalError: a case's journal cannot be read, or its chain is broken.
    """
    found = [case for path in site.journals_folder.glob(PATTERN) if (case := _read(path))]
    return sorted(found, key=_opened)


def _opened(case: Case) -> tuple[str, str]:
    return case.opened_at, case.name


def seen_cases(site: Site) -> tuple[list[Case], int, list[JournalError]]:
    """Return the cases that this user may see, how many others there are, and an error for each that cannot be read.

    The use log has it before.

    Raises
    ------
    JournalError: the use log cannot be written; nothing is returned.
    """
    record_use(site, "case list", "case_list", {})
    user = operating_system_user()
    found: list[Case] = []
    damaged: list[JournalError] = []
    for path in sorted(site.journals_folder.glob(PATTERN)):
        try:
            case = _read(path)
        except JournalError as error:  # whose case it is nobody can tell
            damaged.append(error)
        else:
            found += [case] if case else []
    seen = [case for case in found if user in case.readers]
    return sorted(seen, key=_opened), len(found) - len(seen), damaged


def open_case(site: Site, number: str, activity: str, details: Mapping[str, Any] | None = None) -> Case:
    """Return a case as it is now, after the use log has who looked at it and for what.

    Parameters
    ----------
    activity: what it is looked at for; it stands in the use log, as a refusal does.

    Raises
    ------
    UsageError: there is no such case.
    RunError: this user is not named among those who may see it.
    JournalError: a journal cannot be read or written; nothing is returned.
    """
    case = find(site, number)
    user = acting_user(site)["user"]
    is_named = user in case.readers
    told = {"case": case.number}
    if is_named:
        record_use(site, case.number, activity, {**told, "about": case.about, **(details or {})})
    else:
        record_use(site, case.number, "case_refused", {**told, "asked_for": activity})
        raise RunError(
            "The case {number!r} is not for the user {user!r}.",
            "Who may see it can add you: audit-kernel case share NUMBER --with USER. This look is in the use log.",
            number=number,
            user=user,
        )
    return case


def find(site: Site, number: str) -> Case:
    """Return a case, whoever asks.

    Raises
    ------
    UsageError: there is no such case.
    JournalError: a journal cannot be read, or its chain is broken.
    """
    asked = normalised(number)
    expected = path_of(site, number)
    case = _read(expected) if expected.exists() else None
    if case is None:  # another key made its name, before a backup was restored
        case = next((each for each in cases(site) if normalised(each.number) == asked), None)
    if case is None:
        raise UsageError("There is no case {number!r}.", "See them with: audit-kernel case list", number=number)
    return case


def path_of(site: Site, number: str) -> Path:
    """Return the file of the case with this number."""
    name = keyed_hash(pseudonym_key(site.keys_folder), "case", normalised(number)).hex()[: 2 * NAME_BYTES]
    return site.journals_folder / f"case-{name}.jsonl"


def writable(site: Site, number: str, activity: str) -> Case:
    """Return a case that lines may be added to.

    Raises
    ------
    RunError: the case is closed; and all that `open_case` raises.
    """
    case = open_case(site, number, activity)
    if not case.is_open:
        raise RunError(
            "The case {number!r} is closed.",
            "Open it again with a reason: audit-kernel case reopen NUMBER --reason '...'",
            number=case.number,
        )
    return case


def append(case_path: Path, did: str, values: Mapping[str, Any]) -> str:
    """Add a line; when this returns, it is on the disk. Return its hash.

    Raises
    ------
    JournalError: it could not be written.
    """
    return Journal(case_path).append({"did": did, "user": operating_system_user(), **values})


def first_hash(path: Path) -> str:
    """Return the hash of the line that opened a case.

    Raises
    ------
    JournalError: the journal cannot be read.
    """
    return next(str(line["hash"]) for line in Journal(path).entries() if line["entry"].get("did") == OPENED)


def added(case: Case, did: str, values: Mapping[str, Any]) -> Case:
    """Add a line and return the case with it, and with what others added meanwhile.

    Raises
    ------
    JournalError: it could not be written, or the journal cannot be read.
    """
    append(case.path, did, values)
    again = _read(case.path)
    return again or case


def _read(path: Path) -> Case | None:
    """Return the case of a journal; None where no line has opened one."""
    return Case.of(path, list(Journal(path).entries()))
