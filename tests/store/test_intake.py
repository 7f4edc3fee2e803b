from __future__ import annotations

import gzip
from datetime import UTC, date, datetime

import pytest

from audit_kernel.errors import DamagedFileError, IntakeError
from audit_kernel.journal import Journal
from audit_kernel.store import intake
from audit_kernel.store.deliver import read_ledger, read_quarantine, refused_files, take_in_all
from audit_kernel.store.intake import take_in
from tests.store.logs import HEADER, ask, everything, row


def balance(delivery):
    return delivery.n_read, delivery.n_stored, delivery.n_known, delivery.n_quarantined


def test_a_file_is_stored_in_both_sort_orders_and_the_ledger_says_what_became_of_it(site, gerica):
    path = gerica("a.csv", [row(1), row(2, time="13:00:00"), row(3, day="32.10.2026")], encoding="cp1252")
    before = datetime.now(UTC).replace(tzinfo=None)
    delivery = take_in(site, path, "gerica")
    assert balance(delivery) == (3, 2, 0, 1)
    assert (delivery.n_rows, delivery.n_conflicts, delivery.n_bytes) == (2, 0, path.stat().st_size)
    assert (delivery.file_name, delivery.source_id) == ("a.csv", "gerica")
    assert (delivery.first_at, delivery.last_at) == (datetime(2026, 10, 1, 10), datetime(2026, 10, 1, 11))
    assert before <= delivery.taken_in_at <= datetime.now(UTC).replace(tzinfo=None)
    assert read_ledger(site) == [delivery]
    rows = "select * from lake.{} order by event_id"
    by_patient, by_employee = (ask(site, rows.format(f"accesses_by_{order}")) for order in ("patient", "employee"))
    assert by_patient == by_employee
    assert len(by_patient) == 2


def test_a_stored_row_holds_what_the_log_wrote_and_the_local_time_beside_utc(site, gerica):
    take_in(site, gerica("a.csv", [row(7, day="01.01.2026", time="00:30:00")]), "gerica")
    columns = (
        "event_id, item, line_number, recorded_at, local_date, local_hour, local_weekday, is_holiday, time_flag,"
        " employee_id, patient_id, log_type, table_name, record_ref, message_type, outcome, action, source_id"
    )
    when = (datetime(2025, 12, 31, 23, 30), date(2026, 1, 1), 0, 4, True, "ok")
    what = ("KANO01", "Bruker:1042", "Lesing", "Bruker", "1042", "Post vist", "success", None, "gerica")
    assert ask(site, f"select {columns} from lake.accesses_by_employee") == [("7", 0, 2, *when, *what)]


def test_taking_the_same_file_again_does_nothing_and_says_so(site, gerica):
    path = gerica("a.csv", [row(1), row(2)])
    first = take_in(site, path, "gerica")
    before = everything(site)
    again = take_in(site, path.rename(path.with_name("renamed.csv")), "gerica")
    assert again.is_repeated
    assert not first.is_repeated
    assert again.taken_in_at == first.taken_in_at
    assert everything(site) | {"snapshot": 0} == before | {"snapshot": 0}


def test_overlapping_exports_add_each_record_once(site, gerica):
    take_in(site, gerica("a.csv", [row(1), row(2), row(3)]), "gerica")
    second = take_in(site, gerica("b.csv", [row(2), row(3), row(4)]), "gerica")
    assert balance(second) == (3, 1, 2, 0)
    assert ask(site, "select event_id from lake.accesses_by_patient order by 1") == [("1",), ("2",), ("3",), ("4",)]


def test_the_ledger_gives_the_span_of_a_file_even_if_all_of_it_was_known(site, gerica):
    take_in(site, gerica("a.csv", [row(1), row(2, time="13:00:00")]), "gerica")
    second = take_in(site, gerica("b.csv", [row(2, time="13:00:00")]), "gerica")
    assert (second.first_at, second.last_at) == (datetime(2026, 10, 1, 11), datetime(2026, 10, 1, 11))


def test_two_identical_records_of_a_log_without_ids_both_stay_and_an_overlap_adds_nothing(site, plain):
    same = "2026-10-01 12:00:00;anna;1042;read"
    other = "2026-10-01 12:00:05;anna;1042;read"
    assert balance(take_in(site, plain("a.csv", [same, same, other]), "plain")) == (3, 3, 0, 0)
    assert balance(take_in(site, plain("b.csv", [other, same, same, same]), "plain")) == (4, 1, 3, 0)
    assert ask(site, "select count(*), count(distinct event_id) from lake.accesses_by_patient") == [(4, 4)]


