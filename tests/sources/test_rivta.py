"""Log posts of RIV-TA's StoreLog that a care provider's systems might write."""

from __future__ import annotations

from datetime import datetime

import pytest

from audit_kernel.errors import DamagedFileError

NAMESPACE = "urn:riv:informationsecurity:auditing:log"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
USER = (
    "<userId>SE1</userId><name>Kari</name><assignment>Vård</assignment><title>Läkare</title>"
    "<careProvider><careProviderId>P1</careProviderId></careProvider><careUnit><careUnitId>U1</careUnitId></careUnit>"
)
SYSTEM = "<system><systemId>S</systemId></system>"


def resource(number="191212121212", *, provider="P1", unit="U1", root="1.2.752.129.2.1.3.1", kind="Intyg"):
    patient = f"<patient><patientId><root>{root}</root><extension>{number}</extension></patientId></patient>"
    return (
        f"<resource><resourceType>{kind}</resourceType>{patient if number else ''}<careProvider><careProviderId>"
        f"{provider}</careProviderId></careProvider><careUnit><careUnitId>{unit}</careUnitId></careUnit></resource>"
    )


def log(  # the parts of a log post
    number="1",
    *,
    kind="Läsa",
    time="2026-08-01T10:00:00",
    purpose="<purpose>Vård</purpose>",
    user=USER,
    resources=None,
    system=SYSTEM,
):
    resources = resource() if resources is None else resources
    return (
        f"<s:log><logId>{number}</logId>{system}<activity><activityType>{kind}</activityType>"
        f"<activityLevel>anteckning</activityLevel><activityArgs>a=1</activityArgs><startDate>{time}</startDate>"
        f"{purpose}</activity><user>{user}</user><resources>{resources}</resources></s:log>"
    )


def envelope(*logs):
    return (
        f'<e:Envelope xmlns:e="{SOAP}" xmlns="{NAMESPACE}:2" xmlns:s="{NAMESPACE}:StoreLogResponder:2"><e:Header/>'
        f"<e:Body><s:StoreLog>{''.join(logs)}</s:StoreLog></e:Body></e:Envelope>\n"
    )


@pytest.fixture
def taken(take):
    """Take log posts and return the rows of their accesses."""

    def run(*logs):
        staged = take(envelope(*logs), "rivta", "log.xml")
        assert staged.quarantine == staged.authentications == []
        return staged.accesses

    return run


def test_each_field_of_a_log_post_is_stored(taken):
    (row,) = taken(log())
    left_out = ("record_number", "line_number", "record_hash")
    assert {name: value for name, value in row.items() if name not in left_out and value not in (None, [], False)} == {
        "event_id": "1",
        "recorded_local": datetime(2026, 8, 1, 10),
        "employee_id": "SE1",
        "employee_name": "Kari",
        "role": "Vård, Läkare",
        "unit_id": "U1",
        "patient_id": "191212121212",
        "patient_unit_id": "U1",
        "action": "read",
        "activity": "Läsa",
        "log_type": "Intyg",
        "table_name": "Intyg",
        "record_ref": "anteckning",
        "message_type": "Läsa",
        "message": "a=1",
        "outcome": "success",
        "purpose": "Vård",
    }


@pytest.mark.parametrize(
    ("kind", "action", "is_break_glass"),
    [
        ("Läsa", "read", False),
        ("LÄSA", "read", False),
        ("Skriva", "write", False),
        ("Signera", "sign", False),
        ("Utskrift", "print", False),
        ("Vidimera", "countersign", False),
        ("Radera", "delete", False),
        ("Nödöppning", "read", True),
        ("Annat", "other", False),
    ],
)
def test_the_activity_is_an_action(taken, kind, action, is_break_glass):
    assert [(row["action"], row["is_break_glass"]) for row in taken(log(kind=kind))] == [(action, is_break_glass)]


def test_each_resource_is_a_row_and_one_of_another_provider_is_flagged(taken):
    rows = taken(
        log(
            resources=resource("1")
            + resource("2", unit="U2")
            + resource("3", provider="P2", unit="U2", root="1.2.752.74.9.1")
            + resource("")
        ),
        log("2"),
    )
    assert [(row["event_id"], row["item"], row["patient_id"], row["flags"]) for row in rows] == [
        ("1", 0, "1", []),
        ("1", 1, "2", ["other_care_unit"]),
        ("1", 2, "3^^^&1.2.752.74.9.1&ISO", ["other_care_provider", "other_care_unit"]),
        ("1", 3, None, []),
        ("2", 0, "191212121212", []),
    ]


def test_a_log_post_that_lacks_what_its_schema_demands_is_stored_and_flagged(taken):
    (row,) = taken(log("", purpose="<purpose/>", user="", resources="", system=""))
    assert row["event_id"] is None
    assert row["flags"] == [
        "missing_log_id",
        "missing_system",
        "missing_user",
        "missing_resources",
        "missing_purpose",
    ]


@pytest.mark.parametrize(
    "user",
    [
        "<userId>SE1</userId><personId><root>1.2.752.129.2.1.3.1</root><extension>191212121212</extension></personId>",
        "<userId>121212-1212</userId>",
    ],
)
def test_an_employee_who_reads_about_himself_is_flagged(taken, user):
    rows = taken(log(user=user, resources=resource() + resource("190001010101")))
    assert [row["flags"] for row in rows] == [["self_service"], []]


def test_a_time_with_a_zone_is_read_as_such(taken):
    (row,) = taken(log(time="2026-08-01T10:00:00.000+02:00"))
    assert (row["recorded_at"], row["recorded_local"]) == (datetime(2026, 8, 1, 8), None)


def test_version_1_and_other_prefixes_are_read_alike(take):
    upper = (
        '<Log xmlns="urn:riv:ehr:log:1"><LogId>1</LogId><Activity><ActivityType>Läsa</ActivityType><StartDate>'
        "2026-08-01T10:00:00</StartDate></Activity><User><UserId>SE1</UserId></User><Resources><Resource><Patient>"
        "<PatientId><Extension>7</Extension></PatientId></Patient></Resource></Resources></Log>"
    )
    staged = take(upper, "rivta", "log.xml")
    assert [(row["event_id"], row["employee_id"], row["patient_id"]) for row in staged.accesses] == [("1", "SE1", "7")]


def test_envelopes_on_end_are_read_and_bad_log_posts_quarantined(take):
    stranger = "<log xmlns='urn:other'><x/></log>"
    content = envelope(log("1"), log("2", time="igår")) + envelope(log("3")) + envelope(stranger, log("4"))
    staged = take(content, "rivta", "log.xml")
    assert [row["event_id"] for row in staged.accesses] == ["1", "3", "4"]
    assert [(row["line_number"], row["column_name"], row["code"]) for row in staged.quarantine] == [
        (1, "activity.startDate", "not_a_time"),
        (3, "log", "not_readable"),
    ]
    assert [row["raw_record"] for row in staged.quarantine] == [log("2", time="igår"), stranger]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (envelope(log())[:-20], "line 1"),
        (envelope(log()) + envelope(log("2", user="<x>")), "line 2"),
        (envelope(), "no record"),
    ],
)
def test_a_damaged_file_is_refused(take, content, words):
    with pytest.raises(DamagedFileError, match=words):
        take(content, "rivta", "log.xml")
