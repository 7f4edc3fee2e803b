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

NUMBERS = {"nb": "sak 2026/{number}", "sv": "dnr 2026/{number}", "en": "case 2026/{number}"}
AIMS = {
    "nb": "Ble journalen åpnet uten tjenstlig behov?",
    "sv": "Öppnades journalen utan behov i arbetet?",
    "en": "Was the record opened without need in the work?",
}
SAID = {
    "nb": "Jeg kjenner familien og ville vite hvordan det gikk.",
    "sv": "Jag känner familjen och ville veta hur det gick.",
    "en": "I know the family and wanted to know how they were.",
}
ANSWERS = {  # facts that both countries' forms ask for
    "what": {
        "nb": "En ansatt har åpnet journaler uten tjenstlig behov.",
        "sv": "En medarbetare har öppnat journaler utan behov i arbetet.",
        "en": "An employee opened records without need in the work.",
    },
    "how": {
        "nb": "Tilgangen gjaldt flere enheter enn den ansatte arbeider ved.",
        "sv": "Behörigheten gällde fler enheter än där medarbetaren arbetar.",
        "en": "The access held for more units than the employee works at.",
    },
    "internal_report": dict.fromkeys(("nb", "sv", "en"), "2026-311"),
    "consequences": {
        "nb": "Opplysninger om helse kan være kjent for uvedkommende.",
        "sv": "Uppgifter om hälsa kan vara kända för obehöriga.",
        "en": "Data on health may be known to others.",
    },
}
DONE = {"nb": "Gjort etter rutinen.", "sv": "Gjort enligt rutinen.", "en": "Done by the routine."}
OUTCOME = {"nb": "Meldt som avvik; personalsak.", "sv": "Anmäld som avvikelse; personalärende.", "en": "Reported."}


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

    def next_step(self) -> bool:
        """Go on from the first row, and wait for the next report; False where the routine ends."""
        following = self.page.locator(".ak-open").first
        if not following.count():
            return False
        passed = self.page.locator(".ak-crumbs button").count()
        following.click()
        longer = "count => document.querySelector('.ak-crumbs').querySelectorAll('button').length > count"
        self.page.wait_for_function(longer, arg=passed)
        self.watched.wait_for_rest(self.translate("Reasons are being searched for …"))
        return True


def follow(reader: Reader, snooper: Snooper, number: str, language: str) -> None:
    """Follow one finding to the raw log, keep what is seen in a case, and end with a sealed copy."""
    _, keep, watched = reader.translate, reader.keep, reader.watched
    case = _("Case file: {number}").format(number=number)
    question = {"purpose": number, "finding": snooper.finding_id}
    reader.fill(_("Investigate access"), question, _("Show activity"), "")
    place = 1
    keep("1-activity", watched)
    while reader.next_step():
        place += 1
        keep(f"{place}-step", watched)
    reader.page.locator(".ak-crumbs").first.locator("button").first.click()
    reader.wait_for("")
    reader.fill(_("The case"), {"aim": AIMS[language]}, _("Begin a new case"), case)
    keep("4-case", watched)
    add, deviation, saved = _("Add to the case"), _("Deviation: what is known"), _("Save")
    reader.fill(add, {"text": AIMS[language]}, _("Add this step as evidence"), case)
    explained = {"text": SAID[language], "who": snooper.employee_id}
    reader.fill(add, explained, _("Add the employee's explanation"), case)
    decided = {"decision": "unjustified", "reason": "no_need_in_the_work", "text": AIMS[language]}
    reader.fill(_("Decide"), decided, saved, case)
    for fact, texts in ANSWERS.items():
        reader.fill(deviation, {"fact": fact, "value": texts[language]}, saved, case)
    for button in (_("Count in the last evidence"), _("The breach is known now")):
        reader.fill(deviation, {}, button, case)
    keep("5-deviation", watched)
    for step in ("restore", "remove_cause", "prevent_recurrence", "document"):
        done = {"step": step, "text": DONE[language], "done": "2026-11-02"}
        reader.fill(_("Measure"), done, saved, case)
    for whom in ("authority", "persons"):
        reader.fill(_("Notified"), {"to": whom, "how": DONE[language]}, saved, case)
    reader.fill(deviation, {}, _("Draft for the authority"), case)
    reader.fill(_("A sealed copy"), {"recipient": "internal"}, _("Seal a copy"), case)
    keep("6-sealed-copy", watched)
    reader.fill(_("Close the case"), {"outcome": OUTCOME[language]}, _("Close"), case)
    keep("7-closed", watched)


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
            number = NUMBERS[language].format(number=100 + snooper.episode)
            watched.page.wait_for_function("() => document.activeElement.name === 'purpose'")
            try:
                follow(Reader(watched, language, keep), snooper, number, language)
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
