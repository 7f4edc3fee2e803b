"""How an investigator asks the service to seal a copy of a case or a log extract, and sees what became of it.

With many users the signing key and the archives belong to the service alone. A request is a file in the letter box
`asked/`; who asks is its owner by the operating system's word. Answers and sealed copies lie in `copies/`, where only
the service writes.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from audit_kernel.cases import lines
from audit_kernel.cases.case import normalised
from audit_kernel.cases.masks import who_is_shown
from audit_kernel.errors import RunError, UsageError
from audit_kernel.evidence.keys import PRIVATE_NAME
from audit_kernel.extracts import Request, checked_request
from audit_kernel.files import replace_whole
from audit_kernel.journal import utc_now
from audit_kernel.locale import format_timestamp, translator
from audit_kernel.locale.translation import LANGUAGES, checked_language
from audit_kernel.use_log import operating_system_user

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_kernel.site import Site

REQUEST_MODE = 0o640  # the service reads it by its group; nobody else changes it
LARGEST = 20_000  # bytes of a request
ENDING = ".json"
NAME = re.compile(r"[0-9a-f]{32}[.]json")
LATE, LATELY = timedelta(minutes=5), timedelta(days=7)
Kind = Literal["case", "extract"]


class Strict(BaseModel):
    """A part of a file that another account wrote; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class CaseCopy(Strict):
    """A sealed copy of a case; each value as `cases.export.export_case` takes it."""

    number: str
    recipient: str
    identity: str = ""
    person: str = ""
    with_texts: bool = False
    language: str = ""


class SealRequest(Strict):
    """What is asked for: a copy of a case or a log extract, one of them. Nobody's name: the file's owner asks."""

    case: CaseCopy | None = None
    extract: Request | None = None

    @model_validator(mode="after")
    def _is_one_of_them(self) -> SealRequest:
        if (self.case is None) == (self.extract is None) or self.language not in ("", *LANGUAGES):
            message = "a case or an extract, one of them, in a language of the program"
            raise ValueError(message)
        return self

    @property
    def kind(self) -> Kind:
        """Which of them it is."""
        return "case" if self.case else "extract"

    @property
    def about(self) -> str:
        """The case's number, or the extract's purpose."""
        return self.case.number if self.case else self.extract.purpose if self.extract else ""

    @property
    def language(self) -> str:
        """The language asked for; empty for the site's."""
        asked = self.case or self.extract
        return asked.language if asked else ""


class Answer(Strict):
    """What became of a request.

    state: begun (being sealed, or stopped while it was), sealed, refused, or interrupted.
    at: when that was (UTC, ISO). page: of the sealed copy, relative to `copies/`. said: sentences for the asker.
    """

    request: str
    asked_by: str
    kind: Kind | Literal[""] = ""
    about: str = ""
    state: Literal["begun", "sealed", "refused", "interrupted"]
    at: str
    run: str = ""
    page: str = ""
    said: list[str] = []


class Told(BaseModel):
    """What a person is told: pages of sealed copies, and sentences about what is waiting or was refused."""

    pages: list[str] = []
    sentences: list[str] = []


def must_ask(site: Site, archive: Path) -> bool:
    """Tell whether this user cannot seal into an archive of the site, and the service does it when asked."""
    if not site.asked_folder.is_dir():
        return False
    command = site.settings.signing.command
    signs = bool(shutil.which(command[0])) if command else os.access(site.keys_folder / PRIVATE_NAME, os.R_OK)
    return not (signs and os.access(archive if archive.exists() else archive.parent, os.W_OK))


def ask_for_copy(site: Site, copy: CaseCopy) -> str:
    """Ask for a sealed copy of a case; return the request's id.

    Raises
    ------
    UsageError, RunError, JournalError: as `cases.export.export_case`, as far as the asker can see it.
    """
    asked = copy.model_dump(exclude={"number", "language"})
    case = lines.open_case(site, copy.number, "case_export_asked", asked)
    who_is_shown(site, case, copy.recipient, copy.identity, copy.person)
    return _put(site, case=copy)


