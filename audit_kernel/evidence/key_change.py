"""A change of keys in the same archive: the old key seals a run that names the new one, which then takes over."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from audit_kernel.canonical import canonical_json
from audit_kernel.errors import KeyFileError, UsageError, VerificationError
from audit_kernel.evidence import chain, keys
from audit_kernel.evidence.key_certificate import CERTIFICATE_NAME, is_certificate_of, self_signed
from audit_kernel.evidence.restamp import has_runs, record_run
from audit_kernel.evidence.run import working_folder
from audit_kernel.evidence.seal import KeyChange, repair_head
from audit_kernel.evidence.signatures import OutsideSigner, P256Signer
from audit_kernel.evidence.site_signing import authority_certificate, seal_for_site
from audit_kernel.evidence.verify import verify
from audit_kernel.files import OWNER_ONLY_FOLDER, replace_whole, sync_folder

if TYPE_CHECKING:
    from audit_kernel.site import Site

NEXT_FOLDER = "next"
HAND_OVER, TAKE_OVER = "key-handover", "key-takeover"


def first_key(site: Site, kind: keys.Kind) -> None:
    """Make the key of a site that has none, with a self-signed certificate where its kind has one.

    Raises
    ------
    UsageError: a program outside holds the site's key.
    KeyFileError: there is a key already, or it cannot be written.
    """
    if site.settings.signing.command:
        raise UsageError(
            "The program of `signing.command` holds the site's key.",
            "Remove that setting first, if a key in a file is to sign a new archive.",
        )
    keys.new_signing_key(site.keys_folder, kind)
    if kind == "p256":
        self_signed(site.keys_folder, site.settings.name, site.settings.country)


def change_key(site: Site, kind: keys.Kind = "ed25519", outside: Path | None = None) -> keys.PublicKey:
    """Give the site a new key and hand its archives over to it; return its public part.

    Stopped, it goes on when called again. The old private key stays in `keys/` as `retired-....pem`.

    Parameters
    ----------
    outside: the public key of the program `signing.command`, which signs from now on; `kind` is then its own.

    Raises
    ------
    UsageError: a program outside holds the present key, or none is set that could take over.
    VerificationError: an archive does not verify.
    KeyFileError, UnavailableError: a key cannot be read or does not sign.
    """
    command = site.settings.signing.command
    if bool(command) != bool(outside):
        raise UsageError(
            "Only one of `signing.command` and the public key of an outside signer is there.",
            "To hand over to an outside signer, set `signing.command` and give --outside FILE. A key that an outside "
            "signer holds is not changed in the same archive: begin a new one, docs/operating.md says how.",
        )
    new = site.keys_folder / NEXT_FOLDER
    if _is_in_place(site.keys_folder, new):
        _put_in_place(site.keys_folder, new, is_outside=False)
        return keys.load_public(site.keys_folder)
    _prepare(site, new, kind, outside)
    signer = OutsideSigner(command, keys.load_public(new)) if command else keys.load_private(new)
    for archive in (site.archive_folder, site.restricted_folder):
        if has_runs(archive):
            _hand_over(site, archive, signer)
        else:  # what a stopped first sealing left: it begins anew with the new key
            for name in (chain.HEAD, keys.PUBLIC_NAME):
                (archive / name).unlink(missing_ok=True)
    _put_in_place(site.keys_folder, new, is_outside=bool(outside))
    return signer.public_key()


def _prepare(site: Site, new: Path, kind: keys.Kind, outside: Path | None) -> None:
    """Make the new key in a folder of its own, unless a stopped change did."""
    if outside:
        new.mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)
        replace_whole(new / keys.PUBLIC_NAME, keys.public_pem(keys.load_public(outside)))
        return
    if not (new / keys.PRIVATE_NAME).is_file():
        keys.new_signing_key(new, kind)
    if isinstance(keys.load_private(new), P256Signer) and not (new / CERTIFICATE_NAME).is_file():
        self_signed(new, site.settings.name, site.settings.country)


def _hand_over(site: Site, archive: Path, signer: keys.Signer) -> None:
    """Seal both runs, or the one that a stopped change left to do."""
    pem = keys.public_pem(signer.public_key()).decode("ascii")
    last = chain.archive_runs(archive)[-1]
    if pem.encode("ascii") == (archive / last.name / keys.PUBLIC_NAME).read_bytes():
        repair_head(archive, signer, keys.load_public(site.keys_folder))
        return
    old = keys.load_private(site.keys_folder)
    if last.next_key != pem:
        public, authority = site.keys_folder / keys.PUBLIC_NAME, authority_certificate(site)
        if any(each.is_failure for each in verify(archive, public, authority=authority)):
            raise VerificationError(
                "The archive {archive!r} does not verify: its key is not changed.",
                "Run `audit-kernel verify` on it; restore what it names from a backup.",
                archive=str(archive),
            )
        _seal(site, archive, HAND_OVER, old, KeyChange(following=signer.public_key()), signer.public_key())
    _seal(site, archive, TAKE_OVER, signer, KeyChange(former=old.public_key()), old.public_key())


def _seal(site: Site, archive: Path, kind: str, signer: keys.Signer, change: KeyChange, other: keys.PublicKey) -> None:
    name, predicate = record_run(site, kind, datetime.now(UTC))
    folder = site.keys_folder / NEXT_FOLDER if kind == TAKE_OVER else site.keys_folder
    with working_folder(site) as working:
        payload = working / "payload"
        payload.mkdir()
        told = {"signed_by": keys.fingerprint(signer.public_key()), "other_key": keys.fingerprint(other)}
        (payload / f"{kind}.json").write_bytes(canonical_json(told))
        seal_for_site(site, payload, archive, name, predicate, signer=signer, keys_folder=folder, change=change)


def _is_in_place(folder: Path, new: Path) -> bool:
    """Tell whether a change was stopped after the new private key had been put in the old one's place."""
    if not (new / keys.PUBLIC_NAME).is_file() or not (folder / keys.PRIVATE_NAME).is_file():
        return False
    try:
        keys.load_private(folder, new / keys.PUBLIC_NAME)
    except KeyFileError:
        return False
    return True


def _put_in_place(folder: Path, new: Path, *, is_outside: bool) -> None:
    """Put the new key's files where the old ones were, the public key last; the old private key is kept aside."""
    private, certificate = folder / keys.PRIVATE_NAME, folder / CERTIFICATE_NAME
    if (new / keys.PRIVATE_NAME).is_file() or is_outside:
        if private.is_file():
            old = keys.fingerprint(keys.load_public(folder))[:8]
            replace_whole(folder / f"retired-{old}.pem", private.read_bytes())
        if is_outside:
            private.unlink(missing_ok=True)
        else:
            (new / keys.PRIVATE_NAME).replace(private)
    if (new / CERTIFICATE_NAME).is_file():
        (new / CERTIFICATE_NAME).replace(certificate)
    elif certificate.is_file() and not is_certificate_of(certificate, keys.load_public(new)):
        certificate.unlink()
    (new / keys.PUBLIC_NAME).replace(folder / keys.PUBLIC_NAME)
    with contextlib.suppress(OSError):
        new.rmdir()
    sync_folder(folder)
