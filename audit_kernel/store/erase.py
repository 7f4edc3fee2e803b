"""The physical half of disposal: no byte of a removed row stays, and a record of what went is sealed in the archive."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from audit_kernel.canonical import canonical_json
from audit_kernel.errors import Phrase, StoreError
from audit_kernel.journal import Journal
from audit_kernel.store.catalogue import forget_removed, vacuum
from audit_kernel.store.connection import transaction, without_log_text, writing
from audit_kernel.store.retention import retention
from audit_kernel.store.tables import LAKE
from audit_kernel.store.workspace import workspace
from audit_kernel.use_log import operating_system_user

if TYPE_CHECKING:
    import duckdb

    from audit_kernel.site import Site

JOURNAL = "disposals.jsonl"
BUILD_TYPE = "urn:audit-kernel:disposal:v1"
RECORD = "disposal.json"
# Until no snapshot but the newest is left, no file but its own, and none that nobody knows.
CLEANING = (
    f"ducklake_rewrite_data_files('{LAKE}', delete_threshold => 0)",
    f"ducklake_expire_snapshots('{LAKE}', older_than => timestamptz '9999-01-01 00:00:00+00')",
    f"ducklake_cleanup_old_files('{LAKE}', cleanup_all => true)",
    f"ducklake_delete_orphaned_files('{LAKE}', cleanup_all => true)",
)


@dataclass(frozen=True)
class Line:
    """Rows of one stored table by log and month (UTC): how many go, how many a hold keeps, in how many files."""

    table: str
    source_id: str
    month: str
    n_rows: int
    n_held: int
    n_files: int


@dataclass(frozen=True)
class Disposal:
    """What was disposed of: a line of the table `disposals`. Times in UTC without offset."""

    disposal_id: str
    kind: str
    before_date: date | None
    decision: str | None
    n_rows: int
    n_held: int
    disposed_at: datetime
    disposed_by: str
    details: str

    @property
    def lines(self) -> list[Line]:
        """Return the rows by table, log and month."""
        return [Line(**line) for line in json.loads(self.details)]


COLUMNS = ", ".join(Disposal.__dataclass_fields__)


def record_disposal(
    connection: duckdb.DuckDBPyConnection, kind: str, before: date | None, decision: str, lines: list[Line]
) -> None:
    """Write the line of the table inside the caller's transaction; it is not finished yet."""
    now = datetime.now(UTC).replace(tzinfo=None)
    disposal = Disposal(
        disposal_id=f"{now:%Y-%m-%d}-disposal-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}",
        kind=kind,
        before_date=before,
        decision=decision or None,
        n_rows=sum(line.n_rows for line in lines),
        n_held=sum(line.n_held for line in lines),
        disposed_at=now,
        disposed_by=operating_system_user(),
        details=json.dumps([asdict(line) for line in lines]),
    )
    values = asdict(disposal)
    connection.execute(
        f"insert into {LAKE}.disposals ({COLUMNS}) values ({', '.join(f'${name}' for name in values)})", values
    )


def unfinished(connection: duckdb.DuckDBPyConnection) -> list[Disposal]:
    """Return the disposals whose rows are gone while bytes may be left, oldest first."""
    rows = connection.execute(
        f"select {COLUMNS} from {LAKE}.disposals where sealed_at is null order by disposed_at, disposal_id"
    ).fetchall()
    return [Disposal(*row) for row in rows]


def erase_bytes(connection: duckdb.DuckDBPyConnection) -> None:
    """Leave no byte of a removed row in the store's files, and none in the statistics of its catalogue.

    Raises
    ------
    StoreError: the disk is full, say; run it again.
    """
    problem = Phrase("The rows are gone, but not yet every byte of them ({cause}).")
    remedy = Phrase("Free space on the disk and run the same command again: it finishes.")
    with without_log_text(StoreError, problem, remedy):
        for call in CLEANING:
            connection.execute(f"select count(*) from {call}").fetchall()
        forget_removed(connection)


def finish(site: Site, pending: list[Disposal]) -> None:
    """Write the catalogue anew, then seal the records; the caller has closed the store.

    Raises
    ------
    StoreError: a reader hinders it, or the disk is full; run it again.
    """
    if any(disposal.n_rows for disposal in pending) and not vacuum(site):
        raise StoreError(
            "The rows are gone, but the catalogue could not be written anew while somebody reads.",
            "Close what reads the store, notebooks too, and run the same command again: it finishes.",
        )
    for disposal in pending:
        seal_record(site, disposal)
    with workspace(site) as folder, writing(site, folder) as connection, transaction(connection):
        connection.execute(
            f"update {LAKE}.disposals set sealed_at = $now where list_contains($sealed, disposal_id)",
            {"now": datetime.now(UTC).replace(tzinfo=None), "sealed": [each.disposal_id for each in pending]},
        )


def seal_record(site: Site, disposal: Disposal) -> None:
    """Write the journal and seal the record as a bag of the archive, unless a stopped run did so before."""
    from audit_kernel.evidence.journals import journal_heads
    from audit_kernel.evidence.run import BUILDER, working_folder
    from audit_kernel.evidence.seal import provenance
    from audit_kernel.evidence.site_signing import seal_for_site

    if (site.archive_folder / disposal.disposal_id).is_dir():
        return
    facts = record_of(site, disposal)
    Journal(site.journals_folder / JOURNAL).append(facts)
    predicate = provenance(
        build_type=BUILD_TYPE,
        builder_id=BUILDER,
        started_at=disposal.disposed_at.replace(tzinfo=UTC),
        finished_at=datetime.now(UTC),
        external_parameters={name: facts[name] for name in ("kind", "before", "decision", "site", "country")},
        internal_parameters={"journals": journal_heads(site)},
        invocation_id=disposal.disposal_id,
    )
    with working_folder(site) as working:
        payload = working / "payload"
        payload.mkdir()
        (payload / RECORD).write_bytes(canonical_json({**facts, "rows_by_table": json.loads(disposal.details)}))
        seal_for_site(site, payload, site.archive_folder, disposal.disposal_id, predicate)


def record_of(site: Site, disposal: Disposal) -> dict[str, Any]:
    """Return what the journal and the archive say of a disposal: never whose rows they were."""
    rule = retention(site)
    return {
        "disposal": disposal.disposal_id,
        "kind": disposal.kind,
        "before": disposal.before_date,
        "decision": disposal.decision,
        "rows": disposal.n_rows,
        "rows_held": disposal.n_held,
        "disposed_at": disposal.disposed_at.replace(tzinfo=UTC),
        "user": disposal.disposed_by,
        "site": site.settings.name,
        "country": site.settings.country,
        "minimum_years": rule.minimum_years,
        "legal_basis": list(rule.legal_basis),
    }
