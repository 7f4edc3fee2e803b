from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from lxml import html
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from audit_kernel.errors import RunError
from audit_kernel.evidence.display import Done, Heading, PageInformation, Paragraph
from audit_kernel.evidence.exporter import ArchiveExporter, failure_page, render_page
from audit_kernel.evidence.harmless import harmless
from tests.evidence.browser import chromium, look
from tests.evidence.pages import EVERYTHING, HOSTILE, page_information, page_objects

LANGUAGES = ("en", "sv", "nb")
RENDER = """
import sys
sys.path.insert(0, sys.argv[1])
from audit_kernel.evidence.rendering import render_page
from tests.evidence.browser import chromium, look
from tests.evidence.pages import page_information, page_objects
sys.stdout.buffer.write(render_page(page_objects(), page_information()).encode())
"""


def cell_showing(*shown):
    return new_code_cell(
        "page.show()", outputs=[new_output("display_data", data=item._repr_mimebundle_()) for item in shown]
    )


def notebook_of(*shown):
    notebook = new_notebook(cells=[new_markdown_cell("# notes"), *(cell_showing(item) for item in shown)])
    nbformat.validate(notebook)
    return notebook


def exported(notebook):
    return ArchiveExporter().from_notebook_node(notebook)[0]


@pytest.fixture(scope="module")
def hostile_page():
    return render_page(page_objects(EVERYTHING), page_information(EVERYTHING))


def test_a_page_is_the_same_byte_for_byte_in_another_process():
    here = render_page(page_objects(), page_information()).encode()
    environment = os.environ | {"TZ": "Asia/Tokyo", "LANG": "C", "PYTHONHASHSEED": "11"}
    run = subprocess.run(
        [sys.executable, "-c", RENDER, str(Path.cwd())], env=environment, capture_output=True, check=True
    )
    assert run.stdout == here


def test_the_exporter_gives_the_same_page_as_the_objects_themselves():
    objects = page_objects(EVERYTHING)
    notebook = notebook_of(page_information(), *objects, Done({"n": 1}))
    assert exported(notebook) == render_page(objects, page_information())


def test_the_exporter_reads_a_notebook_from_its_file(tmp_path):
    path = tmp_path / "activity.ipynb"
    nbformat.write(notebook_of(page_information(), *page_objects(EVERYTHING), Done()), path)
    body, resources = ArchiveExporter().from_filename(str(path))
    assert body == render_page(page_objects(EVERYTHING), page_information())
    assert resources["output_extension"] == ".html"


def test_only_our_own_descriptions_reach_the_page():
    notebook = notebook_of(page_information("x"), Paragraph("kept"), Done())
    notebook.cells.append(
        new_code_cell(
            "print('source')",
            outputs=[
                new_output("stream", name="stdout", text="printed"),
                new_output("display_data", data={"text/html": "<b>html</b>", "image/svg+xml": "<svg/>"}),
                new_output("execute_result", data={"text/plain": "result"}, execution_count=1),
            ],
        )
    )
    page = exported(notebook)
    assert "kept" in page
    for left_out in ("source", "printed", "<b>", "result", "notes"):
        assert left_out not in page.split("<main")[1].split("</main>")[0]


def test_what_was_changed_in_the_notebook_is_checked_again():
    notebook = notebook_of(page_information(), *page_objects(), Done())
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            description = output.data["application/vnd.audit-kernel+json"]
            if description["object"] == "chart":
                description["svg"] = description["svg"].replace("<title", "<script>alert(1)</script><title")
            if description["object"] == "paragraph":
                description["text"] = "\u202e<script>alert(1)</script>"
    page = exported(notebook)
    assert "<script" not in page
    assert "\u202e" not in page


@pytest.mark.parametrize(
    ("shown", "problem"),
    [
        ([Heading("x"), Done()], "no page information"),
        ([page_information(), Heading("x")], "never said that it was done"),
    ],
)
def test_a_notebook_that_did_not_run_to_its_end_has_no_page(shown, problem):
    with pytest.raises(RunError, match=problem):
        exported(notebook_of(*shown))


def test_a_notebook_with_an_error_has_no_page_and_its_message_is_not_repeated():
    notebook = notebook_of(page_information(), Done())
    notebook.cells.append(
        new_code_cell("", outputs=[new_output("error", ename="ValueError", evalue="secret", traceback=["secret"])])
    )
    with pytest.raises(RunError, match="Cell 4 of the notebook raised ValueError") as raised:
        exported(notebook)
    assert "secret" not in str(raised.value)


def test_hostile_text_stands_on_the_page_as_text(hostile_page):
    page = html.document_fromstring(hostile_page)
    assert not page.xpath("//script | //iframe | //img | //object | //embed | //link | //base | //form")
    for element in page.iter():
        if isinstance(element.tag, str):
            assert not [name for name in element.attrib if name.lower().startswith("on")]
    for hostile in HOSTILE:
        assert harmless(hostile) in page.find(".//h1").text_content()
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]", hostile_page
    )


