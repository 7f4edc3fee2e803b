"""How a site seals: with its key or its outside signer, its certificate, and its time authority."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_kernel.errors import UnavailableError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain, keys
from audit_kernel.evidence.key_certificate import CERTIFICATE_NAME, cms_signature
from audit_kernel.evidence.seal import KeyChange, seal
from audit_kernel.evidence.signatures import OutsideSigner
from audit_kernel.evidence.timestamp import Authority
from audit_kernel.files import shared_modes
from audit_kernel.locale import translator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from audit_kernel.evidence.chain import DisposedRun
    from audit_kernel.site import Site


# Without the set-group-ID bit, which services may not set: nothing is written into a sealed run.
GROUP_MAY_READ, GROUP_MAY_ENTER = 0o640, 0o750


def site_signer(site: Site) -> keys.Signer:
    """Return what signs for the site: the program of `signing.command`, else its key file.

    Raises
    ------
    KeyFileError: the key is missing, of another kind, or readable by others.
    """
    command = site.settings.signing.command
    if command:
        return OutsideSigner(command, keys.load_public(site.keys_folder))
    return keys.load_private(site.keys_folder)


def authority_certificate(site: Site) -> Path:
    """Return the file that time stamps are checked with."""
    return site.folder / site.settings.timestamp.certificate


def unstamped(language: str, warn: Callable[[str], None]) -> Callable[[UnavailableError], None]:
    """Return what tells `warn` in a sentence that no time stamp came, why, and what to do then."""

    def told(error: UnavailableError) -> None:
        _ = translator(language)
        text = _("Sealed without a time stamp. When the authority answers, run: audit-kernel keys stamp. {reason}")
        warn(text.format(reason=error.text(language)))

    return told


def seal_for_site(
    site: Site,
    payload: Path,
    archive: Path,
    name: str,
    predicate: Mapping[str, Any],
    *,
    warn: Callable[[UnavailableError], None] | None = None,
    must_stamp: bool = False,
    signer: keys.Signer | None = None,
    keys_folder: Path | None = None,
    change: KeyChange | None = None,
    disposed: Sequence[DisposedRun] = (),
) -> Path:
    """Seal a folder as the site's settings say; return the bag's folder.

    Parameters
    ----------
    warn: told when the time authority gave no stamp; the run is sealed all the same, and `verify` says it too.
    must_stamp: without a stamp nothing is sealed.
    signer, keys_folder: of another key than the site's, while the key is changed.
    change, disposed: see `seal`.

    Raises
    ------
    UnavailableError: no stamp where one must be, or no signature; and all that `seal` raises.
    """
    signer = signer or site_signer(site)
    folder = keys_folder or site.keys_folder
    timestamp = site.settings.timestamp
    authority = Authority(timestamp, authority_certificate(site)) if timestamp.is_used else None

    def countersign(manifest: Path, signature: bytes) -> dict[str, bytes]:
        tags: dict[str, bytes] = {}
        certificate = folder / CERTIFICATE_NAME
        if certificate.is_file() and not isinstance(signer, OutsideSigner):
            tags |= {bags.CERTIFICATE: certificate.read_bytes(), bags.CMS_SIGNATURE: cms_signature(folder, manifest)}
        try:
            return tags | ({bags.STAMP: authority.stamp(signature)} if authority else {})
        except UnavailableError as error:
            if must_stamp:
                raise
            if warn:
                warn(error)
            return tags

    public = keys.public_pem(signer.public_key())
    sealed = seal(
        payload, archive, name, predicate, signer, public, countersign=countersign, change=change, disposed=disposed
    )
    share(archive)
    return sealed


def share(archive: Path) -> None:
    """Let the archive's group read the runs that it cannot read yet, where the folder says so (`shared_modes`)."""
    if not shared_modes(archive)[0] & stat.S_IRGRP:
        return
    for path in (archive / chain.HEAD, archive / keys.PUBLIC_NAME):
        path.chmod(GROUP_MAY_READ)
    for bag in chain.bag_folders(archive):
        if not bag.stat().st_mode & stat.S_IRGRP:
            share_bag(bag)


def share_bag(bag: Path) -> None:
    """Let a run's group read it."""
    for place, _folders, files in os.walk(bag, topdown=False):  # the bag itself last: a stopped one is done again
        for name in files:
            (Path(place) / name).chmod(stat.S_IRUSR | stat.S_IRGRP)
        Path(place).chmod(GROUP_MAY_ENTER)
