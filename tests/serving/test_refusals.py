"""In which language a refusal is told, and who is refused at the door."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from tornado import web
from traitlets.config import Config

from audit_kernel.locale import LANGUAGES, translator
from audit_kernel.serving.authenticator import AuditKernelAuthenticator
from audit_kernel.serving.refusals import REASONS, reader_language, refused
from audit_kernel.serving.settings import SECRET_HEADER


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "sv"),
        ("nb-NO,nb;q=0.9,en;q=0.8", "nb"),
        ("no", "nb"),
        ("nn-NO", "nb"),
        ("de,en-GB;q=0.7,nb;q=0.8", "nb"),
        ("fr-CH, fr;q=0.9", "sv"),
        ("en;q=0.1, sv;q=x", "sv"),
        (";;,=,\x00", "sv"),
    ],
)
def test_the_reader_s_first_language_that_we_speak_is_taken_else_the_site_s(accepted, language):
    assert reader_language(accepted, "sv") == language


def test_every_reason_is_a_403_with_a_sentence_in_each_language():
    for reason, text in REASONS.items():
        errors = {language: refused(reason, language, "en") for language in LANGUAGES}
        assert {error.status_code for error in errors.values()} == {403}
        assert {language: error.jupyterhub_message for language, error in errors.items()} == {
            language: translator(language)(text) for language in LANGUAGES
        }
        assert len({error.jupyterhub_message for error in errors.values()}) == 3


def test_a_log_in_that_did_not_come_through_nginx_is_refused_and_its_word_on_the_device_is_not_taken():
    settings = {"door_secret": "open sesame", "language": "en"}
    authenticator = AuditKernelAuthenticator(config=Config(AuditKernelAuthenticator=settings))
    for given in ({}, {SECRET_HEADER: ""}, {SECRET_HEADER: "open"}, {SECRET_HEADER: "öppna"}):
        handler = SimpleNamespace(request=SimpleNamespace(headers=given))
        with pytest.raises(web.HTTPError) as caught:
            authenticator.check_door(handler)
        assert caught.value.jupyterhub_message == REASONS["not_through_door"]
    handler = SimpleNamespace(request=SimpleNamespace(headers={SECRET_HEADER: "open sesame"}))
    authenticator.check_door(handler)
    without = AuditKernelAuthenticator(config=Config(AuditKernelAuthenticator={"door_secret": ""}))
    forged = SimpleNamespace(request=SimpleNamespace(headers={"X-Audit-Kernel-Device": "CN=forged"}))
    assert without._device(forged) == {"device": "", "device_serial": ""}


REFUSED_NAMES = ("a/b", "..", "x" * 23, "a\n", "{0.__class__}", "", None, ["a"], "å")


@pytest.mark.parametrize(
    ("name", "taken"),
    [("SE2321000016-1A2B", True), ("1234567", True), *((name, False) for name in REFUSED_NAMES)],
)
def test_only_a_plain_name_becomes_an_account_s(name, taken):
    from audit_kernel.serving.write import USER_NAME

    settings = {"user_claim": "id", "username_pattern": USER_NAME}
    authenticator = AuditKernelAuthenticator(config=Config(AuditKernelAuthenticator=settings))
    assert bool(authenticator.name_in({"id": name})) is taken


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        (["a", "b"], ["investigator", "auditor"]),
        ("b", ["auditor"]),
        ([{"a": 1}, None, 7, "c"], []),
        ({"a": 1}, []),
        (None, []),
        (7, []),
    ],
)
def test_groups_of_any_shape_give_roles_or_none(groups, roles):
    settings = {"groups_claim": "g", "roles": {"auditor": ["b"], "investigator": ["a"]}}
    authenticator = AuditKernelAuthenticator(config=Config(AuditKernelAuthenticator=settings))
    assert authenticator.roles_in({"g": groups}) == roles
