"""Reference data: the same strict reader, the tables' own columns and types."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import duckdb
import pytest

from audit_kernel import sources
from audit_kernel.errors import DamagedFileError, SettingsError

HEADERS = {
    "employees": "employee_id;name;personal_number;valid_from;valid_to",
    "units": "unit_id;name;unit_type;place;valid_from;valid_to",
    "unit_assignments": "employee_id;unit_id;role;share_percent;valid_from;valid_to",
    "patients": "patient_id;name;personal_number;unit_id;blocked_from;blocked_to;birth_year;valid_from;valid_to",
    "identifiers": "system;kind;identifier;id;valid_from;valid_to",
    "record_keys": "source_id;table_name;record_ref;patient_id;valid_from;valid_to",
    "shifts": "employee_id;unit_id;kind;starts_at;ends_at",
    "appointments": "patient_id;employee_id;unit_id;starts_at;ends_at",
    "blocks": "patient_id;scope;scope_value;direction;named_kind;named_id;consent_from;consent_to;valid_from;valid_to",
    "patient_flags": "patient_id;flag;valid_from;valid_to",
    "care_teams": "patient_id;employee_id;unit_id;valid_from;valid_to",
    "referrals": "patient_id;from_unit_id;to_unit_id;to_employee_id",
    "approved_travel": "employee_id;country;valid_from;valid_to",
    "networks": "network;kind",
    "holidays": "holiday_date;kind",
    "households": "household_id;employee_id;patient_id",
    "role_permissions": "role;table_name;action",
}


@pytest.fixture
def take_reference(connection, folders, tmp_path, temporary):
    def run(kind, *records):
        definition = sources.load_reference(kind, folders)
        path = tmp_path / f"{kind}.csv"
        path.write_text("".join(f"{line}\n" for line in (HEADERS[kind], *records)), encoding="utf-8")
        prepared = sources.prepare(path, definition, temporary)
        assert sources.stage_reference(connection, prepared, definition) == prepared.n_records
        names = ", ".join(HEADERS[kind].split(";"))
        good = connection.execute(
            f"select record_number, line_number, {names} from staged_reference order by 1"
        ).fetchall()
        bad = connection.execute("select line_number, column_name, code from staged_quarantine order by 1").fetchall()
        assert len(good) + len(bad) == prepared.n_records
        return good, bad

    return run


def test_each_kind_is_staged_with_the_types_of_its_table(take_reference, connection):
    examples = {
        "employees": (
            "E1;Kari Nordmann;01018012345;2020-01-01;",
            (1, 2, "E1", "Kari Nordmann", "01018012345", date(2020, 1, 1), None),
        ),
        "units": ("U1;Ekely;nursing_home;Nes;;", (1, 2, "U1", "Ekely", "nursing_home", "Nes", None, None)),
        "unit_assignments": (
            "E1;U1;sykepleier;75,5;2020-01-01;2021-01-01",
            (1, 2, "E1", "U1", "sykepleier", Decimal("75.50"), date(2020, 1, 1), date(2021, 1, 1)),
        ),
        "patients": (
            "P1;Ola;;U1;2026-01-01;;1941;;9999-12-31",
            (1, 2, "P1", "Ola", None, "U1", date(2026, 1, 1), None, 1941, None, date(9999, 12, 31)),
        ),
        "shifts": (
            "E1;;on_call;2026-10-05 22:00;2026-10-06 07:30",
            (1, 2, "E1", None, "on_call", datetime(2026, 10, 5, 22), datetime(2026, 10, 6, 7, 30)),
        ),
        "networks": ("10.20.0.0/16;own", (1, 2, "10.20.0.0/16", "own")),
        "holidays": ("2026-05-18;holiday", (1, 2, date(2026, 5, 18), "holiday")),
        "role_permissions": ("nurse;;", (1, 2, "nurse", None, None)),
        "identifiers": (";employee;KANO01;E1;;", (1, 2, None, "employee", "KANO01", "E1", None, None)),
        "record_keys": ("gerica;Journal;J1;P1;;", (1, 2, "gerica", "Journal", "J1", "P1", None, None)),
    }
    for kind, (record, expected) in examples.items():
        assert take_reference(kind, record) == ([expected], [])
        types = connection.execute("describe staged_reference").fetchall()
        columns = sources.load_reference(kind, [sources_folder()]).table.columns
        assert [row[1] for row in types[3:]] == [column.type for column in columns.values()]


def sources_folder():
    from audit_kernel.catalog import resource_folder

    return resource_folder("parameters") / "sources"


@pytest.mark.parametrize(
    ("kind", "record", "column", "code"),
    [
        ("employees", ";Kari;;;", "employee_id", "missing_value"),
        ("employees", "E1;Kari;;2020-02-30;", "valid_from", "not_a_date"),
        ("employees", "E1;Kari;;01.02.2020;", "valid_from", "not_a_date"),
        ("employees", "E1;Kari;;infinity;", "valid_from", "not_a_date"),
        ("employees", "E1;Kari;;epoch;", "valid_from", "not_a_date"),
        ("employees", "E1;Kari;;2020-02-01;2020-02-01", "valid_to", "not_a_date"),
        ("employees", "E1;Kari;;2020-02-02;2020-02-01", "valid_to", "not_a_date"),
        ("employees", "E1;Ka\x01ri;;;", "name", "control_characters"),
        ("patients", "P1;;;;2020-02-02;2020-02-01;;;", "blocked_to", "not_a_date"),
        ("patients", "P1;;;;;;nineteen;;", "birth_year", "not_a_number"),
        ("patients", "P1;;;;;;1700;;", "birth_year", "not_readable"),
        ("unit_assignments", "E1;U1;r;half;;", "share_percent", "not_a_number"),
        ("unit_assignments", "E1;U1;r;1e2;;", "share_percent", "not_a_number"),
        ("unit_assignments", "E1;U1;r;1000;;", "share_percent", "not_a_number"),
        ("unit_assignments", "E1;U1;r;nan;;", "share_percent", "not_a_number"),
        ("identifiers", ";person;KANO01;E1;;", "kind", "unknown_value"),
        ("shifts", "E1;;Dag;2026-10-05 08:00;2026-10-05 15:00", "kind", "unknown_value"),
        ("shifts", "E1;;;2026-10-05 08:00;2026-10-05 15:00", "kind", "missing_value"),
        ("shifts", "E1;;shift;2026-10-05;2026-10-05 15:00", "starts_at", "not_a_time"),
        ("shifts", "E1;;shift;2026-10-05 08:00;", "ends_at", "missing_value"),
        ("shifts", "E1;;shift;2026-10-05 08:00;2026-10-05 08:00", "ends_at", "not_a_time"),
        ("appointments", "P1;;;2026-10-05 08:00;", "employee_id", "missing_value"),
        ("appointments", "P1;E1;;2026-10-05 08:00;2026-10-05 07:59", "ends_at", "not_a_time"),
        ("blocks", "P1;everything;;on_consent;;;;;;", "scope", "unknown_value"),
        ("blocks", "P1;unit;;on_consent;;;;;;", "scope_value", "missing_value"),
        ("blocks", "P1;record;;against_named;;;;;;", "named_id", "missing_value"),
        ("blocks", "P1;record;;only_named;;E1;;;;", "named_kind", "missing_value"),
        ("blocks", "P1;record;;on_consent;;;2026-02-01;2026-01-01;;", "consent_to", "not_a_date"),
        ("patient_flags", "P1;secret;;", "flag", "unknown_value"),
        ("patient_flags", "P1;;;", "flag", "missing_value"),
        ("care_teams", "P1;;;;", "employee_id", "missing_value"),
        ("referrals", "P1;U1;;", "to_unit_id", "missing_value"),
        ("approved_travel", "E1;Spain;;", "country", "not_readable"),
        ("networks", "the ward;own", "network", "not_readable"),
        ("networks", "10.0.0.1;ours", "kind", "unknown_value"),
        ("holidays", ";holiday", "holiday_date", "missing_value"),
        ("households", "H1;;", "employee_id", "missing_value"),
        ("households", "H1;E1;P1", "employee_id", "missing_value"),
        ("identifiers", ";employee;;E1;;", "identifier", "missing_value"),
        ("record_keys", ";Journal;J1;;;", "patient_id", "missing_value"),
    ],
)
def test_a_bad_value_quarantines_its_record(take_reference, kind, record, column, code):
    good, bad = take_reference(kind, record)
    assert good == []
    assert bad == [(2, column, code)]


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("01018012345", "01018012345"),
        ("010180 12345", "01018012345"),
        ("19800101-1234", "198001011234"),
        ("198001011234", "198001011234"),
        ("800101-1234", "198001011234"),
        ("8001011234", "198001011234"),
        ("200161-1234", "202001611234"),
        ("150101+1234", "191501011234"),
        ("T123", "T123"),
        ("1234", "1234"),
    ],
)
def test_a_personal_number_is_normalised(take_reference, written, stored):
    good, bad = take_reference("patients", f"P1;;{written};;;;;;")
    assert bad == []
    assert good[0][4] == stored


def test_an_identifier_that_is_a_personal_number_gets_the_same_form_as_in_the_logs(tmp_path, temporary, connection):
    (tmp_path / "reference_identifiers.yml").write_text(
        "kind: identifiers\ncolumns: {Slag: {to: kind}, Nr: {to: identifier, type: personal_number}, Id: {to: id}}"
    )
    definition = sources.load_reference("identifiers", [tmp_path])
    path = tmp_path / "identifiers.csv"
    path.write_text("Slag;Nr;Id\npatient;19401002-9819;P1\npatient;R17;P2\n")
    sources.stage_reference(connection, sources.prepare(path, definition, temporary), definition)
    found = connection.execute("select identifier, id from staged_reference order by id").fetchall()
    assert found == [("194010029819", "P1"), ("R17", "P2")]


def test_the_header_of_reference_data_is_compared_too(connection, folders, tmp_path, temporary):
    path = tmp_path / "employees.csv"
    path.write_text("employee_id;navn;personal_number;valid_from;valid_to\nE1;Kari;;;\n")
    with pytest.raises(DamagedFileError, match="column 2 should be called 'name'"):
        sources.prepare(path, sources.load_reference("employees", folders), temporary)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: people\ncolumns: {a: {to: a}, b: {to: b}}", ["kind", "employees"]),
        ("kind: accesses\ncolumns: {a: {to: a}, b: {to: b}}", ["kind", "employees"]),
        ("kind: employees\ncolumns: {a: {to: employee_id}, b: {to: b}}", ["to: b", "personal_number"]),
        ("kind: employees\ncolumns: {a: {to: name}, b: {to: valid_from}}", ["employee_id"]),
        ("kind: employees\ncolumns: {a: {to: employee_id}}", ["two columns"]),
        ("kind: units\ncolumns: {a: {to: unit_id}, b: {to: name}}", ["kind", "'employees'"]),
        (
            "kind: networks\ncolumns: {a: {to: network}, b: {to: kind, values: {x: theirs}}}",
            ["`values`", "other, not theirs"],
        ),
        ("kind: employees\ndelivery: whole\ncolumns: {a: {to: employee_id}, b: {to: name}}", ["delivery", "complete"]),
    ],
)
def test_a_wrong_mapping_is_refused(tmp_path, text, words):
    (tmp_path / "reference_employees.yml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        sources.load_reference("employees", [tmp_path])
    for word in ("reference_employees.yml", *words):
        assert word in str(caught.value)


def test_a_mapping_of_some_columns_leaves_the_others_empty(tmp_path, temporary):
    (tmp_path / "reference_employees.yml").write_text(
        'kind: employees\ndelimiter: ","\ncolumns: {Nr: {to: employee_id}, Navn: {to: name}, Annet: {}}'
    )
    definition = sources.load_reference("employees", [tmp_path])
    path = tmp_path / "staff.csv"
    path.write_text("Nr,Navn,Annet\nE1,Kari,x\n")
    with duckdb.connect() as connection:
        sources.stage_reference(connection, sources.prepare(path, definition, temporary), definition)
        assert connection.execute("select * exclude (record_hash) from staged_reference").fetchall() == [
            (1, 2, "E1", "Kari", *[None] * 6)
        ]


def test_a_column_that_the_mapping_calls_optional_may_be_missing_and_no_other(take_reference, monkeypatch):
    monkeypatch.setitem(HEADERS, "employees", "employee_id;name;personal_number")
    assert take_reference("employees", "E1;Kari;") == ([(1, 2, "E1", "Kari", None)], [])
    monkeypatch.setitem(HEADERS, "employees", "employee_id;personal_number;valid_from")
    with pytest.raises(DamagedFileError, match="column 'name' is missing"):
        take_reference("employees", "E1;;")
    monkeypatch.setitem(HEADERS, "media_interest", "patient_id")
    with pytest.raises(DamagedFileError, match="not separated by ';'"):
        take_reference("media_interest", "P1")


def test_a_sites_own_words_for_a_value_are_translated_and_others_quarantined(tmp_path, temporary, connection):
    (tmp_path / "reference_shifts.yml").write_text(
        "kind: shifts\ncolumns:\n  Ansatt: {to: employee_id}\n"
        "  Type: {to: kind, values: {Vakt: shift, Bakvakt: on_call}}\n"
        '  Fra: {to: starts_at, type: timestamp, format: "%d.%m.%Y %H:%M"}\n'
        '  Til: {to: ends_at, type: timestamp, format: "%d.%m.%Y %H:%M"}\n'
    )
    definition = sources.load_reference("shifts", [tmp_path])
    path = tmp_path / "vakter.csv"
    path.write_text(
        "Ansatt;Type;Fra;Til\nE1;Bakvakt;05.10.2026 22:00;06.10.2026 07:30\nE1;Kurs;05.10.2026 22:00;06.10.2026 07:30\n"
    )
    sources.stage_reference(connection, sources.prepare(path, definition, temporary), definition)
    assert connection.execute("select kind from staged_reference").fetchall() == [("on_call",)]
    assert connection.execute("select column_name, code from staged_quarantine").fetchall() == [
        ("Type", "unknown_value")
    ]
