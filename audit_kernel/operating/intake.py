"""Take a file in: choose it, see what it is and what would become of it, then store it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_kernel.errors import AuditKernelError
from audit_kernel.inspection import (
    column_label,
    inspect_file,
    outcome_text,
    reason,
    row_texts,
    seen_text,
    shown_columns,
    table_label,
    title,
)
from audit_kernel.investigation.questions import QuestionError
from audit_kernel.investigation.table import TableContent
from audit_kernel.investigation.widgets import Form
from audit_kernel.locale import format_date, format_number
from audit_kernel.operating.section import Report, Section, byte_report, text_table
from audit_kernel.operating.uploads import Upload, waiting_files
from audit_kernel.operating.words import quarantine_reason, shortened
from audit_kernel.sources.recognise import all_definitions, title_of
from audit_kernel.store.deliver import take_in_all
from audit_kernel.store.intake import source_folders

if TYPE_CHECKING:
    from audit_kernel.inspection import Inspection
    from audit_kernel.operating.desk import Desk
    from audit_kernel.store.ledger import Delivery
    from audit_kernel.store.preview import Preview

N_ROWS = 20
ROWS_TABLE, REASONS_TABLE, RECORDS_TABLE = range(3)


class FileForm(Form):
    """A form with a field for a file; its pieces go to `on_upload`, which says whether to go on."""

    on_upload: Callable[[dict[str, Any]], bool] | None = None

    def handlers(self) -> Mapping[str, Callable[[dict[str, Any]], None]]:
        """Return what each kind of message does."""
        return {**super().handlers(), "upload": self._upload}

    def _upload(self, content: dict[str, Any]) -> None:
        go_on = self.on_upload(content) if self.on_upload else False
        self.send({"kind": "received", "go_on": go_on})


class IntakeSection(Section):
    """Parameters: `on_draft` is called with the file for which a mapping is wanted, `on_taken_in` after each intake."""

    def __init__(self, desk: Desk, on_draft: Callable[[Path], None], on_taken_in: Callable[[], None]) -> None:
        self._upload = Upload(desk.site.folder / "logs")
        self._on_draft = on_draft
        self._on_taken_in = on_taken_in
        self._chosen: dict[str, str] = {}
        super().__init__(desk, 3, form=FileForm)
        self.form.on_upload = self.receive

    def texts(self) -> dict[str, Any]:
        """Return the form's texts, with the files that wait in `logs` and the logs that the site knows."""
        _ = self._
        language = self.desk.language
        definitions, _wrong = all_definitions(source_folders(self.desk.site))
        files = [[path.name, self._file_label(path)] for path in waiting_files(self.desk.site.folder / "logs")]
        names = [[name, f"{title_of(each).in_language(language)} ({name})"] for name, each in definitions.items()]
        fields: list[dict[str, Any]] = [
            {
                "name": "upload",
                "type": "file",
                "label": _("Bring a file here"),
                "hint": _("It is copied into the site's folder logs."),
            },
            {
                "name": "file",
                "type": "select",
                "label": _("File in the folder logs"),
                "options": [["", _("Choose")], *files],
                "value": self._chosen.get("file"),
            },
            {
                "name": "path",
                "type": "text",
                "label": _("Or the path of a file elsewhere"),
                "hint": _("It is read where it lies and never changed."),
            },
            {
                "name": "source",
                "type": "select",
                "label": _("Which log it is"),
                "options": [["", _("Find out")], *names],
                "value": self._chosen.get("source"),
            },
        ]
        return {
            "level": "h2",
            "title": _("1. Take a file in"),
            "lead": _("First see what the file is. Nothing is stored until you take it in."),
            "submit": _("What is this file?"),
            "actions": [["take_in", _("Take in")], ["draft", _("Describe a new log")]],
            "busy": _("Working …"),
            "fields": [{key: value for key, value in field.items() if value is not None} for field in fields],
        }

    def _file_label(self, path: Path) -> str:
        found = path.stat()
        day = format_date(datetime.fromtimestamp(found.st_mtime).astimezone().date(), self.desk.language)
        return f"{path.name} ({format_number(-(-found.st_size // 1024), self.desk.language)} kB, {day})"

    def receive(self, content: dict[str, Any]) -> bool:
        """Write a piece of an uploaded file; return whether the next one is wanted."""
        _ = self._
        try:
            numbers = int(content["offset"]), int(content["size"])
            path = self._upload.add(str(content["name"]), *numbers, content.get("piece", b""))
        except AuditKernelError as error:
            self.complain(error)
            return False
        if path is not None:
            self._chosen = {"file": path.name, "source": ""}
            self.form.say("")
            self.refresh()
            self.answer.show({"status": _("{name} lies in the folder logs now.").format(name=path.name)})
        return path is None

    def choose_source(self, source_id: str) -> None:
        """Choose a log that was just described."""
        _ = self._
        self._chosen["source"] = source_id
        self.clear()
        self.refresh()
        text = _("The mapping was saved. Ask once more what the file is, then take it in.")
        self.say(_("The log is known now"), text, [(_("Which log it is"), source_id)])

    def act(self, values: dict[str, str]) -> None:
        """Inspect the file, take it in, or draft its mapping."""
        action = values.get("action", "")
        self._chosen = {"file": values.get("file", ""), "source": values.get("source", "")}
        try:
            path = self._path(values, needs_source=action == "take_in")
        except QuestionError as error:
            self.complain(error)
            return
        if action == "draft":
            self._on_draft(path)
        elif action == "take_in":
            self.start(lambda report: self._take_in(path, values["source"], report))
        else:
            self.start(lambda report: self._inspect(path, values.get("source", ""), report))

    def _path(self, values: Mapping[str, str], *, needs_source: bool) -> Path:
        if needs_source and not values.get("source"):
            raise QuestionError(
                "It was not said which log the file is.", "Choose it, or ask what the file is first.", "source"
            )
        if elsewhere := values.get("path", "").strip().strip('"'):
            return Path(elsewhere).expanduser()
        name = values.get("file", "")
        if not name:
            raise QuestionError("No file was chosen.", "Choose one in the list, or give its path.", "file")
        return self.desk.site.folder / "logs" / Path(name).name

    def _inspect(self, path: Path, source: str, report: Report) -> None:
        _ = self._
        progress = byte_report(report, _("Reading: {share}"), self.desk.language)
        seen = inspect_file(self.desk.site, path, self.desk.purpose, source, N_ROWS, progress)
        self._show(seen)

    def _show(self, seen: Inspection) -> None:
        _, language = self._, self.desk.language
        made = seen.preview
        looks = [f"{title(each, language)} ({each.name}): {reason(each, language)}." for each in seen.candidates]
        looks += [error.text(language) for error in seen.wrong.values()]
        if made is None:
            lead = seen_text(seen, language)
            self.say(
                _("The file is not known"), lead, notices=[_("“Describe a new log” drafts a mapping for it."), *looks]
            )
            return
        if seen.would_be_taken_in:
            self._chosen["source"] = seen.source
            self.refresh()
        facts = [(_("File"), seen.file_name), (_("Read as"), seen.source)]
        facts += [(table_label(name, language), format_number(n, language)) for name, n in made.n_rows.items()]
        for name, rows in list(made.rows.items())[:1]:
            columns = shown_columns(rows)
            text = _("The first {count} of {total} rows of {table}, as they would be stored ({zone})")
            numbers = {"count": rows.num_rows, "total": made.n_rows[name]}
            caption = text.format(
                **{key: format_number(number, language) for key, number in numbers.items()},
                table=table_label(name, language),
                zone=seen.time_zone,
            )
            labels = {column: column_label(column, language) for column in columns}
            texts = row_texts(rows, columns, language, seen.time_zone)
            self.tables[ROWS_TABLE].show(text_table(caption, labels, texts))
        if made.reasons:
            self.tables[REASONS_TABLE].show(self._reasons(made))
            self.tables[RECORDS_TABLE].show(self._records(made))
        self.say(_("What the file is"), outcome_text(made, language), facts, looks)

    def _reasons(self, made: Preview) -> TableContent:
        _, language = self._, self.desk.language
        rows = [
            (quarantine_reason(code, language), column, format_number(n, language)) for code, column, n in made.reasons
        ]
        labels = {"reason": _("Reason"), "column": _("Column"), "count": _("Records")}
        return text_table(_("What would be quarantined"), labels, rows, frozenset(["count"]))

    def _records(self, made: Preview) -> TableContent:
        _, language = self._, self.desk.language
        rows = [
            (
                format_number(each.line_number, language),
                each.column_name,
                quarantine_reason(each.code, language),
                shortened(each.raw_record, language),
            )
            for each in made.first_quarantined
        ]
        labels = {"line": _("Line"), "column": _("Column"), "reason": _("Reason"), "record": _("Record")}
        return text_table(_("The first of these records"), labels, rows, frozenset(["line"]))

    def _take_in(self, path: Path, source: str, report: Report) -> None:
        _ = self._
        progress = byte_report(report, _("Taking in: {share}"), self.desk.language)
        done, refused = take_in_all(self.desk.site, [path], source, lambda _name, n, total: progress(n, total))
        if refused:
            raise refused[0]
        self._taken_in(done[0])

    def _taken_in(self, delivery: Delivery) -> None:
        _, language = self._, self.desk.language
        counts = [
            (_("Records read"), delivery.n_read),
            (_("Stored"), delivery.n_stored),
            (_("Already known"), delivery.n_known),
            (_("In quarantine"), delivery.n_quarantined),
        ]
        facts = [(label, format_number(count, language)) for label, count in counts]
        lead = _("{name} was taken in.")
        if delivery.is_repeated:
            lead = _("{name} was taken in before; nothing was done.")
        notices = (
            [_("Records in quarantine are shown below under “What was taken in”.")] if delivery.n_quarantined else []
        )
        self._chosen = {}
        self.refresh()
        self._on_taken_in()
        self.say(_("Taken in"), lead.format(name=delivery.file_name), facts, notices)
