"""Packed files: read as what they hold, refused where they are cut short, several, locked or bombs."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile

import pytest
import zstandard

from audit_kernel import sources
from audit_kernel.errors import DamagedFileError, IntakeError
from audit_kernel.sources.unpack import UnpackingLimits

MEGABYTE = 10**6


def zipped(*contents: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("folder/", b"")
        for number, content in enumerate(contents):
            archive.writestr(f"../../folder/{number}.csv", content)
    return packed.getvalue()


def with_password(packed: bytes) -> bytes:
    """Set the flag of an encrypted member in both of its headers."""
    changed = bytearray(packed)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = packed.rindex(mark) + place
        struct.pack_into("<H", changed, start, 1)
    return bytes(changed)


PACKINGS = {
    "gzip": gzip.compress,
    "Zstandard": zstandard.compress,
    "Zstandard in frames": lambda content: zstandard.compress(content[:70]) + zstandard.compress(content[70:]),
    "zip": zipped,
    "zip, stored": lambda content: zipped(content, method=zipfile.ZIP_STORED),
    "zip, bzip2": lambda content: zipped(content, method=zipfile.ZIP_BZIP2),
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_packed_file_gives_the_rows_of_the_file_itself(take, log, packing):
    records = [f"{number};01.08.2026;07:30:00;Lesing;KANO01;Journal;J{number};Post vist" for number in range(1, 500)]
    plain = take(log(*records))
    packed = take(PACKINGS[packing](log(*records).encode()))
    assert packed.accesses == plain.accesses
    assert packed.n_read == 499
    assert packed.prepared.n_bytes < plain.prepared.n_bytes or "stored" in packing


@pytest.mark.parametrize("packing", ["gzip", "Zstandard", "Zstandard in frames", "zip"])
@pytest.mark.parametrize("keep", [7, 40, -30, -1])
def test_a_packed_file_that_is_cut_short_is_refused_by_the_name_of_its_packing(take, log, temporary, packing, keep):
    records = [f"{number};01.08.2026;07:30:00;Lesing;KANO{number}" for number in range(100)]
    with pytest.raises(DamagedFileError, match=f"packed with {packing.split()[0]} and cut short or damaged"):
        take(PACKINGS[packing](log(*records).encode())[:keep])
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("packing", ["gzip", "Zstandard", "zip", "zip, bzip2"])
def test_a_packed_file_with_a_changed_byte_is_refused(take, log, packing):
    packed = bytearray(PACKINGS[packing](log(*[f"{number};;;;;;;" for number in range(300)]).encode()))
    packed[len(packed) // 2] ^= 0x55
    with pytest.raises(DamagedFileError):
        take(bytes(packed))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped(b"a", b"b"), "a zip with 2 files in it"),
        (zipped(), "a zip with 0 files in it"),
        (with_password(zipped(b"a")), "a zip with a password"),
        (zipped(b""), "is empty"),
        (zstandard.compress(b""), "is empty"),
        (b"\xd0\xcf\x11\xe0 and so on", "a workbook with a password"),
    ],
)
def test_what_cannot_be_unpacked_is_refused_in_a_sentence(take, temporary, content, words):
    with pytest.raises(DamagedFileError, match=words):
        take(content)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("packing", ["gzip", "Zstandard", "zip"])
@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (UnpackingLimits(largest=MEGABYTE, ratio=10**6), "expands to more than 1,000,000 bytes"),
        (UnpackingLimits(ratio=50), "expands to more than 50 times its size"),
    ],
)
def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path, temporary, source_of, packing, limits, words):
    path = tmp_path / "log.csv"
    path.write_bytes(PACKINGS[packing](bytes(80 * MEGABYTE)))
    with pytest.raises(IntakeError, match=words) as caught:
        sources.prepare(path, source_of("gerica"), temporary, limits=limits)
    assert "settings.yml" in caught.value.remedy
    assert list(temporary.iterdir()) == []


def test_a_small_file_that_packs_very_well_is_no_bomb(take, log):
    record = "{};01.08.2026;07:30:00;Lesing;KANO01;Journal;J1;" + "x" * 10_000
    content = log(*[record.format(number) for number in range(1000)]).encode()
    packed = zstandard.compress(content)
    assert len(content) > 500 * len(packed)
    assert take(packed).n_read == 1000


def test_the_limits_are_those_of_the_settings(tmp_path, monkeypatch):
    from audit_kernel.site import Site, create_site
    from audit_kernel.store import intake

    site = create_site(tmp_path / "site", "NO")
    settings = site.folder / "settings.yml"
    settings.write_text(settings.read_text() + "intake: {largest_unpacked: 3MB, largest_ratio: 7}\n")
    seen = []

    def prepare(*arguments):
        seen.append(arguments[-1])
        raise IntakeError("x", "y")

    monkeypatch.setattr(intake, "prepare", prepare)
    path = tmp_path / "log.csv"
    path.write_text("x")
    with pytest.raises(IntakeError):
        intake.take_in(Site(site.folder), path, "gerica")
    assert seen == [UnpackingLimits(largest=3 * MEGABYTE, ratio=7)]
