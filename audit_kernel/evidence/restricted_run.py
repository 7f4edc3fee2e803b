"""The second run of a month: the checks' pages with what is kept for the privacy officer, sealed in `restricted/`."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain
from audit_kernel.evidence.answers import CONTROL, RANKING
from audit_kernel.evidence.disposed import disposed_runs
from audit_kernel.evidence.index import index_page
from audit_kernel.evidence.journals import journal_problems
from audit_kernel.evidence.problems import Problem, problem
from audit_kernel.evidence.restricted import FILE, RESTRICTED, notice
from audit_kernel.evidence.run import Plan, execute_all, seal_run
from audit_kernel.evidence.run_file import RunFile
from audit_kernel.evidence.verify import verify
from audit_kernel.files import OWNER_ONLY_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from audit_kernel.evidence.execute import Outcome
    from audit_kernel.evidence.restricted import KeptApart
    from audit_kernel.site import Site


@dataclass(frozen=True)
class RestrictedRun:
    """What was kept apart: how many findings, in which sealed run, and what became of its notebooks."""

    n_findings: int = 0
    run: str = ""
    tagmanifest_sha256: str = ""
    outcomes: tuple[Outcome, ...] = ()

    def told(self) -> dict[str, Any]:
        """Return what the ordinary run's statement says of it: nothing of whom or which check."""
        return {
            RESTRICTED: {
                "n_findings": self.n_findings, "run": self.run, "tagmanifest_sha256": self.tagmanifest_sha256,
            }
        }  # fmt: skip


def run_restricted(
    site: Site,
    plan: Plan,
    working: Path,
    apart: KeptApart,
    kept_back: Mapping[str, int],
    breaks: Sequence[str],
    warn: Callable[[str], None] | None = None,
    *,
    has_use: bool = False,
) -> RestrictedRun:
    """Run the pages of what is kept apart, and seal them; nothing where nothing is.

    Parameters
    ----------
    plan: of the month's ordinary run, whose id it shares.
    working: of the month; the answers are in `restricted/` there.
    kept_back: how many findings are kept apart, by check.
    breaks: what is wrong with the site's journals.
    warn: as in `seal_run`.
    has_use: whether the use log has lines about these people; its page is among them then, and always with findings.
    """
    if not kept_back and not has_use:
        return RestrictedRun()
    others = (RANKING, CONTROL) if kept_back else (CONTROL,)
    notebooks = [each for each in plan.notebooks if each[1] in kept_back or each[1] in others]
    plan = replace(plan, kind=RESTRICTED, notebooks=notebooks)
    outcomes = make_restricted(site, plan, working, apart, breaks)
    bag = seal_run(site, plan, working / RESTRICTED, outcomes, breaks, warn)
    run = chain.read_run(bag)
    digest = run.tagmanifest_sha256 if run else ""
    return RestrictedRun(apart.n_findings, plan.name, digest, tuple(outcomes))


def make_restricted(site: Site, plan: Plan, working: Path, apart: KeptApart, breaks: Sequence[str]) -> list[Outcome]:
    """Make all that the run holds in `working/restricted/payload`; `plan` is the restricted run's own."""
    own = working / RESTRICTED
    own.mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)
    apart.write(own)
    outcomes = execute_all(site, plan, own)
    payload = own / "payload"
    (own / FILE).rename(payload / FILE)
    warnings = [*notice(RunFile("", 0, "", 0, "", shows_restricted=True), plan.language), *breaks]
    html = index_page(site, plan, outcomes, warnings)
    (payload / "pages" / "index.html").write_text(html, encoding="utf-8", newline="\n")
    return outcomes


def site_problems(site: Site, public_key: Path, language: str, authority: Path | None = None) -> list[Problem]:
    """Return what is wrong with what a site has beside its archive: journals, evidence of cases, `restricted/`."""
    from audit_kernel.cases.problems import case_problems

    of_restricted = restricted_problems(site, public_key, authority)
    return [*journal_problems(site, language), *case_problems(site), *of_restricted]


def restricted_problems(site: Site, public_key: Path, authority: Path | None = None) -> list[Problem]:
    """Return what `verify` finds in `restricted/`, and each ordinary run whose restricted one is not as sealed."""
    folder = site.restricted_folder
    sealed = {name: gone.tagmanifest_sha256 for name, gone in disposed_runs(folder).items()}
    sealed |= {run.name: run.tagmanifest_sha256 for run in (chain.archive_runs(folder) if folder.is_dir() else [])}
    is_used = folder.is_dir() and any(folder.iterdir())
    wrong = verify(folder, public_key, authority=authority) if is_used else []
    found = [replace(each, run=f"{folder.name}/{each.run}") for each in wrong]
    for bag in chain.bag_folders(site.archive_folder):
        with contextlib.suppress(OSError, ValueError, RecursionError, KeyError, TypeError):  # `verify` says these
            statement = json.loads((bag / bags.STATEMENT).read_bytes())
            told = statement["predicate"]["buildDefinition"]["externalParameters"][RESTRICTED]
            if told["run"] and sealed.get(told["run"]) != told["tagmanifest_sha256"]:
                found.append(problem(bag.name, bags.STATEMENT, "restricted_missing"))
    return found
