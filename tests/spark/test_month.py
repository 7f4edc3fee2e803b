"""A store that Spark answers: the same answers as DuckDB's, which is not asked, and a month's same result tables."""

from __future__ import annotations

import shutil
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import yaml

from audit_kernel.errors import StoreError
from audit_kernel.site import Site, create_site
from audit_kernel.spark import counting_store
from audit_kernel.spark import store as spark_store
from audit_kernel.spark.connection import NotRunError, SparkConnection
from audit_kernel.spark.session import spark_session
from audit_kernel.spark_settings import SparkSettings
from audit_kernel.store.intake import take_in
from audit_kernel.store.reading import Store
from tests.spark.sites import SMALL, SMALL_WORLD, make_site, with_engine
from tests.store.logs import gerica_file, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = [
    pytest.mark.spark,
    pytest.mark.requires("java"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # Spark leaves its own to be collected
]
PERIOD = {"from_date": date(2026, 10, 1), "to_date": date(2026, 10, 31)}
SOME_PAGES = ["checks/two_places", "checks/third_country", "random_sample", "ranked_findings"]
ASKED = ("reports/activity", "reports/explained_share")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a site with two logs, taken in one after the other, each a snapshot of its own."""
    site = with_engine(create_site(tmp_path / "site", "NO"))
    for days in (range(1, 16), range(16, 32)):
        rows = [
            row(4 * day + place, f"{day:02}.10.2026", f"{8 + place:02}:00:00", f"KA{day % 7:02}")
            for day in days
            for place in range(4)
        ]
        take_in(site, gerica_file(tmp_path / f"{days[0]}.csv", rows), "gerica")
    return site


@pytest.fixture
def session(tmp_path: Path) -> Iterator[SparkSession]:
    """Give Spark without a site; a process has one, and each test ends its own."""
    with spark_session(SparkSettings(master="local[2]", options=dict(SMALL)), "1GB", tmp_path) as started:
        yield started


def given(name: str) -> dict[str, Any]:
    return {**PERIOD, "patient_id": "1042"} if name == "reports/activity" else PERIOD


def test_spark_answers_as_duckdb_does_and_duckdb_is_not_asked(site: Site) -> None:
    with Store(site, "as before") as store:
        expected = {name: store.ask(store.catalog.query(name), given(name)) for name in ASKED}
    with counting_store(site, "on Spark") as store:
        connection: Any = store._connection
        plans: list[str] = []
        asked = connection._rows_of
        connection._rows_of = lambda *statement: plans.append(asked(*statement)) or plans[-1]
        found = {name: store.ask(store.catalog.query(name), given(name)) for name in ASKED}
        assert type(connection).__module__ == "audit_kernel.spark.connection"
        assert plans
        read = {path for frame in plans for path in frame.inputFiles()}
        assert read
        assert all(path.endswith(".parquet") for path in read)
        wrong = store.catalog.query("reports/activity")
        wrong.__dict__["sql"] = "select no_such_column from accesses"
        with pytest.raises(StoreError, match=r"'activity' cannot be run on Spark \(UNRESOLVED_COLUMN"):
            store.ask(wrong, given("reports/activity"))
    for name, answer in expected.items():
        assert answer.table.num_rows > 0
        assert found[name].table.to_pylist() == answer.table.to_pylist()
        assert found[name].rows_searched == answer.rows_searched


def test_of_rows_in_pieces_none_is_lost_though_some_pieces_have_none(session: SparkSession) -> None:
    connection = SparkConnection(session)
    for sizes in ((), (0,), (0, 0, 7), (5, 0, 3), (24, 53, 0, 1, 0)):
        pieces = pa.chunked_array([list(range(size)) for size in sizes], pa.int64())
        times = pa.chunked_array([[[datetime(2026, 10, 1)]] * size for size in sizes], pa.list_(pa.timestamp("us")))
        connection.register("pieces", pa.table({"n": pieces, "at": times}))
        found = connection.execute("select n from pieces").to_arrow_table()
        assert found.column(0).to_pylist() == pieces.to_pylist(), sizes


def test_what_spark_loses_of_given_rows_is_refused(session: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = SparkConnection(session)
    fewer = session.createDataFrame(pa.table({"n": [1]}))
    monkeypatch.setattr(session, "createDataFrame", lambda _rows: fewer)
    with pytest.raises(NotRunError, match="ROWS_LOST"):
        connection.register("pieces", pa.table({"n": [1, 2]}))


def test_a_store_of_which_spark_reads_fewer_rows_is_not_counted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    files = spark_store.stored_files

    def without_one(*given: Any) -> dict[str, list[str]]:
        found = {**files(*given)}
        return {**found, "accesses_by_patient": found["accesses_by_patient"][:1]}

    monkeypatch.setattr(spark_store, "stored_files", without_one)
    with pytest.raises(StoreError, match="other numbers of rows than the log store has, in accesses_by_patient"):
        counting_store(site, "on Spark")


@pytest.mark.soak
def test_some_of_a_small_months_pages_have_the_same_tables_byte_for_byte(tmp_path: Path) -> None:
    site = make_site(tmp_path, "SE", SMALL_WORLD)
    schedule = yaml.safe_dump({"monthly": SOME_PAGES})
    (site.folder / "parameters" / "schedule.yml").write_text(schedule, encoding="utf-8")
    tables = months_are_the_same(site, tmp_path / "other")
    n_findings = {name: len(text.splitlines()) - 1 for name, text in tables.items()}
    assert n_findings["two_places.csv"] == 0  # the first, so that what others found stands behind it
    assert n_findings["third_country.csv"] == n_findings["ranked_findings.csv"] > 0
    assert n_findings["draw.csv"] > 0


@pytest.mark.soak
@pytest.mark.parametrize("country", ["NO", "SE"])
def test_a_months_evidence_has_the_same_tables_byte_for_byte(tmp_path: Path, country: str) -> None:
    tables = months_are_the_same(make_site(tmp_path, country), tmp_path / "other")
    assert len(tables) > 50
    assert len(tables["ranked_findings.csv"].splitlines()) > 50


def months_are_the_same(site: Site, copy: Path) -> dict[str, bytes]:
    """Run a month on Spark, and on DuckDB over a copy of the site; compare each result table's bytes; return them."""
    from audit_kernel.evidence.month import run_month

    shutil.copytree(site.folder, copy)
    tables = []
    for each in (site, with_engine(Site(copy), "duckdb")):
        run = run_month(each, "2026-10", seed="a seed of both")
        run.require_complete()
        folder = run.bag / "data" / "tables"
        tables.append({path.name: path.read_bytes() for path in folder.rglob("*.csv")})
    assert tables[0].keys() == tables[1].keys()
    assert [name for name in tables[0] if tables[0][name] != tables[1][name]] == []
    return tables[0]
