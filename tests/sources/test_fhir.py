"""FHIR AuditEvents that hospitals' servers might write, and ones that somebody writes to break the reader."""

from __future__ import annotations

import base64
import json
from datetime import datetime

import pytest

from audit_kernel.errors import DamagedFileError

AGENT = {"who": {"identifier": {"value": "E1"}, "display": "Kari"}, "requestor": True}


def event(**fields):
    return {"resourceType": "AuditEvent", "recorded": "2026-08-01T10:00:00Z", **fields}


@pytest.fixture
def only(take):
    """Take one AuditEvent and return its rows."""

    def run(**fields):
        staged = take(json.dumps(event(**fields)), "fhir")
        assert staged.quarantine == []
        return staged.accesses or staged.authentications

    return run


def odd(row):
    """What is odd in a row, but for what these short events lack."""
    return [flag for flag in row["flags"] if not flag.startswith("missing_")]


def test_an_event_that_lacks_what_every_version_demands_is_stored_and_flagged(only):
    assert [row["flags"] for row in only()] == [["no_requestor", "missing_type", "missing_agent", "missing_source"]]
    (row,) = only(code={"coding": [{"code": "read"}]}, agent=[AGENT], source={"observer": {"display": "ehr"}})
    assert row["flags"] == []


def patient(number):
    return {"what": {"identifier": {"value": number}}, "role": {"code": "1"}}


@pytest.mark.parametrize(
    ("written", "recorded_at", "recorded_local"),
    [
        ("2026-08-01T10:00:00Z", datetime(2026, 8, 1, 10), None),
        ("2026-08-01T10:00:00+11:00", datetime(2026, 7, 31, 23), None),
        ("2026-08-01T10:00:00-03:30", datetime(2026, 8, 1, 13, 30), None),
        ("2026-08-01T10:00:00", None, datetime(2026, 8, 1, 10)),
        ("2026-08-01T10:00:00.1234567Z", datetime(2026, 8, 1, 10, 0, 0, 123456), None),
        ("2026-08-01T10:00:00.123456789+02:00", datetime(2026, 8, 1, 8, 0, 0, 123456), None),
        ("2026-08-01T10:00:00,5Z", datetime(2026, 8, 1, 10, 0, 0, 500000), None),
        ("2026-12-31T23:59:60Z", datetime(2027, 1, 1), None),
    ],
)
def test_times_are_read_with_and_without_a_zone(only, written, recorded_at, recorded_local):
    (row,) = only(recorded=written)
    assert (row["recorded_at"], row["recorded_local"]) == (recorded_at, recorded_local)
    assert ("no_zone" in row["flags"]) == (recorded_at is None)


@pytest.mark.parametrize(
    ("fields", "column", "code"),
    [
        ({"recorded": "2026-08-01"}, "recorded", "not_a_time"),
        ({"recorded": "2026-02-30T10:00:00Z"}, "recorded", "not_a_time"),
        ({"recorded": "2026-08-01T25:00:00Z"}, "recorded", "not_a_time"),
        ({"recorded": "1970-01-01T00:00:00Z"}, "recorded", "not_a_time"),
        ({"recorded": "٢٠٢٦-08-01T10:00:00Z"}, "recorded", "not_a_time"),
        ({"recorded": "2026-08-01T10:00:00.1234567890Z"}, "recorded", "not_a_time"),
        ({"recorded": None}, "recorded", "missing_value"),
        ({"recorded": ""}, "recorded", "missing_value"),
        ({"recorded": 5}, "recorded", "not_readable"),
        ({"period": {"start": "yesterday"}}, "period.start", "not_a_time"),
        ({"period": []}, "period", "not_readable"),
        ({"agent": "me"}, "agent", "not_readable"),
        ({"agent": [None]}, "agent", "not_readable"),
        ({"agent": [{"requestor": "true"}]}, "agent.requestor", "not_readable"),
        ({"agent": [{"who": {"identifier": {"value": 7}}}]}, "agent.who.identifier.value", "not_readable"),
        ({"agent": [{"altId": "a\x00b"}]}, "agent.altId", "control_characters"),
        ({"agent": [{"policy": {"a": 1}}]}, "agent.policy", "not_readable"),
        ({"agent": [{"name": "\ud800"}]}, "agent.name", "not_readable"),
        ({"entity": [[]]}, "entity", "not_readable"),
        ({"entity": [{"what": "x"}]}, "entity.what", "not_readable"),
        ({"entity": [{"query": "x" * (16 * 1024 * 1024 + 1)}]}, "entity.query", "too_long"),
        ({"type": {"code": 1}}, "type.code", "not_readable"),
        ({"outcome": 0}, "outcome", "not_readable"),
        ({"id": {}}, "id", "not_readable"),
        ({"resourceType": "Patient"}, "resourceType", "not_readable"),
        ({"resourceType": None}, "resourceType", "not_readable"),
    ],
)
def test_a_field_that_is_not_as_fhir_says_quarantines_its_record(take, fields, column, code):
    text = json.dumps(event(**fields))
    good = json.dumps(event())
    staged = take(f"{good}\n{text}\n{good}\n", "fhir")
    assert staged.quarantine == [
        {"record_number": 2, "line_number": 2, "column_name": column, "code": code, "raw_record": text}
    ]
    assert [row["line_number"] for row in staged.accesses] == [1, 3]


