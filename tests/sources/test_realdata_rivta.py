"""Inera's StoreLog: what the one real request must give, and that our own messages keep to the contract's schemas."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from lxml import etree

FOLDER = Path(__file__).parents[2].parent / "shared" / "realdata" / "rivta-storelog"
ABSENT = "This test reads real example logs in ../shared/realdata, which is not part of the project and is not here."

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=ABSENT)

SCHEMA = FOLDER / "schemas" / "interactions" / "StoreLogInteraction" / "StoreLogResponder_2.0.xsd"
RESPONDER = "urn:riv:informationsecurity:auditing:log:StoreLogResponder:2"
ROW = {
    "event_id": "it-log-cert-001",
    "item": 0,
    "recorded_local": datetime(2024, 11, 9, 7, 40, 13),  # no zone: Swedish time, and nothing odd
    "employee_id": "it-user-001",
    "role": "Läkare",
    "unit_id": "TSTNMT2321000156-ALMC",
    "patient_id": "191212121212",
    "patient_unit_id": "TSTNMT2321000156-ALMC",
    "action": "read",
    "activity": "Läsa",
    "message_type": "Läsa",
    "log_type": "Intyg",
    "table_name": "Intyg",
    "record_ref": "it-log-cert-001",
    "purpose": "CARE_TREATMENT",
    "outcome": "success",
    "is_break_glass": False,
    "flags": [],
}


def given(rows):
    left_out = ("record_number", "line_number", "record_hash")
    return [{k: v for k, v in row.items() if k not in left_out and v is not None} for row in rows]


def store_log():
    """The request's body, in lxml's own reading of it."""
    return etree.parse(FOLDER / "store-log-cert.xml").find(f".//{{{RESPONDER}}}StoreLog")


def test_the_real_request_gives_the_row_written_down(stage_file):
    staged = stage_file(FOLDER / "store-log-cert.xml", "rivta")
    assert staged.quarantine == staged.authentications == []
    assert given(staged.accesses) == [ROW]
    assert staged.accesses[0]["line_number"] == 10


def test_requests_on_end_give_their_rows_each(take):
    text = (FOLDER / "store-log-cert.xml").read_text(encoding="utf-8")
    staged = take(text + text.replace("it-log-cert-001", "2"), "rivta", "log.xml")
    assert given(staged.accesses) == [ROW, {**ROW, "event_id": "2", "record_ref": "2"}]


def test_a_request_without_a_purpose_breaks_the_schema_and_is_stored_and_flagged(take):
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    body = store_log()
    assert schema.validate(body), schema.error_log
    purpose = body.find(".//{*}purpose")
    purpose.getparent().remove(purpose)
    assert not schema.validate(body)
    staged = take(etree.tostring(body), "rivta", "log.xml")
    expected = {name: value for name, value in ROW.items() if name != "purpose"}
    assert given(staged.accesses) == [{**expected, "flags": ["missing_purpose"]}]


def test_every_element_that_the_schema_demands_is_flagged_where_it_lacks(take):
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    names = ["logId", "system", "activityType", "purpose", "user", "resources", "resourceType"]
    for name in names:
        body = store_log()
        found = body.find(f".//{{*}}{name}")
        found.getparent().remove(found)
        assert not schema.validate(body)
        (row,) = take(etree.tostring(body), "rivta", "log.xml").accesses
        snake = {"logId": "log_id", "activityType": "activity_type", "resourceType": "resource_type"}.get(name, name)
        assert row["flags"] == [f"missing_{snake}"]


def test_the_files_there_are_are_these():
    assert [path.name for path in FOLDER.iterdir() if path.is_file()] == ["store-log-cert.xml"]