def test_the_same_id_with_other_content_is_quarantined_as_a_conflict_with_its_text(site, gerica):
    take_in(site, gerica("a.csv", [row(1), row(2)]), "gerica")
    conflicting = row(2, employee="OLNO02")
    delivery = take_in(site, gerica("b.csv", [row(1), conflicting, row(3), row(3, employee="X")]), "gerica")
    assert balance(delivery) == (4, 1, 1, 2)
    assert delivery.n_conflicts == 2
    place = {"file_name": "b.csv", "column_name": "", "code": "conflict"}
    assert read_quarantine(site, "test of conflicts") == [
        place | {"record_number": 2, "line_number": 3, "raw_record": conflicting},
        place | {"record_number": 4, "line_number": 5, "raw_record": row(3, employee="X")},
    ]


def test_a_conflicting_fhir_record_keeps_its_json_in_quarantine(site, tmp_path):
    def event(agent: str, number: int = 1) -> str:
        return (
            f'{{"resourceType":"AuditEvent","id":"e{number}","type":{{"system":"http://dicom.nema.org/resources/ontology/DCM",'
            f'"code":"110110"}},"action":"R","recorded":"2026-10-25T02:30:00+01:00","agent":[{{"requestor":true,"who":'
            f'{{"identifier":{{"value":"{agent}"}}}}}}],"source":{{"observer":{{"display":"ehr"}}}},'
            '"entity":[{"what":{"reference":"Patient/1042"}}]}'
        )

    lines = [event("KANO01"), event("OLNO02"), event("KANO01", 2).replace("2026-", "2100-")]
    path = tmp_path / "events.ndjson"
    path.write_text("".join(f"{line}\n" for line in lines))
    delivery = take_in(site, path, "fhir")
    assert balance(delivery) == (3, 1, 0, 2)
    assert [(each["line_number"], each["code"], each["raw_record"]) for each in read_quarantine(site, "test")] == [
        (2, "conflict", lines[1]),
        (3, "implausible_time", lines[2]),
    ]
    # UTC was written: nothing about the hour that occurs twice is uncertain
    stored = "select time_flag, recorded_at, local_hour from lake.accesses_by_patient"
    assert ask(site, stored) == [("ok", datetime(2026, 10, 25, 1, 30), 2)]


def test_the_same_file_as_another_log_is_refused(site, gerica):
    path = gerica("a.csv", [row(1)])
    mapping = (intake.resource_folder("parameters") / "sources" / "gerica.yml").read_text(encoding="utf-8")
    own = site.folder / "parameters" / "sources" / "annex.yml"
    own.write_text(mapping.replace("source_id: gerica", "source_id: annex"), encoding="utf-8")
    take_in(site, path, "gerica")
    before = everything(site)
    with pytest.raises(IntakeError, match=r"as 'gerica'\. It was not taken in again as 'annex'"):
        take_in(site, path, "annex")
    assert everything(site)["intake_files"] == before["intake_files"]


DAMAGED = {
    "missing-column": (HEADER.replace(";Meldingstype", ""), "1;01.10.2026;12:00:00;Lesing;K;Bruker;1"),
    "extra-column": (HEADER + ";Mer", row(1) + ";x"),
    "swapped-columns": (HEADER.replace("Dato;Tid", "Tid;Dato"), row(1)),
    "renamed-column": (HEADER.replace("Ansatt", "Bruker-id"), row(1)),
    "wrong-delimiter": (HEADER.replace(";", ","), row(1).replace(";", ",")),
    "unbalanced-quote": (HEADER, '1;01.10.2026;12:00:00;"Lesing;KANO01;Bruker;1042;Post vist', row(2)),
    "too-few-columns": (HEADER, row(1), "2;01.10.2026;12:00:00"),
    "header-only": (HEADER,),
}


