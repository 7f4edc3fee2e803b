"""Verifying a bag or a whole archive: nothing but the public key is needed."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from audit_kernel.errors import KeyFileError, UsageError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain, keys
from audit_kernel.evidence.bag_check import check_bag
from audit_kernel.evidence.disposed import place_disposed
from audit_kernel.evidence.key_ring import retired_runs, trusted_keys
from audit_kernel.evidence.problems import KEY_TEXTS, Problem, problem
from audit_kernel.evidence.stamp_check import stamp_problems
from audit_kernel.locale import translator

__all__ = ["Problem", "TrustedKey", "trusted_key", "verify"]


@dataclass(frozen=True)
class TrustedKey:
    """The public key a verification rests upon.

    origin: `given` by the caller, of the `site`, or found `beside` the evidence (then to be compared by a person).
    """

    key: keys.PublicKey
    path: Path
    origin: str

    @property
    def fingerprint(self) -> str:
        """Return SHA-256 (hex) of the key's DER form."""
        return keys.fingerprint(self.key)

    def text(self, language: str = "en") -> str:
        """Return a sentence that says which key it was, and the warning due when it lay with the evidence."""
        template = translator(language)(KEY_TEXTS[self.origin])
        return template.format(path=bags.shown(str(self.path)), fingerprint=self.fingerprint)


def trusted_key(path: Path, public_key: Path | None = None, site_key: Path | None = None) -> TrustedKey:
    """Return the key to verify `path` with: the given one, else the site's, else one that lies beside the evidence.

    Parameters
    ----------
    site_key: the public key of the site that the caller works in. A folder `keys` beside an archive proves no site:
        whoever copied the archive could have put it there.

    Raises
    ------
    KeyFileError: there is none, or the file is no public key.
    """
    for named, origin in ((public_key, "given"), (site_key, "site")):
        if named is not None:
            return TrustedKey(keys.load_public(named), named, origin)
    path = path.resolve()
    archive = path.parent if _is_bag(path) else path
    for folder in (archive.parent / "keys", archive, path):
        if os.access(folder / keys.PUBLIC_NAME, os.R_OK):  # an auditor may not look into the keys
            return TrustedKey(keys.load_public(folder / keys.PUBLIC_NAME), folder / keys.PUBLIC_NAME, "beside")
    raise KeyFileError(
        "No public key was found to verify {path!r} with.",
        "Name the file {public} that you got when the archive was set up.",
        path=str(path),
        public=keys.PUBLIC_NAME,
    )


def verify(
    path: Path, public_key: Path | None = None, *, codes: Iterable[str] = (), authority: Path | None = None
) -> list[Problem]:
    """Return everything that is wrong with a bag or an archive; evidence fails where one `is_failure`.

    Parameters
    ----------
    codes: codes of head records that were filed in minutes; the runs they stand for must be there unchanged.
    authority: the time authority's certificates (PEM); without them time stamps are not checked, which is told.

    Raises
    ------
    UsageError: there is no such folder.
    KeyFileError: no public key to verify with.
    """
    path = Path(path)
    if not path.is_dir():
        raise UsageError("There is no folder {path!r}.", "Name an archive or one run in it.", path=str(path))
    if not _is_bag(path) and not any(path.iterdir()):
        return [problem("", "", "nothing_found")]
    key = trusted_key(path, public_key).key
    if _is_bag(path):
        bag = path.resolve()
        return _check_single(bag, trusted_keys(bag.parent, key), authority)
    return _ArchiveCheck(path, key, trusted_keys(path, key), authority).run(codes)


def head_code(path: Path, key: keys.PublicKey) -> str:
    """Return the code of an archive's head record, to be filed in the minutes; empty for a bag or a damaged record."""
    try:
        head = chain.read_head(path, *trusted_keys(path, key))
    except ValueError:
        return ""
    return head.code() if head and head.sequence else ""


def _is_bag(path: Path) -> bool:
    """Tell a bag, however damaged, from an archive, however damaged."""
    has_runs = any((folder / bags.MANIFEST).is_file() for folder in chain.bag_folders(path))
    is_archive = has_runs or (path / chain.HEAD).exists() or (path / chain.LOCK).exists()
    return not is_archive and any((path / name).exists() for name in (*bags.TAG_FILES, bags.TAG_MANIFEST, "data"))


