"""The drill in the real JupyterLab and Debian's chromium, by keyboard alone, over a log full of hostile text."""

from __future__ import annotations

import csv
import json
import time
from datetime import datetime

import pytest

from audit_kernel.catalog import Catalog
from audit_kernel.evidence.harmless import harmless
from audit_kernel.investigation.launch import PAGE
from audit_kernel.locale import format_date, translator
from tests.evidence.browser import QUIET
from tests.investigation.lab_browser import CHROMIUM, Watched, served
from tests.investigation.small_site import HOSTILE_USER, PATIENT, SCRIPT, make_site

pytest.importorskip("jupyterlab", reason="This test opens JupyterLab. Install it: pip install 'audit-kernel[lab]'")
playwright = pytest.importorskip("playwright.sync_api", reason="This test drives a browser: pip install playwright")
pytest.importorskip("axe_playwright_python", reason="This test asks axe for faults: pip install axe-playwright-python")

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.requires("chromium")]

LANGUAGE = "nb"
PURPOSE = "sak 2026/17"
_ = translator(LANGUAGE)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("lab"), "NO")


@pytest.fixture
def opened(world):
    """The page, open in a browser, and the server's root folder."""
    site, _export = world
    with served(site) as (address, root), playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield Watched(browser, address), root
        browser.close()


@pytest.fixture(scope="module")
def titles():
    catalogue = Catalog()
    reports = ("activity", "detailed_activity", "system_log")
    return [catalogue.query(name).description.title.in_language(LANGUAGE) for name in reports]


def test_a_suspicion_is_followed_to_the_raw_log_by_keyboard_alone(opened, world, titles):
    watched, root = opened
    activity, detailed_activity, system_log = titles
    refuse_without_purpose(watched)
    ask_about_the_patient(watched)

    watched.wait_for_heading(activity)
    watched.page.wait_for_selector(".ak-charts svg [aria-roledescription='bar']")
    assert watched.page.text_content("[role=alert]") == ""
    assert harmless(HOSTILE_USER) in [row[0] for row in watched.rows()]
    assert watched.faults() == []
    watched.keep("2-activity")
    go_another_way_and_back(watched, activity)

    watched.tab_to(f"{_('Detailed activity')}: {harmless(HOSTILE_USER)}")
    watched.press("d", "d", "b")  # delete this cell, add one below: shortcuts that reach every other button
    assert watched.page.locator(".jp-Cell").count() == 1
    watched.press("Enter")
    watched.wait_for_heading(detailed_activity)
    assert watched.faults() == []
    watched.keep("3-detailed-activity")

    watched.tab_to(f"{_('System log')}: ")
    watched.press("ArrowDown", "Enter")
    watched.wait_for_heading(system_log)
    assert watched.faults() == []
    assert watched.covered() == []
    watched.keep("4-system-log")
    assert watched.rows_as_first(8) == rows_of_the_export(world[1])

    watched.tab_to(activity, key="Shift+Tab")
    watched.press("Enter")
    watched.wait_for_heading(activity)
    saved_notebook_holds_no_data(watched, root)
    assert (watched.outside, watched.dialogs, watched.errors) == ([], [], [])


def go_another_way_and_back(watched, activity):
    """Open what else a row leads to, leave it by Escape, open it again, and go one of the ways."""
    more = f"{_('More questions about this row')}: {harmless(HOSTILE_USER)}"
    watched.tab_to(more)
    watched.press("Enter")
    assert watched.focused() == _("The same employee's other patients")
    assert watched.faults() == []
    watched.keep("5-more")
    watched.press("Escape")
    assert watched.focused().startswith(more)
    watched.press("Enter", "Enter")
    watched.wait_for_heading(activity)
    assert watched.page.text_content(".ak-crumbs [aria-current]") == _("The same employee's other patients")
    watched.press("Shift+Tab", "Enter")  # the heading has the same words as the way back before it
    watched.page.wait_for_selector(".ak-crumbs li:only-child", state="attached")
    watched.wait_for_heading(activity)


def refuse_without_purpose(watched):
    page = watched.page
    page.wait_for_function("() => document.activeElement.name === 'purpose'")
    watched.press("Enter")
    page.wait_for_selector("[role=alert] strong")
    assert page.text_content("[role=alert] strong") == _("No purpose was given: nothing is shown without one.")
    assert page.locator(".ak-table table").count() == 0
    assert watched.focused() == "purpose"
    assert watched.faults() == []
    watched.keep("1-purpose")


def ask_about_the_patient(watched):
    watched.type(PURPOSE)
    watched.press("Tab")
    watched.type(PATIENT)
    watched.press("Tab", "Tab", "End")  # the last of the periods: between two dates
    watched.tab_to("from_date")
    watched.type("10012026")
    watched.tab_to("to_date")
    watched.type("10312026")
    watched.press("Enter")


def saved_notebook_holds_no_data(watched, root):
    watched.press("Control+s")
    time.sleep(1)
    saved = (root / "notebooks" / PAGE).read_text(encoding="utf-8")
    assert json.loads(saved)["cells"][0]["outputs"] == []
    assert not [word for word in (PATIENT, "Kari", SCRIPT[:10], PURPOSE) if word in saved]


def rows_of_the_export(export):
    """The hostile user's rows on the day of the second one, read from the export; fields as the page must show them."""
    with export.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter=";") if row["Ansatt"] == HOSTILE_USER]
    on_that_day = [row for row in rows if row["Dato"] == rows[1]["Dato"]]
    for row in on_that_day:
        day = datetime.strptime(row["Dato"], "%d.%m.%Y").date()  # noqa: DTZ007 - a local day without a time
        row["Dato"] = format_date(day, LANGUAGE)
    return [[harmless(value) for value in row.values()] for row in on_that_day]
