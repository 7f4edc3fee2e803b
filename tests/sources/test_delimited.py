"""The first reader: what is stored, what goes to quarantine and why, odd values."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from datetime import datetime

import pytest

from audit_kernel import sources
from audit_kernel.errors import DamagedFileError

HEADER = "Id. nr.;Dato;Tid;Loggtype;Ansatt;Tabell;Relatert post;Meldingstype"
GOOD = "1;01.08.2026;07:30:00;Lesing;KANO01;Journal;J1;Post vist"


def test_a_record_is_staged_with_every_column_of_the_log(take, log):
    staged = take(log(GOOD))
    assert staged.quarantine == staged.authentications == []
    (row,) = staged.accesses
    filled = {name: value for name, value in row.items() if value is not None}
    assert filled == {
        "record_number": 1,
        "line_number": 2,
        "event_id": "1",
        "item": 0,
        "recorded_local": datetime(2026, 8, 1, 7, 30),
        "employee_id": "KANO01",
        "patient_id": "Journal:J1",
        "log_type": "Lesing",
        "table_name": "Journal",
        "record_ref": "J1",
        "message_type": "Post vist",
        "outcome": "success",
        "is_break_glass": False,
        "flags": [],
    }


@pytest.mark.parametrize(
    ("table", "patient"),
    [
        ("Bruker", "Bruker:P1"),
        ("Journal", "Journal:P1"),
        ("Tiltaksplan", "Tiltaksplan:P1"),
        ("Tjenestetype", "Tjenestetype:P1"),
        ("Ukjent", "Ukjent:P1"),
        ("", None),
    ],
)
def test_the_related_record_is_kept_behind_its_table_whatever_the_dictionary_says(take, log, table, patient):
    staged = take(log(f"1;01.08.2026;07:30:00;Lesing;K;{table};P1;Post vist"))
    assert [row["patient_id"] for row in staged.accesses] == [patient]


def test_a_record_without_a_related_record_is_about_nobody(take, log):
    staged = take(
        log("1;01.08.2026;07:30:00;Lesing;K;Journal;;Post vist", '2;01.08.2026;07:30:00;Lesing;K;Bruker;"";P')
    )
    assert [row["patient_id"] for row in staged.accesses] == [None, None]


def test_what_a_code_says_of_the_outcome_is_not_fixed_at_intake(take, log):
    staged = take(log("1;01.08.2026;07:30:00;Innsyn avvist;K;Journal;J1;Ingen tilgang"))
    assert [row["outcome"] for row in staged.accesses] == ["success"]


BAD = [
    (";01.08.2026;07:30:00;Lesing;K;J;1;P", "Id. nr.", "missing_value"),
    ("1;;07:30:00;Lesing;K;J;1;P", "Dato", "missing_value"),
    ('1;"";07:30:00;Lesing;K;J;1;P', "Dato", "missing_value"),
    ("1;01.08.2026;;Lesing;K;J;1;P", "Tid", "missing_value"),
    ("1;01.08.2026;07:30:00;;K;J;1;P", "Loggtype", "missing_value"),
    (";;;;;;;", "Id. nr.", "missing_value"),
    ("x;01.08.2026;07:30:00;Lesing;K;J;1;P", "Id. nr.", "not_a_number"),
    ("1e3;01.08.2026;07:30:00;Lesing;K;J;1;P", "Id. nr.", "not_a_number"),
    ("-1;01.08.2026;07:30:00;Lesing;K;J;1;P", "Id. nr.", "not_a_number"),
    (f"{'9' * 39};01.08.2026;07:30:00;Lesing;K;J;1;P", "Id. nr.", "not_a_number"),
    ("1;31.02.2026;07:30:00;Lesing;K;J;1;P", "Dato", "not_a_date"),
    ("1;2026-08-01;07:30:00;Lesing;K;J;1;P", "Dato", "not_a_date"),
    ("1;01.08.26;07:30:00;Lesing;K;J;1;P", "Dato", "not_a_date"),
    ("1;01.01.1900;07:30:00;Lesing;K;J;1;P", "Dato", "not_a_date"),
    ("1;31.12.9999;07:30:00;Lesing;K;J;1;P", "Dato", "not_a_date"),
    ("1;infinity;07:30:00;Lesing;K;J;1;P", "Dato", "not_a_date"),
    ("1;01.08.2026;24:00:00;Lesing;K;J;1;P", "Tid", "not_a_time"),
    ("1;01.08.2026;07:30;Lesing;K;J;1;P", "Tid", "not_a_time"),
    ("1;01.08.2026;07:30:60;Lesing;K;J;1;P", "Tid", "not_a_time"),
    ("1;31.02.2026;99:30:00;Lesing;K;J;1;P", "Dato", "not_a_date"),
    ("1;01.08.2026;07:30:00;Lesing;K\x00A;J;1;P", "Ansatt", "control_characters"),
    ("1;01.08.2026;07:30:00;Lesing;K;J;1;\x00", "Meldingstype", "control_characters"),
    ('1;01.08.2026;07:30:00;Lesing;K;J;1;"P\x1b[31m"', "Meldingstype", "control_characters"),
    ("1;01.08.2026;07:30:00;Lesing;K\x7f;J;1;P", "Ansatt", "control_characters"),
    ("1;01.08.2026;07:30:00;Lesing;K\x85;J;1;P", "Ansatt", "control_characters"),
    ("x;31.02.2026;99;Lesing;K;J;1;\x01", "Meldingstype", "control_characters"),
]


@pytest.mark.parametrize(("record", "column", "code"), BAD)
def test_a_bad_value_quarantines_its_record_alone(take, log, record, column, code):
    staged = take(log(GOOD, record, GOOD))
    assert staged.n_read == 3
    assert [row["line_number"] for row in staged.accesses] == [2, 4]
    assert staged.quarantine == [
        {"record_number": 2, "line_number": 3, "column_name": column, "code": code, "raw_record": record}
    ]


def test_all_kinds_of_bad_records_together_keep_their_own_text(take, log):
    staged = take(log(*(record for record, _column, _code in BAD), end="\r\n"))
    assert [row["raw_record"] for row in staged.quarantine] == [record for record, _column, _code in BAD]
    assert [row["code"] for row in staged.quarantine] == [code for _record, _column, code in BAD]


@pytest.mark.parametrize(
    "value",
    [
        "=cmd()",
        "<script>",
        "\u202egnp.exe",
        "😀",
        "x\ty",
        " K ",
        "' or 1=1 --",
        "NULL",
        "\\N",
        "\u2028",
        "\ufffe",
        "#1",
    ],
)
def test_odd_values_are_stored_as_they_are(take, log, value):
    staged = take(log(f"1;01.08.2026;07:30:00;Lesing;{value};Journal;J1;P"))
    assert [row["employee_id"] for row in staged.accesses] == [value]


def test_quoted_delimiters_quotes_and_line_breaks_are_parts_of_a_value(take, log):
    staged = take(log('1;01.08.2026;07:30:00;Lesing;"a;b""c""\r\n\n d";Journal;J1;P', GOOD, end="\n"))
    assert staged.accesses[0]["employee_id"] == 'a;b"c"\r\n\n d'
    assert [row["line_number"] for row in staged.accesses] == [2, 5]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_numbers_are_exact_behind_quoted_line_breaks(take, log, end):
    broken = f'1;01.08.2026;07:30:00;Lesing;"a{end}b{end}c";"J{end}";1;P'
    bad = f'1;01.08.2026;x;Lesing;"a{end}b";J;1;P'
    staged = take(log(GOOD, broken, GOOD, bad, GOOD, end=end))
    assert [row["line_number"] for row in staged.accesses] == [2, 3, 7, 10]
    assert [(row["line_number"], row["raw_record"]) for row in staged.quarantine] == [(8, bad)]


def test_a_field_of_5_mb_is_stored_whole(take, log):
    long = "x" * 5_000_000
    broken = "y\n" * 2_500_000
    staged = take(
        log(
            GOOD, f"2;01.08.2026;07:30:00;Lesing;{long};Journal;J1;P", f'3;01.08.2026;07:30:00;L;"{broken}";J;1;P', GOOD
        )
    )
    assert [len(row["employee_id"]) for row in staged.accesses] == [6, 5_000_000, 5_000_000, 6]
    assert staged.accesses[3]["line_number"] == 4 + 2_500_001


def test_a_field_longer_than_16_mib_goes_to_quarantine(take, log):
    long = "x" * (16 * 1024 * 1024 + 1)
    staged = take(log(GOOD, f"2;01.08.2026;07:30:00;Lesing;K;Journal;J1;{long}"))
    assert [(row["column_name"], row["code"]) for row in staged.quarantine] == [("Meldingstype", "too_long")]


def test_nul_bytes_are_survived_and_kept(take, log):
    record = "2;01.08.2026;07:30:00;Les\x00ing;\x00;Journal;J1;P"
    staged = take(log(GOOD, record, GOOD))
    assert [row["raw_record"] for row in staged.quarantine] == [record]


@pytest.fixture
def take_without_ids(take, source_of, monkeypatch):
    """Take a log of Gerica's layout as one that has no ids of its own: its records are hashed."""
    hashed = source_of("gerica").model_copy(update={"own_event_id": False})
    monkeypatch.setattr(sources, "stage", functools.partial(_stage_as, sources.stage, hashed))
    return take


