"""Rows counted by the hour at intake give what a look at every row gives: random deliveries, older stores, disposal."""

from __future__ import annotations

import re
import shutil
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_kernel import open_store
from audit_kernel.catalog import resource_folder
from audit_kernel.errors import StoreError
from audit_kernel.site import Site
from audit_kernel.store.connection import transaction, writing
from audit_kernel.store.dispose import Request, dispose
from audit_kernel.store.intake import take_in
from tests.store.logs import ask, gerica_file, plain_file, row

# What coverage.sql read before rows were counted at intake: every row of the period.
BY_ROWS = """counted as (
    select
        source_id, local_date, number // 4096 as block,
        case when recorded_at < $start_at then -1 when recorded_at < $end_at then 0 else 1 end as phase,
        count(*) as n_rows, count(*) filter (where time_flag <> 'ok') as n_odd_hours, count(number) as n_numbers,
        min(number) as lowest, max(number) as highest, min(recorded_at) as first_at, max(recorded_at) as last_at
    from (
        select
            events.source_id, events.local_date, events.recorded_at, events.time_flag,
            case when sources.running_number and events.item = 0 and regexp_matches(events.event_id, '^[0-9]{1,15}$')
                then try_cast(events.event_id as bigint) end as number
        from events left join sources using (source_id)
        where events.recorded_at >= $start_at - interval '7' day and events.recorded_at < $end_at + interval '1' day
    ) as seen
    group by all
),

blocks as ("""
COVERAGE = (resource_folder("sql") / "reports" / "coverage.sql").read_text(encoding="utf-8")
records = st.tuples(st.integers(0, 9_000), st.integers(1, 28), st.integers(0, 23), st.booleans())
FEW = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
OCTOBER = {"from_date": date(2026, 10, 1), "to_date": date(2026, 10, 31)}


def copied(empty_sites: Path, folder: str) -> Site:
    shutil.copytree(empty_sites / "NO", f"{folder}/site")
    return Site(Path(folder) / "site")


def deliver(site: Site, folder: str, files: list[list[tuple[int, int, int, bool]]]) -> None:
    """Take files in of which each holds records of the log with running numbers and of the one without."""
    for place, file in enumerate(files):
        numbered = [row(number, day=f"{day:02d}.10.2026", time=f"{hour:02d}:30:00") for number, day, hour, _ in file]
        plain = [f"2026-10-{day:02d} {hour:02d}:30:00;a;b;{number}" for number, day, hour, is_plain in file if is_plain]
        take_in(site, gerica_file(Path(folder) / f"{place}.csv", numbered), "gerica", is_last=place % 2 == 0)
        if plain:
            take_in(site, plain_file(Path(folder) / f"{place}.txt", plain), "plain")


@FEW
@given(
    files=st.lists(st.lists(records, min_size=1, max_size=12), min_size=1, max_size=3),
    periods=st.lists(st.tuples(st.integers(1, 27), st.integers(-3, 3), st.integers(1, 9)), min_size=5, max_size=5),
)
def test_hours_say_of_any_period_what_its_rows_say(empty_sites, files, periods):
    with tempfile.TemporaryDirectory() as folder:
        site = copied(empty_sites, folder)
        deliver(site, folder, files)
        by_rows, n_replaced = re.subn(
            r"counted as \(.*?blocks as \(", lambda _found: BY_ROWS, COVERAGE, flags=re.DOTALL
        )
        assert n_replaced == 1
        with open_store(site, "test") as store:
            for first, hours, n_days in periods:
                start = datetime(2026, 10, first) + timedelta(hours=hours)
                period = {"start_at": start, "end_at": start + timedelta(days=n_days)}
                assert store.sql(COVERAGE, period).to_pylist() == store.sql(by_rows, period).to_pylist()
            n_rows = store.sql("select sum(n_rows) from event_counts union all select count(*) from events")[
                0
            ].to_pylist()
            assert n_rows[0] == n_rows[1]


