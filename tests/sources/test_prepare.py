"""A damaged file is refused whole, in one sentence that names the file and the place."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import sys

import pytest

from audit_kernel import sources
from audit_kernel.errors import DamagedFileError, IntakeError

HEADER = "Id. nr.;Dato;Tid;Loggtype;Ansatt;Tabell;Relatert post;Meldingstype"
GOOD = "1;01.08.2026;07:30:00;Lesing;KANO01;Journal;J1;Post vist"


@pytest.fixture
def prepare(tmp_path, temporary, source_of):
    def run(content: bytes | str, name: str = "log.csv", **changes):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        source = source_of("gerica").model_copy(update=changes)
        return sources.prepare(path, source, temporary)

    return run


def refused(prepare, content, *words, **changes):
    with pytest.raises(DamagedFileError) as caught:
        prepare(content, **changes)
    message = str(caught.value)
    for word in ("log.csv", *words):
        assert word in message, message
    assert caught.value.remedy
    return message


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (HEADER.replace("Tid;", ""), ["'Tid' is missing"]),
        (HEADER + ";Kommentar", ["column 9 is not in the mapping"]),
        (HEADER.replace("Dato;Tid", "Tid;Dato"), ["swapped", "column 2 should be 'Dato'"]),
        (HEADER.replace("Ansatt", "Medarbeider"), ["column 5 should be called 'Ansatt'"]),
        (HEADER.replace(";", ","), ["not separated by ';'"]),
        (HEADER.replace(";", "\t"), ["not separated by ';'"]),
        (HEADER.replace("Dato", "Tid"), ["'Dato'"]),
        (HEADER + ";Tid", ["a column stands twice"]),
        (HEADER.replace("Dato", '"Dato'), ["header cannot be read"]),
        (HEADER.lower(), ["column 1 should be called 'Id. nr.'"]),
        (GOOD, ["column 1 should be called 'Id. nr.'"]),
    ],
)
def test_another_header_is_refused_by_name(prepare, header, words):
    message = refused(prepare, f"{header}\n{GOOD}\n", "line 1", *words)
    assert "Kommentar" not in message
    assert "Medarbeider" not in message
    assert "KANO01" not in message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (f"{GOOD}\n2;01.08.2026;07:31:00;Lesing;KANO01;Jour", ["line 3 is cut short"]),
        (f"{GOOD}\n{GOOD}", ["line 3 is cut short"]),
        (f"{GOOD}\n{GOOD}\r", ["line 3 is cut short"]),
        (f'{GOOD}\n2;01.08.2026;07:31:00;Lesing;"KANO01;Journal;J1;Post vist\n', ["line 3", "never closed"]),
        (f'{GOOD}\n2;01.08.2026;07:31:00;Lesing;"KA;Journal;J1;x\n{GOOD}\n3;1;1;"L";K;J;J;P\n', ["line 5", "quote"]),
        (f'2;01.08.2026;07:31:00;Lesing;KA"NO;Journal;J1;x\n{GOOD}\n', ["line 2", "quote"]),
        (f'2;01.08.2026;07:31:00;Lesing;"KA"NO;Journal;J1;x\n{GOOD}\n', ["line 2", "quote"]),
        (f'2;01.08.2026;07:31:00;Lesing;"KA" ;Journal;J1;x\n{GOOD}\n', ["line 2", "quote"]),
        (f"{GOOD}\n2;01.08.2026;07:31:00;Lesing;KANO01;Journal;J1\n{GOOD}\n", ["line 3", "8 columns"]),
        (f"{GOOD}\n{GOOD};\n{GOOD}\n", ["line 3", "8 columns"]),
        (f"{GOOD}\n{GOOD};x\n{GOOD}\n", ["line 3", "8 columns"]),
        (f"{GOOD}\n\n{GOOD}\n", ["line 3 is blank"]),
        (f"{GOOD}\n\n", ["line 3 is blank"]),
        (f'2;1;1;"a\nb";K;J;J;P\n\n{GOOD}\n', ["line 4 is blank"]),
        (f"{GOOD}\r\n{GOOD}\n", ["line 2 ends otherwise"]),
        (f"{GOOD}\n2;01.08.2026;07:31:00;Les\ring;K;J;J1;P\n", ["line 3 ends otherwise"]),
        (f'{GOOD}\n2;01.08.2026;07:31:00;"Lesing";K;J;J1;P\r\n', ["line 3 ends otherwise"]),
        ("", ["no record below it"]),
    ],
)
def test_a_broken_structure_is_refused_with_its_line(prepare, body, words):
    message = refused(prepare, f"{HEADER}\n{body}", *words)
    assert "KANO01" not in message


def test_a_header_alone_without_its_line_end_is_refused(prepare):
    refused(prepare, HEADER, "cut short")


def test_an_empty_file_is_refused(prepare):
    refused(prepare, b"", "is empty")


def test_line_ends_that_change_within_a_crlf_file_are_refused(prepare):
    refused(prepare, f"{HEADER}\r\n{GOOD}\r\n{GOOD}\n", "line 3 ends otherwise")
    refused(prepare, f'{HEADER}\r\n"1";a;b;c;d;e;f;g\r\n{GOOD}\n', "line 3 ends otherwise")


def test_a_blank_line_within_a_crlf_file_is_refused(prepare):
    refused(prepare, f"{HEADER}\r\n{GOOD}\r\n\r\n{GOOD}\r\n", "line 3 is blank")
    refused(prepare, f'{HEADER}\r\n"1";a;b;c;d;e;f;g\r\n\r\n{GOOD}\r\n', "line 3 is blank")


def test_a_file_in_no_declared_encoding_is_refused_with_its_line(prepare):
    content = f"{HEADER}\n{GOOD}\n".encode() + b"2;01.08.2026;07:31:00;Bruker\x81;K;J;J1;P\n"
    refused(prepare, content, "not in a declared encoding", "utf-8", "windows-1252", "line 3")


def test_damaged_utf8_is_not_taken_for_another_encoding(prepare):
    content = f"{HEADER}\n{GOOD}å\n".encode() + b"2;01.08.2026;07:31:00;Brukers\xf8k;K;J;J1;P\n"
    refused(prepare, content, "line 3")


def test_a_byte_order_mark_of_an_undeclared_encoding_is_refused(prepare):
    refused(prepare, f"{HEADER}\n{GOOD}\n".encode("utf-16"), "not in a declared encoding")
    refused(prepare, f"{HEADER}\n{GOOD}\n".encode("utf-8-sig"), "not in", encodings=("windows-1252",))


@pytest.mark.parametrize("keep", [10, 100, -9, -1])
def test_a_gzip_cut_short_is_refused(prepare, keep, temporary):
    packed = gzip.compress(f"{HEADER}\n{GOOD}\n".encode() * 50)
    refused(prepare, packed[:keep], "cut short")
    assert not list(temporary.iterdir())


def test_a_gzip_with_something_behind_it_is_refused(prepare):
    refused(prepare, gzip.compress(f"{HEADER}\n{GOOD}\n".encode()) + b"x", "damaged")


def test_a_gzip_of_nothing_is_refused(prepare):
    refused(prepare, gzip.compress(b""), "is empty")


def test_a_gzip_of_several_members_is_read_whole(prepare):
    packed = gzip.compress(f"{HEADER}\n{GOOD}\n".encode()) + gzip.compress(f"{GOOD}\n".encode())
    prepared = prepare(packed)
    assert prepared.n_records == 2
    assert prepared.file_id == hashlib.sha256(packed).hexdigest()
    assert prepared.n_bytes == len(packed)


def test_copies_are_owner_only_and_can_be_removed(prepare, temporary):
    prepared = prepare(f"{HEADER}\n{GOOD}ø\n".encode("cp1252"))
    assert prepared.encoding == "windows-1252"
    assert stat.S_IMODE(prepared.text.stat().st_mode) == 0o600
    assert prepared.text.parent == temporary
    prepared.remove_copies()
    assert not list(temporary.iterdir())


def test_a_gzip_in_another_encoding_leaves_one_copy_only(prepare, temporary):
    prepared = prepare(gzip.compress(f"{HEADER}\n{GOOD}ø\n".encode("cp1252")))
    assert list(temporary.iterdir()) == [prepared.text]


def test_a_folder_a_missing_file_and_a_pipe_are_refused(tmp_path, temporary, source_of):
    source = source_of("gerica")
    os.mkfifo(tmp_path / "pipe")
    for path, words in ((tmp_path, "is a folder"), (tmp_path / "x.csv", "no file"), (tmp_path / "pipe", "not an ord")):
        with pytest.raises(IntakeError, match=words):
            sources.prepare(path, source, temporary)


def test_an_unreadable_file_is_refused(tmp_path, temporary, source_of, monkeypatch):
    path = tmp_path / "log.csv"
    path.write_text(f"{HEADER}\n{GOOD}\n")
    source = source_of("gerica")

    def refuse(*_arguments, **_options):
        raise PermissionError

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(IntakeError, match="cannot be read"):
        sources.prepare(path, source, temporary)


def test_a_full_disk_is_said_in_a_sentence(tmp_path, temporary, source_of, monkeypatch):
    path = tmp_path / "log.csv"
    path.write_bytes(gzip.compress(f"{HEADER}\n{GOOD}\n".encode()))

    def full(_folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys.modules["audit_kernel.sources.unpack"], "create_private", full)
    with pytest.raises(IntakeError, match="No space left on device"):
        sources.prepare(path, source_of("gerica"), temporary)


def test_a_file_that_grows_between_the_two_readers_is_refused(prepare, connection, source_of):
    prepared = prepare(f"{HEADER}\n{GOOD}\n")
    with prepared.path.open("a") as stream:
        stream.write(f"{GOOD}\n")
    with pytest.raises(DamagedFileError, match="was changed while"):
        sources.stage(connection, prepared, source_of("gerica"))


def test_progress_ends_at_its_total(tmp_path, temporary, source_of):
    path = tmp_path / "log.csv"
    path.write_text(f"{HEADER}\n{GOOD}\n")
    seen: list[tuple[int, int]] = []
    sources.prepare(path, source_of("gerica"), temporary, lambda *done: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1] > 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "iso-8859-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_declared_encoding_and_line_end_is_read(prepare, connection, source_of, encoding, end, packed):
    text = f'"Id. nr."{HEADER[7:]}{end}1;01.08.2026;07:30:00;Brukersøk;ÅSNÆ01;Bruker;"Ø{end}1";Søk{end}'
    content = text.encode(encoding)
    encodings = ("utf-8", "utf-16", "iso-8859-1") if encoding != "cp1252" else ("utf-8", "windows-1252")
    prepared = prepare(gzip.compress(content) if packed else content, encodings=encodings)
    source = source_of("gerica")
    assert sources.stage(connection, prepared, source) == prepared.n_records == 1
    found = connection.execute("select log_type, employee_id, patient_id, line_number from staged_accesses").fetchall()
    assert found == [("Brukersøk", "ÅSNÆ01", f"Bruker:Ø{end}1", 2)]
