"""Translation by gettext catalogues that are read as text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.pofile import read_po

from audit_kernel.errors import UsageError

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

LANGUAGES = ("en", "sv", "nb")
SOURCE_LANGUAGE = "en"
FOLDER = Path(__file__).resolve().parent


class Translator:
    """Gives the text of one language; a text without a translation stays English (a test finds those)."""

    def __init__(self, language: str) -> None:
        self.language = checked_language(language)
        self._catalogue = None if language == SOURCE_LANGUAGE else read_catalogue(language)

    def __call__(self, text: str) -> str:
        """Translate ``text``; placeholders in braces stay for ``str.format``."""
        if not text or self._catalogue is None:
            return text
        message = self._catalogue.get(text)
        return (
            str(message.string) if message is not None and isinstance(message.string, str) and message.string else text
        )

    def plural(self, singular: str, plural: str, count: int) -> str:
        """Translate by number: the singular for 1, the plural otherwise (all three languages count so)."""
        position = 0 if count == 1 else 1
        message = None if self._catalogue is None else self._catalogue.get(singular)
        texts = () if message is None or isinstance(message.string, str) else tuple(message.string or ())
        return (texts if len(texts) > position and texts[position] else (singular, plural))[position]


@cache
def translator(language: str) -> Translator:
    """Return the translator of a language (en, sv, nb); :class:`UsageError` for any other."""
    return Translator(language)


def checked_language(language: str) -> str:
    """Return ``language`` when the product speaks it, else raise :class:`UsageError`."""
    if language not in LANGUAGES:
        raise UsageError(
            "The language {language!r} is not available.",
            "Use one of {allowed}.",
            language=language,
            allowed=", ".join(LANGUAGES),
        )
    return language


def read_catalogue(language: str) -> Catalog:
    """Read a language's catalogue from this folder."""
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def in_language(texts: Mapping[str, str] | object, language: str) -> str:
    """Choose from ``{en, sv, nb}``, given as a mapping or as an object with those attributes."""
    if isinstance(texts, Mapping):
        return str(texts[checked_language(language)])
    return str(getattr(texts, checked_language(language)))
