"""The store of a month's control that Spark counts: the same questions, the same use log, another engine."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

from audit_kernel.catalog import Catalog
from audit_kernel.errors import StoreError
from audit_kernel.spark.connection import NotRunError, SparkConnection
from audit_kernel.spark.lake import compact, register_files, stored_files, stored_rows, with_deletes
from audit_kernel.spark.session import spark_session
from audit_kernel.store.connection import while_reading
from audit_kernel.store.reading import Store
from audit_kernel.store.tables import LAKE
from audit_kernel.store.views import create_views, setting_rows
from audit_kernel.use_log import units_of_user

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from audit_kernel.catalog import Query
    from audit_kernel.query import Result


class SparkStore(Store):
    """A read-only view of a site's store at one snapshot, which Spark answers from; arguments as in `Store`.

    DuckDB says which files the snapshot has, and is closed before the first question.

    Raises
    ------
    StoreError: the files are encrypted, hold deleted rows or lie in an object store, or Spark cannot be started or
        reads another number of rows.
    """

    def _open(self, snapshot: int | None) -> None:
        self._stack = ExitStack()
        self.catalog = Catalog(self.site.folder)
        self.snapshot = self._attach(snapshot)
        if snapshot is None and with_deletes(self._connection, self.snapshot):
            self._connection.execute(f"detach {LAKE}")
            compact(self.site)
            self.snapshot = self._attach(None)
        with while_reading(self.site):
            files = stored_files(self._connection, self.site, self.snapshot)
            rows = stored_rows(self._connection)
        self._connection.close()
        settings = self.site.settings
        session = self._stack.enter_context(
            spark_session(settings.spark, settings.store.memory_limit, self.site.temporary_folder)
        )
        try:
            register_files(session, files, rows)
            # It has what the product's own statements ask of a connection.
            self._connection = cast("duckdb.DuckDBPyConnection", SparkConnection(session))
            create_views(self._connection, setting_rows(self.site))
            self._units = units_of_user(self._connection, self.site)
        except BaseException:
            self._stack.close()
            raise

    def ask(self, query: Query, parameters: Mapping[str, Any], name: str = "") -> Result:
        """Run a query as `Store.ask` does.

        Raises
        ------
        StoreError: Spark cannot run it; nothing else answers in its place.
        """
        try:
            return super().ask(query, parameters, name)
        except NotRunError as error:
            raise StoreError(
                "The query {query!r} cannot be run on Spark ({cause}).",
                "Nothing else counted in its place. Report the query's name and this sentence.",
                query=".".join(filter(None, [query.name, query.part])),
                cause=error.cause,
            ) from None

    def close(self) -> None:
        """Close the store and stop Spark."""
        super().close()
        self._stack.close()
