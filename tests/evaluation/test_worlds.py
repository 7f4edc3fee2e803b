"""That the evaluation is honest: the commands see no truth, and what is held out is never used for tuning."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest

from audit_kernel.catalog import Catalog
from audit_kernel.demo.world.planting import FAMILIES, planted_numbers
from evaluation import commands, quiet, run
from evaluation.evaluate import plans
from evaluation.worlds import Plan, held_out, settings_of

ROOT = Path(__file__).parents[2]
QUICK = Plan(1, n_months=1, is_quick=True)


def test_five_families_are_named_as_held_out_in_the_docs_as_in_the_file():
    text = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    section = text.split("## Never used for tuning")[1].split("\n## ")[0]
    named = re.findall(r"^- `(\w+)`", section, re.MULTILINE)
    assert len(named) == 5
    assert tuple(named) == held_out()


def test_a_family_that_is_held_out_exists_and_leaves_a_trace():
    assert all(FAMILIES[name].leaves_trace for name in held_out())


@pytest.mark.parametrize("kind", ["families", "prevalence", "clean"])
def test_tuning_plants_no_family_that_is_held_out(kind):
    made = [plan for plan in plans(1, 1, 1, is_tuning=True) if plan.kind == kind]
    numbers = planted_numbers(1, replace(settings_of(made[0]), n_employees=100_000))
    planted = {name for name, number in numbers.items() if number}
    assert not planted & set(held_out())
    assert (len(planted) == len(FAMILIES) - 5) == (kind != "clean")


def test_the_evaluation_itself_plants_every_family():
    assert set(settings_of(plans(1, 0, 0)[0]).families) == set(FAMILIES)


def test_quiet_worlds_leave_out_only_what_no_controlled_check_and_no_reason_reads():
    queries = Catalog().queries.values()
    controlled = [query for query in queries if commands.CONTROLLED in query.description.statistics]
    texts = [text for query in controlled for text in (query.sql, *(text for _name, text in query.steps))]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "sql" / "explanations").glob("*.sql")]
    assert len(texts) > 15
    for kind in quiet.NOT_READ:
        assert not any(re.search(rf"\b(from|join) {kind}\b", text) for text in texts), kind


@pytest.mark.soak
def test_a_small_world_is_controlled_without_its_truth_and_then_judged(tmp_path, monkeypatch):
    seen: list[Path] = []
    control = run.control

    def control_and_look(folder: Path, plan: Plan, which: str = "") -> run.Told:
        told = control(folder, plan, which)
        seen.extend(tmp_path.rglob("*"))
        return told

    monkeypatch.setattr(run, "control", control_and_look)
    judged = run.run_world(tmp_path / "world", QUICK, keep=True)

    told = [path for path in seen if path.is_file()]
    assert any(path.suffix == ".parquet" for path in told), "the commands left their answers"
    assert [path for path in told if path.name in {"episodes.csv", "events.csv"} or "truth" in path.name] == []
    with (tmp_path / "world_truth" / "episodes.csv").open(encoding="utf-8-sig") as file:
        episodes = list(csv.DictReader(file, delimiter=";"))
    stories = {row["description"].lower().encode() for row in episodes}
    assert len(stories) > 20
    readable = [path for path in told if path.suffix in {".csv", ".json", ".yml", ".log", ".xml"}]
    assert len(readable) > 20
    for path in readable:
        content = path.read_bytes().lower()
        assert b"is_planted" not in content, path
        assert not any(story in content for story in stories), path

    assert judged.is_complete
    assert judged.n_planted == sum(row["is_planted"] == "1" for row in episodes) > 0
    assert judged.explained.whole > 5000
    assert 0 < judged.explained.part < judged.explained.whole
    assert judged.chance_explained.whole > 0
    assert set(judged.recall) == {"product", "random sample", "fixed thresholds", "mean + 2 sd"}
    assert judged.alerts["fixed thresholds"].whole > 0  # in so small a world the product has tasks only
