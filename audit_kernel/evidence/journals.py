"""The site's journals held against what sealed runs say of them: a line cut off, edited or emptied shows."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from audit_kernel.errors import JournalError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain
from audit_kernel.evidence.problems import Problem, problem
from audit_kernel.journal import Journal
from audit_kernel.locale import translator

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.site import Site

PATTERN = "*.jsonl"
Heads = dict[str, dict[int, str]]


def journal_heads(site: Site) -> dict[str, dict[str, object]]:
    """Return where each journal stands, to be sealed; one whose last line is damaged is left to `broken_journals`."""
    heads: dict[str, dict[str, object]] = {}
    for path in sorted(site.journals_folder.glob(PATTERN)):
        with contextlib.suppress(JournalError):
            sequence, line_hash = Journal(path).position()
            heads[path.name] = {"sequence": sequence, "hash": line_hash}
    return heads


def sealed_heads(*archives: Path) -> Heads:
    """Return every head that a run's statement holds: hash by sequence by file. `verify` checks the statements."""
    heads: Heads = {}
    for folder in (each for archive in archives if archive.is_dir() for each in chain.bag_folders(archive)):
        with contextlib.suppress(OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
            statement = json.loads((folder / bags.STATEMENT).read_bytes())
            journals = statement["predicate"]["buildDefinition"]["internalParameters"]["journals"]
            for name, head in journals.items():
                if "/" not in name and "\\" not in name and type(head["sequence"]) is int and head["sequence"]:
                    heads.setdefault(name, {})[head["sequence"]] = str(head["hash"])
    return heads


def broken_journals(site: Site, language: str = "en") -> list[tuple[str, str]]:
    """Return (file, sentence) for every break of a journal; none means that all are whole.

    Raises
    ------
    JournalError: a journal cannot be read.
    """
    _ = translator(language)
    sealed = sealed_heads(site.archive_folder, site.restricted_folder)
    names = {path.name for path in site.journals_folder.glob(PATTERN)} | set(sealed)
    breaks: list[tuple[str, str]] = []
    for name in sorted(names):
        path = site.journals_folder / name
        if path.is_file():
            breaks += [(name, text) for text in Journal(path).verify(sealed.get(name), language)]
        else:
            text = _("{file}: the journal is gone; sealed evidence names {count} entries of it.")
            breaks.append((name, text.format(file=bags.shown(name), count=max(sealed.get(name, {0: ""})))))
    return breaks


def journal_problems(site: Site, language: str = "en") -> list[Problem]:
    """Return the breaks of the site's journals as `verify` reports them."""
    return [
        problem("", f"{site.journals_folder.name}/{bags.shown(name)}", "journal_broken", reason=text)
        for name, text in broken_journals(site, language)
    ]
