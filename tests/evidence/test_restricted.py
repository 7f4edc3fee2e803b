"""What is kept apart, row by row: whose rows, from which tables, and never from the random sample."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pyarrow
import pytest

from audit_kernel.catalog import Catalog
from audit_kernel.evidence.check_page import CheckPage
from audit_kernel.evidence.restricted import KeptApart, notice, part_of_run, told
from audit_kernel.evidence.run_file import RunFile
from audit_kernel.query import Result
from tests.sql.conftest import Lake

APART = KeptApart(frozenset({"E1"}), frozenset({"P2"}), 2)
TABLE = pyarrow.table({"employee_id": ["E1", "E2", "E3", None], "patient_id": ["P1", "P2", "P3", None]})


def run(tmp_path: Path, *, shows_restricted: bool = False, apart: KeptApart = APART) -> RunFile:
    apart.write(tmp_path)
    file = tmp_path / "kept_apart.json"
    assert file.stat().st_mode & 0o077 == 0
    assert json.loads(file.read_text(encoding="utf-8"))["n_findings"] == apart.n_findings
    return RunFile("", 0, "", 1, "", kept_apart=str(file), shows_restricted=shows_restricted)


def rows(name: str, given: RunFile) -> list[tuple[str | None, str | None]]:
    result = Result(Catalog().query(name), TABLE, {}, 0, 0)
    return [tuple(row.values()) for row in part_of_run(result, given).table.to_pylist()]


def test_a_row_about_a_listed_employee_or_patient_is_apart_and_a_row_about_nobody_is_not():
    ordinary, apart = APART.split(TABLE)
    assert ordinary.to_pylist() == [
        {"employee_id": "E3", "patient_id": "P3"},
        {"employee_id": None, "patient_id": None},
    ]
    assert apart.column("employee_id").to_pylist() == ["E1", "E2"]
    counts = pyarrow.table({"unit_id": ["U1"], "n_patients": [3]})
    assert APART.split(counts) == (counts, counts)
    assert KeptApart().split(TABLE)[1].num_rows == 0


@pytest.mark.parametrize("name", ["checks/own_record", "checks/many_accesses"])
def test_an_ordinary_run_shows_the_one_part_of_a_check_and_the_restricted_run_the_other(tmp_path, name):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    shown = rows(name, run(tmp_path / "one")), rows(name, run(tmp_path / "two", shows_restricted=True))
    assert shown == ([("E3", "P3"), (None, None)], [("E1", "P1"), ("E2", "P2")])


def test_the_random_sample_and_a_single_report_stay_whole(tmp_path):
    assert len(rows("sample/draw", run(tmp_path))) == TABLE.num_rows
    assert len(rows("checks/own_record", RunFile("", 0, "", 1, ""))) == TABLE.num_rows


def test_days_picked_for_their_risk_are_somebodys_choice_and_kept_apart_too(tmp_path):
    query = SimpleNamespace(room="sample", name="targeted")
    result = Result(query, TABLE, {}, 0, 0)  # type: ignore[arg-type]
    assert part_of_run(result, run(tmp_path)).table.num_rows == 2


def test_pages_say_that_something_is_kept_only_where_it_is_and_never_how_much_of_it(tmp_path):
    said = notice(run(tmp_path), "sv")
    assert len(said) == 1
    assert not [mark for mark in said[0] if mark.isdigit()]
    (tmp_path / "none").mkdir()
    assert notice(run(tmp_path / "none", apart=KeptApart(frozenset({"E1"}))), "sv") == []
    assert notice(RunFile("", 0, "", 1, ""), "sv") == []
    assert told(0, "nb") == []
    assert told(1234, "nb")[0].startswith("1\N{NO-BREAK SPACE}234 funn er forbeholdt")


def test_the_reporting_line_is_every_manager_of_the_month_and_nobody_else():
    lake = Lake()
    lake.reference("employees", employee_id="E1", manager_id="M1")
    lake.reference("employees", employee_id="E2", manager_id=None)
    lake.reference("employees", employee_id="E3", manager_id="M3", valid_from=date(2026, 11, 1))
    lake.reference("employees", employee_id="E4", manager_id="M4", valid_to=date(2026, 10, 1))
    lake.reference("employees", employee_id="E5", manager_id="M5", valid_to=date(2026, 10, 2))
    lake.reference("employees", employee_id="E6", manager_id="M6", valid_from=date(2026, 10, 31))
    lake.reference("units", unit_id="U1", manager_id="M7")
    text = (Path(__file__).parents[2] / "sql" / "review" / "reporting_line.sql").read_text(encoding="utf-8")
    found = lake.rows(text, first_date=date(2026, 10, 1), last_date=date(2026, 10, 31))
    assert [row["manager_id"] for row in found] == ["M1", "M5", "M6", "M7"]


def test_a_spot_check_says_how_many_were_drawn_though_all_of_them_are_kept_apart(tmp_path):
    """Nothing of this kind would be untrue, and the draw could not be repeated."""
    drawn = TABLE.slice(0, 2).append_column("n_frame", pyarrow.array([2, 2]))
    shown: list[object] = []
    page = SimpleNamespace(
        query=SimpleNamespace(beside=lambda _part: "frame"), result="answered", given={}, seed="dice", language="en",
        whole_answer=lambda _query, _given: Result(SimpleNamespace(room="checks", name="x"), drawn, {}, 0, 0),
        run=run(tmp_path), name="x", _number=str, _show=shown.append,
        table_of=lambda result, _name: shown.append(result.table.num_rows),
    )  # fmt: skip
    CheckPage.spot_check(page)
    assert "2 of 2 were drawn" in shown[1].text
    assert shown[2] == 0
