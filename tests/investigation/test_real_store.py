"""The page over a real store: what it asks stands in the use log, and what stands in its way becomes a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from audit_kernel.catalog import resource_folder
from audit_kernel.evidence.display import Paragraph
from audit_kernel.investigation import investigate
from audit_kernel.investigation.questions import STANDING
from audit_kernel.investigation.ways import WAYS
from audit_kernel.journal import Journal
from audit_kernel.locale import translator
from audit_kernel.site import create_site
from tests.investigation.small_site import N_ROWS, PATIENT, make_site

QUESTION = {"purpose": "sak 2026/17", "patient_id": PATIENT, "from_date": "2026-10-01", "to_date": "2026-10-31"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("real"), "NO")[0]


@pytest.fixture
def page(site, monkeypatch):
    monkeypatch.setenv("AUDIT_KERNEL_SITE", str(site.folder))
    opened = investigate()
    yield opened
    opened.close_store()


def used(site):
    entries = [line["entry"] for line in Journal(site.journals_folder / "use_log.jsonl").entries()]
    asked = [entry for entry in entries if entry["activity"] != "answered"]
    return [(entry["activity"], entry.get("query"), entry["purpose"]) for entry in asked]


def test_every_step_stands_in_the_use_log_with_its_purpose(page, site):
    before = len(used(site))
    page.search(QUESTION)
    assert page.form.error == {}
    assert sum(row["n_accesses"] for row in page.answers[0].result.table.to_pylist()) == N_ROWS
    page.table.choose(1)
    page.table.choose(0)
    assert page.form.error == {}
    steps = [query for _activity, query, _purpose in used(site)[before:]]
    charts = ["timeline", "hour_map"]
    details = ["detailed_activity", *charts, "access_reasons"]
    assert steps == [None, "people", "activity", "reports/coverage", *charts, *details, "system_log"]
    assert {purpose for _activity, _query, purpose in used(site)[before:]} == {"sak 2026/17"}


def test_without_a_purpose_nothing_is_opened_and_nothing_logged(page, site):
    before = len(used(site))
    page.search(QUESTION | {"purpose": " "})
    assert page.form.error["field"] == "purpose"
    assert len(used(site)) == before


def test_where_the_use_log_cannot_be_written_nothing_is_shown(page, site, monkeypatch):
    page.search(QUESTION)

    def refuse(_journal, _entry, **_given):
        from audit_kernel.errors import JournalError

        raise JournalError("The store was closed.", "Open it again.")  # any text of the catalogue

    monkeypatch.setattr(Journal, "append", refuse)
    page.search(QUESTION)
    assert page.form.error["problem"] == translator("nb")("The store was closed.")
    assert page.table.view == {}


def test_a_patient_whom_nobody_knows_is_an_error_and_no_empty_report(page):
    page.search(QUESTION | {"patient_id": "77777"})
    assert page.form.error["problem"]
    assert page.form.error["remedy"]
    assert page.table.view == {}


def test_a_patient_is_found_by_name_and_stands_with_it_above_the_table(page):
    page.search(QUESTION | {"patient_id": "ola"})
    assert page.form.error == {}
    assert page.answers[0].step.patient_id == PATIENT
    assert dict(page.trail.view["facts"])[translator("nb")("Patient")].startswith(f"{PATIENT} Ola")


def test_several_employees_of_one_name_are_a_choice_of_harmless_names(page):
    page.search(QUESTION | {"employee_id": "kari"})
    assert len(page.table.view["rows"]) == 7
    assert not [cell for row in page.table.view["rows"] for cell in row if "\u202e" in cell]
    page.table.choose(3)
    assert page.form.error == {}
    assert {row["employee_id"] for row in page.answers[0].result.table.to_pylist()} == {"E3"}


def test_every_way_from_a_row_is_answered_by_the_store_or_says_what_it_lacks(page):
    page.search(QUESTION | {"employee_id": "E1"})
    page.table.choose(0)
    for way in WAYS:
        page.table.go(0, way)
        if way == "same_household":  # nothing was taken in of who lives with whom
            assert page.form.error["problem"]
        else:
            assert page.form.error == {}, way
            assert page.answers[-1].step.way == way
        page.back(1)


def test_every_standing_question_is_answered_by_the_store(page):
    for action in STANDING:
        page.search(QUESTION | {"employee_id": "E1", "action": action})
        assert page.form.error == {}, action
        assert page.answers[0].result.query.name == action


def test_the_example_notebook_asks_and_answers_with_dataframes(page, site, monkeypatch):
    notebook = json.loads((resource_folder("notebooks") / "explore.ipynb").read_text(encoding="utf-8"))
    answers = iter(["sak 2026/17", PATIENT])
    names: dict[str, Any] = {"input": lambda _prompt: next(answers)}
    lines = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for line in lines[:-1]:
        exec(compile(line, "explore.ipynb", "exec"), names)
    assert names["activity"].n_accesses.sum() == N_ROWS
    assert names["hours"].n.sum() > 0
    exec(compile(lines[-1], "explore.ipynb", "exec"), names)


def test_a_site_without_any_log_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("AUDIT_KERNEL_SITE", str(create_site(tmp_path / "site", "SE").folder))
    page = investigate()
    page.search(QUESTION)
    assert page.form.error["problem"]
    assert page.table.view == {}


def test_a_folder_that_is_no_site_gives_a_paragraph_that_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("AUDIT_KERNEL_SITE", str(tmp_path))
    shown = investigate()
    assert isinstance(shown, Paragraph)
    assert "audit-kernel init" in shown.text
