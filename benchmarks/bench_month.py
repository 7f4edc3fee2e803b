"""A large hospital's month of 8.5 million rows: every check, the sample and the pages, by the ordinary command.

    .venv/bin/python -m benchmarks.bench_month                   # `make bench` runs it last; about 10 minutes
    .venv/bin/python -m benchmarks.bench_month --folder FOLDER   # keeps the site and measures the month again
    .venv/bin/python -m benchmarks.bench_month --spark --rows 1000000   # DuckDB, then Spark on this machine's cores

A page's seconds are those of its notebook; what is asked once for all pages stands apart. The month has the memory that
docs/operating.md names for a large one; `--memory 3GB` is what a new site has.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import duckdb
import yaml

from audit_kernel.site import SETTINGS_FILE, Site, create_site
from benchmarks.deliver import ask, intake, run
from benchmarks.hospital import MONTH, MOST_COPIES, make_world, write_month, write_reference
from benchmarks.results import Lines, keep

MOST_SECONDS = 150


def with_settings(site: Site, engine: str, memory: str = "") -> Site:
    """Write engine and memory into the settings; Spark gets all cores of this machine, and the memory of a month."""
    path = site.folder / SETTINGS_FILE
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings |= {"engine": engine, "spark": {"master": f"local[{os.cpu_count()}]"}}
    settings["store"]["memory_limit"] = memory or settings["store"]["memory_limit"]
    path.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    return Site(site.folder)


def prepare(folder: Path, n_rows: int, lines: Lines, engine: str) -> Site:
    """Take the month and its reference data in, or take what an earlier run left in the folder."""
    if (folder / "site" / "taken_in").exists():
        return Site(folder / "site")
    shutil.rmtree(folder / "site", ignore_errors=True)
    site = with_settings(create_site(folder / "site", "SE", "Benchmark"), engine)
    world = make_world(folder / "world")
    access_log = next(path for path in world.log_files if path.name.startswith("mcss_access") and MONTH in path.name)
    with access_log.open("rb") as file:
        in_one = sum(1 for _line in file)
    n_copies = min(max(n_rows // in_one, 1), MOST_COPIES)
    for kind, path in write_reference(world, folder, n_copies).items():
        lines.add(f"{kind}: {run(site, 'reference', str(path), '--kind', kind)[0]:,.0f} s")
    for source_id, path in write_month(world, folder, n_copies).items():
        spent, peak = intake(site, [path], source_id)
        lines.add(f"{source_id}: {path.stat().st_size / 1e6:,.0f} MB, {spent:,.0f} s, {peak:.1f} GB")
        path.unlink()
    (folder / "site" / "taken_in").touch()
    return site


def compare(site: Site, lines: Lines) -> None:
    """Run the same month with each engine, on a store that both read; tell seconds, memory and differing tables."""
    tables = {}
    for engine in ("duckdb", "spark"):
        spent, peak, said = ask(with_settings(site, engine), "month", MONTH, "--seed", "benchmark", "--json")
        found = json.loads(said)
        failed = [page["name"] for page in found["pages"] if page["reason"]]
        folder = Path(found["bag"]) / "data" / "tables"
        tables[engine] = {path.name: path.read_bytes() for path in folder.glob("*.csv")}
        lines.add(f"{engine}: {spent:,.0f} s, {peak:.1f} GB in the command; failed: {', '.join(failed) or 'none'}.")
    one, other = tables.values()
    differing = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    lines.add(f"{len(one)} result tables (CSV); not the same bytes: {', '.join(differing) or 'none'}.")


def measure(site: Site, lines: Lines, memory: str) -> None:
    """Run the month with this memory limit and tell what took how long."""
    site = with_settings(site, "duckdb", memory)
    spent, peak, said = ask(site, "month", MONTH, "--seed", "benchmark", "--json")
    pages = json.loads(said)["pages"]
    of_pages = sum(page["seconds"] for page in pages)
    n_checks = sum(page["room"] == "checks" for page in pages)
    failed = [page["name"] for page in pages if page["reason"]]
    lines.add("")
    lines.add("| page | seconds |")
    lines.add("|---|---|")
    for page in pages:
        lines.add(f"| {page['name']} | {page['seconds']:.1f}{' FAILED' if page['reason'] else ''} |")
    lines.add("")
    lines.add(
        f"The month: {spent:,.0f} s (at most {MOST_SECONDS}), {n_checks} checks, {peak:.1f} GB at most in the command,"
        f" of which store.memory_limit {memory}."
    )
    lines.add(f"Pages together {of_pages:,.0f} s of process time; failed: {', '.join(failed) or 'none'}.")


def main() -> None:
    """Measure, print and write RESULTS.md."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=8_500_000)
    parser.add_argument("--spark", action="store_true", help="the month on DuckDB, then on Spark, on this machine")
    parser.add_argument("--memory", default="6GB", help="store.memory_limit of the month")
    parser.add_argument("--folder", type=Path, help="where the site is kept; the next run there measures it again")
    arguments = parser.parse_args()
    lines = Lines()
    folder = arguments.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    lines.add(
        f"{datetime.now().astimezone():%Y-%m-%d}, Python {platform.python_version()}, DuckDB {duckdb.__version__},"
        f" {platform.processor() or platform.machine()}, {os.cpu_count()} cores."
    )
    lines.add("")
    try:
        site = prepare(folder, arguments.rows, lines, "spark" if arguments.spark else "duckdb")
        if arguments.spark:
            compare(site, lines)
        else:
            measure(site, lines, arguments.memory)
    finally:
        beside = "DuckDB beside Spark, a" if arguments.spark else "A"
        keep(f"{beside} month of {arguments.rows:,} rows", lines.lines)
        if not arguments.folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
