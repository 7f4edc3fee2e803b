"""Lists into each reviewer's own folder, and back from there: whatever lies in it is hostile.

The folder `worklists/ACCOUNT` belongs to the site's owner, and its group is the account's alone (`serve accounts`).
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from filelock import FileLock

from audit_kernel.errors import AuditKernelError, IntakeError, Phrase, SettingsError, UsageError
from audit_kernel.files import OWNER_ONLY_FILE, shared_modes, write_new
from audit_kernel.locale import translator
from audit_kernel.review.acting import acting_reviewer, acting_users, purpose_of, refuse_reviewer
from audit_kernel.review.export import Exported, file_name, prepare_export
from audit_kernel.review.prepare import send_out
from audit_kernel.review.reading import LARGEST_FILE
from audit_kernel.review.taking_in import take_in_list
from audit_kernel.review.workbook import workbook_bytes
from audit_kernel.site import WORK_LISTS
from audit_kernel.systemd_units import owner_of

if TYPE_CHECKING:
    from audit_kernel.review.lists import ReviewList
    from audit_kernel.review.taking_in import TakenIn
    from audit_kernel.site import Site

ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,99}")
FOLDER_MODE = 0o2770
LIST_NAME = re.compile(r"[0-9]{4}-[0-9]{2}-[A-Za-z0-9_-]{1,40}-[0-9a-f]{16}\.xlsx")
OF_A_PROGRAM = (".", "~$")  # locks and unfinished files of spreadsheets and of the page
MOST_FILES = 1_000
MAKE_FOLDER = Phrase(
    "As root: `serve accounts --write DIR` anew, and systemd-tmpfiles --create on the file that it writes."
)


@dataclass(frozen=True)
class Delivery:
    """What became of a month's lists: delivered now, there already and left as they are, not delivered and why."""

    new: tuple[Exported, ...]
    left: tuple[Exported, ...]
    refused: tuple[AuditKernelError, ...]
    warnings: tuple[str, ...]


def deliver_lists(site: Site, month: str) -> Delivery:
    """Write each reviewer's list into the folder of their account; one that is there already is not touched.

    Raises
    ------
    UsageError, VerificationError, MonthIncompleteError, SettingsError, JournalError: as `export_lists`.
    """
    prepared = prepare_export(site, month)
    users = acting_users(site, purpose_of(site, month))
    new: list[Exported] = []
    left: list[Exported] = []
    refused: list[AuditKernelError] = []
    for made in prepared.lists:
        account = next((user for user, reviewer in users.items() if reviewer == made.reviewer_id), "")
        try:
            if not account:
                _refuse_nobody(made)
            path = _own_folder(site, account) / file_name(made)
            is_new = _deliver(site, made, path, account)
        except SettingsError as error:
            refused.append(error)
            continue
        (new if is_new else left).append(Exported.of(made, path))
    return Delivery(tuple(new), tuple(left), tuple(refused), tuple(prepared.warnings))


def collect_lists(site: Site) -> tuple[list[TakenIn], list[AuditKernelError]]:
    """Take in what lies in the reviewers' folders, each list by itself; return what came in and what was refused.

    Raises
    ------
    UsageError: this user reviews, or there is no folder for lists.
    JournalError: the journal cannot be read or written.
    StoreError: the store cannot be read.
    """
    purpose = translator(site.settings.language)("collecting review lists")
    refuse_reviewer(acting_reviewer(site, purpose))
    places = site.folder / WORK_LISTS
    if not places.is_dir():
        raise UsageError("There is no folder {path!r}: no list was delivered.", MAKE_FOLDER, path=str(places))
    users = acting_users(site, purpose)
    done: list[TakenIn] = []
    refused: list[AuditKernelError] = []
    with FileLock(site.temporary_folder / "collect.lock", mode=OWNER_ONLY_FILE):
        for account in sorted(path.name for path in places.iterdir()):
            try:
                names, strange = _names(_own_folder(site, account))
                if names and account not in users:
                    raise SettingsError(
                        "The user {account!r} is nobody's who reviews here; {count} lists were not taken in.",
                        "Name the user in settings.yml under `review: reviewers:`, or remove the folder.",
                        account=account,
                        count=len(names),
                    )
                refused += strange
            except AuditKernelError as error:
                refused.append(error)
                continue
            for name in names:
                try:
                    done.append(_collect(site, account, name, users[account]))
                except IntakeError as error:
                    refused.append(error)
    return done, refused


