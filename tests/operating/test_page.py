"""The operator's page without a browser, over a real small site: what each button does, shows and leaves behind."""

from __future__ import annotations

import json
import stat
import threading
from datetime import date

import pytest

from audit_kernel.evidence.display import Paragraph
from audit_kernel.evidence.execute import Outcome
from audit_kernel.evidence.harmless import harmless
from audit_kernel.evidence.month import MonthRun
from audit_kernel.operating import month as month_module
from audit_kernel.operating import operate
from audit_kernel.operating.desk import Desk, Worker
from audit_kernel.operating.page import HIDDEN, SHOWN, OperatingPage
from audit_kernel.site import Site, create_site
from audit_kernel.sources import load_source
from audit_kernel.store.deliver import read_ledger
from tests.store.logs import gerica_file, row

HOSTILE = "<script>alert(1)</script>\u202egpj"
DOOR = f"Tidspunkt;Hvem;Hva\n2026-10-13 12:00:00;{HOSTILE};Åpnet\n"


def at_once(work):
    work()


@pytest.fixture
def site(tmp_path):
    made = create_site(tmp_path / "site", "NO")
    settings = made.folder / "settings.yml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("language: nb", "language: en"), encoding="utf-8")
    gerica_file(made.folder / "logs" / "october.csv", [row(1), row(2, employee=HOSTILE), row(3, "x")])
    (made.folder / "logs" / "door.csv").write_text(DOOR, encoding="utf-8")
    return Site(made.folder)


@pytest.fixture
def page(site):
    made = OperatingPage(Desk(site, date(2026, 11, 20), Worker(at_once)))
    made.begin({"purpose": "monthly logs"})
    return made


def used(site):
    path = site.journals_folder / "use_log.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [(entry["activity"], entry["purpose"]) for entry in (json.loads(line)["entry"] for line in lines)]


def values(form):
    return {field["name"]: field.get("value") or "" for field in form.texts["fields"]}


def press(section, action="", **given):
    """Use a button, as the browser says it."""
    content = {"kind": "search", "values": {**values(section.form), **given, **({"action": action} if action else {})}}
    section.form._receive(section.form, content, [])


def captions(section):
    return [table.view.get("caption") for table in section.tables]


def test_nothing_is_shown_before_a_purpose(site):
    page = OperatingPage(Desk(site, date(2026, 11, 20), Worker(at_once)))
    assert page.work.layout.display == HIDDEN
    page.begin({"purpose": " "})
    assert page.form.error["field"] == "purpose"
    assert page.work.layout.display == HIDDEN
    page.begin({"purpose": "sak 1"})
    assert page.work.layout.display == SHOWN
    assert used(site) == []


def test_a_file_is_looked_at_before_anything_is_stored(page, site):
    press(page.intake, file="october.csv")
    assert page.intake.form.error == {}
    view = page.intake.answer.view
    assert view["question"] == "3 records were read: 2 would be stored or are repeated, 1 would go to quarantine."
    assert ["Read as", "gerica"] in view["facts"]
    assert page.intake.tables[0].view["rows"][1][3] == harmless(HOSTILE)
    assert captions(page.intake)[1:] == ["What would be quarantined", "The first of these records"]
    assert values(page.intake.form)["source"] == "gerica"
    assert read_ledger(site) == []
    assert used(site) == [("inspect", "monthly logs")]


def test_a_file_is_taken_in_and_stands_in_the_ledger(page, site):
    press(page.intake, file="october.csv", source="gerica", action="take_in")
    assert page.intake.form.error == {}
    assert ["In quarantine", "1"] in page.intake.answer.view["facts"]
    assert page.ledger.tables[0].view["rows"][0][:2] == ["october.csv", "gerica"]
    assert [each.n_stored for each in read_ledger(site)] == [2]
    press(page.intake, file="october.csv", source="gerica", action="take_in")
    assert "was taken in before; nothing was done" in page.intake.answer.view["question"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "file"),
        ({"file": "october.csv", "action": "take_in"}, "source"),
    ],
)
def test_what_was_not_said_is_asked_for_at_its_field(page, given, field):
    press(page.intake, **given)
    assert page.intake.form.error["field"] == field
    assert page.intake.form.error["remedy"]


