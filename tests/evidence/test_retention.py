"""Evidence goes when its time is over, by the body's decision and a record; a hold wins, the chain still verifies."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
import yaml
from typer.testing import CliRunner

from audit_kernel import due
from audit_kernel.cases import work
from audit_kernel.cli import app
from audit_kernel.closing.close import close_month
from audit_kernel.errors import JournalError, RunError, UsageError, VerificationError
from audit_kernel.evidence import bag, chain, dispose, keys, retention
from audit_kernel.evidence.dispose import KIND, dispose_evidence, plan_evidence_disposal
from audit_kernel.evidence.key_change import change_key
from audit_kernel.evidence.month import run_month
from audit_kernel.evidence.restricted_run import restricted_problems
from audit_kernel.evidence.retention import evidence_lines, rule_of
from audit_kernel.evidence.run import BUILD_TYPE, BUILDER
from audit_kernel.evidence.seal import provenance
from audit_kernel.evidence.site_signing import seal_for_site
from audit_kernel.evidence.verify import verify
from audit_kernel.journal import Journal
from audit_kernel.restriction import JOURNAL as CASES
from audit_kernel.review.sealed_month import finished_month
from audit_kernel.sample_result import sealed_sample
from audit_kernel.site import Site, create_site
from audit_kernel.store.hold import JOURNAL as HOLDS
from audit_kernel.store.hold import Hold
from audit_kernel.yearly.reading import read_year
from audit_kernel.yearly.run import run_year
from tests.evidence.sealed_months import decide, finding, make_site, seal_month
from tests.evidence.sealing import change_byte, rewrite, working_folder

TODAY = date(2026, 11, 26)
DECISION = {"disposal_decision": "KS 2025/17", "decided_on": "2025-03-01", "evidence_years": 5, "cleared_years": 2}
LEFT = {"evidence_years": 5, "cleared_years": 2}


def with_settings(site, **sections):
    path = site.folder / "settings.yml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text("utf-8")) | sections), encoding="utf-8")
    return Site(site.folder)


def sealed(site, kind, period, made, *, worked=None, build_type=BUILD_TYPE, **asked):
    """Seal a small run that was made on a day; return its name."""
    moment = datetime.fromisoformat(made).replace(tzinfo=UTC)
    statement = provenance(
        build_type=build_type,
        builder_id=BUILDER,
        started_at=moment,
        finished_at=moment,
        external_parameters={"kind": kind, "period": period, **asked},
        internal_parameters={"pages": [{"page": "own_record", "succeeded": True, "facts": {"room": "checks"}}]}
        | (worked or {}),
    )
    working = working_folder(site.folder.parent / "working")
    archive = site.restricted_folder if kind == "restricted" else site.archive_folder
    name = f"{period or f'{moment:%Y-%m}'}-{kind}-{moment:%Y%m%dT%H%M%SZ}-{len(list(site.folder.glob('*/20*'))):04x}"
    try:
        return seal_for_site(site, working, archive, name, statement).name
    finally:
        shutil.rmtree(working)


def closed(site, month, made, run, *, unjustified=0, **numbers):
    row = {"check": "own_record", "unit_id": "U1", "unit_name": "Nordbo", "count": 3, "justified": 3 - unjustified}
    facts = {"n_undecided": 0, "n_elsewhere": 0, "n_restricted": 0, "by_unit": [row | {"unjustified": unjustified}]}
    managers = [{"reviewer_id": "E9", "reviewer_name": "Karin Ek"}]
    worked = {"closing": facts | numbers | {"managers": managers}}
    return sealed(site, "closing", month, made, worked=worked, month={"run": run}, signed_by="Kari Lie, adviser")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An archive of old and new runs, and their names by what they are."""
    site = with_settings(create_site(tmp_path_factory.mktemp("retention") / "site", "NO"), retention=DECISION)
    names = {"apart": sealed(site, "restricted", "2019-05", "2019-06-02")}
    apart = {
        "run": names["apart"],
        "tagmanifest_sha256": chain.archive_runs(site.restricted_folder)[0].tagmanifest_sha256,
    }
    names["old"] = sealed(site, "monthly", "2019-05", "2019-06-02", restricted={"n_findings": 1, **apart})
    names["old closing"] = closed(site, "2019-05", "2019-07-01", names["old"], unjustified=1, n_restricted=1)
    names["report"] = sealed(site, "activity", "2019-01-01_2019-01-31", "2019-02-03")
    names["late report"] = sealed(site, "activity", "all", "2025-02-03")
    names["logs"] = sealed(site, "before", "", "2019-02-03", build_type="urn:audit-kernel:disposal:v1")
    for month, unjustified in (("2023-10", 0), ("2023-11", 1)):
        names[month] = sealed(site, "monthly", month, f"{month}-28")
        names[f"{month} closing"] = closed(site, month, f"{month}-29", names[month], unjustified=unjustified)
    names["unclosed"] = sealed(site, "monthly", "2020-01", "2020-02-03")
    names["stamps"] = sealed(site, "timestamps", "", "2020-03-03")
    names["new"] = sealed(site, "monthly", "2026-10", "2026-11-02")
    return site, names


