"""What was added to a case, read back after checking that nothing of it was changed.

Rows and files lie in `cases/NAME/ID/` of the site beside a `manifest-sha256.txt` that `sha256sum -c` checks; the
SHA-256 of the manifest stands in the case's journal, whose last line every sealed run names.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from audit_kernel.errors import UsageError, VerificationError
from audit_kernel.evidence import bag as bags

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from audit_kernel.cases.case import Case, Evidence
    from audit_kernel.site import Site

ROWS, FILE, RUN, DRAFT = "rows", "file", "run", "draft"
TABLE = "rows"


def folder_of(site: Site, case: Case, evidence: Evidence) -> Path:
    """Return where evidence of a case lies; a run's stays where it was sealed."""
    if evidence.kind == RUN:
        return site.live_folder / str(evidence.entry["archive"]) / evidence.id
    return site.cases_folder / case.name / evidence.id


def is_whole(site: Site, case: Case, evidence: Evidence) -> bool:
    """Tell whether evidence is as it was when it was added: nothing changed, missing or added."""
    folder = folder_of(site, case, evidence)
    try:
        if evidence.kind == RUN:
            return bags.digest_of(folder / bags.TAG_MANIFEST) == evidence.sha256
        content = (folder / bags.MANIFEST).read_bytes()
        listed = bags.parse_manifest(content)
        files = bags.read_tree(folder)
        if hashlib.sha256(content).hexdigest() != evidence.sha256 or listed is None or files.links:
            return False
        found = {name: bags.digest_of(path) for name, path in files.files.items() if name != bags.MANIFEST}
    except OSError:
        return False
    return found == listed


def rows_of(site: Site, case: Case, evidence: Evidence) -> pa.Table:
    """Return the rows of evidence of the kind `rows`, after checking that nothing of it was changed.

    Raises
    ------
    VerificationError: something was.
    """
    import pyarrow.parquet

    refuse_changed(site, case, evidence)
    found: pa.Table = pyarrow.parquet.read_table(folder_of(site, case, evidence) / f"{TABLE}.parquet")
    return found


def refuse_changed(site: Site, case: Case, evidence: Evidence) -> None:
    """Refuse evidence that is not as it was added.

    Raises
    ------
    VerificationError: it is not.
    """
    if not is_whole(site, case, evidence):
        raise VerificationError(
            "Evidence {number} of the case was changed after it was added: nothing is made from it.",
            "Restore {folder!r} from a backup.",
            number=evidence.number,
            folder=f"{site.cases_folder.name}/{case.name}/{evidence.id}",
        )


def of_number(case: Case, number: int) -> Evidence:
    """Return the evidence with this number.

    Raises
    ------
    UsageError: the case has none of this number.
    """
    found = next((each for each in case.evidence if each.number == number), None)
    if found is None:
        raise UsageError(
            "The case has no evidence {number}.", "See it with: audit-kernel case show NUMBER", number=number
        )
    return found
