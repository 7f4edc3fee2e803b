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


class AuditKernelError(Exception):
    """Base of every error the product raises on purpose.

    Parameters
    ----------
    problem: what failed, one sentence.
    remedy: what the reader can do, one sentence.
    """

    exit_code = 1

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(f"{problem} {remedy}".strip())
        self.problem = problem
        self.remedy = remedy


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
    """What a query needs is missing: `relation` names it; `is_period_empty` when only the period has none."""

    def __init__(self, query: str, relation: str, *, is_period_empty: bool = False) -> None:
        where = " for this period" if is_period_empty else ""
        problem = f"{query} is not assessable: no {relation.replace('_', ' ')} were taken in{where}."
        super().__init__(problem, "Check the period, or take them in; docs/not-assessable.md says how.")
        self.relation = relation
        self.is_period_empty = is_period_empty


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
