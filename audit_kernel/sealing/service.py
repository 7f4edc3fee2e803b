"""The service seals what investigators ask for: every file in the letter box is hostile, and is handled once.

An answer is written before sealing begins and replaced when it has ended. One found begun was stopped: it is told as
interrupted and never sealed a second time by itself, since the run may stand in the archive already.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from pydantic import ValidationError

from audit_kernel.canonical import timestamp
from audit_kernel.cases.export import export_case
from audit_kernel.errors import AuditKernelError, RunError, UnavailableError, UsageError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence.bag_build import copy_synced
from audit_kernel.evidence.site_signing import share_bag
from audit_kernel.extract_rules import made_words
from audit_kernel.extracts import make_extract
from audit_kernel.files import OWNER_ONLY_FOLDER, replace_whole, shared_modes, sync_folder
from audit_kernel.journal import utc_now
from audit_kernel.locale import format_number, translator
from audit_kernel.sealing.asking import ENDING, LARGEST, NAME, Answer, SealRequest
from audit_kernel.site import Site
from audit_kernel.use_log import record_use, user_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK = ".sealing.lock"
WAIT_SECONDS = 60
PURPOSE = "sealing what was asked for"
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True)
class Handled:
    """A request that was handled: the answer, and the exit code that it would have had as a command."""

    answer: Answer
    exit_code: int = 0


def seal_requests(site: Site) -> Iterator[Handled]:
    """Handle every request in the letter box, and yield what became of each.

    Raises
    ------
    UsageError: the site has no letter box.
    RunError: another than its owner runs this.
    UnavailableError: another one is at work, or an answer cannot be written.
    """
    try:
        owner = site.asked_folder.stat().st_uid
    except FileNotFoundError:
        raise UsageError(
            "This site has no letter box: whoever asks for a seal makes it.",
            "With many users it is made as docs/deployment.md says: audit-kernel serve accounts",
        ) from None
    if owner != os.geteuid():
        raise RunError(
            "What is asked for is sealed by the owner of {folder!r} alone.",
            "Let systemd start it, or give the command as that user.",
            folder=str(site.asked_folder),
        )
    with _only_one(site), _opened(site.asked_folder) as box:
        for name in sorted(os.listdir(box)):  # noqa: PTH208 - of the folder that is open
            if not name.startswith("."):  # one that is being written
                handled = _handle(site, box, name)
                if handled:
                    yield handled


@contextmanager
def _only_one(site: Site) -> Iterator[None]:
    try:
        with FileLock(site.copies_folder / LOCK, timeout=WAIT_SECONDS, mode=shared_modes(site.copies_folder)[0]):
            yield
    except Timeout:
        raise UnavailableError(
            "Another `audit-kernel seal` is at work.", "It handles every request; wait for its end."
        ) from None


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _handle(site: Site, box: int, name: str) -> Handled | None:
    """Answer one request and take it out of the box; None for one that was taken back or was answered before."""
    try:
        found = _read(box, name)
        request = SealRequest.model_validate_json(found[1]) if found else None
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):  # a link, or unreadable; no request of ours
        found = request = None
    if not found or not request or not _is_member(found[0], os.fstat(box).st_gid):
        return _refuse_unfit(site, box, name)
    user = user_name(found[0])
    about = {"request": name.removesuffix(ENDING), "asked_by": user, "kind": request.kind, "about": request.about}
    language = request.language or site.settings.language
    path, handled = _answer_path(site, name, found[0]), None
    if not path.exists():
        _answer(path, about, "begun", translator(language)("It is being sealed now."))
        handled = _sealed(Site(site.folder, asked_by=user), request, language, path, about)
    elif Answer.model_validate_json(path.read_bytes()).state == "begun":
        handled = Handled(_answer(path, about, "interrupted", _interrupted(language)), RunError.exit_code)
    os.unlink(name, dir_fd=box)
    return handled


def _read(box: int, name: str) -> tuple[int, bytes] | None:
    """Return who owns a request, and its content.

    None where the name is none of a request's, or it is no plain file, has a second name, is too large, or can be
    changed by others than its owner.

    Raises
    ------
    OSError: it is a link, or cannot be read.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY  # a pipe without a writer must not hold us
    descriptor = os.open(name, flags, dir_fd=box)
    try:
        status = os.fstat(descriptor)
        is_plain = stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and not status.st_mode & OTHERS_WRITE
        if not is_plain or not NAME.fullmatch(name) or status.st_size > LARGEST:
            return None
        return status.st_uid, os.read(descriptor, LARGEST)
    finally:
        os.close(descriptor)


