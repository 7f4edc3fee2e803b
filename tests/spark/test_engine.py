"""What is decided before Spark starts: which stores it reads, how it is started, and that nothing answers for it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
import sqlglot
from sqlglot.errors import UnsupportedError

from audit_kernel import spark
from audit_kernel.errors import SettingsError, StoreError
from audit_kernel.evidence import answers
from audit_kernel.site import SETTINGS_FILE, Site, create_site
from audit_kernel.spark import counting_store
from audit_kernel.spark.lake import compact, stored_files, with_deletes
from audit_kernel.spark.session import configuration
from audit_kernel.spark.transpile import named_parameters, parsed, spark_sql
from audit_kernel.spark_settings import SparkSettings
from audit_kernel.store.intake import take_in
from audit_kernel.store.reading import Store
from audit_kernel.store_settings import StoreSettings
from tests.spark.sites import delete_some, with_engine
from tests.store.logs import attached, gerica_file, row

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
PERIOD = {"from_date": date(2026, 10, 1), "to_date": date(2026, 10, 31)}


def spark_text(text: str, **values: object) -> str:
    return spark_sql(parsed(text), {}, values)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a site for Spark with a log of 200 rows."""
    folder = tmp_path_factory.mktemp("plain")
    site = with_engine(create_site(folder / "site", "NO"))
    take_in(site, gerica_file(folder / "a.csv", [row(number) for number in range(1, 201)]), "gerica")
    return site


@pytest.fixture
def site(made: Site, tmp_path: Path) -> Site:
    """Return a copy that a test may change."""
    shutil.copytree(made.folder, tmp_path / "site")
    return Site(tmp_path / "site")


def count(site: Site) -> object:
    with attached(site) as connection:
        return connection.execute("select count(*) from lake.accesses_by_patient").fetchall()[0][0]


def test_a_store_for_spark_is_not_encrypted_and_an_encrypted_one_is_refused(site: Site, tmp_path: Path) -> None:
    with attached(site) as connection:
        files = stored_files(connection, site, 2)
    assert [Path(name).read_bytes()[:4] for name in files["accesses_by_patient"]] == [b"PAR1"]
    encrypted = create_site(tmp_path / "encrypted", "NO")
    take_in(encrypted, gerica_file(tmp_path / "b.csv", [row(1)]), "gerica")
    with attached(encrypted) as connection, pytest.raises(StoreError, match="are encrypted") as refused:
        stored_files(connection, encrypted, 2)
    assert "take the same files in" in refused.value.remedy


def test_a_store_made_for_spark_is_not_written_with_other_settings(site: Site, tmp_path: Path) -> None:
    other = with_engine(site, "duckdb")
    with pytest.raises(StoreError, match="not encrypted: it was made for Spark"):
        take_in(other, gerica_file(tmp_path / "b.csv", [row(900)]), "gerica")
    assert count(site) == 200
    with Store(other, "reading goes on") as store:
        assert store.sql("select count(*) as n from accesses").column(0).to_pylist() == [200]


def test_files_with_deleted_rows_are_written_anew_before_they_are_read(site: Site) -> None:
    delete_some(site)
    with attached(site) as connection:
        snapshot = connection.execute("select max(snapshot_id) from lake.snapshots()").fetchall()[0][0]
        assert with_deletes(connection, snapshot) == ["accesses_by_employee", "accesses_by_patient"]
        with pytest.raises(StoreError, match="rows of accesses_by_employee, accesses_by_patient are deleted"):
            stored_files(connection, site, snapshot)
    before = count(site)
    compact(site)
    with attached(site) as connection:
        snapshot = connection.execute("select max(snapshot_id) from lake.snapshots()").fetchall()[0][0]
        assert with_deletes(connection, snapshot) == []
        assert stored_files(connection, site, snapshot)["accesses_by_patient"]
    assert count(site) == before == 197


def test_files_in_an_object_store_are_refused_with_a_way_out(site: Site) -> None:
    elsewhere = Site(site.folder)
    elsewhere.settings = site.settings.model_copy(update={"store": StoreSettings(files="s3://bucket/heimen")})
    with attached(site) as connection, pytest.raises(StoreError, match="object store") as refused:
        stored_files(connection, elsewhere, 2)
    assert "audit-kernel store move --files" in refused.value.remedy


def test_without_the_extra_the_engine_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "NEEDED", ("pyspark", "no_such_package"))
    with pytest.raises(SettingsError, match="but no_such_package is not installed"):
        counting_store(site, "month")


def test_spark_on_one_machine_listens_on_the_loopback_and_shows_no_page(tmp_path: Path) -> None:
    options = configuration(SparkSettings(master="local[2]"), "3GB", tmp_path)
    assert options["spark.driver.host"] == options["spark.driver.bindAddress"] == "127.0.0.1"
    assert options["spark.ui.enabled"] == "false"
    assert options["spark.authenticate"] == options["spark.io.encryption.enabled"] == "true"
    assert options["spark.driver.memory"] == "3g"
    assert not [name for name in options if name.startswith("spark.jars")]
    assert "spark.driver.host" not in configuration(SparkSettings(master="spark://node1:7077"), "3GB", tmp_path)


def test_no_option_of_a_cluster_changes_an_answer(tmp_path: Path) -> None:
    given = {"spark.sql.session.timeZone": "Europe/Oslo", "spark.ui.enabled": "true", "spark.executor.memory": "8g"}
    options = configuration(SparkSettings(options=given), "3GB", tmp_path)
    assert options["spark.sql.session.timeZone"] == "UTC"
    assert options["spark.ui.enabled"] == "false"
    assert options["spark.executor.memory"] == "8g"


