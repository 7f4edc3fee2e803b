"""The auditor's page without a browser: what it says of a whole archive, of a changed one, and of none."""

from __future__ import annotations

from datetime import date

import pytest

from audit_kernel.evidence.display import Paragraph
from audit_kernel.operating.desk import Desk, Worker
from audit_kernel.serving.audit_page import AuditPage, open_page
from audit_kernel.site import SITE_VARIABLE
from tests.evidence.sealed_months import make_site, seal_month


def at_once(job):
    job()


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    site = make_site(tmp_path_factory.mktemp("audited"))
    seal_month(site, "2026-09", {"own_record": 1})
    return site


@pytest.fixture
def section(sealed):
    return AuditPage(Desk(sealed, date(2026, 11, 26), Worker(at_once))).archive


def press(section, code=""):
    section.form._receive(section.form, {"kind": "search", "values": {"code": code}}, [])


def answer(section):
    return section.answer.view


def test_a_whole_archive_verifies_with_its_runs_and_its_code(section):
    press(section)
    shown = answer(section)
    assert shown["title"] == "Arkivet er som det ble forseglet"
    assert shown["facts"][:2] == [["Kjøringer", "1"], ["Problemer", "0"]]
    code = dict(shown["facts"])["Hodepostens kode nå"]
    press(section, code)
    assert answer(section)["title"] == "Arkivet er som det ble forseglet"


def test_a_changed_page_and_a_code_that_does_not_fit_are_named(section, sealed):
    page = next(sealed.archive_folder.glob("*/data/pages/*.html"))
    before = page.read_bytes()
    page.chmod(0o600)
    page.write_bytes(before + b" ")
    try:
        press(section)
        assert answer(section)["title"] == "Arkivet er ikke som det ble forseglet"
        assert dict(answer(section)["facts"])["Problemer"] == "1"
        press(section, "0000-0000-0000-0000")
        assert answer(section)["title"] == "Arkivet er ikke som det ble forseglet"
    finally:
        page.write_bytes(before)


def test_without_a_site_the_page_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv(SITE_VARIABLE, str(tmp_path))
    assert isinstance(open_page(), Paragraph)