@pytest.fixture
def names(made):
    return made[1]


@pytest.fixture
def site(made, tmp_path):
    return Site(shutil.copytree(made[0].folder, tmp_path / "site"))


def kept(site, today=TODAY):
    """Whose time is over, and what keeps it."""
    return {line.run: line.kept_by for line in plan_evidence_disposal(site, today)}


def told(site, folder="archive"):
    """What `verify` says with the public key alone, as (run, code, is_failure)."""
    key = shutil.copy(site.keys_folder / keys.PUBLIC_NAME, site.folder.parent / "filed.pem")
    alone = shutil.copytree(site.folder / folder, site.folder.parent / "elsewhere" / folder, dirs_exist_ok=True)
    try:
        return {(each.run, each.code, each.is_failure) for each in verify(alone, key)}
    finally:
        shutil.rmtree(alone)


def record_of(site, folder="archive"):
    (record,) = [each for each in chain.bag_folders(site.folder / folder) if f"-{KIND}-" in each.name]
    return record


def on_the_list(site, **entry):
    Journal(site.journals_folder / CASES).append({"subject": "employee", "subject_id": "E7", "user": "kari", **entry})


def hold(site, **entry):
    dates = {"from_date": None, "to_date": None}
    Journal(site.journals_folder / HOLDS).append({"hold": "H1", "did": "placed", **dates, **entry})


@pytest.mark.parametrize(
    ("retention", "sentence"),
    [
        ({}, "own disposal decision"),
        (LEFT, "own disposal decision"),
        (LEFT | {"disposal_decision": "KS 2025/17"}, "own disposal decision"),
        (LEFT | {"disposal_decision": "KS 2025/17", "decided_on": "2026-11-27"}, "in force"),
        (LEFT | {"disposal_decision": " ", "decided_on": "2025-03-01"}, "own disposal decision"),
        ({"disposal_decision": "KS 2025/17", "decided_on": "2025-03-01"}, "how many years"),
        (DECISION | {"evidence_years": 2}, "minimum is 3"),
        (DECISION | {"cleared_years": 1}, "minimum is 2"),
    ],
)
def test_without_the_bodys_decision_or_with_too_few_years_nothing_goes(site, retention, sentence):
    site = with_settings(site, retention=retention)
    before = sorted(site.folder.glob("*/20*"))
    for asked in (plan_evidence_disposal, dispose_evidence):
        with pytest.raises(UsageError, match=sentence):
            asked(site, TODAY)
    assert sorted(site.folder.glob("*/20*")) == before


