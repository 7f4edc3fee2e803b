"""A month closes over its sealed run: decisions counted, the bound, what is open, who signs; and a second time."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from lxml import html
from typer.testing import CliRunner

from audit_kernel import decisions
from audit_kernel.cli import app
from audit_kernel.closing.close import close_month
from audit_kernel.errors import JournalError, MonthIncompleteError, RunError, UsageError, VerificationError
from audit_kernel.evidence.harmless import harmless
from audit_kernel.evidence.sealed_bag import newest_bag
from audit_kernel.evidence.verify import verify
from audit_kernel.sample_result import sample_result
from audit_kernel.site import Site
from tests.evidence.sealed_months import HOSTILE, days, decide, finding, make_site, seal_month, send_list
from tests.evidence.sealing import rewrite

MONTH = "2026-01"
WHO = ("Kari Lie", "privacy officer")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory) -> Site:
    """A month of five findings in one check, none in another, a third not assessable; four of nine undecided."""
    site = make_site(tmp_path_factory.mktemp("closing"))
    seal_month(site, MONTH, {"own_record": 5, "media_interest": 0, "units": "no units"}, n_restricted=2)
    send_list(site, MONTH, [*days(), finding(MONTH, "own_record", 0), finding(MONTH, "own_record", 1)])
    said = dict.fromkeys(days()[:3], ("justified", "care_team"))
    said[finding(MONTH, "own_record", 0)] = ("unjustified", "curiosity")
    said[finding(MONTH, "own_record", 1)] = ("follow_up", "ask")
    said["finding", "of another run"] = ("justified", "care_team")
    decide(site, MONTH, said)
    return site


@pytest.fixture
def site(sealed, tmp_path) -> Site:
    """A copy of it, to be closed or harmed."""
    return Site(shutil.copytree(sealed.folder, tmp_path / "site"))


def test_a_closing_that_got_no_time_stamp_says_so(site):
    with (site.folder / "settings.yml").open("a", encoding="utf-8") as file:
        file.write('\ntimestamp: {command: ["false"]}\n')
    closed = close_month(Site(site.folder), MONTH, *WHO, open_reason="leader ill", language="nb")
    (said,) = closed.warnings
    assert said.startswith("Forseglet uten tidsstempel.")


def test_a_closing_counts_decisions_by_check_and_unit_and_names_the_run(site):
    closed = close_month(
        site, MONTH, *WHO, ["own_record: staff of Nordbo reminded", "routine: rewritten"], open_reason="leader ill"
    )
    assert [tuple(row.values()) for row in closed.facts["by_unit"]] == [
        ("own_record", "U1", "Nordbo", 3, 0, 1, 0, 2),
        ("own_record", "U2", HOSTILE, 2, 0, 0, 1, 1),
        ("random_sample", "U1", "Nordbo", 2, 2, 0, 0, 0),
        ("random_sample", "U2", HOSTILE, 2, 1, 0, 0, 1),
    ]
    counted = {name: closed.facts[name] for name in closed.facts if name.startswith("n_")}
    assert counted == {"n_subjects": 9, "n_undecided": 4, "n_unlisted": 3, "n_elsewhere": 1, "n_restricted": 2}
    assert closed.facts["managers"] == [{"reviewer_id": "E9", "reviewer_name": "Karin Ek", "n_rows": 6, "n_open": 1}]
    assert {row["reason"]: row["count"] for row in closed.facts["reasons"]} == {
        "care_team": 3,
        "curiosity": 1,
        "ask": 1,
    }
    total = closed.facts["sample"]["total"]
    assert (total["population"], total["drawn"], total["unjustified"], total["undecided"]) == (100, 4, 0, 1)
    statement = json.loads((closed.bag / "data" / "statement.json").read_bytes())
    definition = statement["predicate"]["buildDefinition"]
    month = newest_bag(site, MONTH, "monthly")
    assert definition["resolvedDependencies"] == [{"name": month.name, "digest": {"sha256": month.sha256}}]
    asked = definition["externalParameters"]
    assert asked["signed_by"].startswith("Kari Lie, privacy officer, 20")
    assert asked["measures"] == [
        {"check": "own_record", "text": "staff of Nordbo reminded"},
        {"check": "", "text": "routine: rewritten"},
    ]
    assert [each for each in verify(site.archive_folder) if each.is_failure] == []
    page = html.document_fromstring(closed.page.read_text(encoding="utf-8"))
    text = page.find(".//main").text_content()
    for said in (
        "5 of 9 findings and sampled days were decided: 3 justified, 1 unjustified, 1 to follow up.",
        "4 are still open, 3 of them on no list. The reason given: leader ill",
        "4 of 100 drawn: 0 unjustified, 1 undecided. With 95% confidence at most 75 (75.0%) are unjustified",
        "2 findings are kept for the privacy officer: they are only counted here.",
        "1 decision is about something that the closed run does not show",
    ):
        assert said in text
    assert f"{harmless(HOSTILE)} (U2)" in text
    assert page.xpath("//script") == []


def test_a_day_about_which_two_differ_is_undecided_in_the_bound_until_it_is_settled_and_agreement_is_sealed(site):
    twice = days()[0]
    row = {"number": 1, "kind": twice[0], "keys": [twice[1]], "sha256": "", "is_second": True}
    sent = {"kind": "list", "list_id": "second", "month": MONTH, "run": "r", "reviewer_id": "R1", "rows": [row]}
    journal = decisions.journal(site)
    journal.append({**sent, "reviewer_name": "Rut Rask"})
    before = judged(site)
    said = {"kind": twice[0], "key": twice[1], "decision": "unjustified", "reason": "curiosity", "remark": "x"}
    second = {"kind": "decisions", "list_id": "second", "month": MONTH, "reviewer_id": "R1", "user": "rut"}
    journal.append({**second, "decisions": [said]})
    differing = judged(site)
    assert (before["undecided"], differing["undecided"], differing["unjustified"]) == (1, 2, 0)
    assert differing["upper"] >= before["upper"]
    closed = close_month(site, MONTH, *WHO, open_reason="two differ")
    assert closed.facts["n_undecided"] == 5
    told = closed.facts["agreement"]
    assert (told["n_rows"], told["n_both"], told["n_agreed"], told["n_unsettled"], told["kappa"]) == (1, 1, 0, 1, None)
    assert told["counts"] == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    text = html.document_fromstring(closed.page.read_text(encoding="utf-8")).find(".//main").text_content()
    assert "The two differ about 1 row that is not settled: it counts as undecided." in text
    journal.append({"kind": "settled", "month": MONTH, "user": "kari", "decisions": [said]})
    assert (judged(site)["undecided"], judged(site)["unjustified"]) == (1, 1)


def judged(site):
    return sample_result(site, MONTH, decisions.latest_decisions(site, MONTH)).as_plain()["total"]


def test_open_reviews_demand_a_reason_and_nothing_is_sealed_without(site):
    with pytest.raises(RunError, match="4 findings and sampled days are undecided"):
        close_month(site, MONTH, *WHO)
    assert newest_bag(site, MONTH, "closing") is None


def test_a_second_closing_needs_a_reason_and_names_the_first_and_both_stay(site):
    first = close_month(site, MONTH, *WHO, open_reason="leader ill")
    rest = [finding(MONTH, "own_record", number) for number in (2, 3, 4)]
    decide(site, MONTH, dict.fromkeys([days()[3], *rest], ("justified", "care_team")))
    with pytest.raises(RunError, match=f"closed already, in {first.bag.name}"):
        close_month(site, MONTH, *WHO)
    second = close_month(site, MONTH, *WHO, again="the last lists came in")
    assert first.bag.is_dir()
    assert second.facts["n_undecided"] == 0
    text = second.page.read_text(encoding="utf-8")
    assert f"This month was closed before, in {first.bag.name}. Why it is closed again: the last lists came in" in text
    assert newest_bag(site, MONTH, "closing").asked["earlier"]["run"] == first.bag.name
    assert [each for each in verify(site.archive_folder) if each.is_failure] == []


def test_a_changed_run_an_unreadable_statement_and_a_changed_earlier_closing_are_refused(site):
    closed = close_month(site, MONTH, *WHO, open_reason="leader ill")
    rewrite(closed.page, closed.page.read_bytes() + b" ")
    with pytest.raises(VerificationError, match="nothing is made from it"):
        close_month(site, MONTH, *WHO, open_reason="x", again="y")
    month = newest_bag(site, MONTH, "monthly").folder
    table = month / "data" / "tables" / "own_record.parquet"
    rewrite(table, table.read_bytes()[:-1] + b"?")
    with pytest.raises(VerificationError, match=month.name):
        close_month(site, MONTH, *WHO, open_reason="x", again="y")
    rewrite(month / "data" / "statement.json", b"{}")
    with pytest.raises(VerificationError, match=month.name):
        close_month(site, MONTH, *WHO, open_reason="x", again="y")


def test_a_month_without_a_finished_run_is_refused(site):
    with pytest.raises(UsageError, match="has no sealed run"):
        close_month(site, "2026-07", *WHO)
    seal_month(site, "2026-07", {"own_record": 1, "units": "!"}, is_sampled=False)
    with pytest.raises(MonthIncompleteError, match="units failed"):
        close_month(site, "2026-07", *WHO, open_reason="x")


def test_nobody_signs_without_a_title_and_a_broken_journal_counts_nothing(site):
    with pytest.raises(UsageError, match="name, title and date"):
        close_month(site, MONTH, "Kari Lie", " ", open_reason="x")
    path = site.journals_folder / "decisions.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("curiosity", "care_team"), encoding="utf-8")
    with pytest.raises(JournalError):
        close_month(site, MONTH, *WHO, open_reason="x")


def test_the_command_closes_and_says_in_the_sites_language_what_is_open(site):
    asked = ["close", MONTH, "--signed-by", "Kari Lie", "--title", "MAS", "--site", str(site.folder)]
    refused = CliRunner().invoke(app, asked)
    assert isinstance(refused.exception, RunError)
    assert "4 funn og stikkprøvedager er ikke vurdert" in refused.exception.text("nb")
    done = CliRunner().invoke(app, [*asked, "--open-reason", "ferie", "--language", "sv", "--json"])
    assert done.exit_code == 0, done.output
    printed = json.loads(done.output)
    assert printed["n_undecided"] == 4
    assert "Avslut av loggkontrollen för januari 2026" in Path(printed["page"]).read_text(encoding="utf-8")
