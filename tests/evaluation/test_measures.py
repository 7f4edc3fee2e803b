"""How the evaluation counts, over reviews and episodes small enough to judge by eye."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

import pyarrow as pa
import pytest

from evaluation import ablate, bags, coverage, measures, page, run
from evaluation.bags import Review
from evaluation.baselines import BASELINES
from evaluation.matching import found, is_found_by, what_alerts_are
from evaluation.shares import Share
from evaluation.worlds import Episode, Plan, Truth, episode_of, held_out

at = datetime.fromisoformat
HALF = Share(1, 2)
ROW = {
    "episode": "1",
    "family": "neighbour",
    "is_planted": "1",
    "leaves_trace": "1",
    "employee_id": "E1",
    "account": "",
    "address": "",
    "patient_ids": "P1 P2",
    "unit_id": "U1",
    "first_at": "2026-10-05T10:00:00Z",
    "last_at": "2026-10-09T10:00:00+00:00",
    "description": "",
}


def an_episode(**changed: str) -> Episode:
    return episode_of({**ROW, **changed})


def a_review(employee: str = "E1", patient: str = "P1", first: str = "2026-10-05", last: str = "2026-10-06", **more):
    return Review("many_accesses", more.pop("stream", "anomaly"), employee, patient, at(first), at(last), **more)


A_TRUTH = Truth((an_episode(),), {})


def some_accesses(rows: list[tuple[str, str, str, str, bool, bool]]) -> pa.Table:
    """Rows of event, employee, patient, time, whether explained, whether first."""
    names = ("event_id", "employee_id", "patient_id", "recorded_at", "is_explained", "is_first")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    columns["recorded_at"] = [at(each) for each in columns["recorded_at"]]
    columns["local_date"] = [each.date() for each in columns["recorded_at"]]
    return pa.table({"source_id": ["log"] * len(rows), "role": ["Nurse"] * len(rows), **columns})


def test_a_review_finds_an_episode_of_its_employee_and_patient_that_it_overlaps():
    assert is_found_by(an_episode(), a_review())
    assert is_found_by(an_episode(), a_review(patient="P2", first="2026-10-09", last="2026-10-20"))
    assert is_found_by(an_episode(), a_review(patient="")), "a finding about no one patient"
    assert is_found_by(an_episode(patient_ids=""), a_review(patient="P9")), "an episode about no one patient"


@pytest.mark.parametrize(
    "other",
    [
        a_review(employee="E2"),
        a_review(patient="P3"),
        a_review(first="2026-10-01", last="2026-10-05T09:59:59"),
        a_review(first="2026-10-09T10:00:01", last="2026-10-30"),
    ],
)
def test_a_review_of_another_employee_patient_or_time_finds_nothing(other: Review):
    assert not is_found_by(an_episode(), other)
    assert found([an_episode()], [other]) == []


def test_an_episode_without_an_employee_is_found_by_its_account_or_address_only():
    sprayed = an_episode(employee_id="", account="KANO01", address="10.0.0.7", patient_ids="")
    assert is_found_by(sprayed, a_review(employee="", patient="", values=frozenset({"10.0.0.7"})))
    assert is_found_by(sprayed, a_review(employee="KANO01", patient=""))
    assert not is_found_by(sprayed, a_review(employee="", patient="", values=frozenset({"10.0.0.8"})))
    assert not is_found_by(an_episode(employee_id="", patient_ids=""), a_review(employee="", patient=""))


def test_an_episode_of_several_people_is_found_by_any_of_them():
    crowd = an_episode(employee_id="E1 E2")
    assert is_found_by(crowd, a_review(employee="E2"))
    assert not is_found_by(crowd, a_review(employee="E3"))
    assert not is_found_by(crowd, a_review(employee="E1 E2"))


def test_an_alert_about_a_planted_episode_counts_as_that_though_a_hard_case_fits_too():
    honest = an_episode(episode="2", family="float_nurse", is_planted="0")
    other = an_episode(episode="3", employee_id="E3", family="traveller", is_planted="0")
    alerts = [a_review(), a_review(employee="E3"), a_review(employee="E9")]
    assert what_alerts_are(alerts, [honest, an_episode(), other]) == Counter(
        {
            ("many_accesses", "", "neighbour"): 1,
            ("many_accesses", "", "honest:traveller"): 1,
            ("many_accesses", "", "ordinary"): 1,
        }
    )


def test_only_planted_episodes_with_a_part_in_the_month_are_to_be_found():
    first, end = run.month_of(Plan(1))
    assert (first, end) == (at("2026-10-01"), at("2026-11-01"))
    earlier = an_episode(episode="2", first_at="2026-09-01T00:00:00Z", last_at="2026-09-30T23:59:59Z")
    later = an_episode(episode="3", first_at="2026-11-01T00:00:00Z", last_at="2026-11-02T00:00:00Z")
    honest = an_episode(episode="4", is_planted="0")
    assert Truth((earlier, an_episode(), later, honest), {}).planted(first, end) == [an_episode()]


def test_planted_accesses_are_left_out_of_the_shares_explained():
    accesses = some_accesses(
        [
            ("1", "E1", "P1", "2026-10-05 10:00", False, True),
            ("2", "E2", "P1", "2026-10-05 10:00", True, True),
            ("3", "E2", "P1", "2026-10-06 10:00", False, False),
            ("4", "E2", "P2", "2026-10-06 10:00", False, True),
        ]
    )
    judged = run.Judged(Plan(1))
    honest = an_episode(episode="2", employee_id="E2", is_planted="0")
    run.compare_reasons(judged, accesses, Truth((an_episode(), honest), {("log", "1"): "1", ("log", "4"): "2"}))
    assert (judged.explained, judged.first_explained) == (Share(1, 3), Share(1, 2))


def test_each_baseline_gets_as_many_reviews_as_the_product_and_no_more():
    rows = [(str(n), f"E{n % 7}", f"P{n % 11}", f"2026-10-{n % 28 + 1:02d} 10:00", True, False) for n in range(900)]
    rows += [(f"x{n}", "E8", "P1", "2026-10-05 10:00", True, False) for n in range(150)]
    for name, make in BASELINES.items():
        assert len(make(some_accesses(rows), 1, "seed")) == 1, name
    assert [each.patient_id for each in BASELINES["fixed thresholds"](some_accesses(rows), 99, "")] == ["P1"]
    assert [each.employee_id for each in BASELINES["mean + 2 sd"](some_accesses(rows), 1, "")] == ["E8"]
    drawn = BASELINES["random sample"](some_accesses(rows), 40, "seed")
    assert drawn[:10] == BASELINES["random sample"](some_accesses(rows), 10, "seed")
    assert drawn != BASELINES["random sample"](some_accesses(rows), 40, "another seed")


def test_findings_outside_the_budget_neither_find_nor_alarm():
    judged = run.Judged(Plan(1))
    accesses = some_accesses([("1", "E1", "P1", "2026-10-05 10:00", False, True)])
    listed = [a_review(is_within_budget=False), a_review(employee="E5"), a_review(employee="E6", stream="targeted")]
    run.compare_reviews(judged, listed, accesses, Truth((an_episode(),), {}))
    assert judged.recall[run.PRODUCT] == {"neighbour": Share(0, 1)}
    assert judged.recall_without_budget == {"neighbour": Share(1, 1)}
    assert judged.alerts[run.PRODUCT] == Share(0, 1)
    assert judged.n_outside_budget == 1
    assert judged.found_by == Counter()


def test_each_check_that_finds_an_episode_is_named_once():
    judged = run.Judged(Plan(1))
    accesses = some_accesses([("1", "E1", "P1", "2026-10-05 10:00", False, True)])
    run.compare_reviews(judged, [a_review(), a_review(patient="P2"), a_review(patient="P3")], accesses, A_TRUTH)
    assert judged.found_by == Counter({("neighbour", "many_accesses"): 1})


def test_a_correction_task_accuses_nobody_of_diversion():
    judged = run.Judged(Plan(1))
    truth = Truth((an_episode(family="dose_skimming"),), {("mcss_medication", "1"): "1"})
    alarms = [a_review(), a_review(employee="E2", stream="targeted"), a_review(employee="E3")]
    run.compare_drugs(judged, alarms, {"E1", "E2", "E3", "E4", "E5"}, truth)
    assert (judged.drug_sensitivity, judged.drug_specificity) == (Share(1, 1), Share(3, 4))


def a_world(kind, n_employees=100, n_planted=1, alerts=HALF, clean_alerts=0, seed=1) -> run.Judged:
    methods = dict.fromkeys(measures.METHODS, alerts)
    recall = {method: {"neighbour": Share(1, 1), "shared_password": Share(0, 1)} for method in measures.METHODS}
    return run.Judged(
        Plan(seed, kind),
        n_employees=n_employees,
        n_planted=n_planted,
        explained=Share(99, 100),
        first_explained=Share(91, 100),
        chance_explained=Share(1, 100),
        recall={} if kind == "clean" else recall,
        traces={"neighbour": True, "shared_password": True},
        alerts={} if kind == "clean" else methods,
        clean_alerts=clean_alerts,
        about=Counter({("many_accesses", "many", "ordinary"): 1}),
        found_by=Counter({("neighbour", "many_accesses"): 1}),
    )


def test_the_table_says_what_is_met_what_is_not_and_what_was_not_measured():
    worlds = [a_world("families"), *(a_world("clean", clean_alerts=n, seed=n) for n in range(2))]
    evaluation = measures.Evaluation(worlds, {"U1": Share(96, 100)}, 0.05, held_out())
    met = {each.name: each.is_met for each in evaluation.figures()}
    assert met["legitimate accesses explained"] is True
    assert met["first accesses of a pair explained"] is False
    assert met["recall of planted episodes that leave a trace"] is False
    assert met["the family found least of those that leave a trace"] is False
    assert met["drug diversion: sensitivity"] is None
    assert evaluation.recall(run.PRODUCT, lambda family: family in held_out()) == Share(0, 1)
    text = "\n".join(page.lines_of(evaluation))
    assert "| shared_password | yes | no | 0.0 % (0 of 1)" in text
    assert "50.0 % (1 of 2), lower limit 1.3 %" in text


@pytest.mark.parametrize(
    ("n_clean", "n_alarmed", "is_met"), [(19, 0, None), (20, 1, True), (20, 6, False), (5, 5, False)]
)
def test_worlds_without_incidents_must_be_many_to_pass_but_few_to_fail(n_clean, n_alarmed, is_met):
    worlds = [a_world("clean", clean_alerts=int(number < n_alarmed), seed=number) for number in range(n_clean)]
    figures = measures.Evaluation(worlds, {}, 0.05, ()).figures()
    assert [each.is_met for each in figures if each.name.startswith("worlds without")] == [is_met]


def test_precision_is_that_of_one_planted_for_each_thousand_employees():
    # one true alert for each episode; one false alert for each 100 employees, so ten for each thousand
    worlds = [a_world("families", n_planted=3, alerts=Share(3, 90)), a_world("prevalence", alerts=Share(1, 2))]
    assert measures.Evaluation(worlds, {}, 0.05, ()).precision(run.PRODUCT) == pytest.approx(1 / 11)
    assert measures.Evaluation(worlds[:1], {}, 0.05, ()).precision(run.PRODUCT) is None


def test_a_bound_that_promises_too_little_is_seen_not_to_hold():
    held = coverage.coverage(300, confidence="0.95")
    assert sum(each.part for each in held.values()) / sum(each.whole for each in held.values()) >= 0.95
    assert min(each.rate for each in coverage.coverage(300, confidence="0.5").values()) < 0.9


def test_a_part_whose_absence_makes_no_figure_worse_is_named():
    with_all, idle, needed = a_world("families"), a_world("families"), a_world("families")
    needed.recall[run.PRODUCT]["neighbour"] = Share(0, 1)
    found_here = {("all", ""): with_all, ("without_check", "idle"): idle, ("without_check", "needed"): needed}
    lines = ablate.lines_of([found_here])
    assert lines[-1] == "Without effect here: check `idle`."
    assert any(
        line.startswith("| check `needed` | planted episodes found within the budget: 50.00 %") for line in lines
    )


def test_the_page_keeps_everything_but_the_figures(tmp_path):
    path = tmp_path / "evaluation.md"
    path.write_text(f"# Title\n\n{page.BEGIN}\nold\n{page.END}\n\nAfter.\n", encoding="utf-8")
    page.write_page(["new"], path)
    assert path.read_text(encoding="utf-8") == f"# Title\n\n{page.BEGIN}\n\nnew\n\n{page.END}\n\nAfter.\n"
    path.write_text("# No markers\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no markers"):
        page.write_page(["new"], path)


def test_results_are_written_with_seeds_versions_and_the_command(tmp_path):
    path = tmp_path / "RESULTS.json"
    page.write_results(measures.Evaluation([a_world("families", seed=7)], {}, 0.05, held_out()), "make evaluate", path)
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["command"] == "make evaluate"
    assert kept["worlds"][0]["plan"]["seed"] == 7
    assert kept["worlds"][0]["about"] == [["many_accesses", "many", "ordinary", 1]]
    assert "duckdb" in kept["versions"]


def test_the_ranking_gets_its_check_and_its_figures_from_the_finding_with_the_same_key():
    columns = {"stream": ["breach"], "employee_id": [None], "patient_id": [None], "first_at": [None], "last_at": [None]}
    ranked = pa.table(
        {"finding_id": ["f"], "reviewer_id": ["E9"], "is_within_budget": [True], "severity": [2], **columns}
    )
    findings = pa.table(
        {"finding_id": ["f"], "reason_code": ["spraying"], "reason_values": ['{"address": "10.0.0.7"}']}
    )
    (listed,) = bags.reviews(ranked, {"authentication": findings})
    assert (listed.check, listed.reason_code, listed.values) == ("authentication", "spraying", frozenset({"10.0.0.7"}))
