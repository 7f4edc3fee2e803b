"""What every query file and its description must keep to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
import yaml

from tests.sql.conftest import SQL, Lake, read_path, yaml_of
from tests.sql.period import keep_use, make_period, make_trial, rank

MODELS: list[str] = yaml.safe_load((SQL / "model" / "order.yml").read_text(encoding="utf-8"))
ROOMS = ("reports", "checks", "sample")
LANGUAGES = {"en", "sv", "nb"}
FINDING = [
    "finding_id",
    "check_id",
    "stream",
    "employee_id",
    "patient_id",
    "unit_id",
    "first_at",
    "last_at",
    "n_events",
    "measure",
    "expected",
    "tail_probability",
    "peer_group",
    "reason_code",
    "reason_values",
    "severity",
    "explanation_found",
    "explanations_absent",
    "explanations_not_searchable",
]
FOLDERS = ("model", "period", "review", "sensitivity", "explanations", *ROOMS)
FILES = sorted(path for folder in FOLDERS for path in (SQL / folder).glob("*.sql"))
QUERIES = sorted(path for room in ROOMS for path in (SQL / room).glob("*.sql") if "." not in path.stem)
EVENTS = sorted(SQL.glob("checks/*.events.sql"))
PARTS = sorted(path for part in ("counts", "matrix") for path in SQL.glob(f"checks/*.{part}.sql"))
FRAMES = sorted(SQL.glob("checks/*.frame.sql"))
FRAME = ["stratum", "unit_key", "employee_id", "patient_id", "local_date", "unit_id", "first_at", "last_at", "n_events"]
TYPES = {
    "text": "VARCHAR", "id": "VARCHAR", "code": "VARCHAR", "integer": "INTEGER|BIGINT", "decimal": "DECIMAL.*",
    "percent": "DECIMAL.*", "date": "DATE", "timestamp": "TIMESTAMP", "boolean": "BOOLEAN",
}  # fmt: skip


@pytest.fixture(scope="module")
def lake() -> Iterator[Lake]:
    """Return one empty lake for all descriptions: they read no row."""
    made = Lake()
    make_period(made)
    rank(made, [])
    make_trial(made)
    keep_use(made, [])
    yield made
    made.connection.close()


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def description(path: Path) -> dict[str, Any]:
    name = path.stem.split(".")[0]
    found: dict[str, Any] = dict(yaml_of(path.with_name(f"{name}.yml")))
    if path.parent.name == "checks":
        finding = yaml_of(SQL / "finding.yml")
        found["columns"] = finding["columns"] | found.get("columns", {})
    return found


def described(lake: Lake, path: Path) -> dict[str, str]:
    """Return columns and types that a query really gives."""
    text = path.read_text(encoding="utf-8")
    given: dict[str, Any] = {"unit_keys": ["a"], "seed": "a", "sample_size": 1, "minimum_per_stratum": 1}
    given |= {"sample_plan": "days", "sample_strata": "unit_id", "minimum_per_manager": 1, "first_stage_size": 0}
    lake.read_first(f"{path.parent.name}/{path.stem.split('.')[0]}", **given)
    rows = lake.rows(f"describe {text}", **lake.bound(text, **given))
    return {row["column_name"]: row["column_type"] for row in rows}


def declared(columns: dict[str, Any]) -> list[str]:
    """Return the SQL's columns: a localised one stands for three."""
    names: list[str] = []
    for name, column in columns.items():
        names += [f"{name}_{language}" for language in ("en", "sv", "nb")] if column.get("localised") else [name]
    return names


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_is_one_short_select_that_ends_in_its_last_step(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    statements = sqlglot.parse(text, read="duckdb")
    assert len(statements) == 1
    assert isinstance(statements[0], sqlglot.exp.Select)
    lines = text.splitlines()
    assert len(lines) <= 100
    assert max(len(line) for line in lines) <= 120
    last_step = re.findall(r"^(\w+) as \($", text, re.MULTILINE)[-1]
    assert re.fullmatch(rf"select \* from {last_step}( order by [\w, ]+)?", lines[-1])
    code = re.sub(r"'[^']*'|--.*", "", text)
    assert code == code.lower()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_keeps_to_what_spark_understands_and_what_is_repeatable(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    sqlglot.transpile(text, read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)
    words = (
        r"asof|any_value|approx_\w+|first\(|quantile_cont|isodow|timezone|qualify|string_agg|list\(|now\(|random|double"
    )
    assert not re.search(rf"\b({words})", re.sub("--.*", "", text))


@pytest.mark.parametrize("path", QUERIES + EVENTS + PARTS, ids=name_of)
def test_a_result_has_an_order(path: Path) -> None:
    assert " order by " in path.read_text(encoding="utf-8").splitlines()[-1]


@pytest.mark.parametrize("path", QUERIES, ids=name_of)
def test_the_described_columns_are_the_real_ones(lake: Lake, path: Path) -> None:
    columns = description(path)["columns"]
    real = described(lake, path)
    assert declared(columns) == list(real)
    for name, column in columns.items():
        kind = real[f"{name}_en" if column.get("localised") else name]
        if name not in ("reason_values", "explanations_absent", "explanations_not_searchable"):
            assert re.fullmatch(TYPES[column["type"]], kind), (name, kind)
        assert "DOUBLE" not in kind
        assert "HUGEINT" not in kind


@pytest.mark.parametrize("path", PARTS, ids=name_of)
def test_the_columns_of_a_part_are_described(lake: Lake, path: Path) -> None:
    columns = description(path)[path.stem.split(".")[1]]
    real = described(lake, path)
    assert declared(columns) == list(real)
    for name, column in columns.items():
        kind = real[f"{name}_en" if column.get("localised") else name]
        assert re.fullmatch(TYPES[column["type"]], kind), (name, kind)


@pytest.mark.parametrize("path", FRAMES, ids=name_of)
def test_a_frame_has_the_columns_that_the_draw_reads(lake: Lake, path: Path) -> None:
    assert list(described(lake, path)) == FRAME


@pytest.mark.parametrize("path", QUERIES, ids=name_of)
def test_every_parameter_is_declared(path: Path) -> None:
    parameters = description(path).get("parameters", {})
    names = {"start_at", "end_at"} if any(each["type"] == "period" for each in parameters.values()) else set()
    names |= {name for name, each in parameters.items() if each["type"] != "period"}
    texts = [path, *(read_path(path, name) for name in description(path).get("reads", []))]
    used = {
        name
        for each in texts
        for name in duckdb.extract_statements(each.read_text(encoding="utf-8"))[0].named_parameters
    }
    if description(path).get("of_people"):  # the relations that it reads are made of whom it is asked about
        used |= names & {"start_at", "end_at", "patient_id", "employee_id"}
    if "use_lines" in description(path)["needs"]:  # up to which line the log is read, the relations are made by
        used |= names & {"use_log"}
    assert used <= names | {"public_holidays"}
    statistics = (
        {
            "false_discovery_rate",
            "minimum_openings",
            "unaccounted_tail",
            "minimum_unaccounted_doses",
            "unaccounted_alert_tail",
        }
        if description(path).get("statistics")
        else set()
    )
    assert names - used <= statistics
    assert set(description(path).get("one_of", [])) <= names


@pytest.mark.parametrize("path", QUERIES, ids=name_of)
def test_every_text_is_there_in_three_languages(path: Path) -> None:
    def texts(value: object, where: str) -> None:
        if isinstance(value, dict):
            if LANGUAGES & set(value):
                assert set(value) == LANGUAGES, where
                assert all(str(text).strip() for text in value.values()), where
                placeholders = {language: set(re.findall(r"{(\w+)}", text)) for language, text in value.items()}
                assert placeholders["en"] == placeholders["sv"] == placeholders["nb"], where
            for key, each in value.items():
                texts(each, f"{where}.{key}")

    found = description(path)
    texts(found, path.stem)
    for key in ("title", "question", "method"):
        assert set(found[key]) == LANGUAGES
    for column in found["columns"].values():
        assert set(column["label"]) == set(column["meaning"]) == LANGUAGES


@pytest.mark.parametrize("path", QUERIES, ids=name_of)
def test_the_law_and_the_thresholds_cited_are_known(path: Path) -> None:
    parameters = SQL.parent / "parameters"
    law = yaml.safe_load((parameters / "legal_basis.yml").read_text(encoding="utf-8"))
    thresholds = yaml.safe_load((parameters / "thresholds.yml").read_text(encoding="utf-8"))
    found = description(path)
    assert found["legal_basis"]
    assert set(found["legal_basis"]) <= set(law)
    assert {each["threshold"] for each in found["parameters"].values() if "threshold" in each} <= set(thresholds)


@pytest.mark.parametrize("name", ["legal_basis", "thresholds"])
def test_the_law_and_the_reasons_are_there_in_three_languages(name: str) -> None:
    entries = yaml.safe_load((SQL.parent / "parameters" / f"{name}.yml").read_text(encoding="utf-8"))
    for entry in entries.values():
        for each in entry if isinstance(entry, list) else [entry]:
            assert set(each["reason" if isinstance(entry, list) else "asks"]) == LANGUAGES


@pytest.mark.parametrize("name", MODELS)
def test_a_model_views_columns_are_described(lake: Lake, name: str) -> None:
    found = description(SQL / "model" / f"{name}.sql")
    assert found["meaning"]
    assert list(found["columns"]) == [row["column_name"] for row in lake.rows(f"describe {name}")]
    assert all(found["columns"].values())


def test_every_model_file_stands_in_the_order() -> None:
    assert sorted(MODELS) == sorted(path.stem for path in (SQL / "model").glob("*.sql"))


@pytest.mark.parametrize("path", sorted(SQL.glob("checks/*.yml")), ids=name_of)
def test_a_check_gives_findings_sentences_and_events(lake: Lake, path: Path) -> None:
    found = description(path)
    assert list(found["columns"]) == FINDING
    assert found["criterion"]
    assert found["complete"], "which logs must be whole, lest it say that nothing was found"
    events = path.parent / found["events"]
    detailed = description(SQL / "reports" / "detailed_activity.sql")["columns"]
    assert list(described(lake, events)) == declared(detailed)
    struct = described(lake, path.with_suffix(".sql"))["reason_values"]
    for sentence in found["sentences"].values():
        assert set(re.findall(r"{(\w+)}", sentence["en"])) <= set(re.findall(r"\"?(\w+)\"? [A-Z]", struct))
