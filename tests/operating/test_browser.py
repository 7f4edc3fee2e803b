"""The operator's page in the real JupyterLab and Debian's chromium, by keyboard alone: from a file to the ledger."""

from __future__ import annotations

import time

import pytest

from audit_kernel.evidence.harmless import harmless
from audit_kernel.investigation.launch import PAGES
from audit_kernel.locale import translator
from audit_kernel.site import create_site
from tests.evidence.browser import QUIET
from tests.investigation.lab_browser import CHROMIUM, Watched, served
from tests.investigation.small_site import HEADER, HOSTILE_USER, N_ROWS, log_rows, write

pytest.importorskip("jupyterlab", reason="This test opens JupyterLab. Install it: pip install 'audit-kernel[lab]'")
playwright = pytest.importorskip("playwright.sync_api", reason="This test drives a browser: pip install playwright")
pytest.importorskip("axe_playwright_python", reason="This test asks axe for faults: pip install axe-playwright-python")

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.requires("chromium")]

PURPOSE = "månedens logger"
FILE = "systemlogg.csv"
_ = translator("nb")


@pytest.fixture
def site(tmp_path):
    made = create_site(tmp_path / "site", "NO", "Test kommune")
    bad = ["x", "01.10.2026", "12:00:00", "Lesing", HOSTILE_USER, "Bruker", "1", "Post vist"]
    write(made.folder / "logs" / FILE, HEADER, [*log_rows(), bad])
    write(tmp_path / "dorlogg.csv", "Tidspunkt;Hvem;Hva", [["2026-10-01 12:00:00", HOSTILE_USER, "Åpnet"]])
    return made


@pytest.fixture
def watched(site):
    with served(site, PAGES[1]) as (address, root), playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield Watched(browser, address), root
        browser.close()


def test_a_file_is_taken_in_and_a_new_log_described_by_keyboard_alone(watched, site):
    page, root = watched
    page.page.on("filechooser", lambda _chooser: None)  # the browser may learn it after the key press
    page.page.wait_for_function("() => document.activeElement.name === 'purpose'")
    page.keep("operate-1-purpose")
    page.type(PURPOSE)
    page.press("Enter")
    page.tab_to("file")
    page.choose(FILE)
    page.tab_to(_("What is this file?"))
    page.press("Enter")
    page.wait_for_heading(_("What the file is"))
    assert harmless(HOSTILE_USER) in [cell for row in first_table(page) for cell in row]
    assert page.faults() == []
    page.keep("operate-2-inspected")

    page.tab_to(_("Take in"), key="Shift+Tab")
    page.press("Enter")
    page.wait_for_heading(_("Taken in"))
    assert page.faults() == []
    page.keep("operate-3-taken-in")
    assert first_table(page)[0][:2] == [FILE, "gerica"]
    assert str(N_ROWS) in first_table(page)[0]

    page.tab_to("upload", key="Shift+Tab")
    with page.page.expect_file_chooser() as chooser:
        page.press("Space")
    chooser.value.set_files(site.folder.parent / "dorlogg.csv")
    page.page.wait_for_function("() => document.querySelector('[name=file]').value === 'dorlogg.csv'")
    page.keep("operate-3b-uploaded")
    page.tab_to(_("Describe a new log"))
    page.press("Enter")
    page.wait_for_heading(_("A draft to complete"))
    assert page.faults() == []
    page.keep("operate-4-draft")
    page.tab_to("expects_rows_daily", key="Shift+Tab")
    page.choose(_("No"))
    page.tab_to(f"Hva: {_('What it holds')}")
    page.choose("Aktivitet")
    page.tab_to(_("Save"), key="Shift+Tab")
    page.press("Enter")
    page.wait_for_heading(_("The log is known now"))
    page.keep("operate-5-saved")
    assert (site.folder / "parameters" / "sources" / "dorlogg.yml").is_file()
    assert page.page.locator(".jp-Cell").count() == 1
    saved_notebook_holds_no_data(page, root)
    assert (page.outside, page.dialogs, page.errors) == ([], [], [])


def first_table(watched):
    return watched.page.evaluate(
        """() => [...document.querySelector('.ak-table table').tBodies[0].rows].map(
            row => [...row.cells].map(cell => cell.textContent))"""
    )


def saved_notebook_holds_no_data(watched, root):
    watched.press("Control+s")
    time.sleep(1)
    saved = (root / "notebooks" / "operate.ipynb").read_text(encoding="utf-8")
    assert not [word for word in (PURPOSE, "KANO", FILE) if word in saved]
