"""Each class of entries about controlled drugs to correct, with the row that must not be one."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.sql.conftest import Lake
from tests.sql.drugs import THRESHOLDS, codes, corrections, drug, surround

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def made() -> Iterator[Lake]:
    """Return one lake for all tests of the file: making one takes longer than the test."""
    one = Lake()
    yield one
    one.connection.close()


@pytest.fixture
def lake(made: Lake) -> Lake:
    """Return the lake without any row."""
    for table in ("medication_events", *made.delivered):
        made.connection.execute(f"delete from lake.{table}")
    return made


@pytest.fixture
def known(lake: Lake) -> Lake:
    """Return a lake whose log of drugs begins before October and ends after it."""
    surround(lake)
    return lake


def findings(lake: Lake) -> dict[str, dict[str, Any]]:
    return {row["reason_code"]: row for row in lake.query("checks/drug_corrections", **THRESHOLDS)}


@pytest.mark.parametrize("kind", ["administration", "waste", "return", "transfer"])
def test_a_withdrawal_is_closed_by_what_became_of_the_dose(known: Lake, kind: str) -> None:
    drug(known, "05 08:00", "withdrawal")
    drug(known, "05 08:10", kind, witness_id="E2")
    assert corrections(known) == []


def test_a_withdrawal_without_more_is_unsigned(known: Lake) -> None:
    drug(known, "05 08:00", "withdrawal", 2)
    drug(known, "05 08:00", "withdrawal", patient_id="P2")
    drug(known, "05 08:05", "administration", patient_id="P2", employee_id="E2")
    assert corrections(known) == [("unsigned", "E1", "P1", 1)]
    found = findings(known)["unsigned"]
    assert (found["stream"], found["severity"], found["reason_values"]["amount"]) == ("targeted", 1, Decimal(2))
    assert found["reason_values"]["drug"] == "Morfin 10 mg"


@pytest.mark.parametrize("parts", [(1, 1), (0.5, 0.5, 1), (1.5, 0.5)])
def test_one_withdrawal_may_be_signed_in_parts(known: Lake, parts: tuple[float, ...]) -> None:
    drug(known, "05 08:00", "withdrawal", 2)
    for number, part in enumerate(parts):
        drug(known, f"05 08:{10 + number}", "administration", part)
    assert corrections(known) == []


def test_two_withdrawals_may_be_signed_at_once(known: Lake) -> None:
    drug(known, "05 08:00", "withdrawal")
    drug(known, "05 08:05", "withdrawal")
    drug(known, "05 08:10", "administration", 2)
    assert corrections(known) == []


def test_what_is_not_signed_of_a_dose_stays_open(known: Lake) -> None:
    drug(known, "05 08:00", "withdrawal", 2)
    drug(known, "05 08:10", "administration", 0.5)
    drug(known, "05 08:12", "waste", 0.5, witness_id="E2")
    assert findings(known)["unsigned"]["reason_values"]["amount"] == Decimal(1)


def test_an_unsigned_dose_is_not_put_on_the_next_ones_withdrawal(known: Lake) -> None:
    drug(known, "05 08:00", "withdrawal", employee_id="E1")
    for hour in (12, 16, 20):
        drug(known, f"05 {hour}:00", "withdrawal", employee_id="E2")
        drug(known, f"05 {hour}:10", "administration", employee_id="E2")
    assert corrections(known) == [("unsigned", "E1", "P1", 1)]


@pytest.mark.parametrize(("signed", "expected"), [("10:00", []), ("10:01", ["late"])])
def test_a_dose_is_late_after_the_set_minutes(known: Lake, signed: str, expected: list[str]) -> None:
    drug(known, "05 08:00", "withdrawal")
    drug(known, f"05 {signed}", "administration")
    assert codes(known) == expected


@pytest.mark.parametrize(("signed", "expected"), [("06 08:00", ["late"]), ("06 08:01", ["not_withdrawn", "unsigned"])])
def test_after_the_hours_searched_a_dose_is_unsigned(known: Lake, signed: str, expected: list[str]) -> None:
    drug(known, "05 08:00", "withdrawal")
    drug(known, signed, "administration")
    assert codes(known) == expected


def test_a_signing_just_before_its_withdrawal_belongs_to_it(known: Lake) -> None:
    drug(known, "05 07:00", "withdrawal", employee_id="E2")
    drug(known, "05 08:00", "administration")
    drug(known, "05 08:05", "withdrawal")
    assert corrections(known) == [("unsigned", "E2", "P1", 1)]


def test_a_signing_without_withdrawal_is_one_to_correct(known: Lake) -> None:
    drug(known, "05 08:00", "withdrawal")
    drug(known, "05 08:10", "administration")
    drug(known, "05 08:11", "administration", employee_id="E2")
    assert corrections(known) == [("not_withdrawn", "E2", "P1", 1)]


def test_other_drugs_strengths_and_patients_close_nothing(known: Lake) -> None:
    drug(known, "05 08:00", "withdrawal")
    drug(known, "05 08:10", "administration", strength="20 mg")
    drug(known, "05 08:10", "administration", drug_code="N02AA05", drug_name="Oxikodon")
    drug(known, "05 08:10", "administration", patient_id="P2", employee_id="E2")
    assert sorted(codes(known)) == ["not_withdrawn"] * 3 + ["unsigned"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ["wrong_patient"]),
        ({"at": "05 10:01"}, ["not_withdrawn", "unsigned"]),
        ({"employee_id": "E2"}, ["not_withdrawn", "unsigned"]),
        ({"quantity": 2}, ["not_withdrawn", "unsigned"]),
    ],
)
def test_the_same_dose_signed_on_another_patient_is_a_mistaken_patient(
    known: Lake, change: dict[str, Any], expected: list[str]
) -> None:
    drug(known, "05 08:00", "withdrawal")
    drug(known, **{"at": "05 08:10", "kind": "administration", "patient_id": "P2", **change})
    assert codes(known) == expected


@pytest.mark.parametrize(
    ("witness", "expected"),
    [("E2", []), (None, [("waste_not_witnessed", "targeted", 1)]), ("E1", [("waste_by_oneself", "breach", 2)])],
)
def test_waste_needs_another_witness(known: Lake, witness: str | None, expected: list[tuple[Any, ...]]) -> None:
    drug(known, "04 08:00", "count", 10, witness_id="E2")
    drug(known, "05 08:00", "withdrawal")
    drug(known, "05 08:10", "waste", witness_id=witness)
    rows = known.query("checks/drug_corrections", **THRESHOLDS)
    assert [(row["reason_code"], row["stream"], row["severity"]) for row in rows] == expected


def test_a_log_without_witnesses_is_not_searched_for_them(known: Lake) -> None:
    drug(known, "05 08:00", "withdrawal")
    drug(known, "05 08:10", "waste")
    assert corrections(known) == []
    searchable = {
        row["class_en"]: row["is_searchable"] for row in known.query("checks/drug_corrections.counts", **THRESHOLDS)
    }
    assert searchable == {
        "Withdrawn; not signed, wasted or returned": True,
        "Signed, wasted or returned without a withdrawal": True,
        "Signed late": True,
        "Signed on another patient than withdrawn for": True,
        "Waste without a witness": False,
        "Waste witnessed by oneself": False,
        "After the patient's death": False,
        "After the patient's last stay": False,
        "Without a prescription": True,
        "Without a licence or delegation": False,
        "At a unit without assignment or shift": False,
        "Stock counts that do not fit": False,
        "Quantity, unit of quantity, drug or patient unclear": True,
    }


def test_the_day_after_death_no_dose_is_due_but_waste_is(known: Lake) -> None:
    known.reference("patient_flags", patient_id="P1", flag="deceased", valid_from="2026-10-05")
    known.reference("patient_flags", patient_id="P2", flag="deceased")  # on what day is not known
    for day, patient in (("05", "P1"), ("06", "P1"), ("06", "P2")):
        drug(known, f"{day} 08:00", "withdrawal", patient_id=patient)
        drug(known, f"{day} 08:10", "waste", patient_id=patient, witness_id="E2")
    assert corrections(known) == [("after_death", "E1", "P1", 1)]
    assert (findings(known)["after_death"]["stream"], findings(known)["after_death"]["severity"]) == ("breach", 3)


@pytest.mark.parametrize(("at", "expected"), [("06 10:00", []), ("06 10:01", ["after_discharge"])])
def test_a_dose_after_the_last_stay_is_asked_about(known: Lake, at: str, expected: list[str]) -> None:
    known.reference(
        "stays", patient_id="P1", unit_id="U1", starts_at="2026-09-01 10:00:00", ends_at="2026-10-05 10:00:00"
    )
    known.reference(
        "stays", patient_id="P1", unit_id="U1", starts_at="2026-10-20 10:00:00", ends_at="2026-10-25 10:00:00"
    )
    drug(known, at, "withdrawal")
    drug(known, at, "return")
    drug(known, at, "withdrawal", patient_id="P2")  # whose stays are not known
    drug(known, at, "return", patient_id="P2")
    drug(known, "21 08:00", "withdrawal")
    drug(known, "21 08:10", "return")
    assert codes(known) == expected


def test_a_dose_without_prescription_is_completed(known: Lake) -> None:
    drug(known, "05 08:00", "withdrawal", prescription_ref=None)
    drug(known, "05 08:10", "administration", prescription_ref=None)
    drug(known, "05 09:00", "withdrawal", patient_id="P2")
    drug(known, "05 09:10", "administration", patient_id="P2")
    assert corrections(known) == [("no_prescription", "E1", "P1", 2)]


def test_a_log_without_prescriptions_is_not_searched_for_them(lake: Lake) -> None:
    for at in ("2026-09-29 08:00:00", "05 08:00", "2026-11-01 20:00:00"):
        drug(lake, at, "withdrawal", prescription_ref=None)
        drug(lake, at, "administration", prescription_ref=None)
    assert corrections(lake) == []


@pytest.mark.parametrize(
    ("delegation", "expected"),
    [
        ({}, []),
        ({"task": "controlled_drugs", "unit_id": "U1", "patient_id": "P1", "drug_code": "N02"}, []),
        ({"task": "injection"}, ["no_delegation"]),
        ({"unit_id": "U2"}, ["no_delegation"]),
        ({"patient_id": "P2"}, ["no_delegation"]),
        ({"drug_code": "N05"}, ["no_delegation"]),
        ({"valid_to": "2026-10-05"}, ["no_delegation"]),
        ({"employee_id": "E9"}, ["no_delegation"]),
    ],
)
def test_a_role_without_licence_needs_a_delegation_that_fits(
    known: Lake, delegation: dict[str, Any], expected: list[str]
) -> None:
    known.reference("unit_assignments", employee_id="E1", unit_id="U1", role="Helsefagarbeider")
    known.reference("unit_assignments", employee_id="E2", unit_id="U1", role="sykepleier")
    known.reference(
        "delegations", **{"employee_id": "E1", "task": "give_medicine", "valid_from": "2026-01-01", **delegation}
    )
    for employee in ("E1", "E2", "E3"):  # the last one's role is not known
        drug(known, "05 08:00", "withdrawal", employee_id=employee)
        drug(known, "05 08:10", "administration", employee_id=employee)
    assert codes(known) == expected


def test_a_unit_without_assignment_or_shift_is_cleared_up(known: Lake) -> None:
    known.reference("unit_assignments", employee_id="E1", unit_id="U2", valid_to="2026-10-05")
    known.reference("unit_assignments", employee_id="E1", unit_id="U3")
    shift = {"employee_id": "E1", "unit_id": "U2", "kind": "shift"}
    known.reference("shifts", **shift, starts_at="2026-10-06 08:30:00", ends_at="2026-10-06 12:00:00")
    known.reference("shifts", **shift, status="swapped", starts_at="2026-10-07 07:00:00", ends_at="2026-10-07 12:00:00")
    for at, unit in (
        ("04 08:00", "U2"),
        ("05 08:00", "U2"),
        ("06 08:00", "U2"),
        ("07 08:00", "U2"),
        ("07 09:00", "U3"),
    ):
        drug(known, at, "withdrawal", unit_id=unit)
        drug(known, at, "administration", unit_id=unit)
    drug(known, "07 10:00", "withdrawal", employee_id="E9")  # of whom no register knows
    drug(known, "07 10:00", "administration", employee_id="E9")
    rows = known.query("checks/drug_corrections", **THRESHOLDS)
    assert [(row["reason_code"], row["unit_id"], row["n_events"], row["reason_values"]["n_dates"]) for row in rows] == [
        ("other_unit", "U2", 4, 2)
    ]


@pytest.mark.parametrize(
    "change",
    [{"quantity_unit": "ml"}, {"quantity_unit": None}, {"quantity": None}, {"quantity": 0}, {"quantity": -1}],
)
def test_a_second_unit_of_quantity_or_none_leaves_the_balance_open_and_says_so(
    known: Lake, change: dict[str, Any]
) -> None:
    drug(known, "05 08:00", "withdrawal")
    drug(known, **{"at": "05 08:10", "kind": "administration", "quantity": 1, **change})
    drug(known, "05 08:00", "withdrawal", strength="20 mg")
    drug(known, "05 08:10", "administration", strength="20 mg", quantity_unit=" Tablett")
    assert corrections(known) == [("not_assessable", "E1", "P1", 2)]
    rows = known.query("checks/drug_corrections.matrix", **THRESHOLDS)
    assert {(row["is_assessable"], row["balance"]) for row in rows} == {(False, None)}
    assert sum(row["n_not_assessable"] for row in people_counts(known) if row["employee_id"] == "E1") == 2


def people_counts(lake: Lake) -> list[dict[str, Any]]:
    return lake.query("checks/controlled_drugs.counts", **THRESHOLDS)


@pytest.mark.parametrize("change", [{"patient_id": None}, {"drug_code": None, "drug_name": None}])
def test_a_row_without_patient_or_drug_cannot_be_assessed(known: Lake, change: dict[str, Any]) -> None:
    drug(known, "05 08:00", "withdrawal", **change)
    assert codes(known) == ["not_assessable"]


def test_what_touches_the_edge_of_the_known_log_is_left_out(lake: Lake) -> None:
    drug(lake, "01 08:00", "administration", patient_id="P3")  # withdrawn before the log began, maybe
    drug(lake, "30 08:00", "withdrawal")
    drug(lake, "30 08:01", "withdrawal", patient_id="P2")
    drug(lake, "31 08:00", "withdrawal", patient_id="P4")
    assert corrections(lake) == [("unsigned", "E1", "P1", 1)]


def test_a_dose_that_begins_or_ends_outside_the_period_is_whole(known: Lake) -> None:
    drug(known, "2026-09-30 21:50:00", "withdrawal")
    drug(known, "2026-09-30 22:10:00", "administration")
    drug(known, "2026-10-31 22:50:00", "withdrawal")
    drug(known, "2026-10-31 23:10:00", "administration")
    assert corrections(known) == []


def counted(lake: Lake, *counts: tuple[str, float], **row: Any) -> None:
    for at, quantity in counts:
        drug(lake, at, "count", quantity, witness_id="E2", **row)


def test_a_stock_count_follows_withdrawals_returns_waste_and_transfers(known: Lake) -> None:
    counted(known, ("02 08:00", 50), ("09 08:00", 62), ("16 08:00", 52), ("23 08:00", 52), ("30 08:00", 51))
    drug(known, "03 08:00", "withdrawal", 10)
    drug(known, "03 08:10", "administration", 7)
    drug(known, "03 08:15", "return", 2)
    drug(known, "03 08:20", "waste", 1, witness_id="E2")
    drug(known, "04 08:00", "transfer", 20, patient_id=None)  # came in: 50 - 10 + 2 + 20
    drug(known, "10 08:00", "transfer", 10, patient_id=None)  # went out
    assert corrections(known) == [("stock_count", None, None, 1)]
    found = findings(known)["stock_count"]
    assert (found["unit_id"], found["reason_values"]["amount"], found["severity"]) == ("U1", Decimal(-1), 1)


def test_waste_and_returns_without_a_patient_leave_the_cabinet(known: Lake) -> None:
    counted(known, ("02 08:00", 50), ("09 08:00", 45), ("16 08:00", 45))
    drug(known, "03 08:00", "waste", 3, patient_id=None, witness_id="E2")
    drug(known, "03 09:00", "return", 2, patient_id=None)
    assert corrections(known) == []


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((50, 50, 49), ["stock_count"]), ((50, 50, 49, 48), ["stock_not_followed"]), ((50,), [])],
)
def test_where_most_counts_do_not_fit_no_single_one_is_judged(
    known: Lake, counts: tuple[int, ...], expected: list[str]
) -> None:
    counted(known, *((f"{2 + 7 * number:02d} 08:00", quantity) for number, quantity in enumerate(counts)))
    assert codes(known) == expected


def test_counts_in_two_units_of_quantity_are_not_judged(known: Lake) -> None:
    counted(known, ("02 08:00", 50), ("09 08:00", 40))
    counted(known, ("16 08:00", 40), quantity_unit="ask")
    assert codes(known) == ["stock_not_assessable"]


def test_the_balance_is_what_was_withdrawn_less_what_became_of_it(known: Lake) -> None:
    drug(known, "05 08:00", "withdrawal", 10)
    for number, (kind, quantity) in enumerate(
        (("administration", 4), ("waste", 1), ("return", 2), ("transfer", 0.5)), start=1
    ):
        drug(known, f"05 08:0{number}", kind, quantity, witness_id="E2")
    drug(known, "06 08:00", "withdrawal", patient_id="P2")
    drug(known, "06 08:01", "administration", patient_id="P2")
    rows = known.query("checks/drug_corrections.matrix", **THRESHOLDS)
    assert [tuple(map(str, row.values())) for row in rows] == [
        ("P1", "Morfin 10 mg", "tablett", "1", "1", "10.0000", "4.0000", "1.0000", "2.0000", "0.5000", "2.5000", "True")
    ]


def test_rows_of_one_employee_patient_and_drug_are_one_task_with_its_own_number(known: Lake) -> None:
    for day in ("05", "07", "09"):
        drug(known, f"{day} 08:00", "withdrawal")
        drug(known, f"{day} 09:00", "withdrawal", employee_id="E2")
        drug(known, f"{day} 08:00", "withdrawal", strength="20 mg")
    rows = known.query("checks/drug_corrections", **THRESHOLDS)
    assert [row["n_events"] for row in rows] == [3, 3, 3]
    assert len({row["finding_id"] for row in rows}) == 3