def test_the_source_of_a_page_holds_no_script_no_handler_and_no_outside_address(hostile_page):
    ordinary = render_page(page_objects(), page_information())
    assert not re.search(
        r"<script|javascript:|\son\w+\s*=|https?:(?!//www\.w3\.org/2000/svg\")|url\(|@import|//cdn", ordinary
    )
    assert "<script" not in hostile_page
    assert not re.search(r"<[^>]*\s(?:src|srcset|style|xlink:href)\s*=", hostile_page.replace("&#34;", ""))
    for link in html.document_fromstring(hostile_page).xpath("//@href"):
        assert link in {"../tables/activity.csv", "index.html"}


def test_the_policy_forbids_everything_but_the_pages_own_style():
    page = html.document_fromstring(render_page(page_objects(), page_information()))
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    hashes = [base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode() for style in page.iter("style")]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    assert policy == f"default-src 'none'; style-src {allowed}; base-uri 'none'; form-action 'none'"


def test_the_page_id_is_made_of_the_content_and_can_be_made_again():
    text = render_page(page_objects(), page_information())
    content = text[text.index("<main") : text.index("</main>\n") + len("</main>\n")]
    page_id = hashlib.sha256(content.encode()).hexdigest()
    page = html.document_fromstring(text)
    assert page.xpath("//meta[@name='page-id']/@content") == [page_id]
    assert page.find(".//footer//code").text == page_id[:16]
    assert f'@bottom-left {{ content: "Side-id {page_id[:16]}"; }}' in text
    assert page_id not in render_page([*page_objects(), Paragraph("more")], page_information())


@pytest.mark.skipif(shutil.which("sed") is None or shutil.which("sha256sum") is None, reason="needs sed and sha256sum")
def test_the_page_id_can_be_made_again_with_sed_and_sha256sum(tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(render_page(page_objects(EVERYTHING), page_information()).encode())
    command = "sed -n '/^<main/,/^<.main>/p' page.html | sha256sum"
    found = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, capture_output=True, check=True, text=True
    ).stdout.split()[0]
    assert f'content="{found}"' in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_says_its_language_and_speaks_it(language):
    page = html.document_fromstring(render_page(page_objects(language=language), page_information(language=language)))
    assert page.get("lang") == language
    summaries = {summary.text_content() for summary in page.iter("summary")}
    assert (
        summaries
        == {
            "en": {"The figures as a table", "What the columns mean"},
            "sv": {"Siffrorna som tabell", "Vad kolumnerna betyder"},
            "nb": {"Tallene som tabell", "Hva kolonnene betyr"},
        }[language]
    )


def test_every_table_has_a_caption_and_every_head_a_scope():
    page = html.document_fromstring(render_page(page_objects(), page_information()))
    tables = list(page.iter("table"))
    assert len(tables) == 4
    for table in tables:
        assert table.find("caption").text_content().strip()
        assert {head.get("scope") for head in table.iterfind("thead/tr/th")} == {"col"}
        assert all(
            [cell.get("scope") for cell in row] == ["row", *[None] * (len(row) - 1)]
            for row in table.iterfind("tbody/tr")
        )


def test_ids_are_unique_and_every_label_finds_its_own():
    page = html.document_fromstring(render_page([*page_objects(), *page_objects()], page_information()))
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {label for labels in page.xpath("//@aria-labelledby") for label in labels.split()} <= set(ids)


def test_a_page_has_one_title_even_when_no_heading_was_given():
    page = html.document_fromstring(render_page([Paragraph("x")], page_information("Aktivitet")))
    assert [heading.text for heading in page.iter("h1")] == ["Aktivitet"]
    assert page.find(".//title").text == "Aktivitet"


def test_a_failed_notebook_gets_a_page_that_promises_nothing():
    page = html.document_fromstring(failure_page("many_accesses", "sv", "CellTimeoutError: <script>"))
    assert page.find(".//h1").text == "many_accesses kunde inte tas fram"
    assert page.xpath("//div[@class='warning']/p[2]")[0].text == "CellTimeoutError: <script>"
    assert page.get("lang") == "sv"


def test_a_page_is_small_beside_its_tables():
    page = render_page([Heading("x", 1)], PageInformation("x", "nb", "x"))
    assert len(page.encode()) < 15_000


@pytest.mark.browser
@pytest.mark.requires("chromium")
@pytest.mark.parametrize("width", [1280, 360])
def test_a_browser_shows_a_hostile_page_without_dialogs_requests_or_errors(tmp_path, hostile_page, width):
    path = tmp_path / "page.html"
    path.write_text(hostile_page, encoding="utf-8")
    with chromium() as browser:
        seen = look(browser, [path], width, prints=True)
    assert (seen.dialogs, seen.requests, seen.complaints, seen.too_wide) == ([], [path.as_uri()], [], [])
    assert seen.sheets["page.html"].startswith(b"%PDF")
