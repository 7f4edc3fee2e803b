from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import duckdb
import pytest

from audit_kernel.store.intake import take_in
from audit_kernel.store.local_time import create_zone_tables, zone_offsets
from tests.store.logs import ask, row

ZONES = ("Europe/Oslo", "Europe/Stockholm")


@cache
def spans_of(zone: str):
    return zone_offsets(zone, 2025, 2026)


def placed(zone: str, local: str) -> tuple[str, datetime]:
    """Flag and UTC of a local time, by the spans alone."""
    moment = datetime.fromisoformat(local)
    found = [span for span in spans_of(zone) if span[0] <= moment < span[1]]
    assert len(found) == 1
    return found[0][5], moment - timedelta(seconds=found[0][4])


def truth(zone: str, local: str) -> str:
    """What zoneinfo says, both offsets compared."""
    moment = datetime.fromisoformat(local)
    readings = {moment.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset() for fold in (0, 1)}
    if len(readings) == 1:
        return "ok"
    earlier = moment.replace(tzinfo=ZoneInfo(zone), fold=0)
    returned = earlier.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return "ambiguous" if returned == moment else "nonexistent"


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("local", "flag"),
    [
        ("2026-03-29 01:59:59", "ok"),
        ("2026-03-29 02:00:00", "nonexistent"),
        ("2026-03-29 02:59:59.999999", "nonexistent"),
        ("2026-03-29 03:00:00", "ok"),
        ("2026-10-25 01:59:59.999999", "ok"),
        ("2026-10-25 02:00:00", "ambiguous"),
        ("2026-10-25 02:59:59", "ambiguous"),
        ("2026-10-25 03:00:00", "ok"),
        ("2026-01-01 00:00:00", "ok"),
        ("2026-12-31 23:59:59", "ok"),
    ],
)
def test_the_hours_around_a_change_are_flagged_to_the_second(zone, local, flag):
    assert placed(zone, local)[0] == flag == truth(zone, local)


@pytest.mark.parametrize("zone", [*ZONES, "Australia/Lord_Howe", "America/St_Johns", "UTC"])
def test_every_quarter_of_an_hour_around_the_changes_agrees_with_zoneinfo(zone):
    moment = datetime(2025, 1, 1)
    while moment < datetime(2026, 12, 31):
        flag, utc = placed(zone, moment.isoformat(sep=" "))
        assert flag == truth(zone, moment.isoformat())
        if flag == "ok":
            assert utc == moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
        moment += (
            timedelta(minutes=15) if moment.month in (3, 4, 10, 11) and moment.year == 2026 else timedelta(hours=12)
        )


def test_every_utc_moment_has_one_offset():
    spans = [span for span in zone_offsets("Europe/Oslo", 1979, 2030) if span[2] is not None]
    assert all(earlier[3] == later[2] for earlier, later in pairwise(spans))


def holidays_of(country: str, year: int) -> set[date]:
    connection = duckdb.connect()
    create_zone_tables(connection, "Europe/Oslo", country, year, year)
    return {day for (day,) in connection.execute("select holiday_date from public_holidays").fetchall()}


def test_norwegian_and_swedish_holidays_are_each_countrys_own():
    norwegian, swedish = holidays_of("NO", 2026), holidays_of("SE", 2026)
    assert {date(2026, 5, 17), date(2026, 4, 2), date(2026, 5, 25)} <= norwegian - swedish
    assert {date(2026, 6, 6), date(2026, 1, 6), date(2026, 6, 20)} <= swedish - norwegian
    assert date(2026, 10, 4) not in norwegian | swedish  # a Sunday like any other is a weekday, not a holiday


def test_odd_hours_are_stored_and_flagged_and_never_shifted_in_local_time(site, gerica):
    rows = [
        row(1, day="29.03.2026", time="02:30:00"),
        row(2, day="25.10.2026", time="02:30:00"),
        row(3, day="25.10.2026", time="03:00:00"),
        row(4, day="31.12.2025", time="23:30:00"),
    ]
    assert take_in(site, gerica("a.csv", rows), "gerica").n_stored == 4
    columns = "time_flag, local_date, local_hour, local_weekday, is_holiday, recorded_at"
    assert ask(site, f"select {columns} from lake.accesses_by_patient order by event_id") == [
        ("nonexistent", date(2026, 3, 29), 2, 7, False, datetime(2026, 3, 29, 1, 30)),
        ("ambiguous", date(2026, 10, 25), 2, 7, False, datetime(2026, 10, 25, 0, 30)),
        ("ok", date(2026, 10, 25), 3, 7, False, datetime(2026, 10, 25, 2, 0)),
        ("ok", date(2025, 12, 31), 23, 3, False, datetime(2025, 12, 31, 22, 30)),
    ]


def test_a_swedish_log_has_swedish_hours_and_holidays(swedish_site, plain):
    rows = ["2026-06-06 00:30:00;a;1;x", "2026-05-17 12:00:00;a;1;x", "2026-10-25 02:00:00;a;1;x"]
    take_in(swedish_site, plain("a.csv", rows), "plain")
    columns = "local_date, local_hour, local_weekday, is_holiday, time_flag, recorded_at"
    assert ask(swedish_site, f"select {columns} from lake.accesses_by_patient order by recorded_at") == [
        (date(2026, 5, 17), 12, 7, False, "ok", datetime(2026, 5, 17, 10)),
        (date(2026, 6, 6), 0, 6, True, "ok", datetime(2026, 6, 5, 22, 30)),
        (date(2026, 10, 25), 2, 7, False, "ambiguous", datetime(2026, 10, 25)),
    ]


def test_fhir_times_in_utc_are_certain_and_a_time_without_offset_says_so(site, tmp_path):
    def event(number: int, recorded: str) -> str:
        return (
            f'{{"resourceType":"AuditEvent","id":"e{number}","action":"R","recorded":"{recorded}",'
            '"type":{"code":"rest"},"agent":[{"requestor":true,"who":{"display":"a"}}],'
            '"source":{"observer":{"display":"ehr"}},"entity":[{"what":{"reference":"Patient/1"}}]}'
        )

    times = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-01T12:00:00", "2026-10-25T02:30:00"]
    path = tmp_path / "events.ndjson"
    path.write_text("".join(f"{event(number, time)}\n" for number, time in enumerate(times)))
    assert take_in(site, path, "fhir").n_stored == 4
    columns = "recorded_at, local_hour, time_flag"
    assert ask(site, f"select {columns} from lake.accesses_by_patient order by event_id") == [
        (datetime(2026, 10, 25, 0, 30), 2, "ok"),
        (datetime(2026, 10, 25, 1, 30), 2, "ok"),
        (datetime(2026, 10, 1, 10, 0), 12, "no_zone"),
        (datetime(2026, 10, 25, 0, 30), 2, "ambiguous"),
    ]