@pytest.mark.parametrize("master", ["local", "local[0]", "http://node1", "spark://node1:7077;rm"])
def test_an_address_that_is_no_clusters_is_refused(tmp_path: Path, master: str) -> None:
    site = create_site(tmp_path / "site", "NO")
    with (site.folder / SETTINGS_FILE).open("a", encoding="utf-8") as file:
        file.write(f'engine: spark\nspark: {{master: "{master}"}}\n')
    with pytest.raises(SettingsError, match=r"spark\.master"):
        Site(site.folder)


def test_what_spark_did_not_answer_nothing_else_answers(site: Site, tmp_path: Path) -> None:
    with Store(site, "a page of the month") as store:
        query = store.catalog.query("reports/activity")
        given = {**PERIOD, "patient_id": "1042"}
        with pytest.raises(StoreError, match="'activity' was not answered by Spark"):
            answers.answer_of(str(tmp_path), store, query, given)
        key = answers._key(query, given)
        (tmp_path / f"{key}{answers.REFUSED}").touch()
        with pytest.raises(StoreError, match="'activity' was not answered by Spark"):
            answers.kept(tmp_path, site, query, given)
        assert answers.answer_of("", store, query, given).table.num_rows == 1


def test_what_duckdb_answers_is_kept_as_before(site: Site, tmp_path: Path) -> None:
    with Store(with_engine(site, "duckdb"), "a page of the month") as store:
        query = store.catalog.query("reports/activity")
        given = {**PERIOD, "patient_id": "1042"}
        assert answers.answer_of(str(tmp_path), store, query, given).table.num_rows == 1


def test_a_refusal_of_spark_is_kept_for_the_page(site: Site, tmp_path: Path) -> None:
    class Refusing:
        def __init__(self, site: Site) -> None:
            self.site = site

        def ask(self, *_asked: object) -> None:
            raise StoreError("The query {query!r} cannot be run on Spark ({cause}).", query="activity", cause="X")

    with Store(site, "a page of the month") as store:
        query = store.catalog.query("reports/activity")
        assert answers._answered(Refusing(site), query, PERIOD, tmp_path) == []
        with pytest.raises(StoreError, match="activity"):
            answers.answer_of(str(tmp_path), store, query, PERIOD)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select a / b from t", "CAST(a AS DOUBLE) / NULLIF(CAST(b AS DOUBLE), 0)"),
        ("select a // b from t", "a DIV NULLIF(b, 0)"),
        ("select a // 60 from t", "a DIV 60"),
        ("select date_diff('minute', a, b) from t", "timestampdiff(MINUTE, date_trunc('MINUTE', a)"),
        ("select date_diff('microsecond', a, b) from t", "timestampdiff(MICROSECOND, a, b)"),
        ("select date_diff('day', a, b) from t", "datediff(b, a)"),
        ("select date_diff('day', a, b) // (c // d) from t", "datediff(b, a) DIV NULLIF(c DIV NULLIF(d, 0), 0)"),
        ("select date_trunc('hour', a) from t", "CAST(DATE_TRUNC('HOUR', a) AS TIMESTAMP_NTZ)"),
        ("select extract(second from a) from t", "second(a)"),
        ("select percentile_cont(0.5) within group (order by x) filter (where y) from t", "percentile(x, 0.5) FILTER"),
        ("select cast(a as uuid) from t", "CONCAT_WS('-', SUBSTRING(a, 1, 8)"),
        ("select array_agg(a order by b) from t", "NAMED_STRUCT('key_0', b, 'value', a)"),
        ("select array_agg(distinct a order by a) from t", "COLLECT_SET(NAMED_STRUCT('value', a))"),
        ("select regexp_replace(a, '^x(.)$', '\\1') from t", "'$1'"),
        ("select a from lake.intake_files", "lake_intake_files AS intake_files"),
    ],
)
def test_what_the_two_read_differently_is_written_for_spark(text: str, expected: str) -> None:
    assert expected.lower() in spark_text(text).lower()


def test_a_frames_length_is_a_whole_number_and_no_text_gets_into_it() -> None:
    text = (
        "select sum(n) over (order by at range between $minutes * interval '1' minute preceding and current row) from t"
    )
    assert "INTERVAL '7' MINUTE" in spark_text(text, minutes=7).upper()
    with pytest.raises(ValueError, match="invalid literal"):
        spark_text(text, minutes="1' MINUTE PRECEDING); DROP")


def test_two_lists_side_by_side_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="two lists"):
        parsed("select unnest([1, 2]) as a, unnest(['x', 'y']) as b")


def test_values_stay_names_in_the_text() -> None:
    text = "select a from t where b = $who and c = ?"
    assert named_parameters(text) == {"who", "value_1"}
    assert ":who" in spark_text(text)


def test_every_file_of_the_package_has_a_text_for_spark() -> None:
    root = Path(__file__).parents[2] / "sql"
    files = [path for room in ("checks", "explanations", "model", "period", "reports", "sample") for path in
             sorted((root / room).glob("*.sql"))]  # fmt: skip
    assert len(files) > 180
    for path in files:
        text = path.read_text(encoding="utf-8")
        written = spark_text(text, **dict.fromkeys(named_parameters(text), 3))
        assert sqlglot.parse_one(written, read="spark")
        assert "PERCENTILE_APPROX" not in written, path
