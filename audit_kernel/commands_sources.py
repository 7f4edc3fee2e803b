"""The commands about log formats and mappings: `sources`, `inspect` and `mapping new`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from audit_kernel import printing

if TYPE_CHECKING:
    from audit_kernel.inspection import Inspection
    from audit_kernel.site import Site
    from audit_kernel.store.preview import Preview

console = Console()
warnings = Console(stderr=True)
mapping_app = typer.Typer(no_args_is_help=True, help="Draft a mapping for a log that nobody has described yet.")

SiteOption = Annotated[Path | None, typer.Option("--site", help="The site's folder; else AUDIT_KERNEL_SITE or here.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
FileArgument = Annotated[Path, typer.Argument(help="A log file, as exported.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog="Example: audit-kernel sources")(sources)
    app.command(epilog="Example: audit-kernel inspect logs/unknown.csv --purpose 'new log'")(inspect)
    app.add_typer(mapping_app, name="mapping")


def sources(site: SiteOption = None, as_json: JsonOption = False) -> None:
    """List the formats that can be read and the site's sources, each with its mapping."""
    from audit_kernel.inspection import format_label, format_names, table_label
    from audit_kernel.site import find_site
    from audit_kernel.sources.definition import SourceDefinition
    from audit_kernel.sources.recognise import all_definitions
    from audit_kernel.store.intake import source_folders

    opened = find_site(site)
    language = opened.settings.language
    good, wrong = all_definitions(source_folders(opened))
    logs = [each for each in good.values() if isinstance(each, SourceDefinition)]
    if as_json:
        listed = [
            {
                "source": each.source_id,
                "format": each.format,
                "title": each.title.in_language(language),
                "table": each.table if each.format == "delimited" else None,
                "time_zone": each.time_zone,
                "mapping": str(each.files[0]),
            }
            for each in logs
        ]
        faults = {name: error.text(language) for name, error in wrong.items()}
        formats = {name: format_label(name, language) for name in format_names()}
        printing.print_json({"formats": formats, "sources": listed, "wrong": faults})
        return
    to = SourcesPrinter(console, language)
    to.formats([(name, format_label(name, language)) for name in format_names()])
    to.sources(
        [
            (
                each.source_id,
                each.title.in_language(language),
                each.format,
                table_label(each.table, language) if each.format == "delimited" else "",
                each.time_zone,
                str(each.files[0]),
            )
            for each in logs
        ]
    )
    for error in wrong.values():
        printing.Printer(warnings, language).say(error.text(language))


