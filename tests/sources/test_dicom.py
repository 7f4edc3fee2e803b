"""Audit messages of DICOM and RFC 3881 that a hospital's systems might write, as XML and in syslog messages."""

from __future__ import annotations

from datetime import datetime

import pytest

from audit_kernel.errors import DamagedFileError

EVENT = '<EventID csd-code="110110" codeSystemName="DCM" originalText="Patient Record"/>'
PERSON = '<ActiveParticipant UserID="E1" UserName="Kari" UserIsRequestor="true" NetworkAccessPointID="pc7"/>'
SOURCE = '<AuditSourceIdentification AuditSourceID="pacs"/>'
PATIENT = '<ParticipantObjectIdentification ParticipantObjectID="{}" {}ParticipantObjectTypeCode="1" {}/>'


def message(
    *,
    time="2026-08-01T10:00:00Z",
    action="R",
    outcome="0",
    event=EVENT,
    people=PERSON,
    objects="",
    source=SOURCE,
    root="AuditMessage",
):
    return (
        f'<{root}><EventIdentification EventActionCode="{action}" EventDateTime="{time}"'
        f' EventOutcomeIndicator="{outcome}">{event}</EventIdentification>{people}{source}{objects}</{root.split()[0]}>'
    )


def patient(number, *, name="", role='ParticipantObjectTypeCodeRole="1"'):
    return PATIENT.format(number, f'ParticipantObjectName="{name}" ' if name else "", role)


def participant(user, *, role="", requestor="true", more=""):
    code = f'<RoleIDCode csd-code="{role}"/>' if role else ""
    return f'<ActiveParticipant UserID="{user}" UserIsRequestor="{requestor}" {more}>{code}</ActiveParticipant>'


@pytest.fixture
def only(take):
    """Take one message and return its rows."""

    def run(**parts):
        staged = take(message(**parts), "dicom_audit", "log.xml")
        assert staged.quarantine == []
        return staged.accesses or staged.authentications

    return run


@pytest.mark.parametrize(
    ("written", "recorded_at", "recorded_local"),
    [
        ("2026-08-01T10:00:00Z", datetime(2026, 8, 1, 10), None),
        ("2026-08-01T10:00:00+11:00", datetime(2026, 7, 31, 23), None),
        ("2026-08-01T10:00:00+0200", datetime(2026, 8, 1, 8), None),
        ("2026-08-01T10:00:00", None, datetime(2026, 8, 1, 10)),
        ("2026-08-01T10:00:00.1234567Z", datetime(2026, 8, 1, 10, 0, 0, 123456), None),
        ("2026-08-01T10:00:00.123456789Z", datetime(2026, 8, 1, 10, 0, 0, 123456), None),
        ("2026-08-01T10:00:00,5-01:00", datetime(2026, 8, 1, 11, 0, 0, 500000), None),
    ],
)
def test_times_are_read_with_and_without_a_zone(only, written, recorded_at, recorded_local):
    (row,) = only(time=written)
    assert (row["recorded_at"], row["recorded_local"]) == (recorded_at, recorded_local)
    assert row["flags"] == ([] if recorded_at else ["no_zone"])


def test_both_dialects_and_any_prefix_give_the_same_row(only):
    event = (
        '<EventID csd-code="110110" originalText="Patient Record"/><EventTypeCode csd-code="X" originalText="Y"/>'
        '<PurposeOfUse csd-code="TREAT"/>'
    )
    people = '<ActiveParticipant UserID="E1"><RoleIDCode csd-code="doctor" originalText="Lege"/></ActiveParticipant>'
    (first,) = only(event=event, people=people)
    dialect = [text.replace("csd-code", "code").replace("originalText", "displayName") for text in (event, people)]
    (second,) = only(event=dialect[0], people=dialect[1])
    names = ("log_type", "access_type", "message_type", "activity", "role", "purpose", "employee_id", "flags")
    assert [first[name] for name in names] == [second[name] for name in names]
    assert [first[name] for name in names] == ["110110", "Patient Record", "X", "Y", "Lege", "TREAT", "E1", []]


