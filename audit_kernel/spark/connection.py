"""A connection that takes the statements written for DuckDB and lets Spark answer them; DuckDB is never asked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import functions
from sqlglot import exp
from sqlglot.errors import SqlglotError

from audit_kernel.errors import Phrase, StoreError
from audit_kernel.spark.transpile import LAKE_PREFIX, MADE, MADE_VIEWS, named_parameters, parsed, spark_sql
from audit_kernel.store.tables import reference_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyspark.sql import DataFrame, SparkSession


class NotRunError(StoreError):
    """Spark could not run a statement; `cause` is the condition that Spark names, or sqlglot's kind of error."""

    @property
    def cause(self) -> str:
        """The condition."""
        return str(self._values["cause"])


@dataclass(frozen=True)
class Statement:
    """What is asked of a statement before it is run: the names of its values, and whether it only reads."""

    named_parameters: frozenset[str]
    type: duckdb.StatementType


class Answered:
    """A statement's rows, as far as the product reads them from DuckDB."""

    def __init__(self, frame: DataFrame | None) -> None:
        self._frame = frame
        self._rows: list[tuple[Any, ...]] | None = None

    def to_arrow_table(self) -> pa.Table:
        """Return all rows."""
        if self._frame is None:
            return pa.table({})
        with told_by_condition():
            return self._frame.toArrow()

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows that were not fetched yet."""
        if self._rows is None:
            table = self.to_arrow_table()
            self._rows = [*zip(*(column.to_pylist() for column in table.columns), strict=True)]
        rows, self._rows = self._rows, []
        return rows

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, None after the last."""
        rows = self.fetchall()
        self._rows = rows[1:]
        return rows[0] if rows else None


