"""A case as its journal tells it: who it is about, who may see it, what was said, added and decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

OPENED, CLOSED, REOPENED, SHARED, UNSHARED = "opened", "closed", "reopened", "shared", "unshared"
ABOUT = "about"
NOTE, CONVERSATION, EXPLANATION = "note", "conversation", "explanation"
NOTE_KINDS = (NOTE, CONVERSATION, EXPLANATION)
ATTACHED, DECIDED, EXPORTED = "attached", "decided", "exported"
DEVIATION, KNOWN, MEASURE, NOTIFIED = "deviation", "known", "measure", "notified"
WHOLE_CASE = "case"


def normalised(number: str) -> str:
    """Return a case number in which capitals and blanks do not count."""
    return "".join(number.split()).casefold()


@dataclass(frozen=True)
class Subject:
    """Whom a case is about: kind (employee or patient) and the site's id."""

    kind: str
    id: str


@dataclass(frozen=True)
class Entry:
    """One line of a case: its number in the journal, when (UTC, ISO), who, what was done, and with what."""

    sequence: int
    at: str
    user: str
    did: str
    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - whatever the line holds
        """Return a value of the line; empty text where it has none."""
        return self.values.get(name, "")


@dataclass(frozen=True)
class Evidence:
    """Something that was added to a case.

    Attributes
    ----------
    number: 1 for the case's first; id: its folder's name, or the run's.
    kind: `rows` of a question, a `file`, a sealed `run` of the archive, or a `draft` of a form.
    title: the report's name, the file's, the run's or the form's, as the line has it.
    sha256: of the folder's manifest-sha256.txt, or of the run's tagmanifest-sha256.txt.
    """

    number: int
    id: str
    kind: str
    title: str
    sha256: str
    entry: Entry


@dataclass(frozen=True)
class Case:
    """One case; every attribute is worked out from its lines, oldest first, and none is ever taken away."""

    path: Path
    entries: tuple[Entry, ...]
    opened: Entry = field(repr=False)

    @classmethod
    def of(cls, path: Path, lines: Sequence[Mapping[str, Any]]) -> Case | None:
        """Return the case of these lines of a journal; None where no line has opened one."""
        entries = []
        for line in lines:
            values = dict(line["entry"])
            if "did" in values:  # the journal's own remarks about torn lines are no part of a case
                did, user = values.pop("did"), values.pop("user")
                entries.append(Entry(line["sequence"], line["at"], user, did, values))
        opened = next((entry for entry in entries if entry.did == OPENED), None)
        return cls(path, tuple(entries), opened) if opened else None

    @property
    def name(self) -> str:
        """The name of its journal and folder."""
        return self.path.stem

    @property
    def number(self) -> str:
        """The case number, as it was typed."""
        return str(self.opened["number"])

    @property
    def purpose(self) -> str:
        """What it is to find out."""
        return str(self.opened["purpose"])

    @property
    def opened_at(self) -> str:
        """When it was opened (UTC, ISO)."""
        return self.opened.at

    @cached_property
    def subjects(self) -> tuple[Subject, ...]:
        """Whom it is about, those who came in later last."""
        told = [each for entry in self.of_kind(OPENED, ABOUT) for each in entry["subjects"]]
        return tuple(dict.fromkeys(Subject(each["kind"], each["id"]) for each in told))

    @property
    def about(self) -> dict[str, list[str]]:
        """Whom it is about, as the use log says it."""
        return {f"{kind}_id": self.ids(kind) for kind in ("employee", "patient") if self.ids(kind)}

    def ids(self, kind: str) -> list[str]:
        """Return the ids of its employees or patients."""
        return [each.id for each in self.subjects if each.kind == kind]

    @property
    def period(self) -> tuple[str, str]:
        """The days it is about, ISO, both included; empty where that side is open."""
        return str(self.opened["from_date"]), str(self.opened["to_date"])

    @property
    def routine(self) -> Mapping[str, str]:
        """The local routine in force when it was opened: name, version, person_responsible."""
        return dict(self.opened["routine"])

    @cached_property
    def readers(self) -> tuple[str, ...]:
        """The users of the operating system who may see it."""
        found = list(self.opened["readers"])
        for entry in self.entries:
            if entry.did == SHARED and entry["reader"] not in found:
                found.append(entry["reader"])
            if entry.did == UNSHARED and entry["reader"] in found:
                found.remove(entry["reader"])
        return tuple(found)

    @property
    def is_open(self) -> bool:
        """Whether it is open."""
        turns = [entry.did for entry in self.entries if entry.did in {CLOSED, REOPENED}]
        return not turns or turns[-1] == REOPENED

    @property
    def notes(self) -> list[Entry]:
        """Notes, conversations and explanations, oldest first."""
        return self.of_kind(*NOTE_KINDS)

    @cached_property
    def evidence(self) -> tuple[Evidence, ...]:
        """What was added, oldest first."""
        return tuple(
            Evidence(number, entry["id"], entry["kind"], entry["title"], entry["sha256"], entry)
            for number, entry in enumerate(self.of_kind(ATTACHED), start=1)
        )

    @property
    def decisions(self) -> dict[str, Entry]:
        """The decision in force on each subject, by its id, or on the `case`."""
        return {entry["about"]: entry for entry in self.of_kind(DECIDED)}

    def of_kind(self, *did: str) -> list[Entry]:
        """Return the lines of these kinds, oldest first."""
        return [entry for entry in self.entries if entry.did in did]