def test_a_site_may_lengthen_the_countrys_minimum_and_never_shorten_it(site):
    own = site.folder / "parameters" / "retention.yml"
    own.write_text("'NO': {minimum_years: 1, evidence: {minimum_years: 1, cleared_minimum_years: 4}}", encoding="utf-8")
    with pytest.raises(UsageError, match=r"cleared_years is 2 in settings\.yml, but the country's minimum is 4"):
        rule_of(site, TODAY)
    site = with_settings(site, retention=DECISION | {"evidence_years": 2, "cleared_years": 4})
    with pytest.raises(UsageError, match=r"evidence_years is 2 in settings\.yml, but the country's minimum is 3"):
        rule_of(site, TODAY)


def test_what_is_old_goes_a_cleared_month_sooner_and_what_is_about_the_archive_never(site, names):
    goes = {names[each] for each in ("apart", "old", "old closing", "report", "2023-10", "2023-10 closing")}
    stays = {names["unclosed"]: "unclosed", names["stamps"]: "stamps"}
    assert kept(site) == dict.fromkeys(goes, "") | stays
    lines = {line.run: line for line in plan_evidence_disposal(site, TODAY)}
    assert {run for run, line in lines.items() if line.is_cleared} == {names["2023-10"], names["2023-10 closing"]}
    assert str(lines[names["old"]].until) == "2024-07-01"  # counted from the closing, the month's latest run
    rule = rule_of(site, TODAY)
    assert not evidence_lines(site, rule, date(2024, 2, 3))
    assert [line.run for line in evidence_lines(site, rule, date(2024, 2, 4))] == [names["report"]]
    assert names["logs"] not in kept(site, date(2099, 1, 1))


@pytest.mark.parametrize(
    "facts", [{"unjustified": 1}, {"n_undecided": 1}, {"n_elsewhere": 1}, {"n_restricted": 1}, {"run": "another"}]
)
def test_a_month_is_cleared_only_when_every_finding_of_its_one_run_was_justified(site, facts):
    run = sealed(site, "monthly", "2024-01", "2024-02-01")
    closed(site, "2024-01", "2024-02-02", facts.pop("run", run), **facts)
    assert not any(line.period == "2024-01" for line in plan_evidence_disposal(site, TODAY))


def test_a_month_that_ran_twice_is_not_cleared(site):
    for day in ("2024-02-01", "2024-02-03"):
        run = sealed(site, "monthly", "2024-01", day)
    closed(site, "2024-01", "2024-02-04", run)
    assert not any(line.period == "2024-01" for line in plan_evidence_disposal(site, TODAY))
    lines = [line for line in plan_evidence_disposal(site, date(2029, 2, 5)) if line.period == "2024-01"]
    assert [(line.is_cleared, line.kept_by) for line in lines] == [(False, "")] * 3


def test_the_chain_verifies_after_disposal_with_the_public_key_alone(site, names):
    filed = [chain.head_of(run).code() for run in chain.archive_runs(site.archive_folder)]
    (site.copies_folder / names["report"]).mkdir(parents=True)  # somebody had asked for it
    apart, ordinary = dispose_evidence(site, TODAY)
    assert list(site.copies_folder.iterdir()) == []
    assert apart.went == (names["apart"],)
    expected = ("old", "old closing", "report", "2023-10", "2023-10 closing")
    assert set(ordinary.went) == {names[each] for each in expected}
    assert told(site, "restricted") == {(names["apart"], "disposed_of", False)}
    assert told(site) == {(run, "disposed_of", False) for run in ordinary.went}
    assert verify(site.archive_folder, codes=filed) == verify(site.archive_folder)
    assert restricted_problems(site, site.keys_folder / keys.PUBLIC_NAME)[0].code == "disposed_of"
    assert not [path for path in site.folder.rglob("*") if names["old"] in path.name]
    (message,) = {each.message for each in verify(site.archive_folder) if each.run == names["old"]}
    assert f"disposed of on {datetime.now(UTC):%Y-%m-%d}; {record_of(site).name} records it" in message
    assert dispose_evidence(site, TODAY)[0].went == ()
    assert len([each for each in site.archive_folder.iterdir() if KIND in each.name]) == 1


