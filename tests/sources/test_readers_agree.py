"""Both readers agree with each other and with Python's csv module, on files of all kinds."""

# ruff: noqa: DTZ007, PT017 - the oracle is naive on purpose; a refusal is one of the right answers
from __future__ import annotations

import csv
import io
import json
import re
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_kernel import sources
from audit_kernel.catalog import resource_folder
from audit_kernel.errors import DamagedFileError

FOLDERS = [resource_folder("parameters") / "sources"]
GERICA = sources.load_source("gerica", FOLDERS)
FHIR = sources.load_source("fhir", FOLDERS)
MCSS = [sources.load_source(f"mcss_{log}", FOLDERS) for log in ("access", "authentication", "medication", "search")]
GOOD_VALUES = {
    "recorded_timestamp": ["2026-10-01 07:30:00"],
    "recorded_date": ["2026-10-01"],
    "recorded_time": ["07:30:00"],
    "event_id": ["1", "2"],
    "quantity": ["2,5", "1", ""],
    "repeated": ["", "3"],
    "patient_id": ["19401002-9819", "401002+9819", "R1", ""],
}
COLUMNS = list(GERICA.columns)
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
LIMITS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

texts = st.text(alphabet=st.characters(blacklist_categories=("Cs",)), max_size=12) | st.sampled_from(
    ["", 'a"b', "a;b", "a\nb", "a\r\nb", "\r", "\n", "\x00", "x\x1b", "=1", "Ø", "\ufeff", "\u2028", "\x85", '"', '""']
)
days = st.sampled_from(["01.08.2026", "31.02.2026", "", "1.8.2026", "01.08.26", "x", "29.02.2024", "29.02.2023"])
times = st.sampled_from(["07:30:00", "24:00:00", "7:3:1", "", "07:30", "23:59:59"])
numbers = st.sampled_from(["1", "", "x", "007", "-1", "1.0"]) | st.integers(0, 10**12).map(str)
records = st.tuples(numbers, days, times, texts, texts, texts, texts, texts).map(list)


def read_both(content: bytes, source):
    """Return (records of the first reader, of the second, good rows, bad rows)."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(config={"threads": 2}) as connection:
        path = Path(folder) / "log.csv"
        path.write_bytes(content)
        prepared = sources.prepare(path, source, Path(folder))
        n_read = sources.stage(connection, prepared, source)
        good = connection.execute("select * from staged_accesses order by record_number, item")
        names = [column[0] for column in good.description]
        rows = [dict(zip(names, row, strict=True)) for row in good.fetchall()]
        others = connection.execute(
            "select kind from staged_authentications union all select kind from staged_medication_events"
        ).fetchall()
        bad = connection.execute("select * from staged_quarantine order by record_number").fetchall()
    assert (None,) not in others
    n_good = len({row["record_number"] for row in rows}) + len(others)
    assert n_read == prepared.n_records == n_good + len(bad)
    assert not {row["record_number"] for row in rows} & {row[0] for row in bad}
    return rows, bad


@settings(LIMITS, max_examples=30)
@given(st.sampled_from(MCSS), st.data())
def test_each_record_of_any_event_table_is_stored_or_in_quarantine(source, data):
    fields = [
        st.sampled_from([*mapping.values] or GOOD_VALUES.get(mapping.to, ["x", "7", ""])) if n % 9 else texts | numbers
        for n, mapping in enumerate(source.columns.values(), start=data.draw(st.integers(0, 8)))
    ]
    records_of_log = data.draw(st.lists(st.tuples(*fields), min_size=1, max_size=6))
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerows([list(source.columns), *records_of_log])
    rows, _bad = read_both(text.getvalue().encode(), source)
    assert all(row["outcome"] and row["is_break_glass"] is not None and row["flags"] is not None for row in rows)


def oracle(text: str):
    """Say with Python's csv module and datetime alone which records are good, and where each begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True)
    next(reader)
    line, found = 2, []
    for fields in reader:
        number, day, time, log_type = fields[:4]
        is_good = not any(CONTROLS.search(field) for field in fields) and re.fullmatch("[0-9]{1,38}", number)
        try:
            moment = datetime.strptime(f"{day} {time}", "%d.%m.%Y %H:%M:%S")
        except ValueError:
            moment = None
        found.append((line, fields, moment if is_good and log_type else None))
        line += 1 + sum(field.count("\n") for field in fields)
    return found


