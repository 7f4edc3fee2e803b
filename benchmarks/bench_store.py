"""The store at size, ours and the peers in the same run: a year's log in daily files of two sources.

    make bench                                  # 10 million rows in daily files, about 30 minutes
    make bench ROWS=100000000 FILES=monthly     # 100 million rows in monthly files, about an hour, 45 GB of disk
    .venv/bin/python -m benchmarks.bench_store --help   # keep the year and measure it again

The ratio is the peer's time divided by ours; each figure is the median of at least five.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from audit_kernel.site import Site
from audit_kernel.store.connection import tidy, writing
from audit_kernel.store.reading import Store
from benchmarks.deliver import TIMES, compare_intake, deliver_year, new_site, seconds, write_plain
from benchmarks.peers import PEERS
from benchmarks.results import Lines, keep
from benchmarks.year import FIRST_DAY, N_DAYS, Year

TO_DATE = FIRST_DAY + timedelta(days=N_DAYS)  # the last UTC day ends on the next local one
WEEK = (date(2026, 5, 4), date(2026, 5, 10))
MONTH_ROWS = 8_500_000


def medians(question: Callable[[str], int], subjects: Sequence[str]) -> tuple[float, list[int]]:
    """Return the median seconds of a question over the subjects, warm, and the rows of each answer."""
    question(subjects[0])
    times, rows = [], []
    for subject in subjects:
        began = time.perf_counter()
        rows.append(question(subject))
        times.append(time.perf_counter() - began)
    return statistics.median(times), rows


def ask_ours(site: Site, year: Year, said: list[str], heading: str) -> dict[str, tuple[float, list[int]]]:
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
    said.append(
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


def year_of(year: Year, folder: Path, lines: Lines, *, is_daily: bool) -> Site:
    """Deliver the year, ask, and merge it; or take what an earlier run left in the folder, with its figures."""
    said = folder / "delivered.md"
    if said.exists():
        for line in said.read_text(encoding="utf-8").splitlines():
            lines.add(line)
        return Site(folder / "site")
    site = new_site(folder / "site")
    n_said = len(lines.lines)
    deliver_year(year, site, folder, lines, is_daily=is_daily)

    def merge() -> None:
        with writing(site, site.temporary_folder) as connection:
            tidy(connection)

    before: list[str] = []
    ask_ours(site, year, before, "before merging")
    lines.add(f"Merging the year: {seconds(merge):,.0f} s.")
    lines.add("")
    lines.add("| | opening | -141, a patient's year | -141, an employee's year | -140, a week | -119, a week |")
    lines.add("|---|---|---|---|---|---|")
    lines.add(before[0])
    said.write_text("\n".join(lines.lines[n_said:]) + "\n", encoding="utf-8")
    return site


def measure(year: Year, folder: Path, lines: Lines, month_rows: int, *, is_daily: bool) -> None:
    """Run everything over one year."""
    site = year_of(year, folder, lines, is_daily=is_daily)
    after: list[str] = []
    answers = ask_ours(site, year, after, "after merging")
    lines.add(after[0])
    plain = folder / "plain"
    if not plain.exists():
        plain.mkdir()
        write_plain(year, plain)
    ask_peers(year, plain, answers, lines)
    compare_intake(year, site, folder, lines, month_rows)


def main() -> None:
    """Measure, print and write RESULTS.md."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="where the year is kept; the next run there measures it again")
    parser.add_argument("--files", choices=("daily", "monthly"), default="daily", help="how the year is delivered")
    parser.add_argument("--month-rows", type=int, default=MONTH_ROWS, help="rows of the month whose intake is compared")
    arguments = parser.parse_args()
    lines = Lines()
    lines.add(
        f"{datetime.now().astimezone():%Y-%m-%d}, {arguments.rows:,} rows, Python {platform.python_version()},"
        f" {platform.processor() or platform.machine()}, {os.cpu_count()} cores."
    )
    lines.add("")
    folder = arguments.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        measure(Year(arguments.rows), folder, lines, arguments.month_rows, is_daily=arguments.files == "daily")
    finally:
        keep(f"{arguments.rows:,} rows", lines.lines, __doc__ or "")
        if not arguments.folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
