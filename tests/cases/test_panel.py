"""The case on the investigator's page: begun for those of a step, evidence as shown, and on to a sealed copy."""

from __future__ import annotations

import json
import shutil

import pyarrow.parquet
import pytest

from audit_kernel.cases import lines
from audit_kernel.cases.evidence import TABLE, folder_of
from audit_kernel.evidence.verify import verify
from audit_kernel.investigation import investigate
from audit_kernel.sealing.service import seal_requests
from tests.investigation.small_site import HOSTILE_USER, PATIENT, SCRIPT, make_site

NUMBER = "sak 2026/17"
QUESTION = {"purpose": NUMBER, "patient_id": PATIENT, "from_date": "2026-10-01", "to_date": "2026-10-31"}
FORM = {"period": "between"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("panel"), "NO")[0]


@pytest.fixture(scope="module")
def page(site):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIT_KERNEL_SITE", str(site.folder))
        opened = investigate()
        yield opened
        opened.close_store()


@pytest.fixture(scope="module")
def begun(page):
    assert page.panel.children == ()
    page.search(QUESTION | FORM)
    panel, _extract = page.panel.children
    panel.begin({"number": NUMBER, "aim": "who read it, and why?", "action": "new"})
    return panel


@pytest.fixture
def panel(page, begun):
    """The case is on the screen, below the first step."""
    page.search(QUESTION | FORM)
    begun.begin({"number": NUMBER})
    assert begun.choice.error == {}
    return begun


def case_of(site):
    return lines.find(site, NUMBER)


def test_the_form_begins_with_the_purpose_and_a_new_case_is_about_those_of_the_step(site, panel):
    assert panel.choice.texts["fields"][0]["value"] == NUMBER
    assert (case_of(site).ids("patient"), case_of(site).period) == ([PATIENT], ("2026-10-01", "2026-10-31"))
    assert dict(panel.trail.view["facts"])["Formål"] == "who read it, and why?"


def test_a_case_that_is_not_there_is_not_begun_by_opening_it(panel):
    panel.begin({"number": "sak 1/1", "aim": ""})
    assert "sak 1/1" in panel.choice.error["problem"]
    panel.begin({"number": NUMBER})
    assert panel.choice.error == {}


def test_a_step_is_sealed_with_every_row_that_the_page_has_and_its_reason(site, page, panel):
    page.table.choose(1)
    before = len(case_of(site).evidence)
    panel.act("add", {"text": "read at night"})
    (evidence,) = case_of(site).evidence[before:]
    assert evidence.entry["query"] == "reports/detailed_activity"
    assert evidence.entry["snapshot"] == page.session.store.snapshot
    rows = pyarrow.parquet.read_table(folder_of(site, case_of(site), evidence) / f"{TABLE}.parquet")
    assert rows.equals(page.answers[-1].result.table.cast(rows.schema))
    assert panel.course.view["rows"][-1][-1].endswith("read at night")


def test_a_step_about_several_persons_is_an_evidence_for_each(site, page, panel):
    page.search(QUESTION | FORM | {"employee_id": "E1;E2"})
    assert page.form.error == {}
    before = len(case_of(site).evidence)
    panel.act("add", {"text": ""})
    asked = [each.entry["parameters"]["employee_id"] for each in case_of(site).evidence[before:]]
    assert asked == ["E1", "E2"]


def test_what_is_typed_is_kept_as_it_was_and_shown_harmless(site, panel):
    panel.act("add", {"text": f"said: {SCRIPT}", "who": "E1", "on": "2026-10-30", "action": "conversation"})
    assert case_of(site).notes[-1]["text"] == f"said: {SCRIPT}"
    assert all("\u202e" not in cell for row in panel.course.view["rows"] for cell in row)
    assert HOSTILE_USER not in json.dumps(panel.trail.view, ensure_ascii=False)


def test_forms_are_empty_after_each_line_and_an_error_leaves_them(panel):
    drawn = panel.forms["decide"].texts["drawn"]
    panel.act("decide", {"decision": "unjustified", "reason": "no_need_in_the_work", "text": ""})
    assert panel.forms["decide"].error["problem"]
    assert panel.forms["decide"].texts["drawn"] == drawn
    panel.act("decide", {"decision": "unjustified", "reason": "no_need_in_the_work", "text": "no task there"})
    assert panel.forms["decide"].error == {}
    assert panel.forms["decide"].texts["drawn"] > drawn


