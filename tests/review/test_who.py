"""Who may review a row, which rows two review, and whose list a user of the operating system may see."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as some

from audit_kernel.errors import SettingsError, UsageError
from audit_kernel.review import acting
from audit_kernel.review.acting import ANYBODY, acting_reviewer, refuse_others_list, refuse_reviewer
from audit_kernel.review.candidates import Candidate
from audit_kernel.review.who import Closeness, is_double, reviewers_of, second_of
from audit_kernel.site import Site, create_site
from audit_kernel.store.deliver import take_in_all

DAY = date(2026, 10, 5)
OPEN = date(9999, 12, 31)


@pytest.fixture
def site(tmp_path):
    return create_site(tmp_path / "site", "NO", "Test kommune")


def named(site: Site, **review) -> Site:
    path = site.folder / "settings.yml"
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**given, "review": review}), encoding="utf-8")
    return Site(site.folder)


def row(**given) -> Candidate:
    at = (datetime(2026, 10, 5, 6, 30, tzinfo=UTC),)
    plain = {
        "kind": "sample", "keys": ("E1|P1|2026-10-05",), "employee_id": "E1", "employee_name": "Eva Ek",
        "patient_id": "P1", "patient_name": "Per Persson", "unit_id": "U1", "first_day": DAY, "last_day": DAY,
        "times": at, "n_rows": 3, "about": "read", "title": "Random sample", "manager_id": "M1",
    }  # fmt: skip
    return Candidate(**{**plain, **given})


@pytest.mark.parametrize(
    ("close", "reviewers"),
    [
        (Closeness(), ["M1", "R1", "R2"]),
        (Closeness({("M1", "employee", "E1"): OPEN}), ["R1", "R2"]),
        (Closeness({("M1", "patient", "P1"): OPEN, ("R1", "employee", "E1"): OPEN}), ["R2"]),
        (Closeness({("M1", "employee", "E1"): DAY}), ["M1", "R1", "R2"]),  # over before that day
        (Closeness({("M1", "employee", "E1"): date(2026, 10, 6)}), ["R1", "R2"]),
        (Closeness({("M1", "patient", "E1"): OPEN, ("M1", "employee", "E2"): OPEN}), ["M1", "R1", "R2"]),
        (Closeness({}, frozenset({("R1", "E1")})), ["M1", "R2"]),
        (Closeness({}, frozenset({("R1", "E2")})), ["M1", "R1", "R2"]),
    ],
)
def test_a_row_goes_to_the_next_reviewer_who_is_not_too_close(site, close, reviewers):
    site = named(site, reviewers=[{"id": "R1"}, {"id": "R2"}])
    assert reviewers_of(site, row(), close) == reviewers


def test_nobody_reviews_who_read_their_own_record(site):
    site = named(site, reviewers=[{"id": "P1"}, {"id": "M1"}])
    assert reviewers_of(site, row(), Closeness()) == ["M1"]


keys = some.lists(some.text(max_size=20), min_size=1, max_size=3).map(tuple)


@settings(max_examples=60, deadline=None)
@given(keys, some.text(max_size=10), some.integers(0, 100), some.integers(0, 100))
def test_a_larger_share_holds_every_row_of_a_smaller_one_and_the_order_of_keys_counts_for_nothing(keys, seed, one, two):
    each = row(keys=keys)
    smaller, larger = sorted((one, two))
    assert is_double(each, seed, larger) or not is_double(each, seed, smaller)
    assert is_double(each, seed, 100)
    assert not is_double(each, seed, 0)
    assert is_double(row(keys=keys[::-1]), seed, one) == is_double(each, seed, one)


def test_about_the_share_asked_for_is_chosen_and_another_seed_chooses_others():
    rows = [row(keys=(f"E{number}|P1|2026-10-05",)) for number in range(1000)]
    first, second = ({each.keys for each in rows if is_double(each, seed, 20)} for seed in ("4 1 6", "2 2 5"))
    assert 150 < len(first) < 250
    assert 10 < len(first & second) < 90


def test_second_reviews_are_spread_over_all_who_may_and_are_the_same_each_time():
    rows = [row(keys=(f"E{number}|P1|2026-10-05",)) for number in range(300)]
    chosen = [second_of(each, "4 1 6", ["R1", "R2", "R3"]) for each in rows]
    assert {who: chosen.count(who) > 70 for who in ("R1", "R2", "R3")} == dict.fromkeys(("R1", "R2", "R3"), True)
    assert chosen == [second_of(each, "4 1 6", ["R1", "R2", "R3"]) for each in rows]
    assert second_of(rows[0], "4 1 6", []) is None


def test_a_user_named_for_a_reviewer_sees_that_list_only_and_the_sites_owner_every_one(site, monkeypatch):
    site = named(site, reviewers=[{"id": "R1", "user": "kari"}, {"id": "R2"}])
    assert acting_reviewer(site, "review") == ANYBODY
    refuse_others_list(ANYBODY, "R2")
    refuse_reviewer(ANYBODY)
    monkeypatch.setattr(acting, "operating_system_user", lambda: "kari")
    assert acting_reviewer(site, "review") == "R1"
    refuse_others_list("R1", "R1")
    with pytest.raises(UsageError, match="another reviewer's"):
        refuse_others_list("R1", "R2")
    with pytest.raises(UsageError, match="own list only"):
        refuse_reviewer("R1")


def test_one_user_name_for_two_reviewers_is_refused(site):
    with pytest.raises(SettingsError, match=r"review\.reviewers.*each user name once"):
        named(site, reviewers=[{"id": "R1", "user": "kari"}, {"id": "R2", "user": "kari"}])


def test_a_manager_is_known_by_the_reference_data_and_a_log_s_user_name_is_no_proof(site, tmp_path, monkeypatch):
    lines = [
        "system;kind;identifier;id;valid_from;valid_to",
        "operating_system;employee;mona;M1;;",
        "operating_system;employee;gone;M2;;2020-01-01",
        ";employee;ola;M3;;",
        "operating_system;employee;two;M4;;",
    ]
    (tmp_path / "identifiers.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _done, refused = take_in_all(site, [tmp_path / "identifiers.csv"], "reference:identifiers")
    assert not refused
    monkeypatch.setattr(acting.os, "getuid", lambda: 4711)
    for user, expected in (("mona", "M1"), ("gone", None), ("ola", None), ("nobody", None), ("two", "M4")):
        monkeypatch.setattr(acting, "operating_system_user", lambda user=user: user)
        if expected:
            assert acting_reviewer(site, "review of 2026-10") == expected
        else:
            with pytest.raises(UsageError, match=f"The user '{user}' is nobody's"):
                acting_reviewer(site, "review of 2026-10")
