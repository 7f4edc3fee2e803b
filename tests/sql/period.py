"""Makes the relations of one period in a test's lake, as the engine does for a run."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audit_kernel import use_log_rows
from tests.sql.conftest import SQL

if TYPE_CHECKING:
    from tests.sql.conftest import Lake


def make_period(lake: Lake, first: str = "2026-10-01", last: str = "2026-10-31", explained: str = "false") -> None:
    """Fill `period_accesses`; `explained` is the SQL condition on its rows that says which have a reason."""
    text = (SQL / "period" / "period_accesses.sql").read_text(encoding="utf-8")
    lake.rows(f"create or replace temp table period_accesses as {text}", **lake.bound(text, first=first, last=last))
    lake.rows("create or replace temp view asked_accesses as select * from period_accesses")
    lake.rows(
        "create or replace temp table chance_pairs as select access_id, employee_id, patient_id, unit_id,"
        " false as is_explained from period_accesses"
    )
    lake.rows(
        "create or replace temp table explained_rows as select access_id, 'on_shift' as reason, 3 as strength,"
        f" ['on_shift'] as reasons from period_accesses where {explained}"
    )
    known = "is_access and patient_id is not null and not is_patient_unresolved"
    lake.rows(
        "create or replace temp table explained_accesses as select access_id, 'on_shift' as reason, 3 as strength,"
        f" ['on_shift'] as reasons from period_accesses where {known} and ({explained})"
    )
    lake.rows(
        "create or replace temp table unexplained_accesses as select *, []::varchar[] as reasons"
        f" from period_accesses where {known} and not coalesce({explained}, false)"
    )
    lake.rows(
        "create or replace temp table explained_masks as select access_id, cast(1 as bigint) as mask, 255 as best,"
        f" true as is_enough from period_accesses where {explained}"
    )
    lake.rows(
        "create or replace temp table explanations_searched as"
        " select * from (values (0, 'on_shift', true), (1, 'appointment', true), (2, 'care_team', false))"
        " as known (number, reason, is_searchable)"
    )
    text = (SQL / "period" / "period_authentications.sql").read_text(encoding="utf-8")
    lake.rows(
        f"create or replace temp table period_authentications as {text}", **lake.bound(text, first=first, last=last)
    )
    for kind, name in (("table", "known_addresses"), ("table", "period_places"), ("view", "period_presences")):
        text = (SQL / "period" / f"{name}.sql").read_text(encoding="utf-8")
        lake.rows(f"create or replace temp {kind} {name} as {text}")


def rank(lake: Lake, findings: list[dict[str, object]]) -> None:
    """Make the findings of a month's checks the relation that is ranked; what is not given is NULL."""
    lake.rows(
        "create or replace temp table finding_rows (finding_id varchar, check_id varchar, stream varchar,"
        " employee_id varchar, patient_id varchar, unit_id varchar, first_at timestamp, last_at timestamp,"
        " n_events bigint, tail_probability decimal(19, 18), severity integer, explanation_found varchar)"
    )
    for row in findings:
        lake.insert("finding_rows", row)
    text = (SQL / "period" / "month_findings.sql").read_text(encoding="utf-8")
    lake.rows(f"create or replace temp table month_findings as {text}")


TRIAL = {
    "trial": "start_at timestamp, end_at timestamp, seed varchar, incidents_of_kind bigint",
    "trial_checks": "check_id varchar, why varchar",
    "trial_findings": "check_id varchar, finding_id varchar, employee_id varchar, patient_id varchar,"
    " is_without boolean, is_with boolean, is_new boolean, is_gone boolean, is_within_budget boolean",
    "incident_kinds": "place bigint, kind varchar, n_incidents bigint, n_lost bigint",
    "incident_subjects": "incident bigint, kind varchar, employee_id varchar, patient_id varchar",
}


def make_trial(lake: Lake) -> None:
    """Make the relations of a run with known incidents, still empty."""
    for name, columns in TRIAL.items():
        lake.rows(f"create or replace temp table {name} ({columns})")


def keep_use(lake: Lake, lines: list[dict[str, Any]], users: dict[str, str] | None = None) -> None:
    """Make lines of the use log the relations that are asked; each one's `about` holds people by kind of id."""
    plain: dict[str, Any] = {
        "user_name": "kari",
        "purpose": "sak 2026/17",
        "case_number": "2026/17",
        "use_kind": "question",
    }
    plain |= {"use_activity": "report", "is_control": False, "recorded_at": "2026-10-05 08:00:00"}
    people, rows = [], []
    for sequence, line in enumerate(lines, start=1):
        row = {"sequence": sequence, **plain, **line}
        people += [
            {"sequence": sequence, "employee_id": None, "patient_id": None, kind: each}
            for kind, each in row.pop("about", {}).items()
        ]
        row["recorded_at"] = datetime.fromisoformat(row["recorded_at"])
        rows.append({**row, "local_date": row["recorded_at"].date()})
    known = [{"user_name": user, "employee_id": employee} for user, employee in (users or {}).items()]
    for name, given, schema in (
        ("use_lines", rows, use_log_rows.LINES),
        ("use_people", people, use_log_rows.PEOPLE),
        ("use_users", known, use_log_rows.USERS),
    ):
        lake.connection.register("kept_rows", pa.Table.from_pylist(given, schema))
        lake.rows(f"create or replace temp table {name} as select * from kept_rows")
        lake.connection.unregister("kept_rows")
