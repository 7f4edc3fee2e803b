"""FHIR's XML gives the rows of its JSON; DSTU2 is read by what its fields are."""

from __future__ import annotations

import json
from datetime import datetime
from xml.sax.saxutils import quoteattr

import pytest

from audit_kernel.errors import DamagedFileError

FHIR = "http://hl7.org/fhir"
EVENT = {
    "resourceType": "AuditEvent",
    "id": "a1",
    "type": {"system": "s", "code": "rest", "display": "Restful Operation"},
    "subtype": [{"code": "read", "display": "read"}],
    "action": "R",
    "recorded": "2026-08-01T10:00:00.1234567+02:00",
    "outcome": "0",
    "purposeOfEvent": [{"coding": [{"code": "BTG"}]}],
    "agent": [
        {
            "type": {"coding": [{"code": "humanuser"}]},
            "role": [{"text": "Sykepleier"}],
            "who": {"identifier": {"value": "E1"}, "display": "Kari & <co>"},
            "requestor": True,
            "policy": ["token-1"],
            "network": {"address": "10.0.0.1", "type": "2"},
        },
        {"who": {"reference": "Organization/7"}, "requestor": False},
        {"who": {"reference": "Practitioner/8"}, "requestor": False},
    ],
    "source": {"observer": {"display": "server"}},
    "contained": [
        {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]},
        {"resourceType": "Device", "id": "d"},
    ],
    "entity": [
        {"what": {"reference": "Patient/1"}, "role": {"code": "1"}, "name": "Ola"},
        {"what": {"reference": "Observation/2"}, "role": {"code": "4"}, "query": "aGVp"},
        {"what": {"identifier": {"value": "3"}}, "type": {"display": "List"}},
    ],
}
DSTU2 = {
    "resourceType": "AuditEvent",
    "id": "a1",
    "event": {
        "type": {"code": "110114", "display": "User Authentication"},
        "subtype": [{"code": "110122"}],
        "action": "E",
        "dateTime": "2026-08-01T10:00:00Z",
        "outcome": "8",
        "outcomeDesc": "wrong password",
    },
    "participant": [
        {
            "userId": {"value": "E1"},
            "name": "Kari",
            "requestor": True,
            "network": {"address": "pc7", "type": "1"},
        }
    ],
    "source": {"site": "Cloud", "identifier": {"value": "server"}},
}
READ = {
    **DSTU2,
    "event": {
        "type": {"code": "rest"},
        "subtype": [{"code": "vread"}],
        "action": "R",
        "dateTime": "2026-08-01T10:00:00",
    },
    "object": [
        {"reference": {"reference": "Patient/1"}, "role": {"code": "1"}, "name": "Ola"},
        {"reference": {"reference": "List/2"}, "type": {"code": "2"}, "query": "aGVp"},
    ],
}
R5 = {
    "resourceType": "AuditEvent",
    "id": "a5",
    "category": [{"coding": [{"code": "rest"}]}],
    "code": {"coding": [{"code": "read", "display": "Read"}]},
    "action": "R",
    "occurredPeriod": {"start": "2026-08-01T10:00:00Z"},
    "recorded": "2026-08-01T10:00:09Z",
    "outcome": {"code": {"code": "error"}, "detail": [{"coding": [{"code": "forbidden", "display": "Forbidden"}]}]},
    "authorization": [{"coding": [{"code": "EMER"}]}],
    "agent": [{"who": {"identifier": {"value": "E1"}}, "requestor": True, "networkString": "10.0.0.1"}],
    "source": {"site": {"reference": "Location/1"}, "observer": {"reference": "Device/2"}},
    "patient": {"reference": "Patient/3", "display": "Ola"},
    "entity": [{"what": {"reference": "Observation/4"}, "role": {"coding": [{"code": "4"}]}}],
}


