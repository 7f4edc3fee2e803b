"""A month's facts made by hand, for the tests of the certificate: no store is opened."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import yaml

from audit_kernel.evidence.certificate import Rests
from audit_kernel.evidence.execute import Outcome
from audit_kernel.evidence.run import Plan
from audit_kernel.sample_design import Decisions, Design, Promise
from audit_kernel.sample_journal import Draw
from audit_kernel.store.ledger import Delivery

SCHEDULE = Path(__file__).parents[2] / "parameters" / "schedule.yml"
EVERYTHING = tuple(yaml.safe_load(SCHEDULE.read_text(encoding="utf-8"))["monthly"])
PERIOD = {"from_date": "2026-10-01", "to_date": "2026-10-31"}
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)


def delivery(source="gerica", name="october.csv", n_read=1200, n_quarantined=2, **more) -> Delivery:
    values = {
        "file_id": "ab" * 32,
        "source_id": source,
        "file_name": name,
        "n_bytes": 1,
        "n_read": n_read,
        "n_stored": n_read - n_quarantined - 10,
        "n_known": 10,
        "n_quarantined": n_quarantined,
        "n_conflicts": 0,
        "n_rows": n_read,
        "first_at": datetime(2026, 10, 1),
        "last_at": datetime(2026, 10, 31, 22),
        "mapping_hash": "",
        "taken_in_at": datetime(2026, 11, 1),
        "taken_in_by": "x",
    }
    return Delivery(**{**values, **more})


def lacking(source="gerica", n_rows=1200, n_silent_days=0, n_missing_numbers=0, n_odd_hours=0):
    return {
        "source_id": source,
        "n_rows": n_rows,
        "n_silent_days": n_silent_days,
        "n_missing_numbers": n_missing_numbers,
        "n_odd_hours": n_odd_hours,
        "n_quarantined": 0,
    }


def plan(language="nb", names=EVERYTHING, deliveries=(), **parameters) -> Plan:
    notebooks = [(name.split("/")[-1], name, {**PERIOD, "check": name, "seed": "1"}) for name in names]
    return Plan("monthly", "2026-10", "month", language, 7, notebooks, deliveries, parameters)


def outcome(name: str, n_rows=0, searched=99129, not_assessable="", reason="") -> Outcome:
    facts = {"is_assessable": not not_assessable, "n_rows": n_rows, "rows_searched": searched, "title": name}
    facts |= {"not_assessable": not_assessable}
    room = "checks" if name.startswith("checks/") else "reports"
    return Outcome(name.rsplit("/", maxsplit=1)[-1], reason, {} if reason else facts, room=room)


def draw() -> Draw:
    decided = Decisions("days", "unit_id", "0.95", "0.05", "0.1", 1, 1)
    design = Design(decided, 23395, 83, 83, 83, (Promise("days", 23395, 83, 1170, "0.9522"),))
    entry = {"month": "2026-10", "draw": 1, "reason": "", "frame_sha256": "cd" * 32, "design": design.as_plain()}
    seeded = {"entry": {"seed": "4 1 6", "origin": "given", "user": "kari"}}
    return Draw({"entry": entry}, seeded)


def rests(**more) -> Rests:
    return Rests(**{"first": FIRST, "last": LAST, "lacking": [lacking()], "draw": draw(), **more})