def test_the_record_says_what_went_by_which_decision_and_why_and_names_no_one_else(site, names):
    dispose_evidence(site, TODAY)
    record = json.loads((record_of(site) / "data" / "disposal.json").read_bytes())
    assert (record["decision"], record["decided_on"]) == ("KS 2025/17", "2025-03-01")
    runs = {run["run"]: run for run in record["runs"]}
    old, closing = runs[names["old"]], runs[names["2023-10 closing"]]
    assert (old["sequence"], old["kind"], old["period"], old["is_cleared"]) == (1, "monthly", "2019-05", False)
    assert len(old["manifest_sha256"]) == len(old["tagmanifest_sha256"]) == 64
    assert closing["closing"]["by_check"] == {"own_record": {"count": 3, "justified": 3, "unjustified": 0}}
    assert closing["is_cleared"]
    everything = b"".join(path.read_bytes() for path in record_of(site).rglob("*.json"))
    assert not any(name in everything for name in (b"Nordbo", b"U1", b"Karin", b"Kari Lie", b"E9"))
    assert list(Journal(site.journals_folder / "disposals.jsonl").entries())[-1]["entry"]["runs"] == 5


@pytest.mark.parametrize(
    ("days", "keeps"),
    [
        ({}, True),
        ({"from_date": "2019-05-31"}, True),
        ({"from_date": "2018-01-01", "to_date": "2018-12-01"}, True),  # a month counts a year back
        ({"from_date": "2019-06-01", "to_date": "2019-06-30"}, False),
        ({"to_date": "2018-04-30"}, False),
    ],
)
def test_a_legal_hold_that_may_touch_a_run_wins(site, names, days, keeps):
    hold(site, **days)
    dispose_evidence(site, TODAY)
    assert (site.archive_folder / names["old"]).is_dir() == keeps
    assert (site.restricted_folder / names["apart"]).is_dir() == keeps
    hold(site, did="released")
    dispose_evidence(site, TODAY)
    assert not (site.archive_folder / names["old"]).exists()
    assert not any(failure for _run, _code, failure in told(site))


def test_a_hold_that_only_the_store_knows_wins_too(site, monkeypatch):
    at = datetime(2026, 1, 1)
    about = ("1042", None, None, None, None, "sak", at, "kari")
    known = [Hold("A", *about), Hold("B", *about, released_at=at)]
    monkeypatch.setattr(retention, "list_holds", lambda _site: known)
    assert {line.holds for line in plan_evidence_disposal(site, TODAY)} == {("A",)}


def test_an_open_case_keeps_everything_until_it_ends(site):
    on_the_list(site, did="restricted", reason="sak 2026/17")
    assert set(kept(site).values()) == {"case"}
    assert all(not each.went for each in dispose_evidence(site, TODAY))
    on_the_list(site, did="released", reason="avsluttet")
    assert "case" not in kept(site).values()
    work.start_case(site, "sak 2026/18", "a gap in the log")
    assert set(kept(site).values()) == {"case"}
    work.close(site, "sak 2026/18", "explained", open_reason="nothing to decide")
    assert "case" not in kept(site).values()


def test_a_journal_of_holds_that_does_not_hold_stops_disposal(site, names):
    hold(site)
    on_the_list(site, did="restricted", reason="sak 2026/17")
    path = site.journals_folder / HOLDS
    rewrite(path, path.read_bytes().replace(b"placed", b"plbced"))
    with pytest.raises(JournalError, match="What is held is not known"):
        dispose_evidence(site, TODAY)
    assert (site.archive_folder / names["old"]).is_dir()


