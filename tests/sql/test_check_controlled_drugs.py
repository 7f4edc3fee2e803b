"""The plain counts of controlled drugs, who is compared with whom, and how well skimming is found."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from audit_kernel.catalog import Catalog
from tests.sql.conftest import Lake
from tests.sql.drug_log import TUNED, drug_log
from tests.sql.drug_measure import fill, found, measure
from tests.sql.drugs import THRESHOLDS, drug, surround

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECK = "checks/controlled_drugs"


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[Lake, Any]]:
    """Return a made-up month with two who skim, and what is known of it."""
    lake, log = Lake(threads=2), drug_log(804, 2, TUNED, (26, 30))
    fill(lake, log)
    yield lake, log
    lake.connection.close()


def people(lake: Lake) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the figures of each employee and kind."""
    rows = lake.query(CHECK, **THRESHOLDS)
    return {(row["employee_id"], row["reason_code"]): row["reason_values"] for row in rows}


def test_withdrawals_signings_and_their_ratio_stand_for_all_and_each_unit_drug_and_person(lake: Lake) -> None:
    for day in ("05", "06", "07"):
        drug(lake, f"{day} 08:00", "withdrawal")
    drug(lake, "05 08:10", "administration", employee_id="E2", unit_id="U2")
    drug(lake, "05 08:20", "administration", employee_id=None, drug_code="N05", drug_name=None)
    drug(lake, "2026-11-01 08:00:00", "withdrawal")
    rows = lake.query(f"{CHECK}.counts", **THRESHOLDS)
    assert [tuple(row.values())[:6] for row in rows] == [
        (None, None, None, 3, 2, Decimal("66.6")),
        (None, None, "-", 0, 1, None),
        (None, None, "E1", 3, 0, Decimal(0)),
        (None, None, "E2", 0, 1, None),
        (None, "Morfin 10 mg", None, 3, 1, Decimal("33.3")),
        (None, "N05 10 mg", None, 0, 1, None),
        ("U1", None, None, 3, 1, Decimal("33.3")),
        ("U2", None, None, 0, 1, None),
    ]


def test_a_shift_counts_once_and_a_day_where_none_is_recorded(lake: Lake) -> None:
    for status, first, last in (
        (None, "05 07:00", "05 15:00"), ("absent", "06 07:00", "06 15:00"), ("worked", "07 21:00", "08 06:00"),
    ):  # fmt: skip
        lake.reference(
            "shifts", employee_id="E1", unit_id="U1", kind="shift", status=status,
            starts_at=f"2026-10-{first}:00", ends_at=f"2026-10-{last}:00",
        )  # fmt: skip
    for at in ("05 06:30", "05 15:29", "05 15:30", "06 08:00", "07 23:00", "08 05:00"):
        drug(lake, at, "withdrawal")
    values = people(lake)["E1", "unsigned_doses"]
    # E1 has two shifts, and two days: half an hour after the shift, and the day of absence
    assert (values["n_shifts"], values["n_days"], values["n_handled"], values["exposure"]) == (2, 2, 6, Decimal(4))


def test_a_shift_is_weighed_by_the_doses_handled(lake: Lake) -> None:
    for number in range(9):
        drug(lake, f"05 08:0{number}", "withdrawal")
    drug(lake, "05 08:00", "withdrawal", employee_id="E2")
    drug(lake, "05 08:10", "waste", employee_id="E2", witness_id="E1")
    drug(lake, "05 09:00", "return", employee_id="E3")
    exposures = {name: values["exposure"] for (name, _kind), values in people(lake).items()}
    # 3 days of work, 11 doses
    assert exposures == {"E1": Decimal("2.4545"), "E2": Decimal("0.5454"), "E3": Decimal(0)}


def test_a_dose_counts_once_in_the_gravest_kind_and_slips_apart(lake: Lake) -> None:
    surround(lake)
    lake.reference("patient_flags", patient_id="P9", flag="deceased", valid_from="2026-10-01")
    drug(lake, "04 08:00", "withdrawal", patient_id="P9", employee_id="E5")  # unsigned too
    drug(lake, "04 09:00", "administration", patient_id="P9", employee_id="E6")  # takes no dose away
    drug(lake, "05 08:00", "withdrawal", employee_id="E5")
    drug(lake, "05 08:10", "waste", employee_id="E5", witness_id="E5")
    drug(lake, "06 08:00", "withdrawal", employee_id="E5")
    drug(lake, "06 08:10", "waste", employee_id="E5", witness_id="E6")
    drug(lake, "07 08:00", "withdrawal", employee_id="E5")
    drug(lake, "08 08:00", "withdrawal", employee_id="E5", prescription_ref=None)
    drug(lake, "08 12:00", "administration", employee_id="E5", prescription_ref=None)
    figures = people(lake)
    kinds = ("patient_gone", "unwitnessed_waste", "unsigned_doses")
    assert [figures["E5", kind]["n_found"] for kind in kinds] == [1, 1, 1]
    assert figures["E5", "patient_gone"]["n_slips"] == 2
    assert figures["E6", "patient_gone"]["n_found"] == 0
    drug(lake, "04 10:00", "withdrawal", patient_id="P9", employee_id="E5")
    assert people(lake)["E5", "patient_gone"]["n_found"] == 2


