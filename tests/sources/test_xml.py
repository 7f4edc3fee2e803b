"""XML of all kinds and of none: documents on end, damaged ones, and those that somebody writes to break the reader."""

from __future__ import annotations

import importlib
import socket
import subprocess
import sys
import textwrap

import pytest

from audit_kernel.errors import DamagedFileError
from audit_kernel.sources.formats import reader

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
MARK = "\ufeff"


def message(inside="", *, tag="AuditMessage"):
    return f'<{tag}><EventIdentification EventDateTime="2026-08-01T10:00:00Z"/>{inside}</{tag.split()[0]}>'


GOOD = message()


@pytest.fixture
def taken(take):
    """Take a DICOM log and return the lines of its accesses, and line and text of what is in quarantine."""

    def run(content):
        staged = take(content, "dicom_audit", "log.xml")
        assert {row["code"] for row in staged.quarantine} <= {"not_readable"}
        return (
            [row["line_number"] for row in staged.accesses],
            [(row["line_number"], row["raw_record"]) for row in staged.quarantine],
        )

    return run


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (GOOD, [1]),
        (GOOD + GOOD, [1, 1]),
        (f"{GOOD}\n{GOOD}\n\n{GOOD}\n", [1, 2, 4]),
        (DECLARATION + GOOD + DECLARATION + GOOD, [2, 3]),
        (MARK + DECLARATION + GOOD + "\n" + MARK + DECLARATION + GOOD, [2, 4]),
        (MARK + "\n\n" + DECLARATION + GOOD, [4]),
        (f"<!-- <AuditMessage> -->{GOOD}<!-- </AuditMessage> <AuditMessage/> -->\n<?x <AuditMessage?>{GOOD}", [1, 2]),
        (message("<x><![CDATA[<AuditMessage> ]] > <?xml ?>]]></x>") + GOOD, [1, 1]),
        (message('<x a="&lt;AuditMessage>" b=\'"\'/>') + GOOD, [1, 1]),
        (f"<log>\n{GOOD}\n{GOOD}</log>\n<log>{GOOD}</log>", [2, 3, 4]),
        (message(tag="a:AuditMessage xmlns:a='urn:x'") + message(tag="AuditMessage xmlns='urn:y'"), [1, 1]),
        ("<?xml version='1.0' encoding='UTF-16'?>" + GOOD, [1]),
        ("<?xml version='1.0' encoding='no-such-one'?>" + GOOD, [1]),
        ("<!DOC" + GOOD, None),
    ],
)
def test_documents_are_found_wherever_they_stand(taken, content, lines):
    if lines is None:
        with pytest.raises(DamagedFileError):
            taken(content)
    else:
        assert taken(content) == (lines, [])


@pytest.mark.parametrize("encoding", ["utf-16", "windows-1252", "utf-8-sig"])
def test_a_file_is_read_in_its_own_encoding_whatever_it_says_of_itself(take, encoding):
    text = '<?xml version="1.0" encoding="us-ascii"?>' + message('<ActiveParticipant UserID="Åse"/>')
    staged = take(text.encode(encoding), "dicom_audit", "log.xml")
    assert [row["employee_id"] for row in staged.accesses] == ["Åse"]


