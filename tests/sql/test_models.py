"""The model views: as of the day of the event, and never a row twice."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from tests.sql.conftest import Lake
from tests.sql.period import make_period

REFERENCES = {"employees": "employee_id", "units": "unit_id", "patients": "patient_id"}


@pytest.mark.parametrize(("view", "key"), REFERENCES.items())
def test_the_latest_delivery_of_a_first_day_counts(lake: Lake, view: str, key: str) -> None:
    lake.reference(view, delivered="2026-02-01", name="New", valid_from="2026-01-01", **{key: "A"})
    lake.reference(view, delivered="2026-01-01", name="Old", valid_from="2026-01-01", **{key: "A"})
    assert [row["name"] for row in lake.rows(f"select * from {view}")] == ["New"]


@pytest.mark.parametrize(("view", "key"), REFERENCES.items())
def test_a_row_that_began_later_takes_its_days_and_no_others(lake: Lake, view: str, key: str) -> None:
    lake.reference(view, name="First", **{key: "A"})
    lake.reference(view, name="Second", valid_from="2026-03-01", valid_to="2026-04-01", **{key: "A"})
    lake.reference(view, name="Other", **{key: "B"})
    found = lake.rows(f"select name, valid_from, valid_to from {view} order by name, valid_from")
    assert [tuple(row.values()) for row in found] == [
        ("First", date(1, 1, 1), date(2026, 3, 1)),
        ("First", date(2026, 4, 1), date(9999, 12, 31)),
        ("Other", date(1, 1, 1), date(9999, 12, 31)),
        ("Second", date(2026, 3, 1), date(2026, 4, 1)),
    ]


def test_a_row_withdrawn_by_an_empty_period_is_gone(lake: Lake) -> None:
    lake.reference("employees", employee_id="A", valid_from="2026-01-01")
    lake.reference("employees", delivered="2026-02-01", employee_id="A", valid_from="2026-01-01", valid_to="2026-01-01")
    assert lake.rows("select * from employees") == []


def test_an_employee_keeps_several_assignments_and_one_home_unit(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1", role="nurse", share_percent=40)
    lake.reference(
        "unit_assignments", employee_id="E1", unit_id="U2", role="nurse", share_percent=60,
        valid_from="2026-05-01", valid_to="2026-06-01",
    )  # fmt: skip
    assert len(lake.rows("select * from unit_assignments")) == 2
    homes = lake.rows("select unit_id, valid_from, valid_to from home_units order by valid_from")
    assert [tuple(row.values()) for row in homes] == [
        ("U1", date(1, 1, 1), date(2026, 5, 1)),
        ("U2", date(2026, 5, 1), date(2026, 6, 1)),
        ("U1", date(2026, 6, 1), date(9999, 12, 31)),
    ]


def test_equal_shares_give_the_unit_that_began_last_then_the_first_by_id(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E1", unit_id="U3", valid_from="2026-05-01")
    lake.reference("unit_assignments", employee_id="E1", unit_id="U2", valid_from="2026-05-01")
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1")
    homes = lake.rows("select unit_id from home_units order by valid_from")
    assert [row["unit_id"] for row in homes] == ["U1", "U2"]


def test_the_logs_own_identifier_goes_before_one_for_every_log(lake: Lake) -> None:
    lake.sources("other")
    lake.reference("identifiers", kind="employee", identifier="KANO01", id="E9")
    lake.reference(
        "identifiers", system="gerica", kind="employee", identifier="KANO01", id="E1",
        valid_from="2026-01-01", valid_to="2027-01-01",
    )  # fmt: skip
    found = lake.rows("select source_id, id, valid_from from identifier_periods order by source_id, valid_from")
    assert [tuple(row.values()) for row in found] == [
        ("gerica", "E9", date(1, 1, 1)),
        ("gerica", "E1", date(2026, 1, 1)),
        ("gerica", "E9", date(2027, 1, 1)),
        ("other", "E9", date(1, 1, 1)),
    ]


def test_a_persons_identifiers_include_the_id_itself_and_a_patients_records(lake: Lake) -> None:
    lake.reference("patients", patient_id="P1")
    lake.reference("identifiers", kind="patient", identifier="4711", id="P1")
    lake.reference("identifiers", kind="employee", identifier="KANO01", id="E1")
    lake.reference("record_keys", source_id="gerica", table_name="Journal", record_ref="J1", patient_id="P1")
    patients = lake.rows("select patient_id, identifier from patient_identifiers order by identifier")
    # the numbers also as the related records of the one table that holds them
    assert [row["identifier"] for row in patients] == ["4711", "Bruker:4711", "Bruker:P1", "Journal:J1", "P1"]
    assert {row["patient_id"] for row in patients} == {"P1"}
    assert lake.rows("select * from employee_identifiers") == [{"employee_id": "E1", "identifier": "KANO01"}]


def test_an_access_takes_names_unit_and_role_of_its_own_day(lake: Lake) -> None:
    lake.reference("identifiers", kind="employee", identifier="KANO01", id="E1", valid_to="2026-10-06")
    lake.reference("identifiers", kind="employee", identifier="KANO01", id="E2", valid_from="2026-10-06")
    lake.reference("employees", employee_id="E1", name="Kari Nordmann")
    lake.reference("units", unit_id="U1", name="North", unit_type="nursing_home")
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1", role="nurse", valid_to="2026-10-07")
    lake.access("2026-10-05 08:00:00", employee_id="KANO01", employee_name="KN", role="x", unit_id="U7")
    lake.access("2026-10-06 08:00:00", employee_id="KANO01", employee_name="KN", role="x", unit_id="U7")
    columns = (
        "employee_identifier, employee_id, employee_name, role, unit_id, unit_name, unit_type, is_employee_unresolved"
    )
    found = lake.rows(f"select {columns} from accesses order by recorded_at")
    assert [tuple(row.values()) for row in found] == [
        ("KANO01", "E1", "Kari Nordmann", "nurse", "U1", "North", "nursing_home", False),
        ("KANO01", "E2", "KN", "x", "U7", None, None, True),
    ]


def test_overlapping_reference_rows_never_double_an_access(lake: Lake) -> None:
    for first in (None, "2026-01-01", "2026-02-01"):
        lake.reference("employees", employee_id="E1", valid_from=first)
        lake.reference("patients", patient_id="P1", valid_from=first)
        lake.reference("units", unit_id="U1", valid_from=first)
        lake.reference("units", unit_id="U2", valid_from=first)
        lake.reference("unit_assignments", employee_id="E1", unit_id="U1", valid_from=first)
        lake.reference("unit_assignments", employee_id="E1", unit_id="U2", valid_from=first)
        for system in (None, "gerica"):
            for kind, one in (("employee", "E1"), ("patient", "P1"), ("unit", "U1")):
                lake.reference("identifiers", system=system, kind=kind, identifier=one, id=one, valid_from=first)
            lake.reference(
                "record_keys",
                source_id=system,
                table_name="Journal",
                record_ref="J1",
                patient_id="P1",
                valid_from=first,
            )
    lake.access("2026-10-05 08:00:00", unit_id="U1")
    lake.access("2026-10-05 09:00:00", table_name="Journal", record_ref="J1")
    assert len(lake.rows("select * from accesses")) == 2


def test_a_record_is_resolved_by_its_key_and_marked_where_there_is_none(lake: Lake) -> None:
    lake.reference("record_keys", source_id="gerica", table_name="Journal", record_ref="J1", patient_id="P1")
    lake.access("2026-10-05 08:00:00", table_name="Journal", record_ref="J1")
    lake.access("2026-10-05 09:00:00", table_name="Journal", record_ref="J2")
    lake.access("2026-10-05 10:00:00", table_name="Bruker", patient_id="P3")
    lake.access("2026-10-05 11:00:00", table_name="Rapport", patient_id=None, record_ref="R7")
    found = lake.rows("select patient_id, area, is_patient_unresolved from accesses order by recorded_at")
    assert [tuple(row.values()) for row in found] == [
        ("P1", "journal", False),
        ("Journal:J2", "journal", True),
        ("P3", "patient", False),
        (None, "none", False),
    ]


def test_codes_become_words_and_unknown_or_unconfirmed_ones_are_marked(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00")
    lake.access("2026-10-05 09:00:00", message_type="Post vist")
    lake.access("2026-10-05 10:00:00", log_type="Ny kode", action="read", activity="as written")
    lake.access("2026-10-05 11:00:00", log_type=None, table_name=None, action=None)
    columns = "action, activity_en, access_type_en, meaning_en, is_confirmed, is_unknown_code"
    found = lake.rows(f"select {columns} from accesses order by recorded_at")
    assert [tuple(row.values()) for row in found] == [
        ("read", "Read the person", None, "Was read.", True, False),
        ("read", "Read the person", "Record shown", "Was read.", False, False),
        ("read", "the person", None, "the person", False, True),
        ("other", None, None, None, True, False),
    ]


def test_a_record_is_blocked_by_the_log_or_from_its_first_to_before_its_last_day(lake: Lake) -> None:
    lake.reference("patients", patient_id="P1", blocked_from="2026-10-06", blocked_to="2026-10-08")
    lake.reference("patients", patient_id="P2", blocked_from="2026-10-06")
    for day in (5, 6, 7, 8):
        lake.access(f"2026-10-0{day} 08:00:00", patient_id="P1")
    lake.access("2026-10-30 08:00:00", patient_id="P2")
    lake.access("2026-10-30 09:00:00", patient_id="P3", is_blocked=True)
    lake.access("2026-10-30 10:00:00", patient_id="P3")
    found = [row["is_blocked"] for row in lake.rows("select is_blocked from accesses order by recorded_at")]
    assert found == [False, True, True, False, True, True, False]


def test_a_block_of_the_whole_record_counts_but_none_of_a_part_or_against_named_persons(lake: Lake) -> None:
    days = {"valid_from": "2026-10-06", "valid_to": "2026-10-09"}
    lake.reference("blocks", patient_id="P1", scope="record", direction="on_consent", **days)
    consent = {"consent_from": "2026-10-07", "consent_to": "2026-10-08"}
    lake.reference("blocks", patient_id="P2", scope="record", direction="on_consent", **days, **consent)
    named = {"named_kind": "employee", "named_id": "E9", **days}
    lake.reference("blocks", patient_id="P3", scope="record", direction="against_named", **named)
    lake.reference("blocks", patient_id="P4", scope="unit", scope_value="U1", direction="only_named", **named)
    lake.reference("blocks", patient_id="P5", scope="record", direction="only_named", **named)
    lake.reference("patients", patient_id="P5", blocked_from="2026-10-08", blocked_to="2026-10-10")
    for patient in ("P1", "P2", "P3", "P4", "P5"):
        for day in range(5, 11):
            lake.access(f"2026-10-{day:02d} 08:00:00", patient_id=patient)
    found = lake.rows("select patient_id, local_date from accesses where is_blocked order by all")
    blocked: dict[str, list[int]] = {}
    for row in found:
        blocked.setdefault(row["patient_id"], []).append(row["local_date"].day)
    assert blocked == {"P1": [6, 7, 8], "P2": [6, 8], "P5": [6, 7, 8, 9]}
    assert len(lake.rows("select * from accesses")) == 30


def test_a_registers_number_resolves_in_the_logs_that_write_it_and_in_no_other(lake: Lake) -> None:
    lake.sources("other")
    lake.insert("source_registers", {"source_id": "gerica", "register": "hpr"})
    lake.reference("identifiers", system="hpr", kind="employee", identifier="1234567", id="E1")
    lake.reference("identifiers", kind="employee", identifier="1234567", id="E2")
    lake.reference("identifiers", system="gerica", kind="employee", identifier="KANO01", id="E3")
    lake.reference("identifiers", system="hpr", kind="employee", identifier="KANO01", id="E4")
    found = lake.rows("select source_id, identifier, id from identifier_periods where kind = 'employee' order by all")
    resolved = {(row["source_id"], row["identifier"]): row["id"] for row in found}
    assert resolved[("gerica", "1234567")] == "E1"
    assert resolved[("other", "1234567")] == "E2"
    assert resolved[("gerica", "KANO01")] == "E3"
    assert ("other", "KANO01") not in resolved
    assert len(found) == len(resolved)


def test_neither_searches_nor_refused_attempts_are_accesses(lake: Lake) -> None:
    lake.reference("patients", patient_id="P2", blocked_from="2026-01-01")
    lake.access("2026-10-05 08:00:00", outcome="unknown")
    lake.access("2026-10-05 08:01:00", outcome="denied")
    lake.access("2026-10-05 08:02:00", outcome="failed")
    lake.access("2026-10-05 08:03:00", log_type="Brukersøk")
    lake.access("2026-10-05 08:04:00", log_type="Brukersøk", patient_id="P2")
    lake.access("2026-10-05 08:05:00", log_type="Brukersøk sperret")
    found = lake.rows("select is_access, is_patient_search, is_blocked_search from accesses order by recorded_at")
    assert [tuple(row.values()) for row in found] == [
        (True, False, False),
        (False, False, False),
        (False, False, False),
        (False, True, False),
        (False, True, True),
        (False, True, True),
    ]


def test_openings_know_the_row_before_of_the_same_table(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00")
    lake.access("2026-10-05 08:01:00", table_name="Tiltaksplan", patient_id="P1")
    lake.access("2026-10-05 08:02:00", employee_id="E2")
    lake.access("2026-10-05 08:03:00")
    lake.access("2026-10-05 08:04:00", outcome="denied")
    found = lake.rows("select previous_at from openings order by recorded_at")
    assert [row["previous_at"] for row in found] == [None, None, None, datetime.fromisoformat("2026-10-05 08:00:00")]


def test_an_access_day_is_the_local_day_and_counts_by_action(lake: Lake) -> None:
    lake.access("2026-10-05 21:59:00")
    lake.access("2026-10-05 22:00:00")
    lake.access("2026-10-06 08:00:00", log_type="Skriving")
    lake.access("2026-10-06 09:00:00", log_type="Utskrift")
    lake.access("2026-10-06 10:00:00", log_type="Brukersøk")
    lake.access("2026-10-06 11:00:00", patient_id=None)
    columns = "local_date, n_accesses, n_read, n_written, n_printed"
    found = lake.rows(f"select {columns} from access_days order by local_date")
    assert [tuple(row.values()) for row in found] == [
        (date(2026, 10, 5), 1, 1, 0, 0),
        (date(2026, 10, 6), 3, 1, 1, 1),
    ]


def test_fewer_than_twenty_peers_are_pooled_by_role_then_all(lake: Lake) -> None:
    lake.reference("units", unit_id="U1", unit_type="home")
    lake.reference("units", unit_id="U2", unit_type="ward")
    for number in range(23):
        role, unit = ("nurse", "U1" if number < 20 else "U2") if number < 22 else ("doctor", "U2")
        lake.reference("unit_assignments", employee_id=f"E{number}", unit_id=unit, role=role)
        lake.access("2026-10-05 08:00:00", employee_id=f"E{number}")
    groups = lake.rows("select peer_group, peer_level, n_people, count(*) as n from peers group by all order by n desc")
    assert [tuple(row.values()) for row in groups] == [
        ("nurse | home", "role_and_unit_type", 20, 20),
        ("nurse", "role", 22, 2),
        ("*", "all", 23, 1),
    ]


def test_log_in_events_are_resolved_like_accesses(lake: Lake) -> None:
    lake.reference("identifiers", kind="employee", identifier="KANO01", id="E1")
    lake.reference("employees", employee_id="E1", name="Kari Nordmann")
    for day in (5, 6):
        row = {"source_id": "gerica", "event_id": str(day), "local_date": f"2026-10-0{day}", "repeated": 1}
        lake.insert("lake.authentications", {**row, "recorded_at": f"2026-10-0{day} 08:00:00", "employee_id": "KANO01"})
    found = lake.rows("select employee_id, employee_identifier, employee_name from authentications")
    assert [tuple(row.values()) for row in found] == [("E1", "KANO01", "Kari Nordmann")] * 2


def test_a_code_says_whether_an_access_was_denied_and_an_old_row_is_right_at_once(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00", log_type="Avvist")
    lake.access("2026-10-05 09:00:00", log_type="Avvist", message_type="Feilet")
    lake.access("2026-10-05 10:00:00", log_type=None, outcome="denied")
    assert [row["outcome"] for row in lake.rows("select outcome from accesses order by recorded_at")] == [
        "success",
        "success",
        "denied",
    ]
    for field, code, outcome in (("log_type", "Avvist", "denied"), ("message_type", "Feilet", "failed")):
        row = {"source_id": "gerica", "field": field, "code": code, "action": "read", "is_confirmed": True}
        lake.insert("codes", {**row, "outcome": outcome})
    found = lake.rows("select outcome, is_access from accesses order by recorded_at")
    assert [tuple(row.values()) for row in found] == [("denied", False), ("failed", False), ("denied", False)]


@pytest.mark.parametrize(
    ("related", "patient", "is_unresolved"),
    [
        ("patient", "P1", False),
        ("record", "Personalia:4711", True),
        ("none", None, False),
        (None, "Personalia:4711", True),
    ],
)
def test_todays_dictionary_says_whose_the_related_record_of_an_old_row_is(
    lake: Lake, related: str | None, patient: str | None, is_unresolved: bool
) -> None:
    lake.reference("identifiers", system="gerica", kind="patient", identifier="4711", id="P1")
    lake.access("2026-10-05 08:00:00", table_name="Personalia", record_ref="4711", patient_id="Personalia:4711")
    lake.access("2026-10-05 09:00:00", table_name="Personalia", record_ref="x", patient_id="4711")
    if related:
        lake.insert("record_tables", {"source_id": "gerica", "table_name": "Personalia", "related": related})
    found = lake.rows("select patient_id, is_patient_unresolved from accesses order by recorded_at")
    assert [tuple(row.values()) for row in found] == [(patient, is_unresolved), ("P1", False)]
    n_found = sum(row["n_accesses"] for row in lake.query("reports/activity", patient_id="P1"))
    assert n_found == (2 if related == "patient" else 1)


def test_a_patient_known_from_the_log_alone_is_found_behind_a_table(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00", table_name="Bruker", record_ref="7", patient_id="Bruker:7")
    assert [row["patient_id"] for row in lake.query("reports/detailed_activity", patient_id="7")] == ["7"]


def test_rows_whose_patient_is_not_known_make_no_peer_and_no_day_of_the_sample(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00", table_name="Vedtak", record_ref="V77", patient_id="Vedtak:V77")
    assert [row["is_patient_unresolved"] for row in lake.rows("select is_patient_unresolved from accesses")] == [True]
    assert [lake.rows(f"select * from {view}") for view in ("peers", "access_days")] == [[], []]
    make_period(lake)
    assert lake.query("checks/many_accesses") == lake.query("sample/frame") == []