@pytest.mark.parametrize(
    "damage", [*DAMAGED, "cut-short", "empty", "gzip-cut-short", "undecodable", "folder", "absent"]
)
def test_a_damaged_file_leaves_the_store_unchanged_and_stands_in_the_journal(site, tmp_path, gerica, damage):
    take_in(site, gerica("good.csv", [row(9)]), "gerica")
    before = everything(site)
    path = tmp_path / f"{damage}.csv"
    whole = "".join(f"{line}\r\n" for line in DAMAGED.get(damage, (HEADER, row(1)))).encode()
    content = {
        "cut-short": whole[:-9],
        "empty": b"",
        "gzip-cut-short": gzip.compress(whole * 50)[:-10],
        "undecodable": whole.replace(b"Lesing", b"Lesing\x81"),
    }.get(damage, whole)
    if damage == "folder":
        path.mkdir()
    elif damage != "absent":
        path.write_bytes(content)
    done, refused = take_in_all(site, [path], "gerica")
    assert done == []
    assert [type(error).__mro__[1].__name__ in ("IntakeError", "AuditKernelError") for error in refused] == [True]
    assert refused[0].exit_code == 1
    assert refused[0].remedy
    assert "KANO01" not in str(refused[0])
    assert everything(site) == before
    lines = refused_files(site)
    assert [(line["file"], line["source_id"], line["refused"]) for line in lines] == [
        (f"{damage}.csv", "gerica", str(refused[0]))
    ]
    assert Journal(site.journals_folder / "intake.jsonl").verify() == []
    assert list(site.temporary_folder.glob("intake-*")) == []


def test_the_files_after_a_refused_one_are_taken_in(site, tmp_path, gerica):
    damaged = tmp_path / "damaged.csv"
    damaged.write_bytes(b"")
    done, refused = take_in_all(site, [damaged, gerica("good.csv", [row(1)])], "gerica")
    assert [delivery.file_name for delivery in done] == ["good.csv"]
    assert [isinstance(error, DamagedFileError) for error in refused] == [True]


def test_bad_values_go_to_quarantine_with_line_column_reason_and_text(site, gerica):
    bad = {
        "not_a_date": row(1, day="31.02.2026"),
        "not_a_time": row(2, time="25:00:00"),
        "not_a_number": row("x3"),
        "missing_value": row(4).replace("Lesing", ""),
        "control_characters": row(5, employee="KA\x00NO\x1b"),
    }
    delivery = take_in(site, gerica("a.csv", [*bad.values(), row(6)]), "gerica")
    assert balance(delivery) == (6, 1, 0, 5)
    found = read_quarantine(site, "test")
    assert [(each["code"], each["raw_record"], each["line_number"]) for each in found] == [
        (code, text, line) for line, (code, text) in enumerate(bad.items(), start=2)
    ]
    columns = {each["code"]: each["column_name"] for each in found}
    assert columns == {
        "not_a_date": "Dato",
        "not_a_time": "Tid",
        "not_a_number": "Id. nr.",
        "missing_value": "Loggtype",
        "control_characters": "Ansatt",
    }


def test_a_year_no_log_can_have_is_quarantined_and_makes_no_partition(site, plain):
    rows = ["1066-10-14 09:00:00;a;1;x", "2100-01-01 00:00:00;a;1;x", "2026-10-01 12:00:00;a;1;x"]
    assert balance(take_in(site, plain("a.csv", rows), "plain")) == (3, 1, 0, 2)
    assert [each["code"] for each in read_quarantine(site, "test")] == ["not_a_time", "implausible_time"]
    assert ask(site, "select distinct year(recorded_at) from lake.accesses_by_patient") == [(2026,)]


def test_a_field_of_five_megabytes_and_nul_bytes_go_through_intake(site, plain):
    long_text = "å" * 2_600_000
    rows = [f"2026-10-01 12:00:00;anna;1;{long_text}", "2026-10-01 12:00:01;an\x00na;1;x", "2026-10-01 12:00:02;a;1;x"]
    assert balance(take_in(site, plain("a.csv", rows), "plain")) == (3, 2, 0, 1)
    assert ask(site, "select max(length(message)) from lake.accesses_by_patient") == [(2_600_000,)]
    assert read_quarantine(site, "test")[0]["raw_record"] == rows[1]


def test_a_record_that_only_one_reader_saw_makes_intake_fail(site, gerica, monkeypatch):
    whole_stage = intake.stage

    def lossy_stage(connection, prepared, source):
        n_read = whole_stage(connection, prepared, source)
        connection.execute("delete from staged_records where rowid = 2")
        return n_read - 1

    monkeypatch.setattr(intake, "stage", lossy_stage)
    path = gerica("a.csv", [row(1), row(2), row(3)])
    before = everything(site)
    with pytest.raises(IntakeError, match=r"'a.csv': the reader found 2 records, an independent count 3\."):
        take_in(site, path, "gerica")
    assert everything(site) == before