@pytest.mark.parametrize(
    "bad",
    [
        message("<x>"),
        message("</x>"),
        message("&nbsp;"),
        message("a & b"),
        message("&#0;"),
        message("\x01"),
        message('<x a="1" a="2"/>'),
        message("<x a=1/>"),
        message("<p:x/>"),
        message("a < b"),
        message("<x a='<'/>"),
        message("]]>"),
        message("<!-- -- -->"),
        "<AuditMessage a='1' a='2'></AuditMessage>",
        "<AuditMessage",
        "<AuditMessage></auditMessage></AuditMessage>",
        GOOD.removesuffix("</AuditMessage>"),
        "<AuditMessage/>",
        "<AuditMessage>text</AuditMessage>",
        message(tag="AuditMessage").replace("EventDateTime", "Other"),
        message("<a>" * 120 + "</a>" * 120),
    ],
)
@pytest.mark.parametrize("separator", ["\n", "\n" + DECLARATION])
def test_a_bad_record_among_others_is_quarantined_with_its_text(take, bad, separator):
    staged = take(f"{GOOD}{separator}{bad}{separator}{GOOD}{separator}{GOOD}\n", "dicom_audit", "log.xml")
    n_lines = separator.count("\n")
    assert [row["line_number"] for row in staged.accesses] == [1, 1 + 2 * n_lines, 1 + 3 * n_lines]
    if "<AuditMessage" in bad and ">" in bad:
        assert [(row["line_number"], row["raw_record"]) for row in staged.quarantine] == [(1 + n_lines, bad)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (GOOD[:-5], "line 1"),
        (GOOD + "\n" + GOOD[:40], "line 2"),
        (GOOD + "\n" + GOOD.removesuffix("</AuditMessage>"), "line 2"),
        (GOOD + "\nsome text", "line 2"),
        ("some text\n" + GOOD, "line 1"),
        (f"<log>{GOOD}\n<x>{GOOD}</log>", "line 2"),
        (f"<log>{GOOD}\n{message('&')}</log>", "line 2"),
        (f"<log>{GOOD}\n", "line 2"),
        (message("&"), "line 1"),
        (GOOD + "</AuditMessage>", "line 1"),
        ("<Other/>", "no record"),
        ("<!-- <AuditMessage> -->", "no record"),
        (GOOD + "<!-- ", "line 1"),
        (GOOD + "\n" + DECLARATION, "line 3"),
    ],
)
def test_a_damaged_file_is_refused_whole(take, content, words):
    with pytest.raises(DamagedFileError) as error:
        take(content, "dicom_audit", "log.xml")
    assert words in str(error.value)


BOMB = '<!DOCTYPE AuditMessage [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    "declared",
    [
        BOMB + "]>",
        '<!DOCTYPE AuditMessage [<!ENTITY j SYSTEM "{file}">]>',
        '<!DOCTYPE AuditMessage [<!ENTITY % j SYSTEM "{file}"> %j;]>',
        '<!DOCTYPE AuditMessage SYSTEM "http://127.0.0.1:{port}/j.dtd">',
        '<!DOCTYPE AuditMessage PUBLIC "-//X//Y" "http://127.0.0.1:{port}/j.dtd">',
        "<!DOCTYPE AuditMessage>",
    ],
)
@pytest.mark.parametrize("source_id", ["dicom_audit", "rivta", "fhir"])
def test_a_document_type_refuses_the_file_and_nothing_is_read_or_fetched(take, tmp_path, source_id, declared):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret words")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        declared = declared.replace("{file}", secret.as_uri()).replace("{port}", str(server.getsockname()[1]))
        tag = {"dicom_audit": "AuditMessage", "rivta": "log", "fhir": "AuditEvent"}[source_id]
        with pytest.raises(DamagedFileError) as error:
            take(f"{DECLARATION}{declared}{message('&j;', tag=tag)}", source_id, "log.xml")
        with pytest.raises(BlockingIOError):
            server.accept()
    assert "line 2 declares a document type" in str(error.value)
    assert "secret words" not in str(error.value)


def test_a_message_of_syslog_with_a_document_type_is_quarantined_alone(take):
    frames = [f"<85>1 - - - - - - {text}\n" for text in (GOOD, BOMB.replace("\n", "") + "]>" + message("&j;"), GOOD)]
    staged = take("".join(frames), "dicom_audit", "log.xml")
    assert [(row["line_number"], row["code"]) for row in staged.quarantine] == [(2, "document_type")]
    assert [row["line_number"] for row in staged.accesses] == [1, 3]


def test_a_record_with_too_much_in_it_is_quarantined_and_not_kept(take, monkeypatch):
    nodes = importlib.import_module("audit_kernel.sources.xml_nodes")
    monkeypatch.setattr(nodes, "MOST_ELEMENTS", 50)
    monkeypatch.setattr(nodes, "LONGEST_RECORD", 5_000)
    long = "x" * 9_000
    content = f"<log>{message('<x/>' * 100)}{message(f'{long}<y/>')}{message(f'<!--{long}--><y/>')}{GOOD}</log>"
    staged = take(content, "dicom_audit", "log.xml")
    assert [row["code"] for row in staged.quarantine] == ["too_long"] * 3
    assert len(staged.accesses) == 1
    assert "".join(row["raw_record"] for row in staged.quarantine) in content


