"""Measures the check of controlled drugs on made-up months: who is found, by person and month."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audit_kernel.shrinkage import stand_out
from tests.sql.conftest import SQL, Lake
from tests.sql.drug_log import HELD_APART, N_DAYS, TUNED, Log, drug_log
from tests.sql.drugs import THRESHOLDS

if TYPE_CHECKING:
    from collections.abc import Iterable

LIMITS = {"unaccounted_tail": "0.005", "minimum_unaccounted_doses": 3}
LOCAL = "timezone('Europe/Oslo', timezone('UTC', recorded_at))"


def fill(lake: Lake, log: Log) -> None:
    """Put a made-up month into a lake."""
    lake.connection.register("made", pa.Table.from_pylist(log.rows))
    lake.connection.execute(
        "insert into lake.medication_events by name select *, 'drugs' as source_id, 'file' as file_id,"
        f" 1 as line_number, cast({LOCAL} as date) as local_date, hour({LOCAL}) as local_hour, 1 as local_weekday,"
        " false as is_holiday, 'ok' as time_flag from made"
    )
    lake.reference("shifts", **log.shifts[0])
    lake.connection.register("worked", pa.Table.from_pylist(log.shifts[1:]))
    lake.connection.execute(
        "insert into lake.shifts by name select *, 'file' as delivery_id, timestamp '2026-01-01' as delivered_at,"
        " row_number() over () + 1 as row_number from worked"
    )
    for patient, day in log.deaths.items():
        lake.reference("patient_flags", patient_id=patient, flag="deceased", valid_from=day.date())


def found(lake: Lake, **given: Any) -> list[dict[str, Any]]:
    """Return the people whom the check finds, with its thresholds."""
    name = "checks/controlled_drugs"
    lake.read_first(name, **THRESHOLDS)
    text = (SQL / f"{name}.sql").read_text(encoding="utf-8")
    rows = lake.connection.execute(text, lake.bound(text)).to_arrow_table()
    kept: list[dict[str, Any]] = stand_out(rows, {**LIMITS, **given}).to_pylist()
    return kept


def measure(seeds: Iterable[int], n_skimmers: int, ways: tuple[str, ...], doses: tuple[int, int]) -> Counter[str]:
    """Count people and months by what they are and whether they were found."""
    counts: Counter[str] = Counter()
    for seed in seeds:
        lake, log = Lake(threads=2), drug_log(seed, n_skimmers, ways, doses)
        fill(lake, log)
        named = {row["employee_id"] for row in found(lake)}
        lake.connection.close()
        for who in log.people:
            way = log.skimmed.get(who, ("honest", 0))[0]
            counts[f"{way}, {'found' if who in named else 'not found'}"] += 1
    return counts


def _print(title: str, counts: Counter[str]) -> None:
    skimmers = sum(number for key, number in counts.items() if not key.startswith("honest"))
    hits = sum(number for key, number in counts.items() if key.endswith(", found") and not key.startswith("honest"))
    honest = counts["honest, found"] + counts["honest, not found"]
    print(
        f"{title}: sensitivity {hits}/{skimmers}, specificity {counts['honest, not found']}/{honest};",
        ", ".join(f"{key} {number}" for key, number in sorted(counts.items())),
    )


if __name__ == "__main__":
    _print("held apart, 24 to 40 doses", measure(range(1000, 1020), 1, HELD_APART, (24, 40)))
    _print("held apart, 8 to 23 doses", measure(range(1020, 1040), 1, HELD_APART, (8, 23)))
    _print("tuned, 24 to 40 doses", measure(range(900, 920), 1, TUNED, (24, 40)))
    _print("tuned, 8 to 23 doses", measure(range(920, 940), 1, TUNED, (8, 23)))
    _print(f"nobody, {N_DAYS} days", measure(range(700, 706), 0, TUNED, (0, 0)))
