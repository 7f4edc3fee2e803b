"""A month's answers, worked out once and read by each page: twenty notebooks would each explain the month anew."""

from __future__ import annotations

import hashlib
import json
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
RANKING, SHARE = "ranked_findings", "explained_share"
SHOWN_PARTS = ("counts", "matrix", FRAME)


def answer_checks(store: Store, names: Collection[str], given: Mapping[str, Any], folder: Path) -> None:
    """Ask each check and the parts of it that its page shows, and what rests on them; keep the answers in `folder`.

    What cannot be answered is left to the check's own page, which says why.

    Parameters
    ----------
    names: as `schedule.yml` has them; the sample and what else asks by itself are left out.
    given: `from_date`, `to_date` and `seed`.
    """
    folder.mkdir(mode=0o700)
    period = {key: value for key, value in given.items() if key in PERIOD}

    def answered(query: Query, parameters: Mapping[str, Any]) -> list[pa.Table]:
        try:
            result = store.ask(query, parameters)
        except AuditKernelError:
            return []
        keep(folder, result, parameters)
        return [result.table]

    findings = []
    for query in (store.catalog.query(name) for name in names if name.startswith("checks/")):
        findings += answered(query, period)
        for part in SHOWN_PARTS:
            if beside := query.beside(part):
                answered(beside, given if part == FRAME else period)
    store.keep_findings(findings)
    for name in (SHARE, RANKING):
        if name in names:
            answered(store.catalog.query(name), period)


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