def as_xml(name, value, prefix=""):
    """Write a JSON value as FHIR's XML (FHIR R4 2.6.1)."""
    if isinstance(value, list):
        return "".join(as_xml(name, each, prefix) for each in value)
    if isinstance(value, dict) and "resourceType" in value:
        inner = "".join(as_xml(key, part, prefix) for key, part in value.items() if key != "resourceType")
        kind = f"{prefix}{value['resourceType']}"
        inner = f"<{kind}>{inner}</{kind}>"
        return f"<{prefix}{name}>{inner}</{prefix}{name}>" if name else inner
    if isinstance(value, dict):
        return f"<{prefix}{name}>{''.join(as_xml(key, part, prefix) for key, part in value.items())}</{prefix}{name}>"
    text = str(value).lower() if isinstance(value, bool) else value
    return f"<{prefix}{name} value={quoteattr(text)}/>"


def document(event, prefix=""):
    declared = f" xmlns{':' if prefix else ''}{prefix.rstrip(':')}='{FHIR}'"
    kind = prefix + event["resourceType"]
    return as_xml("", event, prefix).replace(f"<{kind}>", f"<{kind}{declared}>", 1)


def rows(staged):
    assert staged.quarantine == []
    left_out = ("record_number", "line_number")  # the hash is the same too: the event is known in either writing
    return [
        {name: value for name, value in row.items() if name not in left_out}
        for row in staged.accesses + staged.authentications
    ]


@pytest.mark.parametrize("event", [EVENT, DSTU2, READ, R5], ids=["R4", "DSTU2 log-in", "DSTU2 read", "R5"])
@pytest.mark.parametrize("prefix", ["", "f:"])
def test_xml_gives_the_rows_of_json(take, event, prefix):
    expected = rows(take(json.dumps(event), "fhir"))
    assert rows(take(document(event, prefix), "fhir", "log.xml")) == expected
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:x", "resource": event}] * 2}
    assert rows(take(document(bundle, prefix), "fhir", "log.xml")) == expected * 2
    assert rows(take(document(event, prefix) + "\n" + document(bundle), "fhir", "log.xml")) == expected * 3


def test_the_fields_of_r4_are_found_in_xml(take):
    first, second = rows(take(document(EVENT), "fhir", "log.xml"))
    assert first["recorded_at"] == datetime(2026, 8, 1, 8, 0, 0, 123456)
    assert (first["employee_id"], first["employee_name"], first["role"]) == ("E1", "Kari & <co>", "Sykepleier")
    assert (first["unit_id"], first["on_behalf_of"]) == ("Organization/7", "Practitioner/8")
    assert (first["patient_id"], first["patient_name"], first["message"]) == ("Patient/1", "Ola", "hei")
    assert (first["is_break_glass"], first["session_id"], first["flags"]) == (True, "token-1", [])
    assert (first["network_address"], first["event_id"], first["action"]) == ("10.0.0.1", "server|a1", "read")
    assert [(row["table_name"], row["record_ref"]) for row in (first, second)] == [
        ("Observation", "Observation/2"),
        ("List", "3"),
    ]


def test_the_fields_of_r5_are_found_in_xml(take):
    (row,) = rows(take(document(R5), "fhir", "log.xml"))
    assert (row["recorded_at"], row["outcome"], row["message"]) == (datetime(2026, 8, 1, 10), "denied", "Forbidden")
    assert (row["patient_id"], row["record_ref"], row["purpose"]) == ("Patient/3", "Observation/4", "EMER")
    assert (row["network_address"], row["event_id"], row["flags"]) == ("10.0.0.1", "Device/2|a5", [])


def test_dstu2_is_read_by_what_its_fields_are(take):
    (login,) = take(json.dumps(DSTU2), "fhir").authentications
    assert (login["kind"], login["account"], login["reason"]) == ("failure", "E1", "wrong password")
    assert (login["recorded_at"], login["event_id"]) == (datetime(2026, 8, 1, 10), "server|a1")
    (access,) = take(json.dumps(READ), "fhir").accesses
    assert (access["patient_id"], access["patient_name"], access["message"]) == ("Patient/1", "Ola", "hei")
    assert (access["table_name"], access["record_ref"], access["message_type"]) == ("List", "List/2", "vread")
    assert (access["recorded_local"], access["flags"]) == (datetime(2026, 8, 1, 10), ["no_zone"])
    (older,) = take(json.dumps({**READ, "resourceType": "SecurityEvent"}), "fhir").accesses
    assert older["patient_id"] == "Patient/1"