def test_a_namespace_that_the_standard_does_not_give_is_flagged(only):
    (row,) = only(root='a:AuditMessage xmlns:a="urn:x" xmlns="urn:x"')
    assert row["flags"] == ["unexpected_namespace"]
    assert row["employee_id"] == "E1"


@pytest.mark.parametrize(
    ("letter", "event", "action"),
    [
        ("C", "110110", "write"),
        ("R", "110103", "read"),
        ("U", "110110", "write"),
        ("D", "110105", "delete"),
        ("E", "110100", "execute"),
        ("E", "110112", "search"),
        ("R", "110106", "export"),
        ("X", "110110", "other"),
    ],
)
def test_the_action_is_the_letters_unless_the_event_says_more(only, letter, event, action):
    (row,) = only(action=letter, event=f'<EventID csd-code="{event}"/>')
    assert row["action"] == action


@pytest.mark.parametrize(
    ("people", "employee", "second", "flags"),
    [
        (participant("E1") + participant("E2", requestor="false"), "E1", "E2", []),
        (participant("E2", requestor="false") + participant("E1"), "E1", "E2", []),
        (participant("E1") + participant("E2"), "E1", "E2", ["several_requestors"]),
        (participant("E1", requestor="false"), "E1", None, ["no_requestor"]),
        (participant("A", role="110150") + participant("E1", requestor="false"), "E1", None, ["machine_requestor"]),
        (participant("http://server/x") + participant("E1"), "E1", None, []),
        (participant("/app/x") + participant("B", role="110153"), None, None, ["machine_requestor"]),
        (participant("", more='AlternativeUserID="E9"'), "E9", None, []),
        ('<ActiveParticipant UserID="E1"/>', "E1", None, []),
        (participant("E1", requestor="1") + participant("E2", requestor="FALSE"), "E1", "E2", []),
        ("", None, None, ["no_requestor", "missing_active_participant"]),
    ],
)
def test_the_employee_is_the_person_who_asked(only, people, employee, second, flags):
    (row,) = only(people=people)
    assert (row["employee_id"], row["on_behalf_of"], row["flags"]) == (employee, second, flags)


def test_each_patient_of_a_message_is_a_row(only):
    objects = patient("1^^^A&amp;1.2&amp;ISO^PI~2^^^A&amp;1.2&amp;ISO", name="Ola") + patient("3") + patient("3")
    rows = only(objects=objects)
    assert [(row["item"], row["patient_id"], row["patient_name"]) for row in rows] == [
        (0, "1^^^A&1.2&ISO", "Ola"),
        (1, "2^^^A&1.2&ISO", "Ola"),
        (2, "3", None),
    ]


def test_a_patient_is_known_by_role_or_by_the_kind_of_number(only):
    kind = '<ParticipantObjectIDTypeCode code="2"/>'
    numbered = (
        '<ParticipantObjectIdentification ParticipantObjectID="7" ParticipantObjectTypeCode="1">'
        f"{kind}</ParticipantObjectIdentification>"
    )
    assert [row["patient_id"] for row in only(objects=numbered)] == ["7"]
    (row,) = only(objects=patient("8", role='ParticipantObjectTypeCodeRole="10"'))
    assert (row["patient_id"], row["record_ref"]) == (None, "8")


def test_the_objects_of_a_patient_are_rows_and_a_query_is_the_message(only):
    study = (
        '<ParticipantObjectIdentification ParticipantObjectID="1.2.3" ParticipantObjectTypeCode="2"'
        ' ParticipantObjectTypeCodeRole="3"><ParticipantObjectIDTypeCode csd-code="110180"'
        ' originalText="Study Instance UID"/></ParticipantObjectIdentification>'
    )
    query = (
        '<ParticipantObjectIdentification ParticipantObjectID="q" ParticipantObjectTypeCode="2"'
        ' ParticipantObjectTypeCodeRole="24"><ParticipantObjectQuery>{}</ParticipantObjectQuery>'
        "</ParticipantObjectIdentification>"
    )
    rows = only(objects=patient("7") + study + study.replace("1.2.3", "1.2.4") + query.format("\naGVp\n"))
    assert [(row["patient_id"], row["table_name"], row["record_ref"], row["message"]) for row in rows] == [
        ("7", "110180", "1.2.3", "hei"),
        ("7", "110180", "1.2.4", "hei"),
    ]
    (row,) = only(objects=query.format("AAEC"))
    assert (row["message"], row["flags"]) == ("AAEC", ["query_not_text"])


