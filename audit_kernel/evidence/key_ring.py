"""The keys of an archive: the trusted one, and those it handed over to or took over from."""

from __future__ import annotations

import contextlib
from pathlib import Path

from audit_kernel.evidence import chain
from audit_kernel.evidence.bag_check import check_bag
from audit_kernel.evidence.signatures import PublicKey, fingerprint, parse_public


def trusted_keys(archive: Path, key: PublicKey) -> tuple[PublicKey, ...]:
    """Return the trusted key, and every key that a run signed by one of them names.

    A run names the key it hands over to, and all keys given up before its own. Which of them may have signed which run
    is `retired_runs`' business: whoever holds a key that was given up could still sign with it.
    """
    ring = {fingerprint(key): key}
    told = {}
    for folder in chain.bag_folders(archive) if archive.is_dir() else []:
        run = chain.read_run(folder)
        if run and (run.former_keys or run.next_key):
            told[folder] = _named(run)
    while told:
        known = [folder for folder, named in told.items() if named.keys() <= ring.keys()]
        checked = {folder for folder in told.keys() - known if check_bag(folder, *ring.values())[0]}
        for folder in checked:
            ring |= told[folder]
        if not checked:
            break
        told = {folder: named for folder, named in told.items() if folder not in {*known, *checked}}
    return tuple(ring.values())


def retired_runs(runs: dict[int, tuple[str, chain.RunRecord]]) -> list[str]:
    """Return the folders of runs that the archive's key of that time did not sign.

    runs: folder and verified record by sequence.
    """
    found: list[str] = []
    for number, (folder, run) in sorted(runs.items()):
        if number - 1 not in runs:  # the first, or one whose predecessor is damaged or gone, which is told
            continue
        before = runs[number - 1][1]
        following = fingerprint(parse_public(before.next_key.encode())) if before.next_key else before.signed_by
        if run.signed_by != following:
            found.append(folder)
    return found


def _named(run: chain.RunRecord) -> dict[str, PublicKey]:
    named = {}
    for pem in (*run.former_keys, run.next_key):
        with contextlib.suppress(ValueError):
            key = parse_public(pem.encode("utf-8", "replace"))
            named[fingerprint(key)] = key
    return named
