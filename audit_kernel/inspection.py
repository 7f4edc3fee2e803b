"""What a file looks like before it is taken in: candidates, first rows, what would be quarantined.

The command and the page say it in the same words.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

from audit_kernel.errors import IntakeError
from audit_kernel.evidence.display import format_value, in_words
from audit_kernel.locale import format_number, translator
from audit_kernel.sources import prepare
from audit_kernel.sources.formats import FormatName
from audit_kernel.sources.header_words import label_of
from audit_kernel.sources.recognise import Candidate, all_definitions, candidates, definition_of, title_of
from audit_kernel.sources.shape import ZIP, guessed_encoding, shape_of, start_of
from audit_kernel.store.intake import plain_name, source_folders
from audit_kernel.store.preview import Preview, preview
from audit_kernel.store.workspace import workspace
from audit_kernel.use_log import record_use

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pyarrow

    from audit_kernel.errors import AuditKernelError
    from audit_kernel.site import Site
    from audit_kernel.sources.recognise import Definition

DEFAULT_ROWS = 5
# What intake makes for its own use, and parts of the time that `recorded_at` says already.
NOT_SHOWN = frozenset(
    [
        "source_id",
        "file_id",
        "record_hash",
        "item",
        "local_date",
        "local_hour",
        "local_weekday",
        "is_holiday",
    ]
)
DELIMITER_WORDS = {";": ";", ",": ",", "|": "|", "\t": "TAB"}


@dataclass(frozen=True)
class Inspection:
    """What was seen.

    candidates: the likeliest first. wrong: mappings that could not be tried, with their error. source: the one that was
    tried, by name; empty where none fits. encoding: of the text, empty where it is none; n_columns: with `delimiter`.
    """

    file_name: str
    candidates: list[Candidate]
    wrong: dict[str, AuditKernelError]
    source: str = ""
    time_zone: str = "UTC"
    preview: Preview | None = None
    encoding: str = ""
    delimiter: str = ""
    n_columns: int = 0

    @property
    def would_be_taken_in(self) -> bool:
        """Whether intake would store the file as the source that was tried."""
        return self.preview is not None and self.preview.refused is None


def inspect_file(
    site: Site,
    path: Path,
    purpose: str,
    source: str = "",
    n_rows: int = DEFAULT_ROWS,
    progress: Callable[[int, int], None] | None = None,
) -> Inspection:
    """Say which source a file looks like and what intake would make of it. Nothing is stored.

    Parameters
    ----------
    source: the source to try; the likeliest when empty. `reference:KIND` for reference data.

    Raises
    ------
    UsageError: no purpose was given, or there is no such source.
    JournalError: the use log cannot be written; nothing is returned.
    IntakeError: the path names no file, or one that cannot be read.
    """
    record_use(site, purpose, "inspect", {"file": plain_name(path), "source": source})
    start = start_of(path)
    folders = source_folders(site)
    definitions, wrong = all_definitions(folders)
    found = candidates(start, definitions, folders) or _by_trying(site, path, definitions, start)
    name = source or (found[0].name if found else "")
    seen = Inspection(plain_name(path), found, wrong, encoding=guessed_encoding(start) or "")
    if shape := shape_of(start):
        seen = replace(seen, delimiter=shape.delimiter, n_columns=len(shape.names))
    if not name:
        return seen
    definition = definitions.get(name) or definition_of(name, folders)
    made = preview(site, path, definition, n_rows, progress)
    return replace(seen, source=name, time_zone=zone_of(definition), preview=made)


def _by_trying(site: Site, path: Path, definitions: Mapping[str, Definition], start: bytes) -> list[Candidate]:
    """The delimited sources as which a workbook can be prepared: its header does not stand in its first bytes."""
    found: list[Candidate] = []
    if not start.startswith(ZIP):
        return found
    with workspace(site) as folder:
        for name, definition in definitions.items():
            n_columns = len(definition.columns)
            with suppress(IntakeError):
                if n_columns:
                    prepare(path, definition, folder).remove_copies()
                    found.append(Candidate(name, title_of(definition), "header", n_columns, n_columns))
    return sorted(found, key=lambda each: each.rank)


def zone_of(definition: Definition) -> str:
    """Return the time zone in which a source's times are shown."""
    return str(getattr(definition, "time_zone", "UTC"))


def title(candidate: Candidate, language: str) -> str:
    """Return what people call the source."""
    return candidate.title.in_language(language)


def reason(candidate: Candidate, language: str) -> str:
    """Say why a file looks like a source."""
    _ = translator(language)
    texts = {
        "header": _("the header is the mapping's, name by name"),
        "format": _("the file carries the marks of its format"),
        "order": _("the header has the mapping's names in another order"),
        "some": _("{found} of the mapping's {count} column names stand in the header"),
    }
    found, count = (format_number(number, language) for number in (candidate.n_matching, candidate.n_columns))
    return texts[candidate.why].format(found=found, count=count)