@LIMITS
@given(
    st.lists(records, min_size=1, max_size=6),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_the_readers_agree_with_each_other_and_with_pythons_csv(content, end, quoting):
    if "\r" in "".join(field for fields in content for field in fields):
        quoting = csv.QUOTE_ALL  # before Python 3.13 a lone carriage return was written without quotes
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=";", lineterminator=end, quoting=quoting).writerows([COLUMNS, *content])
    text = target.getvalue()
    rows, bad = read_both(text.encode(), GERICA)
    expected = oracle(text)
    good = [(line, fields, moment) for line, fields, moment in expected if moment]
    assert [
        (row["line_number"], row["event_id"], row["recorded_local"], row["log_type"], row["employee_id"] or "")
        for row in rows
    ] == [(line, fields[0], moment, fields[3], fields[4]) for line, fields, moment in good]
    assert [row[1] for row in bad] == [line for line, _fields, moment in expected if not moment]
    for row in bad:  # the raw text, read again, is the record
        (again,) = csv.reader(io.StringIO(row[4], newline=""), delimiter=";")
        assert again == expected[row[0] - 1][1]


pieces = st.sampled_from(
    [
        "1;01.08.2026;07:30:00;L;K;J;1;P",
        "\n",
        "\r\n",
        '"',
        ";",
        "a",
        "\r",
        "\x00",
        '""',
        '";"',
        "å",
        "x;;;;;;;y",
        '"a\nb"',
    ]
)


@LIMITS
@given(st.lists(pieces, max_size=14), st.booleans())
def test_any_file_is_either_read_alike_by_both_or_refused(parts, ends):
    text = ";".join(COLUMNS) + "\n" + "".join(parts) + ("\n" if ends else "")
    try:
        read_both(text.encode(), GERICA)
    except DamagedFileError as error:
        assert "log.csv" in str(error)
        assert error.remedy


@LIMITS
@given(st.binary(max_size=200))
def test_any_bytes_are_read_alike_or_refused(content):
    for source in (GERICA, FHIR):
        try:
            read_both(content or b" ", source)
        except DamagedFileError:
            continue


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("2026-08-01T10:00:00Z"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["code", "coding", "who", "what", "identifier", "value", "reference", "role", "query", "display"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
names = [
    "id",
    "type",
    "subtype",
    "action",
    "recorded",
    "period",
    "outcome",
    "agent",
    "source",
    "entity",
    "contained",
    "patient",
]
events = st.dictionaries(st.sampled_from(names), json_values, max_size=6).map(
    lambda fields: {"resourceType": "AuditEvent", "recorded": "2026-08-01T10:00:00Z", **fields}
)


@LIMITS
@given(st.lists(events | json_values, min_size=1, max_size=5), st.sampled_from(["lines", "bundle", "list"]))
def test_no_json_breaks_the_fhir_reader(content, form):
    if form == "lines":
        text = "".join(json.dumps(one) + "\n" for one in content)
    elif form == "bundle":
        text = json.dumps({"resourceType": "Bundle", "entry": [{"resource": one} for one in content]}, indent=1)
    else:
        text = json.dumps(content)
    try:
        read_both(text.encode(), FHIR)
    except DamagedFileError as error:
        assert form == "lines", error


@pytest.mark.parametrize("size", [7, 64, 1000])
def test_the_second_reader_counts_alike_whatever_its_blocks(monkeypatch, tmp_path, size):
    counting = sys.modules["audit_kernel.sources.count"]
    text = "a;b\n" + 'x;"y\n;""z"\n1;2\n"";""\n"\n";\n' * 40
    path = tmp_path / "log.csv"
    path.write_text(text)
    whole = counting.count_records(path, ";", '"', 2, "log.csv", lambda _n: None)
    monkeypatch.setattr(counting, "BLOCK", size)
    parts = counting.count_records(path, ";", '"', 2, "log.csv", lambda _n: None)
    assert whole.n_records == parts.n_records == 160
    assert whole.n_quoted_breaks == parts.n_quoted_breaks == 80


def test_a_record_that_the_first_reader_loses_shows_in_the_count(tmp_path, monkeypatch):
    """Removing one line of the reader must be seen by intake: the two counts differ."""
    path = tmp_path / "log.csv"
    path.write_text(";".join(COLUMNS) + "\n" + "1;01.08.2026;07:30:00;L;K;J;1;P\n" * 3)
    prepared = sources.prepare(path, GERICA, tmp_path)
    delimited = sys.modules["audit_kernel.sources.delimited"]
    whole = delimited._reader
    monkeypatch.setattr(delimited, "_reader", lambda *arguments: whole(*arguments) + " limit 3")
    with duckdb.connect() as connection:
        assert sources.stage(connection, prepared, GERICA) == 2 != prepared.n_records
