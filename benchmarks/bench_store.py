"""The store at size, ours and the peers in the same run: a year's log in daily files of two sources.

    make bench                                  # 10 million rows in daily files, about 30 minutes
    make bench ROWS=100000000 FILES=monthly     # 100 million rows in monthly files, about an hour, 45 GB of disk

The ratio is the peer's time divided by ours; each figure is the median of at least five.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path

import duckdb

from audit_kernel.site import Site, create_site
from audit_kernel.store.connection import tidy, writing
from audit_kernel.store.reading import Store
from benchmarks.peers import PEERS, floor
from benchmarks.year import FIRST_DAY, HEADER, N_DAYS, SOURCES, Year, named, write_csv, write_mappings, write_reference

RESULTS = Path(__file__).with_name("RESULTS.md")
TIMES = 5
TO_DATE = FIRST_DAY + timedelta(days=N_DAYS - 1)
WEEK = (date(2026, 5, 4), date(2026, 5, 10))
MONTH_AFTER = date(2026, 11, 1)
MONTH_ROWS = 8_500_000


class Lines:
    """What is measured, printed at once and kept for the results."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, text: str) -> None:
        """Print and keep one line."""
        print(text, flush=True)
        self.lines.append(text)


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def stopwatch(lines: Lines, text: str) -> Iterator[None]:
    """Add a line with the seconds that the block took."""
    began = time.perf_counter()
    yield
    lines.add(f"{text}: {time.perf_counter() - began:,.1f} s.")


# The ordinary command, but that merging waits, so that reading is measured before it too.
WITHOUT_MERGING = """
import audit_kernel.store.connection as store
store.FILES_WORTH_MERGING = store.FILES_OF_A_PAST_MONTH = 10**6
from audit_kernel.cli import main
main()
"""
COMMAND = [sys.executable, "-c", WITHOUT_MERGING]


def new_site(folder: Path) -> Site:
    """Make a site with both mappings."""
    site = create_site(folder, "NO", "Benchmark")
    write_mappings(site.folder / "parameters" / "sources")
    return site


def intake(site: Site, files: Sequence[Path], source_id: str) -> float:
    """Take files in by the ordinary command; return its seconds."""
    command = [*COMMAND, "intake", *map(str, files), "--source", source_id]
    return seconds(
        lambda: subprocess.run([*command, "--site", str(site.folder), "--json"], check=True, stdout=subprocess.DEVNULL)
    )


def union(year: Year, days: Sequence[int]) -> str:
    """SQL of the rows of several days."""
    return "(" + " union all ".join(f"select * from {year.day(day)}" for day in days) + ")"


def deliver_year(year: Year, site: Site, folder: Path, lines: Lines, *, is_daily: bool) -> None:
    """Write and take in each day's or month's two files, a month at a time, and its rows as one plain Parquet file."""
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("set TimeZone = 'UTC'")
    for kind, path in write_reference(connection, year, folder).items():
        command = [*COMMAND, "reference", str(path), "--kind", kind]
        subprocess.run([*command, "--site", str(site.folder)], check=True, stdout=subprocess.DEVNULL)
    spent, n_files = 0.0, 0
    for month in range(12):
        days = [day for day in range(N_DAYS) if (FIRST_DAY + timedelta(days=day)).month == (10 + month) % 12 + 1]
        for place, source_id in enumerate(SOURCES):
            files = [
                write_csv(
                    connection,
                    f"(select * from {union(year, delivered)} where number % 2 = {place})",
                    folder / f"{source_id}_{delivered[0]:03d}.csv",
                )
                for delivered in ([[day] for day in days] if is_daily else [days])
            ]
            spent += intake(site, files, source_id)
            n_files += len(files)
            for path in files:
                path.unlink()
        connection.execute(
            "copy (select * replace (date_trunc('second', recorded_at) as recorded_at)"
            f" from ({named(union(year, days))}) order by number)"
            f" to '{folder}/plain/{month:02d}.parquet' (format parquet, compression zstd)"
        )
    connection.close()
    n_rows = year.n_rows // N_DAYS * N_DAYS
    lines.add(
        f"A year in {n_files} {'daily' if is_daily else 'monthly'} files by the ordinary command: {spent:,.0f} s,"
        f" {n_rows / spent:,.0f} rows/s, {spent / n_files:.2f} s a file."
    )


