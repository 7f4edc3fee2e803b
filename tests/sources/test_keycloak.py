"""Keycloak's events: each kind, both shapes of file, and what cannot be used."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_kernel.errors import DamagedFileError, IntakeError

TIME = 1785571200250  # 2026-08-01 08:00:00.250 UTC
USER = {"realmId": "care", "clientId": "journal", "userId": "u-1", "ipAddress": "10.0.0.1", "sessionId": "s-1"}


def event(kind="LOGIN", **fields):
    return {"time": TIME, "type": kind, **USER, "details": {"username": "kari"}, **fields}


def admin(operation, resource, path, **fields):
    who = {"realmId": "master", "userId": "a-1", "ipAddress": "10.0.0.9"}
    return {"time": TIME, "realmId": "care", "authDetails": who, "operationType": operation, "resourceType": resource, "resourcePath": path, **fields}  # fmt: skip  # noqa: E501


@pytest.fixture
def only(take):
    def run(value):
        staged = take(json.dumps(value), "keycloak")
        assert staged.quarantine == staged.accesses == []
        return staged.authentications[0]

    return run


@pytest.mark.parametrize(
    ("fields", "kind", "reason"),
    [
        ({}, "login", None),
        ({"kind": "LOGOUT"}, "logout", None),
        ({"kind": "LOGIN_ERROR", "error": "invalid_user_credentials"}, "failure", "invalid_user_credentials"),
        ({"kind": "IDENTITY_PROVIDER_LOGIN_ERROR", "error": "x"}, "failure", "x"),
        ({"kind": "LOGIN", "error": "odd"}, "failure", "odd"),
        ({"kind": "LOGOUT", "error": "odd"}, "other", "LOGOUT"),
        ({"kind": "UPDATE_PASSWORD"}, "password_change", None),
        ({"kind": "UPDATE_PASSWORD_ERROR", "error": "x"}, "other", "UPDATE_PASSWORD_ERROR"),
        ({"kind": "UPDATE_CREDENTIAL", "details": {"credential_type": "password"}}, "password_change", None),
        ({"kind": "UPDATE_CREDENTIAL", "details": {"credential_type": "otp"}}, "other", "UPDATE_CREDENTIAL"),
        ({"kind": "USER_DISABLED_BY_PERMANENT_LOCKOUT"}, "lockout", None),
        ({"kind": "USER_DISABLED_BY_TEMPORARY_LOCKOUT", "error": "x"}, "lockout", None),
        ({"kind": "CODE_TO_TOKEN"}, "other", "CODE_TO_TOKEN"),
        ({"kind": "IMPERSONATE"}, "other", "IMPERSONATE"),
        ({"kind": "NEVER_SEEN"}, "other", "NEVER_SEEN"),
    ],
)
def test_each_event_of_a_user_has_its_kind_and_reason(only, fields, kind, reason):
    row = only(event(**fields))
    assert (row["kind"], row["reason"]) == (kind, reason)
    assert row["recorded_at"] == datetime(2026, 8, 1, 8, 0, 0, 250000)
    assert (row["employee_id"], row["network_address"], row["session_id"]) == ("u-1", "10.0.0.1", "s-1")


@pytest.mark.parametrize(
    ("value", "kind", "account", "reason"),
    [
        (admin("ACTION", "USER", "users/u-1/reset-password"), "password_change", "u-1", None),
        (admin("DELETE", "USER_LOGIN_FAILURE", "attack-detection/brute-force/users/u-1"), "unlock", "u-1", None),
        (admin("UPDATE", "USER", "users/u-1"), "other", "u-1", "UPDATE USER"),
        (admin("CREATE", "GROUP_MEMBERSHIP", "users/u-1/groups/g"), "other", "u-1", "CREATE GROUP_MEMBERSHIP"),
        (admin("ACTION", "USER", "users/u-1/reset-password", error="denied"), "other", "u-1", "ACTION USER"),
        (admin("UPDATE", "REALM", ""), "other", None, "UPDATE REALM"),
    ],
)  # fmt: skip
def test_what_an_administrator_did_names_both(only, value, kind, account, reason):
    row = only(value)
    assert (row["kind"], row["account"], row["reason"]) == (kind, account, reason)
    assert (row["employee_id"], row["network_address"]) == ("a-1", "10.0.0.9")


def test_a_user_that_does_not_exist_is_known_by_the_name_that_was_typed(only):
    row = only(event("LOGIN_ERROR", userId=None, error="user_not_found"))
    assert (row["employee_id"], row["account"]) == ("kari", "kari")


def test_lines_a_list_and_a_single_event_give_the_same_rows(take):
    events = [event(), event("LOGOUT", id="e-2")]
    lines = take("".join(json.dumps(each) + "\n" for each in events), "keycloak").authentications
    listed = take(json.dumps(events, indent=2), "keycloak").authentications
    for row in (*lines, *listed):
        del row["line_number"]
    assert lines == listed
    assert [row["event_id"] for row in lines] == [None, "e-2"]
    assert (
        take(json.dumps(events[0], indent=2), "keycloak").authentications[0]["record_hash"] == lines[0]["record_hash"]
    )


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({"time": None}, "time", "missing_value"),
        ({"time": "2026-08-01"}, "time", "not_a_time"),
        ({"time": 1785571200}, "time", "not_a_time"),
        ({"time": 1.5e12}, "time", "not_a_time"),
        ({"time": -1}, "time", "not_a_time"),
        ({"type": None}, "type", "missing_value"),
        ({"type": 7}, "type", "not_readable"),
        ({"details": []}, "details", "not_readable"),
        ({"userId": "a\x00"}, "userId", "control_characters"),
    ],
)
def test_an_event_that_cannot_be_used_goes_to_quarantine(take, change, column, code):
    staged = take("".join(json.dumps(each) + "\n" for each in (event(), {**event(), **change})), "keycloak")
    assert [(row["column_name"], row["code"]) for row in staged.quarantine] == [(column, code)]
    assert len(staged.authentications) == 1


def test_a_file_that_is_cut_short_is_refused(take):
    with pytest.raises(DamagedFileError):
        take(json.dumps(event()) + "\n" + json.dumps(event())[:-5], "keycloak")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from([*event(), "error", "operationType", "authDetails"]), inner, max_size=4),  # noqa: E501
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(values | st.dictionaries(st.sampled_from(list(event())), values).map(lambda odd: {**event(), **odd}), min_size=1, max_size=3), st.booleans())  # fmt: skip  # noqa: E501
def test_whatever_stands_in_an_event_both_readers_agree(take, found, as_lines):
    text = "".join(json.dumps(each) + "\n" for each in found) if as_lines else json.dumps(found)
    try:
        take(text, "keycloak")  # the fixture itself compares the counts
    except IntakeError:
        return
