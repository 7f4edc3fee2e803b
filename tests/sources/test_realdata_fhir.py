"""HL7's and IHE's own examples: what each file must give, written down from reading the files, not from the reader."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from pathlib import Path

import pytest

REALDATA = Path(__file__).parents[2].parent / "shared" / "realdata"
ABSENT = "This test reads real example logs in ../shared/realdata, which is not part of the project and is not here."

pytestmark = pytest.mark.skipif(not REALDATA.is_dir(), reason=ABSENT)

GRAHAME = {"employee_id": "95", "employee_name": "Grahame Grieve"}
WORKSTATION = "Workstation1.ehr.familyclinic.com"
HL7CONNECT = "hl7connect.healthintersections.com.au"
CX = "e3cdfc81a0d24bd^^^&2.16.840.1.113883.4.2&ISO"

DISCLOSURE = {
    "event_id": "Watchers Accounting of Disclosures Application|example-disclosure",
    "recorded_at": datetime(2013, 9, 22, 0, 8),
    "employee_id": "SomeIdiot@nowhere",  # asked for it, though its type says that it is a machine
    "employee_name": "That guy everyone wishes would be caught",
    "on_behalf_of": "Practitioner/example",
    "patient_id": "Patient/example",
    "action": "export",  # the action says R; the type says 110106
    "access_type": "Export",
    "activity": "HIPAA disclosure",
    "log_type": "110106",
    "message_type": "Disclosure",
    "table_name": "Patient",
    "record_ref": "Patient/example/_history/1",
    "message": "Successful  Disclosure",
    "outcome": "success",
    "purpose": "HMARKT",
    "network_address": "custodian.net",
}
LOGIN = {
    "event_id": f"{HL7CONNECT}|example-login",
    "recorded_at": datetime(2013, 6, 20, 23, 41, 23),
    "employee_id": "95",
    "account": "95",
    "kind": "login",
    "network_address": "127.0.0.1",
    "device": WORKSTATION,
    "repeated": 1,
}
LOGOUT = {
    **LOGIN,
    "event_id": f"{HL7CONNECT}|example-logout",
    "recorded_at": datetime(2013, 6, 20, 23, 46, 41),
    "kind": "logout",
}
MEDIA = {
    "event_id": f"{HL7CONNECT}|example-media",
    "recorded_at": datetime(2015, 8, 27, 23, 42, 24),
    **GRAHAME,
    "patient_id": CX,
    "action": "export",
    "access_type": "Export",
    "activity": "Distribute Document Set on Media",
    "log_type": "110106",
    "message_type": "ITI-32",
    "outcome": "success",
}
MEDIA_ROWS = [
    {**MEDIA, "table_name": "System Object", "record_ref": CX},  # the submission set has no resource of its own
    {**MEDIA, "item": 1, "table_name": "DocumentManifest", "record_ref": "DocumentManifest/example"},
]
PIX_QUERY = {
    "event_id": f"{HL7CONNECT}|example-pixQuery",
    "recorded_at": datetime(2015, 8, 26, 23, 42, 24),
    **GRAHAME,
    "patient_id": CX,
    "action": "search",  # the action says E; the type says 110112
    "access_type": "Query",
    "activity": "PIX Query",
    "log_type": "110112",
    "message_type": "ITI-9",
    "outcome": "success",
    "network_address": WORKSTATION,
}
REST = {
    "event_id": f"{HL7CONNECT}|example-rest",
    "recorded_at": datetime(2013, 6, 20, 23, 42, 24),
    **GRAHAME,
    "patient_id": "Patient/example",  # written as any resource, without the patient's role
    "action": "read",
    "access_type": "Restful Operation",
    "activity": "vread",
    "log_type": "rest",
    "message_type": "vread",
    "table_name": "Patient",
    "record_ref": "Patient/example/_history/1",
    "outcome": "success",
    "network_address": WORKSTATION,
}
SEARCH = {
    "event_id": f"{HL7CONNECT}|example-search",
    "recorded_at": datetime(2015, 8, 22, 23, 42, 24),
    **GRAHAME,
    "action": "search",
    "access_type": "Restful Operation",
    "activity": "search",
    "log_type": "rest",
    "message_type": "search",
    "message": "http://fhir-dev.healthintersections.com.au/open/Encounter?participant=13",
    "outcome": "success",
    "network_address": WORKSTATION,
}
START = {
    "event_id": "Grahame's Laptop|example",
    "recorded_at": datetime(2012, 10, 25, 11, 4, 27),  # 22:04:27+11:00
    "employee_id": "Grahame",
    "role": "Service User (Logon)",
    "action": "execute",
    "access_type": "Application Activity",
    "activity": "Application Start",
    "log_type": "110100",
    "message_type": "110120",
    "table_name": "Other",
    "record_ref": "ABCDEF",
    "outcome": "success",
    "network_address": "127.0.0.1",
    "flags": ["no_requestor"],  # both agents say requestor: false
}
ERROR = {
    "event_id": f"{HL7CONNECT}|example-error",
    "recorded_at": datetime(2017, 9, 7, 23, 42, 24),
    **GRAHAME,
    "action": "write",
    "access_type": "Restful Operation",
    "activity": "create",
    "log_type": "rest",
    "message_type": "create",
    "message": "Invalid request to create an Operation resource on the Patient endpoint.",
    "outcome": "failed",
    "network_address": WORKSTATION,
}
STU3_DISCLOSURE = {
    **DISCLOSURE,
    "employee_id": "SomeIdiot@nowhere.com",
    "on_behalf_of": "Where",  # STU3 has a userId beside the reference
}
CORE = {
    "r4/AuditEvent-example-disclosure": [DISCLOSURE],
    "r4/AuditEvent-example-error": [ERROR],
    "r4/AuditEvent-example-media": MEDIA_ROWS,
    "r4/AuditEvent-example-pixQuery": [PIX_QUERY],
    "r4/AuditEvent-example-rest": [REST],
    "r4/AuditEvent-example-search": [SEARCH],
    "r4/AuditEvent-example": [START],
    "stu3/AuditEvent-example-disclosure": [STU3_DISCLOSURE],
    "stu3/AuditEvent-example-media": MEDIA_ROWS,
    "stu3/AuditEvent-example-pixQuery": [PIX_QUERY],
    "stu3/AuditEvent-example-rest": [REST],
    "stu3/AuditEvent-example-search": [SEARCH],
    "stu3/AuditEvent-example": [START],
}
LOGINS = {
    "r4/AuditEvent-example-login": LOGIN,
    "r4/AuditEvent-example-logout": LOGOUT,
    "stu3/AuditEvent-example-login": LOGIN,
    "stu3/AuditEvent-example-logout": LOGOUT,
}

DEVICE, MACHINE = "Device/ex-device", "myMachine.example.org"
JOHN, BETTY, CHARLEY = "John Smith", "Betty Jones", "Charley Miller"
LIST, DOCUMENT, MEASURE = "List/ex-list", "DocumentReference/ex-documentreference", "MeasureReport/ex-measurereport"
EX_PATIENT = "Patient/ex-patient"
TOKEN = "C187CC480FAC40A0936902D8BC324F5F"
# file: interaction, who observed it, employee's name (no file but one gives an id), record, patient
BALP = {
    "Create1": ("create", DEVICE, BETTY, LIST, EX_PATIENT),
    "Create2": ("create", DEVICE, CHARLEY, LIST, EX_PATIENT),
    "CreateClient": ("create", DEVICE, JOHN, LIST, EX_PATIENT),
    "CreateNoPatient": ("create", DEVICE, JOHN, MEASURE, None),
    "CreateNoUser": ("create", DEVICE, None, LIST, EX_PATIENT),
    "CreateNoUserJob": ("create", DEVICE, None, DOCUMENT, EX_PATIENT),
    "CreateNoUserReport": ("create", DEVICE, None, DOCUMENT, EX_PATIENT),
    "CreateServer": ("create", MACHINE, JOHN, LIST, EX_PATIENT),
    "Delete2": ("delete", DEVICE, CHARLEY, LIST, EX_PATIENT),
    "DeleteClient": ("delete", MACHINE, JOHN, LIST, EX_PATIENT),
    "DeleteInformant": ("delete", DEVICE, BETTY, LIST, EX_PATIENT),
    "DeleteNoPatient": ("delete", DEVICE, JOHN, MEASURE, None),
    "DeleteNoUser": ("delete", MACHINE, None, LIST, EX_PATIENT),
    "DeleteNoUserJob": ("delete", MACHINE, None, DOCUMENT, EX_PATIENT),
    "DeleteNoUserReport": ("delete", MACHINE, None, DOCUMENT, EX_PATIENT),
    "DeleteServer": ("delete", DEVICE, JOHN, LIST, EX_PATIENT),
    "Patch": ("patch", DEVICE, JOHN, LIST, EX_PATIENT),
    "QueryGetClient": ("search", MACHINE, JOHN, None, EX_PATIENT),
    "QueryGetNoPatient": ("search", DEVICE, JOHN, None, None),
    "QueryGetServer": ("search", DEVICE, JOHN, None, EX_PATIENT),
    "QueryPost": ("search-type", DEVICE, JOHN, None, EX_PATIENT),
    "ReadClient": ("read", MACHINE, JOHN, LIST, EX_PATIENT),
    "ReadNoPatient": ("read", DEVICE, JOHN, MEASURE, None),
    "ReadNoUser": ("read", DEVICE, None, LIST, EX_PATIENT),
    "ReadOClient": ("read", MACHINE, "JohnSmith", LIST, EX_PATIENT),
    "ReadOServer": ("read", DEVICE, "JohnSmith", LIST, EX_PATIENT),
    "ReadOServerMin": ("read", DEVICE, None, LIST, EX_PATIENT),
    "ReadServer": ("read", DEVICE, JOHN, LIST, EX_PATIENT),
    "Update1": ("update", DEVICE, BETTY, LIST, EX_PATIENT),
    "Update2": ("update", DEVICE, CHARLEY, LIST, EX_PATIENT),
    "UpdateNoPatient": ("update", DEVICE, None, DOCUMENT, None),
    "UpdateNoUser": ("update", DEVICE, None, LIST, EX_PATIENT),
    "UpdateNoUserJob": ("update", DEVICE, None, DOCUMENT, EX_PATIENT),
    "UpdateNoUserReport": ("update", DEVICE, None, DOCUMENT, EX_PATIENT),
}
ACTIONS = {
    "create": "write",
    "update": "write",
    "patch": "write",
    "delete": "delete",
    "read": "read",
    "search": "search",
    "search-type": "search",
}
# Files whose agents all say requestor: false.
WITHOUT_REQUESTOR = {name for name in BALP if "NoUser" in name} | {"UpdateNoPatient"}


def expected_of_balp(name):
    interaction, observer, employee, record, patient = BALP[name]
    row = {
        "event_id": f"{observer}|ex-auditBasic{name}",
        "recorded_at": datetime(2020, 4, 6 if name == "DeleteNoPatient" else 29, 9, 49),
        "employee_name": employee,
        "patient_id": patient,
        "action": ACTIONS[interaction],
        "access_type": "Restful Operation",
        "activity": interaction,
        "log_type": "rest",
        "message_type": interaction,
        "table_name": record.split("/")[0] if record else None,
        "record_ref": record,
        "outcome": "success",
        # John's own agent has no address; the other machine's is a URI
        "network_address": "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
        "flags": [],
    }
    if name in WITHOUT_REQUESTOR:
        row["flags"] = ["no_requestor"]
    elif employee and name != "ReadOServer":
        row["flags"] = ["employee_by_name_only"]
    if name == "ReadOServer":
        row["employee_id"] = "35fb1058-7f36-415b-b862-677a37c95f35"
    if name.startswith("ReadO"):
        row["session_id"] = TOKEN
    return row


def complete(row):
    """Leave out what every row has, or what is empty."""
    left_out = ("record_number", "line_number", "record_hash", "message")
    return {name: value for name, value in row.items() if name not in left_out and value not in (None, [], False, 0)}


def path_of(name):
    return REALDATA / name


@pytest.mark.parametrize("name", CORE)
def test_an_example_of_hl7_gives_the_rows_written_down(stage_file, name):
    staged = stage_file(path_of(f"fhir-core/{name}.json"), "fhir")
    assert staged.quarantine == staged.authentications == []
    assert [complete(row) for row in staged.accesses] == [complete(row) for row in CORE[name]]
    if "pixQuery" in name:
        message = staged.accesses[0]["message"]
        assert message.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<PRPA_IN201309UV02 ITSVersion="XML_1.0"')
        assert message.endswith("</PRPA_IN201309UV02>\n")
    else:
        assert [row["message"] for row in staged.accesses] == [row.get("message") for row in CORE[name]]


@pytest.mark.parametrize("name", LOGINS)
def test_an_example_of_a_log_in_gives_an_authentication(stage_file, name):
    staged = stage_file(path_of(f"fhir-core/{name}.json"), "fhir")
    assert staged.quarantine == staged.accesses == []
    assert [complete(row) for row in staged.authentications] == [LOGINS[name]]


@pytest.mark.parametrize("name", BALP)
def test_an_example_of_ihe_gives_the_row_written_down(stage_file, name):
    path = path_of(f"ihe-balp/AuditEvent-ex-auditBasic{name}.json")
    staged = stage_file(path, "fhir")
    assert staged.quarantine == staged.authentications == []
    assert [complete(row) for row in staged.accesses] == [complete(expected_of_balp(name))]
    messages = [row["message"] for row in staged.accesses]
    if name.startswith("Query"):
        query = next(entity["query"] for entity in json.loads(path.read_text())["entity"] if "query" in entity)
        assert messages == [base64.b64decode(query).decode()]
        assert messages[0].split()[0] in ("GET", "POST")
    else:
        assert messages == [None]


def test_every_file_there_is_is_written_down():
    files = {
        path.relative_to(REALDATA / "fhir-core").with_suffix("").as_posix()
        for path in (REALDATA / "fhir-core").rglob("*.json")
    }
    assert files == CORE.keys() | LOGINS.keys()
    balp = {path.stem.removeprefix("AuditEvent-ex-auditBasic") for path in (REALDATA / "ihe-balp").glob("*.json")}
    assert balp == BALP.keys()


def test_all_examples_together_as_lines_give_the_same_rows(take):
    paths = [*sorted((REALDATA / "fhir-core").rglob("*.json")), *sorted((REALDATA / "ihe-balp").glob("*.json"))]
    staged = take("".join(json.dumps(json.loads(path.read_text())) + "\n" for path in paths), "fhir")
    assert staged.quarantine == []
    assert len(staged.accesses) == 13 + 2 + 34
    assert len(staged.authentications) == 4
