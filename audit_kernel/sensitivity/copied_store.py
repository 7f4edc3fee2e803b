"""A store of which nothing is written: the pinned snapshot, with rows added in the memory of this process alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audit_kernel.catalog import resource_folder
from audit_kernel.parameters import answer
from audit_kernel.store.connection import attach, while_reading
from audit_kernel.store.reading import Store
from audit_kernel.store.tables import LAKE, table_definitions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PINNED, ADDED = "pinned", "added"
ADDED_TO = {
    "accesses_by_patient": "accesses",
    "accesses_by_employee": "accesses",
    "unexplained_days": "unexplained_days",
}


class CopiedStore(Store):
    """A `Store` whose `lake` is a database in memory: views of the pinned tables, and what is added to them."""

    def _attach(self, snapshot: int | None) -> int:
        """Attach the snapshot under another name, and put the views in its place."""
        number = super()._attach(snapshot)
        connection = self._connection
        with while_reading(self.site):
            connection.execute(f"detach {LAKE}")
            attach(connection, self.site, read_only=True, snapshot=number, name=PINNED)
            connection.execute(f"attach ':memory:' as {LAKE}")
            for name, table in table_definitions().items():
                for stored in table.stored_names(name):
                    view = f'select * from {PINNED}."{stored}"'
                    if stored in ADDED_TO:
                        added = f'{LAKE}."{ADDED}_{ADDED_TO[stored]}"'
                        connection.execute(f"create table if not exists {added} as {view} limit 0")
                        view = f"{view} union all by name select * from {added}"
                    connection.execute(f'create view {LAKE}."{stored}" as {view}')
        return number

    def look(self, name: str, bound: Mapping[str, Any], keep_as: str = "") -> list[dict[str, Any]]:
        """Return the rows of one SELECT of `sql/sensitivity`, and keep them as the TEMP table `keep_as`."""
        text = (resource_folder("sql") / "sensitivity" / f"{name}.sql").read_text(encoding="utf-8")
        with while_reading(self.site):
            rows: list[dict[str, Any]] = answer(self._for_questions, text, bound).to_arrow_table().to_pylist()
            if keep_as:
                answer(self._connection, f'create or replace temp table "{keep_as}" as {text}', bound)
        return rows

    def add(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows to `accesses` or `unexplained_days` of the copy; what is not given is NULL."""
        stored = f'{LAKE}."{ADDED}_{table}"'
        schema = self._connection.execute(f"select * from {stored} limit 0").to_arrow_table().schema
        self.keep("new_rows", pa.Table.from_pylist([dict(row) for row in rows], schema))
        self._connection.execute(f"insert into {stored} by name select * from new_rows")
        self._connection.execute("drop table new_rows")
        self.forget_period()

    def remove(self, event_ids: Sequence[str]) -> None:
        """Take added accesses out again."""
        self._connection.execute(
            f"delete from {LAKE}.{ADDED}_accesses where event_id in (select unnest($ids))", {"ids": list(event_ids)}
        )
        self.forget_period()

    def keep(self, name: str, rows: pa.Table) -> None:
        """Make rows the TEMP table of that name."""
        self._connection.register("rows_to_keep", rows)
        self._connection.execute(f'create or replace temp table "{name}" as select * from rows_to_keep')
        self._connection.unregister("rows_to_keep")