def ask_for_extract(site: Site, request: Request) -> str:
    """Ask for a log extract; return the request's id.

    Raises
    ------
    UsageError, UnknownSubjectError, JournalError: as `extracts.make_extract`.
    """
    requested = checked_request(site, request).requested
    return _put(site, extract=replace(request, requested=str(requested)))  # today, on whatever day it is sealed


def asked_words(language: str) -> str:
    """Return what somebody is told who has asked."""
    _ = translator(language)
    return _("Asked for: the service seals it within a minute, and then it stands here.")


def told(site: Site, kind: Kind, about: str | None, language: str) -> Told:
    """Return what there is to tell of what was asked for: the copies, and what became lately of this user's requests.

    Whoever may see a case is told of its copies, of extracts only who asked.

    Parameters
    ----------
    about: the case's number, or the purpose of extracts; None for any.
    """
    _ = translator(language)
    zone, user, found = site.settings.time_zone, operating_system_user(), Told()

    def is_meant(of: str, what: str) -> bool:
        return of == kind and (about is None or normalised(what) == normalised(about))

    answers = read_answers(site)
    for each in answers:
        is_for_user = is_meant(each.kind, each.about) and (kind == "case" or each.asked_by == user)
        if is_for_user and each.state == "sealed" and (site.copies_folder / each.page).is_file():
            found.pages.append(f"{site.copies_folder.relative_to(site.folder.parent)}/{each.page}")
    # A file that was no request is told wherever its owner looks.
    own = [each for each in answers if each.asked_by == user and (not each.kind or is_meant(each.kind, each.about))]
    for each in own:
        at = datetime.fromisoformat(each.at)
        if at > utc_now() - LATELY and (each.state != "sealed" or each is own[-1]):
            found.sentences += [f"{format_timestamp(at, language, zone)}: {sentence}" for sentence in each.said]
    begun = {each.request for each in own if each.state == "begun"}
    for name, at, request in _waiting(site):
        if name in begun or not is_meant(request.kind, request.about):
            continue
        text = _("Asked for at {at}; it is sealed within a minute. Open this again to see it.")
        if utc_now() - at > LATE:
            text = _(
                "Asked for at {at} and not sealed yet: tell those who run the server that nothing is being sealed."
            )
        found.sentences.append(text.format(at=format_timestamp(at, language, zone)))
    return found


def read_answers(site: Site) -> list[Answer]:
    """Return every answer, oldest first; one that this user cannot read, or that is being replaced, is left out."""
    found = []
    for path in site.copies_folder.glob(f"*{ENDING}"):
        try:
            found.append(Answer.model_validate_json(path.read_bytes()))
        except (OSError, ValidationError):
            continue
    return sorted(found, key=lambda each: (each.at, each.request))


def _waiting(site: Site) -> Iterator[tuple[str, datetime, SealRequest]]:
    """Yield this user's own requests that lie in the letter box: id, when it was put there, and what it asks for."""
    if not site.asked_folder.is_dir():
        return
    for path in sorted(site.asked_folder.glob(f"*{ENDING}")):
        try:
            status = path.lstat()
            if status.st_uid == os.getuid() and status.st_size <= LARGEST:
                request = SealRequest.model_validate_json(path.read_bytes())
                yield path.stem, datetime.fromtimestamp(status.st_mtime, UTC), request
        except (OSError, ValidationError):
            continue


def _put(site: Site, *, case: CaseCopy | None = None, extract: Request | None = None) -> str:
    """Write a request into the letter box in one step."""
    asked = case or extract
    checked_language(asked.language if asked and asked.language else site.settings.language)
    content = SealRequest(case=case, extract=extract).model_dump_json(indent=1).encode()
    if len(content) > LARGEST:
        raise UsageError("What was asked for is too long.", "Shorten the texts.")
    name = secrets.token_hex(16)
    try:
        replace_whole(site.asked_folder / f"{name}{ENDING}", content, REQUEST_MODE)
    except OSError as error:
        raise RunError(
            "The folder {folder!r} cannot be written: {cause}.",
            "Check the folder, its permissions and the free space; nothing was asked for.",
            folder=str(site.asked_folder),
            cause=error.strerror or type(error).__name__,
        ) from error
    return name
