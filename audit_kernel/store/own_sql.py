"""Runs a person's own SELECT over the store; what DuckDB says of it never quotes a value of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from audit_kernel.errors import StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from audit_kernel.site import Site

SNAPSHOT_GONE = "No snapshot found"  # DuckLake's words


def run_own(
    connection: duckdb.DuckDBPyConnection,
    prepared: Callable[[], duckdb.DuckDBPyConnection],
    site: Site,
    text: str,
    parameters: Mapping[str, Any],
) -> pa.Table:
    """Return all rows of one SELECT.

    Parameters
    ----------
    connection: the open store's. prepared: returns it with what every question joins.

    Raises
    ------
    UsageError: it is not one SELECT, or it is wrong.
    StoreError: the store was closed, or its files are gone.
    """
    try:
        statements = connection.extract_statements(text)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise UsageError("That is not one SELECT.", "The store can be read only; ask one question at a time.")
        return prepared().execute(text, parameters).to_arrow_table()
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
        raise UsageError(
            "The SQL is wrong: {cause}.", "Correct it and try again.", cause=str(error).rstrip(".")
        ) from None
    except duckdb.ConnectionException:
        raise StoreError("The store was closed.", "Open it again.") from None
    except duckdb.Error as error:
        if isinstance(error, duckdb.IOException) or SNAPSHOT_GONE in str(error):  # disposed of, or out of reach
            raise StoreError(
                "The files of the log store of {site!r} could not be read ({cause}).",
                "Open the store again; if it was not disposed of meanwhile, check where its files lie.",
                site=str(site.folder),
                cause=type(error).__name__,
            ) from None
        raise UsageError(
            "The SQL could not be answered ({cause}).",
            "Look for a conversion that a value does not allow: try_cast gives NULL there.",
            cause=type(error).__name__,
        ) from None
