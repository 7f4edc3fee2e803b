"""The reference files of plans, ties and rights: who they name, what follows from whom, and what they miss."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

import pytest
import yaml

from audit_kernel.catalog import resource_folder
from audit_kernel.demo.extra_hours import make_extra_hours
from audit_kernel.demo.generator import generate
from audit_kernel.demo.places import make_units
from audit_kernel.demo.roster import make_shifts
from audit_kernel.demo.settings import WorldSettings, calendar_of
from audit_kernel.demo.staff import make_staff
from tests.oracle import read_reference

if TYPE_CHECKING:
    from pathlib import Path

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Path]]:
    """Return the files of a small world of each country that misses nothing."""
    settings = WorldSettings(n_months=2, activity=0.1, missing_share=0.0)
    folder = tmp_path_factory.mktemp("worlds")
    return {
        country: generate(folder / country, settings=settings, country=country).reference_files
        for country in ("NO", "SE")
    }


@pytest.fixture(params=["NO", "SE"])
def country(request: pytest.FixtureRequest) -> str:
    """Return the country of the world."""
    return str(request.param)


@pytest.fixture
def rows(worlds: dict[str, dict[str, Path]], country: str) -> dict[str, Rows]:
    """Return the rows of each file."""
    return {kind: list(read_reference(path)) for kind, path in worlds[country].items()}


def test_every_kind_has_the_columns_of_its_mapping_in_their_order(rows: dict[str, Rows]) -> None:
    mappings = resource_folder("parameters") / "sources"
    assert {path.stem.removeprefix("reference_") for path in mappings.glob("reference_*.yml")} == set(rows)
    for kind, of_kind in rows.items():
        columns = yaml.safe_load((mappings / f"reference_{kind}.yml").read_text(encoding="utf-8"))["columns"]
        header = list(of_kind[0])
        assert header == [name for name in columns if name in header]
        assert all(rule.get("optional") for name, rule in columns.items() if name not in header)


def test_all_ids_stand_in_the_lists_of_people_and_units(rows: dict[str, Rows]) -> None:
    kinds = (("employee_id", "employees"), ("patient_id", "patients"), ("unit_id", "units"))
    known = {name: {row[name] for row in rows[kind]} for name, kind in kinds}
    managers = {row["manager_id"] for kind in ("employees", "units") for row in rows[kind]} - {""}
    assert managers
    assert managers <= known["employee_id"]
    for kind, of_kind in rows.items():
        for name, ids in known.items():
            if kind != "record_keys" or name != "patient_id":
                assert {row[name] for row in of_kind if row.get(name)} <= ids


def test_staff_who_are_patients_are_the_same_person_and_kin_often_share_the_surname(rows: dict[str, Rows]) -> None:
    employees = {row["employee_id"]: row for row in rows["employees"]}
    patients = {row["patient_id"]: row for row in rows["patients"]}
    pairs = [(employees[row["employee_id"]], patients[row["patient_id"]], row["relation"]) for row in rows["relations"]]
    for employee, patient, relation in pairs:
        is_one = employee["personal_number"] == patient["personal_number"]
        assert is_one == (relation == "self")
    shared = Counter(relation for employee, patient, relation in pairs if employee["surname"] == patient["surname"])
    kinds = Counter(relation for _employee, _patient, relation in pairs)
    assert shared["spouse"] > kinds["spouse"] / 2
    assert shared["parent"] > kinds["parent"] / 3
    assert len({row["personal_number"] for row in patients.values()}) == 900


def test_couples_live_in_one_household(rows: dict[str, Rows]) -> None:
    home = {row["employee_id"] or row["patient_id"]: row["household_id"] for row in rows["households"]}
    couples = [row for row in rows["relations"] if row["relation"] in ("spouse", "partner", "self")]
    assert len(couples) == 18
    assert all(home[row["employee_id"]] == home[row["patient_id"]] for row in couples)
    neighbours = [row for row in rows["relations"] if row["relation"] == "neighbour"]
    assert all(home[row["employee_id"]] != home.get(row["patient_id"]) for row in neighbours)


def test_the_dead_are_marked_on_the_day_their_stay_ends(rows: dict[str, Rows]) -> None:
    died = {row["patient_id"]: row["valid_from"] for row in rows["patient_flags"] if row["flag"] == "deceased"}
    ended = {row["patient_id"]: row["ends_at"][:10] for row in rows["stays"] if row["end_reason"] == "deceased"}
    assert died == ended
    assert len(died) == 6
    reasons = Counter(row["end_reason"] for row in rows["stays"])
    assert reasons["discharged"] == 9
    assert reasons["moved"] > 9
    assert all(bool(row["end_reason"]) == bool(row["ends_at"]) for row in rows["stays"])


def test_the_roster_has_overtime_on_call_swaps_and_absences(rows: dict[str, Rows]) -> None:
    kinds = Counter((row["kind"], row["status"]) for row in rows["shifts"])
    expected = {("shift", "worked"), ("overtime", "worked"), ("on_call", "planned")}
    assert set(kinds) == expected | {("shift", "swapped"), ("shift", "absent")}
    assert min(kinds.values()) > 30
    assert kinds["shift", "worked"] > 0.85 * kinds.total()


def test_nobody_is_swapped_or_absent_on_a_day_at_work() -> None:
    calendar = calendar_of("2026-10", 2)
    staff = make_staff(1, calendar, make_units())
    shifts = make_shifts(1, calendar, staff.duties)
    extra = make_extra_hours(1, calendar, staff.duties, shifts)
    at_work = {(staff.duties[one.duty].employee, one.day) for one in shifts}
    assert len(extra.swapped) + len(extra.absent) > 100
    for one in [*extra.swapped, *extra.absent]:
        assert (staff.duties[one.duty].employee, one.day) not in at_work


def test_every_role_has_a_mandate_and_rights_that_differ(rows: dict[str, Rows]) -> None:
    roles = {row["role"]: row["mandate"] for row in rows["roles"]}
    assert {row["role"] for row in rows["unit_assignments"]} == set(roles)
    assert set(roles.values()) >= {"care", "administration"}
    rights = {
        role: {(row["table_name"], row["action"]) for row in rows["role_permissions"] if row["role"] == role}
        for role in roles
    }
    assert all(rights.values())
    assert len({frozenset(each) for each in rights.values()}) > 3


def test_doctors_and_therapists_have_appointments_and_referrals_before_them(rows: dict[str, Rows]) -> None:
    kinds = Counter((row["kind"], row["status"]) for row in rows["appointments"])
    assert set(kinds) == {("appointment", "done"), ("appointment", "missed"), ("home_visit", "done")}
    first: dict[str, str] = {}
    for row in rows["appointments"]:
        if row["kind"] == "appointment":
            key = row["patient_id"] + row["unit_id"]
            first[key] = min(first.get(key, "9999"), row["starts_at"][:10])
    asked = {row["patient_id"] + row["to_unit_id"]: row["valid_from"] for row in rows["referrals"]}
    assert 0.4 * len(first) < len(asked.keys() & first.keys()) < len(first)
    assert all(asked[key] < first[key] for key in asked.keys() & first.keys())


def test_people_in_the_news_have_their_days(rows: dict[str, Rows]) -> None:
    news = rows["media_interest"]
    assert len({row["patient_id"] for row in news}) == 3
    assert all(date.fromisoformat(row["valid_from"]) for row in news)
    assert [bool(row["valid_to"]) for row in news] == [True, True, False]


@pytest.mark.parametrize("share", [0.05, 0.15])
def test_the_share_of_missing_and_late_rows_is_a_setting(
    tmp_path: Path, rows: dict[str, Rows], country: str, share: float
) -> None:
    settings = WorldSettings(n_months=2, activity=0.1, missing_share=share)
    kept = generate(tmp_path, settings=settings, country=country).reference_files
    for kind, whole in rows.items():
        lines = Counter(tuple(row.values()) for row in read_reference(kept[kind]))
        n_changed = sum((Counter(tuple(row.values()) for row in whole) - lines).values())
        if kind in ("shifts", "households", "appointments"):
            assert share / 2 < n_changed / len(whole) < share * 1.5
        if kind in ("employees", "patients", "units", "identifiers", "record_keys", "stays"):
            assert n_changed == 0
    bookings = {tuple(row.values()) for row in rows["unit_assignments"] if row["valid_from"]}
    late = list(read_reference(kept["unit_assignments"]))
    assert len(late) == len(rows["unit_assignments"])
    assert len(bookings - {tuple(row.values()) for row in late}) > 3