def test_a_refused_file_gets_its_sentence_and_is_listed(page, site):
    (site.folder / "logs" / "cut.csv").write_bytes(b"Id. nr.;Dato\r\n1;01.10.2026\r\n")
    press(page.intake, file="cut.csv", source="gerica", action="take_in")
    assert "column 'Tid' is missing" in page.intake.form.error["problem"]
    press(page.ledger)
    assert captions(page.ledger) == [None, "Refused files"]
    assert page.ledger.tables[1].view["rows"][0][1] == "cut.csv"


def test_a_file_elsewhere_is_read_where_it_lies(page, tmp_path):
    path = gerica_file(tmp_path / "elsewhere.csv", [row(1)])
    press(page.intake, path=f'"{path}"')
    assert ["File", "elsewhere.csv"] in page.intake.answer.view["facts"]
    press(page.intake, path=str(tmp_path / "none.csv"))
    assert "There is no file" in page.intake.form.error["problem"]


def test_the_list_of_files_holds_names_only_and_leads_nowhere_else(page, site):
    press(page.intake, file="../settings.yml")
    assert "There is no file" in page.intake.form.error["problem"]
    options = next(field["options"] for field in page.intake.form.texts["fields"] if field["name"] == "file")
    assert {name for name, _label in options} == {"", "october.csv", "door.csv"}


def test_the_quarantine_is_shown_and_its_showing_logged(page, site):
    press(page.intake, file="october.csv", source="gerica", action="take_in")
    press(page.ledger, action="quarantine")
    assert page.ledger.tables[0].view["rows"][0][:4] == ["october.csv", "4", "Dato", "not a date"]
    assert used(site)[-2:] == [("quarantine", "monthly logs"), ("answered", "monthly logs")]


def test_a_new_log_is_described_tried_saved_and_taken_in(page, site):
    press(page.intake, file="door.csv")
    assert "No source fits" in page.intake.answer.view["question"]
    press(page.intake, file="door.csv", action="draft")
    mapping = page.mapping
    assert mapping.layout.display == SHOWN
    shown = {column["name"]: column for column in mapping.editor.view["columns"]}
    assert (shown["Hvem"]["to"], shown["Hva"]["to"], shown["Hva"]["open"]) == ("employee_id", "?", True)
    assert shown["Hvem"]["examples"] == harmless(HOSTILE)
    press(mapping, action="save")
    assert "2 answers are missing" in mapping.form.error["problem"]
    editor = mapping.editor
    editor._receive(editor, {"kind": "change", "column": 2, "field": "to", "value": "activity"}, [])
    press(mapping, expects_rows_daily="no", title="Dørlogg")
    assert mapping.form.error == {}
    assert mapping.tables[0].view["rows"][0][-2:] == ["Åpnet", "success"]
    press(mapping, action="save")
    assert (mapping.layout.display, mapping.form.error) == (HIDDEN, {})
    assert load_source("door", [site.folder / "parameters" / "sources"]).title.nb == "Dørlogg"
    assert values(page.intake.form)["source"] == "door"
    press(page.intake, file="door.csv", source="door", action="take_in")
    assert [each.n_stored for each in read_ledger(site)] == [1]


