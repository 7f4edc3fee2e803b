"""A month's answers, worked out once and read by each page: twenty notebooks would each explain the month anew."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pydantic import TypeAdapter

from audit_kernel.catalog import FRAME, USE_LINES, USE_USERS
from audit_kernel.completeness import Lack
from audit_kernel.errors import AuditKernelError, NotAssessableError, StoreError
from audit_kernel.evidence import coverage
from audit_kernel.evidence.restricted import RESTRICTED
from audit_kernel.files import write_new
from audit_kernel.parameters import PERIOD, decided_values
from audit_kernel.query import Result
from audit_kernel.spark_settings import SPARK

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from audit_kernel.catalog import Query
    from audit_kernel.evidence.restricted import KeptApart
    from audit_kernel.site import Site
    from audit_kernel.store.reading import Store

COUNTED = ("rows_searched", "rows_unresolved", "rows_unconfirmed", "rows_unknown_code", "reasons_searched")
ANSWERS = "answers"
REFUSED, LACKING = ".refused", ".lacking"
LACKS = TypeAdapter(tuple[Lack, ...])
RANKING, SHARE = "ranked_findings", "explained_share"
CONTROL = "control_of_the_controllers"
# the page of completeness, then its parts
COMPLETENESS = ("completeness", "missing_numbers", "clock_faults", "new_codes", "quarantine_reasons")
SHOWN_PARTS = ("counts", "matrix", FRAME)


def answer_checks(
    store: Store, names: Collection[str], given: Mapping[str, Any], working: Path, apart: KeptApart
) -> dict[str, int]:
    """Ask each check and the parts of it that its page shows, and what rests on them.

    The answers are kept in `working/answers`. Findings that are kept apart are ranked by themselves: with some, the
    answers of the run for the privacy officer are kept in `working/restricted/answers`. What cannot be answered is left
    to the check's own page, which says why.

    Parameters
    ----------
    names: as `schedule.yml` has them; the sample and what else asks by itself are left out.
    given: `from_date`, `to_date` and `seed`.

    Returns
    -------
    dict: how many findings are kept apart, by check; checks without any are left out.
    """
    folder = working / ANSWERS
    folder.mkdir(mode=0o700, exist_ok=True)
    period = {key: value for key, value in given.items() if key in PERIOD}
    _answered(store, store.catalog.query(coverage.QUERY), period, folder)  # each page says what the period lacks
    _answer_named(store, COMPLETENESS if COMPLETENESS[0] in names else (), period, folder)
    findings: list[pa.Table] = []
    kept_back: dict[str, pa.Table] = {}
    for name in (name for name in names if name.startswith("checks/")):
        query = store.catalog.query(name)
        for ordinary, other in map(apart.split, _answered(store, query, period, folder)):
            findings.append(ordinary)
            kept_back |= {name: other} if other.num_rows else {}
        for part in SHOWN_PARTS:
            if beside := query.beside(part):
                _answered(store, beside, given if part == FRAME else period, folder)
    if kept_back:
        copy = working / RESTRICTED / ANSWERS
        copy.parent.mkdir(mode=0o700)
        shutil.copytree(folder, copy)
        store.keep_findings(list(kept_back.values()))
        _answer_named(store, [name for name in names if name == RANKING], period, copy)
    store.keep_findings(findings)
    _answer_named(store, [name for name in (SHARE, RANKING) if name in names], period, folder)
    return {name: table.num_rows for name, table in kept_back.items()}


def _answer_named(store: Store, names: Collection[str], period: Mapping[str, Any], folder: Path) -> None:
    for name in names:
        _answered(store, store.catalog.query(name), period, folder)


def _answered(store: Store, query: Query, parameters: Mapping[str, Any], folder: Path) -> list[pa.Table]:
    """Ask and keep the answer; nothing is returned where there is none."""
    try:
        result = store.ask(query, parameters)
    except NotAssessableError as error:
        _keep_lacking(folder / _key(query, parameters), error)
        return []
    except AuditKernelError:
        if store.site.settings.engine == SPARK:  # the page would ask DuckDB instead
            write_new((folder / _key(query, parameters)).with_suffix(REFUSED), b"")
        return []
    keep(folder, result, parameters)
    return [result.table]


def _keep_lacking(path: Path, error: NotAssessableError) -> None:
    """Write what a question lacks, so that its page need not ask anew; what was asked twice is there already."""
    if path.with_suffix(LACKING).exists():
        return
    said = {"relation": error.relation, "is_period_empty": error.is_period_empty, "lacks": error.lacks}
    write_new(path.with_suffix(LACKING), TypeAdapter(dict[str, Any]).dump_json(said))


def keep(folder: Path, result: Result, given: Mapping[str, Any]) -> None:
    """Write an answer: its rows as Arrow, its counts as JSON; what was asked twice is there already."""
    path = folder / _key(result.query, given)
    if path.with_suffix(".json").exists():
        return
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, result.table.schema) as writer:
        writer.write_table(result.table)
    write_new(path.with_suffix(".arrow"), sink.getvalue().to_pybytes())
    counted = {name: getattr(result, name) for name in COUNTED}
    write_new(path.with_suffix(".json"), json.dumps(counted).encode())


def answer_of(folder: str, store: Store, query: Query, parameters: Mapping[str, Any]) -> Result:
    """Return the month's own answer where it was worked out, else what the store says now.

    Parameters
    ----------
    folder: of the kept answers; empty where the run has none.

    Raises
    ------
    StoreError: Spark counts the month and did not answer this; nothing else may in its place.
    """
    found = kept(Path(folder), store.site, query, parameters) if folder else None
    if found:
        return found
    answer = store.ask(query, parameters)  # where data are lacking, it says so in the same words
    is_of_use_log = {USE_LINES, USE_USERS} & {*query.description.needs}
    if folder and store.site.settings.engine == SPARK and not is_of_use_log:
        raise not_answered(query)
    return answer


def not_answered(query: Query) -> StoreError:
    """Return the sentence for a question that Spark left out."""
    return StoreError(
        "The query {query!r} was not answered by Spark, which counts here.",
        "Nothing else counts in its place. Report the query's name and this sentence.",
        query=query.name,
    )


def kept(folder: Path, site: Site, query: Query, given: Mapping[str, Any]) -> Result | None:
    """Return the answer that was kept for these parameters, None where there is none.

    Raises
    ------
    NotAssessableError: data that it needs are lacking.
    StoreError: Spark could not answer, and nothing else may in its place.
    """
    path = folder / _key(query, given)
    if path.with_suffix(LACKING).is_file():
        said = json.loads(path.with_suffix(LACKING).read_text(encoding="utf-8"))
        lacks = LACKS.validate_python(said["lacks"])
        raise NotAssessableError(query.name, said["relation"], is_period_empty=said["is_period_empty"], lacks=lacks)
    if path.with_suffix(REFUSED).is_file():
        raise not_answered(query)
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