def _check_single(path: Path, trusted: tuple[keys.PublicKey, ...], authority: Path | None) -> list[Problem]:
    run, problems = check_bag(path, *trusted)
    if run and run.name != path.name:
        problems.append(problem(bags.shown(path.name), "", "run_renamed", name=run.name))
    return problems + stamp_problems(path.parent, [path.name], authority, problems)


@dataclass
class _ArchiveCheck:
    """One pass over an archive.

    key, trusted: the key given, and with it those that it vouches for.
    runs: by sequence, folder and what its statement says, of every run whose statement can be trusted; and what such a
        run says of those whose disposal it records.
    damaged: folders whose statement cannot be trusted; their own problems are reported already.
    """

    archive: Path
    key: keys.PublicKey
    trusted: tuple[keys.PublicKey, ...]
    authority: Path | None
    problems: list[Problem] = field(default_factory=list)
    runs: dict[int, tuple[str, chain.RunRecord]] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    aside: list[str] = field(default_factory=list)
    head: chain.HeadRecord | None = None

    def report(self, run: str, file: str, code: str, **values: object) -> None:
        self.problems.append(problem(bags.shown(run), bags.shown(file), code, **values))

    def run(self, codes: Iterable[str]) -> list[Problem]:
        self._read_head()  # before the folders: a run sealed meanwhile then shows as one more, never as missing
        found = self._read_folders()
        if not found and not self.damaged and (self.head is None or not self.head.sequence):
            self.report("", "", "nothing_found")
        self._place(found)
        self.problems += place_disposed(self.runs, self.aside)
        self._check_links()
        self._check_head()
        self._check_keys()
        known = {chain.head_of(run).code() for _, run in self.runs.values()}
        for code in codes:
            if "".join(code.split()).upper() not in known:
                self.report("", "", "code_unknown", filed=bags.shown(code))
        order = [folder for _, (folder, _run) in sorted(self.runs.items()) if (self.archive / folder).is_dir()]
        self.problems += stamp_problems(self.archive, order, self.authority, self.problems)
        return sorted(self.problems, key=lambda found: (found.run, found.file, found.code))

    def _read_head(self) -> None:
        try:
            self.head = chain.read_head(self.archive, *self.trusted)
        except ValueError:
            self.report("", chain.HEAD, "head_changed")
        else:
            if self.head is None:
                self.report("", chain.HEAD, "head_missing")

    def _read_folders(self) -> list[tuple[str, chain.RunRecord]]:
        """Check every entry of the archive; return the runs whose statements can be trusted."""
        found: list[tuple[str, chain.RunRecord]] = []
        for entry in sorted(self.archive.iterdir()):
            is_link = entry.is_symlink()
            if entry.name in {chain.HEAD, chain.LOCK, keys.PUBLIC_NAME} and entry.is_file() and not is_link:
                if entry.name == chain.LOCK and entry.stat().st_size:
                    self.report("", chain.LOCK, "lock_written")
                continue
            if chain.is_leftover(entry.name) and not is_link:
                self._read_leftover(entry)
            elif not entry.is_dir() or is_link or not bags.is_run_name(entry.name):
                self.report(entry.name, "", "entry_extra")
            else:
                run, problems = check_bag(entry, *self.trusted)
                self.problems += problems
                if run:
                    found.append((entry.name, run))
                else:
                    tag_manifest = entry / bags.TAG_MANIFEST
                    self.damaged[entry.name] = bags.digest_of(tag_manifest) if tag_manifest.is_file() else ""
        if not (self.archive / keys.PUBLIC_NAME).is_file():
            self.report("", keys.PUBLIC_NAME, "file_missing")
        return found

    def _read_leftover(self, entry: Path) -> None:
        """Excuse what a sealing is writing now, and what a killed one left empty; the rest could be anybody's."""
        if chain.is_locked(self.archive):
            self.report(entry.name, "", "leftover")
            return
        with contextlib.suppress(FileNotFoundError):  # the sealing ended meanwhile
            tree = bags.read_tree(entry) if entry.is_dir() else None
            size = len(tree.files) + len(tree.links) if tree else entry.stat().st_size
            if size and entry.name.startswith(chain.DISPOSED_PREFIX):
                self.aside.append(entry.name)
                return
            self.report(entry.name, "", "leftover_filled" if size else "leftover")

    def _place(self, found: list[tuple[str, chain.RunRecord]]) -> None:
        """Put each run at its number; report the foreign, the renamed and the copied."""
        counts = Counter(run.archive for _, run in found)
        own = self.head.archive if self.head else ""
        archive = max(counts, key=lambda name: (counts[name], name == own), default="")
        if self.head and found and self.head.archive != archive:
            self.report("", chain.HEAD, "head_foreign")
            self.head = None
        for folder, run in sorted(found, key=lambda pair: pair[0] != pair[1].name):  # the rightly named first
            if run.archive != archive:
                self.report(folder, "", "run_foreign")
                continue
            other, placed = self.runs.setdefault(run.sequence, (folder, run))
            if other == folder:
                if folder != run.name:
                    self.report(folder, "", "run_renamed", name=run.name)
            elif placed.name == run.name:
                self.report(folder, "", "run_copied", name=run.name)
            else:
                self.report(folder, "", "run_added")

    def _check_links(self) -> None:
        """Follow the chain from the last number to the first: each run tells of the one before."""
        last = max([self.head.sequence if self.head else 0, *self.runs])
        unplaced = dict(self.damaged)
        nameless: list[int] = []
        for number in range(last, 0, -1):
            source, name, digest = self._told_of(number)
            if number in self.runs:
                folder, run = self.runs[number]
                if source and (run.name, run.tagmanifest_sha256) != (name, digest):
                    self.report(folder, bags.TAG_MANIFEST, "chain_broken", next=source)
            elif name in unplaced:
                if unplaced.pop(name) != digest:
                    self.report(name, bags.TAG_MANIFEST, "chain_broken", next=source)
            elif name:
                self.report(name, "", "run_missing", number=number)
            else:
                nameless.append(number)
        for number in nameless[len(unplaced) :]:
            self.report("", "", "run_missing", number=number)
        for folder in list(unplaced)[len(nameless) :]:
            self.report(folder, "", "run_added")

    def _told_of(self, number: int) -> tuple[str, str, str]:
        """Return who tells of the run with this number, and its name and fingerprint there; empty when nobody does."""
        if number + 1 in self.runs:
            folder, run = self.runs[number + 1]
            return folder, run.preceding or "", run.preceding_sha256 or ""
        if self.head and self.head.sequence == number:
            return chain.HEAD, self.head.run, self.head.tagmanifest_sha256
        return "", "", ""

    def _check_head(self) -> None:
        """Report runs beyond the head record; one that rightly follows is what a stopped program leaves."""
        if self.head is None:
            return
        beyond = sorted(number for number in self.runs if number > self.head.sequence)
        touched = {found.run for found in self.problems}
        for number in beyond:
            folder, run = self.runs[number]
            if len(beyond) == 1 and chain.follows(run, self.head) and folder not in touched:
                self.report("", chain.HEAD, "head_behind", name=run.name)
            else:
                self.report(folder, "", "run_beyond", number=number, last=self.head.sequence)

    def _check_keys(self) -> None:
        """Report what a key signed that was not the archive's at that time: runs, the head record, the public copy."""
        for folder in retired_runs(self.runs):
            self.report(folder, bags.TAG_MANIFEST + bags.SIGNATURE, "key_retired")
        last = self.runs.get(self.head.sequence if self.head else max([0, *self.runs]))
        current = {keys.fingerprint(key): key for key in self.trusted}.get(last[1].signed_by if last else "", self.key)
        if len(self.trusted) > 1 and self.head:
            try:
                chain.read_head(self.archive, current)
            except ValueError:
                self.report("", chain.HEAD, "head_changed")
        copy = self.archive / keys.PUBLIC_NAME
        if copy.is_file() and copy.read_bytes() != keys.public_pem(current):
            self.report("", keys.PUBLIC_NAME, "key_changed")
