"""The form of a decision as a browser draws it, by keyboard alone: reasons follow the decision; no faults; 320 px."""

from __future__ import annotations

import json
import re

import pytest

from audit_kernel.investigation.widgets import STATIC, harmless_texts, script
from audit_kernel.review.work_words import entry_texts, reason_options
from audit_kernel.site import create_site
from tests.evidence.browser import chromium

pytest.importorskip("playwright.sync_api", reason="This test drives a browser: pip install playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="This test asks axe for faults")

pytestmark = [pytest.mark.browser, pytest.mark.requires("chromium")]

PAGE = """<!doctype html><html lang="en"><title>x</title><main id="root"></main><style>{css}</style><script>
{widget}
const state = {state};
const sent = [];
const model = {{ get: (name) => state[name], on: () => {{}}, off: () => {{}}, send: (content) => sent.push(content) }};
render({{ model, el: document.getElementById("root") }});
</script>"""


@pytest.fixture
def page(tmp_path):
    """The form alone, over a model that only remembers what was sent."""
    texts = harmless_texts(entry_texts("sv", reason_options(create_site(tmp_path / "site", "SE", "Test")), None))
    state = {"texts": texts, "language": "sv", "is_busy": False, "error": {}}
    widget = re.sub(r"^export default .*$", "", script("form"), flags=re.MULTILINE)
    css = (STATIC / "page.css").read_text(encoding="utf-8")
    with chromium() as browser:
        made = browser.new_page(viewport={"width": 320, "height": 700}, offline=True)
        made.set_content(PAGE.format(css=css, widget=widget, state=json.dumps(state).replace("</", "<\\/")))
        yield made


def test_a_decision_is_made_by_keyboard_alone_and_only_its_reasons_can_be_chosen(page):
    def options():
        return page.eval_on_selector_all("[name=reason] option", "all => all.map(each => each.value)")

    page.focus("[name=decision]")
    page.keyboard.press("ArrowDown")
    assert page.input_value("[name=decision]") == "justified"
    assert "care_of_the_patient" in options()
    assert "no_need_in_the_work" not in options()
    page.keyboard.press("ArrowDown")
    assert options()[:2] == ["", "no_need_in_the_work"]
    assert "care_of_the_patient" not in options()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("inte på schemat")
    page.keyboard.press("Enter")
    page.keyboard.type("den dagen")
    assert page.evaluate("sent") == []  # a new line in the free text sends nothing
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    (said,) = page.evaluate("sent")
    given = {"decision": "unjustified", "reason": "no_need_in_the_work", "remark": "inte på schemat\nden dagen"}
    assert {name: text.replace("\r\n", "\n") for name, text in said["values"].items()} == given
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    found = axe.Axe().run(page, context={"include": [[".audit-kernel"]]}).response["violations"]
    assert [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found] == []
