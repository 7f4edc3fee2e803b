"""Delimited logs of every event table: the MCSS-style exports, decided values, numbers, personal numbers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from audit_kernel import sources
from audit_kernel.errors import SettingsError

HEADERS = {
    "mcss_access": "Logg-id;Tidpunkt;Användare;Befattning;Enhet;Personnummer;Boende;Händelse;Uppgiftstyp;Uppgift;"
    "Resultat;Nödöppning;Spärrad;Ändamål;Nätadress;Session",
    "mcss_authentication": "Tidpunkt;Användare;Konto;Händelse;Orsak;Metod;Nätadress;Enhet;Session;Antal",
    "mcss_medication": "Händelse-id;Datum;Klockslag;Händelse;Användare;Vittne;Personnummer;Enhet;ATC-kod;Läkemedel;"
    "Styrka;Mängd;Mängdenhet;Ordination",
    "mcss_search": "Tidpunkt;Användare;Enhet;Söktyp;Sökt på;Personnummer;Nätadress;Session",
}
ACCESS = "7;2026-10-01 07:30:00;ANLI01;Sjuksköterska;U011;19401002-9819;U012;Läst;Journal;J17;Lyckad;Nej;;;10.0.0.7;S1"
LOG_IN = "2026-10-01 07:29:00;ANLI01;anli01;Inloggning;;SITHS;192.0.2.7;PC-17;S1;"
DOSE = "H1;2026-10-01;08:00:00;Uttag;ANLI01;BOKA02;194010029819;U011;N02AA01;Morfin;10 mg;2,5;tablett;O1"
SEARCH = "2026-10-01 07:29:30;ANLI01;U011;Patientsökning;Namn;401002-9819;192.0.2.7;S1"


@pytest.fixture
def take_log(take):
    """Take records of one of the four logs."""
    return lambda source_id, *records: take(
        "".join(f"{line}\r\n" for line in (HEADERS[source_id], *records)), source_id
    )


def filled(row):
    places = ("record_number", "line_number", "record_hash")
    return {name: value for name, value in row.items() if value is not None and name not in places}


def test_an_access_is_staged_with_all_its_columns(take_log):
    staged = take_log("mcss_access", ACCESS)
    assert [filled(row) for row in staged.accesses] == [
        {
            "event_id": "7",
            "item": 0,
            "recorded_local": datetime(2026, 10, 1, 7, 30),
            "employee_id": "ANLI01",
            "role": "Sjuksköterska",
            "unit_id": "U011",
            "patient_id": "194010029819",
            "patient_unit_id": "U012",
            "log_type": "Läst",
            "table_name": "Journal",
            "record_ref": "J17",
            "outcome": "success",
            "is_break_glass": False,
            "network_address": "10.0.0.7",
            "session_id": "S1",
            "flags": [],
        }
    ]
    assert staged.authentications == staged.medication_events == staged.quarantine == []


def test_a_log_in_is_staged_as_an_authentication_that_stands_for_one_event(take_log):
    staged = take_log("mcss_authentication", LOG_IN)
    assert [filled(row) for row in staged.authentications] == [
        {
            "recorded_local": datetime(2026, 10, 1, 7, 29),
            "employee_id": "ANLI01",
            "account": "anli01",
            "kind": "login",
            "network_address": "192.0.2.7",
            "device": "PC-17",
            "session_id": "S1",
            "repeated": 1,
        }
    ]
    assert staged.accesses == staged.medication_events == staged.quarantine == []


def test_a_withdrawal_is_staged_with_its_quantity_to_the_digit(take_log):
    staged = take_log("mcss_medication", DOSE)
    assert [filled(row) for row in staged.medication_events] == [
        {
            "event_id": "H1",
            "recorded_local": datetime(2026, 10, 1, 8),
            "employee_id": "ANLI01",
            "witness_id": "BOKA02",
            "patient_id": "194010029819",
            "unit_id": "U011",
            "drug_code": "N02AA01",
            "drug_name": "Morfin",
            "strength": "10 mg",
            "quantity": Decimal("2.5000"),
            "quantity_unit": "tablett",
            "kind": "withdrawal",
            "prescription_ref": "O1",
        }
    ]
    assert staged.accesses == staged.authentications == staged.quarantine == []


def test_a_search_is_an_access_whose_code_says_that_it_was_a_search(take_log, source_of):
    staged = take_log("mcss_search", SEARCH, SEARCH.replace("401002-9819", "").replace("Namn", "Adress"))
    assert [(row["patient_id"], row["message"], row["log_type"]) for row in staged.accesses] == [
        ("194010029819", "Namn", "Patientsökning"),
        (None, "Adress", "Patientsökning"),
    ]
    codes = source_of("mcss_search").dictionary.log_type
    assert {name: (code.action, code.follows) for name, code in codes.items()} == {
        "Patientsökning": ("search", "patient_search"),
        "Sökning på spärrad patient": ("search", "blocked_search"),
    }


@pytest.mark.parametrize(
    ("source_id", "record", "old", "new", "column", "code"),
    [
        ("mcss_access", ACCESS, "Lyckad", "Kanske", "Resultat", "unknown_value"),
        ("mcss_access", ACCESS, "Lyckad", "lyckad", "Resultat", "unknown_value"),
        ("mcss_access", ACCESS, "Lyckad", "", "Resultat", "missing_value"),
        ("mcss_access", ACCESS, "Nej;;", "true;;", "Nödöppning", "unknown_value"),
        ("mcss_access", ACCESS, "Nej;;", "Nej;1;", "Spärrad", "unknown_value"),
        ("mcss_access", ACCESS, "2026-10-01 07:30:00", "01.10.2026 07:30", "Tidpunkt", "not_a_time"),
        ("mcss_authentication", LOG_IN, "Inloggning", "Inloggad ", "Händelse", "unknown_value"),
        ("mcss_authentication", LOG_IN, "Inloggning", "", "Händelse", "missing_value"),
        ("mcss_authentication", LOG_IN, "S1;", "S1;0", "Antal", "not_a_number"),
        ("mcss_authentication", LOG_IN, "S1;", "S1;-2", "Antal", "not_a_number"),
        ("mcss_authentication", LOG_IN, "S1;", "S1;1,5", "Antal", "not_a_number"),
        ("mcss_authentication", LOG_IN, "S1;", "S1;9999999999", "Antal", "not_a_number"),
        ("mcss_medication", DOSE, "Uttag", "Stöld", "Händelse", "unknown_value"),
        ("mcss_medication", DOSE, "2,5", "två", "Mängd", "not_a_number"),
        ("mcss_medication", DOSE, "2,5", "1 000", "Mängd", "not_a_number"),
        ("mcss_medication", DOSE, "2,5", "1.000,5", "Mängd", "not_a_number"),
        ("mcss_medication", DOSE, "2,5", "0,00005", "Mängd", "not_a_number"),
        ("mcss_medication", DOSE, "2,5", "1e3", "Mängd", "not_a_number"),
        ("mcss_medication", DOSE, "2,5", "999999999999999", "Mängd", "not_a_number"),
        ("mcss_medication", DOSE, "2026-10-01", "2026-02-30", "Datum", "not_a_date"),
    ],
)
def test_what_cannot_be_read_quarantines_its_record_alone(take_log, source_id, record, old, new, column, code):
    bad = record.replace(old, new)
    assert bad != record
    staged = take_log(source_id, record, bad)
    assert staged.n_read == 2
    assert [(row["column_name"], row["code"], row["raw_record"]) for row in staged.quarantine] == [(column, code, bad)]


def test_an_unknown_value_goes_before_a_time_that_is_none(take_log):
    staged = take_log("mcss_authentication", LOG_IN, LOG_IN.replace("Inloggning", "x").replace("2026", "x"))
    assert [row["code"] for row in staged.quarantine] == ["unknown_value"]


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("2,5", "2.5"),
        ("2.5", "2.5"),
        ("-1", "-1"),
        ("0", "0"),
        ("0,1250000", "0.125"),
        ("99999999999999,9999", "99999999999999.9999"),
    ],
)
def test_a_quantity_is_stored_exactly_whatever_its_decimal_sign(take_log, written, stored):
    staged = take_log("mcss_medication", DOSE.replace("2,5", written), DOSE.replace("2,5", ""))
    assert [row["quantity"] for row in staged.medication_events] == [Decimal(stored), None]


@pytest.mark.parametrize(("written", "stored"), [("", 1), ("1", 1), ("007", 7), ("999999999", 999_999_999)])
def test_a_record_may_stand_for_several_events(take_log, written, stored):
    staged = take_log("mcss_authentication", LOG_IN + written)
    assert [row["repeated"] for row in staged.authentications] == [stored]


@pytest.mark.parametrize(
    ("written", "stored"), [("Ja;Ja", (True, True)), ("Nej;Nej", (False, False)), (";", (False, None))]
)
def test_yes_no_and_nothing_mean_what_the_mapping_says(take_log, written, stored):
    staged = take_log("mcss_access", ACCESS.replace("Nej;;", f"{written};"))
    assert [(row["is_break_glass"], row["is_blocked"]) for row in staged.accesses] == [stored]


@pytest.mark.parametrize(
    ("written", "year", "stored", "flags"),
    [
        ("19401002-9819", 2026, "194010029819", []),
        ("401002-9819", 2026, "194010029819", []),
        ("401002-9819", 2041, "204010029819", []),
        ("401002+9819", 2041, "194010029819", []),
        ("401002-9812", 2026, "194010029812", ["personal_number_checksum"]),
        ("19401062-9816", 2026, "194010629816", []),
        ("R123", 2026, "R123", ["personal_number_checksum"]),
        ("", 2026, None, []),
    ],
)
def test_a_personal_number_is_stored_in_one_form_and_flagged_by_its_check_digits(
    take_log, written, year, stored, flags
):
    """The century comes from the event's own year, so the same file gives the same rows in any year."""
    staged = take_log("mcss_access", ACCESS.replace("19401002-9819", written).replace("2026", str(year)))
    assert [(row["patient_id"], row["flags"]) for row in staged.accesses] == [(stored, flags)]


