"""Runs that were disposed of: their places in the chain, as later runs record them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain
from audit_kernel.evidence.problems import Problem, problem


def place_disposed(runs: dict[int, tuple[str, chain.RunRecord]], aside: Iterable[str]) -> list[Problem]:
    """Put what verified runs say of those before them that were disposed of at their numbers; return what to tell.

    The chain is then followed through these places as through any other: a record that tells another fingerprint than
    the run's neighbours do breaks it.

    Parameters
    ----------
    runs: folder and verified record by sequence; the disposed runs are added.
    aside: folders with files that a disposal renamed to remove them.
    """
    found: list[Problem] = []
    present = dict(runs)
    told: set[str] = set()
    for folder, run in sorted(present.values(), key=lambda pair: pair[1].sequence):
        for gone in run.disposed:
            if gone.sequence >= run.sequence or gone.run in told:  # a record is about what came before it
                continue
            told.add(gone.run)
            record, name = bags.shown(folder), bags.shown(gone.run)
            if gone.sequence not in present:
                runs[gone.sequence] = (gone.run, gone.record(run.archive))
                found.append(problem(name, "", "disposed_of", date=gone.disposed_on, record=record))
            elif present[gone.sequence][0] == gone.run:
                found.append(problem(name, "", "disposal_unfinished", record=record))
    for name in aside:
        is_told = name.removeprefix(chain.DISPOSED_PREFIX) in told
        found.append(problem(bags.shown(name), "", "disposal_leftover" if is_told else "leftover_filled"))
    return found


def disposed_runs(archive: Path) -> dict[str, chain.DisposedRun]:
    """Return every run that another one of the archive records as disposed of, by name; `verify` checks the records."""
    runs = chain.archive_runs(archive) if archive.is_dir() else []
    return {gone.run: gone for run in runs for gone in run.disposed}
