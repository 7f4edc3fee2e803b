"""Whatever a user can meet stands in the docs: commands, reports, checks, notebooks, thresholds, errors, settings."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

from audit_kernel import errors
from audit_kernel.catalog import Catalog, Description, resource_folder
from audit_kernel.cli import REFERENCE_KINDS, app
from audit_kernel.site import PRIVATE_FOLDERS, Settings
from audit_kernel.sources import reference_kinds, source_ids
from audit_kernel.sources.definition import DelimitedLayout, SourceDefinition

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = typer.main.get_command(app)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def missing(names, page: str) -> list[str]:
    """Names that a page does not show as code."""
    text = text_of(page)
    return sorted(name for name in names if not re.search(rf"`[^`\n]*\b{re.escape(name)}\b[^`\n]*`", text))


def examples():
    """Each command line shown in the docs, as (page, command line)."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        fenced = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
        lines = re.findall(r"^(?:\S+=\S+ )?(?:\S+[/\\])?audit-kernel ([^\n]+)$", fenced, re.MULTILINE)
        lines += re.findall(r"`audit-kernel ([^`\n]+)`", text)
        for line in lines:
            if not re.search(r"\b[A-Z]{2,} --help|^COMMAND", line):
                yield pytest.param(line, id=f"{page.name}: {line}"[:100])


def test_the_readme_opens_with_its_two_commands():
    assert re.findall(r"```\n(.*?)```", text_of("README.md"), re.DOTALL)[0].split("\n")[:2] == [
        "make demo",
        "make test",
    ]


def test_every_target_of_make_is_explained_by_make_help():
    makefile = text_of("Makefile")
    targets = set(re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE).group(1).split()) - {"help"}
    assert targets == set(re.findall(r'@echo "make (\w+) ', makefile))


def test_every_command_stands_in_the_readme():
    assert missing([f"{name}" for name in COMMANDS.commands], "README.md") == []


@pytest.mark.parametrize("line", list(examples()))
def test_every_command_line_shown_in_the_docs_is_understood(line):
    name, *arguments = shlex.split(line.split(" #")[0].replace("$(", "").replace("\\%", "%"))
    if name.startswith("-"):
        return
    with COMMANDS.make_context("audit-kernel", [name, *arguments]) as parent:
        command = COMMANDS.commands[name]
        while getattr(command, "commands", None) and arguments:
            name, *arguments = arguments
            command = command.commands[name]
        assert command.make_context(name, arguments, parent=parent)


def test_every_query_stands_in_the_docs():
    assert missing({query.name for query in Catalog().queries.values()}, "docs/reports.md") == []


def test_every_notebook_stands_in_the_docs():
    assert missing({path.stem for path in resource_folder("notebooks").glob("*.ipynb")}, "docs/reports.md") == []


def test_every_threshold_stands_in_the_docs_with_its_value():
    thresholds = yaml.safe_load((resource_folder("parameters") / "thresholds.yml").read_text(encoding="utf-8"))
    page = text_of("docs/reports.md").split("\n## Thresholds\n")[1]
    shown = dict(re.findall(r"^\| `(\w+)` \| (?:`(?=[^`]*;))?([\w.;]+)(?=[ `])", page, re.MULTILINE))
    assert shown == {name: str(decisions[-1]["value"]) for name, decisions in thresholds.items()}


def test_every_error_stands_in_the_docs_with_its_exit_code():
    rows = re.findall(r"^\| `(\w+Error)` \|.*\| (\d) \|$", text_of("docs/operating.md"), re.MULTILINE)
    classes = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]
    assert {name: int(code) for name, code in rows} == {each.__name__: each.exit_code for each in classes}


def test_every_exit_code_stands_in_the_docs():
    classes = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]
    codes = {0, *(each.exit_code for each in classes)}
    shown = re.findall(r"^\| (\d) \| ", text_of("docs/operating.md"), re.MULTILINE)
    assert sorted(int(code) for code in shown) == sorted(codes)


def test_every_setting_and_folder_of_a_site_stands_in_the_docs():
    names = set(Settings.model_fields) | {f"{folder}/" for folder in PRIVATE_FOLDERS}
    sections = ("store", "intake", "routine", "review", "signing", "timestamp", "schedule", "alarm", "retention")
    for section in (*sections, "use_log", "spark"):
        names |= set(Settings.model_fields[section].annotation.model_fields)
    text = text_of("docs/operating.md")
    assert [name for name in sorted(names) if name not in text] == []


def test_every_source_and_every_kind_of_reference_data_stands_in_the_docs():
    folders = [resource_folder("parameters") / "sources"]
    assert missing(source_ids(folders), "docs/taking-in-a-log.md") == []
    kinds = re.findall(r"^### ([a-z_]+)$", text_of("docs/reference-data.md"), re.MULTILINE)
    assert sorted(kinds) == reference_kinds(folders)
    assert f"{', '.join(kinds)}." == REFERENCE_KINDS


def test_every_key_of_a_mapping_stands_in_the_docs():
    keys = set(DelimitedLayout.model_fields) | set(SourceDefinition.model_fields)
    text = text_of("docs/taking-in-a-log.md")
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", text)] == []


def test_every_key_of_a_query_description_stands_in_the_docs():
    assert missing(Description.model_fields, "docs/adding-a-check.md") == []


def test_the_swedish_and_norwegian_pages_name_every_report_of_a_suspicion():
    reports = {"activity", "detailed_activity", "system_log", "blocked_searches", "patient_searches"}
    assert [missing(reports, page) for page in ("docs/sv.md", "docs/nb.md")] == [[], []]
