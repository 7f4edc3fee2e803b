"""Checking one bag against a public key: every file named that was changed, is missing or was added."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.exceptions import InvalidSignature

from audit_kernel.errors import KeyFileError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain, keys
from audit_kernel.evidence.problems import Problem, problem
from audit_kernel.evidence.signatures import check_signature


def check_bag(folder: Path, *trusted: keys.PublicKey) -> tuple[chain.RunRecord | None, list[Problem]]:
    """Return the run's place in the chain (None unless it can be trusted) and what is wrong with its files.

    trusted: the archive's keys; one of them must have signed both lists.
    """
    check = _Check(folder, folder.resolve().name, trusted)
    try:
        return check.run(), check.problems
    except OSError as error:
        file = Path(error.filename).name if error.filename else ""
        check.report(file, "unreadable", reason=error.strerror or "error")
        return None, check.problems


@dataclass
class _Check:
    folder: Path
    name: str
    trusted: tuple[keys.PublicKey, ...]
    problems: list[Problem] = field(default_factory=list)
    actual: dict[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    key: keys.PublicKey = field(init=False)

    def __post_init__(self) -> None:
        """Take the trusted key that signed the bag, the first where none did."""
        lists = (bags.TAG_MANIFEST, bags.MANIFEST)
        self.key = next((key for each in lists for key in self.trusted if self._fits(each, key)), self.trusted[0])

    def report(self, file: str, code: str, **values: object) -> None:
        self.problems.append(problem(bags.shown(self.name), bags.shown(file), code, **values))

    def run(self) -> chain.RunRecord | None:
        tree = bags.read_tree(self.folder, passes_unreadable=True)
        self.hidden = tuple(f"{path}/" for path in tree.unreadable)
        for path, reason in tree.unreadable.items():
            self.report(path, "unreadable", reason=reason)
        for path in tree.links:
            self.report(path, "link_extra")
        for path in tree.empty_folders:
            self.report(path, "folder_extra")
        for path, source in tree.files.items():
            try:
                self.actual[path] = bags.digest_of(source)
            except OSError as error:
                self.actual[path] = ""
                self.report(path, "unreadable", reason=error.strerror or "error")
        payload = {path: digest for path, digest in self.actual.items() if path.startswith("data/")}
        tags = {path: self.actual[path] for path in self.actual.keys() - payload.keys() - set(bags.UNLISTED_FILES)}

        is_trusted = self._check_signature(bags.TAG_MANIFEST, tags)
        self._compare(bags.TAG_MANIFEST, tags, bags.TAG_FILES, is_trusted=is_trusted)
        touched = {found.file for found in self.problems}
        if is_trusted and touched & {bags.MANIFEST, bags.MANIFEST + bags.SIGNATURE}:
            is_trusted = bags.MANIFEST not in touched  # the signed list of tag files vouches for it
        else:
            is_trusted = self._check_signature(bags.MANIFEST, payload)
        self._compare(bags.MANIFEST, payload, [bags.STATEMENT], is_trusted=is_trusted)
        run = self._statement(payload) if is_trusted else None
        return replace(run, signed_by=keys.fingerprint(self.key)) if run else None

    def _check_signature(self, list_name: str, listed: Mapping[str, str]) -> bool:
        """Tell whether the trusted key signed a list of files; say which of the two was changed."""
        signature = list_name + bags.SIGNATURE
        missing = [path for path in (list_name, signature) if path not in self.actual]
        for path in missing:
            if list_name == bags.TAG_MANIFEST:  # the other list's files are reported by this one
                self.report(path, "file_missing")
        if missing:
            return False
        if self._fits(list_name, self.key):
            return True
        other = self._other_key()
        if other is not None and self._fits(list_name, other):
            expected, found = keys.fingerprint(self.key), keys.fingerprint(other)
            self.report(signature, "other_key", found=found, expected=expected)
        elif bags.parse_manifest(self._bytes(list_name)) == listed:
            self.report(signature, "signature_changed", signed=list_name)
        else:
            self.report(list_name, "list_changed")
            self.report(signature, "signature_unfit", signed=list_name)
        return False

    def _compare(self, list_name: str, actual: Mapping[str, str], needed: Iterable[str], *, is_trusted: bool) -> None:
        """Report each file that differs from a list."""
        content = self._bytes(list_name) if list_name in self.actual else b""
        listed = bags.parse_manifest(content)
        is_whole = listed is not None
        if listed is None:  # the list itself is reported; what can still be read of it is used
            listed = bags.readable_lines(content)
        for path in sorted({*listed, *actual, *needed}):
            if path not in actual:
                if not path.startswith(self.hidden):  # what lies in an unreadable folder is told by its name
                    self.report(path, "file_missing")
            elif path not in listed:
                self.report(path, "file_extra" if is_whole else "file_unlisted")
            elif listed[path] != actual[path]:
                self.report(path, "file_changed" if is_trusted else "file_unfit")

    def _statement(self, payload: Mapping[str, str]) -> chain.RunRecord | None:
        """Return the run's place in the chain, when the statement is the one that was sealed."""
        listed = bags.parse_manifest(self._bytes(bags.MANIFEST)) or {}
        if bags.STATEMENT not in payload or listed.get(bags.STATEMENT) != payload[bags.STATEMENT]:
            return None
        try:
            statement = json.loads(self._bytes(bags.STATEMENT))
            subjects = {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]}
        except (ValueError, KeyError, TypeError, RecursionError):
            self.report(bags.STATEMENT, "statement_unfit")
            return None
        run = chain.parse_run(statement, self.actual.get(bags.TAG_MANIFEST, ""))
        if run is None or {**subjects, bags.STATEMENT: listed[bags.STATEMENT]} != listed:
            self.report(bags.STATEMENT, "statement_unfit")
        return run

    def _fits(self, list_name: str, key: keys.PublicKey) -> bool:
        for path in (self.folder / list_name, self.folder / (list_name + bags.SIGNATURE)):
            if path.is_symlink() or not path.is_file():
                return False
        try:
            check_signature(key, self._bytes(list_name + bags.SIGNATURE), self._bytes(list_name))
        except (InvalidSignature, OSError):
            return False
        return True

    def _other_key(self) -> keys.PublicKey | None:
        try:
            return keys.load_public(self.folder / bags.PUBLIC_KEY) if bags.PUBLIC_KEY in self.actual else None
        except KeyFileError:
            return None

    def _bytes(self, path: str) -> bytes:
        return (self.folder / path).read_bytes()