def test_those_who_skim_are_found_among_careless_colleagues(made: tuple[Lake, Any]) -> None:
    lake, log = made
    named = {row["employee_id"] for row in found(lake)}
    assert len(log.skimmed) == 2
    assert set(log.skimmed) <= named
    assert len(named - set(log.skimmed)) <= 1
    assert len(log.people) == 72


def test_nobody_is_found_where_no_chance_is_small_enough(made: tuple[Lake, Any]) -> None:
    lake, _log = made
    assert found(lake, unaccounted_tail=0) == []
    assert found(lake, minimum_unaccounted_doses=10_000) == []


def test_a_month_of_slips_alone_asks_about_nobody() -> None:
    counts = measure([803], 0, TUNED, (0, 0))
    assert counts["honest, not found"] >= 71


def test_a_finding_has_its_figures_and_no_patient(made: tuple[Lake, Any]) -> None:
    lake, _log = made
    first = found(lake)[0]
    assert (first["check_id"], first["stream"], first["patient_id"]) == ("controlled_drugs", "anomaly", None)
    assert first["measure"] > first["expected"] > 0
    assert first["tail_probability"] <= Decimal("0.005")
    assert first["reason_values"]["n_found"] >= 3


def test_days_of_an_employee_and_patient_are_drawn_from(lake: Lake) -> None:
    drug(lake, "05 08:00", "withdrawal")
    drug(lake, "05 08:10", "administration")
    drug(lake, "06 08:00", "count", 5)
    rows = lake.query(f"{CHECK}.frame", **THRESHOLDS)
    assert [(row["stratum"], row["unit_key"], row["n_events"]) for row in rows] == [("U1", "E1|P1|2026-10-05", 2)]


def test_the_rows_behind_a_finding_are_those_of_its_employee_and_patient(lake: Lake) -> None:
    lake.reference("patients", patient_id="P1", name="Anna")
    drug(lake, "05 08:00", "withdrawal", 0.5)
    drug(lake, "05 08:10", "waste", witness_id="E7")
    drug(lake, "05 08:20", "administration", patient_id="P2")
    drug(lake, "05 08:30", "administration", employee_id="E2")
    drug(lake, "05 08:40", "count", 5)

    def shown(**asked: str) -> list[tuple[Any, ...]]:
        rows = lake.query(f"{CHECK}.events", **asked)
        return [(row["activity_sv"], row["access_type_sv"], row["patient_name"]) for row in rows]

    both = shown(employee_id="E1", patient_id="P1")
    assert both == [
        ("Uttag: Morfin 10 mg, 0.5000 tablett", None, "Anna"),
        ("Kassation: Morfin 10 mg, 1.0000 tablett", "E7", "Anna"),
    ]
    assert len(shown(employee_id="E1")) == 4
    assert [activity for activity, *_rest in shown()] == ["Inventering: Morfin 10 mg, 5.0000 tablett"]


def test_a_step_is_no_check_and_a_change_of_it_changes_the_hash(tmp_path: Any) -> None:
    catalog = Catalog()
    assert not [name for name in catalog.queries if ".step" in name or "drug_rows" in name]
    query = catalog.query("controlled_drugs", "checks")
    assert query.steps[0][0] == "drug_rows"
    folder = tmp_path / "sql" / "checks"
    folder.mkdir(parents=True)
    (folder / "mine.sql").write_text("select 1", encoding="utf-8")
    (folder / "mine.yml").write_text(
        (query.path.parent / "controlled_drugs.yml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    for name in query.description.reads:
        (folder / f"{name}.step.sql").write_text("select 1 as a", encoding="utf-8")
    before = Catalog(tmp_path).query("mine").sql_hash
    (folder / "drug_care.step.sql").write_text("select 2 as a", encoding="utf-8")
    assert Catalog(tmp_path).query("mine").sql_hash != before