def test_codes_get_their_meaning_one_by_one_and_another_table_asks_anew(page, site):
    text = "Tidspunkt;Konto;Hendelsestype\n2026-10-13 12:00:00;a;Kaffe\n2026-10-13 12:01:00;a;Innlogging\n"
    (site.folder / "logs" / "door.csv").write_text(text, encoding="utf-8")
    press(page.intake, file="door.csv", action="draft")
    editor = page.mapping.editor
    assert editor.view["columns"][2]["values"] == [[0, "Innlogging", "login"], [1, "Kaffe", "?"]]
    assert ["lockout", "account locked"] in editor.view["columns"][2]["allowed"]
    editor._receive(editor, {"kind": "value", "column": 2, "code": 1, "value": "logout"}, [])
    editor._receive(editor, {"kind": "value", "column": 2, "code": 0, "value": "nonsense"}, [])
    assert page.mapping.draft.columns[2].values == {"Innlogging": "login", "Kaffe": "logout"}
    press(page.mapping, table="medication_events")
    assert [column.to for column in page.mapping.draft.columns] == ["recorded_timestamp", "?", "kind"]
    assert set(page.mapping.draft.columns[2].values.values()) == {"?"}


@pytest.mark.parametrize(
    ("column", "field", "value"),
    [(9, "to", "activity"), (0, "to", "access_id"), (0, "name", "x"), (0, "type", "money")],
)
def test_what_the_table_does_not_offer_changes_nothing(page, column, field, value):
    press(page.intake, file="door.csv", action="draft")
    before = page.mapping.draft
    page.mapping.editor._receive(
        page.mapping.editor, {"kind": "change", "column": column, "field": field, "value": value}, []
    )
    assert page.mapping.draft == before


def test_a_mapping_that_cannot_be_is_explained_in_words(page):
    press(page.intake, file="door.csv", action="draft")
    page.mapping.change(2, "to", "recorded_timestamp")
    page.mapping.change(2, "format", "%H:%M")
    press(page.mapping, expects_rows_daily="no")
    assert page.mapping.form.error["problem"] == "Column 1 goes where another column goes too."
    page.mapping.change(2, "to", "")
    press(page.mapping, expects_rows_daily="no", source_id="Door log")
    assert "cannot be the name of a source" in page.mapping.form.error["problem"]
    press(page.mapping, source_id="gerica", action="save")
    assert "There is a mapping 'gerica' already" in page.mapping.form.error["problem"]


def test_a_file_without_a_header_gets_no_draft(page, site):
    (site.folder / "logs" / "door.csv").write_text("13.10.2026;Ola Nordmann\n", encoding="utf-8")
    press(page.intake, file="door.csv", action="draft")
    assert page.mapping.layout.display == HIDDEN
    assert "is a row of data" in page.intake.form.error["problem"]


def test_completeness_of_a_month_is_shown_with_what_is_lacking(page, site):
    assert values(page.month.form)["month"] == "2026-10"
    press(page.month)
    assert page.month.form.error["problem"]
    press(page.intake, file="october.csv", source="gerica", action="take_in")
    press(page.month, month="2026-10")
    assert page.month.answer.view["question"] == "Something is missing: see below."
    assert len(page.month.answer.view["notices"]) == 2
    assert len(page.month.tables[0].view["rows"]) == 31
    press(page.month, month="October")
    assert "'October' is not a month" in page.month.form.error["problem"]


def test_a_month_is_run_its_steps_told_and_its_index_opened(page, site, monkeypatch):
    index = site.archive_folder / "run" / "data" / "pages" / "index.html"
    told, opened, asked = [], [], {}

    def run(_site, month, *, purpose, language, progress):
        asked.update(month=month, purpose=purpose, language=language)
        outcomes = [
            Outcome("completeness", facts={"title": "Completeness"}),
            Outcome("check", "why"),
        ]
        for outcome in outcomes:
            progress(outcome)
            told.append(page.month.answer.view["status"])
        return MonthRun(index.parents[2], index, tuple(outcomes), ("a warning",))

    monkeypatch.setattr(month_module, "run_month", run)
    monkeypatch.setattr(month_module.webbrowser, "open", opened.append)
    press(page.month, action="run")
    assert asked == {"month": "2026-10", "purpose": "monthly logs", "language": "en"}
    assert told[0].startswith("completeness finished (1 of ")
    assert page.month.answer.view["question"] == "The month is incomplete: see the pages."
    assert ["Index page", str(index)] in page.month.answer.view["facts"]
    assert page.month.tables[0].view["rows"][1][2] == "why"
    press(page.month, action="open")
    assert opened == [index.as_uri()]