def test_an_archive_that_does_not_verify_is_not_disposed_of(site, names):
    rewrite(site.archive_folder / names["new"] / "data" / "pages" / "index.html", b"changed")
    with pytest.raises(VerificationError, match="nothing of it is disposed of"):
        dispose_evidence(site, TODAY)
    assert (site.archive_folder / names["old"]).is_dir()


def test_a_run_that_goes_without_a_record_fails(site, names):
    shutil.rmtree(site.archive_folder / names["2023-11"])
    assert (names["2023-11"], "run_missing", True) in told(site)


def test_a_record_that_was_removed_leaves_its_runs_missing(site, names):
    dispose_evidence(site, TODAY)
    record = record_of(site)
    shutil.rmtree(record)
    found = told(site)
    assert (record.name, "run_missing", True) in found
    assert not any(code == "disposed_of" for _run, code, _failure in found)


def test_a_record_cannot_be_forged_for_another_run(site, names):
    """Whoever has no key rewrites the record for one more run, with every hash made anew."""
    dispose_evidence(site, TODAY)
    record, statement = record_of(site), record_of(site) / bag.STATEMENT
    content = json.loads(statement.read_bytes())
    run = next(each for each in chain.archive_runs(site.archive_folder) if each.name == names["2023-11"])
    more = content["predicate"]["auditkernel_chain"]["disposed"]
    more.append(more[0] | {"run": run.name, "sequence": run.sequence, "tagmanifest_sha256": run.tagmanifest_sha256})
    before = bag.digest_of(statement)
    rewrite(statement, json.dumps(content).encode())
    for name in (bag.MANIFEST, bag.TAG_MANIFEST):
        path, old = record / name, bag.digest_of(record / name)
        rewrite(path, path.read_bytes().replace(before.encode(), bag.digest_of(statement).encode()))
        before, statement = old, path
    shutil.rmtree(site.archive_folder / run.name)
    found = told(site)
    assert any(each == record.name and failure for each, _code, failure in found)
    assert (run.name, "run_missing", True) in found
    assert (run.name, "disposed_of", False) not in found
    assert (names["old"], "disposed_of", False) not in found


def test_a_record_of_another_archive_or_about_later_runs_excuses_nothing(site, names, tmp_path):
    other = with_settings(create_site(tmp_path / "other" / "site", "NO"), retention=DECISION)
    gone = chain.archive_runs(site.archive_folder)[0]
    fields = (gone.name, gone.sequence, gone.preceding, gone.preceding_sha256, gone.tagmanifest_sha256)
    told_of = chain.DisposedRun(*fields, "0" * 64, "", "monthly", "2019-05", "2026-11-26")
    working = working_folder(tmp_path / "work")
    statement = provenance(
        build_type="urn:x", builder_id="urn:x", started_at=TODAY, finished_at=TODAY, external_parameters={}
    )
    foreign = seal_for_site(other, working, other.archive_folder, "2026-11-forged", statement, disposed=[told_of])
    shutil.copytree(foreign, site.archive_folder / foreign.name)
    shutil.rmtree(site.archive_folder / gone.name)
    assert (gone.name, "run_missing", True) in told(site)
    shutil.rmtree(site.archive_folder / foreign.name)
    own = chain.archive_runs(site.archive_folder)[-1]
    place = ("2026-12-later", own.sequence + 2, own.name, *["0" * 64] * 3)
    later = chain.DisposedRun(*place, "", "monthly", "2026-12", "2026-11-26")
    seal_for_site(site, working, site.archive_folder, "2026-11-own", statement, disposed=[later])
    assert not any(run == later.run for run, _code, _failure in told(site))