def _refuse_nobody(made: ReviewList) -> NoReturn:
    raise SettingsError(
        "{reviewer} has no account here, so the list was not delivered.",
        "Name the user in settings.yml under `review: reviewers:`, or in the reference data `identifiers` with the"
        " system operating_system; or give the list out with `review export`.",
        reviewer=made.reviewer_name,
    )


def _own_folder(site: Site, account: str) -> Path:
    """Return an account's folder when nobody but the site's owner and the account can enter or replace it.

    Raises
    ------
    SettingsError: it is missing or otherwise.
    """
    import grp
    import pwd

    path, owner = site.folder / WORK_LISTS / account, site.folder.stat().st_uid
    try:
        above, own = path.parent.lstat(), path.lstat()
        is_above_safe = stat.S_ISDIR(above.st_mode) and above.st_uid == owner and not above.st_mode & 0o022
        found = stat.S_ISDIR(own.st_mode), own.st_uid, own.st_gid, stat.S_IMODE(own.st_mode)
        group = grp.getgrnam(account).gr_gid if ACCOUNT.fullmatch(account) and pwd.getpwnam(account) else None
    except (OSError, KeyError):
        is_above_safe, found, group = False, None, None
    if not is_above_safe or found != (True, owner, group, FOLDER_MODE):
        raise SettingsError(
            "{path} is not a folder of {owner} with the group {account} and the mode 2770.",
            MAKE_FOLDER,
            path=str(path),
            owner=owner_of(site.folder),
            account=account,
        )
    return path


def _deliver(site: Site, made: ReviewList, path: Path, account: str) -> bool:
    """Make the list known to the journal before its file is there; say whether the file is new."""
    content = workbook_bytes(site, made)
    if not os.path.lexists(path):
        send_out(site, made)
        try:
            write_new(path, content, shared_modes(path.parent)[0])
        except FileExistsError:
            pass
        else:
            return True
    status = path.lstat()
    if not _is_own(status, site, account):
        raise SettingsError(
            "{path} is there already and is no plain file of {account}; the list was not delivered.",
            "Let the reviewer remove it, and deliver again.",
            path=str(path),
            account=account,
        )
    return False


def _is_own(status: os.stat_result, site: Site, account: str) -> bool:
    """Tell whether it is a plain file under one name, of the account or of the site's owner."""
    import pwd

    owners = site.folder.stat().st_uid, pwd.getpwnam(account).pw_uid
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and status.st_uid in owners


def _names(folder: Path) -> tuple[list[str], list[AuditKernelError]]:
    """Return the names of a folder's lists, and what is told of other files; a name of one's own is not repeated."""
    try:
        found = sorted(path.name for path in folder.iterdir() if not path.name.startswith(OF_A_PROGRAM))
    except OSError:
        raise SettingsError("{path} cannot be read.", MAKE_FOLDER, path=str(folder)) from None
    names = [name for name in found if LIST_NAME.fullmatch(name)]
    others = len(found) - len(names)
    if len(names) > MOST_FILES:
        raise IntakeError(
            "{account}: more than {most} lists; none was taken in.",
            "Let the reviewer remove those of closed months.",
            account=folder.name,
            most=MOST_FILES,
        )
    strange = IntakeError(
        "{account}: {count} files have another name than a list is delivered under; they were not taken in.",
        "Let the reviewer give a filled-in list its name back, as a workbook (.xlsx), and remove other files.",
        account=folder.name,
        count=others,
    )
    return names, [strange] if others else []


def _collect(site: Site, account: str, name: str, reviewer_id: str) -> TakenIn:
    """Take in what an account's file holds now, from a copy that the account cannot change meanwhile."""
    path = site.folder / WORK_LISTS / account / name
    try:
        # Neither a link is followed nor a pipe waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            is_own = _is_own(os.fstat(descriptor), site, account)
            content = stream.read(LARGEST_FILE + 1) if is_own else b""
    except OSError:
        is_own = False
    if not is_own:
        raise IntakeError(
            "{name} in the folder of {account} is no plain file of theirs, or cannot be read.",
            "Nothing of it was taken in. Let the reviewer remove it, and deliver the list again.",
            name=name,
            account=account,
        )
    with tempfile.TemporaryDirectory(prefix="collect-", dir=site.temporary_folder) as private:
        copy = Path(private) / name
        write_new(copy, content)
        return take_in_list(site, copy, reviewer_id)
