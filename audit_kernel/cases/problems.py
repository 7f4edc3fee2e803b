"""What `verify` says of cases: evidence that is not as it was added. Their journals it checks as all others."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from audit_kernel.cases.case import Case
from audit_kernel.cases.evidence import RUN, is_whole
from audit_kernel.cases.lines import PATTERN
from audit_kernel.errors import JournalError
from audit_kernel.evidence.problems import Problem, problem
from audit_kernel.journal import Journal

if TYPE_CHECKING:
    from audit_kernel.site import Site


def case_problems(site: Site) -> list[Problem]:
    """Return a problem for each folder of evidence that was changed; a sealed run is verified with its archive."""
    found: list[Problem] = []
    for path in sorted(site.journals_folder.glob(PATTERN)):
        with contextlib.suppress(JournalError):  # told as a broken journal
            case = Case.of(path, list(Journal(path).entries()))
            folder = f"{site.cases_folder.name}/{path.stem}"
            wrong = [each for each in case.evidence if not is_whole(site, case, each)] if case else []
            found += [problem("", f"{folder}/{each.id}", "case_changed") for each in wrong if each.kind != RUN]
    return found
