"""Which source a file looks like: by its header's names, by its format's marks, unpacked, in a ranked order."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest
import zstandard

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import DamagedFileError, IntakeError
from audit_kernel.sources.recognise import all_definitions, candidates
from audit_kernel.sources.shape import START, guessed_encoding, shape_of, start_of
from tests.store.logs import HEADER, PLAIN_MAPPING, row

PACKAGE = resource_folder("parameters") / "sources"
NAMES = HEADER.split(";")
FHIR = b'{"resourceType": "AuditEvent", "id": "1"}'


def zipped(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return packed.getvalue()


def looks_like(start: bytes, folders=(PACKAGE,)):
    good, _wrong = all_definitions(list(folders))
    return [(each.name, each.why, each.n_matching) for each in candidates(start, good, list(folders))]


@pytest.mark.parametrize(
    ("header", "why", "n_matching"),
    [
        (HEADER, "header", 8),
        (";".join(NAMES[::-1]), "order", 8),
        (";".join([*NAMES[:6], "Annet", "Mer"]), "some", 6),
        (";".join([*NAMES, "Ny kolonne"]), "some", 8),
    ],
)
def test_a_header_is_compared_by_name_and_the_difference_said(header, why, n_matching):
    assert looks_like(f"{header}\r\n{row(1)}\r\n".encode())[0] == ("gerica", why, n_matching)


@pytest.mark.parametrize("start", [b"Dato;Tid;Hvem;Hva;Hvor\n", b"\0\1\2", b"one word", b""])
def test_a_few_common_names_are_no_source(start):
    assert looks_like(start) == []


def test_a_format_is_known_by_its_marks():
    assert looks_like(FHIR) == [("fhir", "format", 0)]


def test_reference_data_is_known_too():
    start = b"employee_id;name;personal_number;valid_from;valid_to\nE1;Kari;;;\n"
    assert looks_like(start)[0] == ("reference:employees", "header", 5)


def test_of_two_alike_the_site_s_own_comes_first_and_a_wrong_mapping_is_named(tmp_path):
    text = (PACKAGE / "gerica.yml").read_text(encoding="utf-8").replace("source_id: gerica", "source_id: zeta")
    (tmp_path / "zeta.yml").write_text(text, encoding="utf-8")
    (tmp_path / "bad.yml").write_text(PLAIN_MAPPING.replace("format: delimited", "format: '?'"), encoding="utf-8")
    folders = [PACKAGE, tmp_path]
    assert [name for name, _why, _n in looks_like(f"{HEADER}\r\n".encode(), folders)] == ["zeta", "gerica"]
    _good, wrong = all_definitions(folders)
    assert list(wrong) == ["bad"]
    assert "key 'format' is not decided yet" in str(wrong["bad"])


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, zstandard.ZstdCompressor().compress, lambda plain: zipped(inner=plain)]
)
def test_the_beginning_is_read_unpacked_and_no_more_than_it(tmp_path, pack):
    plain = b"".join(b"%09d;x\n" % number for number in range(20_000))
    (tmp_path / "file").write_bytes(pack(plain))
    assert start_of(tmp_path / "file") == plain[:START]


def test_a_zip_with_several_files_is_not_opened(tmp_path):
    packed = zipped(first=b"a;b\n", second=b"c;d\n")
    (tmp_path / "file").write_bytes(packed)
    assert start_of(tmp_path / "file") == packed


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08\x00broken", b"\x28\xb5\x2f\xfdbroken", b"PK\x03\x04broken"])
def test_a_damaged_pack_is_refused(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(DamagedFileError, match="cannot be unpacked"):
        start_of(tmp_path / "file")


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(IntakeError, match="There is no file"):
        start_of(tmp_path / "none")
    with pytest.raises(IntakeError, match="is a folder"):
        start_of(tmp_path)


@pytest.mark.parametrize(
    ("text", "encoding", "seen"),
    [
        ("Tid;Återstår\n1;2\n", "utf-8", ("utf-8", ";", 2)),
        ("Tid,Återstår,X\r\n1,2,3\r\n", "windows-1252", ("windows-1252", ",", 3)),
        ("Tid\tÅ|b\n1\t2\n", "utf-16", ("utf-16", "\t", 2)),
        ("'Tid'|'a;b;c'\n'1'|'2'\n", "utf-8", ("utf-8", "|", 2)),
        ('Tid;"a,b,c,d"\n1;"2,3,4"\n', "utf-8", ("utf-8", ";", 2)),
    ],
)
def test_the_shape_of_a_text_is_seen(text, encoding, seen):
    shape = shape_of(text.encode(encoding))
    assert shape is not None
    assert (shape.encoding, shape.delimiter, len(shape.names)) == seen


def test_a_character_cut_at_the_end_of_the_beginning_is_no_other_encoding():
    assert guessed_encoding(b"x" * 10 + "å".encode()[:1]) == "utf-8"
