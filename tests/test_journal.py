from __future__ import annotations

import datetime
import decimal
import json
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_kernel.canonical import canonical_json
from audit_kernel.errors import JournalError
from audit_kernel.journal import START, Journal, parse_line

needs_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits and no kill -9")

APPENDER = """
import sys
from pathlib import Path
from audit_kernel.journal import Journal
journal = Journal(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    journal.append({"writer": sys.argv[2], "number": number, "filling": "x" * int(sys.argv[4])})
    print(number, flush=True)
"""


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "use.jsonl")


def fill(journal, count=3):
    return [journal.append({"number": number}) for number in range(count)]


def start_appender(path, writer, count, filling=10):
    command = [sys.executable, "-c", APPENDER, str(path), writer, str(count), str(filling)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_an_empty_journal_begins_with_zeros(journal):
    assert journal.head() == START
    assert list(journal.entries()) == []
    assert journal.verify() == []
    assert not journal.path.exists()


def test_each_line_names_the_hash_of_the_line_before(journal):
    hashes = fill(journal)
    lines = list(journal.entries())
    assert [line["previous"] for line in lines] == [START, *hashes[:2]]
    assert [line["sequence"] for line in lines] == [1, 2, 3]
    assert [line["entry"] for line in lines] == [{"number": 0}, {"number": 1}, {"number": 2}]
    assert journal.head() == hashes[-1]
    assert journal.position() == (3, hashes[-1])
    assert journal.verify() == []


def test_the_time_of_an_entry_is_written_in_utc(tmp_path):
    oslo = datetime.timezone(datetime.timedelta(hours=1))
    journal = Journal(tmp_path / "j", now=lambda: datetime.datetime(2026, 11, 2, 4, 15, tzinfo=oslo))
    journal.append({})
    assert next(journal.entries())["at"] == "2026-11-02T03:15:00Z"


@needs_posix
def test_the_file_is_readable_by_its_owner_only(journal):
    fill(journal, 1)
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


def test_an_entry_may_hold_any_text_big_integers_dates_and_decimals(journal):
    journal.append(
        {"text": "å\x00\u202e\n\ufffe", "big": 2**60, "day": datetime.date(2026, 10, 31), "n": decimal.Decimal("1.50")}
    )
    entry = next(journal.entries())["entry"]
    assert entry == {"text": "å\x00\u202e\n\ufffe", "big": str(2**60), "day": "2026-10-31", "n": "1.50"}
    assert journal.path.read_bytes().count(b"\n") == 1


@pytest.mark.parametrize("value", [float("nan"), "\ud800", object()], ids=["nan", "surrogate", "object"])
def test_an_entry_without_a_place_in_json_is_refused_and_leaves_no_trace(journal, value):
    fill(journal)
    before = journal.path.read_bytes()
    with pytest.raises(JournalError, match="cannot be written"):
        journal.append({"value": value})
    assert journal.path.read_bytes() == before


SIMPLE_VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
VALUES = st.recursive(
    SIMPLE_VALUES, lambda inner: st.lists(inner) | st.dictionaries(st.text("ab\xe5\U0001f600"), inner)
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=VALUES)
def test_what_was_written_canonically_reads_back_to_the_same_bytes(value):
    written = canonical_json(value)
    assert canonical_json(json.loads(written)) == written


def test_a_directory_in_the_journals_place_is_refused(journal):
    journal.path.mkdir()
    with pytest.raises(JournalError, match="cannot be used"):
        journal.append({})


def test_a_missing_folder_is_refused_and_named(tmp_path):
    with pytest.raises(JournalError, match="cannot be used"):
        Journal(tmp_path / "missing" / "use.jsonl").append({})
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_leaves_the_journal_as_it_was(journal, monkeypatch, call):
    fill(journal)
    before = journal.path.read_bytes()
    write = os.write

    def half_then_full(descriptor, content):
        if call == "fsync" or len(content) < 100:
            return write(descriptor, content)
        write(descriptor, content[:50])
        raise OSError(28, "No space left on device")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", half_then_full)
    if call == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(JournalError, match="No space left"):
        journal.append({"filling": "x" * 200})
    monkeypatch.undo()
    assert journal.path.read_bytes() == before
    fill(journal, 1)
    assert journal.verify() == []


@needs_posix
def test_a_write_that_the_system_cuts_short_is_refused_for_real(journal):
    import resource

    fill(journal)
    before = journal.path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 1000, limits[1]))
    try:
        with pytest.raises(JournalError, match="File too large"):
            journal.append({"filling": "x" * 100_000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert journal.path.read_bytes() == before
    fill(journal, 1)
    assert journal.verify() == []


def test_a_half_written_last_line_is_moved_aside_and_recorded(journal):
    fill(journal)
    whole = journal.path.read_bytes()
    half = whole.splitlines()[0][:40]
    journal.path.write_bytes(whole + half)
    assert "half-written (40 bytes)" in journal.verify()[0]
    assert len(list(journal.entries())) == 3
    journal.append({"number": 3})
    assert journal.path.read_bytes().startswith(whole)
    assert journal.path.with_name("use.jsonl.torn").read_bytes() == half + b"\n"
    recorded, added = list(journal.entries())[3:]
    assert recorded["entry"]["kind"] == "torn_line_moved"
    assert recorded["entry"]["bytes"] == 40
    assert added["entry"] == {"number": 3}
    assert journal.verify() == []


def test_a_last_line_that_lost_only_its_line_end_is_kept(journal):
    hashes = fill(journal)
    journal.path.write_bytes(journal.path.read_bytes()[:-1])
    journal.append({"number": 3})
    lines = list(journal.entries())
    assert lines[2]["hash"] == hashes[2]
    assert lines[3]["entry"] == {"kind": "line_end_restored", "line": 3}
    assert journal.verify() == []


@pytest.mark.parametrize("length", range(0, 400, 7))
def test_cut_off_at_any_byte_every_whole_line_stays(journal, length):
    fill(journal, 2)
    content = journal.path.read_bytes()[:length]
    journal.path.write_bytes(content)
    journal.append({"after": "the crash"})
    assert journal.verify() == []
    entries = [line["entry"] for line in journal.entries()]
    assert entries[: content.count(b"\n")] == [{"number": n} for n in range(content.count(b"\n"))]
    assert entries[-1] == {"after": "the crash"}


def test_a_changed_last_line_stops_every_append(journal):
    fill(journal)
    journal.path.write_bytes(journal.path.read_bytes().replace(b'"number":2', b'"number":7'))
    with pytest.raises(JournalError, match="its last line"):
        journal.append({})


def test_reading_stops_at_a_changed_line(journal):
    fill(journal)
    journal.path.write_bytes(journal.path.read_bytes().replace(b'"number":1', b'"number":7'))
    with pytest.raises(JournalError, match="line 2"):
        list(journal.entries())


def test_a_removed_an_added_and_a_moved_line_are_each_named(journal):
    fill(journal, 4)
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join([lines[0], *lines[2:]]))
    assert journal.verify() == [
        "use.jsonl, line 2: number 3 stands where number 2 belongs.",
        "use.jsonl, line 2: the line does not follow from the line before it.",
    ]
    journal.path.write_bytes(b"".join([*lines[:2], lines[1], *lines[2:]]))
    assert "line 3" in journal.verify()[0]
    journal.path.write_bytes(b"".join([lines[0], lines[2], lines[1], lines[3]]))
    assert {sentence.split(":")[0][-6:] for sentence in journal.verify()} == {"line 2", "line 3", "line 4"}


def test_lines_cut_off_the_end_show_against_a_sealed_head(journal):
    fill(journal)
    sealed = dict([journal.position()])
    assert journal.verify(sealed) == []
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join(lines[:2]))
    assert journal.verify() == []
    assert journal.verify(sealed) == ["use.jsonl: entry 3, which sealed evidence names, is missing or was changed."]
    assert Journal(journal.path.with_name("gone.jsonl")).verify(sealed)


