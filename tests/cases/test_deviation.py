"""A case's deviation: the clock, the routine's steps, who was notified, and the draft with what is missing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from lxml import html

from audit_kernel.canonical import timestamp
from audit_kernel.cases import deviation, work
from audit_kernel.cases.breach_forms import FILE, breach_form, filled
from audit_kernel.cases.deviation import clock_of, deviation_of
from audit_kernel.cases.draft import answers, make_draft
from audit_kernel.cases.evidence import folder_of, is_whole
from audit_kernel.cases.words import clock_words
from audit_kernel.errors import RunError, SettingsError, UsageError
from audit_kernel.site import create_site
from tests.evidence.hostile_site import HOSTILE

NOW = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)
SE, NO = "SE", "NO"


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    return {country: create_site(tmp_path_factory.mktemp("breach") / "site", country) for country in (SE, NO)}


@pytest.fixture
def site(sites):
    return sites[NO]


@pytest.fixture
def number(request, sites, monkeypatch):
    """A case of the test's own, at a fixed moment."""
    monkeypatch.setattr(deviation, "utc_now", lambda: NOW)
    name = f"sak {request.node.name}"[-90:]
    for each in sites.values():
        work.start_case(each, name, "why")
    return name


def ago(hours):
    return timestamp(NOW - timedelta(hours=hours)).replace("Z", "+00:00")


def test_no_clock_runs_before_a_breach_is_known_however_long_ago_it_was_discovered(site, number):
    case = deviation.record_facts(site, number, {"what": "read a neighbour", "discovered": "2026-10-01T08:00"})
    assert clock_of(site, case) is None
    assert clock_words(None, "Europe/Oslo", "en", NOW) == "No breach is recorded as known, so no clock runs."


@pytest.mark.parametrize(
    ("hours", "state", "said"),
    [
        (0, "running", "05.11.2026"),
        (71.5, "running", "0 t 30 min igjen"),
        (72, "running", "0 t 0 min igjen"),
        (72.25, "overdue", "FORSINKET"),
        (1000, "overdue", "928 t 0 min siden"),
    ],
)
def test_72_hours_run_from_when_the_breach_is_known(site, number, hours, state, said):
    case = deviation.record_known(site, number, ago(hours))
    clock = clock_of(site, case)
    assert clock.due_at - clock.known_at == timedelta(hours=72)
    assert clock.state(NOW) == state
    text = clock_words(clock, "Europe/Oslo", "nb", NOW)
    assert said in text or hours == 0
    assert ("FORSINKET" in text) == (state == "overdue")


def test_a_notification_in_time_or_late_ends_the_clock_and_a_decision_not_to_notify_too(site, number):
    deviation.record_known(site, number, ago(100))
    states = []
    for told in ({"at": ago(30)}, {"at": ago(27)}):
        case = deviation.record_notified(site, number, "authority", how="Altinn", **told)
        states.append(clock_of(site, case).state(NOW))
    assert states == ["in_time", "late"]
    assert clock_of(site, case).left(NOW) == timedelta(hours=-1)
    case = deviation.record_notified(site, number, "authority", not_needed="risk is unlikely: own test patient")
    assert clock_of(site, case).state(NOW) == "not_needed"
    for wrong in ({}, {"how": "x", "not_needed": "y"}, {"not_needed": "y", "at": ago(1)}):
        with pytest.raises(UsageError, match="Either"):
            deviation.record_notified(site, number, "authority", **wrong)
    with pytest.raises(UsageError, match="nobody who is notified"):
        deviation.record_notified(site, number, "newspaper", how="x")


def test_another_moment_of_knowing_needs_a_reason_and_both_stay(site, number):
    deviation.record_known(site, number, ago(1))
    with pytest.raises(UsageError, match="already"):
        deviation.record_known(site, number, ago(5))
    case = deviation.record_known(site, number, ago(5), "the unit knew before")
    assert clock_of(site, case).known_at == NOW - timedelta(hours=5)
    assert len(case.of_kind("known")) == 2


@pytest.mark.parametrize("typed", ["tomorrow", "2026-11-05T13:01", "9999-12-31T23:59", "0001-01-01", "2026-13-01"])
def test_what_is_no_moment_or_lies_ahead_is_refused(site, number, typed):
    with pytest.raises(UsageError, match="no moment"):
        deviation.record_known(site, number, typed)


def test_a_moment_without_an_offset_is_local(site):
    assert deviation.past_moment(site, "2026-06-01T14:00") == "2026-06-01T12:00:00Z"
    assert deviation.past_moment(site, "2026-01-10T14:00") == "2026-01-10T13:00:00Z"


def test_the_newest_of_each_fact_holds_and_wrong_ones_are_refused(site, number):
    deviation.record_facts(site, number, {"persons": "12", "records": 81, "what": "one"})
    case = deviation.record_facts(site, number, {"what": "two"})
    assert deviation_of(case).facts == {"persons": 12, "records": 81, "what": "two"}
    for wrong in ({}, {"shoe_size": "44"}, {"persons": "-1"}, {"persons": "١٢"}, {"what": " "}):
        with pytest.raises(UsageError):
            deviation.record_facts(site, number, wrong)


