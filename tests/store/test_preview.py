"""What intake would make of a file, seen before: the same rows, the same quarantine, and nothing stored."""

from __future__ import annotations

import json

import pytest

from audit_kernel.sources.recognise import definition_of
from audit_kernel.store.deliver import read_ledger, read_quarantine
from audit_kernel.store.intake import source_folders, take_in
from audit_kernel.store.preview import MOST_QUARANTINED, preview
from tests.store.logs import add_plain_source, ask, gerica_file, plain_file, row

BAD = [row(4, "x"), row("", "01.10.2026"), row(5, "31.12.2099"), row(1, time="13:00:00")]


def previewed(site, path, source="gerica", n_rows=5, progress=None):
    return preview(site, path, definition_of(source, source_folders(site)), n_rows, progress)


@pytest.fixture
def export(tmp_path):
    """Two good records, one repeated, one bad date, one without id, one in a year that cannot be, one conflict."""
    return gerica_file(
        tmp_path / "october.csv", [row(1), row(2, "25.10.2026", "02:30:00"), row(2, "25.10.2026", "02:30:00"), *BAD]
    )


def test_the_preview_is_what_intake_stores_afterwards(site, export):
    made = previewed(site, export)
    assert read_ledger(site) == []
    assert list(site.temporary_folder.glob("intake-*")) == []
    delivery = take_in(site, export, "gerica")
    assert (made.n_read, made.n_quarantined) == (delivery.n_read, delivery.n_quarantined) == (7, 4)
    columns = ", ".join(made.rows["accesses"].column_names)
    stored = ask(site, f"select {columns} from lake.accesses_by_patient order by line_number")
    previewed_rows = made.rows["accesses"].to_pylist()
    assert [tuple(each.values()) for each in previewed_rows] == stored
    assert [each["time_flag"] for each in previewed_rows] == ["ok", "ambiguous"]
    quarantined = read_quarantine(site, "test")
    assert [vars(each) for each in made.first_quarantined] == [
        {key: each[key] for key in ("line_number", "column_name", "code", "raw_record")} for each in quarantined
    ]


def test_reasons_are_counted_the_commonest_first(site, tmp_path):
    path = gerica_file(tmp_path / "x.csv", [row(1), *(row(n, "x") for n in range(2, 30)), row("", "01.10.2026")])
    made = previewed(site, path)
    assert made.reasons == [("not_a_date", "Dato", 28), ("missing_value", "Id. nr.", 1)]
    assert len(made.first_quarantined) == MOST_QUARANTINED
    assert made.first_quarantined[0].line_number == 3


def test_as_many_rows_are_given_as_are_asked_for(site, tmp_path):
    path = gerica_file(tmp_path / "x.csv", [row(number) for number in range(9)])
    made = previewed(site, path, n_rows=3)
    assert (made.rows["accesses"].num_rows, made.n_rows) == (3, {"accesses": 9})


def test_a_damaged_file_and_one_without_a_readable_record_are_refused_as_intake_would(site, tmp_path):
    (tmp_path / "cut.csv").write_bytes(b"Id. nr.;Dato\r\n1;01.10.2026\r\n")
    assert "column 'Tid' is missing" in str(previewed(site, tmp_path / "cut.csv").refused)
    made = previewed(site, gerica_file(tmp_path / "bad.csv", [row(1, "x"), row(2, "y")]))
    assert "every record is unreadable" in str(made.refused)
    assert (made.n_read, made.n_quarantined, made.rows) == (2, 2, {})


def test_a_log_without_ids_a_format_of_its_own_and_reference_data_are_previewed_too(site, tmp_path):
    add_plain_source(site)
    made = previewed(site, plain_file(tmp_path / "plain.csv", ["2026-10-01 12:00:00;K;1042;hei"]), "plain")
    assert made.rows["accesses"].to_pylist()[0]["patient_id"] == "1042"
    event = {"resourceType": "AuditEvent", "id": "a", "recorded": "2026-10-01T12:00:00Z", "action": "R"}
    event |= {"agent": [{"who": {"identifier": {"value": "K1"}}, "requestor": True}], "type": {"code": "rest"}}
    (tmp_path / "one.json").write_text(json.dumps(event), encoding="utf-8")
    made = previewed(site, tmp_path / "one.json", "fhir")
    assert made.rows["accesses"].to_pylist()[0]["employee_id"] == "K1"
    employees = b"employee_id;name;personal_number;valid_from;valid_to\nE1;Kari;;2026-01-01;\n;Nobody;;;\n"
    (tmp_path / "employees.csv").write_bytes(employees)
    made = previewed(site, tmp_path / "employees.csv", "reference:employees")
    assert made.rows["employees"].to_pylist()[0]["name"] == "Kari"
    assert made.reasons == [("missing_value", "employee_id", 1)]


def test_a_store_that_is_there_is_left_as_it_is(site, export, tmp_path):
    take_in(site, gerica_file(tmp_path / "first.csv", [row(1)]), "gerica")
    before = {path: path.read_bytes() for path in site.store_folder.rglob("*") if path.is_file()}
    previewed(site, export)
    assert {path: path.read_bytes() for path in site.store_folder.rglob("*") if path.is_file()} == before
    assert len(read_ledger(site)) == 1


def test_progress_is_told_in_bytes(site, export):
    told = []
    previewed(site, export, progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] > 0
