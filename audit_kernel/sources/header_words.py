"""What columns are called in the three languages, from `parameters/header_words.yml`: for drafts and for labels."""

from __future__ import annotations

import re
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field

from audit_kernel.catalog import resource_folder
from audit_kernel.yaml_file import Texts, read_model

SIGNS = re.compile(r"[\W_]+")


class Target(BaseModel):
    """A stored column: its name for people, what logs call it, and what they write for each decided value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Texts
    words: tuple[str, ...]
    values: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class HeaderWords(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    undecided: tuple[str, ...]
    targets: dict[str, Target]


@lru_cache
def header_words() -> HeaderWords:
    """Return the dictionary."""
    return read_model(resource_folder("parameters") / "header_words.yml", HeaderWords)


def plain(text: str) -> str:
    """Return a name in small letters with blanks for signs."""
    return SIGNS.sub(" ", text).strip().casefold()


def target_of(name: str) -> str:
    """Return the stored column that a header's name suggests; empty where none does, or the name has two meanings.

    The whole name counts before a part of it, and a longer part before a shorter one.
    """
    words = header_words()
    wanted = plain(name)
    if wanted in words.undecided:
        return ""
    known = {word: target for target, entry in words.targets.items() for word in entry.words}
    if wanted in known:
        return known[wanted]
    if any(f" {word} " in f" {wanted} " for word in words.undecided if " " in word):
        return ""
    parts = [word for word in known if f" {word} " in f" {wanted} "]
    return known[max(parts, key=len)] if parts else ""


def value_of(target: str, text: str, allowed: tuple[str, ...]) -> str:
    """Return which of the decided values a log's value suggests; empty where none does."""
    entry = header_words().targets.get(target)
    wanted = plain(text)
    return next((to for to, words in (entry.values if entry else {}).items() if to in allowed and wanted in words), "")


def label_of(column: str, language: str) -> str:
    """Return what people call a stored column; its own name where the dictionary has none."""
    entry = header_words().targets.get(column)
    return entry.label.in_language(language) if entry else column
