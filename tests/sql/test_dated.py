"""Every kind of reference data as of a day: the newest delivery, no day twice, no day lost."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_kernel.store.dated import dated_sql
from audit_kernel.store.tables import TableDefinition, reference_tables
from tests.sql.conftest import Lake

IN_DAYS = [kind for kind, table in reference_tables().items() if table.is_in_days]
IN_TIMES = [kind for kind in reference_tables() if kind not in IN_DAYS]
FIRST = date(2026, 1, 1)
DAYS = 12
EXAMPLES: dict[str, Any] = {
    "VARCHAR": "x", "DATE": date(2026, 1, 1), "INTEGER": 1950, "DECIMAL(5,2)": 50, "TIMESTAMP": "2026-10-05 08:00",
}  # fmt: skip


def example(table: TableDefinition, **given_values: Any) -> dict[str, Any]:
    """Return a row with a value in every column but the period's end."""
    row = {name: column.values[0] if column.values else EXAMPLES[column.type] for name, column in table.columns.items()}
    return {**row, **dict.fromkeys(table.period), **given_values}


@pytest.mark.parametrize("kind", IN_DAYS)
def test_the_newest_delivery_counts_and_the_row_that_began_last_holds(lake: Lake, kind: str) -> None:
    table = reference_tables()[kind]
    lake.reference(kind, **example(table))
    lake.reference(kind, **example(table, valid_from="2026-02-01"))
    lake.reference(kind, delivered="2026-03-01", **example(table, valid_from="2026-02-01", valid_to="2026-03-01"))
    found = lake.rows(f"select * from {kind} order by valid_from")
    assert [list(row) for row in found] == [list(table.columns)] * 3
    assert [(row["valid_from"], row["valid_to"]) for row in found] == [
        (date(1, 1, 1), date(2026, 2, 1)),
        (date(2026, 2, 1), date(2026, 3, 1)),
        (date(2026, 3, 1), date(9999, 12, 31)),
    ]


@pytest.mark.parametrize("kind", IN_TIMES)
def test_two_times_that_overlap_both_hold_and_the_newest_delivery_of_each(lake: Lake, kind: str) -> None:
    table = reference_tables()[kind]
    late = {"starts_at": "2026-10-05 10:00", "ends_at": "2026-10-05 15:00"}
    lake.reference(kind, **example(table, starts_at="2026-10-05 08:00", ends_at="2026-10-05 15:00"))
    lake.reference(kind, **example(table, **late))
    lake.reference(kind, delivered="2026-11-01", **example(table, **{**late, "ends_at": "2026-10-05 16:00"}))
    found = lake.rows(f"select * from {kind} order by starts_at")
    assert list(found[0]) == list(table.columns)
    assert [row["ends_at"].hour for row in found] == [15, 16]


def test_a_row_that_a_complete_delivery_ended_is_gone(lake: Lake) -> None:
    row = example(reference_tables()["shifts"], starts_at="2026-10-05 08:00", ends_at="2026-10-05 15:00")
    lake.reference("shifts", **row)
    lake.reference("shifts", delivered="2026-11-01", **row)
    assert len(lake.rows("select * from shifts")) == 1
    lake.connection.execute("update lake.shifts set row_number = 0 where delivered_at = timestamp '2026-11-01'")
    assert lake.rows("select * from shifts") == []


DATES = st.none() | st.integers(0, DAYS).map(lambda number: FIRST + timedelta(days=number))
ROWS = st.lists(
    st.tuples(st.sampled_from("AB"), st.sampled_from(["x", None]), DATES, DATES, st.integers(1, 3)), max_size=8
)


@pytest.fixture(scope="module")
def shared_lake() -> Lake:
    """Return a lake that every example empties before use."""
    made = Lake()
    made.reference("unit_assignments", employee_id="E1", unit_id="A")
    return made


@given(rows=ROWS)
@settings(max_examples=60, deadline=None)
def test_cutting_gives_every_day_the_row_that_began_last_and_loses_none(
    shared_lake: Lake, rows: list[tuple[str, str | None, date | None, date | None, int]]
) -> None:
    lake = shared_lake
    lake.connection.execute("delete from lake.unit_assignments")
    newest: dict[tuple[str, str | None, date], tuple[int, int, date]] = {}
    for number, (unit, role, first, end, day) in enumerate(rows):
        lake.reference(
            "unit_assignments", delivered=f"2026-02-0{day}", employee_id="E1", unit_id=unit, role=role,
            share_percent=number, valid_from=first, valid_to=end,
        )  # fmt: skip
        key = (unit, role, first or date.min)
        if key not in newest or newest[key][0] <= day:
            newest[key] = (day, number, end or date.max)
    pieces = lake.rows("select * from unit_assignments order by unit_id, role, valid_from")
    assert all(piece["valid_from"] < piece["valid_to"] for piece in pieces)
    for unit in "AB":
        for role in ("x", None):
            for at in [FIRST + timedelta(days=number) for number in range(-1, DAYS + 2)]:
                claims = [
                    (first, row)
                    for (u, r, first), (_, row, end) in newest.items()
                    if (u, r) == (unit, role) and first <= at < end
                ]
                holding = [
                    int(piece["share_percent"])
                    for piece in pieces
                    if (piece["unit_id"], piece["role"]) == (unit, role)
                    and piece["valid_from"] <= at < piece["valid_to"]
                ]
                assert holding == ([max(claims)[1]] if claims else [])
    for one, following in pairwise(pieces):
        same = [one[name] == following[name] for name in ("unit_id", "role", "share_percent")]
        assert not (all(same) and one["valid_to"] == following["valid_from"]), "a row is not cut where it goes on"


def test_a_text_of_one_kind_names_its_own_table_and_no_other() -> None:
    tables = set(reference_tables())
    for kind in tables:
        assert {word for word in dated_sql(kind).split() if word.startswith("lake.")} == {f"lake.{kind}"}