def test_a_deviation_is_recorded_counted_timed_notified_drafted_and_its_copy_verifies(site, page, panel):
    panel.begin({"number": "sak 2026/99", "aim": "to its end", "action": "new"})
    steps = [
        ("add", {"text": "those who read"}),
        ("deviation", {"fact": "what", "value": "read without a task"}),
        ("deviation", {"action": "count"}),
        ("deviation", {"action": "known"}),
        ("measure", {"step": "restore", "text": "access ended", "done": "2026-11-02"}),
        ("notify", {"to": "persons", "not_needed": "unlikely to harm"}),
        ("deviation", {"action": "draft"}),
        ("share", {"user": "kari"}),
        ("copy", {"recipient": "patient"}),
    ]
    for name, values in steps:
        panel.act(name, values)
        assert panel.forms[name].error == {}, name
    assert "kari" in lines.find(site, "sak 2026/99").readers
    assert [each for each in verify(site.restricted_folder) if each.is_failure] == []
    assert panel.trail.view["question"].endswith("igjen.")  # how long there is left
    panel.act("end", {"outcome": "warned"})
    assert panel.forms["end"].error["problem"]
    panel.act("end", {"outcome": "warned", "open_reason": "the authority is told tomorrow"})
    assert not lines.find(site, "sak 2026/99").is_open


def test_who_cannot_seal_asks_and_is_shown_what_has_come(site, page, panel, monkeypatch):
    for module in ("cases.panel", "cases.panel_texts", "investigation.extract_panel", "investigation.extracting"):
        monkeypatch.setattr(f"audit_kernel.{module}.must_ask", lambda *_: True)
    for folder in (site.asked_folder, site.copies_folder):
        folder.mkdir(mode=0o700)
    _case, extract = page.panel.children
    page.search(QUESTION | FORM)
    panel.begin({"number": NUMBER})
    assert dict(map(tuple, panel.forms["copy"].texts["actions"])) == {"look": "Har den kommet?"}
    assert extract.told.view == {}
    panel.act("copy", {"action": "look"})
    assert panel.trail.view["status"] == "Ingenting er bestilt."
    panel.act("copy", {"recipient": "internal"})
    assert panel.forms["copy"].error == {}
    assert panel.trail.view["status"].startswith("Bestilt: tjenesten forsegler")  # and no line was added
    assert panel.trail.view["notices"][-1].startswith("Bestilt ")
    values = {field["name"]: field.get("value", "") for field in extract.form.texts["fields"]}
    extract.make(values | {"recipient": "patient"})
    assert extract.form.error == {}
    assert extract.told.view["notices"][0].startswith("Bestilt ")
    sealed = {each.answer.kind: each.answer for each in seal_requests(site)}
    assert {each.state for each in sealed.values()} == {"sealed"}
    panel.act("copy", {"action": "look"})
    said = panel.trail.view["status"]
    assert said.startswith(f"Linje {len(case_of(site).entries)} ble lagt til")
    assert f"site/copies/{sealed['case'].page}" in said
    assert dict(panel.trail.view["facts"])["Forseglede kopier"] == f"site/copies/{sealed['case'].page}"
    extract.make({"action": "look"})
    assert dict(extract.told.view["facts"])["Forseglede kopier"] == f"site/copies/{sealed['extract'].page}"
    for folder in (site.asked_folder, site.copies_folder):
        shutil.rmtree(folder)


def test_another_purpose_takes_the_case_off_the_screen(page, panel):
    page.search(QUESTION | FORM | {"purpose": "sak 2026/18"})
    assert panel.number == ""
    panel.act("add", {"text": "lost?"})
    assert panel.choice.texts["fields"][0]["value"] == "sak 2026/18"


def test_an_extract_is_made_of_the_steps_patient_for_the_pages_purpose(site, page, panel):
    _case, extract = page.panel.children
    assert extract.form.texts["folded"]
    values = {field["name"]: field.get("value", "") for field in extract.form.texts["fields"]}
    assert (values["patient"], values["from_date"], values["employee"]) == (PATIENT, "2026-10-01", "")
    extract.make(values | {"recipient": "nobody"})
    assert extract.form.error["problem"]
    assert extract.told.view == {}
    extract.make(values | {"recipient": "patient"})
    assert extract.form.error == {}
    assert extract.told.view["question"].endswith(".html")
    assert [each for each in verify(site.archive_folder) if each.is_failure] == []
