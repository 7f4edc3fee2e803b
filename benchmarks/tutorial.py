"""Follows the demo's planted snoopers in a browser, from the month's finding to a sealed deviation: docs/tutorial.md.

    .venv/bin/python -m benchmarks.tutorial --folder demo                  # follows each of them, keeps no picture
    .venv/bin/python -m benchmarks.tutorial --folder demo --pictures docs/tutorial

Every click is a real one in Debian's chromium, over the page that `audit-kernel lab` opens. It ends with 1 where a step
is not reached, a snooper is on no list of the month, or a sealed copy does not verify.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet
from playwright.sync_api import sync_playwright

from audit_kernel.evidence.verify import verify
from audit_kernel.locale import translator
from audit_kernel.site import Site
from tests.evidence.browser import QUIET
from tests.investigation.lab_browser import CHROMIUM, Watched, served

ANSWERS = ("what", "how", "internal_report", "consequences")
TEXT = {
    "nb": "Åpnet journalen uten tjenstlig behov.",
    "sv": "Öppnade journalen utan behov i arbetet.",
    "en": "Opened the record without need in the work.",
}


@dataclass(frozen=True)
class Snooper:
    """One planted episode, and the finding of the month that leads to it."""

    episode: int
    scenario: str
    employee_id: str
    finding_id: str


def snoopers(folder: Path, site: Site) -> list[Snooper]:
    """Return the planted episodes of the truth that an employee stands behind, each with its first ranked finding."""
    newest = max(site.archive_folder.glob("*-monthly-*"), key=lambda path: path.stat().st_mtime)
    rows = pyarrow.parquet.read_table(newest / "data" / "tables" / "ranked_findings.parquet").to_pylist()
    found = []
    with (folder / "truth" / "truth.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file, delimiter=";"):
            patients = set(line["patient_ids"].split())
            fitting = [
                row["finding_id"]
                for row in rows
                if row["employee_id"] == line["employee_id"] and row["patient_id"] in {*patients, None}
            ]
            if line["employee_id"]:
                first = fitting[0] if fitting else ""
                found.append(Snooper(int(line["episode"]), line["scenario"], line["employee_id"], str(first)))
    return found


class Reader:
    """Someone who clicks: opens, fills, waits, and keeps a picture of each step."""

    def __init__(self, watched: Watched, language: str, keep: Callable[[str, Watched], None]) -> None:
        self.watched, self.page, self.keep = watched, watched.page, keep
        self.translate = translator(language)

    def wait_for(self, *titles: str) -> None:
        """Wait until a heading of one of these titles has the focus, or something is complained about."""
        self.page.wait_for_function(
            """titles => {
                const said = [...document.querySelectorAll('[role=alert] strong')].some(each => each.offsetParent);
                const here = document.activeElement;
                return said || (here.tagName === 'H2' && titles.some(title => here.textContent.startsWith(title)));
            }""",
            arg=list(titles),
        )
        said = self.page.locator("[role=alert] strong").all_text_contents()
        if said:
            message = f"the page complains: {said}"
            raise SystemExit(message)

    def fill(self, title: str, values: dict[str, str], button: str, after: str) -> None:
        """Unfold the form of that title, fill it in, press a button, and wait for the heading after it."""
        form = self.page.get_by_role("form", name=title, exact=True)
        if not form.is_visible():
            self.page.locator("summary").filter(has=self.page.get_by_text(title, exact=True)).click()
        for name, value in values.items():
            control = form.locator(f"[name={name}]")
            if control.evaluate("control => control.tagName") == "SELECT":
                control.select_option(value)
            else:
                control.fill(value)
        form.get_by_role("button", name=button, exact=True).click()
        self.wait_for(after)


def follow(reader: Reader, snooper: Snooper, number: str, text: str) -> None:
    """Follow one finding to the raw log, keep what is seen in a case, and end with a sealed copy."""
    _, keep, page = reader.translate, reader.keep, reader.page
    case = _("Case file: {number}").format(number=number)
    reader.fill(_("Investigate access"), {"purpose": number, "finding": snooper.finding_id}, _("Show activity"), "")
    keep("1-activity", reader.watched)
    page.locator(".ak-open").first.click()
    reader.wait_for(_title(page, 1))
    page.wait_for_function("text => !document.body.innerText.includes(text)", arg=_("Reasons are being searched for …"))
    keep("2-detailed-activity", reader.watched)
    page.locator(".ak-open").first.click()
    reader.wait_for(_title(page, 2))
    keep("3-system-log", reader.watched)
    page.locator(".ak-crumbs button").first.click()
    reader.wait_for("")
    reader.fill(_("The case"), {"aim": text}, _("Begin a new case"), case)
    keep("4-case", reader.watched)
    add = _("Add to the case")
    reader.fill(add, {"text": text}, _("Add this step as evidence"), case)
    reader.fill(add, {"text": text, "who": snooper.employee_id}, _("Add the employee's explanation"), case)
    decided = {"decision": "unjustified", "reason": "no_need_in_the_work", "text": text}
    reader.fill(_("Decide"), decided, _("Save"), case)
    deviation = _("Deviation: what is known")
    for fact in ANSWERS:
        reader.fill(deviation, {"fact": fact, "value": text}, _("Save"), case)
    for button in (_("Count in the last evidence"), _("The breach is known now")):
        reader.fill(deviation, {}, button, case)
    keep("5-deviation", reader.watched)
    for step in ("restore", "remove_cause", "prevent_recurrence", "document"):
        reader.fill(_("Measure"), {"step": step, "text": text, "done": "2026-11-02"}, _("Save"), case)
    for whom in ("authority", "persons"):
        reader.fill(_("Notified"), {"to": whom, "how": text}, _("Save"), case)
    reader.fill(deviation, {}, _("Draft for the authority"), case)
    reader.fill(_("A sealed copy"), {"recipient": "internal"}, _("Seal a copy"), case)
    keep("6-sealed-copy", reader.watched)
    reader.fill(_("Close the case"), {"outcome": text}, _("Close"), case)
    keep("7-closed", reader.watched)


def _title(page: object, position: int) -> str:
    """Wait for the way back to be that long, and return nothing: any heading will do."""
    page.wait_for_function(  # type: ignore[attr-defined]
        "count => document.querySelectorAll('.ak-crumbs button').length >= count", arg=position
    )
    return ""


def main() -> None:
    """Follow every snooper; keep pictures of the first."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--folder", type=Path, required=True, help="of a demo; cases are added to its site")
    parser.add_argument("--pictures", type=Path, help="where pictures of the first are kept, in a folder a language")
    parser.add_argument("--only", type=int, default=0, help="follow this episode of truth.csv alone")
    arguments = parser.parse_args()
    site = Site(arguments.folder / "site")
    language = site.settings.language
    taken: set[str] = set()

    def keep(name: str, watched: Watched) -> None:
        if arguments.pictures and name not in taken:
            taken.add(name)
            target = arguments.pictures / language
            target.mkdir(parents=True, exist_ok=True)
            watched.page.screenshot(path=target / f"{name}.png")

    found = [each for each in snoopers(arguments.folder, site) if arguments.only in (0, each.episode)]
    with served(site) as (address, _root), sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for snooper in found:
            if not snooper.finding_id:
                print(f"{snooper.scenario}: no finding of the month's ranked list is about {snooper.employee_id}")
                continue
            watched = Watched(browser, address)  # type: ignore[no-untyped-call]
            number = f"sak 2026/{100 + snooper.episode}"
            watched.page.wait_for_function("() => document.activeElement.name === 'purpose'")
            try:
                follow(Reader(watched, language, keep), snooper, number, TEXT[language])
            except BaseException:
                keep("failed", watched)
                raise
            trouble = (watched.outside, watched.dialogs, watched.errors)
            if any(trouble):
                raise SystemExit(str(trouble))
            print(f"{snooper.scenario}: finding {snooper.finding_id[:12]} followed to a sealed deviation, {number}")
            watched.page.close()
        browser.close()
    failed = [each for each in verify(site.restricted_folder) if each.is_failure]
    if failed or not all(each.finding_id for each in found):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