def test_the_breaks_are_told_in_the_readers_language(journal, monkeypatch):
    monkeypatch.setattr("audit_kernel.journal.translator", lambda language: lambda text: f"{language}: {text}")
    fill(journal)
    journal.path.write_bytes(journal.path.read_bytes()[:-1])
    assert journal.verify(language="nb")[0].startswith("nb: use.jsonl: the last line is half-written")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_any_changed_byte_is_found(tmp_path, place, flip):
    journal = Journal(tmp_path / "flipped.jsonl")
    whole = journal.path.with_name("whole")
    if not whole.exists():
        fill(journal)
        journal.append({"text": "åäö \u202e", "number": 1.5})
        journal.path.rename(whole)
    content = bytearray(whole.read_bytes())
    content[place % len(content)] ^= flip
    journal.path.write_bytes(content)
    assert journal.verify()


def test_a_line_with_a_repeated_key_is_not_a_line(journal):
    fill(journal, 1)
    raw = journal.path.read_bytes().rstrip()
    assert parse_line(raw)
    assert parse_line(raw.replace(b'{"at"', b'{"at":"x","at"')) is None
    assert parse_line(b"[" * 100_000) is None


def test_threads_lose_nothing(journal):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: journal.append({"number": number}), range(40)))
    assert sorted(line["entry"]["number"] for line in journal.entries()) == list(range(40))
    assert journal.verify() == []


def test_two_processes_appending_at_once_lose_nothing(journal):
    writers = [start_appender(journal.path, name, 150) for name in "ab"]
    for writer in writers:
        assert len(writer.communicate()[0].splitlines()) == 150
    entries = [line["entry"] for line in journal.entries()]
    for name in "ab":
        assert [entry["number"] for entry in entries if entry["writer"] == name] == list(range(150))
    assert journal.verify() == []


@needs_posix
def test_a_killed_writer_loses_no_line_it_had_confirmed(journal):
    confirmed = 0
    for delay in (0.0, 0.013, 0.031):
        writer = start_appender(journal.path, "killed", 100_000, filling=50_000)
        assert writer.stdout
        assert writer.stdout.readline() == "0\n"
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        confirmed += 1 + len(writer.communicate()[0].splitlines())
    journal.append({"writer": "after"})
    assert journal.verify() == []
    written = [line["entry"] for line in journal.entries() if line["entry"].get("writer") == "killed"]
    assert len(written) >= confirmed


@needs_posix
def test_a_journal_in_use_for_too_long_is_refused(journal, monkeypatch):
    monkeypatch.setattr("audit_kernel.journal.WAIT_SECONDS", 0.05)
    fill(journal, 1)
    code = "import sys,filelock\nwith filelock.FileLock(sys.argv[1]):\n print('held', flush=True)\n sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, f"{journal.path}.lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(JournalError, match="in use"):
        journal.append({})
    holder.communicate("")
    fill(journal, 1)
