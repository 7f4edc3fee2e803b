"""Deliveries of reference data: what a later one changes, what a complete one ends, and how times are kept."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from audit_kernel.catalog import resource_folder
from audit_kernel.store import reference
from audit_kernel.store.connection import writing
from audit_kernel.store.reading import Store
from audit_kernel.store.reference import reference_kinds, take_in_reference
from tests.store.logs import ask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audit_kernel.site import Site
    from audit_kernel.store.ledger import Delivery

    Deliver = Callable[..., Delivery]

ASSIGNMENTS = "employee_id;unit_id;role;share_percent;valid_from;valid_to"


@pytest.fixture
def deliver(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deliver:
    """Take a file in, on a day: deliver("units", "2026-01-10", "unit_id;name", "U1;North")."""
    numbers = count()

    def run(kind: str, day: str, *lines: str) -> Delivery:
        class OnThatDay(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return datetime.fromisoformat(f"{day}T12:00:00+00:00").astimezone(tz)

        monkeypatch.setattr(reference, "datetime", OnThatDay)
        path = tmp_path / f"{kind}-{next(numbers)}.csv"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return take_in_reference(site, path, kind)

    return run


@pytest.fixture
def complete(site: Site) -> Callable[[str], None]:
    """Say in the site's mapping of a kind that its files are complete."""

    def say(kind: str) -> None:
        text = (resource_folder("parameters") / "sources" / f"reference_{kind}.yml").read_text(encoding="utf-8")
        target = site.folder / "parameters" / "sources" / f"reference_{kind}.yml"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"replaces: reference_{kind}\ndelivery: complete\n{text}", encoding="utf-8")

    return say


def rows(site: Site, sql: str) -> list[tuple[Any, ...]]:
    with Store(site, "test of reference data") as store:
        return [tuple(row.values()) for row in store.sql(sql).to_pylist()]


def units_on(site: Site, *asked: tuple[str, str]) -> list[list[str]]:
    """Return the units of each employee on a day."""
    found = rows(site, "select employee_id, valid_from, valid_to, unit_id from unit_assignments order by unit_id")
    days = [(employee, date.fromisoformat(day)) for employee, day in asked]
    return [[row[3] for row in found if row[0] == employee and row[1] <= day < row[2]] for employee, day in days]


def test_a_report_on_march_sees_marchs_assignments_after_aprils_delivery(site: Site, deliver: Deliver) -> None:
    deliver("unit_assignments", "2026-01-10", ASSIGNMENTS, "E1;U1;nurse;;2026-01-01;", "E2;U1;nurse;;2026-01-01;")
    deliver(
        "unit_assignments", "2026-04-10", ASSIGNMENTS, "E1;U1;nurse;;2026-01-01;2026-04-01", "E1;U2;nurse;;2026-04-01;"
    )
    asked = [("E1", "2025-12-31"), ("E1", "2026-03-31"), ("E1", "2026-04-01"), ("E2", "2026-04-01")]
    assert units_on(site, *asked) == [[], ["U1"], ["U2"], ["U1"]]


@pytest.mark.parametrize("dates", [";", "2026-01-01;"])
def test_what_a_complete_delivery_lacks_ends_on_its_day(
    site: Site, deliver: Deliver, complete: Callable[[str], None], dates: str
) -> None:
    complete("unit_assignments")
    first = deliver("unit_assignments", "2026-01-10", ASSIGNMENTS, f"E1;U1;nurse;;{dates}", f"E2;U1;nurse;;{dates}")
    second = deliver("unit_assignments", "2026-04-10", ASSIGNMENTS, "E1;U2;nurse;;;", f"E2;U1;nurse;;{dates}")
    assert (first.n_stored, first.n_known, first.n_rows) == (2, 0, 2)
    assert (second.n_read, second.n_stored, second.n_known, second.n_rows) == (2, 1, 1, 2)
    asked = [("E1", "2026-04-09"), ("E1", "2026-04-10"), ("E2", "2026-04-10")]
    assert units_on(site, *asked) == [["U1"], ["U2"], ["U1"]]
    back = deliver("unit_assignments", "2026-06-01", ASSIGNMENTS, f"E1;U1;nurse;;{dates}", "E1;U2;nurse;;;")
    assert (back.n_stored, back.n_known, back.n_rows) == (1, 1, 2)
    asked = [("E2", "2026-06-01"), ("E1", "2026-05-01"), ("E1", "2026-06-01")]
    # without a date it began again on the day of delivery; with one the list itself says that it never ended
    assert units_on(site, *asked) == [[], ["U2"] if dates == ";" else ["U1", "U2"], ["U1", "U2"]]