@pytest.mark.parametrize(
    "line",
    [
        '{"resourceType":"AuditEvent"',
        "[1]",
        "null",
        "5",
        "NaN",
        '"text"',
        "{}",
        '{"resourceType":"AuditEvent","recorded":"2026-08-01T10:00:00Z","recorded":"2026-08-01T11:00:00Z"}',
        '{"resourceType":"AuditEvent","recorded":"2026-08-01T10:00:00Z","agent":[{"name":"a","name":"b"}]}',
        '{"resourceType":"AuditEvent","recorded":"2026-08-01T10:00:00Z","x":NaN}',
        '{"resourceType":"AuditEvent","recorded":"2026-08-01T10:00:00Z","x":-Infinity}',
        '{"resourceType":"AuditEvent","recorded":"2026-08-01T10:00:00Z"} {}',
        '{"x":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"x":' * 50_000 + "1" + "}" * 50_000,
        "\\",
        '{"resourceType":"Bundle","entry":[]}',
    ],
)
def test_a_hostile_line_quarantines_itself_alone(take, line):
    good = json.dumps(event())
    staged = take(f"{good}\n\n{line}\n{good}\n", "fhir")
    assert [(row["line_number"], row["raw_record"]) for row in staged.quarantine] == [(3, line)]
    assert [row["line_number"] for row in staged.accesses] == [1, 4]


def test_a_control_character_within_json_is_named_as_such(take):
    staged = take(json.dumps(event()) + '\n{"id":"a\x01b"}\n', "fhir")
    assert [row["code"] for row in staged.quarantine] == ["control_characters"]


def test_huge_numbers_and_deep_values_that_nobody_reads_do_no_harm(take):
    text = json.dumps(event())[:-1] + f', "x": {"9" * 10_000}, "y": 1e99999, "z": {"[" * 200 + "]" * 200}}}'
    assert len(take(text, "fhir").accesses) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"resourceType":"AuditEvent",\n"recorded":', "line 2"),
        ('{"resourceType":"AuditEvent"} x', "line 1"),
        ('{"resourceType":"Patient"}', "neither an AuditEvent nor a Bundle"),
        ('{"resourceType":"Bundle","entry":[]}', "no record"),
        ('{"resourceType":"Bundle","entry":[{"resource":{}},]}', "not JSON"),
        ('{"resourceType":"Bundle","resourceType":"Bundle","entry":[{}]}', "not JSON"),
        ("[]", "no record"),
        ("  \n ", "no record"),
        ("hello", "not JSON"),
        ("[" * 100_000, "nested"),
        ("\x00", "not JSON"),
        (json.dumps(event()) + "\n" + json.dumps(event())[:-5], "line 2 is cut short"),
    ],
)
def test_a_broken_document_is_refused_whole(take, content, words):
    with pytest.raises(DamagedFileError, match=words):
        take(content, "fhir")


def test_a_bundle_a_list_and_lines_give_the_same_rows(take):
    events = [event(id=str(number), agent=[AGENT], entity=[patient(f"P{number}")]) for number in range(5)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in events]}
    contents = {
        "lines": "".join(json.dumps(one) + "\n" for one in events),
        "bundle": json.dumps(bundle),
        "pretty": json.dumps(bundle, indent=2),
        "list": json.dumps(events),
        "crlf": "\ufeff" + "".join(json.dumps(one) + "\r\n" for one in events),
    }
    found = {}
    for name, content in contents.items():
        staged = take(content, "fhir")
        assert staged.quarantine == []
        found[name] = [{key: value for key, value in row.items() if key != "line_number"} for row in staged.accesses]
    assert all(rows == found["lines"] for rows in found.values())
    assert [row["patient_id"] for row in found["lines"]] == [f"P{number}" for number in range(5)]


