"""A month's days without a reason: kept once, replaced by the newest run, and no new snapshot for the same days."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa

from audit_kernel import open_store
from audit_kernel.site import create_site
from audit_kernel.store.intake import take_in
from audit_kernel.store.unexplained_days import keep_unexplained_days
from tests.store.logs import gerica_file, row

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.site import Site

OCTOBER = date(2026, 10, 1)


def days(*patients: str) -> pa.Table:
    number = len(patients)
    return pa.table(
        {
            "employee_id": ["E1"] * number,
            "patient_id": list(patients),
            "local_date": pa.array([date(2026, 10, 5)] * number, pa.date32()),
            "unit_id": pa.array([None] * number, pa.string()),
            "n_accesses": pa.array([2] * number, pa.int64()),
        },
        schema=pa.schema(
            {
                "employee_id": pa.string(),
                "patient_id": pa.string(),
                "local_date": pa.date32(),
                "unit_id": pa.string(),
                "n_accesses": pa.int64(),
            }
        ),
    )


def kept(site: Site) -> list[tuple[str | None, int]]:
    with open_store(site, "test") as store:
        rows = store.sql("select patient_id, n_accesses from lake.unexplained_days order by patient_id nulls first")
    return [(row["patient_id"], row["n_accesses"]) for row in rows.to_pylist()]


def test_the_same_days_again_change_nothing_and_others_take_their_place(tmp_path: Path) -> None:
    site = create_site(tmp_path / "site", "NO")
    take_in(site, gerica_file(tmp_path / "a.csv", [row(1)]), "gerica")
    with open_store(site, "test") as store:
        read = store.snapshot
    written = keep_unexplained_days(site, OCTOBER, days("P1", "P2"), read)
    assert written == read + 1
    assert kept(site) == [(None, 0), ("P1", 2), ("P2", 2)]
    assert keep_unexplained_days(site, OCTOBER, days("P2", "P1"), written) == written
    with open_store(site, "test") as store:
        assert store.snapshot == written
    assert keep_unexplained_days(site, OCTOBER, days("P3"), written) == written + 1
    assert kept(site) == [(None, 0), ("P3", 2)]


def test_a_month_without_such_days_is_counted_all_the_same(tmp_path: Path) -> None:
    site = create_site(tmp_path / "site", "NO")
    take_in(site, gerica_file(tmp_path / "a.csv", [row(1)]), "gerica")
    keep_unexplained_days(site, OCTOBER, days(), 1)
    assert kept(site) == [(None, 0)]


def test_where_another_writer_came_between_the_run_keeps_the_snapshot_it_read(tmp_path: Path) -> None:
    site = create_site(tmp_path / "site", "NO")
    take_in(site, gerica_file(tmp_path / "a.csv", [row(1)]), "gerica")
    with open_store(site, "test") as store:
        read = store.snapshot
    take_in(site, gerica_file(tmp_path / "b.csv", [row(2)]), "gerica")
    assert keep_unexplained_days(site, OCTOBER, days("P1"), read) == read
