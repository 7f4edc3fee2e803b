"""CEF lines that systems might write, and ones that somebody writes to break the reader."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_kernel.errors import DamagedFileError, IntakeError

HEADER = "CEF:0|Vendor|Journal|1.0|audit:access|Opened|INFO|"
END = 1785571200000  # 2026-08-01 08:00:00 UTC
GOOD = f"{HEADER}act=read suid=A1 duid=P1 end={END}"


@pytest.fixture
def only(take):
    """Take one line and return its row."""

    def run(line):
        staged = take(line + "\n", "cef")
        assert staged.quarantine == []
        (row,) = staged.accesses or staged.authentications
        return row

    return run


@pytest.fixture
def refused(take):
    """Take one bad line beside a good one and return its column and code."""

    def run(line):
        staged = take(f"{GOOD}\n{line}\n", "cef")
        assert len(staged.accesses) == 1
        (bad,) = staged.quarantine
        assert bad["raw_record"] == line.strip()
        return bad["column_name"], bad["code"]

    return run


@pytest.mark.parametrize(
    "before",
    [
        "",
        "<134>1 2026-08-01T08:00:00Z host app - - - ",
        "<134>1 2026-08-01T08:00:00Z host app - - - \ufeff",
        "<134>Aug  1 08:00:00 host ",
        "Aug  1 08:00:00 host ",
        "2026-08-01T08:00:00+02:00 10.0.0.1 ",
        "<134>Aug 1 08:00:00 host program:",
    ],
)
def test_a_syslog_header_is_passed_over_and_is_no_part_of_the_record(take, before):
    plain, framed = take(GOOD + "\n", "cef"), take(f"{before}{GOOD}\n", "cef")
    assert framed.accesses == plain.accesses


def test_octet_counted_frames_need_no_line_ends(take):
    frames = [f"<134>1 2026-08-01T08:00:00Z host app - - - {GOOD} cn1={number}" for number in range(3)]
    staged = take("".join(f"{len(frame)} {frame}" for frame in frames), "cef")
    assert [row["patient_id"] for row in staged.accesses] == ["P1"] * 3


def test_octet_counted_frames_that_are_cut_short_are_refused(take):
    frame = f"<134>1 2026-08-01T08:00:00Z host app - - - {GOOD}"
    with pytest.raises(DamagedFileError):
        take(f"{len(frame)} {frame}{len(frame)} {frame[:-5]}", "cef")


def test_escapes_are_undone_in_header_and_extension(only):
    row = only(rf"CEF:0|V|P|1|audit:access|a\|b\\c|5|end={END} msg=x\=y \\ z\nnext\|w request=/a?b=c&d=e\\")
    assert row["log_type"] == r"a|b\c"
    assert row["message"] == "x=y \\ z\nnext|w"
    assert row["record_ref"] == "/a?b=c&d=e\\"


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ("flexString1Label=Decision flexString1=Permit", "success"),
        ("flexString1=Deny flexString1Label=Decision", "denied"),
        ("cs3Label=decision cs3=DENY", "denied"),
        ("flexString1Label=Decision flexString1=Indeterminate", "unknown"),
        ("flexString1Label=Decision flexString1=Deny outcome=success", "denied"),
        ("outcome=failure", "failed"),
        ("flexString1Label=Saksnummer flexString1=Deny", "success"),
        ("", "success"),
    ],
)
def test_the_field_that_is_labelled_decision_is_the_outcome(only, fields, outcome):
    assert only(f"{GOOD} {fields}")["outcome"] == outcome


def test_a_record_without_a_decision_has_the_outcome_of_the_mapping(tmp_path, stage_file, source_of, monkeypatch):
    from audit_kernel.sources.cef import FORMAT

    source = source_of("cef").model_copy(update={"outcome": "unknown"})
    assert FORMAT.rows(GOOD, source).rows[0]["outcome"] == "unknown"
    assert FORMAT.rows(GOOD + " outcome=Success", source).rows[0]["outcome"] == "success"


@pytest.mark.parametrize(
    ("fields", "action"),
    [
        ("act=read", "read"),
        ("act=Update", "write"),
        ("act=search", "search"),
        ("act=delete", "delete"),
        ("act=juggle", "other"),
    ],
)
def test_the_action_is_what_act_says(only, fields, action):
    assert only(f"{HEADER}end={END} {fields}")["action"] == action


@pytest.mark.parametrize(
    ("event_class", "action"), [("audit:create", "write"), ("audit:access", "read"), ("x", "other")]
)
def test_without_act_the_class_says_the_action(only, event_class, action):
    assert only(f"CEF:0|V|P|1|{event_class}|N|5|end={END}")["action"] == action


@pytest.mark.parametrize(
    ("written", "recorded_at", "recorded_local"),
    [
        (f"end={END}", datetime(2026, 8, 1, 8), None),
        (f"rt={END} end={END + 1}", datetime(2026, 8, 1, 8, 0, 0, 1000), None),
        (f"start={END}", datetime(2026, 8, 1, 8), None),
        ("end=Aug 01 2026 10:00:00.250 CEST", datetime(2026, 8, 1, 8, 0, 0, 250000), None),
        ("rt=Aug 1 2026 08:00:00 UTC", datetime(2026, 8, 1, 8), None),
        ("rt=Aug 01 2026 08:00:00 GMT+02:00", datetime(2026, 8, 1, 6), None),
        ("rt=Aug 01 2026 08:00:00 +0200", datetime(2026, 8, 1, 6), None),
        ("rt=Aug 01 2026 08:00:00", None, datetime(2026, 8, 1, 8)),
        ("rt=2026-08-01T08:00:00.123456789Z", datetime(2026, 8, 1, 8, 0, 0, 123456), None),
    ],
)
def test_times_of_every_kind_of_the_guide_are_read(only, written, recorded_at, recorded_local):
    row = only(f"{HEADER}{written}")
    assert (row["recorded_at"], row["recorded_local"]) == (recorded_at, recorded_local)
    assert ("no_zone" in row["flags"]) == (recorded_at is None)


def test_the_time_of_the_syslog_header_stands_in_where_the_record_has_none(only):
    row = only(f"<134>1 2026-08-01T10:00:00+02:00 host app - - - {HEADER}suid=A1")
    assert row["recorded_at"] == datetime(2026, 8, 1, 8)


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        ("not CEF at all", None, "not_readable"),
        ("CEF:0|too|short", None, "not_readable"),
        ("CEF:x|V|P|1|c|N|5|end=1", None, "not_readable"),
        (f"{HEADER}words before keys end={END}", None, "not_readable"),
        (f"{GOOD} duid=P2", "duid", "not_readable"),
        (f"{GOOD} cs1Label=Decision cs1=Deny cs2Label=decision cs2=Permit", "Decision", "not_readable"),
        (f"{GOOD} cs1Label=X cs1=1 cs2Label=X cs2=2", "cs2Label", "not_readable"),
        (f"{HEADER}suid=A1", "end", "missing_value"),
        (f"<134>Aug  1 08:00:00 host {HEADER}suid=A1", "end", "missing_value"),
        (f"{HEADER}end=1785571200", "end", "not_a_time"),
        (f"{HEADER}end=99999999999999999999", "end", "not_a_time"),
        (f"{HEADER}end=999999999999999999", "end", "not_a_time"),
        (f"{HEADER}rt=Aug 01 08:00:00", "rt", "not_a_time"),
        (f"{HEADER}rt=Aug 32 2026 08:00:00", "rt", "not_a_time"),
        (f"{HEADER}rt=Aug 01 2026 08:00:00 CST", "rt", "not_a_time"),
        (f"{HEADER}rt=Maj 01 2026 08:00:00", "rt", "not_a_time"),
        (f"{GOOD} msg=a\x07b", "msg", "control_characters"),
        (f"CEF:0|V|P|1|c|N\x1b|5|end={END}", "name", "control_characters"),
        ("x" * 2000 + GOOD, None, "not_readable"),
        (f"{HEADER}suid=A1 msg=cut sh{HEADER}end={END} duid=P2", None, "not_readable"),
    ],
)
def test_a_line_that_cannot_be_used_goes_to_quarantine_with_its_text(refused, line, column, code):
    assert refused(line) == (column, code)


def test_a_pipe_in_a_header_value_that_is_not_escaped_never_moves_a_value_unseen(refused):
    line = f"CEF:0|V|P|1|audit:access|Na|me|5|end={END} suid=A1"
    assert refused(line) == (None, "not_readable")


def test_a_log_in_is_no_access(only):
    row = only(
        f"CEF:0|V|P|1|auth|N|5|act=login suid=A1 suser=kari src=10.0.0.1 outcome=failure reason=locked end={END}"
    )
    assert (row["kind"], row["employee_id"], row["account"]) == ("failure", "A1", "kari")
    assert (row["network_address"], row["reason"], row["repeated"]) == ("10.0.0.1", "locked", 1)


def test_a_person_who_reads_about_herself_is_flagged(only):
    assert only(f"{HEADER}suid=1 duid=1 end={END}")["flags"] == ["self_service"]
    assert only(f"{HEADER}suid=01010112345 duid=1 end={END}")["flags"] == ["employee_by_personal_number"]


def test_blank_lines_marks_and_line_ends_of_other_systems_are_no_records(take):
    staged = take(f"\ufeff{GOOD}\r\n\r\n  \n{GOOD} msg=æøå".encode(), "cef")
    assert [row["line_number"] for row in staged.accesses] == [1, 4]
    assert staged.accesses[1]["message"] == "æøå"


PIECES = [HEADER, GOOD, "end=1785571200000", " suid=", "duid", "=", "|", "\\", "\\|", "\\=", "\\n", " ", "CEF:0|"]
ODD = ["<1>1 ", "\n", "Label=Decision", "cs1", "\ufeff", "\x00", "\r", "ø", "\u2028", "12 <1>x", "\t"]
pieces = st.sampled_from(PIECES + ODD) | st.text(alphabet=st.characters(blacklist_categories=("Cs",)), max_size=4)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(pieces, min_size=1, max_size=14).map("".join))
def test_whatever_stands_in_a_file_both_readers_agree_or_it_is_refused(take, text):
    try:
        staged = take(text, "cef")  # the fixture itself compares the counts
    except IntakeError:
        return
    assert staged.n_read == len([line for line in text.removeprefix("\ufeff").split("\n") if line.strip(" \t\r")])


FUZZ = """
import atheris, sys
with atheris.instrument_imports(include=["audit_kernel.sources.cef", "audit_kernel.sources.cef_time"]):
    from audit_kernel.sources import cef
from audit_kernel.catalog import resource_folder
from audit_kernel.sources import load_source
from audit_kernel.sources.formats import BadValueError
SOURCE = load_source("cef", [resource_folder("parameters") / "sources"])
def one(data):
    text = data.decode("utf-8", errors="replace").replace("\\n", " ").strip(" \\t\\r")
    try:
        staged = cef.FORMAT.rows(text, SOURCE)
    except BadValueError as error:
        assert error.code
        return
    (row,) = staged.rows
    assert staged.identity and (row["recorded_at"] or row["recorded_local"])
    assert row.get("outcome", "success") in ("success", "denied", "failed", "unknown")
atheris.Setup(sys.argv, one)
atheris.Fuzz()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="atheris is built for Linux only.")
def test_no_bytes_crash_or_hang_the_reader(tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "good").write_text(GOOD)
    (corpus / "labels").write_text(rf"{GOOD} flexString1Label=Decision flexString1=Deny msg=a\=b")
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, str(corpus), "-max_total_time=4", "-timeout=5", "-max_len=2000", "-seed=7"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done " in done.stderr