def test_text_that_was_escaped_twice_is_read_and_flagged(only):
    (row,) = only(objects=patient("7^^^A&amp;amp;1.2&amp;amp;ISO", name="&amp;quot;Å&amp;quot;"))
    assert (row["patient_id"], row["patient_name"]) == ("7^^^A&1.2&ISO", '"Å"')
    assert row["flags"] == ["escaped_twice"]


def test_an_employee_who_reads_about_himself_is_flagged(only):
    people = participant("19121212-1212")
    rows = only(people=people, objects=patient("121212-1212^^^&amp;1.2.752.129.2.1.3.1&amp;ISO") + patient("8"))
    assert [row["flags"] for row in rows] == [["self_service"], []]


@pytest.mark.parametrize("event", ['<EventTypeCode code="110127"/>', '<PurposeOfUse csd-code="BTG"/>'])
def test_break_the_glass_is_seen(only, event):
    assert [row["is_break_glass"] for row in only(event=EVENT + event)] == [True]
    assert [row["is_break_glass"] for row in only()] == [False]


@pytest.mark.parametrize(
    ("written", "outcome"), [("0", "success"), ("4", "failed"), ("8", "failed"), ("12", "failed"), ("x", "unknown")]
)
def test_the_outcome_is_read(only, written, outcome):
    assert [row["outcome"] for row in only(outcome=written)] == [outcome]


def test_a_message_that_lacks_what_its_schema_demands_is_stored_and_flagged(only):
    (row,) = only(event="", source="", outcome="")
    assert row["flags"] == [
        "missing_event_id",
        "missing_event_outcome_indicator",
        "missing_audit_source_identification",
    ]
    assert (row["outcome"], row["action"]) == ("unknown", "read")


@pytest.mark.parametrize(
    ("kind", "outcome", "expected"),
    [("110122", "0", "login"), ("110123", "0", "logout"), ("110122", "8", "failure"), ("", "0", "login")],
)
def test_logging_in_and_out_are_authentications(take, kind, outcome, expected):
    event = '<EventID csd-code="110114"/>' + (f'<EventTypeCode csd-code="{kind}"/>' if kind else "")
    people = participant("E1", more='NetworkAccessPointID="pc7" NetworkAccessPointTypeCode="1"')
    staged = take(message(event=event, people=people, outcome=outcome), "dicom_audit", "log.xml")
    assert staged.accesses == staged.quarantine == []
    (row,) = staged.authentications
    assert (row["kind"], row["account"], row["device"], row["network_address"]) == (expected, "E1", "pc7", "pc7")


def test_a_message_that_repeats_has_the_same_hash_however_it_is_written(take):
    again = message(root="AuditMessage xmlns:x='urn:x'").replace('EventActionCode="R" ', "", 1)
    again = again.replace("EventOutcomeIndicator", 'EventActionCode="R"\n EventOutcomeIndicator')
    staged = take(message() + "\n" + again + message(action="C"), "dicom_audit", "log.xml")
    hashes = [row["record_hash"] for row in staged.accesses]
    assert hashes[0] == hashes[1] != hashes[2]
    assert [row["event_id"] for row in staged.accesses] == [None] * 3


