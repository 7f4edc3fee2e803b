"""The checks of log-ins and places: exact findings, the row that must not be one, and the edge of each threshold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.sql.period import make_period

if TYPE_CHECKING:
    from tests.sql.conftest import Lake

THRESHOLDS = {
    "failed_logins_in_burst": 3, "failed_login_minutes": 10, "lockouts_of_account": 2, "sprayed_accounts": 3,
    "spraying_minutes": 60, "employment_grace_days": 14, "impossible_travel_hours": 2, "two_places_minutes": 10,
}  # fmt: skip
GROUPS = (
    ("SE", "eu", False, "0001-01-01", "9999-12-31"),
    ("DK", "eu", False, "0001-01-01", "9999-12-31"),
    ("NO", "eea", False, "0001-01-01", "9999-12-31"),
    ("CH", "adequate", False, "2000-07-26", "9999-12-31"),
    ("US", "adequate", True, "2023-07-10", "9999-12-31"),
    ("BR", "adequate", False, "2026-10-15", "9999-12-31"),
    ("ZZ", "not_a_country", False, "0001-01-01", "9999-12-31"),
)


def found(lake: Lake, check: str) -> list[dict[str, Any]]:
    """Run a check over October, and whatever stands beside it."""
    make_period(lake)
    for part in ("counts", "frame"):
        lake.query(f"checks/{check}.{part}", **THRESHOLDS)
    rows = lake.query(f"checks/{check}", **THRESHOLDS)
    assert len({row["finding_id"] for row in rows}) == len(rows)
    return rows


def brief(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["employee_id"], row["reason_code"], row["n_events"], row["severity"]) for row in rows]


def moments(first: str, *seconds: int) -> list[str]:
    """Return UTC times, seconds after the first."""
    begin = datetime.fromisoformat(first).replace(tzinfo=UTC)
    return [f"{begin + timedelta(seconds=each):%Y-%m-%d %H:%M:%S}" for each in seconds]


def failures(lake: Lake, first: str, *seconds: int, **row: Any) -> None:
    for at in moments(first, *seconds):
        lake.sign_in(at, "failure", **row)


def with_countries(lake: Lake) -> None:
    for row in GROUPS:
        names = ("country", "country_group", "is_partial", "valid_from", "valid_to")
        lake.insert("country_groups", dict(zip(names, row, strict=True)))
    for pair in (("SE", "DK"), ("DK", "SE")):
        lake.insert("country_neighbours", {"country": pair[0], "neighbour": pair[1]})


def test_a_burst_is_so_many_failures_within_minutes_that_slide(lake: Lake) -> None:
    cases = {"E1": (0, 300, 600), "E2": (0, 300, 601), "E3": (0, 300), "E4": (0, 601, 1000, 1201)}
    for employee, seconds in cases.items():
        failures(lake, "2026-10-05 08:00:00", *seconds, account=employee, employee_id=employee)
    assert brief(found(lake, "authentication")) == [("E4", "burst", 4, 2), ("E1", "burst", 3, 2)]


def test_a_record_that_stands_for_several_attempts_counts_as_many_and_never_as_none(lake: Lake) -> None:
    lake.sign_in("2026-10-05 08:00:00", "failure", repeated=3)
    failures(lake, "2026-10-05 08:00:00", 0, 1, account="e2", employee_id="E2", repeated=-9)
    failures(lake, "2026-10-05 08:00:00", 0, 1, 2, account="e3", employee_id="E3", repeated=0)
    (first, second) = found(lake, "authentication")
    assert brief([first, second]) == [("E1", "burst", 1, 2), ("E3", "burst", 3, 2)]
    assert first["reason_values"]["n_failures"] == second["reason_values"]["n_failures"] == 3


def test_a_log_in_is_a_success_after_a_burst_within_the_same_minutes(lake: Lake) -> None:
    for employee, second in (("E1", 602), ("E2", 603), ("E3", 1)):
        who = {"account": employee, "employee_id": employee}
        failures(lake, "2026-10-05 08:00:00", 2, 2, 2, **who)
        for at in moments("2026-10-05 08:00:00", second):
            lake.sign_in(at, **who)
    assert brief(found(lake, "authentication")) == [
        ("E1", "success_after_burst", 4, 3),
        ("E2", "burst", 3, 2),
        ("E3", "burst", 3, 2),
    ]


def test_a_burst_goes_over_the_beginning_of_the_period_but_what_lies_before_it_is_no_finding(lake: Lake) -> None:
    failures(lake, "2026-09-30 21:58:00", 0, 60, 180)
    failures(lake, "2026-09-30 21:00:00", 0, 1, 2, account="e2", employee_id="E2")
    failures(lake, "2026-10-31 23:00:00", 0, 1, 2, account="e3", employee_id="E3")
    (row,) = found(lake, "authentication")
    assert brief([row]) == [("E1", "burst", 1, 2)]
    assert row["first_at"] == datetime(2026, 9, 30, 21, 58)


def test_an_account_is_one_in_any_case_of_letters_and_over_all_logs_and_needs_no_employee(lake: Lake) -> None:
    failures(lake, "2026-10-05 08:00:00", 0, account="Admin", employee_id=None)
    failures(lake, "2026-10-05 08:00:00", 1, account="ADMIN ", employee_id=None, source_id="windows")
    failures(lake, "2026-10-05 08:00:00", 2, account=None, employee_id="admin")
    failures(lake, "2026-10-05 08:00:00", 0, 1, 2, account=None, employee_id=None)
    (row,) = found(lake, "authentication")
    assert (row["reason_code"], row["n_events"], row["reason_values"]["account"]) == ("burst", 3, "admin")
    counts = {(each["breakdown"], each["part"]): each for each in lake.query("checks/authentication.counts")}
    assert (counts["all_by_kind", "failure"]["n_rows"], counts["all_by_kind", "failure"]["n_unknown"]) == (6, 1)
    assert counts["unjudged_without_account", "failure"]["n_times"] == 3
    assert counts["unjudged_without_address", "failure"]["n_times"] == 6
    assert lake.query("checks/authentication.matrix")[0]["n_failures"] == 6


def test_an_account_stands_for_its_employee_where_the_log_names_no_employee(lake: Lake) -> None:
    lake.reference("identifiers", system="keycloak", kind="employee", identifier="e7", id="E7", valid_to="2026-10-06")
    failures(lake, "2026-10-05 08:00:00", 0, 1, 2, account="e7", employee_id=None)
    failures(lake, "2026-10-06 08:00:00", 0, 1, 2, account="e7", employee_id="E8")
    assert [
        row["employee_id"] for row in lake.rows("select employee_id from authentications order by recorded_at")
    ] == [
        *["E7"] * 3,
        *["E8"] * 3,
    ]


def test_lockouts_are_found_from_the_threshold(lake: Lake) -> None:
    for account, number in (("e1", 2), ("e2", 1)):
        for at in moments("2026-10-05 08:00:00", *range(0, 100_000 * number, 100_000)):
            lake.sign_in(at, "lockout", account=account, employee_id=account.upper())
    assert brief(found(lake, "authentication")) == [("E1", "lockouts", 2, 2)]


def test_a_log_in_after_the_employment_is_found_after_the_days_of_grace_until_the_next(lake: Lake) -> None:
    for employee, day in (("E1", 14), ("E2", 15), ("E3", 20)):
        lake.reference("employments", employee_id=employee, employment_ref="1", valid_to="2026-10-01")
        lake.reference("employments", employee_id=employee, employment_ref="2", valid_from="2026-10-20")
        who = {"account": employee, "employee_id": employee}
        lake.sign_in(f"2026-10-{day} 08:00:00", **who)
        lake.sign_in(f"2026-10-{day} 09:00:00", "failure", **who)
    assert brief(found(lake, "authentication")) == [("E2", "employment_ended", 1, 3)]
    assert brief(found(lake, "account_after_employment")) == [("E2", "logged_in_after_employment", 1, 2)]


def test_an_account_of_nobody_is_found_only_where_employees_are_known(lake: Lake) -> None:
    for account in ("e1", "ghost", "PC-1$"):
        lake.sign_in("2026-10-05 08:00:00", account=account, employee_id="E1" if account == "e1" else None)
    lake.sign_in("2026-10-05 08:00:00", "failure", account="never", employee_id=None)
    assert found(lake, "authentication") == []
    lake.reference("employees", employee_id="E1")
    assert brief(found(lake, "authentication")) == [("ghost", "unknown_account", 1, 1)]


def test_an_address_that_tries_many_accounts_is_found_within_minutes_that_slide(lake: Lake) -> None:
    cases = (
        ((0, 1800, 3600), "abc"),
        ((0, 1800, 3601), "abc"),
        ((0, 1800, 3600), "aba"),
        ((0, 3000, 6000, 6001), "abac"),
        ((0, 3000, 6700, 6701), "abac"),
        ((0, 3600, 3700, 3800), "aabc"),
    )
    for number, (seconds, accounts) in enumerate(cases):
        for at, account in zip(moments("2026-10-05 23:30:00", *seconds), accounts, strict=True):
            who = {"account": f"{account}{number}", "employee_id": None}
            lake.sign_in(at, "failure", network_address=f"203.0.113.{number}", **who)
            lake.sign_in(at, "failure", account=f"{account}{number}x", employee_id=None)
    rows = found(lake, "authentication")
    assert {(row["employee_id"], row["reason_code"], row["severity"]) for row in rows} == {(None, "spraying", 2)}
    assert sorted((row["reason_values"]["address"], row["reason_values"]["n_accounts"]) for row in rows) == [
        ("203.0.113.0", 3),
        ("203.0.113.3", 3),
        ("203.0.113.5", 3),
    ]


def test_an_address_that_a_whole_house_shares_is_left_alone(lake: Lake) -> None:
    for address, let_in in (("203.0.113.1", "xy"), ("203.0.113.2", "xyz")):
        for account in "abc":
            lake.sign_in("2026-10-05 08:00:00", "failure", account=account + address, network_address=address)
        for account in let_in:
            lake.sign_in("2026-10-20 08:00:00", account=account, network_address=address)
    assert [row["reason_values"]["address"] for row in found(lake, "authentication")] == ["203.0.113.1"]


def test_spraying_goes_over_the_beginning_of_the_period(lake: Lake) -> None:
    for at, account in (("2026-09-30 21:58:00", "a"), ("2026-09-30 21:59:00", "b"), ("2026-09-30 22:00:00", "c")):
        lake.sign_in(at, "failure", account=account, employee_id=None, network_address="203.0.113.9")
        lake.sign_in(at.replace("09-30", "09-29"), "failure", account=account, network_address="203.0.113.8")
    (row,) = found(lake, "authentication")
    assert (row["reason_values"]["address"], row["n_events"], row["measure"]) == ("203.0.113.9", 1, 3)


def test_every_clearing_of_a_log_is_found_whoever_did_it(lake: Lake) -> None:
    for _ in range(2):
        lake.sign_in("2026-10-05 08:00:00", "log_cleared", account=None, employee_id=None, device="DC-1")
    lake.sign_in("2026-11-05 08:00:00", "log_cleared")
    rows = found(lake, "authentication")
    assert brief(rows) == [(None, "log_cleared", 1, 3)] * 2
    assert {row["reason_values"]["address"] for row in rows} == {"DC-1"}


def test_the_log_ins_behind_a_finding_are_the_subjects_and_without_one_every_attempt(lake: Lake) -> None:
    lake.sign_in("2026-10-05 08:00:00")
    lake.sign_in("2026-10-05 08:01:00", "failure", account="ghost", employee_id=None, reason="wrong password")
    (own,) = lake.query("checks/authentication.events", employee_id="E1")
    assert (own["activity_sv"], own["outcome"]) == ("Loggade in", "success")
    assert len(lake.query("checks/authentication.events", employee_id="ghost")) == 1
    (attempt,) = lake.query("checks/authentication.events")
    assert (attempt["employee_name"], attempt["access_type_nb"]) == ("ghost", "wrong password")


def test_accesses_from_third_countries_are_found_by_group_and_approved_travel_is_not(lake: Lake) -> None:
    with_countries(lake)
    lake.reference("approved_travel", employee_id="E1", country="TH", valid_from="2026-10-05", valid_to="2026-10-07")
    for day in (4, 5, 6, 7):
        lake.access(f"2026-10-{day:02} 08:00:00", country="TH", network_address="198.51.100.1")
    lake.access("2026-10-05 09:00:00", country="BR", network_address="203.0.113.1")
    for number, country in enumerate(("SE", "NO", "CH", "US", None, "zz", "Sverige", " th "), start=2):
        lake.access("2026-10-05 08:00:00", employee_id=f"E{number}", country=country)
    lake.sign_in("2026-10-20 08:00:00", account="ghost", employee_id=None, country="RU")
    lake.sign_in("2026-10-20 08:00:00", "failure", account="guest", employee_id=None, country="CN")
    lake.access("2026-10-20 08:00:00", employee_id="E20", country="BR")
    lake.access("2026-10-20 08:00:00", employee_id="E21", country="RU", outcome="denied")
    assert brief(found(lake, "third_country")) == [
        ("E1", "third", 2, 3),
        ("E1", "third", 1, 3),
        ("E9", "third", 1, 3),
        ("E5", "adequate_partly", 1, 2),
        ("ghost", "third", 1, 2),
        ("E20", "adequate", 1, 1),
        ("E4", "adequate", 1, 1),
    ]
    counts = {(row["country_group"], row["country"]): row for row in lake.query("checks/third_country.counts")}
    assert (counts["third", "TH"]["n_approved"], counts["third", "TH"]["n_accesses"]) == (2, 5)
    assert (counts["third", "CN"]["n_refused"], counts["third", "RU"]["n_refused"]) == (1, 1)
    assert counts["unknown", "-"]["n_rows"] == 3
    assert counts["adequate", "BR"]["n_rows"] == counts["third", "BR"]["n_rows"] == 1
    assert len(lake.query("checks/third_country.frame")) == 10


def test_a_login_alone_where_adequacy_covers_everybody_is_a_task(lake: Lake) -> None:
    with_countries(lake)
    lake.sign_in("2026-10-20 08:00:00", employee_id="E1", country="BR")
    lake.sign_in("2026-10-20 08:00:00", employee_id="E2", country="BR")
    lake.access("2026-10-20 09:00:00", employee_id="E2", country="BR")
    lake.sign_in("2026-10-20 08:00:00", employee_id="E3", country="RU")
    assert {row["employee_id"]: row["stream"] for row in found(lake, "third_country")} == {
        "E1": "targeted", "E2": "breach", "E3": "breach",
    }  # fmt: skip


def test_two_countries_too_soon_are_found_unless_they_are_near_or_the_address_does_not_tell(lake: Lake) -> None:
    with_countries(lake)
    cases = (
        (7199, "CH", None, None, 1),
        (7200, "CH", None, None, 0),
        (60, "DK", None, None, 0),
        (60, "SE", None, None, 0),
        (60, None, None, None, 0),
        (60, "CH", "remote", None, 0),
        (60, "CH", "provider", None, 0),
        (60, "CH", "partner", None, 1),
        (60, "CH", None, "CH", 0),
        (60, "CH", "partner", "CH", 1),
        (60, "CH", None, "US", 1),
    )
    for number, (second, country, network, travel, _count) in enumerate(cases):
        employee, address = f"E{number:02}", f"203.0.113.{number}"
        if network:
            lake.reference("networks", network=address, kind=network, country=country)
        if travel:
            lake.reference("approved_travel", employee_id=employee, country=travel, valid_from="2026-10-01")
        lake.sign_in("2026-10-05 08:00:00", employee_id=employee, country="SE", network_address="192.0.2.1")
        for at in moments("2026-10-05 08:00:00", second):
            lake.access(at, employee_id=employee, country=country, network_address=address)
    rows = [row for row in found(lake, "third_country") if row["reason_code"] == "impossible_travel"]
    assert [row["employee_id"] for row in rows] == [f"E{number:02}" for number, case in enumerate(cases) if case[-1]]
    assert {(row["severity"], row["reason_values"]["country"]) for row in rows} == {(3, "SE - CH")}


def test_a_network_decides_country_and_place_the_smallest_first_while_it_is_known(lake: Lake) -> None:
    with_countries(lake)
    lake.reference("units", unit_id="U1", place="House")
    lake.reference("networks", network="10.0.0.0/8", kind="own")
    lake.reference("networks", network="10.1.2.0/23", kind="own", unit_id="U1", country="SE", valid_to="2026-10-06")
    lake.reference("networks", network="10.1.3.9", kind="remote", country="DK")
    lake.reference("networks", network="2001:db8::/33", kind="partner", country="DK")
    lake.reference("networks", network="999.9.9.9/8", kind="own")
    addresses = (
        "10.1.3.8",
        "10.1.3.9",
        "10.1.4.1",
        "::ffff:10.1.2.1",
        "2001:DB8::1%eth0",
        "2001:db8:8000::1",
        "10.1.3",
    )
    for number, address in enumerate(addresses):
        lake.access("2026-10-05 08:00:00", employee_id=f"E{number}", network_address=address)
    lake.access("2026-10-06 08:00:00", employee_id="E9", network_address="10.1.3.8")
    make_period(lake)
    rows = lake.rows("select employee_id, network_kind, country, place from period_presences order by employee_id")
    assert [tuple(row.values())[1:] for row in rows] == [
        ("own", "SE", "House"),
        ("remote", "DK", None),
        ("own", "NO", "10.0.0.0/8"),
        ("own", "SE", "House"),
        ("partner", "DK", "2001:db8::/33"),
        (None, None, None),
        (None, None, None),
        ("own", "NO", "10.0.0.0/8"),
    ]


def with_houses(lake: Lake) -> None:
    lake.reference("units", unit_id="U1", place="House")
    lake.reference("units", unit_id="U2", place="House")
    lake.reference("units", unit_id="U3", place="Villa")
    for number in (1, 2, 3):
        lake.reference("networks", network=f"10.0.{number}.0/24", kind="own", unit_id=f"U{number}")
    lake.reference("networks", network="192.0.2.0/24", kind="remote")


def test_an_account_at_two_houses_is_found_where_the_place_changes_twice_within_minutes(lake: Lake) -> None:
    with_houses(lake)
    cases: tuple[tuple[tuple[str | None, ...], tuple[int, ...]], ...] = (
        (("10.0.1.1", "10.0.3.1", "10.0.1.1"), (0, 300, 600)),
        (("10.0.1.1", "10.0.3.1", "10.0.1.1"), (0, 300, 601)),
        (("10.0.1.1", "10.0.3.1", "10.0.3.1"), (0, 1, 2)),
        (("10.0.1.1", "10.0.2.1", "10.0.1.1"), (0, 1, 2)),
        (("10.0.1.1", "192.0.2.7", "10.0.1.1"), (0, 1, 2)),
        (("10.0.1.1", "198.51.100.7", "10.0.1.1"), (0, 1, 2)),
        (("10.0.1.1", None, "10.0.3.1"), (0, 1, 2)),
    )
    for number, (addresses, seconds) in enumerate(cases):
        for at, address in zip(moments("2026-10-05 08:00:00", *seconds), addresses, strict=True):
            lake.access(at, employee_id=f"E{number}", network_address=address)
    (row,) = found(lake, "two_places")
    assert brief([row]) == [("E0", "two_places", 1, 2)]
    assert row["reason_values"]["places"] == "House - Villa"
    counts = {each["whereabouts"]: each["n_rows"] for each in lake.query("checks/two_places.counts")}
    assert counts == {"known_place": 18, "somewhere": 1, "unknown_address": 1, "no_address": 1}


def test_a_log_out_elsewhere_is_no_use_and_three_times_are_graver(lake: Lake) -> None:
    with_houses(lake)
    for second in range(5):
        (at,) = moments("2026-10-05 08:00:00", second)
        lake.access(at, employee_id="E2", network_address=f"10.0.{1 + second % 2 * 2}.1")
    lake.access("2026-10-05 08:00:00", network_address="10.0.1.1")
    lake.sign_in("2026-10-05 08:00:01", "logout", network_address="10.0.3.1")
    lake.access("2026-10-05 08:00:02", network_address="10.0.1.1")
    assert brief(found(lake, "two_places")) == [("E2", "two_places", 3, 3)]
    counts = {row["whereabouts"]: row["n_rows"] for row in lake.query("checks/two_places.counts")}
    assert counts == {"known_place": 7}
    assert [row["employee_id"] for row in lake.query("checks/two_places.frame")] == ["E2"]


def test_without_networks_two_addresses_and_two_sessions_are_a_light_finding(lake: Lake) -> None:
    for number, sessions in enumerate(("aba", "aaa", "aab", "baa", (None, None, None))):
        for second, session in enumerate(sessions):
            (at,) = moments("2026-10-05 08:00:00", second)
            address = f"192.0.2.{second % 2}"
            lake.access(at, employee_id=f"E{number}", network_address=address, session_id=session)
    assert brief(found(lake, "two_places")) == [("E0", "two_addresses", 1, 1)]


def test_an_account_after_the_employment_is_graver_with_accesses_and_light_on_a_shift(lake: Lake) -> None:
    for employee in ("E1", "E2", "E3"):
        lake.reference("employments", employee_id=employee, employment_ref="1", valid_to="2026-09-01")
    lake.reference("employments", employee_id="E3", employment_ref="2", valid_from="2026-08-01")
    lake.reference("employees", employee_id="E4", valid_to="2026-09-01")
    lake.reference("employees", employee_id="E1")
    lake.reference("shifts", employee_id="E2", kind="shift", starts_at="2026-10-05 09:00:00",
                   ends_at="2026-10-05 12:00:00")  # fmt: skip
    for number in (1, 2, 3, 4, 5):
        lake.access("2026-10-05 08:00:00", employee_id=f"E{number}")
        lake.access("2026-10-05 08:00:00", employee_id=f"E{number}", outcome="denied")
    lake.sign_in("2026-10-05 07:59:00", employee_id="E4")
    assert brief(found(lake, "account_after_employment")) == [
        ("E1", "opened_after_employment", 1, 3),
        ("E4", "opened_after_employment", 2, 3),
        ("E2", "on_shift_after_employment", 1, 1),
    ]
    counts = {row["employment"]: row for row in lake.query("checks/account_after_employment.counts", **THRESHOLDS)}
    assert {name: row["n_people"] for name, row in counts.items()} == {
        "ended": 3, "employed_or_not_yet": 1, "employment_unknown": 1,
    }  # fmt: skip
    events = lake.query("checks/account_after_employment.events", employee_id="E4")
    assert [row["action"] for row in events] == ["login", "read", "read"]