def seen_text(inspection: Inspection, language: str) -> str:
    """Say what an unknown file is, without a word of its content."""
    _ = translator(language)
    if inspection.n_columns:
        text = _("No source fits. Seen: text in {encoding}, separated by “{delimiter}”, {count} columns.")
        return text.format(
            encoding=inspection.encoding,
            delimiter=DELIMITER_WORDS[inspection.delimiter],
            count=format_number(inspection.n_columns, language),
        )
    if inspection.encoding:
        return _("No source fits. Seen: text in {encoding}, without columns.").format(encoding=inspection.encoding)
    return _("No source fits, and the file is no text.")


def outcome_text(made: Preview, language: str) -> str:
    """Say in one sentence what intake would do with the file."""
    _ = translator(language)
    if made.refused is not None:
        return _("Intake would refuse this file.") + " " + made.refused.text(language)
    text = _("{read} records were read: {good} would be stored or are repeated, {bad} would go to quarantine.")
    read, bad = made.n_read, made.n_quarantined
    numbers = {"read": read, "good": read - bad, "bad": bad}
    return text.format(**{name: format_number(number, language) for name, number in numbers.items()})


def shown_columns(rows: pyarrow.Table) -> list[str]:
    """Name the columns worth showing: those that hold something in these rows, an id only where the log gave it."""
    names = []
    made = {f"{each}:" for each in rows["record_hash"].to_pylist()} if "record_hash" in rows.column_names else set()
    for name in rows.column_names:
        values = set(map(str, rows[name].to_pylist())) - {"None", "", "[]"}
        is_usual = (name == "time_flag" and values <= {"ok"}) or values <= {"False"}
        is_usual |= name == "event_id" and all(value[:65] in made for value in values)
        if name not in NOT_SHOWN and values and not is_usual:
            names.append(name)
    return names


def row_texts(rows: pyarrow.Table, columns: Sequence[str], language: str, time_zone: str) -> list[list[str]]:
    """Write rows as a reader of the language does; times in the source's zone, nothing grouped."""
    return [[_cell(name, row[name], language, time_zone) for name in columns] for row in rows.to_pylist()]


def _cell(name: str, value: Any, language: str, time_zone: str) -> str:  # noqa: ANN401 - any SQL type
    return decided_word(name, str(value), language) or format_value(value, "id", language, time_zone)


def decided_word(column: str, value: str, language: str) -> str:
    """Return the words for a value that the model decides; empty for any other column or value."""
    _ = translator(language)
    words = {
        "login": _("log-in"),
        "logout": _("log-out"),
        "failure": _("failed log-in"),
        "lockout": _("account locked"),
        "unlock": _("account unlocked"),
        "password_change": _("password changed"),
        "log_cleared": _("log cleared"),
        "other": _("other"),
        "withdrawal": _("withdrawal"),
        "administration": _("administration"),
        "waste": _("waste"),
        "return": _("return"),
        "transfer": _("transfer"),
        "count": _("count"),
    }
    if column == "kind":
        return words.get(value, "")
    if column in ("is_break_glass", "is_blocked"):
        return {"true": _("Yes"), "false": _("No")}.get(value.lower(), "")
    return in_words(column, value, language)


def column_label(name: str, language: str) -> str:
    """Return what people call a stored column."""
    _ = translator(language)
    own = {
        "line_number": _("Line"),
        "recorded_at": _("Time"),
        "time_flag": _("Certainty of the time"),
        "flags": _("Marks"),
    }
    return own.get(name) or label_of(name, language)


def table_label(name: str, language: str) -> str:
    """Return what people call a stored table."""
    _ = translator(language)
    labels = {
        "accesses": _("accesses"),
        "authentications": _("log-ins"),
        "medication_events": _("events of controlled drugs"),
    }
    return labels.get(name, name)


def format_label(name: str, language: str) -> str:
    """Say what a format is."""
    _ = translator(language)
    labels: dict[FormatName, str] = {
        "delimited": _("Delimited text with a header (CSV), any columns, by a mapping"),
        "fhir": _("FHIR AuditEvent"),
        "dicom_audit": _("DICOM PS3.15 and RFC 3881 audit messages"),
        "rivta": _("Inera RIV-TA StoreLog"),
        "cef": _("CEF lines"),
        "windows": _("Windows Security events"),
        "keycloak": _("Keycloak events"),
    }
    return next(text for form, text in labels.items() if form == name)


def format_names() -> tuple[str, ...]:
    """Return the formats that can be read."""
    return get_args(FormatName)
