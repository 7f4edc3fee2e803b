"""Whose a record is, and whether that patient stands in the patient list."""

from __future__ import annotations

from tests.sql.conftest import Lake


def patients_of_records(lake: Lake) -> list[tuple[str, bool]]:
    found = lake.rows("select patient_id, is_patient_unresolved from accesses order by recorded_at")
    return [(row["patient_id"], row["is_patient_unresolved"]) for row in found]


def test_a_key_list_may_name_the_patient_by_the_record_systems_own_number(lake: Lake) -> None:
    lake.reference("identifiers", system="gerica", kind="patient", identifier="4711", id="P1", valid_to="2026-10-07")
    lake.reference("identifiers", system="gerica", kind="patient", identifier="4711", id="P2", valid_from="2026-10-08")
    lake.reference("record_keys", source_id="gerica", table_name="Journal", record_ref="J1", patient_id="4711")
    lake.reference("record_keys", table_name="Journal", record_ref="J2", patient_id="P2")
    for day in (6, 7, 8):
        lake.access(f"2026-10-0{day} 08:00:00", table_name="Journal", record_ref="J1")
    lake.access("2026-10-09 08:00:00", table_name="Journal", record_ref="J2")
    assert patients_of_records(lake) == [("P1", False), ("Journal:J1", True), ("P2", False), ("P2", False)]
    assert [row["n_accesses"] for row in lake.query("reports/activity", patient_id="P2")] == [2]


def test_a_patients_own_number_is_looked_up_once_only(lake: Lake) -> None:
    lake.reference("identifiers", system="gerica", kind="patient", identifier="4711", id="1001")
    lake.reference("identifiers", system="gerica", kind="patient", identifier="1001", id="P9")
    lake.access("2026-10-05 08:00:00", patient_id="4711")
    assert patients_of_records(lake) == [("1001", False)]


def test_patients_outside_the_list_count_only_where_there_is_a_list(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00", patient_id="P7")
    lake.access("2026-10-05 09:00:00", table_name="Journal", record_ref="J9")
    lake.access("2026-10-05 10:00:00", table_name="Rapport", patient_id=None)
    counts = []
    for name in ("before", "after"):
        (row,) = lake.query("reports/completeness", first="2026-10-05", last="2026-10-05")
        counts.append((name, row["n_patients_not_in_list"]))
        lake.reference("patients", patient_id="P1")
    assert counts == [("before", 0), ("after", 1)]
