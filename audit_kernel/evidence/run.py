"""A run: notebooks executed side by side, then sealed as one bag."""

from __future__ import annotations

import os
import platform
import secrets
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_kernel.bag_inputs import copy_inputs, program_hash
from audit_kernel.catalog import Catalog
from audit_kernel.evidence import restricted
from audit_kernel.evidence.execute import TIMEOUT_SECONDS, Outcome, Task, environment, execute, outputs_hash
from audit_kernel.evidence.journals import journal_heads
from audit_kernel.evidence.masked_run import as_told, copy_masked_site
from audit_kernel.evidence.masking import FULL, MASKED, clean_notebook
from audit_kernel.evidence.rendering import failure_page
from audit_kernel.evidence.run_file import RunFile
from audit_kernel.evidence.seal import provenance
from audit_kernel.evidence.site_signing import seal_for_site, unstamped
from audit_kernel.evidence.warm import CAN_FORK, warm_starter
from audit_kernel.store.workspace import RUN, workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from audit_kernel.evidence.warm import Start
    from audit_kernel.site import Site
    from audit_kernel.store.ledger import Delivery

BUILD_TYPE = "urn:audit-kernel:run:v1"
BUILDER = "urn:audit-kernel:runner"
MONTHLY = "monthly"


@dataclass(frozen=True)
class Plan:
    """What a run is made of.

    `name` follows `model.md`: period, kind, run id. `notebooks` are (page name, notebook name, parameters).
    A masked run has the `scope` of its pseudonyms, and `people`: whose those in its parameters are.
    `opened_for` is the purpose in the use log where it is not the one that the pages show.
    `start` starts the notebooks where several runs share a warm process (`notebook_starter`).
    """

    kind: str
    period: str
    purpose: str
    language: str
    snapshot: int
    notebooks: Sequence[tuple[str, str, Mapping[str, Any]]]
    deliveries: Sequence[Delivery]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    threads: int | None = None
    timeout: int = TIMEOUT_SECONDS
    scope: str = ""
    people: Mapping[str, str] = field(default_factory=dict)
    opened_for: str = ""
    start: Start | None = field(default=None, repr=False, compare=False)

    @property
    def is_restricted(self) -> bool:
        """Whether only the privacy officer reads it."""
        return self.kind == restricted.RESTRICTED

    @property
    def name(self) -> str:
        """The bag's name."""
        return f"{self.period}-{self.kind}-{self.run_id}"

    run_id: str = field(default="")

    def __post_init__(self) -> None:
        """Give the run its id: start time (UTC) and four random hexadecimal digits."""
        if not self.run_id:
            run_id = f"{self.started_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
            object.__setattr__(self, "run_id", run_id)


def working_folder(site: Site) -> AbstractContextManager[Path]:
    """Make a folder for one run inside the site, owner-only; it is removed afterwards, by the next run if need be."""
    return workspace(site, RUN)


def notebook_starter(working: Path) -> AbstractContextManager[Start | None]:
    """Give what starts the notebooks of one run, or of several after each other: warm where processes can be forked."""
    return warm_starter(working, environment(working)) if CAN_FORK else nullcontext(None)