class SparkConnection:
    """Runs one statement after the other, as far as the product's own need it.

    A temporary table is worked out when it is made. A view over stored reference data is worked out when it is first
    read: as views of views, planning alone took minutes. A view that reads the log stays one.

    Parameters
    ----------
    session: Spark, with the stored tables as temporary views.
    """

    def __init__(self, session: SparkSession) -> None:
        self.session = session
        self._made: set[str] = set()
        self._put_off: dict[str, exp.Expr] = {}
        self._without_log = {f"{LAKE_PREFIX}{name}" for name in (*reference_tables(), "intake_files")}

    def execute(self, text: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> Answered:
        """Run one statement with its values bound.

        Raises
        ------
        NotRunError: Spark cannot run it; nothing else answers in its place.
        """
        with told_by_condition():
            return self._run(parsed(text), values)

    def _run(self, statement: exp.Expr, values: Any) -> Answered:  # noqa: ANN401 - as DuckDB takes them
        if isinstance(statement, exp.Create):
            self._create(statement, values)
        elif isinstance(statement, exp.Insert):
            self._insert(statement, values)
        elif isinstance(statement, exp.Drop):
            for table in statement.args["tables"]:
                self._drop(table.name)
        elif isinstance(statement, exp.Alter):
            (renamed,) = statement.args["actions"]
            self._keep(renamed.this.name, self.session.table(statement.this.name))
            self._drop(statement.this.name)
        else:
            if any(each.name == MADE for each in statement.find_all(exp.Table)):
                rows = pa.table({"database_name": ["temp"] * len(self._made), "table_name": sorted(self._made)})
                self.register(MADE, rows)
                self.register(MADE_VIEWS, rows.slice(0, 0).rename_columns(["database_name", "view_name"]))
            return Answered(self._rows_of(statement, values))
        return Answered(None)

    def _create(self, statement: exp.Create, values: Any) -> None:  # noqa: ANN401
        rows = statement.expression
        name = statement.this.find(exp.Table).name
        self._drop(name)
        if rows is None:
            columns = {each.name: each.args["kind"].sql("spark") for each in statement.this.expressions}
            self._keep(name, empty(self.session, columns))
            self._without_log.add(name)
            return
        own = {each.alias for each in rows.find_all(exp.CTE)}
        read = {each.name for each in rows.find_all(exp.Table)} - own
        if read <= self._without_log:
            self._without_log.add(name)
        if statement.kind == "VIEW" and read <= self._without_log:
            self._put_off[name] = rows
            self._made.add(name)  # as a table: there is nothing more to work out
        elif statement.kind == "VIEW":
            self._rows_of(rows, values).createOrReplaceTempView(name)
        else:
            self._keep(name, self._rows_of(rows, values).localCheckpoint(eager=True))

    def _insert(self, statement: exp.Insert, values: Any) -> None:  # noqa: ANN401
        """Add rows, which are worked out when they are read: reasons are found one by one and counted together."""
        name = statement.this.name
        before, added = self.session.table(name), self._rows_of(statement.expression, values)
        columns = [
            functions.col(f"`{given}`").cast(field.dataType).alias(field.name)
            for given, field in zip(added.columns, before.schema, strict=True)
        ]
        before.union(added.select(columns)).createOrReplaceTempView(name)

    def _keep(self, name: str, rows: DataFrame) -> None:
        rows.createOrReplaceTempView(name)
        self._made.add(name)

    def _drop(self, name: str) -> None:
        self.session.catalog.dropTempView(name)
        self._put_off.pop(name, None)
        self._made.discard(name)
        self._without_log.discard(name)

    def _rows_of(self, statement: exp.Expr, values: Any) -> DataFrame:  # noqa: ANN401
        for name in sorted({each.name for each in statement.find_all(exp.Table)} & self._put_off.keys()):
            rows = self._put_off.pop(name)
            worked_out = self._rows_of(rows, None)
            self._keep(name, worked_out.localCheckpoint(eager=True) if rows.find(exp.Table) else worked_out)
        given = dict(values) if isinstance(values, dict) else {}
        if values and not given:
            names = [mark.name for mark in statement.find_all(exp.Placeholder, bfs=False)]
            given = dict(zip(names, values, strict=True))
        casts = {name: kind for name, value in given.items() if (kind := type_of(value))}
        bound = {name: bindable(value) for name, value in given.items()}
        return self.session.sql(spark_sql(statement, casts, given), args=bound)

    def register(self, name: str, rows: pa.Table) -> None:
        """Make an Arrow table a relation, in one piece: Spark 4.1 loses every row behind a piece without rows.

        Raises
        ------
        NotRunError: Spark does not have all rows.
        """
        # what has no piece at all it cannot read either
        whole = rows.combine_chunks() if rows.num_rows else rows.schema.empty_table()
        frame = self.session.createDataFrame(whole)
        if frame.count() != rows.num_rows:
            raise not_run("ROWS_LOST")
        frame.createOrReplaceTempView(name)

    def unregister(self, name: str) -> None:
        """Forget a relation."""
        self.session.catalog.dropTempView(name)

    def extract_statements(self, text: str) -> list[Statement]:
        """Return the one statement of a text."""
        kind = duckdb.StatementType
        is_query = isinstance(parsed(text), exp.Query)
        return [Statement(named_parameters(text), kind.SELECT if is_query else kind.INVALID)]

    def close(self) -> None:
        """Nothing: the session is stopped by who started it."""


@contextmanager
def told_by_condition() -> Iterator[None]:
    """Replace an error of Spark by one of ours that names its condition: Spark's message quotes values of the log.

    Raises
    ------
    NotRunError: there was one.
    """
    try:
        yield
    except (SqlglotError, PySparkException) as error:
        condition = error.getCondition() if isinstance(error, PySparkException) else ""
        raise not_run(condition or type(error).__name__) from None


def not_run(cause: str) -> NotRunError:
    """Return the error that names a condition."""
    return NotRunError(
        Phrase("Spark could not run a statement ({cause})."),
        Phrase("Nothing else counted in its place. Report this sentence."),
        cause=cause,
    )


def empty(session: SparkSession, columns: Mapping[str, str]) -> DataFrame:
    """Return no row of these columns, each with its type of Spark."""
    nothing = ", ".join(f"cast(null as {kind}) as `{name}`" for name, kind in columns.items())
    return session.sql(f"select {nothing} where false")


def type_of(value: object) -> str:
    """Return the type of Spark that a value, handed over as text, is cast to; empty where it is its own."""
    if isinstance(value, datetime):
        return "timestamp_ntz"
    if isinstance(value, date):
        return "date"
    return ""


def bindable(value: object) -> object:
    """Return a value as Spark takes it by name."""
    if isinstance(value, list | tuple):
        return functions.array(*(functions.lit(bindable(each)) for each in value))
    return str(value) if isinstance(value, date) else value
