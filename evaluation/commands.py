"""The ordinary commands over a world's deliveries, in a process of its own that neither has the truth nor the seed.

    python -m evaluation.commands FOLDER --months 2026-10 --checks all

Prints one line of JSON: the seconds of each stage.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shutil
import time
from pathlib import Path

import pyarrow.parquet

from audit_kernel import open_site, open_store
from audit_kernel.catalog import Catalog
from audit_kernel.cli import app
from audit_kernel.demo.make import with_countries
from audit_kernel.errors import MonthIncompleteError, NotAssessableError
from audit_kernel.evidence.month import month_days
from audit_kernel.site import Site

QUERIES = Path(__file__).with_name("queries")
ACCESSES, DRUG_PEOPLE = "evaluated_accesses", "evaluated_drug_people"
PAGES_BESIDE = ("explained_share", "ranked_findings")
QUICK_CHECKS = ("checks/unauthorised_resources",)
QUICK_KINDS = ("employees", "units", "patients", "identifiers", "unit_assignments", "shifts")
CONTROLLED = "benjamini_hochberg"
SAMPLE_SEED = "evaluation"
FEWEST_MONTHS = ("checks/many_accesses",)  # of the months before the last: their days without a reason are what counts


def command(*words: str) -> None:
    """Run one command of `audit-kernel`, as from a terminal, without its lines.

    Raises
    ------
    AuditKernelError: as the command.
    """
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        app(list(words), standalone_mode=False)


def checks(site: Path) -> list[str]:
    """Return the checks that the site's catalogue holds."""
    return sorted(query.name for query in Catalog(site).queries.values() if query.room == "checks")


def controlled_checks(site: Path) -> list[str]:
    """Return the checks whose share of false alarms is controlled."""
    catalog = Catalog(site)
    return [name for name in checks(site) if CONTROLLED in catalog.query(name, "checks").description.statistics]


def days_of(month: str) -> dict[str, str]:
    """Return the first and last day of a month, YYYY-MM, as a query asks for its period."""
    return dict(zip(("from_date", "to_date"), map(str, month_days(month)), strict=True))


def set_schedule(site: Path, names: list[str]) -> None:
    """Write the site's own schedule."""
    lines = "".join(f"  - {name}\n" for name in names)
    (site / "parameters" / "schedule.yml").write_text(f"monthly:\n{lines}", encoding="utf-8")


def take_in(site: Path, deliveries: Path, *, is_quick: bool = False) -> None:
    """Make the site with the evaluation's two questions, and take everything delivered in; a few kinds when quick."""
    told = json.loads((deliveries / "deliveries.json").read_text(encoding="utf-8"))
    command("init", str(site), "--country", told["country"], "--name", "Evaluation")
    with_countries(Site(site), told["networks"])
    for path in QUERIES.iterdir():
        shutil.copy(path, site / "sql" / "reports" / path.name)
    for kind in (kind for kind in told["reference"] if not is_quick or kind in QUICK_KINDS):
        command("reference", str(deliveries / "reference" / f"{kind}.csv"), "--kind", kind, "--site", str(site))
    by_source: dict[str, list[str]] = {}
    for name, source_id in told["logs"].items():
        by_source.setdefault(source_id, []).append(str(deliveries / "logs" / name))
    for source_id, paths in by_source.items():
        command("intake", *paths, "--source", source_id, "--site", str(site))


def control(site: Path, month: str, names: list[str]) -> bool:
    """Run a month's control with these pages; return whether it was complete."""
    set_schedule(site, names)
    words = ("month", month, "--seed", SAMPLE_SEED, "--language", "en", "--site", str(site))
    try:
        command(*words)
    except MonthIncompleteError:
        return False
    return True


def judge(site: Path, month: str, answers: Path) -> None:
    """Ask the evaluation's own questions and keep the answers; the drug log may be missing."""
    answers.mkdir()
    with open_store(open_site(site), "evaluation") as store:
        for name in (ACCESSES, DRUG_PEOPLE):
            with contextlib.suppress(NotAssessableError):
                pyarrow.parquet.write_table(store.report(name, **days_of(month)).table, answers / f"{name}.parquet")


def main() -> None:
    """Run the commands and print the seconds of each stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="holds `deliveries`; `site` is made beside it")
    parser.add_argument("--months", nargs="+", required=True)
    parser.add_argument("--checks", choices=("all", "controlled", "quick", "none"), default="all")
    arguments = parser.parse_args()
    site, seconds, began = arguments.folder / "site", {}, time.perf_counter()

    def stage(name: str) -> None:
        nonlocal began
        seconds[name], began = round(time.perf_counter() - began, 1), time.perf_counter()

    take_in(site, arguments.folder / "deliveries", is_quick=arguments.checks == "quick")
    stage("intake")
    *earlier, last = arguments.months
    for month in earlier:
        control(site, month, list(FEWEST_MONTHS))
    stage("earlier months")
    scheduled = {
        "all": [*(f"checks/{name}" for name in checks(site)), *PAGES_BESIDE],
        "controlled": [f"checks/{name}" for name in controlled_checks(site)],
        "quick": [*QUICK_CHECKS, *PAGES_BESIDE],
    }
    is_complete = arguments.checks == "none" or control(site, last, scheduled[arguments.checks])
    stage("month")
    if arguments.checks in {"all", "quick"}:
        judge(site, last, arguments.folder / "answers")
        stage("judge")
    print(json.dumps({"seconds": seconds, "is_complete": is_complete}))


if __name__ == "__main__":
    main()
