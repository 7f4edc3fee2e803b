"""The commands about formats and mappings: what they print, what they refuse, and what they leave behind."""

from __future__ import annotations

import json
import zipfile

import pytest
from typer.testing import CliRunner

from audit_kernel import inspection
from audit_kernel.cli import app
from audit_kernel.errors import SettingsError, UsageError
from audit_kernel.inspection import decided_word, format_label, format_names
from audit_kernel.locale import LANGUAGES
from audit_kernel.site import Site, create_site
from audit_kernel.sources.columns import DECIDED
from tests.store.logs import gerica_file, row
from tests.test_cli import run

PURPOSE = ("--purpose", "new log")
UNKNOWN = "Tidpunkt;Vem;Vad\r\n2026-10-13 12:00:00;KANO01;Läste\r\n"


@pytest.fixture
def site(tmp_path):
    made = create_site(tmp_path / "site", "NO")
    settings = made.folder / "settings.yml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("language: nb", "language: en"), encoding="utf-8")
    return Site(made.folder)


@pytest.fixture
def unknown(tmp_path):
    path = tmp_path / "dörrlogg.csv"
    path.write_text(UNKNOWN, encoding="utf-8", newline="")
    return str(path)


def used(site):
    path = site.journals_folder / "use_log.jsonl"
    return (
        [json.loads(line)["entry"] for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    )


def untouched(site):
    return not any(path.is_file() for folder in ("store", "temporary") for path in (site.folder / folder).glob("*/*"))


def test_sources_lists_formats_and_logs_with_their_mappings(site):
    code, printed = run(site, "sources")
    assert code == 0
    for said in ("FHIR AuditEvent", "Gerica system log", "delimited", "Europe/Oslo", "gerica.yml", "accesses"):
        assert said in printed
    code, printed = run(site, "sources", "--json")
    listed = {each["source"]: each for each in json.loads(printed)["sources"]}
    assert listed["gerica"]["format"] == "delimited"
    assert listed["fhir"]["table"] is None


def test_a_wrong_mapping_is_named_and_hides_no_other(site):
    (site.folder / "parameters" / "sources" / "bad.yml").write_text("source_id: bad\n", encoding="utf-8")
    code, printed = run(site, "sources")
    assert code == 0
    assert "key 'format' is missing" in printed
    assert "gerica" in printed


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_that_the_model_decides_is_told_in_words(language):
    told = {
        decided_word(column, value, language)
        for columns in DECIDED.values()
        for column, values in columns.items()
        for value in values
    }
    assert "" not in told
    assert language == "en" or not told & {"log-in", "withdrawal", "count"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_format_is_explained(language):
    assert all(format_label(name, language) for name in format_names())


def test_inspect_shows_nothing_without_a_purpose(site, tmp_path):
    path = gerica_file(tmp_path / "october.csv", [row(1)])
    with pytest.raises(UsageError, match="No purpose was given"):
        run(site, "inspect", str(path))
    assert used(site) == []


def test_inspect_says_what_a_file_is_and_what_would_become_of_it(site, tmp_path):
    rows = [row(number, employee=f"KA\u202e{number}") for number in range(1, 9)]
    path = gerica_file(tmp_path / "october.csv", [*rows, row(10, "x", employee="\x1b[31mred")])
    code, printed = run(site, "inspect", str(path), "--rows", "2", *PURPOSE)
    assert code == 0
    for said in (
        "the header is the mapping's, name by name",
        "9 records were read: 8 would be stored or are repeated, 1 would go to quarantine.",
        "The first 2 of 8 rows of accesses",
        "2026-10-01 12:00:00",
        "KA⟨U+202E⟩1",
        "control characters",
        "␛[31mred",
    ):
        assert said in printed
    assert "KA⟨U+202E⟩3" not in printed
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    assert untouched(site)
    said = {"purpose": "new log", "activity": "inspect", "file": "october.csv", "source": ""}
    assert said.items() <= used(site)[0].items()


def test_inspect_answers_scripts_too(site, tmp_path):
    path = gerica_file(tmp_path / "october.csv", [row(1), row(2, "x")])
    code, printed = run(site, "inspect", str(path), "--json", *PURPOSE)
    answer = json.loads(printed)
    assert (code, answer["source"], answer["n_read"], answer["refused"]) == (0, "gerica", 2, None)
    assert answer["rows"]["accesses"][0]["employee_id"] == "KANO01"
    assert answer["quarantine"]["reasons"] == [{"code": "not_a_date", "column": "Dato", "n_records": 1}]
    assert answer["quarantine"]["first"][0]["line_number"] == 3


def test_inspect_ends_with_one_where_intake_would_refuse_and_says_why(site, tmp_path):
    path = tmp_path / "swapped.csv"
    path.write_text("Dato;Id. nr.;Tid;Loggtype;Ansatt;Tabell;Relatert post;Meldingstype\n", encoding="utf-8")
    code, printed = run(site, "inspect", str(path), *PURPOSE)
    assert code == 1
    assert "the header has the mapping's names in another order" in printed
    assert "Intake would refuse this file." in printed
    assert "the columns are swapped" in printed


def test_an_unknown_file_is_described_without_a_word_of_it(site, unknown):
    code, printed = run(site, "inspect", unknown, *PURPOSE)
    assert code == 1
    assert "No source fits. Seen: text in utf-8, separated by “;”, 3 columns." in printed
    assert "audit-kernel mapping new FILE" in printed
    assert not [word for word in ("Vem", "KANO01") if word in printed]


def test_a_workbook_is_known_by_what_can_be_prepared_of_it(site, tmp_path, monkeypatch):
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path, "w") as book:
        for name in ("[Content_Types].xml", "xl/workbook.xml"):
            book.writestr(name, "<x/>")
    assert json.loads(run(site, "inspect", str(path), "--json", *PURPOSE)[1])["candidates"] == []
    export = gerica_file(tmp_path / "october.csv", [row(1)])
    real = inspection.prepare
    monkeypatch.setattr(inspection, "prepare", lambda _path, definition, folder: real(export, definition, folder))
    found = json.loads(run(site, "inspect", str(path), "--json", *PURPOSE)[1])["candidates"]
    assert [(each["source"], each["why"]) for each in found] == [("gerica", "header")]


def test_a_source_can_be_forced(site, unknown):
    code, printed = run(site, "inspect", unknown, "--source", "gerica", *PURPOSE)
    assert code == 1
    assert "Read as gerica. Intake would refuse this file." in printed
    with pytest.raises(UsageError, match="There is no source 'none'"):
        run(site, "inspect", unknown, "--source", "none", *PURPOSE)


def test_a_drafted_mapping_is_completed_by_hand_and_then_takes_the_file_in(site, unknown):
    code, printed = run(site, "mapping", "new", unknown)
    path = site.folder / "parameters" / "sources" / "dorrlogg.yml"
    assert code == 0
    assert str(path) in printed
    assert "2 keys are to be decided in it." in printed
    with pytest.raises(SettingsError, match="'expects_rows_daily' is not decided yet"):
        run(site, "intake", unknown, "--source", "dorrlogg")
    assert untouched(site)
    text = path.read_text(encoding="utf-8").replace("daily: '?'", "daily: false").replace("to: '?'", "to: activity")
    path.write_text(text, encoding="utf-8")
    code, printed = run(site, "inspect", unknown, *PURPOSE)
    assert code == 0
    assert "Läste" in printed
    assert run(site, "intake", unknown, "--source", "dorrlogg")[0] == 0


def test_a_draft_is_printed_where_asked_and_never_written_over_another(site, unknown):
    code, printed = run(site, "mapping", "new", unknown, "--source-id", "door", "--stdout")
    assert code == 0
    assert "source_id: door" in printed
    assert list((site.folder / "parameters" / "sources").iterdir()) == []
    run(site, "mapping", "new", unknown, "--source-id", "door")
    with pytest.raises(UsageError, match="There is a mapping 'door' already"):
        run(site, "mapping", "new", unknown, "--source-id", "door")


def test_the_commands_explain_themselves():
    for command in (["sources"], ["inspect"], ["mapping", "new"]):
        answer = CliRunner().invoke(app, [*command, "--help"])
        assert answer.exit_code == 0
        assert "Example: audit-kernel" in answer.output