def test_a_known_breach_is_open_until_both_are_answered_and_all_four_steps_are_done(site, number):
    deviation.record_known(site, number)
    deviation.record_measure(site, number, "restore", "access removed", "2026-11-04")
    case = deviation.record_measure(site, number, "document", "this case")
    assert deviation_of(case).left_open() == [
        "authority", "persons", "remove_cause", "prevent_recurrence", "document",
    ]  # fmt: skip
    work.decide(site, number, "unjustified", "no_need_in_the_work", "no care relation")
    with pytest.raises(RunError, match="The supervisory authority; The persons affected; Remove the cause"):
        work.close(site, number, "warned")
    for step in ("remove_cause", "prevent_recurrence", "document"):
        deviation.record_measure(site, number, step, "done", "2026-11-05")
    deviation.record_notified(site, number, "authority", how="Altinn")
    case = deviation.record_notified(site, number, "persons", how="letter")
    assert work.what_is_open(case) == []
    for wrong in (("sweep", "x", ""), ("restore", " ", ""), ("restore", "x", "2027-01-01")):
        with pytest.raises(UsageError):
            deviation.record_measure(site, number, *wrong)


@pytest.mark.parametrize("country", [SE, NO])
def test_a_draft_answers_in_the_authoritys_questions_and_calls_missing_what_has_no_answer(sites, number, country):
    site = sites[country]
    deviation.record_known(site, number, ago(2))
    deviation.record_facts(site, number, {"what": HOSTILE[0], "persons": "1230", "internal_report": "2026-311"})
    case, rows = make_draft(site, number, "en")
    missing = {each.answer for each in rows if each.is_missing}
    assert {"consequences", "data_categories", "persons_told", "measures", "contact"} <= missing
    assert not {"what", "persons", "internal_report", "known_at", "controller", "case_number"} & missing
    assert not {"processor", "police_told", "late_reason"} & missing
    (evidence,) = case.evidence
    assert (evidence.kind, is_whole(site, case, evidence)) == ("draft", True)
    assert set(evidence.entry["missing"]) == missing
    folder = folder_of(site, case, evidence)
    page = html.document_fromstring((folder / "draft.html").read_text(encoding="utf-8"))
    text = page.find(".//main").text_content()
    assert page.xpath("//script | //img") == []
    assert text.count("MISSING") == len(missing)
    assert f"{len(missing)} questions have no answer yet" in text
    for said in (HOSTILE[0], "1,230", "2026-311", breach_form(site).source, "GDPR"):
        assert said in text
    content = json.loads((folder / "draft.json").read_text(encoding="utf-8"))
    assert content["authority"] == {"SE": "IMY", "NO": "Datatilsynet"}[country]
    assert len(content["fields"]) == len(rows)


@pytest.mark.parametrize(("hours", "is_missing"), [(71, False), (73, True)])
def test_why_a_notification_comes_late_is_missing_only_when_it_is_late(site, number, hours, is_missing):
    deviation.record_known(site, number, ago(hours))
    _case, rows = make_draft(site, number)
    assert [each.is_missing for each in rows if each.answer == "late_reason"] == [is_missing]
    deviation.record_facts(site, number, {"late_reason": "the server was down"})
    assert "late_reason" not in {each.answer for each in make_draft(site, number)[1] if each.is_missing}


def test_every_fact_of_a_deviation_has_its_place_in_both_forms_or_in_one(sites, number):
    asked = {field.answer for site in sites.values() for part in breach_form(site).parts for field in part.fields}
    case = deviation.record_known(sites[NO], number)
    assert asked == set(answers(sites[NO], case, "en"))


def test_a_form_of_the_sites_own_takes_the_place_of_ours_and_a_wrong_one_is_refused(tmp_path):
    site = create_site(tmp_path / "site", NO)
    path = site.folder / "parameters" / FILE
    texts = {"en": "x", "sv": "y", "nb": "z"}

    def write(country=NO, clause="eu_gdpr_33", answer="what"):
        parts = [{"title": texts, "fields": [{"answer": answer, "question": texts}]}]
        told = {"authority": "A", "title": texts, "hours": 24, "source": "s", "legal_basis": [clause], "parts": parts}
        path.write_text(yaml.safe_dump([{"country": country, **told}]), encoding="utf-8")

    write()
    assert breach_form(site).hours == 24
    for wrong, match in (({"country": SE}, "one form is needed"), ({"clause": "no_such"}, "not in legal_basis.yml")):
        write(**wrong)
        with pytest.raises(SettingsError, match=match):
            breach_form(site)
    write(answer="shoe_size")
    with pytest.raises(SettingsError, match="shoe_size"):
        filled(breach_form(site), {"what": ""}, "en")
