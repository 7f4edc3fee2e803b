"""Three ways without the product, each given as many reviews over the whole site as the product's lists hold.

They are not held to twenty for each manager, which favours them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import duckdb
import pyarrow as pa

from evaluation.bags import Review

ROWS_OF_A_PATIENT, PATIENTS_OF_AN_EMPLOYEE = 100, 100  # a month; round figures, as log tools have them

RANDOM = """
select employee_id, patient_id, min(recorded_at) as first_at, max(recorded_at) as last_at
from accesses group by employee_id, patient_id, local_date order by employee_id, patient_id, local_date
"""
COUNTED = """
with subjects as (
    select employee_id, patient_id, max(role) as role, count(*) as measure, 'rows' as kind,
        min(recorded_at) as first_at, max(recorded_at) as last_at
    from accesses group by employee_id, patient_id
    union all
    select employee_id, null, max(role), count(distinct patient_id), 'patients', min(recorded_at), max(recorded_at)
    from accesses group by employee_id
)
"""
FIXED = f"""{COUNTED}
select employee_id, patient_id, first_at, last_at from subjects
where measure > case kind when 'rows' then {ROWS_OF_A_PATIENT} else {PATIENTS_OF_AN_EMPLOYEE} end
order by measure / case kind when 'rows' then {ROWS_OF_A_PATIENT} else {PATIENTS_OF_AN_EMPLOYEE} end desc,
    employee_id, patient_id
limit $n
"""
DEVIATING = f"""{COUNTED}, scored as (
    select *,
        (measure - avg(measure) over (partition by kind, role))
        / nullif(stddev_samp(measure) over (partition by kind, role), 0) as score
    from subjects
)
select employee_id, patient_id, first_at, last_at from scored
where score > 2 order by score desc, employee_id, patient_id limit $n
"""


def random_sample(accesses: pa.Table, n_reviews: int, seed: str) -> list[Review]:
    """Return access-days drawn by SHA-256 over seed, `|` and their place."""
    days = _reviews("random sample", accesses, RANDOM, {})
    places = sorted(range(len(days)), key=lambda place: hashlib.sha256(f"{seed}|{place}".encode()).digest())
    return [days[place] for place in places[:n_reviews]]


def fixed_thresholds(accesses: pa.Table, n_reviews: int, seed: str) -> list[Review]:  # noqa: ARG001 - as the others
    """Return whoever passes a fixed number of rows about one patient, or of patients, the furthest beyond first."""
    return _reviews("fixed thresholds", accesses, FIXED, {"n": n_reviews})


def standard_deviations(accesses: pa.Table, n_reviews: int, seed: str) -> list[Review]:  # noqa: ARG001 - as the others
    """Return whoever passes mean + 2 standard deviations of the role, in rows of a patient or in patients."""
    return _reviews("mean + 2 sd", accesses, DEVIATING, {"n": n_reviews})


BASELINES: dict[str, Callable[[pa.Table, int, str], list[Review]]] = {
    "random sample": random_sample,
    "fixed thresholds": fixed_thresholds,
    "mean + 2 sd": standard_deviations,
}


def _reviews(name: str, accesses: pa.Table, sql: str, values: dict[str, int]) -> list[Review]:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("accesses", accesses)
        rows = connection.execute(sql, values).fetchall()
    return [Review(name, "anomaly", str(who), patient or "", first, last) for who, patient, first, last in rows]
