"""Deliveries as a command sees them: several files, refusals written to the intake journal, the ledger read back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from audit_kernel.errors import IntakeError
from audit_kernel.journal import Journal
from audit_kernel.store.catalogue import exists
from audit_kernel.store.connection import attach, connect, while_reading
from audit_kernel.store.intake import plain_name, take_in
from audit_kernel.store.ledger import Delivery, deliveries, quarantined
from audit_kernel.store.reference import take_in_reference
from audit_kernel.use_log import operating_system_user, record_answer, record_use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import duckdb

    from audit_kernel.site import Site

JOURNAL = "intake.jsonl"
REFERENCE = "reference:"
QUARANTINE_COLUMNS = ("file_name", "record_number", "line_number", "column_name", "code", "raw_record")


def take_in_all(
    site: Site, files: Sequence[Path], source_id: str, progress: Callable[[str, int, int], None] | None = None
) -> tuple[list[Delivery], list[IntakeError]]:
    """Take files in one after the other; a refused one is written to the journal and the others go on.

    Parameters
    ----------
    source_id: the log, or `reference:KIND`.
    progress: called with file name, bytes done and bytes in all.
    """
    done: list[Delivery] = []
    refused: list[IntakeError] = []
    for number, path in enumerate(files, start=1):
        is_last = number == len(files)

        def report(done_bytes: int, all_bytes: int, name: str = path.name) -> None:
            if progress:
                progress(name, done_bytes, all_bytes)

        try:
            if source_id.startswith(REFERENCE):
                done.append(take_in_reference(site, path, source_id.removeprefix(REFERENCE), report, is_last=is_last))
            else:
                done.append(take_in(site, path, source_id, report, is_last=is_last))
        except IntakeError as error:
            refused.append(error)
            entry = {
                "file": plain_name(path),
                "source_id": source_id,
                "refused": str(error),
                "user": operating_system_user(),
            }
            Journal(site.journals_folder / JOURNAL).append(entry)
    return done, refused


def refused_files(site: Site) -> list[dict[str, Any]]:
    """Return the refusals of the intake journal, oldest first: when, file, source, why."""
    path = site.journals_folder / JOURNAL
    if not path.exists():
        return []
    return [{"at": line["at"], **line["entry"]} for line in Journal(path).entries()]


def read_ledger(site: Site) -> list[Delivery]:
    """Return the ledger, oldest first; it holds no person's data. Empty when nothing was ever taken in."""
    if not exists(site):
        return []
    with reading(site) as connection:
        return deliveries(connection)


def read_quarantine(site: Site, purpose: str) -> list[dict[str, Any]]:
    """Return the records in quarantine with their text, after a line in the use log.

    Raises
    ------
    UsageError: no purpose was given.
    JournalError: the use log cannot be written; nothing is returned.
    """
    question = record_use(site, purpose, "quarantine", {}, is_question=True)
    found: list[dict[str, Any]] = []
    if exists(site):
        with reading(site) as connection:
            found = [dict(zip(QUARANTINE_COLUMNS, row, strict=True)) for row in quarantined(connection)]
    record_answer(site, purpose, question, len(found))
    return found


@contextmanager
def reading(site: Site) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the store for what is no question about a person: no views, no use log.

    Raises
    ------
    StoreError: it cannot be read.
    """
    with while_reading(site):
        connection = connect(site.temporary_folder, site.settings.store.memory_limit, 1)
        try:
            attach(connection, site, read_only=True)
            yield connection
        finally:
            connection.close()
