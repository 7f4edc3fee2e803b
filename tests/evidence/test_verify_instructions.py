"""VERIFY.txt, followed step by step with nothing but what it asks for."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from audit_kernel.evidence import bag, chain, keys
from audit_kernel.evidence.bag_build import instructions
from audit_kernel.evidence.key_change import change_key
from audit_kernel.evidence.site_signing import authority_certificate
from audit_kernel.site import create_site
from tests.evidence.authority import make_authority
from tests.evidence.sealing import rewrite
from tests.evidence.test_signing import sealed, settings, stamping, with_p256

pytestmark = pytest.mark.requires("sha256sum", "openssl")
TOOLS = ("sha256sum", "base64", "head", "tail", "openssl")  # what the text says that one needs
PLAIN, CERTIFIED, STAMPED, BOTH = (), (bag.CMS_SIGNATURE,), (bag.STAMP,), (bag.CMS_SIGNATURE, bag.STAMP)
N_COMMANDS = {PLAIN: 10, CERTIFIED: 13, STAMPED: 12, BOTH: 15}
SIGNED_LISTS = (bag.MANIFEST + bag.SIGNATURE, bag.TAG_MANIFEST, bag.TAG_MANIFEST + bag.SIGNATURE)


@dataclass
class Auditor:
    """Somebody with a terminal in a run's folder, five programs, and the authority's certificate."""

    run: Path
    home: Path

    def follow(self):
        tools = self.home / "tools"
        if not tools.exists():
            tools.mkdir(parents=True)
            for name in TOOLS:
                (tools / name).symlink_to(shutil.which(name))
        steps = re.findall(r"^\$ (.+)$", (self.run / bag.INSTRUCTIONS).read_text("utf-8"), re.MULTILINE)
        script = "\n".join(steps).replace("/tmp/", f"{self.home}/")
        command = [shutil.which("env"), "-i", f"PATH={tools}", shutil.which("sh"), "-e", "-c", script]
        return subprocess.run(command, cwd=self.run, capture_output=True, text=True, check=False)


def make_run(folder: Path, variant) -> tuple[Auditor, str]:
    """Return who checks the last of two runs, and the key's fingerprint."""
    site = create_site(folder / "site", "SE")
    if bag.CMS_SIGNATURE in variant:
        site = with_p256(site)
    if bag.STAMP in variant:
        site = stamping(site, folder / "authority")
    sealed(site, "first")
    run = sealed(site, "second")
    home = folder / "home"
    home.mkdir()
    if bag.STAMP in variant:
        shutil.copy(authority_certificate(site), home / "authority.pem")
    return Auditor(run, home), keys.fingerprint(keys.load_public(site.keys_folder))


@pytest.mark.parametrize("variant", [PLAIN, CERTIFIED, STAMPED, BOTH])
def test_the_steps_need_nothing_but_coreutils_and_openssl(tmp_path, variant):
    auditor, fingerprint = make_run(tmp_path, variant)
    text = (auditor.run / bag.INSTRUCTIONS).read_text("utf-8")
    assert len(re.findall(r"^\$ ", text, re.MULTILINE)) == N_COMMANDS[variant]
    numbers = re.findall(r"^STEP / STEG / TRINN (\d)$", text, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, 6 + len(variant))]
    done = auditor.follow()
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(fingerprint) == (2 if bag.CMS_SIGNATURE in variant else 1)
    assert done.stdout.count("Signature Verified Successfully") == 3
    assert ("CAdES Verification successful" in done.stderr) == (bag.CMS_SIGNATURE in variant)
    assert ("Verification: OK" in done.stdout + done.stderr) == (bag.STAMP in variant)
    assert done.stdout.splitlines()[-1].split()[0] in (auditor.run.parent / chain.HEAD).read_text("utf-8")
    for path in (*SIGNED_LISTS, "data/pages/index.html", "../head.txt", bag.PUBLIC_KEY, *variant):
        whole = (auditor.run / path).read_bytes()
        place = len(whole) // 2
        rewrite(auditor.run / path, whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert auditor.follow().returncode != 0, path
        rewrite(auditor.run / path, whole)
    assert auditor.follow().returncode == 0


def test_the_stamp_of_another_authority_does_not_pass(tmp_path):
    auditor, _ = make_run(tmp_path, STAMPED)
    shutil.copy(make_authority(tmp_path / "other")[0], auditor.home / "authority.pem")
    assert auditor.follow().returncode != 0


def test_after_a_change_of_keys_the_newest_run_passes_and_the_text_says_what_signs_the_head_record(tmp_path):
    site = create_site(tmp_path / "site", "NO")
    sealed(site, "first")
    change_key(site, "p256")
    run = sealed(settings(site), "second")
    (tmp_path / "home").mkdir()
    assert Auditor(run, tmp_path / "home").follow().returncode == 0
    assert "Signature Verification Failure" in Auditor(run.parent / "first", tmp_path / "home").follow().stdout
    text = (run.parent / "first" / bag.INSTRUCTIONS).read_text("utf-8")
    assert text.count("../signing-key.pub.pem") == 3


def test_each_step_speaks_three_languages():
    for step in instructions(BOTH).decode("utf-8").split("STEP / STEG / TRINN ")[1:]:
        assert re.findall(r"^(en|sv|nb): ", step, re.MULTILINE) == ["en", "sv", "nb"]
        assert all(len(line) <= 120 for line in step.splitlines() if not line.startswith("$ "))