@pytest.mark.parametrize(
    ("parts", "column", "code"),
    [
        ({"time": "yesterday"}, "EventIdentification.EventDateTime", "not_a_time"),
        ({"time": ""}, "EventIdentification.EventDateTime", "missing_value"),
        ({"people": participant("E1", requestor="maybe")}, "ActiveParticipant.UserIsRequestor", "not_readable"),
        ({"people": participant("E&#x85;1")}, "ActiveParticipant.UserID", "control_characters"),
        ({"event": "<EventID>110110</EventID>"}, "EventIdentification.EventID", "not_readable"),
    ],
)
def test_a_field_that_cannot_be_used_quarantines_its_message(take, parts, column, code):
    staged = take(f"{message()}\n{message(**parts)}", "dicom_audit", "log.xml")
    assert [(row["line_number"], row["column_name"], row["code"]) for row in staged.quarantine] == [(2, column, code)]
    assert len(staged.accesses) == 1


HEADER = "<85>1 2026-08-01T10:00:00.000Z pacs app 1234 IHE+RFC-3881 "
OLD_HEADER = "<85>Aug  1 10:00:00 pacs "
MARK = "\ufeff"


def counted(*frames):
    return "".join(f"{len(frame.encode())} {frame}" for frame in frames)


@pytest.mark.parametrize(
    "frame",
    [
        HEADER + "- " + message(people=participant("Åse")),
        HEADER + "- " + MARK + message(),
        HEADER + "- " + MARK + '<?xml version="1.0" encoding="UTF-8"?>' + message(),
        HEADER + r'[a@1 b="c\"]"][d@2] ' + message(),
        HEADER + "- " + message().replace("><", ">\n  <"),
        OLD_HEADER + message(),
        OLD_HEADER + "app[12]: " + message(),
    ],
)
@pytest.mark.parametrize("start", ["", MARK, "\n"])
def test_frames_are_read_by_count_and_by_line(take, frame, start):
    n_lines, first = frame.count("\n"), 1 + start.count("\n")
    for content, lines in (
        (counted(frame, frame, frame), [first, first + n_lines, first + 2 * n_lines]),
        (f"{frame}\n{frame}\r\n{frame}", [first, first + 1 + n_lines, first + 2 * (1 + n_lines)]),
        (counted(frame) + "\n" + counted(frame), [first, first + 1 + n_lines]),
    ):
        staged = take(start + content, "dicom_audit", "log.xml")
        assert staged.quarantine == []
        assert [row["line_number"] for row in staged.accesses] == lines


@pytest.mark.parametrize(
    "bad",
    [
        HEADER + "- something else",
        HEADER + "- ",
        HEADER + "-",
        HEADER + "- " + message() + message(),
        HEADER + "- " + message()[:-3],
        HEADER + "- <log>" + message() + "</log>",
        HEADER + "- " + message(time="now"),
        "<85>1 too short",
        '<85>1 - - - - - [a b="' + message(),
        "<85>Z" + message(),
    ],
)
def test_a_bad_frame_is_quarantined_with_its_text(take, bad):
    good = HEADER + "- " + message()
    for content in (counted(good, bad, good), f"{good}\n{bad}\n{good}\n"):
        staged = take(content, "dicom_audit", "log.xml")
        assert [row["raw_record"] for row in staged.quarantine] == [bad]
        assert len(staged.accesses) == 2


@pytest.mark.parametrize(
    "content",
    [
        counted(HEADER + "- " + message())[:-1],
        counted(HEADER + "- " + message()) + "12",
        counted(HEADER + "- " + message()) + "99999999 <85>1 ",
        counted(HEADER + "- " + message()) + "9999999999 <85>1 ",
        counted(HEADER + "- " + message()) + "3 abc",
        counted(HEADER + "- " + message()) + "x",
        counted(HEADER + "- " + message()).replace("<85>", "<85>x", 1) + "7 <85>1 x",
        f"{HEADER}- {message()}\n{HEADER}- {message()[:-4]}",
    ],
)
def test_a_damaged_file_of_frames_is_refused(take, content):
    with pytest.raises(DamagedFileError, match="line"):
        take(content, "dicom_audit", "log.xml")
