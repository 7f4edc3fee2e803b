"""A month's answers without its pages, as `month` works them out before it makes pages; no truth is near.

    python -m evaluation.answers FOLDER --month 2026-10 --variants

Writes FOLDER/variants/all: the tables of a bag and the evaluation's own. With `--variants` each check and each reason
is taken away in turn: /without_check/NAME and /without_reason/NAME/all.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import yaml

from audit_kernel import open_site, open_store
from audit_kernel.errors import NotAssessableError
from audit_kernel.explanations import Explanation, explanations
from audit_kernel.store.reading import Store
from evaluation.commands import ACCESSES, DRUG_PEOPLE, checks, days_of

SHARE, RANKED = "explained_share", "ranked_findings"
EMPTY = "select access_id, '{name}' as reason, 1 as strength from asked_accesses where false\n"


def keep(folder: Path, tables: dict[str, pa.Table]) -> None:
    """Write tables as a bag has them, but for lists and structures, which stay what they are."""
    folder.mkdir(parents=True)
    for name, table in tables.items():
        pyarrow.parquet.write_table(table, folder / f"{name}.parquet")


def ask(store: Store, names: list[str], period: dict[str, str]) -> dict[str, pa.Table]:
    """Return the answers of these queries; what is not assessable has none."""
    answered = {}
    for name in names:
        with contextlib.suppress(NotAssessableError):
            answered[name.split("/")[-1]] = store.report(name, **period).table
    return answered


def ranked(store: Store, found: dict[str, pa.Table], period: dict[str, str]) -> dict[str, pa.Table]:
    """Return findings together with the ranking that they give."""
    store.keep_findings(list(found.values()))
    return {**found, **ask(store, [RANKED], period)}


def answer(site: Path, month: str, folder: Path, *, with_each_check_away: bool) -> None:
    """Ask everything once; where asked for, rank again without each check."""
    period = days_of(month)
    with open_store(open_site(site), "evaluation") as store:
        found = ask(store, [f"checks/{name}" for name in checks(site)], period)
        beside = ask(store, [SHARE, ACCESSES, DRUG_PEOPLE], period)
        keep(folder / "all", {**ranked(store, found, period), **beside})
        for away in found if with_each_check_away else ():
            others = {name: table for name, table in found.items() if name != away}
            keep(folder / "without_check" / away, {**ranked(store, others, period), **beside})


def take_away(site: Path, reason: Explanation) -> None:
    """Let the site replace a reason by one that explains nothing."""
    folder = site / "sql" / "explanations"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{reason.name}.sql").write_text(EMPTY.format(name=reason.name), encoding="utf-8")
    described = yaml.safe_load(reason.path.with_suffix(".yml").read_text(encoding="utf-8"))
    described["replaces"] = reason.name
    (folder / f"{reason.name}.yml").write_text(yaml.safe_dump(described, allow_unicode=True), encoding="utf-8")


def main() -> None:
    """Answer with everything, without each check, and without each reason."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="holds `site`")
    parser.add_argument("--month", required=True)
    parser.add_argument("--variants", action="store_true")
    arguments = parser.parse_args()
    site, variants = arguments.folder / "site", arguments.folder / "variants"
    answer(site, arguments.month, variants, with_each_check_away=arguments.variants)
    for reason in explanations(open_site(site)) if arguments.variants else ():
        copy = arguments.folder / "copy"
        shutil.copytree(site, copy)
        take_away(copy, reason)
        answer(copy, arguments.month, variants / "without_reason" / reason.name, with_each_check_away=False)
        shutil.rmtree(copy)


if __name__ == "__main__":
    main()
