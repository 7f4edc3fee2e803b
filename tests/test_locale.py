from __future__ import annotations

import ast
import datetime
import subprocess
import sys
from decimal import Decimal

import pytest
from babel.messages.catalog import Catalog

from audit_kernel.errors import UsageError
from audit_kernel.locale import (
    LANGUAGES,
    catalogues,
    day_name,
    format_date,
    format_decimal,
    format_month,
    format_number,
    format_percent,
    format_timestamp,
    in_language,
    month_name,
    translator,
)

NBSP = "\u00a0"


def test_every_message_is_translated_with_the_same_placeholders_and_none_is_left_over():
    assert not catalogues.problems()


def test_messages_of_modules_and_of_templates_are_found():
    places = {place for message in catalogues.extract() for place, _line in message.locations}
    assert {"evidence/figures.py", "evidence/template/objects.html.j2"} <= places


def test_a_text_given_to_a_translator_itself_is_found_and_a_variable_is_not():
    tree = ast.parse('translator(language)("found {n}")\ntranslator(language)(text)\nother(language)("not this")')
    assert list(catalogues.templates_of_errors(tree)) == ["found {n}"]


def test_what_is_missing_untranslated_or_differs_in_placeholders_is_named(monkeypatch):
    known = Catalog(locale="sv")
    known.add("same {name}", "samma {name}")
    known.add("other {name}", "annat {nomen}")
    known.add("empty", "")
    known.add("unused", "oanvänd")
    known.add(("{n} day", "{n} days"), ("{n} dag", ""))
    monkeypatch.setattr(catalogues, "TRANSLATED", ("sv",))
    monkeypatch.setattr(catalogues, "read_catalogue", lambda _language: known)
    wanted = Catalog()
    for message in ("same {name}", "other {name}", "empty", "absent", ("{n} day", "{n} days")):
        wanted.add(message)
    assert catalogues.problems(wanted) == [
        "sv: other placeholders: 'other {name}'",
        "sv: not translated: 'empty'",
        "sv: not translated: 'absent'",
        "sv: not translated: '{n} day'",
        "sv: no longer used: 'unused'",
    ]


def test_an_update_keeps_translations_adds_what_is_new_and_drops_what_is_unused(tmp_path, monkeypatch):
    messages = Catalog()
    messages.add("No", locations=[("x.py", 0)])
    messages.add("brand new", locations=[("y.py", 0)])
    path = tmp_path / "sv.po"
    path.write_bytes((catalogues.FOLDER / "sv.po").read_bytes())
    assert catalogues.update("sv", messages, tmp_path) == ["brand new"]
    written = path.read_text(encoding="utf-8")
    assert 'msgid "No"\nmsgstr "Nej"' in written
    assert 'msgid "brand new"\nmsgstr ""' in written
    assert "Yes" not in written
    assert catalogues.update("sv", messages, tmp_path) == ["brand new"]
    assert path.read_text(encoding="utf-8") == written


def test_the_catalogues_are_as_the_tool_writes_them(tmp_path):
    messages = catalogues.extract()
    for language in catalogues.TRANSLATED:
        path = tmp_path / f"{language}.po"
        path.write_bytes((catalogues.FOLDER / f"{language}.po").read_bytes())
        catalogues.update(language, messages, tmp_path)
        assert path.read_bytes() == (catalogues.FOLDER / f"{language}.po").read_bytes()


def test_the_command_checks_and_refuses_what_it_does_not_know():
    command = [sys.executable, "-m", "audit_kernel.locale"]
    assert subprocess.run([*command, "check"], check=False).returncode == 0
    assert subprocess.run([*command, "compile"], check=False, capture_output=True).returncode == 2


def test_a_text_is_translated_and_an_unknown_one_stays():
    assert [translator(language)("Yes") for language in LANGUAGES] == ["Yes", "Ja", "Ja"]
    assert translator("sv")("Nobody translated this") == "Nobody translated this"
    assert translator("sv")("") == ""


@pytest.mark.parametrize(
    ("language", "one", "many"),
    [("en", "1 row", "0 rows"), ("sv", "1 rad", "0 rader"), ("nb", "1 rad", "0 rader")],
)
def test_one_is_singular_and_all_else_is_plural(language, one, many):
    plural = translator(language).plural
    assert plural("{number} row", "{number} rows", 1).format(number=1) == one
    assert plural("{number} row", "{number} rows", 0).format(number=0) == many
    assert plural("{n} unknown", "{n} unknowns", 2) == "{n} unknowns"


def test_a_language_that_the_product_does_not_speak_is_refused():
    with pytest.raises(UsageError, match="'de' is not available"):
        translator("de")
    with pytest.raises(UsageError, match="en, sv, nb"):
        format_number(1, "de")


def test_texts_are_chosen_from_mappings_and_from_objects():
    texts = {"en": "unit", "sv": "enhet", "nb": "avdeling"}
    assert in_language(texts, "nb") == "avdeling"
    assert in_language(type("Texts", (), texts), "sv") == "enhet"


def test_numbers_are_written_in_the_readers_language():
    assert [format_number(-1234567, language) for language in LANGUAGES] == [
        "-1,234,567",
        f"-1{NBSP}234{NBSP}567",
        f"-1{NBSP}234{NBSP}567",
    ]
    assert format_decimal(Decimal("0.125"), "sv") == "0,12"
    assert format_decimal(12, "nb", 0) == "12"
    assert format_percent(0.5, "en", 0) == "50%"


def test_days_and_months_are_named_in_the_readers_language():
    day = datetime.date(2026, 10, 5)
    assert [format_date(day, language, long=True) for language in LANGUAGES] == [
        "5 October 2026",
        "5 oktober 2026",
        "5. oktober 2026",
    ]
    assert [format_month(day, language) for language in LANGUAGES] == ["October 2026", "oktober 2026", "oktober 2026"]
    assert [day_name(1, language) for language in LANGUAGES] == ["Monday", "måndag", "mandag"]
    assert [day_name(7, language, "abbreviated") for language in LANGUAGES] == ["Sun", "sön", "søn"]
    assert month_name(5, "sv") == "maj"


def test_a_time_with_an_offset_and_one_without_are_the_same_moment():
    naive = datetime.datetime(2026, 1, 1, 12, 0)
    aware = naive.replace(tzinfo=datetime.UTC)
    assert (
        format_timestamp(naive, "nb", "Europe/Oslo")
        == format_timestamp(aware, "nb", "Europe/Oslo")
        == "01.01.2026 13:00:00"
    )