def test_a_changed_row_without_dates_of_a_complete_delivery_begins_on_its_day(
    site: Site, deliver: Deliver, complete: Callable[[str], None]
) -> None:
    complete("units")
    header = "unit_id;name;unit_type;place;municipality;valid_from;valid_to"
    deliver("units", "2026-01-10", header, "U1;North;home;;Nes;;", "U2;South;home;;Nes;;")
    assert deliver("units", "2026-02-10", header, "U1;North;home;;Nes;;", "U2;South Hill;home;;Nes;;").n_known == 1
    found = rows(site, "select unit_id, name, valid_from, valid_to from units order by 1, 3")
    assert found == [
        ("U1", "North", date(1, 1, 1), date(9999, 12, 31)),
        ("U2", "South", date(1, 1, 1), date(2026, 2, 10)),
        ("U2", "South Hill", date(2026, 2, 10), date(9999, 12, 31)),
    ]


def test_a_complete_delivery_with_a_record_in_quarantine_ends_nothing(
    site: Site, deliver: Deliver, complete: Callable[[str], None]
) -> None:
    complete("employees")
    header = "employee_id;name;personal_number;valid_from;valid_to"
    deliver("employees", "2026-01-10", header, "E1;Kari;;;", "E2;Ola;;;")
    delivery = deliver("employees", "2026-02-10", header, "E1;Kari;;;", "E2;Ola;;not a date;")
    assert (delivery.n_known, delivery.n_quarantined, delivery.n_rows) == (1, 1, 0)
    assert rows(site, "select count(*) from employees where valid_to = date '9999-12-31'") == [(2,)]


def test_a_planned_row_that_a_complete_delivery_lacks_never_was(
    site: Site, deliver: Deliver, complete: Callable[[str], None]
) -> None:
    complete("unit_assignments")
    deliver("unit_assignments", "2026-01-10", ASSIGNMENTS, "E1;U1;nurse;;2025-01-01;", "E1;U2;nurse;;2026-09-01;")
    deliver("unit_assignments", "2026-02-10", ASSIGNMENTS, "E1;U1;nurse;;2025-01-01;")
    assert rows(site, "select unit_id from unit_assignments") == [("U1",)]


def test_what_is_delivered_again_is_known(site: Site, deliver: Deliver) -> None:
    header = "patient_id;flag;detail;valid_from;valid_to"
    deliver("patient_flags", "2026-01-10", header, "P1;sensitive;celebrity;;", "P1;deceased;;2026-01-01;")
    again = deliver("patient_flags", "2026-01-11", header, "P1;sensitive;celebrity;;", "P2;sensitive;;;")
    assert (again.n_read, again.n_stored, again.n_known) == (2, 1, 1)
    assert ask(site, "select count(*) from lake.patient_flags") == [(3,)]


def test_a_shift_over_midnight_is_one_row_in_utc(site: Site, deliver: Deliver) -> None:
    header = "employee_id;kind;starts_at;ends_at"
    deliver(
        "shifts", "2026-11-10", header,
        "E1;shift;2026-10-05 22:00;2026-10-06 07:30", "E2;shift;2026-10-24 22:00;2026-10-25 07:30",
        "E3;shift;2026-03-28 22:00;2026-03-29 07:30", "E4;shift;2026-10-25 02:10;2026-10-25 02:50",
        "E5;shift;2026-03-29 02:30;2026-03-29 03:10",
    )  # fmt: skip
    found = rows(site, "select employee_id, starts_at, ends_at from shifts order by 1")
    expected = {
        "E1": (datetime(2026, 10, 5, 20), 9.5),
        "E2": (datetime(2026, 10, 24, 20), 10.5),
        "E3": (datetime(2026, 3, 28, 21), 8.5),
        "E4": (datetime(2026, 10, 25, 0, 10), 40 / 60),
        "E5": (datetime(2026, 3, 29, 1, 30), 40 / 60),
    }
    assert found == [(name, start, start + timedelta(hours=hours)) for name, (start, hours) in expected.items()]


