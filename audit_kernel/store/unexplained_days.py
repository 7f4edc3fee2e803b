"""Keeps each month's days without a reason, so that a later month can count twelve of them (`slow_browsing`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.store.connection import latest_snapshot, transaction, writing
from audit_kernel.store.tables import LAKE
from audit_kernel.store.workspace import workspace

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from audit_kernel.site import Site

COLUMNS = "employee_id, patient_id, local_date, unit_id, n_accesses"


def keep_unexplained_days(site: Site, month: date, days: pa.Table, snapshot: int) -> int:
    """Replace a month's part by the days that its newest run found; where they are the same, nothing is written.

    Parameters
    ----------
    month: its first day.
    days: the rows of `sql/period/unexplained_days.sql`. A line without people says that the month was counted.
    snapshot: the one that the days were found in.

    Returns
    -------
    int: the snapshot in which nothing else has changed, so that the month run again reads the same one.

    Raises
    ------
    StoreError: the store cannot be written; it is as it was.
    """
    with workspace(site) as folder, writing(site, folder) as connection:
        connection.register("found_days", days)
        connection.execute(
            f"create temp table counted_days as select $month as month, {COLUMNS} from found_days"
            " union all select $month, null, null, $month, null, 0",
            {"month": month},
        )
        kept = f"select month, {COLUMNS} from {LAKE}.unexplained_days where month = $month"
        differs = f"(from counted_days except all ({kept})) union all (({kept}) except all from counted_days) limit 1"
        if connection.execute(differs, {"month": month}).fetchone() is None:
            return snapshot
        with transaction(connection):
            connection.execute(f"delete from {LAKE}.unexplained_days where month = $month", {"month": month})
            connection.execute(
                f"insert into {LAKE}.unexplained_days (month, {COLUMNS})"
                f" select month, {COLUMNS} from counted_days order by {COLUMNS}"
            )
        written = latest_snapshot(connection)
    return written if written == snapshot + 1 else snapshot
