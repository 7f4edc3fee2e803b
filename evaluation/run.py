"""One world from delivery to judgement: generated, controlled by the ordinary commands, and only then compared."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypedDict

import pyarrow as pa
import pyarrow.parquet

from audit_kernel.catalog import Catalog
from evaluation import bags, commands
from evaluation.bags import Review
from evaluation.baselines import BASELINES
from evaluation.matching import found, found_by, is_true, what_alerts_are
from evaluation.shares import Share
from evaluation.worlds import Episode, Plan, Truth, read_truth, write_deliveries

MONTHLY = "monthly"
DRUG_EVENTS = "medication_events"
DIVERTING = ("dose_skimming", "missing_signing")  # doses vanish; what is signed late or on another patient does not
PRODUCT = "product"


class Told(TypedDict):
    """What the commands' process says at its end."""

    seconds: dict[str, float]
    is_complete: bool


@dataclass(slots=True)
class Judged:
    """What one world showed. Dicts of recall and precision go by method: the product and each baseline.

    recall: by method and family. found_by: the planted episodes that each check finds, by family and check.
    alerts: true alerts of all alerts issued, by method. about: what the product's alerts were, by check, reason code
    and family. n_employees: those with a row in the month.
    """

    plan: Plan
    n_employees: int = 0
    n_planted: int = 0
    explained: Share = field(default_factory=Share)
    first_explained: Share = field(default_factory=Share)
    chance_explained: Share = field(default_factory=Share)
    recall: dict[str, dict[str, Share]] = field(default_factory=dict)
    recall_without_budget: dict[str, Share] = field(default_factory=dict)
    found_by: Counter[tuple[str, ...]] = field(default_factory=Counter)
    traces: dict[str, bool] = field(default_factory=dict)
    alerts: dict[str, Share] = field(default_factory=dict)
    n_outside_budget: int = 0
    about: Counter[tuple[str, ...]] = field(default_factory=Counter)
    unexplained: Counter[tuple[str, ...]] = field(default_factory=Counter)
    drug_sensitivity: Share = field(default_factory=Share)
    drug_specificity: Share = field(default_factory=Share)
    clean_alerts: int = 0
    is_complete: bool = True
    seconds: dict[str, float] = field(default_factory=dict)


def run_world(folder: Path, plan: Plan, *, keep: bool = False, with_pages: bool = True) -> Judged:
    """Make a world, control it, then make its truth and compare.

    Parameters
    ----------
    keep: leaves what was made in `folder`.
    with_pages: runs the month as a site does; else only its answers are worked out, in a third of the time.

    Raises
    ------
    subprocess.CalledProcessError: a command failed; what it said is on standard error.
    """
    seconds: dict[str, float] = {}
    began = time.perf_counter()
    (folder / "deliveries").mkdir(parents=True)
    write_deliveries(folder / "deliveries", plan)
    seconds["generate"] = round(time.perf_counter() - began, 1)
    is_short = not with_pages and plan.kind != "clean"
    told = control(folder, plan, "none" if is_short else "")
    seconds |= told["seconds"]
    began = time.perf_counter()
    if is_short:
        answer(folder, plan)
        seconds["month"], began = round(time.perf_counter() - began, 1), time.perf_counter()
    judged = Judged(plan)
    if plan.kind == "clean":
        judged.clean_alerts = count_alerts(folder / "site", plan)
    else:
        truth = read_truth(folder.with_name(f"{folder.name}_truth"), plan)
        if is_short:
            tables = answers = folder / "variants" / "all"
        else:
            tables, answers = bags.tables(folder / "site", f"{plan.last_month}-{MONTHLY}"), folder / "answers"
        judged = judge(folder / "site", tables, answers, plan, truth)
    judged.is_complete = told["is_complete"]
    judged.seconds = seconds | {"compare": round(time.perf_counter() - began, 1)}
    if not keep:
        shutil.rmtree(folder)
        shutil.rmtree(folder.with_name(f"{folder.name}_truth"), ignore_errors=True)
    return judged


def control(folder: Path, plan: Plan, which: str = "") -> Told:
    """Run the ordinary commands in a process that has the deliveries and nothing else of the world, no seed either."""
    which = which or ("quick" if plan.is_quick else "controlled" if plan.kind == "clean" else "all")
    words = ["--months", *plan.months, "--checks", which]
    command = [sys.executable, "-m", "evaluation.commands", str(folder), *words]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    told: Told = json.loads(done.stdout.splitlines()[-1])
    return told


def answer(folder: Path, plan: Plan, *variants: str) -> None:
    """Work the month's answers out without its pages, in a process that has the site and nothing else of the world."""
    command = [sys.executable, "-m", "evaluation.answers", str(folder), "--month", plan.last_month, *variants]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[1])


def count_alerts(site: Path, plan: Plan) -> int:
    """Return how many alerts the checks gave whose share of false alarms is controlled; tasks are none."""
    folder = bags.tables(site, f"{plan.last_month}-{MONTHLY}")
    tables = bags.findings(folder, commands.controlled_checks(site)).values()
    return sum(stream in bags.ALERTING for table in tables for stream in table["stream"].to_pylist())


