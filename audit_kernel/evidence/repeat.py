"""Makes a sealed run's files again, in a process of its own: nothing is sealed, journalled or kept in the store."""

from __future__ import annotations

import json
import sys
import threading
import warnings
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import AuditKernelError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence.answers import CONTROL
from audit_kernel.evidence.execute import end_with_the_runner, outputs_hash
from audit_kernel.evidence.month import KIND, month_days
from audit_kernel.evidence.month_pages import Drawn, answer_month, write_front_pages
from audit_kernel.evidence.restricted import RESTRICTED, kept_apart
from audit_kernel.evidence.restricted_run import make_restricted
from audit_kernel.evidence.run import Plan, execute_all
from audit_kernel.files import replace_whole
from audit_kernel.locale import translator
from audit_kernel.sample_journal import Draw
from audit_kernel.site import Site
from audit_kernel.spark import counting_store
from audit_kernel.store.reading import Store

if TYPE_CHECKING:
    from audit_kernel.evidence.execute import Outcome
    from audit_kernel.evidence.month_pages import Answers


@dataclass(frozen=True)
class Order:
    """What is to be made again: folders of the sealed inputs, the live site and the work; the statement's parameters.

    program: folder of the program with the sealed SQL, notebooks, parameters and template.
    dependencies: name and SHA-256 of each file that the run was made of, in its order.
    started_at: when the run began, with offset.
    opened_for: the purpose in the use log.
    threads: of each query; the site's setting when None.
    """

    site: str
    live: str
    program: str
    working: str
    asked: dict[str, Any]
    worked: dict[str, Any]
    dependencies: list[list[str]]
    started_at: str
    opened_for: str
    threads: int | None


@dataclass(frozen=True)
class Repeated:
    """What came of it: where the files lie, SHA-256 by path, of each notebook's outputs by page, and what failed.

    failed: why a page could not be made, by page.
    is_other_store: the ledger at that snapshot names other files than the statement.
    error: why nothing was made at all; empty when it was.
    """

    folder: str = ""
    files: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    is_other_store: bool = False
    error: str = ""


def repeat(order: Order) -> Repeated:
    """Make the files again in the working folder.

    Raises
    ------
    AuditKernelError: the store cannot be opened at that snapshot, or the inputs no longer fit the program.
    RuntimeError: the program runs with other SQL and pages than the sealed ones.
    """
    if not resource_folder("sql").is_relative_to(order.program):
        message = "another installation of the program came first"
        raise RuntimeError(message)
    site, asked, working = Site(Path(order.site), Path(order.live)), order.asked, Path(order.working)
    notebooks = [(each["page"], each["notebook"], each["parameters"]) for each in asked["notebooks"]]
    told = (asked["kind"], asked["period"], asked["purpose"], asked["language"], order.worked["snapshot"], notebooks)
    is_month = asked["kind"] in {KIND, RESTRICTED}
    control = asked["period"] if is_month else ""
    opened = counting_store if is_month else Store
    with opened(site, order.opened_for, order.worked["snapshot"], order.threads, control) as store:
        deliveries = store.deliveries()
        answers = _answered(store, site, asked, working) if is_month else None
    began = datetime.fromisoformat(order.started_at)
    plan = Plan(*told, deliveries, asked, began, order.threads, opened_for=order.opened_for)
    outcomes = _made(site, plan, order.worked, answers, working)
    folder = working / (RESTRICTED if plan.is_restricted else "") / "payload"
    tree = bags.read_tree(folder).files if folder.is_dir() else {}
    return Repeated(
        folder=str(folder),
        files={f"data/{path}": bags.digest_of(file) for path, file in tree.items()},
        outputs={each.name: outputs_hash(folder / "notebooks" / f"{each.name}.ipynb") for each in outcomes},
        failed={each.name: each.reason for each in outcomes if not each.succeeded},
        is_other_store=[[each.file_name, each.file_id] for each in deliveries] != order.dependencies,
    )


def _answered(store: Store, site: Site, asked: dict[str, Any], working: Path) -> Answers:
    """Answer a month's questions, with the draw that the statement holds."""
    draw = asked.get("sample_draw")
    drawn = Drawn(*month_days(asked["period"]), asked["seed"], Draw.from_plain(draw) if draw else None)
    apart = kept_apart(site, store, drawn.first, drawn.last)
    return answer_month(store, [each["notebook"] for each in asked["notebooks"]], drawn, apart, working)


def _made(site: Site, plan: Plan, worked: dict[str, Any], answers: Answers | None, working: Path) -> list[Outcome]:
    """Make the pages, and of a month the two that are made last."""
    breaks = worked["journal_breaks"]
    if answers and plan.is_restricted:
        # Nothing to keep apart any more: nothing is made, and each sealed file is told as lacking.
        has_use = any(notebook == CONTROL for _page, notebook, _given in plan.notebooks)
        return make_restricted(site, plan, working, answers.apart, breaks) if answers.kept_back or has_use else []
    outcomes = execute_all(site, plan, working)
    if answers:
        pages, broken = working / "payload" / "pages", [*breaks, *worked.get("unkept", ())]
        write_front_pages(site, plan, pages, outcomes, answers, broken)
    return outcomes


def main(path: str, answer: str) -> None:
    """Carry out the order in a file, and write what came of it."""
    warnings.simplefilter("ignore")
    order = Order(**json.loads(Path(path).read_text(encoding="utf-8")))
    language = order.asked["language"]
    try:
        told = repeat(order)
    except AuditKernelError as error:
        told = Repeated(error=error.text(language))
    except Exception as error:  # noqa: BLE001 - whatever ends it is what came of it; its text could quote a log
        _ = translator(language)
        told = Repeated(error=_("An error of the program ended it: {error}.").format(error=type(error).__name__))
    replace_whole(Path(answer), json.dumps(told.__dict__).encode())


if __name__ == "__main__":
    threading.Thread(target=end_with_the_runner, daemon=True).start()
    main(*sys.argv[1:])
