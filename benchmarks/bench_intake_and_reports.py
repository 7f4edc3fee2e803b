"""Intake and the three reports against DuckDB, Polars and pandas over the same rows in plain Parquet, in one run.

The peers answer an easier question: their Parquet already holds each row's patient (we resolve it from the related
record), and they give neither names nor plain words, write no use log and look nothing up in reference data. Each
figure is the median over several patients or employees; the ratio is the peer's time divided by ours.

    python benchmarks/bench_intake_and_reports.py --rows 1000000
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import duckdb
import pandas

from audit_kernel.site import Site, create_site
from audit_kernel.store.intake import take_in
from audit_kernel.store.reading import Store
from audit_kernel.store.reference import take_in_reference

RESULTS = Path(__file__).with_name("RESULTS.md")
FIRST_DAY, N_DAYS = date(2026, 8, 1), 92
FROM_DATE, TO_DATE = date(2026, 9, 1), date(2026, 9, 30)
# Local midnight in Oslo, summer time, as the stored UTC time.
START_AT, END_AT = datetime(2026, 8, 31, 22), datetime(2026, 9, 30, 22)  # noqa: DTZ001 - naive UTC as stored
N_SUBJECTS = 7
ROWS_PER_PATIENT, ROWS_PER_EMPLOYEE = 500, 2500

Question = Callable[[str], int]


def generate(folder: Path, n_rows: int) -> tuple[Path, Path, Path]:
    """Write a log of `n_rows` rows in Gerica's layout, its record keys, and the same rows as plain Parquet."""
    log, keys, plain = folder / "log.csv", folder / "record_keys.csv", folder / "plain.parquet"
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(
        """
        create table rows as
        select
            number,
            timestamp '2026-07-31 22:00:00' + to_microseconds(number * $step) as recorded_at,
            'EMP' || lpad(cast(hash(number) % $n_employees as varchar), 5, '0') as employee,
            cast(100000 + hash(number + 7) % $n_patients as varchar) as patient,
            hash(number + 13) % 10 as kind
        from range($n_rows) as numbers(number)
        """,
        {
            "n_rows": n_rows,
            "step": N_DAYS * 86_400_000_000 // n_rows,
            "n_employees": max(n_rows // ROWS_PER_EMPLOYEE, N_SUBJECTS),
            "n_patients": max(n_rows // ROWS_PER_PATIENT, N_SUBJECTS),
        },
    )
    connection.execute(
        """
        create view named as
        select
            number,
            recorded_at,
            employee,
            patient,
            case when kind = 0 then 'Skriving' else 'Lesing' end as log_type,
            case when kind < 6 then 'Journal' else 'Bruker' end as table_name,
            case when kind < 6 then 'J' || patient else patient end as record_ref,
            case when kind = 0 then 'Post endret' else 'Post vist' end as message_type
        from rows
        """
    )
    connection.execute(
        f"""
        copy (
            select
                number as "Id. nr.", strftime(recorded_at + interval 2 hours, '%d.%m.%Y') as "Dato",
                strftime(recorded_at + interval 2 hours, '%H:%M:%S') as "Tid", log_type as "Loggtype",
                employee as "Ansatt", table_name as "Tabell", record_ref as "Relatert post",
                message_type as "Meldingstype"
            from named order by number
        ) to '{log}' (header, delimiter ';')
        """
    )
    connection.execute(
        f"""
        copy (
            select distinct
                'gerica' as source_id, 'Journal' as table_name, 'J' || patient as record_ref, patient as patient_id,
                '' as valid_from, '' as valid_to
            from rows order by patient
        ) to '{keys}' (header, delimiter ';')
        """
    )
    connection.execute(
        f"copy (select * replace (date_trunc('second', recorded_at) as recorded_at) from named order by number)"
        f" to '{plain}' (format parquet)"
    )
    connection.close()
    return log, keys, plain


def duckdb_questions(plain: Path) -> dict[str, Question]:
    """Return the three questions as plain DuckDB asks them."""
    connection = duckdb.connect()
    period = f"from '{plain}' where recorded_at >= ? and recorded_at < ?"

    def ask(text: str, subject: str) -> int:
        return connection.execute(text, [START_AT, END_AT, subject]).to_arrow_table().num_rows

    activity = (
        "select employee, count(*) filter (where table_name = 'Journal'), count(*), min(recorded_at), max(recorded_at)"
        f" {period} and patient = ? group by employee order by employee"
    )
    return {
        "activity": lambda subject: ask(activity, subject),
        "detailed_activity": lambda subject: ask(f"select * {period} and patient = ? order by recorded_at", subject),
        "system_log": lambda subject: ask(f"select * {period} and employee = ? order by recorded_at", subject),
    }


def pandas_questions(plain: Path) -> dict[str, Question]:
    """Return the three questions as pandas asks them, with the filters pushed down to Parquet."""

    def read(column: str, subject: str) -> pandas.DataFrame:
        filters = [("recorded_at", ">=", START_AT), ("recorded_at", "<", END_AT), (column, "==", subject)]
        return pandas.read_parquet(plain, filters=filters)

    def activity(subject: str) -> int:
        frame = read("patient", subject)
        return len(frame.groupby("employee").agg({"recorded_at": ["count", "min", "max"]}))

    return {
        "activity": activity,
        "detailed_activity": lambda subject: len(read("patient", subject).sort_values("recorded_at")),
        "system_log": lambda subject: len(read("employee", subject).sort_values("recorded_at")),
    }


def polars_questions(plain: Path) -> dict[str, Question]:
    """Return the three questions as Polars asks them, lazily."""
    import polars

    def read(column: str, subject: str) -> polars.LazyFrame:
        at = polars.col("recorded_at")
        return polars.scan_parquet(plain).filter((at >= START_AT) & (at < END_AT) & (polars.col(column) == subject))

    def activity(subject: str) -> int:
        at = polars.col("recorded_at")
        grouped = read("patient", subject).group_by("employee")
        return grouped.agg(at.len().alias("n"), at.min().alias("first"), at.max().alias("last")).collect().height

    return {
        "activity": activity,
        "detailed_activity": lambda subject: read("patient", subject).sort("recorded_at").collect().height,
        "system_log": lambda subject: read("employee", subject).sort("recorded_at").collect().height,
    }


def own_questions(store: Store) -> dict[str, Question]:
    """Return the three questions as the product answers them, use log included."""

    def ask(name: str, **subject: str) -> int:
        return store.report(name, from_date=FROM_DATE, to_date=TO_DATE, **subject).table.num_rows

    return {
        "activity": lambda patient: ask("activity", patient_id=patient),
        "detailed_activity": lambda patient: ask("detailed_activity", patient_id=patient),
        "system_log": lambda employee: ask("system_log", employee_id=employee),
    }


def median_seconds(question: Question, subjects: list[str]) -> tuple[float, int]:
    """Return the median time of a question over the subjects, after one that warms up, and the rows answered."""
    question(subjects[0])
    seconds, n_rows = [], 0
    for subject in subjects:
        began = time.perf_counter()
        n_rows += question(subject)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), n_rows


def take_all_in(site: Site, log: Path, keys: Path) -> float:
    """Take the files in; return the seconds that the log took."""
    take_in_reference(site, keys, "record_keys")
    began = time.perf_counter()
    take_in(site, log, "gerica")
    return time.perf_counter() - began


def measure(n_rows: int, folder: Path) -> list[str]:
    """Return the lines of the results."""
    log, keys, plain = generate(folder, n_rows)
    site = create_site(folder / "site", "NO", "Benchmark")
    seconds = take_all_in(site, log, keys)
    lines = [
        (
            f"Intake: {n_rows / seconds:,.0f} rows/s"
            f" ({n_rows:,} rows, {log.stat().st_size / 1e6:,.0f} MB, {seconds:.1f} s)."
        ),
        "",
    ]
    step = max(n_rows // ROWS_PER_PATIENT // N_SUBJECTS, 1)
    patients = [str(100_000 + number * step) for number in range(N_SUBJECTS)]
    employees = [f"EMP{number:05d}" for number in range(N_SUBJECTS)]
    peers = {
        f"duckdb {duckdb.__version__}": duckdb_questions(plain),
        f"pandas {pandas.__version__}": pandas_questions(plain),
    }
    try:
        peers |= {f"polars {version('polars')}": polars_questions(plain)}
    except PackageNotFoundError:
        lines += ["Polars is not installed here: pip install 'audit-kernel[bench]'.", ""]
    began = time.perf_counter()
    with Store(site, "benchmark") as store:
        lines += [f"Opening the store: {time.perf_counter() - began:.2f} s, once for each session.", ""]
        ours = own_questions(store)
        lines += [
            f"| report | ours | {' | '.join(f'{name} (ratio)' for name in peers)} |",
            "|---" * (2 + len(peers)) + "|",
        ]
        for name, own in ours.items():
            subjects = employees if name == "system_log" else patients
            own_seconds, own_rows = median_seconds(own, subjects)
            cells = [f"| {name} | {own_seconds * 1000:,.0f} ms"]
            for peer, questions in peers.items():
                peer_seconds, peer_rows = median_seconds(questions[name], subjects)
                if peer_rows != own_rows:
                    message = f"{name}: {peer} answers {peer_rows} rows, we answer {own_rows}: not the same question"
                    raise SystemExit(message)
                cells.append(f"{peer_seconds * 1000:,.0f} ms ({peer_seconds / own_seconds:.1f}x)")
            lines.append(" | ".join(cells) + " |")
    return lines


def main() -> None:
    """Measure, print and write RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=1_000_000)
    n_rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        lines = measure(n_rows, Path(folder))
    today = datetime.now().astimezone().date()
    heading = [
        "# Results of `make bench`",
        "",
        (
            f"{today:%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores."
            " A ratio above 1 means that we are faster."
        ),
        (__doc__ or "").split("\n\n")[1].replace("\n", " "),
        "",
    ]
    print("\n".join(lines))
    RESULTS.write_text("\n".join([*heading, *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
