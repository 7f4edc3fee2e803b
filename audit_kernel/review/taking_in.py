"""Takes decided review lists in: all of a file or nothing, as one line of the journal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from audit_kernel import decisions
from audit_kernel.errors import IntakeError, UsageError
from audit_kernel.evidence.bag import digest_of
from audit_kernel.review.acting import acting_reviewer, purpose_of, refuse_others_list
from audit_kernel.review.deciding import add_decisions
from audit_kernel.review.reading import REMEDY, read_answers
from audit_kernel.use_log import record_use

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from audit_kernel.site import Site


@dataclass(frozen=True)
class TakenIn:
    """What a list brought: decided rows, new decisions (one for each key of a row), whether the file was known."""

    file_name: str
    month: str
    reviewer_name: str
    n_rows: int
    n_decided: int
    n_new: int
    n_changed: int
    is_repeated: bool


def take_in_lists(site: Site, paths: Iterable[Path]) -> tuple[list[TakenIn], list[IntakeError]]:
    """Take lists in, each by itself; return what came in, and why files were refused.

    Raises
    ------
    UsageError: there is no such file; nothing was taken in.
    JournalError: the journal cannot be read or written.
    """
    files = list(paths)
    for path in files:
        if not path.is_file():
            raise UsageError("There is no file {path!r}.", "Check the name; nothing was taken in.", path=str(path))
    done, refused = [], []
    for path in files:
        try:
            done.append(take_in_list(site, path))
        except IntakeError as error:
            refused.append(error)
    return done, refused


def take_in_list(site: Site, path: Path, folder_of: str = "") -> TakenIn:
    """Take one list in; a file that came before adds nothing, nor does a decision that stands already.

    Parameters
    ----------
    folder_of: the reviewer in whose folder it lies. It is theirs alone then, and says what they think now: what it
        said before adds nothing, and what they took back and said again is said again.

    Raises
    ------
    IntakeError, JournalError: see `read_answers`; the journal is unchanged. Or it lies in another reviewer's folder.
    UsageError: this user reviews, and it is another's list.
    """
    known = {entry["list_id"]: entry for entry in decisions.lists(site)}
    made, answers = read_answers(site, path, known.get)
    if folder_of not in ("", made["reviewer_id"]):
        raise IntakeError("{name} is the list of another than in whose folder it lies.", REMEDY, name=path.name)
    refuse_others_list(acting_reviewer(site, purpose_of(site, made["month"])), made["reviewer_id"])
    file_sha256 = digest_of(path)
    if folder_of:
        before = decisions.said_in_files(site, made["list_id"])
        said = [each for each in answers if before.get((each.kind, each.key)) != asdict(each)]
        is_repeated = bool(answers) and not said
    else:
        is_repeated = file_sha256 in decisions.imported_files(site)
        said = [] if is_repeated else answers
    if said:
        purpose = purpose_of(site, made["month"])
        record_use(site, purpose, "decision", {"list_id": made["list_id"], "rows": len(said)})
    new, n_changed = add_decisions(site, made, said, file_sha256=file_sha256)
    decided_keys = {(each.kind, each.key) for each in answers}
    n_decided = sum((row["kind"], row["keys"][0]) in decided_keys for row in made["rows"])
    counts = (len(made["rows"]), n_decided, len(new), n_changed)
    return TakenIn(path.name, made["month"], made["reviewer_name"], *counts, is_repeated)