def _stage_as(stage, source, connection, prepared, _source):
    return stage(connection, prepared, source)


def test_a_record_without_an_id_has_the_hash_of_all_its_fields(take_without_ids, log):
    (row,) = take_without_ids(log(GOOD)).accesses
    assert row["record_hash"] == hashlib.sha256(GOOD.replace(";", "\x1f").encode()).hexdigest()


def test_the_same_record_has_the_same_hash_whatever_its_quotes(take_without_ids, log):
    staged = take_without_ids(
        log(GOOD, '"1";01.08.2026;07:30:00;"Lesing";KANO01;Journal;J1;Post vist', GOOD.replace("J1", "J2"))
    )
    first, second, third = (row["record_hash"] for row in staged.accesses)
    assert first == second != third


def test_fields_shifted_by_one_have_another_hash(take_without_ids, log):
    staged = take_without_ids(
        log("1;01.08.2026;07:30:00;L;a;b;;P", "1;01.08.2026;07:30:00;L;a;;b;P", "1;01.08.2026;07:30:00;L;ab;;;P")
    )
    assert len({row["record_hash"] for row in staged.accesses}) == 3


@pytest.mark.parametrize(
    "name", ["log[1].csv", "log*.csv", "log?.csv", "it's; log.csv", "log.csv.gz", "{a,b}.csv", "$path"]
)
def test_a_file_name_is_never_a_pattern(take, log, tmp_path, name):
    (tmp_path / "log1.csv").write_text(log(GOOD, GOOD))
    assert take(log(GOOD), name=name).n_read == 1


