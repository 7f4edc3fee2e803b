"""The reviewer's own page in the real JupyterLab and Debian's chromium, by keyboard alone: from list to decision."""

from __future__ import annotations

import time

import pytest

from audit_kernel.evidence.harmless import harmless
from audit_kernel.locale import translator
from audit_kernel.review.export import file_name
from audit_kernel.review.own_list import read_own_list
from audit_kernel.review.workbook import workbook_bytes
from audit_kernel.site import WORK_LISTS, create_site
from audit_kernel.use_log import operating_system_user
from tests.evidence.browser import QUIET
from tests.investigation.lab_browser import CHROMIUM, Watched, served
from tests.review.two_lists import HOSTILE, as_made, make_lists

pytest.importorskip("jupyterlab", reason="This test opens JupyterLab. Install it: pip install 'audit-kernel[lab]'")
playwright = pytest.importorskip("playwright.sync_api", reason="This test drives a browser: pip install playwright")
pytest.importorskip("axe_playwright_python", reason="This test asks axe for faults: pip install axe-playwright-python")

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.requires("chromium")]

REMARK = "på vakt den kvelden"


@pytest.mark.parametrize(("country", "language", "month"), [("NO", "nb", "oktober 2026"), ("SE", "sv", "oktober 2026")])
def test_a_list_is_opened_and_a_row_decided_by_keyboard_alone(tmp_path, country, language, month):
    _ = translator(language)
    site = create_site(tmp_path / "site", country, "Test kommune")
    made = as_made(make_lists(n_rows=2, language=language)[0])
    folder = site.folder / WORK_LISTS / operating_system_user()
    folder.mkdir(parents=True)
    (folder / file_name(made)).write_bytes(workbook_bytes(site, made))
    with served(site, "worklist") as (address, root), playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = Watched(browser, address)
        page.wait_for_heading(_("Your work lists"))
        page.page.wait_for_function("() => document.querySelector('.ak-table table')")
        assert page.faults() == []
        page.keep(f"worklist-1-lists-{language}")

        page.tab_to(_("Open the list"))
        page.press("Enter")
        page.wait_for_heading(_("Work list for {month}").format(month=month))
        assert page.faults() == []
        page.keep(f"worklist-2-rows-{language}")

        page.tab_to(f"{_('Decide')}: ")
        page.press("Enter")
        page.wait_for_heading(_("Row {row}").format(row=1))
        page.tab_to("decision")
        page.choose(_("Justified"))
        page.tab_to("reason")
        page.press("ArrowDown")
        page.tab_to("remark")
        page.type(REMARK)
        assert page.faults() == []
        page.keep(f"worklist-3-row-{language}")
        page.tab_to(_("Save"))
        page.press("Enter")
        page.wait_for_heading(_("Row {row}").format(row=2))
        page.keep(f"worklist-4-next-{language}")
        stands = read_own_list(folder / file_name(made)).row("1").said[0]
        assert (stands["decision"], stands["remark"]) == ("justified", REMARK)
        assert harmless(HOSTILE) in page.page.inner_text("body")
        assert page.page.locator(".jp-Cell").count() == 1
        page.press("Control+s")
        time.sleep(1)
        saved = (root / "notebooks" / "worklist.ipynb").read_text(encoding="utf-8")
        assert not [word for word in (REMARK, "Eva Ek") if word in saved]
        assert (page.outside, page.dialogs, page.errors) == ([], [], [])
        browser.close()
