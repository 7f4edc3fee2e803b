"""A month's answers, worked out once and read by each page: twenty notebooks would each explain the month anew."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audit_kernel.catalog import FRAME
from audit_kernel.errors import AuditKernelError
from audit_kernel.files import write_new
from audit_kernel.parameters import PERIOD, decided_values
from audit_kernel.query import Result

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from audit_kernel.catalog import Query
    from audit_kernel.site import Site
    from audit_kernel.store.reading import Store

COUNTED = ("rows_searched", "rows_unresolved", "rows_unconfirmed", "rows_unknown_code", "reasons_searched")
RANKING = "ranked_findings"
SHOWN_PARTS = ("counts", "matrix", FRAME)


def answer_checks(store: Store, names: Collection[str], given: Mapping[str, Any], folder: Path) -> None:
    """Ask each check and the parts of it that its page shows, and keep the answers in `folder`.

    What cannot be answered is left to the check's own page, which says why.

    Parameters
    ----------
    names: as `schedule.yml` has them; those that are no check are left out.
    given: `from_date`, `to_date` and `seed`.
    """
    folder.mkdir(mode=0o700)
    findings = []
    for name in names:
        if not name.startswith("checks/"):
            continue
        for part in ("", *SHOWN_PARTS):
            parameters = {key: value for key, value in given.items() if key != "seed" or part == FRAME}
            try:
                result = store.part(name, part, **parameters)
            except AuditKernelError:
                continue
            if result is not None:
                keep(folder, result, parameters)
                findings += [] if part else [result.table]
    if RANKING in names:
        period = {key: value for key, value in given.items() if key in PERIOD}
        store.keep_findings(findings)
        # Without an access in the period there is nothing to rank: its page says so.
        with suppress(AuditKernelError):
            keep(folder, store.report(RANKING, **period), period)


def keep(folder: Path, result: Result, given: Mapping[str, Any]) -> None:
    """Write an answer: its rows as Arrow, its counts as JSON."""
    path = folder / _key(result.query, given)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, result.table.schema) as writer:
        writer.write_table(result.table)
    write_new(path.with_suffix(".arrow"), sink.getvalue().to_pybytes())
    counted = {name: getattr(result, name) for name in COUNTED}
    write_new(path.with_suffix(".json"), json.dumps(counted).encode())


def kept(folder: Path, site: Site, query: Query, given: Mapping[str, Any]) -> Result | None:
    """Return the answer that was kept for these parameters, None where there is none."""
    path = folder / _key(query, given)
    if not path.with_suffix(".json").is_file():
        return None
    with pa.OSFile(str(path.with_suffix(".arrow")), "rb") as file:
        table = pa.ipc.open_file(file).read_all()
    values, used, _day = decided_values(site, query, given)
    counted = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    counted["reasons_searched"] = tuple((reason, found) for reason, found in counted["reasons_searched"])
    return Result(query, table, values, thresholds=used, **counted)


def _key(query: Query, given: Mapping[str, Any]) -> str:
    asked = {key: str(value) for key, value in given.items()}
    text = json.dumps([query.room, query.name, query.part, asked], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
