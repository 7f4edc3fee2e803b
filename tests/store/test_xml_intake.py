"""DICOM's audit messages and RIV-TA's log posts on their way into the store: times, what repeats, what conflicts."""

from __future__ import annotations

from datetime import datetime

from audit_kernel.store.deliver import read_quarantine
from audit_kernel.store.intake import take_in
from tests.store.logs import ask
from tests.store.test_intake import balance


def message(time, *, event="110110", user="E1"):
    return (
        f'<AuditMessage><EventIdentification EventActionCode="R" EventDateTime="{time}" EventOutcomeIndicator="0">'
        f'<EventID csd-code="{event}"/></EventIdentification><ActiveParticipant UserID="{user}"/>'
        '<AuditSourceIdentification AuditSourceID="pacs"/><ParticipantObjectIdentification ParticipantObjectID="1~2"'
        ' ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1"/></AuditMessage>\n'
    )


def log_post(number, time, *, user="SE1"):
    return (
        f'<log xmlns="urn:riv:informationsecurity:auditing:log:2"><logId>{number}</logId><activity><activityType>Läsa'
        f"</activityType><startDate>{time}</startDate></activity><user><userId>{user}</userId></user></log>\n"
    )


def test_messages_of_dicom_are_known_by_content_and_log_ins_stand_apart(site, tmp_path):
    first, login = message("2026-08-01T10:00:00Z"), message("2026-08-01T11:00:00", event="110114")
    path = tmp_path / "first.xml"
    path.write_text(first + login + first + message("now"))
    assert balance(take_in(site, path, "dicom_audit")) == (4, 3, 0, 1)  # two honest messages may be alike
    stored = "select patient_id, recorded_at, local_hour, time_flag from lake.accesses_by_patient order by all"
    row = (datetime(2026, 8, 1, 10), 12, "ok")
    assert ask(site, stored) == [("1", *row), ("1", *row), ("2", *row), ("2", *row)]
    stored = "select account, kind, recorded_at, time_flag from lake.authentications"
    assert ask(site, stored) == [("E1", "login", datetime(2026, 8, 1, 9), "no_zone")]
    assert [each["code"] for each in read_quarantine(site, "test")] == ["not_a_time"]
    again = tmp_path / "again.xml"
    again.write_text("".join(f"<85>1 - - - - - - {text}" for text in (first, message("2026-08-02T10:00:00Z"), login)))
    assert balance(take_in(site, again, "dicom_audit")) == (3, 1, 2, 0)


def test_a_log_post_of_rivta_is_in_swedish_time_and_a_changed_one_a_conflict(site, tmp_path):
    path = tmp_path / "log.xml"
    path.write_text(log_post(1, "2026-08-01T10:00:00") + log_post(2, "2026-10-25T02:30:00"), encoding="utf-8")
    assert balance(take_in(site, path, "rivta")) == (2, 2, 0, 0)
    stored = "select event_id, recorded_at, time_flag from lake.accesses_by_patient order by all"
    assert ask(site, stored) == [
        ("1", datetime(2026, 8, 1, 8), "ok"),
        ("2", datetime(2026, 10, 25, 0, 30), "ambiguous"),
    ]
    changed = log_post(2, "2026-10-25T02:30:00", user="SE2")
    path.write_text(log_post(1, "2026-08-01T10:00:00") + changed, encoding="utf-8")
    delivery = take_in(site, path, "rivta")
    assert (balance(delivery), delivery.n_conflicts) == ((2, 0, 1, 1), 1)
    (quarantined,) = read_quarantine(site, "test")
    assert (quarantined["code"], quarantined["raw_record"]) == ("conflict", changed.strip())