def medians(question: Callable[[str], int], subjects: Sequence[str]) -> tuple[float, list[int]]:
    """Return the median seconds of a question over the subjects, warm, and the rows of each answer."""
    question(subjects[0])
    times, rows = [], []
    for subject in subjects:
        began = time.perf_counter()
        rows.append(question(subject))
        times.append(time.perf_counter() - began)
    return statistics.median(times), rows


def ask_ours(site: Site, year: Year, lines: Lines, heading: str) -> dict[str, tuple[float, list[int]]]:
    """Measure opening and the drill-down; return medians and rows of -141 for patients and employees."""
    step = max(year.n_patients // 11, 1)
    patients = [str(10_000_000 + number * step) for number in range(TIMES + 2)]
    employees = [f"EMP{number * max(year.n_employees // 11, 1):06d}" for number in range(TIMES + 2)]
    opening = statistics.median(seconds(lambda: Store(site, "benchmark").close()) for _time in range(TIMES))
    with Store(site, "benchmark") as store:

        def rows_of(name: str, first: date, last: date, **subject: str) -> int:
            return store.report(name, from_date=first, to_date=last, **subject).table.num_rows

        answers = {
            "patient": medians(lambda who: rows_of("activity", FIRST_DAY, TO_DATE, patient_id=who), patients),
            "employee": medians(lambda who: rows_of("activity", FIRST_DAY, TO_DATE, employee_id=who), employees),
            "-140": medians(lambda who: rows_of("detailed_activity", *WEEK, patient_id=who), patients),
            "-119": medians(lambda who: rows_of("system_log", *WEEK, patient_id=who), patients),
        }
    lines.add(
        f"| {heading} | {opening:.2f} s | "
        + " | ".join(f"{answers[name][0] * 1000:,.0f} ms" for name in ("patient", "employee", "-140", "-119"))
        + " |"
    )
    return answers


def ask_peers(year: Year, plain: Path, ours: dict[str, tuple[float, list[int]]], lines: Lines) -> None:
    """Ask the peers -141 over the year; their answers must have as many rows as ours."""
    start = datetime.combine(FIRST_DAY - timedelta(days=1), datetime.min.time())
    end = datetime.combine(TO_DATE + timedelta(days=2), datetime.min.time())
    step = max(year.n_patients // 11, 1)
    subjects = {
        "patient": [str(10_000_000 + number * step) for number in range(TIMES + 2)],
        "employee": [f"EMP{number * max(year.n_employees // 11, 1):06d}" for number in range(TIMES + 2)],
    }
    lines.add("")
    lines.add("| -141, a year | ours | " + " | ".join(f"{name} {version(name)}" for name in PEERS) + " | best peer |")
    lines.add("|---" * (len(PEERS) + 3) + "|")
    for column, whom in subjects.items():
        own, own_rows = ours[column]
        cells, times = [], []
        for make in PEERS.values():
            peer, rows = medians(make(plain, column, start, end), whom)
            if rows != own_rows:
                message = f"{make.__name__} answers {rows} rows, we answer {own_rows}: not the same question"
                raise SystemExit(message)
            times.append(peer)
            cells.append(f"{peer * 1000:,.0f} ms ({peer / own:.1f} x)")
        lines.add(f"| one {column} | {own * 1000:,.0f} ms | {' | '.join(cells)} | {min(times) / own:.1f} x |")


def month_files(year: Year, folder: Path, n_rows: int) -> dict[str, Path]:
    """Write the month after the year, once for each source."""
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("set TimeZone = 'UTC'")
    files = {
        source_id: write_csv(
            connection,
            year.rows(year.n_rows + place * n_rows, n_rows, MONTH_AFTER, 30),
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
    lines.add("| log | ours | DuckDB's floor | ratio | into the full store |")
    lines.add("|---|---|---|---|---|")
    for source_id, path in files.items():
        own, bare = [], []
        for _time in range(TIMES):
            with tempfile.TemporaryDirectory(dir=folder) as target:
                own.append(intake(new_site(Path(target) / "site"), [path], source_id))
                bare.append(seconds(partial(floor, path, HEADER, Path(target))))
        full = intake(site, [path], source_id)
        ratio = statistics.median(mine / theirs for mine, theirs in zip(own, bare, strict=True))
        lines.add(
            f"| {'with ids' if source_id == 'bench_ids' else 'hashed'} | {statistics.median(own):.1f} s,"
            f" {n_rows / statistics.median(own):,.0f} rows/s | {statistics.median(bare):.1f} s | {ratio:.2f} x"
            f" | {full:.1f} s |"
        )
        path.unlink()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    lines.add("")
    lines.add(f"Most memory of any intake: {peak:.1f} GB.")


def measure(year: Year, folder: Path, lines: Lines, month_rows: int, *, is_daily: bool) -> None:
    """Run everything over one year."""
    plain = folder / "plain"
    plain.mkdir()
    site = new_site(folder / "site")
    deliver_year(year, site, folder, lines, is_daily=is_daily)
    lines.add("")
    lines.add("| | opening | -141, a patient's year | -141, an employee's year | -140, a week | -119, a week |")
    lines.add("|---|---|---|---|---|---|")
    ask_ours(site, year, lines, "before merging")

    def merge() -> None:
        with writing(site, site.temporary_folder) as connection:
            tidy(connection)

    merging = seconds(merge)
    answers = ask_ours(site, year, lines, "after merging")
    ask_peers(year, plain, answers, lines)
    stored = sum(path.stat().st_size for path in (site.folder / "store").rglob("*.parquet")) / 1e9
    lines.add("")
    lines.add(f"Merging the year: {merging:,.0f} s. The store with the files not yet cleared: {stored:,.1f} GB.")
    compare_intake(year, site, folder, lines, month_rows)


def main() -> None:
    """Measure, print and write RESULTS.md."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, default=None, help="where to work; a temporary folder when left out")
    parser.add_argument("--files", choices=("daily", "monthly"), default="daily", help="how the year is delivered")
    parser.add_argument("--month-rows", type=int, default=MONTH_ROWS, help="rows of the month whose intake is compared")
    arguments = parser.parse_args()
    lines = Lines()
    lines.add(
        f"{datetime.now().astimezone():%Y-%m-%d}, {arguments.rows:,} rows, Python {platform.python_version()},"
        f" {platform.processor() or platform.machine()}, {os.cpu_count()} cores."
    )
    lines.add("")
    folder = Path(tempfile.mkdtemp(dir=arguments.folder))
    try:
        measure(Year(arguments.rows), folder, lines, arguments.month_rows, is_daily=arguments.files == "daily")
    finally:
        keep(arguments.rows, lines.lines)
        shutil.rmtree(folder, ignore_errors=True)


def keep(n_rows: int, lines: Sequence[str]) -> None:
    """Put the lines into RESULTS.md in place of the last run of the same size; other sizes stay."""
    heading = f"## {n_rows:,} rows"
    kept = RESULTS.read_text(encoding="utf-8").split("\n## ") if RESULTS.exists() else []
    others = [f"## {part.rstrip()}" for part in kept[1:] if not f"## {part}".startswith(heading)]
    head = "# Results of `make bench`\n\n" + (__doc__ or "").strip()
    RESULTS.write_text("\n\n".join([head, *others, "\n".join([heading, "", *lines])]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
