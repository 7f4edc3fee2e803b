"""The ranking of a month's findings: who looks at what, in which order, and what falls outside the time there is."""

from __future__ import annotations

from tests.sql.conftest import Lake
from tests.sql.period import rank

AT = "2026-10-05 08:00:00"


def finding(name: str, **given: object) -> dict[str, object]:
    plain: dict[str, object] = {
        "finding_id": name, "check_id": "many_accesses", "stream": "anomaly", "employee_id": "E1", "patient_id": name,
        "unit_id": "U1", "first_at": AT, "last_at": AT, "n_events": 1, "severity": 2,
    }  # fmt: skip
    return plain | given


def test_a_finding_goes_to_the_nearest_manager_else_the_units_and_never_to_the_person_itself(lake: Lake) -> None:
    lake.reference("employees", employee_id="E1", manager_id="M1")
    lake.reference("employees", employee_id="E3", manager_id=None)
    lake.reference("units", unit_id="U1", manager_id="M2")
    lake.reference("units", unit_id="U9", manager_id="M9")
    rank(
        lake,
        [
            finding("a"),
            finding("b", employee_id="E3"),
            finding("c", employee_id="M9", unit_id="U9"),
            finding("d", employee_id=None, unit_id=None),
        ],
    )
    found = {row["finding_id"]: row["reviewer_id"] for row in lake.query("reports/ranked_findings")}
    assert found == {"a": "M1", "b": "M2", "c": "-", "d": "-"}


def test_unexplained_and_grave_come_first_corrections_last_and_nothing_is_dropped(lake: Lake) -> None:
    rank(
        lake,
        [
            finding("explained", explanation_found="on_shift", severity=3),
            finding("light", severity=1, employee_id="E2"),
            finding("grave", severity=3),
            finding("correction", stream="targeted", severity=3),
        ],
    )
    found = lake.query("reports/ranked_findings", findings_per_manager=2)
    assert [(row["finding_id"], row["is_within_budget"]) for row in found] == [
        ("grave", True),
        ("light", True),
        ("explained", False),
        ("correction", False),
    ]


def test_what_several_checks_point_at_comes_before_what_one_does(lake: Lake) -> None:
    rank(
        lake,
        [
            finding("a", patient_id="P1"),
            finding("b", patient_id="P2"),
            finding("c", patient_id="P2", check_id="media_interest"),
        ],
    )
    found = lake.query("reports/ranked_findings", findings_per_manager=20)
    assert [(row["finding_id"], row["n_findings_of_pair"]) for row in found] == [("b", 2), ("c", 2), ("a", 1)]


def test_one_persons_many_patients_do_not_crowd_out_the_next_person(lake: Lake) -> None:
    rank(
        lake,
        [
            *[finding(f"browser{number}", severity=3, employee_id="E1") for number in range(3)],
            finding("neighbour", severity=1, employee_id="E2"),
        ],
    )
    found = lake.query("reports/ranked_findings", findings_per_manager=2)
    assert [(row["finding_id"], row["is_within_budget"]) for row in found] == [
        ("browser0", True),
        ("neighbour", True),
        ("browser1", False),
        ("browser2", False),
    ]


def test_findings_about_one_employee_and_patient_are_one_review(lake: Lake) -> None:
    rank(
        lake,
        [
            finding("a", patient_id="P1"),
            finding("b", patient_id="P1", check_id="own_record"),
            finding("c", patient_id=None, check_id="slow_browsing"),
            finding("d", patient_id=None, check_id="prints_and_exports"),
        ],
    )
    found = lake.query("reports/ranked_findings", findings_per_manager=1)
    assert {row["finding_id"]: row["review"] for row in found} == {"c": 1, "d": 1, "a": 2, "b": 2}
    assert {row["finding_id"] for row in found if row["is_within_budget"]} == {"c", "d"}
