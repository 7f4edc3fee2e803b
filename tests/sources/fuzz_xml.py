"""Feeds atheris's inputs to both readers of one XML format: `fuzz_xml.py SOURCE [libFuzzer's options] CORPUS`."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["audit_kernel.sources"]):
    from audit_kernel import sources
    from audit_kernel.catalog import resource_folder
    from audit_kernel.errors import DamagedFileError
    from audit_kernel.sources.formats import BadValueError, reader

    SOURCE = sources.load_source(sys.argv.pop(1), [resource_folder("parameters") / "sources"])
    FORM = reader(SOURCE.format)  # within the block: its modules are imported here
FOLDER = Path.cwd()
FILE = FOLDER / "log.xml"


def read(content: bytes) -> None:
    """Read a file as intake does, without a store; only what the readers may raise is caught."""
    FILE.write_bytes(content or b" ")
    with contextlib.suppress(DamagedFileError):
        prepared = sources.prepare(FILE, SOURCE, FOLDER)
        numbers = []
        for record in FORM.records(prepared):
            numbers.append(record.record_number)
            if not record.failure:
                with contextlib.suppress(BadValueError):
                    assert FORM.rows(record.value, SOURCE).rows
        assert numbers == list(range(1, len(numbers) + 1))


atheris.Setup(sys.argv, read)
atheris.Fuzz()
