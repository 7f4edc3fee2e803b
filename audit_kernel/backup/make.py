"""Makes a backup of a site at work, consistent without stopping it.

What is large and never changes (sealed runs, the store's files) is copied before and after one short moment in which
nothing can be sealed: the archives' locks are held while head records, the last runs, keys, journals and catalogue are
copied, in this order. So every run in the copy has its journals' lines and its snapshot, and every line its run.
Evidence of cases comes after the journals, since a case names it only once it is there.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from audit_kernel.backup import store_copy
from audit_kernel.backup.copying import Copying, Progress, files_under, previous_of, quiet
from audit_kernel.backup.destination import opened, refuse_own_folder
from audit_kernel.backup.folder import (
    CATALOGUE,
    DESCRIPTION,
    MODES,
    PAYLOAD,
    WORK_PREFIX,
    Description,
    list_text,
)
from audit_kernel.canonical import timestamp
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain, keys
from audit_kernel.evidence.restricted_run import site_problems
from audit_kernel.evidence.seal import locked, reported
from audit_kernel.evidence.site_signing import authority_certificate
from audit_kernel.evidence.verify import head_code, verify
from audit_kernel.files import OWNER_ONLY_FOLDER, sync_folder, write_new
from audit_kernel.journal import Journal
from audit_kernel.locale import translator
from audit_kernel.site import PRIVATE_FOLDERS
from audit_kernel.store.catalogue import exists, files_address, only_writer
from audit_kernel.store.workspace import workspace
from audit_kernel.use_log import record_use

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_kernel.site import Site

PURPOSE = "backup"
JOURNALS = "*.jsonl"
SIGNING_KEYS = (keys.PRIVATE_NAME, f"next/{keys.PRIVATE_NAME}")


@dataclass(frozen=True)
class Backup:
    """A finished backup.

    n_bytes, n_linked: bytes written, and files that the backup before held already.
    sha256: of its `tagmanifest-sha256.txt`, which names everything else; the use log has it too.
    """

    folder: Path
    description: Description
    n_files: int
    n_bytes: int
    n_linked: int
    sha256: str


def back_up(
    site: Site,
    destination: Path,
    *,
    is_full: bool = False,
    has_signing_key: bool = True,
    progress: Progress = quiet,
) -> Backup:
    """Make a new backup in `destination`; the backups that are there stay as they are.

    Parameters
    ----------
    is_full: link nothing from the backup before.
    has_signing_key: put the private signing key into it.

    Raises
    ------
    UsageError: the destination lies in the site.
    StoreError, JournalError: store or journals cannot be read. RunError: the destination cannot be written.
    UnavailableError: another backup is being made there, or the archive stays in use.
    """
    destination = destination.resolve()
    refuse_own_folder(site, destination)
    told = {"destination": str(destination), "signing_key": has_signing_key}
    record_use(site, PURPOSE, "backup", told)
    with opened(destination), workspace(site) as temporary:
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(2)}"
        work = destination / f"{WORK_PREFIX}{name}"
        (work / PAYLOAD).mkdir(mode=OWNER_ONLY_FOLDER, parents=True)
        work.chmod(OWNER_ONLY_FOLDER)
        key = keys.fingerprint(keys.load_public(site.keys_folder))
        previous = None if is_full else previous_of(destination, key)
        made = _Making(site, Copying(work / PAYLOAD, previous, progress), temporary, has_signing_key)
        try:
            done = made.run(destination / name)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise
    record_use(site, PURPOSE, "backup", {**told, "backup": name, "sha256": done.sha256})
    return done


@dataclass
class _Making:
    site: Site
    copying: Copying
    temporary: Path
    has_signing_key: bool
    links: list[str] = field(default_factory=list)
    shut: list[str] = field(default_factory=list)
    taken_at: datetime = field(init=False)

    def run(self, final: Path) -> Backup:
        self._copy_archives()
        for is_last in (False, True):
            # With nobody writing, nothing can be removed: what is gone then was lost before.
            with only_writer(self.site) if is_last else contextlib.nullcontext():
                self._cut()
                try:
                    if CATALOGUE in self.copying.digests:
                        store_copy.copy_files(self.site, self.copying, self.temporary)
                    break
                except store_copy.FileGoneError as error:
                    if is_last:
                        raise store_copy.gone(self.site) from error
        self._copy_others()
        return self._finish(final)

    def _cut(self) -> None:
        """Copy what must be of one moment."""
        site, copying = self.site, self.copying
        archives = [folder for folder in (site.archive_folder, site.restricted_folder) if folder.is_dir()]
        with contextlib.ExitStack() as stack:
            for folder in archives:
                stack.enter_context(reported(folder))
                stack.enter_context(locked(folder))
            self.taken_at = datetime.now(UTC)
            self._copy_archives()
            for path, source in self._files(site.keys_folder):
                name = path.partition("/")[2]
                is_private = name in SIGNING_KEYS or name.startswith("retired-")
                if self.has_signing_key or not is_private:
                    copying.add(path, source)
            for path, source in self._files(site.live_folder / site.journals_folder.name):
                if source.match(JOURNALS):
                    copying.add_bytes(path, Journal(source).whole_lines())
                elif not path.endswith(".lock"):
                    copying.add(path, source)
            if exists(site):
                copying.place(CATALOGUE)
                store_copy.copy_of_catalogue(site, copying.target, self.temporary)
                copying.add_made(CATALOGUE)

    def _copy_archives(self) -> None:
        """Copy the sealed runs that are not copied yet, and what else lies there anew; drop what went meanwhile."""
        copying, found = self.copying, set()
        for folder in (self.site.archive_folder, self.site.restricted_folder):
            for path, source in self._files(folder):
                top = path.split("/")[1]
                if top == chain.LOCK or chain.is_leftover(top):
                    continue
                found.add(path)
                is_sealed = bags.is_run_name(top) and path.count("/") > 1
                if not (is_sealed and path in copying.digests):
                    with contextlib.suppress(FileNotFoundError):  # replaced, or disposed of, meanwhile
                        copying.add(path, source)
        names = (self.site.archive_folder.name, self.site.restricted_folder.name)
        for path in [each for each in copying.digests if each.split("/")[0] in names and each not in found]:
            copying.drop(path)

    def _copy_others(self) -> None:
        """Copy settings, own queries and mappings, logs, cases, and whatever else a person put into the folder.

        Other accounts put files in there too (`serving.accounts`): what one of them shuts is told, and stops nothing.
        """
        site, own_files = self.site, str(files_address(self.site)).rstrip(os.sep)
        done = {each.name for each in (site.archive_folder, site.restricted_folder, site.keys_folder)}
        done |= {site.journals_folder.name, site.store_folder.name, site.asked_folder.name, "temporary"}
        for entry in sorted(site.live_folder.iterdir()):
            if entry.name in done or str(entry) == own_files:
                continue
            is_folder = entry.is_dir() and not entry.is_symlink()
            found = files_under(entry, self.links, f"{entry.name}/", self.shut) if is_folder else [(entry.name, entry)]
            for path, source in found:
                if source.is_symlink() or not source.is_file():
                    self.links.append(path)
                elif not str(source).startswith(own_files + os.sep):
                    try:
                        with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                            self.copying.add(path, source)
                    except PermissionError:
                        self.shut.append(path)

    def _files(self, folder: Path) -> Iterator[tuple[str, Path]]:
        return files_under(folder, self.links, f"{folder.name}/")

    def _finish(self, final: Path) -> Backup:
        """Check the copy, describe it, and write its lists, the one that makes it a backup last."""
        copying, work = self.copying, self.copying.target.parent
        described = self._described()
        copying.finish()
        tags = {
            DESCRIPTION: described.model_dump_json(indent=1).encode() + b"\n",
            MODES: list_text({f"{PAYLOAD}/{path}": mode for path, mode in copying.modes.items()}),
            bags.BAGIT: bags.DECLARATION,
            bags.MANIFEST: list_text({f"{PAYLOAD}/{path}": digest for path, digest in copying.digests.items()}),
        }
        for name, content in tags.items():
            write_new(work / name, content)
        write_new(work / bags.TAG_MANIFEST, list_text({name: bags.digest_of(work / name) for name in tags}))
        sha256 = bags.digest_of(work / bags.TAG_MANIFEST)
        sync_folder(work)
        work.rename(final)
        sync_folder(final.parent)
        return Backup(final, described, len(copying.digests), copying.n_bytes, copying.n_linked, sha256)

    def _described(self) -> Description:
        site, data = self.site, self.copying.target
        here = store_copy.copied_site(site, data)
        has_store = CATALOGUE in self.copying.digests
        number, at = store_copy.newest_snapshot(data) if has_store else (None, None)
        rows = store_copy.rows_of(here, self.temporary) if has_store else {}
        for name in PRIVATE_FOLDERS:  # which the checks look into; empty, they go again
            (data / name).mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)
        archive, store = here.archive_folder, site.settings.store
        runs = chain.archive_runs(archive) if archive.is_dir() else []
        public = keys.load_public(here.keys_folder)
        return Description(
            version=1,
            program=version("audit-kernel"),
            site=site.settings.name,
            key=keys.fingerprint(public),
            taken_at=timestamp(self.taken_at),
            snapshot=number,
            snapshot_at=at,
            rows=rows,
            catalogue="postgres" if store.is_postgres else "sqlite",
            files="object_store" if store.is_object_store else "folder",
            is_own_place=store == here.settings.store,
            last_run=runs[-1].name if runs else "",
            head_code=head_code(archive, public) if runs else "",
            holds_signing_key=f"keys/{keys.PRIVATE_NAME}" in self.copying.digests,
            problems=tuple(problems_of(here, site.settings.language) + self._not_copied()),
        )

    def _not_copied(self) -> list[str]:
        _ = translator(self.site.settings.language)
        found = (
            (_("{path} is a link or device: what it leads to is not in the backup."), self.links),
            (_("{path} is another account's and cannot be read: it is not in the backup."), self.shut),
        )
        return [text.format(path=bags.shown(path)) for text, paths in found for path in sorted(set(paths))]


def problems_of(site: Site, language: str) -> list[str]:
    """Return what is wrong with a copy of a site, in sentences: archive, `restricted/`, journals, evidence of cases."""
    public, authority = site.keys_folder / keys.PUBLIC_NAME, authority_certificate(site)
    has_runs = site.archive_folder.is_dir() and any(site.archive_folder.iterdir())
    found = verify(site.archive_folder, public, authority=authority) if has_runs else []
    found = [*found, *site_problems(site, public, language, authority)]
    return [each.text(language) for each in found if each.is_failure]
