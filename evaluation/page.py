"""The figures as text: the table of `docs/evaluation.md`, between its markers, and all of it in RESULTS.json."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from evaluation.measures import METHODS, Evaluation, Figure, counted
from evaluation.shares import total

DOCS = Path(__file__).parents[1] / "docs" / "evaluation.md"
RESULTS = Path(__file__).with_name("RESULTS.json")
BEGIN, END = "<!-- figures: begin (written by make evaluate) -->", "<!-- figures: end -->"
MET = {True: "yes", False: "**no**", None: "-"}
N_SHOWN = 25


def lines_of(evaluation: Evaluation) -> list[str]:
    """Return the figures in Markdown: the table, recall by family, what the alerts were, what stayed unexplained."""
    return [
        _said(evaluation),
        "",
        *_table(evaluation.figures()),
        "",
        "### Recall by family",
        "",
        *_families(evaluation),
        "",
        "### What the product's alerts within the budget were about",
        "",
        *_counted(
            ("check", "reason", "about"), counted(each.about for each in evaluation.worlds if each.plan.kind != "clean")
        ),
        "",
        "### Legitimate accesses without a reason, by role",
        "",
        *_counted(("role", "access of its pair"), counted(each.unexplained for each in evaluation.worlds)),
        "",
        "### Seconds of each stage, a world",
        "",
        *_seconds(evaluation),
    ]


def _said(evaluation: Evaluation) -> str:
    kinds = {kind: len(evaluation.of_kind(kind)) for kind in ("families", "prevalence", "clean")}
    rows = {each.plan.n_accesses for each in evaluation.of_kind("families", "prevalence")}
    tuned = all(each.plan.is_tuning for each in evaluation.worlds)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, audit-kernel {version('audit-kernel')}, Python {platform.python_version()},"
        f" {os.cpu_count()} cores. Worlds: {kinds['families']} with episodes of each family, {kinds['prevalence']} with"
        f" 1 planted per 1,000 employees and month, {kinds['clean']} without incidents; seeds"
        f" {', '.join(_seeds(evaluation))}; about {' or '.join(f'{each:,}' for each in sorted(rows))} rows of an"
        f" employee and month.{' Held-out families were not planted.' if tuned else ''}"
    )


def _seeds(evaluation: Evaluation) -> list[str]:
    found = []
    for kind in ("families", "prevalence", "clean"):
        seeds = sorted(each.plan.seed for each in evaluation.of_kind(kind))
        if seeds:
            found.append(f"{seeds[0]} to {seeds[-1]}")
    return found


def _table(figures: Sequence[Figure]) -> list[str]:
    rows = [["measure", "published", "must reach", *METHODS, "met"]]
    rows += [
        [each.name, each.published, each.must, *(each.cells.get(method, "") for method in METHODS), MET[each.is_met]]
        for each in figures
    ]
    return markdown(rows)


def _families(evaluation: Evaluation) -> list[str]:
    without = [each.recall_without_budget for each in evaluation.worlds]
    by_check = counted(each.found_by for each in evaluation.worlds)
    header = ["family", "leaves a trace", "used for tuning", *METHODS, "product, outside the budget too", "found by"]
    rows = [header]
    for family, shares in evaluation.families().items():
        trace = "yes" if evaluation.leaves_trace(family) else "no"
        whole = total(each[family] for each in without if family in each)
        cells = [str(shares[method]) for method in METHODS]
        rows.append([family, trace, "no" if family in evaluation.held_out else "yes", *cells, str(whole)])
        rows[-1].append(", ".join(f"{key[1]} {number}" for key, number in by_check if key[0] == family))
    return markdown(rows)


def _counted(names: Sequence[str], counts: Sequence[tuple[tuple[str, ...], int]]) -> list[str]:
    rows = [[*names, "number"], *([*key, f"{number:,}"] for key, number in counts[:N_SHOWN])]
    if len(counts) > N_SHOWN:
        rows.append(["others", *[""] * (len(names) - 1), f"{sum(number for _key, number in counts[N_SHOWN:]):,}"])
    return markdown(rows)


def _seconds(evaluation: Evaluation) -> list[str]:
    names = ["generate", "intake", "earlier months", "month", "judge", "compare"]
    rows = [["worlds", *names]]
    for kind in ("families", "prevalence", "clean"):
        worlds = evaluation.of_kind(kind)
        if worlds:
            means = [sum(each.seconds.get(name, 0.0) for each in worlds) / len(worlds) for name in names]
            rows.append([kind, *(f"{mean:.0f}" for mean in means)])
    return markdown(rows)


def markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows, the first of them the header, as a Markdown table."""
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return [head, "|" + "---|" * len(rows[0]), *body]


def write_page(lines: Sequence[str], path: Path = DOCS) -> None:
    """Put the lines between the page's markers.

    Raises
    ------
    ValueError: the page has no markers.
    """
    before, _begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _old, found, after = rest.partition(END)
    if not found:
        message = f"{path.name} has no markers for the figures."
        raise ValueError(message)
    path.write_text("\n".join([before + BEGIN, "", *lines, "", END]) + after, encoding="utf-8")


def write_results(evaluation: Evaluation, command: str, path: Path = RESULTS) -> None:
    """Write figures, worlds, seeds, versions and the command that repeats it."""
    worlds = [
        {**asdict(each), **{name: _plain(getattr(each, name)) for name in ("about", "found_by", "unexplained")}}
        for each in evaluation.worlds
    ]
    names = ("audit-kernel", "duckdb", "duckdb-extension-ducklake", "numpy", "pyarrow", "scipy")
    result = {
        "command": command,
        "made_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in names},
        "held_out": list(evaluation.held_out),
        "figures": [asdict(each) for each in evaluation.figures()],
        "coverage": {unit: asdict(share) for unit, share in evaluation.coverage.items()},
        "worlds": worlds,
    }
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _plain(counts: Mapping[tuple[str, ...], int]) -> list[list[str | int]]:
    return [[*key, number] for key, number in sorted(counts.items())]
