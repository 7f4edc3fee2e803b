"""A drafted mapping: what it suggests, what it leaves to a person, and that it takes nothing in incomplete."""

from __future__ import annotations

import stat

import pytest
import yaml

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import DamagedFileError, SettingsError, UsageError
from audit_kernel.sources import SourceDefinition, load_source
from audit_kernel.sources.columns import DECIDED
from audit_kernel.sources.draft import Draft, DraftColumn, draft_of, mappable, proposed_id
from audit_kernel.sources.draft_text import draft_text, write_draft
from audit_kernel.sources.header_words import header_words, target_of
from audit_kernel.sources.undecided import UNDECIDED, undecided_keys
from audit_kernel.store.tables import table_definitions
from tests.store.logs import HEADER, row

TABLES = ("accesses", "authentications", "medication_events")


def draft(text: str, source_id: str = "drafted", encoding: str = "utf-8") -> Draft:
    return draft_of(text.encode(encoding), source_id, "Europe/Oslo", "'file.csv'")


def columns(made: Draft) -> dict[str, DraftColumn]:
    return {column.name: column for column in made.columns}


def test_the_draft_of_gericas_log_is_gericas_own_mapping():
    lines = [HEADER, *(row(number, "13.10.2026") for number in range(1, 4))]
    made = draft("".join(f"{line}\r\n" for line in lines)).mapping()
    shipped = yaml.safe_load((resource_folder("parameters") / "sources" / "gerica.yml").read_text(encoding="utf-8"))
    said = {"source_id", "title", "expects_rows_daily", "outcome", "table"}
    assert {key: value for key, value in made.items() if key not in said | {"columns"}} == {
        key: value for key, value in shipped.items() if key not in said | {"columns"}
    }
    assert {name: {**column, "required": True} for name, column in made["columns"].items()} == {
        name: {**column, "required": True} for name, column in shipped["columns"].items()
    }
    assert list(made["columns"]) == list(shipped["columns"])
    assert made["expects_rows_daily"] == UNDECIDED


def test_codes_of_a_decided_column_are_suggested_by_their_words_and_the_others_left_open():
    made = draft("Tidpunkt;Konto;Händelsetyp\n2026-10-01 12:00:00;a;Inloggning\n2026-10-01 12:01:00;a;Kaffe\n")
    assert made.table == "authentications"
    assert columns(made)["Händelsetyp"].values == {"Inloggning": "login", "Kaffe": UNDECIDED}
    assert columns(made)["Händelsetyp"].is_required


def test_a_log_of_withdrawals_goes_to_medication_events():
    made = draft("Tidpunkt;Läkemedel;Mängd;Transaktionstyp\n2026-10-01 12:00;Oxynorm;2,5;Uttag\n")
    assert made.table == "medication_events"
    assert columns(made)["Transaktionstyp"].values == {"Uttag": "withdrawal"}
    assert columns(made)["Tidpunkt"].format == "%Y-%m-%d %H:%M"


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["13.10.2026"], "%d.%m.%Y"),
        (["2026-10-13"], "%Y-%m-%d"),
        (["13/10/2026", "01/02/2026"], "%d/%m/%Y"),
        (["01/02/2026"], UNDECIDED),  # the first of February or the second of January
        (["soon"], ""),
        ([], ""),
    ],
)
def test_a_date_format_is_suggested_only_where_one_fits_every_value(values, form):
    made = draft("Dato;Ansatt\n" + "".join(f"{value};K\n" for value in values))
    assert columns(made)["Dato"].format == form


@pytest.mark.parametrize("name", ["Bruker-ID", "brukerid", "ID", "Navn", "Type", "Kolumn 7", "", "Fødselsdato"])
def test_a_name_with_two_meanings_or_none_is_left_to_a_person(name):
    assert target_of(name) == ""


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("Bruker", "patient_id"),  # the cared-for person, never the log-in
        ("brukare", "patient_id"),
        ("Brukernavn", "employee_id"),
        ("Användarnamn", "employee_id"),
        ("PATIENT_ID", "patient_id"),
        ("Ansatt (ident)", "employee_id"),
        ("IP-adress", "network_address"),
    ],
)
def test_a_header_s_word_suggests_where_the_column_goes(name, target):
    assert target_of(name) == target


def test_two_columns_never_go_to_one():
    made = draft("Ansatt;User;Dato;Tid\nA;B;13.10.2026;12:00:00\n")
    assert columns(made)["Ansatt"].to == "employee_id"
    assert columns(made)["User"].to == UNDECIDED


def test_every_column_that_a_mapping_can_fill_has_a_name_for_people_and_no_word_means_two():
    words = header_words()
    for table in TABLES:
        assert sorted(mappable(table) - words.targets.keys()) == []
    assert sorted(words.targets.keys() - set().union(*map(mappable, TABLES))) == []
    known = [word for target in words.targets.values() for word in target.words]
    assert len(known) == len(set(known))
    decided = {(target, value) for each in DECIDED.values() for target, values in each.items() for value in values}
    assert {(name, value) for name, target in words.targets.items() for value in target.values} == decided