def test_entries_of_a_bundle_keep_their_line_and_text(take):
    content = '{"resourceType":"Bundle",\n"entry":[\n{"resource":{"resourceType":"Patient"}},\n7,\n{"fullUrl":"x"}]}'
    staged = take(content, "fhir")
    assert [(row["line_number"], row["raw_record"]) for row in staged.quarantine] == [
        (3, '{"resource":{"resourceType":"Patient"}}'),
        (4, "7"),
        (5, '{"fullUrl":"x"}'),
    ]


def test_white_space_and_order_of_fields_do_not_change_a_record(take):
    one = {"resourceType": "AuditEvent", "recorded": "2026-08-01T10:00:00Z", "id": "1"}
    other = dict(reversed(one.items()))
    changed = {**one, "action": "R"}
    staged = take(
        "\n".join([json.dumps(one), json.dumps(other, separators=(",", ":")), json.dumps(changed), ""]), "fhir"
    )
    first, second, third = (row["record_hash"] for row in staged.accesses)
    assert first == second != third


def test_several_patients_give_several_items(only):
    rows = only(id="1", entity=[patient("P1"), patient("P2"), patient("P1"), {"what": {"reference": "List/7"}}])
    assert [(row["item"], row["patient_id"], row["record_ref"]) for row in rows] == [
        (0, "P1", "List/7"),
        (1, "P2", "List/7"),
    ]
    assert {row["event_id"] for row in rows} == {"1"}


def test_several_records_of_one_patient_give_several_items(only):
    records = [{"what": {"reference": f"Observation/{number}/_history/2"}} for number in (1, 2)]
    rows = only(entity=[patient("P1"), *records])
    assert [(row["item"], row["patient_id"], row["table_name"], row["record_ref"]) for row in rows] == [
        (0, "P1", "Observation", "Observation/1/_history/2"),
        (1, "P1", "Observation", "Observation/2/_history/2"),
    ]


def test_several_patients_and_records_are_not_multiplied(only):
    records = [{"what": {"reference": f"List/{number}"}} for number in (1, 2)]
    rows = only(entity=[patient("P1"), patient("P2"), *records])
    assert [(row["patient_id"], row["record_ref"]) for row in rows] == [
        ("P1", "List/1 List/2"),
        ("P2", "List/1 List/2"),
    ]


def test_a_patient_without_an_identifier_is_flagged(only):
    (row,) = only(entity=[{"role": {"code": "1"}, "name": "Ola"}])
    assert row["patient_id"] is None
    assert "patient_without_id" in row["flags"]


@pytest.mark.parametrize(
    ("fields", "action"),
    [
        ({"action": "C"}, "write"),
        ({"action": "R"}, "read"),
        ({"action": "U"}, "write"),
        ({"action": "D"}, "delete"),
        ({"action": "E"}, "execute"),
        ({}, "other"),
        ({"action": "X"}, "other"),
        ({"action": "E", "subtype": [{"code": "search-type"}]}, "search"),
        ({"action": "E", "type": {"code": "110112"}}, "search"),
        ({"action": "R", "type": {"code": "110106"}}, "export"),
        ({"action": "E", "code": {"coding": [{"code": "search-type"}]}}, "search"),
    ],
)
def test_the_action_is_refined_by_the_kind_of_event(only, fields, action):
    assert [row["action"] for row in only(**fields)] == [action]


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"outcome": "0"}, "success"),
        ({"outcome": "4"}, "failed"),
        ({"outcome": "12"}, "failed"),
        ({}, "unknown"),
        ({"outcome": "99"}, "unknown"),
        ({"outcome": {"code": {"code": "0"}}}, "success"),
        ({"outcome": {"code": {"code": "8"}, "detail": [{"coding": [{"code": "forbidden"}]}]}}, "denied"),
        (
            {"outcome": "8", "contained": [{"resourceType": "OperationOutcome", "issue": [{"code": "forbidden"}]}]},
            "denied",
        ),
        ({"outcome": "8", "contained": [{"resourceType": "OperationOutcome", "issue": [{"code": "x"}]}]}, "failed"),
    ],
)
def test_the_outcome_is_success_denied_failed_or_unknown(only, fields, outcome):
    assert [row["outcome"] for row in only(**fields)] == [outcome]


@pytest.mark.parametrize(
    "fields",
    [
        {"purposeOfEvent": [{"coding": [{"code": "BTG"}]}]},
        {"agent": [{**AGENT, "purposeOfUse": [{"coding": [{"code": "ETREAT"}]}]}]},
        {"authorization": [{"coding": [{"code": "EMER"}]}]},
        {"type": {"code": "110113"}, "subtype": [{"code": "110127"}]},
    ],
)
def test_break_the_glass_is_recognised(only, fields):
    assert [row["is_break_glass"] for row in only(**fields)] == [True]
    assert [row["is_break_glass"] for row in only()] == [False]