def execute_all(
    site: Site, plan: Plan, working: Path, progress: Callable[[Outcome], None] | None = None
) -> list[Outcome]:
    """Execute the plan's notebooks on the cores there are; a failed one gets a failure page, the others go on."""
    payload = working / "payload"
    for folder in ("pages", "notebooks", "tables"):
        (payload / folder).mkdir(parents=True)
    home = "index.html" if len(plan.notebooks) > 1 else ""
    workers = max(1, min(len(plan.notebooks), os.cpu_count() or 1))
    threads = plan.threads or max(1, site.settings.store.threads // workers)
    run_file = working / "run.json"
    shared, apart = (str(path) if path.exists() else "" for path in (working / "answers", working / restricted.FILE))
    purpose = plan.opened_for or plan.purpose
    told = (str(site.folder), plan.snapshot, purpose, threads, str(payload / "tables"), home, shared, apart)
    began, live = f"{plan.started_at:%Y-%m-%d}", str(site.live_folder)
    control = plan.period if plan.kind in (MONTHLY, restricted.RESTRICTED) else ""
    RunFile(*told, plan.is_restricted, live, began, plan.scope, plan.people, control, site.asked_by).write(run_file)
    catalog = Catalog(site.folder)
    tasks = [
        Task(
            name=page,
            notebook=str(catalog.notebook(notebook)),
            executed=str(payload / "notebooks" / f"{page}.ipynb"),
            page=str(payload / "pages" / f"{page}.html"),
            parameters={"run": str(run_file), "language": plan.language, **parameters},
            language=plan.language,
            room="checks" if notebook.startswith("checks/") else "reports",
            timeout=plan.timeout,
        )
        for page, notebook, parameters in plan.notebooks
    ]
    outcomes: dict[str, Outcome] = {}
    starts = nullcontext(plan.start) if plan.start else notebook_starter(working)
    with starts as start, ThreadPoolExecutor(workers) as pool:
        # reports take longest: begun last, one would keep a core waiting
        in_order = sorted(tasks, key=lambda task: task.room == "checks")
        for future in as_completed([pool.submit(execute, task, working, start) for task in in_order]):
            outcome = future.result()
            outcomes[outcome.name] = outcome
            if progress:
                progress(outcome)
    for task in tasks:
        if plan.scope and Path(task.executed).is_file():
            clean_notebook(Path(task.executed), working)
        if not outcomes[task.name].succeeded:
            Path(task.page).write_text(
                failure_page(task.name, plan.language, outcomes[task.name].reason), encoding="utf-8", newline="\n"
            )
    return [outcomes[task.name] for task in tasks]


def identified(site: Site, plan: Plan) -> dict[str, Any]:
    """Return what a statement begins with: which run it is, why, in what language and for whom."""
    named = ("kind", "period", "purpose", "language")
    shown = {"identity": MASKED if plan.scope else FULL, "identity_scope": plan.scope}
    whose = {"site": site.settings.name, "country": site.settings.country}
    return {**{name: getattr(plan, name) for name in named}, **shown, **whose}


@cache
def versions() -> Mapping[str, str]:
    """Return the version of Python, of each package and of this program."""
    return {
        "python": platform.python_version(),
        **{each.metadata["Name"].lower(): each.version for each in distributions() if each.metadata["Name"]},
        "audit-kernel": version("audit-kernel"),
    }


def seal_run(
    site: Site,
    plan: Plan,
    working: Path,
    outcomes: Sequence[Outcome],
    journal_breaks: Sequence[str] = (),
    warn: Callable[[str], None] | None = None,
    unkept: Sequence[str] = (),
) -> Path:
    """Seal the run's payload as one bag of the site's archive; return the bag's folder.

    Parameters
    ----------
    journal_breaks: what is wrong with the site's journals, a sentence each; it is sealed too.
    warn: told when the time authority gave no stamp.
    unkept: why the month's days without a reason could not be kept; it stands on the index.
    """
    payload, plan = working / "payload", as_told(site, plan)
    sql_hashes = copy_inputs(site, payload / "inputs")
    if plan.scope:
        copy_masked_site(site, plan.scope, payload / "inputs")
    catalog = Catalog(site.folder)
    predicate = provenance(
        build_type=BUILD_TYPE,
        builder_id=BUILDER,
        builder_version=versions(),
        started_at=plan.started_at,
        finished_at=datetime.now(UTC),
        external_parameters={
            **identified(site, plan),
            "notebooks": [
                {"page": page, "notebook": notebook, "parameters": dict(parameters)}
                for page, notebook, parameters in plan.notebooks
            ],
            **plan.parameters,
        },
        internal_parameters={
            "snapshot": plan.snapshot,
            "sql_sha256": sql_hashes,
            "program_sha256": program_hash(),
            "replaced": catalog.replaced,
            "journals": journal_heads(site),
            "journal_breaks": list(journal_breaks),
            "unkept": list(unkept),
            "pages": [
                {
                    "page": each.name,
                    "succeeded": each.succeeded,
                    "reason": each.reason,
                    "facts": each.facts,
                    "milliseconds": round(each.seconds * 1000),
                    "outputs_sha256": outputs_hash(payload / "notebooks" / f"{each.name}.ipynb"),
                }
                for each in outcomes
            ],
        },
        dependencies=[
            {
                "name": each.file_name,
                "digest": {"sha256": each.file_id},
                "annotations": {
                    "source_id": each.source_id,
                    "records_read": each.n_read,
                    "records_stored": each.n_stored,
                    "records_known": each.n_known,
                    "records_quarantined": each.n_quarantined,
                },
            }
            for each in plan.deliveries
        ],
        invocation_id=plan.run_id,
    )
    archive = site.restricted_folder if plan.is_restricted else site.archive_folder
    told = unstamped(plan.language, warn) if warn else None
    return seal_for_site(site, payload, archive, plan.name, predicate, warn=told)