def test_a_file_comes_over_in_pieces_and_only_its_owner_can_read_it(page, site):
    form, said = page.intake.form, []
    form.send = said.append
    whole = gerica_file(site.folder / "whole.csv", [row(1)]).read_bytes()
    for offset, piece in ((0, whole[:50]), (50, whole[50:])):
        content = {"kind": "upload", "name": "new.csv", "offset": offset, "size": len(whole)}
        form._receive(form, content, [memoryview(piece)])
    path = site.folder / "logs" / "new.csv"
    assert path.read_bytes() == whole
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each["go_on"] for each in said] == [True, False]
    assert values(form)["file"] == "new.csv"
    assert "lies in the folder logs now" in page.intake.answer.view["status"]


@pytest.mark.parametrize(
    ("name", "offset", "problem"),
    [
        ("../settings.yml", 0, "The file's name cannot be used."),
        ("C:\\x.csv", 0, "The file's name cannot be used."),
        (".hidden", 0, "The file's name cannot be used."),
        ("a\u202eb.csv", 0, "The file's name cannot be used."),
        ("", 0, "The file's name cannot be used."),
        ("october.csv", 0, "There is a file 'october.csv' in the folder logs already."),
        ("new.csv", 7, "'new.csv' did not come over whole."),
    ],
)
def test_an_upload_that_cannot_be_is_refused_and_leaves_nothing(page, site, name, offset, problem):
    form, said = page.intake.form, []
    form.send = said.append
    before = {path: path.read_bytes() for path in site.folder.rglob("*") if path.is_file()}
    form._receive(form, {"kind": "upload", "name": name, "offset": offset, "size": 9}, [b"x"])
    assert form.error["problem"] == problem
    assert said == [{"kind": "received", "go_on": False}]
    assert {path: path.read_bytes() for path in site.folder.rglob("*") if path.is_file()} == before


def test_long_work_runs_beside_the_page_and_one_at_a_time(site):
    page = OperatingPage(Desk(site, date(2026, 11, 20)))
    page.begin({"purpose": "monthly logs"})
    go_on, ended = threading.Event(), threading.Event()

    def job(report):
        report("half way")
        go_on.wait(30)
        ended.set()

    page.ledger.start(job)
    assert not ended.is_set()
    press(page.intake, file="october.csv")
    assert page.intake.form.error["problem"] == "Something else is still running."
    go_on.set()
    assert ended.wait(30)


def test_an_unforeseen_error_is_named_by_its_kind_only_and_the_page_goes_on(page):
    def job(_report):
        raise ValueError(HOSTILE)

    page.ledger.start(job)
    assert page.ledger.form.error["problem"] == "The program failed (ValueError). Nothing was shown."
    assert page.ledger.form.is_busy is False
    press(page.ledger)
    assert page.ledger.form.error == {}


def test_neither_the_page_nor_its_parts_write_their_state_into_the_notebook(page):
    press(page.intake, file="october.csv")
    for part in (page, page.intake, page.mapping, page.ledger, page.month, page.mapping.editor, page.intake.form):
        assert repr(part) == f"<{type(part).__name__}>"


def test_a_folder_that_is_no_site_gives_a_paragraph_that_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("AUDIT_KERNEL_SITE", str(tmp_path))
    shown = operate()
    assert isinstance(shown, Paragraph)
    assert "audit-kernel init" in shown.text


def test_the_page_opens_over_the_site_that_is_named(site, monkeypatch):
    monkeypatch.setenv("AUDIT_KERNEL_SITE", str(site.folder))
    assert isinstance(operate(), OperatingPage)
