"""Runs a check with the statistics that its `.yml` names, as the engine does."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from audit_kernel import statistics
from tests.sql.conftest import SQL, yaml_of

if TYPE_CHECKING:
    from tests.sql.conftest import Lake


def judged(lake: Lake, check: str, **given: Any) -> list[dict[str, Any]]:
    """Return a check's findings; the false-discovery rate is 0.05."""
    text = (SQL / "checks" / f"{check}.sql").read_text(encoding="utf-8")
    names = yaml_of(SQL / "checks" / f"{check}.yml")["statistics"]
    lake.read_first(f"checks/{check}", **given)
    rows = lake.connection.execute(text, lake.bound(text, **given)).to_arrow_table()
    found: list[dict[str, Any]] = statistics.assess(
        rows, names, {"false_discovery_rate": Decimal("0.05"), **given}
    ).to_pylist()
    return found