def test_a_token_without_end_refuses_the_file(take, monkeypatch):
    monkeypatch.setattr("audit_kernel.sources.xml_records.LONGEST_TOKEN", 100_000)
    with pytest.raises(DamagedFileError, match="line 1"):
        take(GOOD + "<!--" + "x" * 900_000 + "-->" + GOOD, "dicom_audit", "log.xml")


@pytest.mark.parametrize("size", [7, 64, 1000])
def test_both_readers_find_the_same_whatever_their_blocks(take, monkeypatch, size):
    content = (
        f"{DECLARATION}<a>{GOOD}<!-- <AuditMessage> --><![CDATA[<AuditMessage>]]></a>{DECLARATION}{GOOD}{message('&')}"
        * 9
    )
    monkeypatch.setattr("audit_kernel.sources.count_xml.BLOCK", size)
    monkeypatch.setattr("audit_kernel.sources.xml_records.FIRST_BLOCK", size)
    monkeypatch.setattr("audit_kernel.sources.xml_records.BLOCK", size * 3)
    staged = take(content + GOOD, "dicom_audit", "log.xml")
    assert len(staged.accesses) == 19
    assert len(staged.quarantine) == 9


MEMORY = """
    import resource, sys, tempfile
    from pathlib import Path
    from audit_kernel import sources
    from audit_kernel.catalog import resource_folder
    from audit_kernel.sources.formats import reader

    source = sources.load_source("fhir", [resource_folder("parameters") / "sources"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.xml"
        event = '<entry><resource><AuditEvent><recorded value="2026-08-01T10:00:00Z"/><text>' + "x" * 6_000
        with path.open("w") as stream:
            stream.write('<Bundle xmlns="http://hl7.org/fhir">')
            for _number in range(10_000):
                stream.write(event + "</text></AuditEvent></resource></entry>\\n")
            stream.write("</Bundle>")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        prepared = sources.prepare(path, source, Path(folder))
        n_read = sum(1 for record in reader("fhir").records(prepared) if reader("fhir").rows(record.value, source).rows)
        assert n_read == prepared.n_records == 10_000
        print(path.stat().st_size >> 20, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not say how much memory a process has used.")
def test_a_large_document_needs_little_memory():
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(MEMORY)], capture_output=True, text=True, check=True)
    megabytes, used = map(int, ran.stdout.split())
    assert megabytes > 55
    assert used < 30 * (1024 if sys.platform == "darwin" else 1)


def test_a_record_that_the_first_reader_loses_shows_in_the_count(take, monkeypatch):
    nodes = importlib.import_module("audit_kernel.sources.xml_nodes")
    whole = nodes.NodeBuilder.taken
    monkeypatch.setattr(nodes.NodeBuilder, "taken", lambda builder: whole(builder)[:1])
    with pytest.raises(AssertionError, match="n_records"):  # the fixture holds both counts against each other
        take(f"<log>{GOOD}{GOOD}</log>", "dicom_audit", "log.xml")


def test_a_record_too_large_to_be_shown_refuses_the_file(take, monkeypatch):
    monkeypatch.setattr("audit_kernel.sources.xml_records.LONGEST_TEXT", 1_000)
    with pytest.raises(DamagedFileError, match="line 2"):
        take(f"{GOOD}\n{message('x' * 2_000)}\n{GOOD}", "dicom_audit", "log.xml")


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (GOOD, "dicom_audit"),
        (f"<85>1 - - - - - - {GOOD}", "dicom_audit"),
        ('<e:Envelope xmlns:s="urn:riv:informationsecurity:auditing:log:StoreLogResponder:2"><s:log>', "rivta"),
        ("<Bundle xmlns='http://hl7.org/fhir'><entry><resource><AuditEvent>", "fhir"),
        ('{"resourceType": "AuditEvent"', "fhir"),
        ("Id. nr.;Dato;Tid", ""),
        ("<Envelope/>", ""),
    ],
)
def test_a_file_looks_like_one_format_at_most(start, expected):
    found = [name for name in ("dicom_audit", "rivta", "fhir") if reader(name).looks_like(start.encode())]
    assert found == ([expected] if expected else [])
