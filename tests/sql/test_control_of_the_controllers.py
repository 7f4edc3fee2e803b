"""The control of the controllers: what is counted of people's use, whose colleague was looked up, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sql.period import keep_use

if TYPE_CHECKING:
    from tests.sql.conftest import Lake

OPEN = {"use_kind": "opening", "use_activity": "open"}
NO_CASE = {"purpose": "curious", "case_number": None}
USERS = {"kari": "E1", "ola": "E2"}


def asked(lake: Lake, name: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in lake.query(f"reports/{name}")]


def test_use_is_counted_by_user_and_the_controls_own_apart(lake: Lake) -> None:
    keep_use(
        lake,
        [
            OPEN,
            {"about": {"patient_id": "P1"}, "n_rows": 3},
            {"about": {"patient_id": "P1"}, "n_rows": 4, **NO_CASE},
            {"about": {"patient_id": "P2"}},  # failed: no rows were handed out
            {"use_activity": "sql", "n_rows": 2},
            {"use_kind": "other", "use_activity": "names", "n_rows": 50, "about": {"patient_id": "P8"}},
            {"use_kind": "act", "use_activity": "export", "n_rows": 9},
            {"is_control": True, "n_rows": 700, "about": {"patient_id": "P9"}, **NO_CASE},
            {"recorded_at": "2026-11-02 08:00:00", "n_rows": 1},  # the month after
            {"recorded_at": "2026-09-30 21:59:59", "n_rows": 1},  # the month before, in Oslo
        ],
        USERS,
    )
    columns = ("is_control", "user_name", "employee_id", "n_openings", "n_questions", "n_unanswered", "n_own_sql")
    more = ("n_rows", "n_patients", "n_employees", "n_without_case", "n_acts")
    assert asked(lake, "control_of_the_controllers", *columns, *more) == [
        (False, "kari", "E1", 1, 4, 1, 1, 9, 2, 0, 1, 1),
        (True, "kari", "E1", 0, 1, 0, 0, 700, 0, 0, 0, 0),
    ]


def test_no_use_at_all_is_no_row(lake: Lake) -> None:
    keep_use(lake, [])
    for name in ("control_of_the_controllers", "use_by_purpose", "use_by_person", "use_of_colleagues", "use_acts"):
        assert lake.query(f"reports/{name}") == []


def test_the_user_stands_with_the_home_unit_of_the_last_use(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1", valid_to="2026-10-05")
    lake.reference("unit_assignments", employee_id="E1", unit_id="U2", valid_from="2026-10-05")
    keep_use(lake, [{}, {"user_name": "svein"}], USERS)
    assert asked(lake, "control_of_the_controllers", "user_name", "unit_id") == [("kari", "U2"), ("svein", None)]


def test_purposes_without_a_case_number_come_first(lake: Lake) -> None:
    keep_use(
        lake,
        [
            {"about": {"patient_id": "P1"}, "n_rows": 1},
            {"about": {"patient_id": "P2"}, "n_rows": 1},
            {"about": {"employee_id": "E9"}, "n_rows": 5, **NO_CASE},
            {**OPEN, **NO_CASE},
            {"is_control": True, "purpose": "monthly control", "case_number": None},
        ],
    )
    columns = ("has_case", "purpose", "n_uses", "n_rows", "n_patients", "n_employees")
    assert asked(lake, "use_by_purpose", *columns) == [
        (False, "curious", 1, 5, 0, 1),
        (True, "sak 2026/17", 2, 2, 2, 0),
    ]


def test_an_identifier_of_a_log_and_the_id_are_one_person_unless_it_is_two_peoples(lake: Lake) -> None:
    for system, identifier, employee in (("a", "KANO01", "E5"), ("a", "SHARED", "E6"), ("b", "SHARED", "E7")):
        lake.reference("identifiers", system=system, kind="employee", identifier=identifier, id=employee)
    keep_use(lake, [{"about": {"employee_id": each}, "n_rows": 1} for each in ("KANO01", "E5", "SHARED")])
    assert asked(lake, "use_by_person", "user_name", "employee_id", "patient_id", "n_questions") == [
        ("kari", "E5", None, 2),
        ("kari", "SHARED", None, 1),
    ]


def test_oneself_a_colleague_of_the_unit_and_a_fellow_user_are_told_and_nobody_else(lake: Lake) -> None:
    for employee, unit, ends in (
        ("E1", "U1", None),
        ("E3", "U1", None),
        ("E4", "U1", "2026-10-05"),
        ("E5", "U2", None),
    ):
        lake.reference("unit_assignments", employee_id=employee, unit_id=unit, valid_to=ends)
    lake.reference("relations", employee_id="E1", patient_id="P1", relation="self")
    lake.reference("relations", employee_id="E3", patient_id="P3", relation="self")
    lake.reference("relations", employee_id="E1", patient_id="P7", relation="child")
    about = [
        {"employee_id": "E1"}, {"patient_id": "P1"},  # herself, as employee and as patient
        {"employee_id": "E3"}, {"patient_id": "P3"},  # a colleague of the same unit, and that one's own record
        {"employee_id": "E2"},  # another user of the program
        {"employee_id": "E4"}, {"employee_id": "E5"}, {"patient_id": "P7"}, {"patient_id": "P9"},  # none of these
    ]  # fmt: skip
    lines: list[dict[str, Any]] = [{"about": each, "n_rows": 2} for each in about]
    lines += [
        {"about": {"employee_id": "E3"}, **NO_CASE},
        {"about": {"employee_id": "E3"}, "user_name": "svein"},  # nobody says who that is
        {"about": {"employee_id": "E3"}, "is_control": True},
        {"about": {"employee_id": "E3"}, "use_kind": "other", "use_activity": "names"},
    ]
    keep_use(lake, lines, USERS)
    columns = ("use_tie", "user_name", "employee_id", "patient_id", "n_questions", "n_rows", "n_without_case")
    assert asked(lake, "use_of_colleagues", *columns) == [
        ("fellow_user", "kari", "E2", None, 1, 2, 0),
        ("own_log", "kari", "E1", None, 1, 2, 0),
        ("own_record", "kari", "E1", "P1", 1, 2, 0),
        ("same_unit", "kari", "E3", None, 2, 2, 1),
        ("same_unit", "kari", "E3", "P3", 1, 2, 0),
    ]


def test_decisions_and_exports_are_listed_and_questions_are_not(lake: Lake) -> None:
    act = {"use_kind": "act", "use_activity": "decision", "n_rows": 4}
    keep_use(lake, [{}, act, {**act, "recorded_at": "2026-11-02 08:00:00"}], USERS)
    assert asked(lake, "use_acts", "sequence", "user_employee_id", "use_activity", "n_rows") == [
        (2, "E1", "decision", 4)
    ]
