"""What the benchmark delivers by the ordinary command: a year, and a month in turn with DuckDB's bare floor."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import duckdb

from audit_kernel.site import Site, create_site
from benchmarks.peers import floor
from benchmarks.results import Lines
from benchmarks.year import FIRST_DAY, HEADER, N_DAYS, SOURCES, Year, named, write_csv, write_mappings, write_reference

MONTH_AFTER = date(2026, 11, 2)
TIMES = 5


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


# The ordinary command, but that merging waits, so that reading is measured before it too.
WITHOUT_MERGING = """
import sys
from pathlib import Path
import audit_kernel.store.connection as store
store.FILES_WORTH_MERGING = store.FILES_OF_A_PAST_MONTH = 10**6
from audit_kernel.cli import main
try:
    main()
finally:
    # not getrusage: a child begins with its parent's peak
    print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0], file=sys.stderr)
"""
COMMAND = [sys.executable, "-c", WITHOUT_MERGING]


def new_site(folder: Path) -> Site:
    """Make a site with both mappings."""
    site = create_site(folder, "NO", "Benchmark")
    write_mappings(site.folder / "parameters" / "sources")
    return site


def run(site: Site, *words: str) -> tuple[float, float]:
    """Run one command; return its seconds, and its peak of memory in GB (Linux)."""
    return ask(site, *words)[:2]


def ask(site: Site, *words: str) -> tuple[float, float, str]:
    """Run one command; return what `run` does, and what the command printed."""
    began = time.perf_counter()
    done = subprocess.run([*COMMAND, *words, "--site", str(site.folder)], check=False, capture_output=True, text=True)
    spent = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr)
    return spent, int(done.stderr.split()[-1]) * 1024 / 1e9, done.stdout


def intake(site: Site, files: Sequence[Path], source_id: str) -> tuple[float, float]:
    """Take files in by the ordinary command; return what `run` does."""
    return run(site, "intake", *map(str, files), "--source", source_id, "--json")


def union(year: Year, days: Sequence[int]) -> str:
    """SQL of the rows of several days."""
    return "(" + " union all ".join(f"select * from {year.day(day)}" for day in days) + ")"


def days_by_month() -> list[list[int]]:
    """Return the numbers of the year's days, month by month."""
    months: dict[int, list[int]] = {}
    for day in range(N_DAYS):
        months.setdefault((FIRST_DAY + timedelta(days=day)).month, []).append(day)
    return list(months.values())


def write_plain(year: Year, folder: Path) -> None:
    """Write the year's rows for the peers, one plain Parquet file a month, sorted as the log was written."""
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("set TimeZone = 'UTC'")
    for month, days in enumerate(days_by_month()):
        connection.execute(
            "copy (select * replace (date_trunc('second', recorded_at) as recorded_at)"
            f" from ({named(union(year, days))}) order by number)"
            f" to '{folder}/{month:02d}.parquet' (format parquet, compression zstd)"
        )
    connection.close()


def deliver_year(year: Year, site: Site, folder: Path, lines: Lines, *, is_daily: bool) -> None:
    """Write and take in each day's or month's two files, a month at a time."""
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("set TimeZone = 'UTC'")
    for kind, path in write_reference(connection, year, folder).items():
        run(site, "reference", str(path), "--kind", kind)
    spent, n_files = 0.0, 0
    for days in days_by_month():
        for place, source_id in enumerate(SOURCES):
            files = [
                write_csv(
                    connection,
                    f"(select * from {union(year, delivered)} where number % 2 = {place})",
                    folder / f"{source_id}_{delivered[0]:03d}.csv",
                )
                for delivered in ([[day] for day in days] if is_daily else [days])
            ]
            spent += intake(site, files, source_id)[0]
            n_files += len(files)
            for path in files:
                path.unlink()
    connection.close()
    n_rows = year.n_rows // N_DAYS * N_DAYS
    lines.add(
        f"A year in {n_files} {'daily' if is_daily else 'monthly'} files by the ordinary command: {spent:,.0f} s,"
        f" {n_rows / spent:,.0f} rows/s, {spent / n_files:.2f} s a file."
    )


def month_files(year: Year, folder: Path, n_rows: int) -> dict[str, Path]:
    """Write a month after the year, once for each source; its ids are new at every run."""
    first = year.n_rows + int(time.time()) % 10**6 * 10**7
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("set TimeZone = 'UTC'")
    files = {
        source_id: write_csv(
            connection,
            year.rows(first + place * n_rows, n_rows, MONTH_AFTER, 28),
            folder / f"month_{source_id}.csv",
        )
        for place, source_id in enumerate(SOURCES)
    }
    connection.close()
    return files


def compare_intake(year: Year, site: Site, folder: Path, lines: Lines, n_rows: int) -> None:
    """Take a month in, as one file, into empty stores and into the full one, in turn with DuckDB's bare floor."""
    files = month_files(year, folder, n_rows)
    lines.add("")
    lines.add(
        f"Intake of one month ({n_rows:,} rows, {files['bench_ids'].stat().st_size / 1e6:,.0f} MB,"
        " both sort orders, encrypted, ledger, duplicates checked):"
    )
    lines.add("")
    lines.add("| log | ours | DuckDB's floor | ratio | into the full store | most memory |")
    lines.add("|---|---|---|---|---|---|")
    for source_id, path in files.items():
        own, bare, peaks = [], [], []
        for _time in range(TIMES):
            with tempfile.TemporaryDirectory(dir=folder) as target:
                spent, peak = intake(new_site(Path(target) / "site"), [path], source_id)
                own.append(spent)
                peaks.append(peak)
                bare.append(seconds(partial(floor, path, HEADER, Path(target))))
        full, peak = intake(site, [path], source_id)
        peaks.append(peak)
        ratio = statistics.median(mine / theirs for mine, theirs in zip(own, bare, strict=True))
        lines.add(
            f"| {'with ids' if source_id == 'bench_ids' else 'hashed'} | {statistics.median(own):.1f} s,"
            f" {n_rows / statistics.median(own):,.0f} rows/s | {statistics.median(bare):.1f} s | {ratio:.2f} x"
            f" | {full:.1f} s | {max(peaks):.1f} GB |"
        )
        path.unlink()