def inspect(
    file: FileArgument,
    purpose: Annotated[str, typer.Option("--purpose", help="Why: log text is shown, so the use log asks.")] = "",
    source: Annotated[
        str, typer.Option(help="Try this source (or reference:KIND) instead of the one that fits best.")
    ] = "",
    rows: Annotated[int, typer.Option(min=1, max=1000, help="First rows to show.")] = 5,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which source a file looks like, its first rows, and what would be quarantined. Nothing is stored."""
    from audit_kernel.inspection import inspect_file
    from audit_kernel.site import find_site

    opened = find_site(site)
    with printing.byte_progress(warnings) as progress:
        seen = inspect_file(opened, file, purpose, source, rows, lambda done, total: progress(file.name, done, total))
    if as_json:
        printing.print_json(_as_json(seen, opened))
    else:
        SourcesPrinter(console, opened.settings.language).inspection(seen)
    if not seen.would_be_taken_in:
        raise typer.Exit(1)


@mapping_app.command(epilog="Example: audit-kernel mapping new logs/unknown.csv --source-id door_log")
def new(
    file: FileArgument,
    source_id: Annotated[str, typer.Option(help="The new log's name; made of the file's when left out.")] = "",
    stdout: Annotated[bool, typer.Option("--stdout", help="Print the draft instead of writing it.")] = False,
    site: SiteOption = None,
) -> None:
    """Draft a mapping from a file's header, for a person to complete; it takes nothing in until it is complete."""
    from audit_kernel.locale import translator
    from audit_kernel.site import find_site
    from audit_kernel.sources.draft import draft_of, proposed_id
    from audit_kernel.sources.draft_text import draft_text, write_draft
    from audit_kernel.sources.recognise import known_formats
    from audit_kernel.sources.shape import start_of
    from audit_kernel.sources.undecided import undecided_keys
    from audit_kernel.store.intake import source_folders

    opened = find_site(site)
    language = opened.settings.language
    folders = source_folders(opened)
    name = source_id or proposed_id(file.name)
    draft = draft_of(start_of(file), name, opened.settings.time_zone, repr(str(file)), known_formats(folders))
    if stdout:
        print(draft_text(draft, language), end="")  # noqa: T201 - for a file of the caller's own
        return
    path = write_draft(draft, folders, language)
    to = printing.Printer(console, language)
    _ = translator(language)
    count = len(list(undecided_keys(draft.mapping())))
    to.say(_("The draft was written: {path}").format(path=path))
    text = _.plural("{count} key is to be decided in it.", "{count} keys are to be decided in it.", count)
    to.say(text.format(count=count))


def _as_json(seen: Inspection, site: Site) -> dict[str, Any]:
    from audit_kernel.inspection import reason

    language = site.settings.language
    made = seen.preview
    found = [
        {
            "source": each.name,
            "title": each.title.in_language(language),
            "why": each.why,
            "reason": reason(each, language),
        }
        for each in seen.candidates
    ]
    answer: dict[str, Any] = {"file": seen.file_name, "candidates": found, "source": seen.source or None}
    answer |= {"encoding": seen.encoding, "delimiter": seen.delimiter, "n_columns": seen.n_columns}
    answer["wrong_mappings"] = {name: error.text(language) for name, error in seen.wrong.items()}
    if made is None:
        return answer
    reasons = [dict(zip(("code", "column", "n_records"), each, strict=True)) for each in made.reasons]
    first = [vars(each) for each in made.first_quarantined]
    return answer | {
        "refused": made.refused.text(language) if made.refused else None,
        "n_read": made.n_read,
        "n_rows": made.n_rows,
        "rows": {name: rows.to_pylist() for name, rows in made.rows.items()},
        "quarantine": {"n_records": made.n_quarantined, "reasons": reasons, "first": first},
    }


class SourcesPrinter(printing.Printer):
    """Prints what these commands answer."""

    def formats(self, formats: list[tuple[str, str]]) -> None:
        """Print the formats."""
        _ = self.translate
        self._table(_("Formats"), [(_("Format"), ""), (_("What it reads"), "")], formats)

    def sources(self, rows: list[tuple[str, ...]]) -> None:
        """Print the logs that the site knows."""
        _ = self.translate
        headings = (_("Source"), _("Log"), _("Format"), _("Rows go to"), _("Time zone"), _("Mapping"))
        self._table(_("Sources"), [(heading, "") for heading in headings], rows)

    def inspection(self, seen: Inspection) -> None:
        """Print what a file looks like, and what intake would make of it."""
        from audit_kernel.inspection import outcome_text, reason, seen_text

        _ = self.translate
        rows = [
            (each.name, each.title.in_language(self.language), reason(each, self.language)) for each in seen.candidates
        ]
        if rows:
            headings = [(heading, "") for heading in (_("Source"), _("Log"), _("Why"))]
            self._table(_("{file} looks like").format(file=seen.file_name), headings, rows)
        for error in seen.wrong.values():
            self.say(error.text(self.language))
        made = seen.preview
        if made is None:
            self.say(seen_text(seen, self.language))
            self.say(_("Draft a mapping for it with: audit-kernel mapping new FILE"))
            return
        self.say(_("Read as {source}.").format(source=seen.source) + " " + outcome_text(made, self.language))
        self._first_rows(made, seen.time_zone)
        self._quarantine(made)

    def _first_rows(self, made: Preview, time_zone: str) -> None:
        from audit_kernel.inspection import column_label, row_texts, shown_columns, table_label

        _ = self.translate
        for name, rows in made.rows.items():
            columns = shown_columns(rows)
            text = _("The first {count} of {total} rows of {table}, as they would be stored ({zone})")
            caption = text.format(
                count=self._number(rows.num_rows),
                total=self._number(made.n_rows[name]),
                table=table_label(name, self.language),
                zone=time_zone,
            )
            headings = [(column_label(column, self.language), "") for column in columns]
            self._table(caption, headings, row_texts(rows, columns, self.language, time_zone))

    def _quarantine(self, made: Preview) -> None:
        _ = self.translate
        if not made.reasons:
            return
        counted = [(self.reason(code), column, self._number(count)) for code, column, count in made.reasons]
        headings = [(_("Reason"), ""), (_("Column"), ""), (_("Records"), "end")]
        self._table(_("What would be quarantined"), headings, counted)
        first = [
            (str(each.line_number), each.column_name, self.reason(each.code), self._cut(each.raw_record))
            for each in made.first_quarantined
        ]
        headings = [(heading, "") for heading in (_("Line"), _("Column"), _("Reason"), _("Record"))]
        self._table(_("The first of these records"), headings, first)
