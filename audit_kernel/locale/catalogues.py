"""Keeps the catalogues: finds every message of the package, merges them, names what lacks a translation."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from audit_kernel import errors
from audit_kernel.locale.translation import FOLDER, LANGUAGES, SOURCE_LANGUAGE, read_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PACKAGE = FOLDER.parent
TRANSLATED = tuple(language for language in LANGUAGES if language != SOURCE_LANGUAGE)
# ``_`` is the translator; ``plural`` its method for numbers; ``N_`` marks a text that is translated later.
_KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "N_": None, "plural": (1, 2)}
_METHODS = [("**.py", "python"), ("**.j2", "jinja2"), ("serving/pages/*.html", "jinja2")]
# An error's first two arguments are its templates; a phrase is one text.
ERRORS = {name for name, value in vars(errors).items() if isinstance(value, type) and name.endswith("Error")}
_TEMPLATES = {
    **dict.fromkeys((*ERRORS, "QuestionError", "EntryError", "ChangedMeanwhileError"), 2),
    errors.Phrase.__name__: 1,
}
# The demo speaks English to whoever tries it with wrong arguments.
_ENGLISH_ONLY = "demo"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def extract(folder: Path = PACKAGE) -> Catalog:
    """Collect the messages of all modules and templates below ``folder``."""
    catalogue = Catalog(charset="utf-8", fuzzy=False)
    found = extract_from_dir(folder, _METHODS, keywords=_KEYWORDS, comment_tags=("Translators:",))
    for file_name, _line, message, comments, context in found:
        # No line numbers: an unrelated edit must not change the catalogue.
        catalogue.add(message, locations=[(Path(file_name).as_posix(), 0)], auto_comments=comments, context=context)
    for path in sorted(folder.rglob("*.py")):
        place = path.relative_to(folder)
        if _ENGLISH_ONLY not in place.parts:
            for template in templates_of_errors(ast.parse(path.read_text(encoding="utf-8"))):
                catalogue.add(template, locations=[(place.as_posix(), 0)])
    return catalogue


def templates_of_errors(tree: ast.AST) -> Iterator[str]:
    """Yield the literal texts that a module gives to its errors and phrases, and to `translator(language)` itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.func if isinstance(node.func, ast.Call) else node.func
            templates = {"translator": 1} if name is not node.func else _TEMPLATES
            for argument in node.args[: templates.get(name.id, 0) if isinstance(name, ast.Name) else 0]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and argument.value:
                    yield argument.value


def update(language: str, messages: Catalog, folder: Path = FOLDER) -> list[str]:
    """Bring one language's file up to date and return the messages that lack a translation.

    What is no longer used is dropped; nothing is guessed from similar messages.
    """
    path = folder / f"{language}.po"
    old = read_catalogue(language) if path.exists() else Catalog(locale=language)
    new = Catalog(locale=language, charset="utf-8", fuzzy=False)
    missing = []
    for message in messages:
        if not message.id:
            continue
        known = old.get(_first(message))
        string = (
            known.string if known is not None and isinstance(known.string, str) == isinstance(message.id, str) else None
        )
        new.add(message.id, string, locations=message.locations, auto_comments=message.auto_comments)
        if not _is_translated(string):
            missing.append(_first(message))
    with path.open("wb") as file:
        file.write(f"# Audit Kernel: {language}. Kept by `python -m audit_kernel.locale`.\n".encode())
        file.write(b'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n')
        file.write(f'"Language: {language}\\n"\n'.encode())
        file.write(b'"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n')
        write_po(file, new, width=100, sort_output=True, omit_header=True, include_lineno=False)
    return missing


def problems(messages: Catalog | None = None) -> list[str]:
    """Name each message that is missing, left untranslated, no longer used, or has other placeholders."""
    wanted = extract() if messages is None else messages
    found = []
    for language in TRANSLATED:
        catalogue = read_catalogue(language)
        for message in wanted:
            if not message.id:
                continue
            known = catalogue.get(_first(message))
            if known is None or not _is_translated(known.string):
                found.append(f"{language}: not translated: {_first(message)!r}")
            elif _placeholders(message.id) != _placeholders(known.string):
                found.append(f"{language}: other placeholders: {_first(message)!r}")
        used = {_first(message) for message in wanted}
        found += [f"{language}: no longer used: {_first(known)!r}" for known in catalogue if _first(known) not in used]
    return found


def _first(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _is_translated(string: str | Sequence[str] | None) -> bool:
    return bool(string) if isinstance(string, str) or string is None else all(string)


def _placeholders(texts: str | Sequence[str] | None) -> set[str]:
    return set(_PLACEHOLDER.findall(texts if isinstance(texts, str) else " ".join(texts or ())))
