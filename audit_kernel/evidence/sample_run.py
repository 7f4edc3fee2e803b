"""A month's sample in its run: the frame of the pinned snapshot registered, the seed settled, the answers kept."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from audit_kernel import sampling
from audit_kernel.errors import AuditKernelError, NotAssessableError, ParameterError, SettingsError, StoreError
from audit_kernel.evidence.answers import keep
from audit_kernel.sample_design import decisions, design
from audit_kernel.sample_journal import Draw, Frame, settle_draw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    import pyarrow as pa

    from audit_kernel.sample_journal import Request
    from audit_kernel.site import Site
    from audit_kernel.store.reading import Store

NOTEBOOK = "random_sample"
FRAME, DRAW, TARGETED = "sample/frame", "sample/draw", "sample/targeted"
DAYS, CONTEXT = "sample/sampled_days", "sample/context"


def read_frame(store: Store, site: Site, first: date, last: date) -> tuple[pa.Table, Frame]:
    """Return a month's frame at the store's snapshot, and what is registered of it.

    Raises
    ------
    NotAssessableError: there is no access in the month.
    SettingsError: a threshold of the sample is wrong.
    """
    decided = decisions(site, first)
    result = store.report(FRAME, from_date=first, to_date=last, **decided.frame_parameters)
    hashed = sampling.frame_hash(result.table)
    return result.table, Frame(f"{first:%Y-%m}", hashed, store.snapshot, design(result.table, decided))


def draw_month(store: Store, site: Site, first: date, last: date, request: Request) -> Draw | None:
    """Register the month's frame and settle its seed; None where there is no frame: the page then says why.

    Raises
    ------
    RunError, VerificationError, JournalError: see `settle_draw`.
    """
    try:
        _table, frame = read_frame(store, site, first, last)
    except (NotAssessableError, ParameterError, SettingsError, StoreError):
        return None
    return settle_draw(site, frame, request)


def answer_sample(store: Store, draw: Draw, given: Mapping[str, Any], folder: Path) -> None:
    """Draw, and keep what the sample's page shows: the draw, its days with context and rows, the risk-targeted days.

    What cannot be answered is left to the page, which says why.

    Parameters
    ----------
    given: `from_date`, `to_date` and `seed`, as the page gets them.
    folder: of the kept answers.
    """
    shown = ((DRAW, drawn_with(draw, given), (DAYS, CONTEXT)), (TARGETED, dict(given), (DAYS,)))
    for name, parameters, about_days in shown:
        with contextlib.suppress(AuditKernelError):
            result = store.ask(store.catalog.query(name), parameters)
            keep(folder, result, parameters)
            if result.table.num_rows:
                days = of_days(result.table, given)
                for about in about_days:
                    keep(folder, store.ask(store.catalog.query(about), days), days)


def drawn_with(draw: Draw, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of the draw's query."""
    return {**given, **draw.design.draw_parameters}


def of_days(picked: pa.Table, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of the queries about picked days: `employee|patient|date`, each once, in order."""
    rows = picked.select(["employee_id", "patient_id", "local_date"]).to_pylist()
    keys = {f"{row['employee_id'] or '-'}|{row['patient_id']}|{row['local_date']}" for row in rows}
    return {key: value for key, value in given.items() if key != "seed"} | {"unit_keys": sorted(keys)}


def as_parameter(draw: Draw | None) -> str:
    """Return a draw as the text that a notebook gets; empty for none."""
    return json.dumps(draw.as_plain(), sort_keys=True) if draw else ""


def from_parameter(text: str) -> Draw | None:
    """Return what `as_parameter` gave."""
    return Draw.from_plain(json.loads(text)) if text else None
