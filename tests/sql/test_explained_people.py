"""Reasons searched for over a few people's accesses: fast, and never more than the whole period would show."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from audit_kernel import explanations
from audit_kernel.explanations import Explanation, explain_people, explain_period, searched
from tests.sql.conftest import SQL, Lake, utc_midnight

REASONS = ("administrative_mandate", "collaborative_group", "documented_care", "on_shift")
PERIOD = {"start_at": utc_midnight("2026-10-01"), "end_at": utc_midnight("2026-11-01")}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    found = [Explanation(name, SQL / "explanations" / f"{name}.sql") for name in REASONS]
    monkeypatch.setattr(explanations, "explanations", lambda _site: found)
    return SimpleNamespace(folder=tmp_path)


def explain(lake: Lake, site: Any, asked: str = "pair", **people: str | None) -> None:
    bound = {"patient_id": None, "employee_id": None, **PERIOD, **people}
    explain_people(lake.connection, site, bound, date(2026, 10, 1), asked)


def pairs(lake: Lake, relation: str) -> list[tuple[str, str]]:
    return [
        (row["employee_id"], row["patient_id"])
        for row in lake.rows(f"select distinct employee_id, patient_id from {relation} order by all")
    ]


def work(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00", employee_id="E1", patient_id="P1")
    lake.access("2026-10-05 09:00:00", employee_id="E1", patient_id="P1", log_type="Skriving")
    lake.access("2026-10-05 08:00:00", employee_id="E1", patient_id="P2")
    lake.access("2026-10-05 08:00:00", employee_id="E2", patient_id="P1")
    lake.access("2026-10-05 09:00:00", employee_id="E2", patient_id="P3", log_type="Skriving")


def test_a_pair_is_explained_by_the_employees_own_rows_and_nobody_elses_are_read(lake: Lake, site: Any) -> None:
    work(lake)
    explain(lake, site, employee_id="E1", patient_id="P1")
    assert pairs(lake, "period_accesses") == [("E1", "P1"), ("E1", "P2")]
    assert pairs(lake, "asked_accesses") == [("E1", "P1")]
    assert [row["reason"] for row in lake.rows("select distinct reason from explained_accesses")] == ["documented_care"]


def test_all_that_an_employee_opened_is_asked_about_whatever_patient_is_named(lake: Lake, site: Any) -> None:
    work(lake)
    explain(lake, site, "employee", employee_id="E1", patient_id="P1")
    assert pairs(lake, "asked_accesses") == [("E1", "P1"), ("E1", "P2")]
    assert pairs(lake, "unexplained_accesses") == [("E1", "P2")]


def test_a_patient_alone_is_asked_about_with_every_reader(lake: Lake, site: Any) -> None:
    work(lake)
    lake.access("2026-10-05 08:00:00", employee_id="E3", patient_id="P4")
    explain(lake, site, patient_id="P1")
    assert pairs(lake, "asked_accesses") == [("E1", "P1"), ("E2", "P1")]
    # what else the readers did is known: who writes about others may have a mandate; who did not read is not there
    assert pairs(lake, "period_accesses") == [("E1", "P1"), ("E1", "P2"), ("E2", "P1"), ("E2", "P3")]
    assert [row for row in pairs(lake, "unexplained_accesses") if row[1] == "P1"] == [("E2", "P1")]


def test_a_reason_that_needs_everybody_is_not_searchable_and_one_of_own_rows_is(lake: Lake, site: Any) -> None:
    work(lake)
    lake.reference("roles", role="clerk", mandate="administration")
    explain(lake, site, employee_id="E1")
    known = dict(searched(lake.connection))
    assert known == {
        "administrative_mandate": True,
        "collaborative_group": False,
        "documented_care": True,
        "on_shift": False,
    }


def test_the_whole_period_is_made_anew_when_it_is_next_asked_about(lake: Lake, site: Any) -> None:
    work(lake)
    for _repeated in range(2):
        explain_period(lake.connection, site, PERIOD, date(2026, 10, 1))
        assert lake.rows("select count(*) as n from period_accesses") == [{"n": 5}]
        assert dict(searched(lake.connection))["collaborative_group"]
        explain(lake, site, employee_id="E1", patient_id="P1")
        assert lake.rows("select count(*) as n from period_accesses") == [{"n": 3}]


def test_every_reason_that_reads_the_period_says_whose_rows_it_needs() -> None:
    read = {
        path.stem: Explanation(path.stem, path).needs_everybody
        for path in (SQL / "explanations").glob("*.sql")
        if "period_accesses" in path.read_text(encoding="utf-8")
    }
    assert read == {"administrative_mandate": False, "collaborative_group": True, "documented_care": False}
