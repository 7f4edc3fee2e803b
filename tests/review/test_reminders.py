"""A reminder goes to whose rows are overdue, with how many and since when, and never about whom."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
import yaml
from typer.testing import CliRunner

from audit_kernel import alarm, decisions
from audit_kernel.cli import app
from audit_kernel.errors import SettingsError, UsageError
from audit_kernel.review.reminders import overdue, send_reminders
from audit_kernel.site import Site, create_site
from tests.review.two_lists import MONTH, make_lists, say, send

TODAY = date.today()  # noqa: DTZ011 - when the journal's lines are written
LATE = TODAY + timedelta(days=20)


@pytest.fixture
def site(tmp_path):
    return create_site(tmp_path / "site", "NO", "Test kommune")


def with_settings(site: Site, **given) -> Site:
    path = site.folder / "settings.yml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text(encoding="utf-8")), **given}), encoding="utf-8")
    return Site(site.folder)


def shown(found) -> list[tuple]:
    return [(each.reviewer_id, each.n_rows, each.n_open, each.n_overdue) for each in found]


def test_who_has_open_rows_after_the_days_allowed_is_overdue_and_who_has_none_or_still_has_time_is_not(site):
    entries = send(site, make_lists())
    assert overdue(site, TODAY) == []
    assert shown(overdue(site, LATE)) == [("M1", 3, 3, 3), ("R1", 3, 3, 3)]
    for number in (1, 2, 3):
        say(site, entries["R1"], number, "justified")
    say(site, entries["M1"], 2, "justified")
    assert shown(overdue(site, LATE, MONTH)) == [("M1", 3, 2, 2)]
    assert overdue(site, LATE, "2026-09") == []
    assert overdue(with_settings(site, review={"days_to_decide": 30}), LATE) == []
    with pytest.raises(UsageError, match="is not a month"):
        overdue(site, LATE, "oktober")


def test_a_list_made_anew_wins_no_time(site, monkeypatch):
    first, second = make_lists(n_rows=2)[0], make_lists(n_rows=3)[0]
    real = decisions.sent
    send(site, [first, type(second)("3f" * 8, *(getattr(second, name) for name in list(vars(second))[1:]))])

    def later(site, month=""):
        (one, earlier), (two, anew) = real(site, month)
        return [(one, earlier), (two + timedelta(days=10), anew)]

    monkeypatch.setattr(decisions, "sent", later)
    assert shown(overdue(site, TODAY + timedelta(days=18))) == [("M1", 3, 3, 2)]


def test_a_closed_month_is_left_alone_unless_it_is_asked_for(site, monkeypatch):
    from audit_kernel.review import reminders

    send(site, make_lists())
    monkeypatch.setattr(reminders, "bags_of", lambda _site, month, kind: [(month, kind)])
    assert overdue(site, LATE) == []
    assert len(overdue(site, LATE, MONTH)) == 2


@pytest.mark.parametrize("language", ["en", "sv", "nb"])
def test_a_reminder_tells_month_and_counts_and_names_nobody_but_the_reviewer(site, language):
    site = with_settings(site, language=language)
    send(site, make_lists())
    for each in overdue(site, LATE):
        text = f"{each.subject}\n{each.text}"
        assert each.reviewer_name in text
        assert "3" in text
        assert not [word for word in ("Per", "Eva", "E1", "P1", "2026-10-05", "script") if word in text]


def test_those_with_an_address_are_sent_by_the_alarms_mail_server_and_written_down(site, monkeypatch):
    mails = []
    monkeypatch.setattr(alarm, "_send_mail", lambda _site, _settings, mail: mails.append(mail))
    send(site, make_lists())
    review = {"reviewers": [{"id": "R1", "email": "rut@example.no"}]}
    with pytest.raises(SettingsError, match="no mail server is set"):
        send_reminders(site := with_settings(site, review=review), overdue(site, LATE))
    told = {"by": "email", "host": "localhost", "sender": "it@example.no", "recipients": ["it@example.no"]}
    site = with_settings(site, alarm=told)
    sent = send_reminders(site, overdue(site, LATE))
    assert [each.reviewer_id for each in sent] == ["R1"]
    assert [mail["To"] for mail in mails] == ["rut@example.no"]
    assert "Rut Rask" in mails[0].get_content()
    site = with_settings(site, review={**review, "reminders_to": "officer@example.no"})
    send_reminders(site, overdue(site, LATE))
    assert [mail["To"] for mail in mails[1:]] == ["officer@example.no", "rut@example.no"]
    entries = [line["entry"] for line in decisions.journal(site).entries()]
    assert [each["reviewer_id"] for each in entries if each["kind"] == "reminded"] == ["R1", "M1", "R1"]


def test_an_address_that_is_more_than_one_is_refused(site):
    for wrong in ({"reminders_to": "a@example.no, b@example.no"}, {"reviewers": [{"id": "R1", "email": "x\ny@z.no"}]}):
        with pytest.raises(SettingsError, match="a plain e-mail address"):
            with_settings(site, review=wrong)


def test_a_script_learns_by_the_exit_code_whether_something_is_overdue(site, monkeypatch):
    import audit_kernel.review.reminders as module

    run, command = CliRunner(), ["review", "remind", "--site", str(site.folder)]
    assert run.invoke(app, command).exit_code == 0
    send(site, make_lists())
    assert run.invoke(app, command).exit_code == 0
    real = module.overdue
    monkeypatch.setattr(module, "overdue", lambda site, _today, month: real(site, LATE, month))
    done = run.invoke(app, [*command, "--json"])
    assert done.exit_code == 3
    assert [(each["reviewer_id"], each["is_sent"]) for each in json.loads(done.output)] == [
        ("M1", False),
        ("R1", False),
    ]
    plain = run.invoke(app, [*command, MONTH])
    assert plain.exit_code == 3
    assert "Mona Moe" in plain.output
