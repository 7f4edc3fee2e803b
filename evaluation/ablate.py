"""Takes each check and each reason away and says which figure gets worse: what changes nothing is not needed.

    make ablate              # one world with episodes of each family
    make ablate WORLDS=3     # more of them

A reason is taken away in a copy of the site, by a replacement that explains nothing, so that the intake is used again.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from evaluation.measures import Evaluation
from evaluation.page import markdown
from evaluation.run import PRODUCT, Judged, answer, control, judge
from evaluation.shares import Share, total
from evaluation.worlds import Plan, read_truth, write_deliveries

KINDS = {"without_check": "check", "without_reason": "reason"}
ALL = "all"


def variants(folder: Path, plan: Plan) -> dict[tuple[str, str], Judged]:
    """Return what a world shows with everything, and with each part taken away: (kind, name) to figures."""
    (folder / "deliveries").mkdir(parents=True)
    write_deliveries(folder / "deliveries", plan)
    control(folder, plan, "none")
    answer(folder, plan, "--variants")
    truth = read_truth(folder.with_name(f"{folder.name}_truth"), plan)
    made = {(ALL, ""): folder / "variants" / ALL}
    for kind in KINDS:
        for path in sorted((folder / "variants" / kind).iterdir()):
            made[kind, path.name] = path / ALL if (path / ALL).is_dir() else path
    return {key: judge(folder / "site", tables, tables, plan, truth) for key, tables in made.items()}


def figures(worlds: list[Judged], families: list[str]) -> dict[str, Share]:
    """Return the figures that a part can change; each is better when it is larger."""
    evaluation = Evaluation(worlds, {}, 0.0, ())
    chance = total(each.chance_explained for each in worlds)
    alerts = total(each.alerts[PRODUCT] for each in worlds)
    listed = total(share for each in worlds for share in each.recall_without_budget.values())
    return {
        "legitimate accesses explained": total(each.explained for each in worlds),
        "first accesses explained": total(each.first_explained for each in worlds),
        "random pairs not explained": Share(chance.whole - chance.part, chance.whole),
        "planted episodes found within the budget": total(
            share for each in worlds for share in each.recall[PRODUCT].values()
        ),
        "planted episodes found at all": listed,
        "true alerts of those issued": alerts,
        "drug diversion: sensitivity": total(each.drug_sensitivity for each in worlds),
        "drug diversion: specificity": total(each.drug_specificity for each in worlds),
        **{f"{family} found": evaluation.families()[family][PRODUCT] for family in families},
    }


def changed(before: dict[str, Share], after: dict[str, Share]) -> tuple[list[str], list[str]]:
    """Return the figures that got worse, and those that got better."""
    moves = {name: after[name].rate - before[name].rate for name in before}
    texts = {name: f"{name}: {100 * before[name].rate:.2f} % to {100 * after[name].rate:.2f} %" for name in before}
    worse = [texts[name] for name, move in moves.items() if move < 0]
    return worse, [texts[name] for name, move in moves.items() if move > 0]


def lines_of(found: list[dict[tuple[str, str], Judged]]) -> list[str]:
    """Return the table of all parts, and the names of those without effect."""
    with_all = [each[ALL, ""] for each in found]
    families = sorted({family for each in with_all for family in each.recall[PRODUCT]})
    before = figures(with_all, families)
    rows, idle = [["taken away", "gets worse", "gets better"]], []
    for kind, name in sorted({key for each in found for key in each} - {(ALL, "")}):
        after = figures([each[kind, name] for each in found if (kind, name) in each], families)
        worse, better = changed(before, after)
        rows.append([f"{KINDS[kind]} `{name}`", "; ".join(worse) or "**nothing**", "; ".join(better)])
        if not worse:
            idle.append(f"{KINDS[kind]} `{name}`")
    return [*markdown(rows), "", f"Without effect here: {', '.join(idle) or 'none'}."]


def main() -> None:
    """Make the worlds, take each part away, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--worlds", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the worlds are made; a temporary folder when left out")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="ablation-") as folder:
        seeds = range(1, arguments.worlds + 1)
        found = [variants(Path(folder) / f"world_{seed}", Plan(seed)) for seed in seeds]
    print("\n".join(lines_of(found)))


if __name__ == "__main__":
    main()