def test_a_complete_roster_replaces_the_shifts_between_its_first_and_its_last(
    site: Site, deliver: Deliver, complete: Callable[[str], None]
) -> None:
    complete("shifts")
    header = "employee_id;kind;starts_at;ends_at"
    september, swapped = "E1;shift;2026-09-30 08:00;2026-09-30 15:00", "E1;shift;2026-10-02 08:00;2026-10-02 15:00"
    kept, later = "E2;shift;2026-10-01 08:00;2026-10-01 15:00", "E2;shift;2026-10-09 08:00;2026-10-09 15:00"
    deliver("shifts", "2026-09-20", header, september, kept, swapped, later)
    instead = "E3;shift;2026-10-02 08:00;2026-10-02 15:00"
    delivery = deliver("shifts", "2026-11-01", header, kept, instead, later)
    assert (delivery.n_stored, delivery.n_known, delivery.n_rows) == (1, 2, 2)
    found = rows(site, "select employee_id, cast(starts_at as date) from shifts order by 2, 1")
    assert [(name, day.day) for name, day in found] == [("E1", 30), ("E2", 1), ("E3", 2), ("E2", 9)]


def test_an_open_stay_goes_on_and_an_appointment_without_an_end_says_nothing(site: Site, deliver: Deliver) -> None:
    deliver("stays", "2026-11-10", "patient_id;unit_id;starts_at;ends_at", "P1;U1;2026-10-05 10:00;")
    deliver("appointments", "2026-11-10", "patient_id;unit_id;starts_at;ends_at", "P2;U1;2026-10-05 10:00;")
    found = rows(site, "select ends_at from stays union all select ends_at from appointments")
    assert found == [(datetime(9999, 12, 31),), (None,)]


def test_what_is_available_since_when_and_how_fresh_is_a_relation(site: Site, deliver: Deliver) -> None:
    deliver("holidays", "2026-01-10", "holiday_date;kind;valid_from", "2026-05-18;holiday;2026-01-01")
    last = deliver("holidays", "2026-02-10", "holiday_date;kind;valid_from", "2027-05-18;holiday;2026-02-01")
    deliver("shifts", "2026-02-11", "employee_id;kind;starts_at;ends_at", "E1;shift;2026-10-05 22:00;2026-10-06 07:30")
    deliver("units", "2026-02-11", "unit_id;name;unit_type;place", "U1;North;;")
    ledger = ask(site, "select source_id, taken_in_at, file_id from lake.intake_files")
    of_last = {str(source_id): (at, file_id) for source_id, at, file_id in ledger if at.date() >= date(2026, 2, 10)}
    assert of_last["reference:holidays"] == (datetime(2026, 2, 10, 12), last.file_id)
    assert rows(site, "select * from reference_availability order by kind") == [
        ("holidays", 2, 2, date(2026, 1, 1), *of_last["reference:holidays"]),
        ("shifts", 1, 1, date(2026, 10, 5), *of_last["reference:shifts"]),
        ("units", 1, 1, None, *of_last["reference:units"]),
    ]


def test_a_kind_that_was_never_delivered_is_an_empty_model_with_its_columns(site: Site, deliver: Deliver) -> None:
    deliver("units", "2026-02-11", "unit_id;name;unit_type;place", "U1;North;;")
    with Store(site, "test of reference data") as store:
        for kind in reference_kinds():
            found = store.sql(f'select * from "{kind}"')
            assert found.num_rows == (1 if kind == "units" else 0)
            assert found.column_names == list(reference.reference_tables()[kind].columns)


def test_a_store_made_before_a_column_was_decided_gets_it_at_the_next_delivery(site: Site, deliver: Deliver) -> None:
    with writing(site, site.temporary_folder) as connection:
        connection.execute("alter table lake.units drop column municipality")
        connection.execute("drop table lake.shifts")
    deliver("units", "2026-02-11", "unit_id;name;unit_type;place;municipality", "U1;North;;;Nes")
    assert rows(site, "select municipality, (select count(*) from shifts) from units") == [("Nes", 0)]
