"""Keeps each month's days without a reason, so that a later month can count twelve of them (`slow_browsing`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.store.connection import transaction, writing
from audit_kernel.store.tables import LAKE
from audit_kernel.store.workspace import workspace

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from audit_kernel.site import Site

COLUMNS = "employee_id, patient_id, local_date, unit_id, n_accesses"


def keep_unexplained_days(site: Site, month: date, days: pa.Table) -> None:
    """Replace a month's part by the days that its newest run found.

    Parameters
    ----------
    month: its first day.
    days: the rows of `sql/period/unexplained_days.sql`. A line without people says that the month was counted.

    Raises
    ------
    StoreError: the store cannot be written; it is as it was.
    """
    with workspace(site) as folder, writing(site, folder) as connection:
        connection.register("counted_days", days)
        with transaction(connection):
            connection.execute(f"delete from {LAKE}.unexplained_days where month = $month", {"month": month})
            connection.execute(
                f"insert into {LAKE}.unexplained_days (month, {COLUMNS})"
                " select $month, null, null, $month, null, 0"
                f" union all (select $month, {COLUMNS} from counted_days order by {COLUMNS})",
                {"month": month},
            )