def judge(site: Path, folder: Path, answers: Path, plan: Plan, truth: Truth) -> Judged:
    """Compare the tables of a month's bag in `folder`, and the evaluation's own in `answers`, with the truth."""
    of_checks = bags.findings(folder, commands.checks(site))
    listed = bags.reviews(pyarrow.parquet.read_table(folder / "ranked_findings.parquet"), of_checks)
    accesses = pyarrow.parquet.read_table(answers / f"{commands.ACCESSES}.parquet")
    judged = Judged(plan)
    compare_reviews(judged, listed, accesses, truth)
    compare_reasons(judged, accesses, truth)
    whole, part = bags.chance_share(pyarrow.parquet.read_table(folder / "explained_share.parquet"))
    judged.chance_explained = Share(part, whole)
    drug_checks = [name for name in of_checks if _reads(site, name, DRUG_EVENTS)]
    if drug_checks:
        people = pyarrow.parquet.read_table(answers / f"{commands.DRUG_PEOPLE}.parquet")
        suspected = [bags.review(name, row) for name in drug_checks for row in of_checks[name].to_pylist()]
        compare_drugs(judged, suspected, {str(each) for each in people["employee_id"].to_pylist()}, truth)
    return judged


def month_of(plan: Plan) -> tuple[datetime, datetime]:
    """Return the judged month, half open."""
    first = date.fromisoformat(f"{plan.last_month}-01")
    end = (first + timedelta(days=32)).replace(day=1)
    return datetime.combine(first, datetime.min.time()), datetime.combine(end, datetime.min.time())


def compare_reviews(judged: Judged, listed: list[Review], accesses: pa.Table, truth: Truth) -> None:
    """Fill recall and alerts of the product and of each baseline, which gets as many reviews."""
    planted = truth.planted(*month_of(judged.plan))
    judged.traces = {each.family: each.leaves_trace for each in planted}
    judged.n_planted = len(planted)
    judged.n_employees = len(set(accesses["employee_id"].to_pylist()))
    issued = [each for each in listed if each.is_within_budget]
    judged.n_outside_budget = len(listed) - len(issued)
    methods = {PRODUCT: issued}
    for name, make in BASELINES.items():
        methods[name] = make(accesses, len(issued), str(judged.plan.seed))
    for name, reviews in methods.items():
        judged.recall[name] = by_family(planted, found(planted, reviews))
        alerts = [each for each in reviews if each.stream in bags.ALERTING]
        judged.alerts[name] = Share(sum(is_true(each, planted) for each in alerts), len(alerts))
    judged.found_by = found_by(planted, issued)
    judged.recall_without_budget = by_family(planted, found(planted, listed))
    judged.about = what_alerts_are((each for each in issued if each.stream in bags.ALERTING), truth.episodes)


def by_family(planted: list[Episode], of_them: list[Episode]) -> dict[str, Share]:
    """Return how many of each family were found."""
    numbers = {each.number for each in of_them}
    shares: dict[str, Share] = {}
    for each in planted:
        shares[each.family] = shares.get(each.family, Share()) + Share(int(each.number in numbers), 1)
    return shares


def compare_reasons(judged: Judged, accesses: pa.Table, truth: Truth) -> None:
    """Fill the shares of legitimate accesses, and of the first of each pair, that the data explain."""
    planted = {each.number for each in truth.episodes if each.is_planted}
    columns = (accesses[name].to_pylist() for name in ("source_id", "event_id", "is_explained", "is_first", "role"))
    counts: Counter[tuple[bool, bool]] = Counter()
    for source_id, event_id, is_explained, is_first, role in zip(*columns, strict=True):
        if truth.events.get((source_id, event_id)) in planted:
            continue
        counts[is_explained, is_first] += 1
        if not is_explained:
            judged.unexplained[str(role), "first" if is_first else "later"] += 1
    judged.explained = Share(counts[True, True] + counts[True, False], counts.total())
    judged.first_explained = Share(counts[True, True], counts[True, True] + counts[False, True])


def compare_drugs(judged: Judged, suspected: list[Review], people: set[str], truth: Truth) -> None:
    """Fill sensitivity over planted diverters, and specificity over those of the drug log of whom nothing is planted.

    A correction task is no suspicion: findings of the targeted stream do not count.
    """
    numbers = {number for (source_id, _event), number in truth.events.items() if "medication" in source_id}
    first, end = month_of(judged.plan)
    in_drug_log = [each for each in truth.planted(first, end) if each.number in numbers]
    diverters = [each for each in in_drug_log if each.family in DIVERTING]
    alarms = [each for each in suspected if each.stream in bags.ALERTING]
    named = {employee for each in in_drug_log for employee in each.employee_ids}
    others = people - named
    accused = {each.employee_id for each in alarms}
    judged.drug_sensitivity = Share(len(found(diverters, alarms)), len(diverters))
    judged.drug_specificity = Share(len(others - accused), len(others))


def _reads(site: Path, check: str, relation: str) -> bool:
    needs = Catalog(site).query(check, "checks").description.needs
    return any(relation in need.split("|") or need.startswith(f"{relation}.") for need in needs)
