"""When a period's logs are too incomplete for a check, and how that is said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from audit_kernel import completeness, open_store
from audit_kernel.catalog import Catalog, Query, resource_folder
from audit_kernel.completeness import Lack, lacks, sentences, spans, unfilled
from audit_kernel.errors import NotAssessableError
from audit_kernel.locale import LANGUAGES
from audit_kernel.site import create_site
from audit_kernel.store.intake import take_in
from tests.sql.conftest import COMPARISON, Lake, utc_midnight
from tests.store.logs import gerica_file, row

FIRST = date(2026, 10, 5)
ALL_KINDS = (
    Lack("gerica", "silent", (date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 5))),
    Lack("gerica", "low", (date(2026, 10, 7),)),
    Lack("gerica", "missing", (), 12, Decimal("0.012"), Decimal("0.005"), (("5", "9"), ("11", "11"))),
    Lack("fhir", "quarantined", (), 7, Decimal("0.07"), Decimal("0.005")),
    Lack("accesses", "field", field="country"),
)


@pytest.fixture
def lake() -> Iterator[Lake]:
    """Return a lake whose one log has twelve rows on each day of a week and of the four weeks before: 1 to 420."""
    made = Lake()
    made.access(f"{FIRST - timedelta(days=28)} 08:00:00", event_id=0)
    made.connection.execute(
        "insert into lake.accesses_by_patient select accesses_by_patient.* replace (cast(n + 1 as varchar) as event_id,"
        " recorded_at + to_days(n // 12) + to_minutes(n % 12) as recorded_at,"
        " local_date + cast(n // 12 as int) as local_date)"
        " from lake.accesses_by_patient cross join (select cast(range as int) as n from range(420)) as numbers"
    )
    made.connection.execute("delete from lake.accesses_by_patient where event_id = '0'")
    yield made
    made.connection.close()


def found(lake: Lake, *tables: Any, **given: Any) -> list[Lack]:
    bound = {"incomplete_days_tolerated": 0, "missing_rows_tolerated": "0.005", **COMPARISON, **given}
    bound |= {"start_at": utc_midnight("2026-10-05"), "end_at": utc_midnight("2026-10-12")}
    return list(lacks(lake.connection, tables or ("accesses",), bound))


def test_a_whole_week_lacks_nothing(lake: Lake) -> None:
    assert found(lake) == []


def test_a_silent_day_is_named_unless_it_is_tolerated(lake: Lake) -> None:
    lake.connection.execute("delete from lake.accesses_by_patient where local_date = '2026-10-07'")
    (silent, missing) = found(lake)
    assert (silent.kind, silent.days) == ("silent", (date(2026, 10, 7),))
    assert (missing.kind, missing.n_records, missing.ranges) == ("missing", 12, (("361", "372"),))
    assert [lack.kind for lack in found(lake, incomplete_days_tolerated=1)] == ["missing"]


def test_a_quiet_day_counts_only_where_no_running_number_proves_it_whole(lake: Lake) -> None:
    lake.connection.execute("delete from lake.accesses_by_patient where cast(event_id as int) > 409")
    assert found(lake) == []
    lake.connection.execute("update sources set running_number = false")
    assert [(lack.kind, lack.days) for lack in found(lake)] == [("low", (date(2026, 10, 11),))]


def test_a_missing_number_is_tolerated_up_to_a_share(lake: Lake) -> None:
    lake.connection.execute("delete from lake.accesses_by_patient where event_id = '360'")
    assert found(lake, missing_rows_tolerated="0.02") == []
    (lack,) = found(lake)
    assert (lack.kind, lack.n_records, lack.ranges) == ("missing", 1, (("360", "360"),))
    assert lack.share == Decimal(1) / 84


def test_records_in_quarantine_count_where_no_number_shows_them(lake: Lake) -> None:
    lake.insert("lake.intake_files", {
        "file_id": "f", "source_id": "gerica", "first_at": "2026-10-05", "last_at": "2026-10-06", "n_quarantined": 3,
        "taken_in_at": "2026-10-12",
    })  # fmt: skip
    assert [(lack.kind, lack.n_records) for lack in found(lake)] == [("quarantined", 3)]


def test_a_log_that_the_check_does_not_draw_on_may_be_silent(lake: Lake) -> None:
    lake.sources("logins", event_table="authentications")
    lake.insert("lake.intake_files", {"file_id": "f", "source_id": "logins", "taken_in_at": "2026-10-12"})
    assert found(lake) == []
    (silent,) = found(lake, "authentications")
    assert (silent.source_id, silent.kind, len(silent.days)) == ("logins", "silent", 7)


def test_a_field_that_is_empty_in_the_whole_period_is_named(lake: Lake) -> None:
    bound = {"start_at": utc_midnight("2026-10-05"), "end_at": utc_midnight("2026-10-12")}
    needs = ("accesses", "accesses.country", "accesses.employee_id")
    assert [lack.field for lack in unfilled(lake.connection, needs, bound)] == ["country"]
    lake.access("2026-10-06 08:00:00", country="NO")
    assert list(unfilled(lake.connection, needs, bound)) == []


def test_of_several_fields_one_is_enough(lake: Lake) -> None:
    bound = {"start_at": utc_midnight("2026-10-05"), "end_at": utc_midnight("2026-10-12")}
    needs = ("accesses.country|authentications.country", "stays|employees.surname")
    assert [lack.source_id for lack in unfilled(lake.connection, needs, bound)] == ["accesses", "authentications"]
    lake.sign_in("2026-10-06 08:00:00", country="NO")
    assert list(unfilled(lake.connection, needs, bound)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_lack_is_said_with_its_days_numbers_and_share(language: str) -> None:
    said = sentences(ALL_KINDS, language)
    for text, parts in zip(
        said, (("gerica", "3"), ("1",), ("12", "5 \N{EN DASH} 9, 11"), ("7",), ("country",)), strict=True
    ):
        assert all(part in text for part in parts), text
    assert ("1.2%" if language == "en" else "1,2\N{NO-BREAK SPACE}%") in said[2]
    assert language == "en" or not set(said) & set(sentences(ALL_KINDS, "en"))
    assert all(text in NotAssessableError("many_accesses", "accesses", lacks=ALL_KINDS).text(language) for text in said)


def test_neighbouring_days_are_one_span_and_a_long_list_is_cut() -> None:
    days = [date(2026, 10, day) for day in (1, 2, 3, 5)]
    assert spans(days) == [(days[0], days[2]), (days[3], days[3])]
    odd = tuple(date(2026, 10, day) for day in range(1, 31, 2))
    assert sentences([Lack("gerica", "low", odd)], "en")[0].endswith("and 9 more.")


def test_a_check_demands_whole_logs_of_what_it_needs_unless_it_says_otherwise() -> None:
    catalog = Catalog()
    assert catalog.query("checks/many_accesses").complete == ("accesses",)
    assert catalog.query("reports/activity").complete == ()
    made = Query("many_accesses", "checks", resource_folder("sql") / "checks" / "many_accesses.sql")
    made.__dict__["description"] = made.description.model_copy(update={"complete": None})
    assert made.complete == ("accesses",)
    made.__dict__["description"] = made.description.model_copy(update={"complete": ()})
    assert made.complete == ()


def test_a_check_over_a_month_with_a_silent_day_is_refused_and_a_report_answers(tmp_path) -> None:
    site = create_site(tmp_path / "site", "NO")
    days = [day for day in range(1, 32) if day != 17]
    take_in(site, gerica_file(tmp_path / "a.csv", [row(day, day=f"{day:02d}.10.2026") for day in days]), "gerica")
    month = {"from_date": "2026-10-01", "to_date": "2026-10-31"}
    with open_store(site, "test") as store:
        with pytest.raises(NotAssessableError, match=r"gerica delivered nothing on 1 day: 2026-10-17") as caught:
            store.report("checks/many_accesses", **month)
        assert caught.value.exit_code == 1
        assert store.report("activity", patient_id="1042", **month).table.num_rows == 1
        before = {"from_date": "2026-10-01", "to_date": "2026-10-16"}
        assert store.report("checks/many_accesses", **before).table.num_rows == 0


def test_the_thresholds_that_decide_are_those_of_the_comparison_and_the_tolerances() -> None:
    assert completeness.threshold_names() == (
        "comparison_weeks",
        "least_comparable_days",
        "least_share_of_expected",
        "incomplete_days_tolerated",
        "missing_rows_tolerated",
    )
