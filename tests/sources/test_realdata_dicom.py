"""Audit messages of IPF's tests: what each file must give, written down from reading the files, not from the reader.

Every one was written by a gateway: what asks is a machine (110153 or 110151), so none names an employee.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2].parent / "shared" / "realdata" / "dicom-audit"
ABSENT = "This test reads real example logs in ../shared/realdata, which is not part of the project and is not here."

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=ABSENT)

RED, GREEN, BLUE = "IHERED&1.3.6.1.4.1.21367.13.20.1000", "IHEGREEN&1.3.6.1.4.1.21367.13.20.2000", "IHEBLUE&{}.3000"
BLUE = BLUE.format("1.3.6.1.4.1.21367.13.20")
FACILITY = "IHEFACILITY&1.3.6.1.4.1.21367.3000.1.6"
MPI, PKLN = "MPI&2.16.840.1.113883.3.37.4.1.1.2.1.1", "PKLN&2.16.840.1.113883.3.37.4.1.1.2.511.1"
NIST = "NIST2010&2.16.840.1.113883.3.72.5.9.1"


def number(value, authority):
    return f"{value}^^^{authority}&ISO"


RED_40, RED_42 = number("IHERED-2340", RED), number("IHERED-2342", RED)
GREEN_40, GREEN_42 = number("IHEGREEN-2340", GREEN), number("IHEGREEN-2342", GREEN)
BLUE_40, BLUE_42 = number("IHEBLUE-2340", BLUE), number("IHEBLUE-2342", BLUE)
FACILITY_40, FACILITY_42 = number("IHEFACILITY-2340", FACILITY), number("IHEFACILITY-2342", FACILITY)
QUERY, RECORD, APPLICATION = ("110112", "Query"), ("110110", "Patient Record"), ("110100", "Application Activity")
MARCH_19 = (2020, 3, 19)
GATEWAY = "/app-gateway/fhir/Patient"
# file: time, action, event, code and text of its type, address, patients, how the message begins and ends
FILES = {
    "pdq": (
        datetime(*MARCH_19, 12, 16, 37, 320000),
        "search",  # the letter is E; the event is a query
        QUERY,
        ("ITI-21", "Patient Demographics Query"),
        "127.0.0.1",
        [number("24", MPI), number("78246", PKLN), number("27", MPI), number("78106", PKLN)],
        ("MSH|^~\\&|MESA_PD_CONSUMER|", "|@PID.5.1^meier\rRCP|I|10^RD\r"),
    ),
    "pdqm": (
        datetime(*MARCH_19, 14, 25, 2, 926000),
        "search",
        QUERY,
        ("ITI-78", "Mobile Patient Demographics Query"),
        "10.205.114.56",
        [],
        ("http://wdf-lap-1237.icw.int:8087/app-gateway/", f"{GATEWAY}?family=xpid"),
    ),
    "pdqmread": (
        datetime(*MARCH_19, 14, 26, 55, 601000),
        "search",
        QUERY,
        ("ITI-78", "Mobile Patient Demographics Query"),
        "10.205.114.56",
        ["Patient/IHERED-2340"],
        ("http://wdf-lap-1237.icw.int:8087/app-gateway/", f"{GATEWAY}/IHERED-2340?null"),
    ),
    "pdqv3": (
        datetime(*MARCH_19, 14, 17, 28, 705000),
        "search",
        QUERY,
        ("ITI-47", "Patient Demographics Query"),
        "127.0.0.1",
        [RED_40, GREEN_40, BLUE_40, BLUE_42, FACILITY_40, FACILITY_42],
        ("<queryByParameter>\n", "</queryByParameter>"),
    ),
    "pixfeed": (
        datetime(*MARCH_19, 12, 24, 34, 434000),
        "write",
        RECORD,
        ("ITI-8", "Patient Identity Feed"),
        "127.0.0.1",
        [number("7627199", "HZLN&2.16.840.1.113883.3.37.4.1.1.2.411.1")],
        None,
    ),
    "pixfeedmerge": (
        datetime(2019, 3, 19, 13, 48, 59, 399000),
        "delete",
        RECORD,
        ("ITI-8", "Patient Identity Feed"),
        "127.0.0.1",
        [number("MW-10001", NIST)],
        None,
    ),
    "pixfeedmergesource": (  # one object whose six numbers stand behind each other
        datetime(*MARCH_19, 14, 12, 24, 933000),
        "write",
        RECORD,
        ("ITI-8", "Patient Identity Feed"),
        "localhost",
        [RED_40, BLUE_42, FACILITY_42, FACILITY_40, GREEN_40, BLUE_40],
        None,
    ),
    "pixfeedsource": (
        datetime(*MARCH_19, 13, 59, 32, 253000),
        "write",
        RECORD,
        ("ITI-8", "Patient Identity Feed"),
        "localhost",
        [RED_42, BLUE_42, FACILITY_42],
        None,
    ),
    "pixm": (
        datetime(*MARCH_19, 14, 33, 48, 493000),
        "search",
        QUERY,
        ("ITI-83", "Mobile Patient Identifier Cross-reference Query"),
        "10.205.114.56",
        ["urn:oid:1.3.6.1.4.1.21367.13.20.3000|IHEBLUE-2340"],
        ("http://wdf-lap-1237.icw.int:8087/app-gateway/", "&_format=xml"),
    ),
    "pixquery": (
        datetime(*MARCH_19, 12, 34, 6, 367000),
        "search",
        QUERY,
        ("ITI-9", "PIX Query"),
        "127.0.0.1",
        [number("27", MPI), number("78106", PKLN)],
        ("MSH|^~\\&|MESA_PIX_CLIENT|", "&ISO\rRCP|I\r"),
    ),
    "pixupdatesource": (
        datetime(*MARCH_19, 13, 59, 32, 521000),
        "read",
        RECORD,
        ("ITI-10", "PIX Update Notification"),
        "localhost",
        [RED_42, BLUE_42, FACILITY_42],
        None,
    ),
    "pixv3feed": (
        datetime(*MARCH_19, 13, 40, 14, 259000),
        "write",
        RECORD,
        ("ITI-44", "Patient Identity Feed"),
        "127.0.0.1",
        [number("JW-824-v3", NIST)],
        None,
    ),
    "pixv3query": (
        datetime(*MARCH_19, 13, 44, 48, 924000),
        "search",
        QUERY,
        ("ITI-45", "PIX Query"),
        "127.0.0.1",
        [number("JW-824-v3", NIST.replace("NIST2010", ""))],
        ("<queryByParameter>\n", "</queryByParameter>"),
    ),
    "pixv3sourcefeed": (
        datetime(2020, 4, 8, 15, 44, 24, 580000),
        "write",
        RECORD,
        ("ITI-44", "Patient Identity Feed"),
        "127.0.0.1",
        [number("PIX", "&1.3.6.1.4.1.21367.2011.2.5.5488")],
        None,
    ),
    "start": (
        datetime(2020, 3, 9, 10, 17, 39, 575000),
        "execute",
        APPLICATION,
        ("110120", "Application Start"),
        "10.0.75.1",  # of the application; the launcher, which asked, has none
        [],
        None,
    ),
    "stop": (
        datetime(2020, 3, 9, 10, 35, 15, 937000),
        "execute",
        APPLICATION,
        ("110121", "Application Stop"),
        "10.0.75.1",
        [],
        None,
    ),
    "xcpd": (
        datetime(*MARCH_19, 14, 38, 4, 293000),
        "search",
        QUERY,
        ("ITI-55", "Cross Gateway Patient Discovery"),
        "127.0.0.1",
        [number("IHERED-1040", RED)],
        ("<queryByParameter>\n", "</queryByParameter>"),
    ),
    "xpidsource": (
        datetime(*MARCH_19, 13, 59, 32, 298000),
        "write",
        RECORD,
        ("ITI-64", "Notify XAD-PID Link Change"),
        "localhost",
        [GREEN_40, GREEN_42, RED_40, RED_42],
        None,
    ),
}


def expected_of(name):
    moment, action, (log_type, access_type), (message_type, activity), address, patients, _message = FILES[name]
    return [
        {
            "item": item,
            "recorded_at": moment,
            "patient_id": patient,
            "action": action,
            "log_type": log_type,
            "access_type": access_type,
            "message_type": message_type,
            "activity": activity,
            "network_address": address,
            "outcome": "success",
            "is_break_glass": False,
            "flags": ["machine_requestor"],
        }
        for item, patient in enumerate(patients or [None])
    ]


def given(rows):
    """Leave out where a row stands, its message, and what is empty."""
    left_out = ("record_number", "line_number", "record_hash", "message")
    empty = {"patient_id": None}
    return [{**empty, **{k: v for k, v in row.items() if k not in left_out and v is not None}} for row in rows]


@pytest.mark.parametrize("name", FILES)
def test_a_message_gives_the_rows_written_down(stage_file, name):
    staged = stage_file(FOLDER / f"{name}.xml", "dicom_audit")
    assert staged.quarantine == staged.authentications == []
    assert given(staged.accesses) == expected_of(name)
    for row in staged.accesses:
        message = FILES[name][-1]
        if message is None:
            assert row["message"] is None
        else:
            assert row["message"].startswith(message[0])
            assert row["message"].endswith(message[1])


def test_every_file_there_is_is_written_down():
    assert {path.stem for path in FOLDER.iterdir()} == FILES.keys()


def frame(text, number):
    header = f"<85>1 2020-03-19T12:00:00Z host{number} app - IHE+RFC-3881 - \ufeff"
    return header.encode() + text


@pytest.mark.parametrize("way", ["on end", "by count", "by line"])
@pytest.mark.parametrize("dialect", [b"csd-code", b"code"])
def test_all_messages_in_one_file_give_the_same_rows(take, way, dialect):
    texts = [(FOLDER / f"{name}.xml").read_bytes().replace(b"csd-code", dialect) for name in FILES]
    frames = [frame(text, index) for index, text in enumerate(texts)]
    if way == "on end":
        content = b"\n".join(texts)
    elif way == "by count":
        content = b"".join(b"%d %s" % (len(each), each) for each in frames)
    else:
        content = b"\n".join(frames)
    staged = take(content, "dicom_audit", "log.xml")
    assert staged.quarantine == []
    assert given(staged.accesses) == [row for name in FILES for row in expected_of(name)]