def test_a_file_is_counted_once_and_numbers_only_where_they_run(site, gerica, plain):
    take_in(site, gerica("a.csv", [row(1), row(2), row(5000), row("7", time="13:00:00")]), "gerica")
    take_in(site, plain("p.csv", ["2026-10-25 02:30:00;a;b;c", "2026-10-25 02:40:00;a;b;c"]), "plain")
    counted = ask(
        site,
        "select source_id, hour_at, block, n_rows, n_odd_hours, n_numbers, lowest, highest"
        " from lake.hourly_counts where hour_at is not null order by all",
    )
    assert counted == [
        ("gerica", datetime(2026, 10, 1, 10), 0, 2, 0, 2, 1, 2),
        ("gerica", datetime(2026, 10, 1, 10), 1, 1, 0, 1, 5000, 5000),
        ("gerica", datetime(2026, 10, 1, 11), 0, 1, 0, 1, 7, 7),
        ("plain", datetime(2026, 10, 25, 0), None, 2, 2, 0, None, None),
    ]
    with open_store(site, "test") as store:
        assert store.sql("select * from uncounted_files").num_rows == 0


def test_a_store_that_never_counted_answers_alike_and_counts_at_the_next_intake(site, gerica):
    take_in(site, gerica("a.csv", [row(1), row(4)]), "gerica")
    with open_store(site, "test") as store:
        before = store.report("reports/coverage", **OCTOBER).table.to_pylist()
    assert before[0]["n_missing_numbers"] == 2
    with writing(site, site.temporary_folder) as connection, transaction(connection):
        connection.execute("delete from lake.hourly_counts")
    with open_store(site, "test") as store:
        assert store.sql("select * from uncounted_files").num_rows == 1
        assert store.report("reports/coverage", **OCTOBER).table.to_pylist() == before
    take_in(site, gerica("b.csv", [row(5)]), "gerica")
    with open_store(site, "test") as store:
        assert store.sql("select * from uncounted_files").num_rows == 0
        assert store.report("reports/coverage", **OCTOBER).table.to_pylist() == [{**before[0], "n_rows": 3}]


def test_a_log_found_to_have_running_numbers_is_counted_again(site, plain):
    take_in(site, plain("p.csv", ["2026-10-01 08:00:00;a;b;c"]), "plain")
    mapping = site.folder / "parameters" / "sources" / "plain.yml"
    mapping.write_text(
        mapping.read_text(encoding="utf-8").replace("columns:", "running_number: true\ncolumns:"), encoding="utf-8"
    )
    with open_store(site, "test") as store:
        assert store.sql("select * from uncounted_files").num_rows == 1
    take_in(site, plain("q.csv", ["2026-10-02 08:00:00;a;b;c"]), "plain")
    with open_store(site, "test") as store:
        assert (
            store.sql("select has_numbers, n_rows from event_counts where hour_at is not null").to_pylist()
            == [{"has_numbers": True, "n_rows": 1}] * 2
        )


def test_days_that_were_disposed_of_do_not_pass_for_whole_but_a_persons_rows_did_come(site, gerica):
    take_in(site, gerica("a.csv", [row(1, day="01.10.2019"), row(2, day="02.10.2019", post="77")]), "gerica")
    take_in(site, gerica("b.csv", [row(3, post="77"), row(4)]), "gerica")
    dispose(site, Request(before=date(2019, 10, 2)))
    dispose(site, Request(patient="77", decision="2026/1"))
    with open_store(site, "test") as store:
        hours = store.sql("select hour_at, n_rows from event_counts where hour_at is not null order by 1").to_pylist()
        assert [(each["hour_at"].date(), each["n_rows"]) for each in hours] == [
            (date(2019, 10, 2), 1),
            (date(2026, 10, 1), 2),
        ]
        assert store.sql("select * from uncounted_files").num_rows == 0
        assert store.report("reports/coverage", **OCTOBER).table.to_pylist()[0]["n_missing_numbers"] == 0


def test_a_store_of_an_earlier_version_says_so_and_is_brought_up_to_date_by_the_next_file(site, gerica):
    take_in(site, gerica("a.csv", [row(1)]), "gerica")
    with writing(site, site.temporary_folder) as connection:
        connection.execute("drop table lake.hourly_counts")
        connection.execute("alter table lake.accesses_by_patient add column access_id uuid")
    with pytest.raises(StoreError, match="earlier version") as caught:
        open_store(site, "test")
    assert "Take a file in" in caught.value.remedy
    take_in(site, gerica("b.csv", [row(2)]), "gerica")
    with open_store(site, "test") as store:
        assert store.sql("select count(distinct access_id) as n from stored_accesses")["n"][0].as_py() == 2
        assert store.report("reports/coverage", **OCTOBER).table.to_pylist()[0]["n_rows"] == 2
