"""Seals a case as one bag: its page and tables; in full its journal and evidence too, or with third parties masked."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audit_kernel.cases import case as kinds
from audit_kernel.cases import evidence as added
from audit_kernel.cases import lines
from audit_kernel.cases.masks import MaskedView, View, who_is_shown
from audit_kernel.cases.page import CasePage
from audit_kernel.errors import RunError
from audit_kernel.evidence import chain
from audit_kernel.evidence.later import seal_pages
from audit_kernel.evidence.masking import FULL
from audit_kernel.evidence.month import journal_breaks
from audit_kernel.evidence.run import Plan
from audit_kernel.evidence.sealed_bag import SealedBag
from audit_kernel.evidence.tables import write_tables
from audit_kernel.store.reading import Store
from audit_kernel.use_log import acting_user

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.cases.case import Case
    from audit_kernel.site import Site

KIND, PAGE = "case", "case.html"
COURSE = ("line", "at", "user", "what", "text")


@dataclass(frozen=True)
class Exported:
    """A sealed copy of a case: its bag and page, for whom, how people stand, and how many texts were left out."""

    bag: Path
    page: Path
    recipient: str
    identity: str
    n_left_out: int
    warnings: tuple[str, ...] = ()


def export_case(
    site: Site,
    number: str,
    recipient: str,
    *,
    identity: str = "",
    person: str = "",
    with_texts: bool = False,
    language: str = "",
) -> Exported:
    """Seal a copy of a case for a recipient, in `restricted/`, and add a line that says so.

    Parameters
    ----------
    recipient, identity, person: as `masks.who_is_shown`.
    with_texts: as `masks.MaskedView`; nothing is masked in a full copy.

    Raises
    ------
    UsageError: as `masks.who_is_shown`.
    VerificationError: evidence was changed after it was added; nothing is sealed.
    RunError, JournalError: as `lines.open_case`.
    """
    asked = {"recipient": recipient, "identity": identity, "person": person, "with_texts": with_texts}
    case = lines.open_case(site, number, "case_export", asked)
    language = language or site.settings.language
    for each in case.evidence:
        added.refuse_changed(site, case, each)
    shown = who_is_shown(site, case, recipient, identity, person)

    def sealed(store: Store | None) -> Exported:
        if shown is None:
            return _sealed(site, case, View(site, case, store, language), recipient, language)
        view = MaskedView(site, case, store, language, shown, with_texts=with_texts)
        return _sealed(site, case, view, recipient, language)

    if not needs_store(case):
        return sealed(None)
    with Store(site, case.number) as store:
        return sealed(store)


def show_case(site: Site, number: str, language: str = "") -> CasePage:
    """Return a case in full, for the screen, after the use log has that it was looked at.

    Raises
    ------
    UsageError, RunError, JournalError: as `lines.open_case`.
    """
    case = lines.open_case(site, number, "case_show")
    language = language or site.settings.language
    if not needs_store(case):
        return CasePage(View(site, case, None, language), language)
    with Store(site, case.number) as store:
        return CasePage(View(site, case, store, language), language)


def needs_store(case: Case) -> bool:
    """Tell whether names of people are looked up to show a case."""
    return bool(case.subjects) or any(each.kind == added.ROWS for each in case.evidence)


def _sealed(site: Site, case: Case, view: View, recipient: str, language: str) -> Exported:
    page = CasePage(view, language, recipient)
    html = page.html()

    def fill(payload: Path) -> None:
        tables = payload / "tables"
        course = [dict(zip(COURSE, row, strict=True)) for row in page.course.rows()]
        types = pa.schema({name: pa.int64() if name == "line" else pa.string() for name in COURSE})
        write_tables(pa.Table.from_pylist(course, types), tables, "course")
        for each in case.evidence:
            if each.kind == added.ROWS:
                write_tables(view.table(each)[0], tables, f"evidence_{each.number}")
        if view.identity == FULL:
            _copy_whole(site, case, payload)

    began = datetime.now(UTC)
    asked: dict[str, Any] = {"case": case.number, "recipient": recipient}
    facts = {"n_lines": len(case.entries), "n_evidence": len(case.evidence), "n_left_out": len(view.left_out)}
    period = "_".join(filter(None, case.period)) or "all"
    snapshot = max((int(each.entry["snapshot"]) for each in case.evidence if each.kind == added.ROWS), default=0)
    breaks = journal_breaks(site, language)
    plan = Plan(KIND, period, case.number, language, snapshot, [], [], asked, began, scope=view.scope)
    runs = [each for each in case.evidence if each.kind == added.RUN]
    rests_on = [SealedBag(added.folder_of(site, case, each), each.sha256, 0, {}, {}) for each in runs]
    unstamped: list[str] = []
    archive, pages = site.restricted_folder, {PAGE: html}
    bag = seal_pages(site, plan, pages, rests_on, facts, breaks, unstamped.append, archive=archive, fill=fill)
    record = chain.read_run(bag)
    if record is None:
        raise RunError("The sealed copy cannot be read again.", "Export again; the run stays where it is.")
    told = {"recipient": recipient, "identity": view.identity, "run": bag.name, "sha256": record.tagmanifest_sha256}
    lines.append(case.path, kinds.EXPORTED, {**acting_user(site), **told})
    made = bag / "data" / "pages" / PAGE
    return Exported(bag, made, recipient, view.identity, len(view.left_out), (*breaks, *unstamped))


def _copy_whole(site: Site, case: Case, payload: Path) -> None:
    """Copy the journal and every folder of evidence, byte for byte, so that their hashes can be checked in the bag."""
    (payload / "case").mkdir()
    shutil.copyfile(case.path, payload / "case" / "journal.jsonl")
    for each in case.evidence:
        if each.kind != added.RUN:
            shutil.copytree(added.folder_of(site, case, each), payload / "case" / f"evidence_{each.number}")