def test_a_query_is_decoded_and_an_unreadable_one_kept_as_written(only):
    def message(query):
        (row,) = only(entity=[{"role": {"code": "24"}, "query": query}])
        return row["message"], odd(row)

    encoded = base64.b64encode("GET /Observation?patient=Å".encode()).decode()
    assert message(encoded) == ("GET /Observation?patient=Å", ["no_requestor"])
    assert message("not base64!") == ("not base64!", ["no_requestor", "query_not_text"])
    for content in (b"\xff\xfe", b"a\x00b"):
        encoded = base64.b64encode(content).decode()
        assert message(encoded) == (encoded, ["no_requestor", "query_not_text"])


def test_the_employee_is_who_asked_then_a_human_then_no_machine(only):
    machine = {"type": {"coding": [{"code": "110153"}]}, "who": {"identifier": {"value": "M"}}}
    human = {"type": {"coding": [{"code": "IRCP"}]}, "who": {"identifier": {"value": "H"}}, "requestor": False}
    someone = {"who": {"identifier": {"value": "S"}}}
    device = {"who": {"reference": "Device/1"}, "requestor": True}

    def employee(*agents):
        (row,) = only(agent=list(agents))
        return row["employee_id"], row["on_behalf_of"], odd(row)

    assert employee(machine, human, AGENT) == ("E1", "H", [])
    assert employee(machine, someone, human) == ("H", "S", ["no_requestor"])
    assert employee(machine, someone) == ("S", None, ["no_requestor"])
    assert employee(machine) == (None, None, ["no_requestor"])
    assert employee() == (None, None, ["no_requestor"])
    assert employee(device, {**human, "requestor": True}) == ("H", None, ["several_requestors"])


def test_unit_role_session_and_addresses_come_from_the_agents(only):
    agent = {
        **AGENT,
        "role": [{"coding": [{"code": "nurse", "display": "Nurse"}]}],
        "policy": ["https://consent.example/yes", "token-1"],
        "network": {"address": "10.0.0.1", "type": "2"},
    }
    unit = {"type": {"coding": [{"code": "PROV"}]}, "who": {"reference": "Organization/U1"}}
    (row,) = only(agent=[agent, unit], purposeOfEvent=[{"coding": [{"code": "TREAT"}]}])
    names = (
        "employee_id",
        "employee_name",
        "role",
        "unit_id",
        "session_id",
        "network_address",
        "purpose",
        "on_behalf_of",
    )
    assert [row[name] for name in names] == [
        "E1",
        "Kari",
        "Nurse",
        "Organization/U1",
        "token-1",
        "10.0.0.1",
        "TREAT",
        None,
    ]


def test_an_r5_event_is_read(only):
    (row,) = only(
        id="9",
        category=[{"coding": [{"code": "rest", "display": "Rest"}]}],
        code={"coding": [{"code": "read", "display": "read"}]},
        action="R",
        occurredDateTime="2026-08-01T09:00:00+02:00",
        outcome={"code": {"code": "0"}, "detail": [{"text": "fine"}]},
        agent=[{"who": {"reference": "Practitioner/7"}, "requestor": True, "networkString": "10.1.1.1"}],
        patient={"reference": "Patient/5"},
        source={"site": {"reference": "Location/1"}, "observer": {"reference": "Device/2"}},
        entity=[{"what": {"reference": "Observation/3"}, "role": {"coding": [{"code": "4"}]}}],
    )
    expected = {
        "event_id": "Device/2|9",
        "recorded_at": datetime(2026, 8, 1, 7),
        "employee_id": "Practitioner/7",
        "patient_id": "Patient/5",
        "action": "read",
        "log_type": "rest",
        "message_type": "read",
        "table_name": "Observation",
        "record_ref": "Observation/3",
        "outcome": "success",
        "message": "fine",
        "network_address": "10.1.1.1",
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("subtype", "outcome", "kind"),
    [("110122", "0", "login"), ("110123", "0", "logout"), ("110122", "4", "failure"), ("x", "0", "login")],
)
def test_log_ins_go_to_the_authentications(only, subtype, outcome, kind):
    (row,) = only(type={"code": "110114"}, subtype=[{"code": subtype}], outcome=outcome, agent=[AGENT])
    assert (row["kind"], row["employee_id"], row["repeated"]) == (kind, "E1", 1)
    assert "item" not in row


def test_many_lines_are_staged_in_batches(take):
    lines = [json.dumps(event(id=str(number), entity=[patient("P1")])) for number in range(12_000)]
    staged = take("\n".join(lines) + "\n", "fhir")
    assert [row["event_id"] for row in staged.accesses] == [str(number) for number in range(12_000)]
