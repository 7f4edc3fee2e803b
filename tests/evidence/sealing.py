"""A small archive for the tests of sealing and verifying."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path

from audit_kernel.evidence import keys
from audit_kernel.evidence.seal import seal
from audit_kernel.evidence.statement import provenance

FINISHED = datetime.datetime(2026, 11, 2, 3, 15, tzinfo=datetime.UTC)
RUNS = (
    "2026-08-monthly-20260902T031500Z-aaaa",
    "2026-09-monthly-20261002T031500Z-bbbb",
    "2026-10-monthly-20261102T031500Z-cccc",
)


def predicate(**parameters):
    return provenance(
        build_type="https://example.org/audit-kernel/month/v1",
        builder_id="https://example.org/audit-kernel",
        started_at=FINISHED,
        finished_at=FINISHED,
        external_parameters=parameters,
    )


def new_keys(folder: Path):
    keys.new_signing_key(folder)
    private = keys.load_private(folder)
    return private, keys.public_pem(private.public_key())


def working_folder(folder: Path, text="findings: 0"):
    for name in ("pages", "notebooks", "tables", "inputs"):
        (folder / name).mkdir(parents=True)
    (folder / "pages" / "index.html").write_text(f"<p>{text}</p>", encoding="utf-8")
    (folder / "tables" / "activity.csv").write_bytes(b"employee_id;n\r\n1;2\r\n")
    (folder / "tables" / "activity.parquet").write_bytes(bytes(range(256)))
    (folder / "inputs" / "settings.yml").write_text("country: NO\n", encoding="utf-8")
    return folder


def seal_run(base: Path, name: str, text="findings: 0"):
    private = keys.load_private(base / "keys")
    working = working_folder(base / "working", text)
    try:
        pem = keys.public_pem(private.public_key())
        return seal(working, base / "archive", name, predicate(run=name), private, pem)
    finally:
        shutil.rmtree(working)


def new_site(base: Path, runs=RUNS):
    new_keys(base / "keys")
    for name in runs:
        seal_run(base, name, f"page of {name}")
    return base / "archive"


def rewrite(path: Path, content: bytes):
    path.chmod(0o600)
    path.write_bytes(content)


def change_byte(path: Path, place: int, flip=1):
    content = bytearray(path.read_bytes())
    content[place] ^= flip
    rewrite(path, bytes(content))
