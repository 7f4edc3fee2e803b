"""The checks: findings with their figures, and the events behind them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import yaml

from audit_kernel import statistics
from tests.sql.conftest import SQL, Lake

ASKED = {"false_discovery_rate": Decimal("0.05"), "minimum_openings": 10}


def small_town(lake: Lake) -> None:
    """Give 21 nurses two or three openings of a patient each, two doctors one, and nurse E0 thirty of patient P99."""
    lake.reference("units", unit_id="U1", unit_type="home")
    for number in range(23):
        role = "nurse" if number < 21 else "doctor"
        lake.reference("unit_assignments", employee_id=f"E{number}", unit_id="U1", role=role)
        for opening in range(2 + number % 2 if role == "nurse" else 1):
            lake.access(f"2026-10-05 {opening + 8:02}:00:00", employee_id=f"E{number}", patient_id=f"P{number}")
    for day in range(1, 31):
        lake.access(f"2026-10-{day:02} 08:00:00", employee_id="E0", patient_id="P99")
        lake.access(f"2026-10-{day:02} 08:01:00", employee_id="E0", patient_id="P99")


def test_many_accesses_gives_each_pair_with_the_figures_of_its_peers(lake: Lake) -> None:
    small_town(lake)
    found = lake.query("checks/many_accesses")
    assert len(found) == 24
    first = found[0]
    assert (first["employee_id"], first["patient_id"], first["unit_id"]) == ("E0", "P99", "U1")
    assert (first["measure"], first["n_events"], first["stream"]) == (Decimal(30), 60, "anomaly")
    assert first["expected"] == Decimal("2.4761")
    assert (first["peer_group"], first["reason_code"]) == ("nurse | home", "many_openings_role_and_unit_type")
    values = first["reason_values"]
    assert (values["n_people"], values["n_pairs"], values["n_fewer"], values["percent_fewer"]) == (21, 22, 21, 95)
    assert (values["sum_openings"], values["sum_squares"]) == (52 + 30, 11 * 4 + 10 * 9 + 900)
    doctors = [row for row in found if row["employee_id"] in ("E21", "E22")]
    assert {(row["peer_group"], row["reason_code"], row["reason_values"]["n_people"]) for row in doctors} == {
        ("*", "many_openings_all", 23)
    }


def test_many_accesses_with_its_statistics_keeps_the_one_who_stands_out(lake: Lake) -> None:
    small_town(lake)
    text = (SQL / "checks" / "many_accesses.sql").read_text(encoding="utf-8")
    names = yaml.safe_load((SQL / "checks" / "many_accesses.yml").read_text(encoding="utf-8"))["statistics"]
    rows = lake.connection.execute(text, lake.bound(text)).to_arrow_table()
    kept = statistics.assess(rows, names, ASKED).to_pylist()
    assert [(row["employee_id"], row["patient_id"]) for row in kept] == [("E0", "P99")]
    assert kept[0]["tail_probability"] < Decimal("0.001")


def test_a_role_too_small_at_its_unit_type_is_compared_with_the_whole_role(lake: Lake) -> None:
    for number in range(20):
        unit = "U1" if number else "U2"
        lake.reference(
            "units", unit_id=unit, unit_type="home" if number else "ward", delivered=f"2026-01-{number + 1:02}"
        )
        lake.reference("unit_assignments", employee_id=f"E{number}", unit_id=unit, role="nurse")
        lake.access("2026-10-05 08:00:00", employee_id=f"E{number}")
    found = lake.query("checks/many_accesses")
    assert {(row["peer_group"], row["reason_code"]) for row in found} == {("nurse", "many_openings_role")}


def test_many_accesses_leaves_out_what_is_no_access_or_has_no_known_patient(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00")
    lake.access("2026-10-05 09:00:00", outcome="denied")
    lake.access("2026-10-05 10:00:00", log_type="Brukersøk")
    lake.access("2026-10-05 11:00:00", table_name="Journal", record_ref="J9")
    lake.access("2026-10-05 12:00:00", employee_id=None)
    lake.access("2026-11-05 12:00:00", employee_id="E2")
    assert [(row["employee_id"], row["n_events"]) for row in lake.query("checks/many_accesses")] == [("E1", 1)]


def test_a_findings_id_is_the_same_when_more_was_taken_in(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00")
    (before,) = lake.query("checks/many_accesses")
    lake.access("2026-10-05 09:00:00", patient_id="P2")
    after = {row["patient_id"]: row["finding_id"] for row in lake.query("checks/many_accesses")}
    assert after["P1"] == before["finding_id"] != after["P2"]


def test_the_events_behind_a_finding_are_that_pairs_accesses(lake: Lake) -> None:
    lake.reference("identifiers", kind="patient", identifier="4711", id="P1")
    lake.access("2026-10-05 08:00:00", patient_id="4711")
    lake.access("2026-10-05 09:00:00", outcome="denied")
    lake.access("2026-10-05 10:00:00", patient_id="P2")
    lake.access("2026-10-05 11:00:00", employee_id="E2")
    subject = {"employee_id": "E1", "patient_id": "P1"}
    assert [row["recorded_at"].hour for row in lake.query("checks/many_accesses.events", **subject)] == [8]


def test_every_search_for_a_blocked_patient_is_a_finding(lake: Lake) -> None:
    search: dict[str, Any] = {"log_type": "Brukersøk sperret"}
    lake.access("2026-10-05 08:00:00", **search)
    lake.access("2026-10-05 08:00:00", **search)
    lake.access("2026-10-05 09:00:00", log_type="Brukersøk")
    lake.access("2026-10-05 10:00:00")
    found = lake.query("checks/blocked_searches")
    assert [(row["stream"], row["n_events"], row["first_at"].hour) for row in found] == [("breach", 1, 8)] * 2
    assert len({row["finding_id"] for row in found}) == 2
    events = lake.query("checks/blocked_searches.events", employee_id="E1", patient_id="P1")
    assert [row["recorded_at"].hour for row in events] == [8, 8, 9, 10]


def test_blocked_searches_need_a_log_that_marks_them_or_block_dates(lake: Lake) -> None:
    assert lake.rows("select * from block_data") == []
    lake.reference("patients", patient_id="P1", blocked_from="2026-01-01")
    lake.insert("lake.intake_files", {"source_id": "gerica", "taken_in_at": "2026-10-01"})
    found = lake.rows("select source_id, code from block_data order by source_id")
    assert [tuple(row.values()) for row in found] == [
        ("gerica", "Brukersøk sperret"),
        ("reference:patients", "blocked_from"),
    ]