def test_order_and_numbers_hold_within_a_transaction_and_over_many_blocks(connection, take, log):
    lines = [f"{n};01.08.2026;07:30:00;Lesing;{'K' * (n % 50)};Journal;J{n};P" for n in range(1, 30_001)]
    connection.execute("begin transaction")
    connection.execute("set threads = 2")
    staged = take(log(*lines))
    assert [row["event_id"] for row in staged.accesses] == [str(n) for n in range(1, 30_001)]
    assert [row["line_number"] for row in staged.accesses] == list(range(2, 30_002))
    connection.execute("rollback")


def test_one_connection_stages_one_file_after_another(take, log):
    take(log(GOOD, 'x;01.08.2026;07:30:00;L;"a\nb";J;1;P'))
    staged = take(log(GOOD))
    assert staged.n_read == 1
    assert staged.quarantine == []
    event = '{"resourceType":"AuditEvent","recorded":"2026-08-01T10:00:00Z"}'
    assert take(event, "fhir").n_read == 1
    assert take(log(GOOD)).n_read == 1


def test_no_message_of_the_first_reader_shows_the_log(connection, tmp_path, temporary, source_of, log):
    """Structure that only DuckDB finds: the second reader's check is taken away."""
    path = tmp_path / "log.csv"
    path.write_text(log(GOOD, GOOD))
    source = source_of("gerica")
    prepared = sources.prepare(path, source, temporary)
    state = path.stat()
    path.write_text(log(GOOD, GOOD.replace(";Lesing", "Lesing")[: len(GOOD) - 1] + "t"))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    with pytest.raises(DamagedFileError, match=r"line 3 does not have the 8 columns") as caught:
        sources.stage(connection, prepared, source)
    assert "KANO01" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_every_page_of_bad_records_reaches_quarantine(take, log, monkeypatch):
    delimited = sys.modules["audit_kernel.sources.delimited"]
    monkeypatch.setattr(delimited, "FAILURES_PAGE", 3)
    monkeypatch.setattr(delimited, "QUARANTINE_BATCH", 2)
    staged = take(log(*(f'x;01.08.2026;07:30:00;L;"{n}\n";J;1;P' if n % 3 else GOOD for n in range(20))))
    expected = [f'x;01.08.2026;07:30:00;L;"{n}\n";J;1;P' for n in range(20) if n % 3]
    assert [row["raw_record"] for row in staged.quarantine] == expected