@pytest.mark.parametrize("language", ["en", "sv", "nb"])
def test_the_file_says_what_the_draft_says_whatever_the_header_holds(language):
    hostile = (
        'Tidpunkt;"a\n# x: \u202e{?";": {y: [}";Yes;\x1b[31m;null;!!python/object\n2026-10-13 12:00:00;1;2;3;4;5;6\n'
    )
    made = draft(hostile)
    text = draft_text(made, language)
    assert yaml.safe_load(text) == made.mapping()
    comments = [line.partition("#")[2] for line in text.splitlines()]
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert [comment for comment in comments if "python/object" in comment] == []


def test_a_draft_is_refused_by_intake_with_the_first_key_to_decide(tmp_path):
    path = write_draft(draft("Tidpunkt;Kolumn 2\n2026-10-13 12:00:00;x\n"), [tmp_path / "none", tmp_path], "en")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(SettingsError, match=r"drafted\.yml: key 'expects_rows_daily' is not decided yet .*: 2\)"):
        load_source("drafted", [tmp_path])
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("expects_rows_daily: '?'", "expects_rows_daily: true"), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"key 'columns\.Kolumn 2\.to' is not decided yet"):
        load_source("drafted", [tmp_path])


def test_a_completed_draft_loads(tmp_path):
    path = write_draft(draft("Tidpunkt;Kolumn 2\n2026-10-13 12:00:00;x\n"), [tmp_path], "nb")
    text = path.read_text(encoding="utf-8").replace("daily: '?'", "daily: false").replace("to: '?'", "to: patient_id")
    path.write_text(text, encoding="utf-8")
    assert list(load_source("drafted", [tmp_path]).columns) == ["Tidpunkt", "Kolumn 2"]


def test_a_mapping_that_is_there_is_never_written_over(tmp_path):
    made = draft("Tidpunkt;Ansatt\n2026-10-13 12:00:00;x\n", "gerica")
    with pytest.raises(UsageError, match="There is a mapping 'gerica' already"):
        write_draft(made, [resource_folder("parameters") / "sources", tmp_path], "en")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("13.10.2026;12:00:00;KANO01;Ola Nordmann\n", "is a row of data"),
        ("7;Ola Nordmann\n", "is a row of data"),
        ("Dato;Dato\n", "a column stands twice"),
        ("one column only\nx\n", "is no text with columns"),
        ("\0\1;\2", "is no text with columns"),
        (f"{'x' * 300};b\n", "too long names"),
    ],
)
def test_what_is_no_header_makes_no_mapping_and_is_not_quoted(text, said):
    with pytest.raises(DamagedFileError, match=said) as caught:
        draft(text)
    assert "Nordmann" not in str(caught.value)


def test_a_file_of_a_known_format_gets_a_mapping_without_columns():
    made = draft_of(b'{"resourceType": "AuditEvent"}', "his", "Europe/Oslo", "x", ["delimited", "fhir"])
    assert (made.format, made.columns) == ("fhir", ())
    decided = made.mapping() | {"expects_rows_daily": True}
    assert list(undecided_keys(made.mapping())) == [("expects_rows_daily",)]
    assert SourceDefinition.model_validate(decided).format == "fhir"


@pytest.mark.parametrize(
    ("file_name", "name"), [("Dør-logg 2026.csv", "dor_logg"), ("2026.csv", "log"), ("_.x", "log")]
)
def test_a_source_is_named_after_its_file(file_name, name):
    assert proposed_id(file_name) == name


def test_a_name_that_cannot_be_a_source_s_is_refused():
    with pytest.raises(UsageError, match=r"'\.\./x' cannot be the name"):
        draft("Tidpunkt;Ansatt\n2026-10-13 12:00:00;x\n", "../x")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({1: {"to": "recorded_timestamp"}}, "Column 1 goes where another column goes too"),
        ({0: {"format": UNDECIDED}}, "Column 1 needs a format"),
        ({0: {"to": ""}}, "needs one time"),
        ({2: {"to": "recorded_date", "format": "%d.%m.%Y"}}, None),
    ],
)
def test_what_the_form_has_to_say_about_a_draft_comes_before_its_file(changes, said):
    made = draft("Tidpunkt;Ansatt;Annet\n2026-10-13 12:00:00;x;y\n")
    for position, change in changes.items():
        made = made.with_column(position, **change)
    if said is None:
        made.check()
    else:
        with pytest.raises(SettingsError, match=said):
            made.check()


def test_a_log_of_log_ins_needs_what_happened():
    made = draft("Tidpunkt;Ansatt\n2026-10-13 12:00:00;x\n").with_table("authentications")
    with pytest.raises(SettingsError, match="needs a column that says what happened"):
        made.check()


def test_another_table_keeps_what_it_has_and_asks_for_the_rest_anew():
    made = draft("Tidpunkt;Ansatt;Patient\n2026-10-13 12:00:00;x;y\n").with_table("authentications")
    assert [column.to for column in made.columns] == ["recorded_timestamp", "employee_id", UNDECIDED]
    assert "patient_id" not in table_definitions()["authentications"].columns
