"""What `verify` says of time stamps: whether each holds, how long the newest holds, and which runs have none yet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from audit_kernel.errors import UnavailableError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence.problems import Problem, problem
from audit_kernel.evidence.timestamp import is_stamp_of, read_stamp

WARN_BEFORE = timedelta(days=90)
LONGEST_WAY = timedelta(days=1)  # between a run's end and its stamp; clocks differ, a remade run is older


def stamp_problems(
    archive: Path, folders: Sequence[str], authority: Path | None, reported: Sequence[Problem]
) -> list[Problem]:
    """Return what is wrong with the stamps of runs.

    Parameters
    ----------
    folders: the runs by their folders, in the order of the chain.
    authority: the certificates of the time authority, PEM; None: unknown.
    reported: what was found already: a stamp whose bytes were changed is not told twice.
    """
    signature = bags.MANIFEST + bags.SIGNATURE
    touched = {found.run for found in reported if found.file in {bags.STAMP, signature}}
    stamped = [name for name in folders if (archive / name / bags.STAMP).is_file()]
    checked = [name for name in stamped if bags.shown(name) not in touched]
    if not stamped:
        return []
    if authority is None or not authority.is_file():
        return [problem("", "", "stamp_unchecked")]
    try:
        found = [each for name in checked if (each := _wrong(archive / name, authority.read_bytes()))]
        wrong = {each.run for each in found}
        held = [name for name in checked if bags.shown(name) not in wrong]
        return found + _late(archive, folders, held) + _ending(archive, held) + _lacking(folders, stamped[-1])
    except UnavailableError:
        return [problem("", "", "stamp_unchecked")]


def _wrong(bag: Path, certificates: bytes) -> Problem | None:
    name, response = bags.shown(bag.name), (bag / bags.STAMP).read_bytes()
    signature = (bag / (bags.MANIFEST + bags.SIGNATURE)).read_bytes()
    stamp = read_stamp(response)
    if stamp is None or not is_stamp_of(response, signature, certificates):
        return problem(name, bags.STAMP, "stamp_wrong")
    finished = _finished(bag)
    if finished and abs(stamp.made_at - finished) > LONGEST_WAY:
        told = {"finished": f"{finished:%Y-%m-%d}", "stamped": f"{stamp.made_at:%Y-%m-%d}"}
        return problem(name, bags.STAMP, "stamp_of_another_time", **told)
    return None


def _finished(bag: Path) -> datetime | None:
    """Return when the statement says that the run ended."""
    try:
        statement: Mapping[str, Mapping[str, Mapping[str, Mapping[str, str]]]]
        statement = json.loads((bag / bags.STATEMENT).read_bytes())
        moment = datetime.fromisoformat(statement["predicate"]["runDetails"]["metadata"]["finishedOn"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # told already: the statement was changed
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _late(archive: Path, folders: Sequence[str], held: Sequence[str]) -> list[Problem]:
    """Tell of runs that the first stamp after them covers only later: stamps could have been left out on purpose."""
    found, waiting = [], []
    for name in folders:
        waiting.append(name)
        if name not in held or not (stamp := read_stamp((archive / name / bags.STAMP).read_bytes())):
            continue
        ends = [_finished(archive / each) for each in waiting]
        late = [end for end in ends if end and stamp.made_at - end > LONGEST_WAY]
        if late:
            told = {"count": len(late), "date": f"{min(late):%Y-%m-%d}", "stamped": f"{stamp.made_at:%Y-%m-%d}"}
            found.append(problem(bags.shown(name), bags.STAMP, "stamp_late", **told))
        waiting = []
    return found


def _ending(archive: Path, held: Sequence[str]) -> list[Problem]:
    """Tell when the newest stamp, which covers all runs before it, will soon be without a valid certificate."""
    stamp = read_stamp((archive / held[-1] / bags.STAMP).read_bytes()) if held else None
    if stamp is None or stamp.ends_at - datetime.now(UTC) > WARN_BEFORE:
        return []
    return [problem(bags.shown(held[-1]), bags.STAMP, "stamp_ends", date=f"{stamp.ends_at:%Y-%m-%d}")]


def _lacking(folders: Sequence[str], last: str) -> list[Problem]:
    n_later = len(folders) - 1 - folders.index(last)
    return [problem("", "", "stamp_lacking", count=n_later, name=bags.shown(last))] if n_later else []
