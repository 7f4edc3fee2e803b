"""Runs every statement that DuckDB answers on Spark as well, over the same relations, and compares the rows."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
from pyspark.errors import PySparkException
from sqlglot import exp
from sqlglot.errors import SqlglotError

from audit_kernel.catalog import Catalog
from audit_kernel.spark.connection import SparkConnection
from audit_kernel.spark.lake import LAKE_PREFIX
from audit_kernel.spark.session import spark_session
from audit_kernel.spark.transpile import parsed
from audit_kernel.spark_settings import SparkSettings
from audit_kernel.store.reading import Store
from audit_kernel.store.views import TEMPORARY_TABLES, create_views, model_names, setting_rows
from tests.spark.sites import SMALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import SparkSession

    from audit_kernel.site import Site

SIZES = {"small": (SMALL, "1GB"), "whole": ({}, "8GB")}  # every relation lies in memory, in each engine


@contextmanager
def session_for(site: Site, size: str) -> Iterator[SparkSession]:
    """Give a session fit for a small month, or for a whole municipality."""
    options, memory = SIZES[size]
    with spark_session(
        SparkSettings(master="local[2]", options=dict(options)), memory, site.temporary_folder
    ) as session:
        yield session


class Rows:
    """An answer, as the product reads it."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.rows = [*zip(*(column.to_pylist() for column in table.columns), strict=True)]

    def to_arrow_table(self) -> pa.Table:
        return self.table

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows, self.rows = self.rows, []
        return rows

    def fetchone(self) -> tuple[Any, ...] | None:
        return self.rows.pop(0) if self.rows else None


class Twin:
    """A connection to DuckDB whose statements Spark runs too.

    `same` and `different` hold what was compared, by text; a difference says what it is.
    """

    def __init__(self, duck: duckdb.DuckDBPyConnection, session: SparkSession, wants: Callable[[str], bool]) -> None:
        self.duck, self.spark, self.wants = duck, SparkConnection(session), wants
        self.same: dict[str, int] = {}
        self.different: dict[str, str] = {}
        self.compared: set[tuple[str, str]] = set()
        self.handed: set[str] = set()
        self.lasting = {*model_names(), *TEMPORARY_TABLES}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.duck, name)

    def register(self, name: str, rows: pa.Table) -> None:
        self.duck.register(name, rows)
        self.handed.discard(name)

    def execute(self, text: str, values: Any = None) -> Any:
        statement = parsed(text)
        if isinstance(statement, exp.Create | exp.Insert):
            made = self.duck.execute(text, values) if values else self.duck.execute(text)
            self.handed = {name for name in self.handed if name in self.lasting or name.startswith(LAKE_PREFIX)}
            self.handed.discard(statement.find(exp.Table).name)
            asked = statement.expression
            if isinstance(asked, exp.Select) and self.wants(text):
                answered = self.duck.execute(inner(text), values) if values else self.duck.execute(inner(text))
                self.compare(text, asked, values, answered.to_arrow_table())
            return made
        if not isinstance(statement, exp.Select):
            return self.duck.execute(text, values) if values else self.duck.execute(text)
        table = (self.duck.execute(text, values) if values else self.duck.execute(text)).to_arrow_table()
        if self.wants(text):
            self.compare(text, statement, values, table)
        return Rows(table)

    def compare(self, text: str, statement: exp.Expr, values: Any, expected: pa.Table) -> None:
        """Run it on Spark over DuckDB's own relations."""
        if (text, str(values)) in self.compared:
            return
        self.compared.add((text, str(values)))
        try:
            own = {each.alias for each in statement.find_all(exp.CTE)}
            for name in sorted({each.name for each in statement.find_all(exp.Table)} - own):
                self.hand_over(name)
            found = self.spark._rows_of(statement, values).toArrow()
            # an insert goes by position, and each engine has names of its own for what has none
            named = zip(expected.column_names, found.column_names, strict=True)
            is_insert = text.lstrip().startswith("insert")
            found = found.rename_columns([mine if is_insert or "(" in mine else theirs for mine, theirs in named])
            difference = differs(expected, found, is_ordered=statement.args.get("order") is not None)
        except (PySparkException, SqlglotError) as error:
            difference = f"{type(error).__name__}: {error}"[:1500]
        if difference:
            self.different[text] = difference
        else:
            self.same[text] = max(self.same.get(text, 0), expected.num_rows)

    def hand_over(self, name: str) -> None:
        """Give Spark a relation as DuckDB has it."""
        if name in self.handed:
            return
        stored = f"lake.{name.removeprefix(LAKE_PREFIX)}" if name.startswith(LAKE_PREFIX) else f'"{name}"'
        try:
            rows = self.duck.execute(f"select * from {stored}").to_arrow_table()
        except duckdb.CatalogException:  # what the connection itself lists, as its own views
            return
        for place, field in enumerate(rows.schema):
            if pa.types.is_unsigned_integer(field.type):  # Spark has none
                rows = rows.set_column(place, field.name, rows.column(place).cast(pa.int64()))
        self.spark.register(name, rows)
        self.handed.add(name)


def inner(text: str) -> str:
    """Return the SELECT of a CREATE or INSERT."""
    head, found, rest = text.partition(" as ")
    if text.lstrip().lower().startswith("insert"):
        return "select" + text.partition(" select")[2]
    assert found, head
    return rest


def differs(expected: pa.Table, found: pa.Table, *, is_ordered: bool) -> str:
    """Say the first difference; empty where there is none."""
    if [name.lower() for name in expected.column_names] != [name.lower() for name in found.column_names]:
        return f"columns {expected.column_names} and {found.column_names}"
    if expected.num_rows != found.num_rows:
        return f"{expected.num_rows} and {found.num_rows} rows"
    if are_same(expected, found, is_ordered=is_ordered):
        return ""
    mine, theirs = (plain(table, is_ordered) for table in (expected, found))
    pairs = enumerate(zip(mine, theirs, strict=True))
    place, (one, other) = next((at, both) for at, both in pairs if both[0] != both[1])
    cells = zip(expected.column_names, one, other, strict=True)
    return f"row {place}: {[each for each in cells if each[1] != each[2]]}"[:900]


def are_same(expected: pa.Table, found: pa.Table, *, is_ordered: bool) -> bool:
    """Tell whether two tables hold the same rows as they would be written: as often, in order where there is one."""
    place = ", row_number() over () as row_place" if is_ordered else ""
    one, other = (f"select columns(*)::varchar from (select *{place} from {name})" for name in ("expected", "found"))
    with duckdb.connect() as connection:
        connection.register("expected", expected)
        connection.register("found", found)
        return not connection.execute(f"({one}) except all ({other}) limit 1").fetchall()


def plain(table: pa.Table, is_ordered: bool) -> list[tuple[str, ...]]:
    """Return the rows as they would be written; sorted where the statement has no order."""
    columns = [[str(value) for value in column.to_pylist()] for column in table.columns]
    rows = [*zip(*columns, strict=True)] if columns else []
    return rows if is_ordered else sorted(rows)


class TwinStore(Store):
    """A store that DuckDB answers from, each statement of which is run on Spark too."""

    def __init__(self, site: Site, session: SparkSession, wants: Callable[[str], bool]) -> None:
        self._session, self._wants = session, wants
        super().__init__(site, "both engines")

    def _open(self, snapshot: int | None) -> None:
        self.catalog = Catalog(self.site.folder)
        self.snapshot = self._attach(snapshot)
        self.twin = Twin(self._connection, self._session, self._wants)
        self._connection = self.twin  # type: ignore[assignment]
        create_views(self._connection, setting_rows(self.site))
        self._units = None
