"""Whatever is done to an archive is found with the public key alone, and what was touched is named."""

from __future__ import annotations

import os
import shutil
import time

import pytest

from audit_kernel.evidence import chain, keys
from audit_kernel.evidence.key_change import change_key
from audit_kernel.evidence.restamp import restamp
from audit_kernel.evidence.site_signing import authority_certificate
from audit_kernel.evidence.verify import verify
from audit_kernel.site import create_site
from tests.evidence.tampering import ATTACKS, World, attack
from tests.evidence.test_signing import sealed, stamping

pytestmark = pytest.mark.requires("openssl")
SOAK = int(os.environ.get("SOAK", "1"))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Two stamped months, a change from Ed25519 to P-256 with a certificate, a third month, a stamp over all."""
    base = tmp_path_factory.mktemp("tampering")
    site = stamping(create_site(base / "site", "NO"), base / "authority")
    for name in ("2026-08-monthly", "2026-09-monthly"):
        sealed(site, name)
    old = shutil.copy(site.keys_folder / keys.PUBLIC_NAME, base / "first-key.pub.pem")
    change_key(site, "p256")
    sealed(site, "2026-10-monthly")
    earlier = (site.archive_folder / chain.HEAD).read_bytes()
    restamp(site)
    new = shutil.copy(site.keys_folder / keys.PUBLIC_NAME, base / "second-key.pub.pem")
    codes = [chain.head_of(run).code() for run in chain.archive_runs(site.archive_folder)]
    return World(site.archive_folder, [old, new], authority_certificate(site), codes, earlier)


def test_the_archive_is_whole_before_and_after_it_is_attacked(world):
    for _ in range(2):
        for key in world.public_keys:
            assert verify(world.archive, key, authority=world.authority, codes=world.codes) == []
        world.restore()


def test_random_tampering_is_found_and_named(world):
    figures = attack(world, changes=40, others=2, seed=20261102)
    assert figures.missed == []
    assert figures.made.total() == 40 + 2 * len(ATTACKS)


def test_an_archive_put_back_to_an_earlier_head_record_is_found_by_a_filed_code(world):
    key, trusted = world.public_keys[1], world.authority
    try:
        shutil.rmtree(world.archive / world.runs[-1])
        (world.archive / chain.HEAD).write_bytes(world.earlier_head)
        assert not any(each.is_failure for each in verify(world.archive, key, authority=trusted))
        told = [each for each in verify(world.archive, key, authority=trusted, codes=world.codes) if each.is_failure]
        assert [each.code for each in told] == ["code_unknown"]
        assert world.codes[-1] in told[0].message
    finally:
        world.restore()


@pytest.mark.soak
def test_a_thousand_random_changes_are_found_and_named(world, capsys):
    began = time.monotonic()
    figures = attack(world, changes=1000 * SOAK, others=50 * SOAK, seed=int(began * 1000))
    with capsys.disabled():
        print()
        for kind, count in figures.made.items():
            print(
                f"tampering, {kind}: {count} made, {sum(each.startswith(f'{kind}:') for each in figures.missed)} missed"
            )
        print(f"tampering: {time.monotonic() - began:.0f} s")
    assert figures.missed == []