def test_what_is_odd_in_xml_but_readable_is_stored_and_flagged(take):
    text = as_xml("", {**EVENT, "contained": []}).replace("Kari", "Kari &amp;amp;")
    staged = take(
        text.replace("<entity>", '<text><div xmlns="x"><p>&#160;</p></div></text><entity>', 1), "fhir", "x.xml"
    )
    assert [row["flags"] for row in staged.accesses] == [["escaped_twice", "no_namespace"]] * 2
    assert staged.accesses[0]["employee_name"] == "Kari & & <co>"


@pytest.mark.parametrize(
    ("entry", "column", "code"),
    [
        ("<entry/>", "resourceType", "not_readable"),
        ("<entry><resource><Patient/></resource></entry>", "resourceType", "not_readable"),
        (f"<entry>{as_xml('resource', {**EVENT, 'recorded': 'x'})}</entry>", "recorded", "not_a_time"),
        (f"<entry>{as_xml('resource', {**EVENT, 'recorded': ['x', 'y']})}</entry>", "recorded", "not_readable"),
        (f"<entry>{as_xml('resource', EVENT).replace('true', 'yes')}</entry>", "agent.requestor", "not_readable"),
        ("<entry xmlns='urn:x'><resource/></entry>", "entry", "not_readable"),
    ],
)
def test_an_entry_that_cannot_be_used_is_quarantined_alone(take, entry, column, code):
    good = f"<entry>\n{as_xml('resource', EVENT)}</entry>"
    staged = take(f"<Bundle xmlns='{FHIR}'>{good}{entry}{good}</Bundle>", "fhir", "log.xml")
    assert [
        (row["line_number"], row["column_name"] or "", row["code"], row["raw_record"]) for row in staged.quarantine
    ] == [(2, column, code, entry)]
    assert len(staged.accesses) == 4


def test_lists_within_a_contained_resource_are_no_records(take):
    contained = [{"resourceType": "List", "entry": [{"item": {"reference": "x"}}]}, {**EVENT, "contained": []}]
    staged = take(document({**EVENT, "contained": contained}), "fhir", "log.xml")
    assert staged.n_read == 1
    bundle = {"resourceType": "Bundle", "entry": [{"resource": {**EVENT, "contained": contained}}] * 3}
    assert take(document(bundle), "fhir", "log.xml").n_read == 3


@pytest.mark.parametrize(
    "content", [f"<Bundle xmlns='{FHIR}'><entry>", f"<Bundle xmlns='{FHIR}'><entry/><x></Bundle>", "<Bundle/>", "<"]
)
def test_a_damaged_document_is_refused(take, content):
    with pytest.raises(DamagedFileError):
        take(content, "fhir", "log.xml")


def test_a_bad_document_among_others_is_quarantined(take):
    bad = document(EVENT).replace("Kari &amp;", "Kari &")
    staged = take(f"{document(EVENT)}\n{bad}\n{document(EVENT)}", "fhir", "log.xml")
    assert [(row["line_number"], row["raw_record"]) for row in staged.quarantine] == [(2, bad)]


def test_an_employee_who_reads_about_himself_is_flagged(take):
    own = {**EVENT, "entity": [{"what": {"identifier": {"value": "E1"}}, "role": {"code": "1"}}]}
    assert [row["flags"] for row in take(json.dumps(own), "fhir").accesses] == [["self_service"]]


def test_a_patient_whose_number_was_escaped_once_too_often_is_the_same_patient(take):
    entity = {"what": {"identifier": {"value": "1^^^&amp;1.2&amp;ISO"}}, "role": {"code": "1"}}
    (row,) = take(json.dumps({**EVENT, "entity": [entity]}), "fhir").accesses
    assert (row["patient_id"], row["flags"]) == ("1^^^&1.2&ISO", ["escaped_twice"])
