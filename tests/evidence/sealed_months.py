"""Sealed months made by hand: a few findings, a drawn sample, decisions in the journal; no store is opened."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet

from audit_kernel import decisions
from audit_kernel.bag_inputs import copy_inputs
from audit_kernel.evidence.run import Plan, seal_run, working_folder
from audit_kernel.sample_design import Decisions, Design
from audit_kernel.sample_journal import Draw
from audit_kernel.site import Site, create_site
from tests.evidence.certified import outcome

HOSTILE = "<script>alert(1)</script>\u202e=SUM(1)"
UNITS = {"U1": "Nordbo", "U2": HOSTILE}
CHECKS = ("checks/own_record", "checks/media_interest", "checks/units")


def make_site(folder: Path, country="NO") -> Site:
    """Return a site that has keys and journals, and no store."""
    return create_site(folder / "site", country, "Lillevik kommune")


def draw(month: str) -> Draw:
    """Return a draw of four of a hundred days, two of each unit."""
    decided = Decisions("days", "unit_id", "0.95", "0.05", "0.1", 1, 1)
    design = Design(decided, 100, 4, 4, 4, ())
    entry = {"month": month, "draw": 1, "reason": "", "frame_sha256": "cd" * 32, "design": design.as_plain()}
    return Draw({"entry": entry}, {"entry": {"seed": "4 1 6"}})


def drawn_rows() -> pa.Table:
    rows = [
        {
            "stratum": unit,
            "place": place,
            "stage": 1,
            "n_stratum": 50,
            "unit_key": f"day-{unit}-{place}",
            "unit_id": unit,
            "unit_name": UNITS[unit],
        }
        for unit in UNITS
        for place in (1, 2)
    ]
    return pa.Table.from_pylist(rows)


def seal_month(
    site: Site, month: str, findings: dict[str, int | str], *, run_id="", n_restricted=0, is_sampled=True
) -> Path:
    """Seal a month whose checks found so many, or, where a text stands, could not be assessed, or failed ('!')."""
    outcomes, tables = [], {}
    for name in CHECKS:
        said = findings.get(name.split("/")[-1])
        if said is None:
            continue
        if said == "!":
            outcomes.append(outcome(name, reason="KeyError"))
            continue
        count = said if isinstance(said, int) else 0
        outcomes.append(outcome(name, count, not_assessable=said if isinstance(said, str) else ""))
        outcomes[-1].facts["room"] = "checks"
        rows = [
            {"finding_id": f"{month}-{name}-{n}", "unit_id": list(UNITS)[n % 2], "unit_name": UNITS[list(UNITS)[n % 2]]}
            for n in range(count)
        ]
        schema = pa.schema([(each, pa.string()) for each in ("finding_id", "unit_id", "unit_name")])
        tables[name.split("/")[-1]] = pa.Table.from_pylist(rows, schema)
    if is_sampled:
        tables["draw"] = drawn_rows()
    asked = {
        "sample_draw": draw(month).as_plain() if is_sampled else None,
        "restricted": {"n_findings": n_restricted, "run": "", "tagmanifest_sha256": ""},
    }
    notebooks = [(each.name, f"checks/{each.name}", {}) for each in outcomes]
    plan = Plan("monthly", month, "month", "en", 7, notebooks, [], asked, run_id=run_id)
    with working_folder(site) as working:
        for name in ("pages", "tables"):
            (working / "payload" / name).mkdir(parents=True)
        (working / "payload" / "pages" / "index.html").write_text("<p>x</p>", encoding="utf-8")
        for name, table in tables.items():
            pyarrow.parquet.write_table(table, working / "payload" / "tables" / f"{name}.parquet")
        with patch("audit_kernel.evidence.run.copy_inputs", _parameters):  # three hundred files less a month
            return seal_run(site, plan, working, outcomes)


def _parameters(site: Site, target: Path) -> dict[str, str]:
    copy_inputs(site, target, ("parameters",))
    return {}


def finding(month: str, check: str, number: int) -> tuple[str, str]:
    return "finding", f"{month}-checks/{check}-{number}"


def days() -> list[tuple[str, str]]:
    return [("sample", str(key)) for key in drawn_rows().column("unit_key").to_pylist()]


def send_list(site: Site, month: str, subjects, reviewer="E9", name="Karin Ek") -> None:
    """Make a list known that holds these subjects, one row each."""
    rows = [{"number": n, "kind": kind, "keys": [key], "sha256": ""} for n, (kind, key) in enumerate(subjects, 1)]
    entry = {"kind": "list", "list_id": f"{month}-{reviewer}", "month": month, "run": "r", "reviewer_id": reviewer}
    decisions.journal(site).append({**entry, "reviewer_name": name, "rows": rows})


def decide(site: Site, month: str, said: dict[tuple[str, str], tuple[str, str]]) -> None:
    """Write decisions: (decision, reason) by subject."""
    each = [
        {"kind": kind, "key": key, "decision": decision, "reason": reason, "remark": "x"}
        for (kind, key), (decision, reason) in said.items()
    ]
    decisions.journal(site).append(
        {"kind": "decisions", "month": month, "reviewer_id": "E9", "user": "kari", "decisions": each}
    )