def test_a_record_that_the_reader_lost_without_noticing_makes_intake_fail(site, gerica, monkeypatch):
    whole_stage = intake.stage

    def lossy_stage(connection, prepared, source):
        n_read = whole_stage(connection, prepared, source)
        connection.execute("delete from staged_records where rowid = 2")
        return n_read

    monkeypatch.setattr(intake, "stage", lossy_stage)
    before = everything(site)
    with pytest.raises(IntakeError, match="3 records read, but 2 stored, 0 already known and 0 in quarantine"):
        take_in(site, gerica("a.csv", [row(1), row(2), row(3)]), "gerica")
    assert everything(site) == before


@pytest.mark.parametrize("table", ["accesses_by_patient", "accesses_by_employee"])
def test_one_stored_row_removed_makes_intake_fail(site, gerica, monkeypatch, table):
    whole_store_rows = intake.store_rows

    def lossy_store_rows(connection, *rest):
        n_rows = whole_store_rows(connection, *rest)
        connection.execute(f"delete from lake.{table} where event_id = '2'")
        return n_rows

    monkeypatch.setattr(intake, "store_rows", lossy_store_rows)
    before = everything(site)
    with pytest.raises(IntakeError, match=f"{table} holds 2 rows of the file instead of 3"):
        take_in(site, gerica("a.csv", [row(1), row(2), row(3)]), "gerica")
    assert everything(site) == before


def test_a_lost_quarantine_row_makes_intake_fail(site, gerica, monkeypatch):
    whole = intake.counted_delivery

    def lossy(connection, *rest):
        connection.execute("delete from lake.quarantine")
        return whole(connection, *rest)

    monkeypatch.setattr(intake, "counted_delivery", lossy)
    with pytest.raises(IntakeError, match="2 records read, but 1 stored, 0 already known and 0 in quarantine"):
        take_in(site, gerica("a.csv", [row(1), row("x")]), "gerica")


def test_a_file_changed_while_it_is_taken_in_is_refused(site, gerica, monkeypatch):
    path = gerica("a.csv", [row(1)])
    before = everything(site)
    whole = intake.store_file

    def slow(*given):
        delivery = whole(*given)
        path.write_bytes(path.read_bytes() + f"{row(2)}\r\n".encode())
        return delivery

    monkeypatch.setattr(intake, "store_file", slow)
    with pytest.raises(DamagedFileError, match="was changed while it was being read"):
        take_in(site, path, "gerica")
    assert everything(site) == before


@pytest.mark.parametrize("name", ["export-\udcff.csv", "export\n2.csv"])
def test_a_file_name_that_is_no_text_is_refused_readably(site, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(f"{HEADER}\r\n{row(1)}\r\n".encode())
    done, refused = take_in_all(site, [path], "gerica")
    assert done == []
    assert "has a name that is not plain text. Nothing was taken in" in str(refused[0])
    assert repr(name)[1:-1] in str(refused[0])
    assert len(refused_files(site)) == 1


def test_a_file_whose_every_record_is_unreadable_is_refused_whole(site, gerica):
    take_in(site, gerica("a.csv", [row(1)]), "gerica")
    before = everything(site)
    wrong_format = gerica("b.csv", [row(2, day="2026-10-01"), row(3, day="2026-10-02")])
    with pytest.raises(IntakeError, match=r"'b.csv': every record is unreadable.*column 'Dato', not_a_date"):
        take_in(site, wrong_format, "gerica")
    assert everything(site) == before


def test_a_file_of_conflicts_alone_is_taken_in_as_an_alarm(site, gerica):
    take_in(site, gerica("a.csv", [row(1)]), "gerica")
    assert take_in(site, gerica("b.csv", [row(1, employee="OTHER")]), "gerica").n_conflicts == 1


def test_reference_data_of_which_no_row_is_readable_are_refused_whole(site, tmp_path):
    path = tmp_path / "employees.csv"
    path.write_text("employee_id;name;personal_number;valid_from;valid_to\nE1;Kari;;01.01.2026;\n", encoding="utf-8")
    _done, refused = take_in_all(site, [path], "reference:employees")
    assert "every record is unreadable" in str(refused[0])
    assert read_ledger(site) == []
