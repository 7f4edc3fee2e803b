"""Describe a new log: a drafted mapping, completed column by column, tried on the file, saved into the site."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError

from audit_kernel.errors import AuditKernelError, SettingsError
from audit_kernel.inspection import column_label, outcome_text, row_texts, shown_columns, table_label
from audit_kernel.investigation.widgets import HIDDEN, SHOWN
from audit_kernel.operating.editor import NOT_STORED, ColumnEditor
from audit_kernel.operating.section import Report, Section, byte_report, text_table
from audit_kernel.operating.words import quarantine_reason
from audit_kernel.sources import SourceDefinition
from audit_kernel.sources.columns import DECIDED, ColumnType
from audit_kernel.sources.draft import SOURCE_ID, Table, draft_of, mappable, proposed_id
from audit_kernel.sources.draft_text import write_draft
from audit_kernel.sources.recognise import known_formats
from audit_kernel.sources.shape import start_of
from audit_kernel.sources.undecided import UNDECIDED, undecided_keys
from audit_kernel.store.intake import plain_name, source_folders
from audit_kernel.store.preview import preview
from audit_kernel.use_log import record_use
from audit_kernel.yaml_file import wrong_key

if TYPE_CHECKING:
    from audit_kernel.operating.desk import Desk
    from audit_kernel.sources.draft import Draft
    from audit_kernel.store.preview import Preview

N_ROWS = 10
ZONES = ("Europe/Oslo", "Europe/Stockholm", "UTC")
ANSWERS: dict[str, bool | str] = {"yes": True, "no": False, UNDECIDED: UNDECIDED}


class MappingSection(Section):
    """Shown when a file needs a mapping; `on_saved` is called with the new log's name."""

    def __init__(self, desk: Desk, on_saved: Callable[[str], None]) -> None:
        self.draft: Draft | None = None
        self._path = Path()
        self._on_saved = on_saved
        self.editor = ColumnEditor(desk.language, self.change, self.change_value)
        super().__init__(desk, 2, [self.editor])
        self.layout.display = HIDDEN

    def texts(self) -> dict[str, Any]:
        """Return the form's texts: what holds for the log as a whole."""
        _ = self._
        language = self.desk.language
        draft = self.draft
        answers = [[UNDECIDED, _("decide")], ["yes", _("Yes")], ["no", _("No")]]
        zones = dict.fromkeys([self.desk.site.settings.time_zone, *ZONES])
        tables = [[name, table_label(name, language)] for name in get_args(Table)]
        fields: list[dict[str, Any]] = [
            {"name": "source_id", "type": "text", "label": _("Short name"), "hint": _("Small letters and figures")},
            {"name": "title", "type": "text", "label": _("What pages call it")},
            {"name": "table", "type": "select", "label": _("What the log holds"), "options": tables},
            {
                "name": "time_zone",
                "type": "select",
                "label": _("Time zone"),
                "options": [[zone, zone] for zone in zones],
            },
            {
                "name": "running_number",
                "type": "select",
                "label": _("Its id counts up by one"),
                "hint": _("Then a gap is a missing row."),
                "options": answers,
            },
            {
                "name": "expects_rows_daily",
                "type": "select",
                "label": _("It has rows every day"),
                "hint": _("Then a day without rows is a fault."),
                "options": answers,
            },
        ]
        if draft:
            spoken = {value: name for name, value in ANSWERS.items()}
            given = {name: getattr(draft, name) for name in ("source_id", "title", "table", "time_zone")}
            given |= {name: spoken[getattr(draft, name)] for name in ("running_number", "expects_rows_daily")}
            fields = [{**field, "value": given[field["name"]]} for field in fields]
        return {
            "level": "h2",
            "title": _("Describe a new log"),
            "lead": _("A draft made from the header. Check every column, try it on the file, then save it."),
            "submit": _("Try it on the file"),
            "actions": [["save", _("Save")], ["close", _("Close")]],
            "busy": _("Working …"),
            "fields": fields,
        }

    def begin(self, path: Path) -> None:
        """Draft the mapping of a file and show it.

        Raises
        ------
        AuditKernelError: the file cannot be read or has no header.
        """
        record_use(self.desk.site, self.desk.purpose, "draft", {"file": plain_name(path)})
        zone = self.desk.site.settings.time_zone
        formats = known_formats(source_folders(self.desk.site))
        self._path = path
        self.draft = draft_of(start_of(path), proposed_id(path.name), zone, repr(str(path)), formats)
        self.clear()
        self._redraw()
        self.layout.display = SHOWN
        _ = self._
        facts = [(_("File"), path.name), (_("Encoding"), ", ".join(self.draft.encodings))]
        self.say(_("A draft to complete"), _("Rows with a mark are to be decided."), facts)

    def act(self, values: dict[str, str]) -> None:
        """Keep what the form says; then try the draft, save it, or close it."""
        action = values.get("action", "")
        if self.draft is None or action == "close":
            self.draft = None
            self.layout.display = HIDDEN
            return
        self._keep(values)
        try:
            definition = self._definition()
            if action == "save":
                name = self._save()
                self._on_saved(name)
                return
        except AuditKernelError as error:
            self.complain(error)
            return
        self.start(lambda report: self._try(definition, report))

    def change(self, position: int, field: str, value: Any) -> None:  # noqa: ANN401 - text or a tick
        """Change a column: `to`, `type`, `format` or `required`."""
        allowed: dict[str, tuple[str, ...]] = {"type": get_args(ColumnType)}
        if self.draft is None or not 0 <= position < len(self.draft.columns):
            return
        if field == "to":
            allowed["to"] = (UNDECIDED, NOT_STORED, *mappable(self.draft.table))
        if field not in ("to", "type", "format", "required") or (field in allowed and value not in allowed[field]):
            return
        given = bool(value) if field == "required" else str(value)
        self.draft = self.draft.with_column(position, **{field: given})
        self.editor.show(self.draft)

    def change_value(self, position: int, code: int, to: str) -> None:
        """Change what one code of a column means."""
        if self.draft is None or not 0 <= position < len(self.draft.columns):
            return
        column = self.draft.columns[position]
        if 0 <= code < len(column.values) and to in (UNDECIDED, *DECIDED[self.draft.table].get(column.to, ())):
            self.draft = self.draft.with_value(position, list(column.values)[code], to)
            self.editor.show(self.draft)

    def _keep(self, values: Mapping[str, str]) -> None:
        assert self.draft is not None  # noqa: S101 - `act` has looked
        draft = self.draft
        self.draft = replace(
            draft,
            source_id=values.get("source_id", ""),
            title=values.get("title", ""),
            time_zone=values.get("time_zone", ""),
            running_number=ANSWERS.get(values.get("running_number", ""), UNDECIDED),
            expects_rows_daily=ANSWERS.get(values.get("expects_rows_daily", ""), UNDECIDED),
        )
        for table in get_args(Table):
            if values.get("table") == table != draft.table:
                self.draft = self.draft.with_table(table)
        self._redraw()

    def _redraw(self) -> None:
        self.refresh()
        if self.draft:
            self.editor.show(self.draft)

    def _definition(self) -> SourceDefinition:
        """The draft as a source; raises SettingsError, in words for who fills in the form."""
        assert self.draft is not None  # noqa: S101 - `act` has looked
        draft = self.draft
        if not SOURCE_ID.fullmatch(draft.source_id):
            raise SettingsError(
                "{source_id!r} cannot be the name of a source.",
                "Use small letters, figures and underscores, a letter first.",
                source_id=draft.source_id,
            )
        if count := len(list(undecided_keys(draft.mapping()))):
            raise SettingsError(
                "Not everything is decided yet: {count} answers are missing.",
                "Choose an answer wherever “decide” stands.",
                count=count,
            )
        draft.check()
        try:
            return SourceDefinition.model_validate(draft.mapping())
        except ValidationError as error:
            raise wrong_key(error, Path(f"{draft.source_id}.yml"), SourceDefinition) from None

    def _save(self) -> str:
        assert self.draft is not None  # noqa: S101 - `act` has looked
        write_draft(self.draft, source_folders(self.desk.site), self.desk.language)
        self.layout.display = HIDDEN
        return self.draft.source_id

    def _try(self, definition: SourceDefinition, report: Report) -> None:
        _ = self._
        record_use(self.desk.site, self.desk.purpose, "inspect", {"file": plain_name(self._path), "source": "draft"})
        progress = byte_report(report, _("Reading: {share}"), self.desk.language)
        made = preview(self.desk.site, self._path, definition, N_ROWS, progress)
        self._show(made, definition.time_zone)

    def _show(self, made: Preview, zone: str) -> None:
        _, language = self._, self.desk.language
        reasons = [f"{quarantine_reason(code, language)}: {column}, {count}" for code, column, count in made.reasons]
        for table, (name, rows) in zip(self.tables, made.rows.items(), strict=False):
            columns = shown_columns(rows)
            labels = {column: column_label(column, language) for column in columns}
            table.show(text_table(table_label(name, language), labels, row_texts(rows, columns, language, zone)))
        self.say(_("What the draft makes of the file"), outcome_text(made, language), notices=reasons)