MAPPING = """
source_id: care
format: delimited
table: {table}
title: {{en: Care, sv: Vård, nb: Omsorg}}
time_zone: Europe/Stockholm
columns:
  When: {{to: recorded_timestamp, type: timestamp, format: "%Y-%m-%d %H:%M:%S", required: true}}
  What: {what}
"""


@pytest.mark.parametrize(
    ("table", "what", "words"),
    [
        ("authentications", "{to: account}", ["required column that goes to kind"]),
        ("authentications", "{to: kind, values: {In: login}}", ["kind", "required: true"]),
        ("authentications", "{to: kind, required: true}", ["kind", "values"]),
        ("authentications", "{to: kind, required: true, values: {In: withdrawal}}", ["login", "not withdrawal"]),
        ("authentications", "{to: patient_id}", ["to: patient_id"]),
        ("medication_events", "{to: flags}", ["to: flags"]),
        ("accesses", "{to: outcome, values: {Ja: success}}", ["outcome", "required: true"]),
        ("accesses", "{to: is_break_glass, values: {Ja: 'true'}}", ["is_break_glass", "required: true"]),
        ("accesses", "{to: is_break_glass}", ["is_break_glass", "values"]),
        ("accesses", "{to: action}", ["action", "values"]),
        ("accesses", "{to: action, values: {x: look}}", ["countersign", "not look"]),
        ("accesses", "{to: is_blocked, values: {Ja: true}}", ["columns.What.values.Ja", "string"]),
        ("accesses", "{values: {x: y}}", ["column What", "would not be used"]),
        ("accesses", "{to: employee_id, values: {1: x}}", ["values", "string"]),
        ("patients", "{to: patient_id}", ["table", "'authentications'"]),
    ],
)
def test_a_mapping_that_leaves_something_undecided_is_refused(tmp_path, table, what, words):
    (tmp_path / "care.yml").write_text(MAPPING.format(table=table, what=what), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        sources.load_source("care", [tmp_path])
    for word in ("care.yml", *words):
        assert word in str(caught.value), str(caught.value)


def test_an_empty_value_may_have_a_meaning_and_an_action_may_be_left_to_the_dictionary(tmp_path, temporary, connection):
    what = "{to: outcome, values: {'': unknown, \"it's\": denied}}\n  How: {to: action, values: {R: read}}"
    (tmp_path / "care.yml").write_text(MAPPING.format(table="accesses", what=what), encoding="utf-8")
    source = sources.load_source("care", [tmp_path])
    path = tmp_path / "care.csv"
    moment = "2026-10-01 12:00:00"
    path.write_text(f"When;What;How\n{moment};;R\n{moment};it's;\n{moment};'';R\n")
    assert sources.stage(connection, sources.prepare(path, source, temporary), source) == 3
    found = connection.execute("select outcome, action from staged_accesses order by record_number").fetchall()
    assert found == [("unknown", "read"), ("denied", None)]
    assert connection.execute("select column_name, code from staged_quarantine").fetchall() == [
        ("What", "unknown_value")
    ]


@pytest.mark.parametrize("source_id", ["mcss_access", "mcss_search"])
def test_every_code_is_explained_in_three_languages_and_none_is_said_to_be_confirmed(source_of, source_id):
    entries = [entry for _field, _code, entry in source_of(source_id).dictionary.entries()]
    assert entries
    for entry in entries:
        for texts in (entry.meaning, entry.activity, entry.access_type):
            assert texts is None or all((texts.en, texts.sv, texts.nb))
        assert "invented" in entry.origin
        assert not entry.is_confirmed