def test_one_changed_byte_anywhere_in_a_record_is_found_and_the_file_named(site):
    dispose_evidence(site, TODAY)
    for path in [each for each in record_of(site).rglob("*") if each.is_file()]:
        change_byte(path, path.stat().st_size // 2)
        name = path.relative_to(site.archive_folder).as_posix()
        assert name in {each.place() for each in verify(site.archive_folder) if each.is_failure}
        change_byte(path, path.stat().st_size // 2)
    assert {each.code for each in verify(site.archive_folder)} == {"disposed_of"}


@pytest.mark.parametrize("said", [None, 1, "x", [1], [{}], [{"run": "x"}], "wrong type", "wrong number", "wrong name"])
def test_a_statement_that_tells_of_disposed_runs_in_another_form_tells_nothing(site, said):
    dispose_evidence(site, TODAY)
    statement = json.loads((record_of(site) / bag.STATEMENT).read_bytes())
    assert chain.parse_run(statement, "0" * 64).disposed
    place = statement["predicate"]["auditkernel_chain"]
    wrong = {"wrong type": {"kind": 1}, "wrong number": {"sequence": 0}, "wrong name": {"run": "../../x"}}
    place["disposed"] = [place["disposed"][0] | wrong[said]] if str(said) in wrong else said
    assert chain.parse_run(statement, "0" * 64) is None


def interrupted(site, monkeypatch, where):
    """Stop a disposal at a place, as a killed program or a full disk does."""
    with monkeypatch.context() as patch:
        if where == "sealed":
            remove, calls = dispose._remove_recorded, []

            def stopped(*arguments):
                calls.append(arguments)
                if len(calls) % 2 == 0:
                    raise KeyboardInterrupt
                return remove(*arguments)

            patch.setattr(dispose, "_remove_recorded", stopped)
        else:

            def stopped(folder):
                next(folder.glob("data/pages/*")).unlink()
                raise OSError(5, "Input/output error")

            patch.setattr(dispose, "shutil", SimpleNamespace(rmtree=stopped))
        with pytest.raises((KeyboardInterrupt, RunError)):
            dispose_evidence(site, TODAY)


@pytest.mark.parametrize(
    ("where", "code", "is_failure"), [("sealed", "disposal_unfinished", False), ("removing", "disposal_leftover", True)]
)
def test_a_disposal_that_was_stopped_is_named_and_the_next_one_finishes_it(
    tmp_path, monkeypatch, where, code, is_failure
):
    site = with_settings(create_site(tmp_path / "site", "NO"), retention=DECISION)
    run = sealed(site, "monthly", "2019-05", "2019-06-02")
    closed(site, "2019-05", "2019-07-01", run, unjustified=1)
    interrupted(site, monkeypatch, where)
    found = {each[1:] for each in told(site)}
    assert (code, is_failure) in found
    assert found <= {(code, is_failure), ("disposed_of", False)}
    (done,) = dispose_evidence(site, TODAY)
    assert len(done.went) == 2
    assert {each[1:] for each in told(site)} == {("disposed_of", False)}
    assert record_of(site).is_dir()
    assert not list(site.archive_folder.glob(".work-*"))


def test_a_hold_that_comes_after_a_stopped_disposal_still_wins(site, names, monkeypatch):
    interrupted(site, monkeypatch, "sealed")
    hold(site, from_date="2019-05-01")
    dispose_evidence(site, TODAY)
    assert (site.restricted_folder / names["apart"]).is_dir()
    assert (names["apart"], "disposal_unfinished", False) in told(site, "restricted")
    hold(site, did="released")
    dispose_evidence(site, TODAY)
    assert told(site, "restricted") == {(names["apart"], "disposed_of", False)}


def test_a_disposed_run_that_is_put_back_is_told_and_a_changed_one_fails(site, names):
    saved = shutil.copytree(site.archive_folder / names["old"], site.folder.parent / "saved")
    dispose_evidence(site, TODAY)
    shutil.copytree(saved, site.archive_folder / names["old"])
    assert (names["old"], "disposal_unfinished", False) in told(site)
    rewrite(site.archive_folder / names["old"] / "data" / "pages" / "index.html", b"changed")
    assert (names["old"], "file_changed", True) in {(each[0], each[1], each[2]) for each in told(site)}


def test_disposal_and_a_change_of_keys_bear_each_other(site, names):
    old = shutil.copy(site.keys_folder / keys.PUBLIC_NAME, site.folder.parent / "old.pem")
    change_key(site)
    dispose_evidence(site, TODAY)
    change_key(site)
    for key in (old, site.keys_folder / keys.PUBLIC_NAME):
        found = verify(site.archive_folder, key)
        assert {each.code for each in found} == {"disposed_of"}
        assert names["old"] in {each.run for each in found}


def test_due_does_not_run_a_month_again_whose_evidence_was_disposed_of(site, monkeypatch):
    site = with_settings(site, schedule={"first_month": "2019-05"})
    monkeypatch.setattr(due, "last_month", lambda *_: "2019-05")
    dispose_evidence(site, TODAY)
    found = due.find_due(site, TODAY)
    assert (found.months, found.problems) == ((), ())
    shutil.rmtree(record_of(site))
    assert [each.month for each in due.find_due(site, TODAY).months] == ["2019-05"]


def test_review_sample_and_year_say_that_a_month_was_disposed_of(tmp_path):
    site = with_settings(make_site(tmp_path), retention=DECISION, language="en")
    seal_month(site, "2026-01", {"own_record": 1}, is_sampled=False)
    seal_month(site, "2026-02", {"own_record": 1}, is_sampled=False)
    decide(site, "2026-01", {finding("2026-01", "own_record", 0): ("justified", "substitute")})
    close_month(site, "2026-01", "Kari Lie", "privacy officer")
    assert {line.kept_by for line in plan_evidence_disposal(site, date(2033, 1, 1))} == {"", "unclosed"}
    dispose_evidence(site, date(2033, 1, 1))
    for asked in (finished_month, sealed_sample, run_month):
        with pytest.raises(UsageError, match="The evidence of 2026-01 was disposed of on"):
            asked(site, "2026-01")
    year = run_year(site, "2026")
    assert "Disposed of: January 2026." in year.evaluation.read_text("utf-8")
    overview = year.overview.read_text("utf-8")
    assert "Months whose evidence was disposed of: 1." in overview
    assert overview.count(">disposed of<") >= 2
    close_month(site, "2026-02", "Kari Lie", "privacy officer", open_reason="x")
    dispose_evidence(site, date(2033, 1, 1))
    with pytest.raises(UsageError, match="was disposed of on"):
        read_year(site, "2026", date(2033, 1, 1))


def test_the_command_shows_what_would_go_and_disposes_of_it_when_confirmed(site, names):
    def run(*arguments):
        answer = CliRunner().invoke(app, ["dispose", "--evidence", *arguments, "--site", str(site.folder)])
        if answer.exception:
            raise answer.exception
        return answer.output

    shown = run()
    assert names["old"] in shown
    assert "måneden er ikke lukket" in shown
    assert (site.archive_folder / names["old"]).is_dir()
    lines = {line["run"]: line for line in json.loads(run("--json"))["would_go"]}
    assert (lines[names["old"]]["kept_by"], lines[names["unclosed"]]["kept_by"]) == ("", "unclosed")
    assert f"archive/{names['old']}" in run("--confirm")
    assert not (site.archive_folder / names["old"]).exists()
    assert json.loads(run("--confirm", "--json"))["disposed_of"][0]["went"] == []
    with pytest.raises(UsageError, match="one of --before, --patient and --evidence"):
        run("--before", "2020-01-01")


def test_a_run_of_an_unknown_kind_is_never_chosen(site):
    unknown = sealed(site, "monthly", "2010-01", "2010-02-01", build_type="urn:something-else")
    assert unknown not in {line.run for line in evidence_lines(site, rule_of(site, TODAY), TODAY)}
