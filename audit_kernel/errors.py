"""Errors, each with what failed and the remedy.

    AuditKernelError            exit code 1 unless said otherwise
    ├── UsageError              wrong use of a command (2)
    │   └── ParameterError      a query's or notebook's parameter is missing, unknown or of the wrong type
    ├── SettingsError           a settings, mapping or catalogue file is wrong: file, key, allowed values
    ├── IntakeError             a file was refused whole; the store is unchanged
    │   └── DamagedFileError    the file itself is damaged
    ├── UnknownSubjectError     a patient or employee stands neither in the log nor in the reference data
    ├── NotAssessableError      the data that a check needs are missing or incomplete
    ├── RunError                a notebook failed
    │   └── MonthIncompleteError (3)
    ├── VerificationError       evidence that does not verify
    └── UnavailableError        store, key or journal not reachable (4)
        ├── StoreError
        ├── KeyFileError
        └── JournalError

A message echoes what the operator typed; what stood in a log is named by file, line and column only.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_kernel.completeness import Lack

ENGLISH = "en"


class Phrase(str):
    """A fixed text that is translated where it is shown: a template kept apart, or a word put into one."""

    __slots__ = ()


class AuditKernelError(Exception):
    """Base of every error the product raises on purpose.

    Parameters
    ----------
    problem: what failed, one English sentence; a literal, so that the catalogues hold it.
    remedy: what the reader can do, one English sentence.
    values: what `{name}` in both stands for; without any, braces are plain text. Of several phrases (a tuple) each is
        translated.

    `problem`, `remedy` and `str(error)` are English; `parts` and `text` speak the reader's language.
    """

    exit_code = 1

    def __init__(self, problem: str, remedy: str = "", /, **values: object) -> None:
        self._templates = (problem, remedy)
        self._values = values
        self.problem, self.remedy = self.parts(ENGLISH)
        super().__init__(self.text(ENGLISH))

    def parts(self, language: str) -> tuple[str, str]:
        """Return problem and remedy in a language (en, sv, nb)."""
        problem, remedy = (self._in(language, template) for template in self._templates)
        return problem, remedy

    def text(self, language: str) -> str:
        """Return problem and remedy as one text in a language (en, sv, nb)."""
        return " ".join(self.parts(language)).strip()

    def _in(self, language: str, template: str) -> str:
        if language == ENGLISH:
            filled = {name: _words(value, str) for name, value in self._values.items()}
            return template.format(**filled) if filled else template
        from audit_kernel.locale import translator  # it raises errors of this module itself

        translated = translator(language)
        if not self._values:
            return translated(template)
        values = {name: _words(value, translated) for name, value in self._values.items()}
        return _Filling(language).vformat(translated(template), (), values)


def _words(value: object, translated: Callable[[str], str]) -> object:
    """Return a phrase, or several, in the reader's words; anything else as it is."""
    if isinstance(value, tuple):
        return "; ".join(str(_words(each, translated)) for each in value)
    return translated(value) if isinstance(value, Phrase) else value


class _Filling(string.Formatter):
    """Fills a template; `{number:,}` is grouped as the language does."""

    def __init__(self, language: str) -> None:
        self._language = language

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401 - as its base says
        from audit_kernel.locale import format_number

        return format_number(value, self._language) if format_spec == "," else str(format(value, format_spec))


class UsageError(AuditKernelError):
    """Wrong use of a command or function."""

    exit_code = 2


class ParameterError(UsageError):
    """A parameter is missing, unknown or of the wrong type."""


class SettingsError(AuditKernelError):
    """A settings, mapping or catalogue file is wrong."""


class IntakeError(AuditKernelError):
    """A file was refused whole; the store is unchanged."""


class DamagedFileError(IntakeError):
    """The file is damaged: named by file, line and column, never by its content."""


class UnknownSubjectError(AuditKernelError):
    """A patient or employee stands neither in the log nor in the reference data."""


class NotAssessableError(AuditKernelError):
    """What a query needs is missing: `relation` names it; `is_period_empty` when only the period has none.

    `lacks` say what the period's logs lack where they are there but not whole.
    """

    def __init__(self, query: str, relation: str, *, is_period_empty: bool = False, lacks: Sequence[Lack] = ()) -> None:
        anywhere = Phrase("{query} is not assessable: no {relation} were taken in.")
        problem = Phrase("{query} is not assessable: no {relation} were taken in for this period.")
        remedy = Phrase("Check the period, or take them in; docs/not-assessable.md says how.")
        if lacks:
            problem = Phrase("{query} is not assessable: the logs of the period are incomplete.")
            remedy = Phrase("Take in what is missing and ask again; docs/not-assessable.md says how.")
        words = Phrase(relation.replace("_", " "))
        self.relation = relation
        self.is_period_empty = is_period_empty
        self.lacks = tuple(lacks)
        super().__init__(problem if is_period_empty or lacks else anywhere, remedy, query=query, relation=words)

    def parts(self, language: str) -> tuple[str, str]:
        """Return the problem with every lack, and the remedy, in a language."""
        problem, remedy = super().parts(language)
        if self.lacks:
            from audit_kernel.completeness import sentences  # it raises errors of this module itself

            problem = " ".join([problem, *sentences(self.lacks, language)])
        return problem, remedy


class RunError(AuditKernelError):
    """A notebook failed."""


class MonthIncompleteError(RunError):
    """At least one notebook of a month failed."""

    exit_code = 3


class VerificationError(AuditKernelError):
    """Evidence does not verify."""


class UnavailableError(AuditKernelError):
    """Store, key or journal not reachable."""

    exit_code = 4


class StoreError(UnavailableError):
    """The store cannot be opened, read or written."""


class KeyFileError(UnavailableError):
    """A key is missing or unreadable."""


class JournalError(UnavailableError):
    """A journal cannot be written or does not verify."""