def _is_member(number: int, group: int) -> bool:
    """Tell whether a user is in the letter box's group still."""
    try:
        known = pwd.getpwuid(number)
    except KeyError:
        return False
    return group in os.getgrouplist(known.pw_name, known.pw_gid)


def _refuse_unfit(site: Site, box: int, name: str) -> Handled | None:
    """Take out of the box what is no request; the use log says that, and its owner is told."""
    _ = translator(site.settings.language)
    try:
        number = os.stat(name, dir_fd=box, follow_symlinks=False).st_uid
        about = {"request": name.removesuffix(ENDING) if NAME.fullmatch(name) else "", "asked_by": user_name(number)}
        try:
            os.unlink(name, dir_fd=box)
        except IsADirectoryError:
            os.rmdir(name, dir_fd=box)
    except FileNotFoundError:
        return None
    except OSError:  # a folder of another's with something in it
        said = _("A folder lies in the letter box that root must remove.")
        return Handled(_told(about, "refused", said), RunError.exit_code)
    record_use(site, PURPOSE, "seal_refused", {"owner": about["asked_by"]})
    said = _("A file of yours in the letter box was no request as the program writes one: nothing was done.")
    path = _answer_path(site, name, number)
    if about["request"] and not path.exists():
        return Handled(_answer(path, about, "refused", said), RunError.exit_code)
    return Handled(_told(about, "refused", said), RunError.exit_code)


def _answer_path(site: Site, name: str, owner: int) -> Path:
    """Return where a request's answer stands: nobody meets another's by taking its name."""
    return site.copies_folder / f"{name.removesuffix(ENDING)}-{owner}{ENDING}"


def _sealed(site: Site, request: SealRequest, language: str, path: Path, about: dict[str, str]) -> Handled:
    try:
        bag, page, said = _seal(site, request, language)
        copy = _copied(site, bag)
    except AuditKernelError as error:
        refused = translator(language)("Not sealed: {reason}").format(reason=error.text(language))
        return Handled(_answer(path, about, "refused", refused), error.exit_code)
    return Handled(_answer(path, about, "sealed", *said, run=bag.name, page=str(copy / page.relative_to(bag))))


def _seal(site: Site, request: SealRequest, language: str) -> tuple[Path, Path, list[str]]:
    """Return the bag, its page, and what is to be told of it."""
    if request.extract:
        run, extract = make_extract(site, request.extract)
        return run.bag, run.index, [*run.warnings, *made_words(extract, language)]
    asked = request.case
    assert asked is not None  # noqa: S101 - the model holds one of them
    made = export_case(site, asked.number, asked.recipient, **asked.model_dump(exclude={"number", "recipient"}))
    left = translator(language)("Free texts left out: {count}.").format(count=format_number(made.n_left_out, language))
    return made.bag, made.page, [*made.warnings, *([left] if made.n_left_out else [])]


def _copied(site: Site, bag: Path) -> Path:
    """Copy a bag to where the asker can read it; return its name there.

    Raises
    ------
    RunError: it could not be copied; it stays sealed in the archive.
    """
    target, aside = site.copies_folder / bag.name, site.copies_folder / f".{bag.name}.new"
    try:
        shutil.rmtree(aside, ignore_errors=True)
        for name, source in bags.read_tree(bag).files.items():
            (aside / name).parent.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
            copy_synced(source, aside / name)
        share_bag(aside)
        aside.rename(target)
        sync_folder(site.copies_folder)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise RunError(
            "The run {name!r} is sealed, but it could not be copied to where you can read it ({cause}).",
            "Ask whoever runs the server for it; do not ask for another.",
            name=bag.name,
            cause=error.strerror or type(error).__name__,
        ) from error
    return target.relative_to(site.copies_folder)


def _interrupted(language: str) -> str:
    return translator(language)(
        "Sealing was interrupted and is not tried again by itself. If the course of the case, or the list of extracts,"
        " does not have it, ask again."
    )


def _told(about: dict[str, str], state: str, *said: str, **values: str) -> Answer:
    return Answer.model_validate({**about, "state": state, "at": timestamp(utc_now()), "said": list(said), **values})


def _answer(path: Path, about: dict[str, str], state: str, *said: str, **values: str) -> Answer:
    """Write what became of a request, readable to whoever may read the copies."""
    answer = _told(about, state, *said, **values)
    try:
        replace_whole(path, answer.model_dump_json(indent=1).encode(), shared_modes(path.parent)[0])
    except OSError as error:
        raise UnavailableError(
            "The folder {folder!r} cannot be written: {cause}.",
            "Check the folder, its permissions and the free space.",
            folder=str(path.parent),
            cause=error.strerror or type(error).__name__,
        ) from error
    return answer
