"""The readers of XML and syslog agree with those that count, on files of all kinds; nothing breaks or hangs them."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from audit_kernel import sources
from audit_kernel.catalog import resource_folder
from audit_kernel.errors import DamagedFileError
from audit_kernel.sources.formats import BadValueError, reader

FOLDERS = [resource_folder("parameters") / "sources"]
SOURCES = {name: sources.load_source(name, FOLDERS) for name in ("dicom_audit", "rivta", "fhir")}
LIMITS = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
FUZZ = Path(__file__).with_name("fuzz_xml.py")


def read_both(content: bytes, source_id: str):
    """Return the numbers of the good records and of the bad ones; raise DamagedFileError for a refused file."""
    source = SOURCES[source_id]
    form = reader(source.format)
    good, bad = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.xml"
        path.write_bytes(content)
        prepared = sources.prepare(path, source, Path(folder))
        for record in form.records(prepared):
            is_good = False
            if not record.failure:
                with contextlib.suppress(BadValueError):
                    is_good = bool(form.rows(record.value, source).rows)
            (good if is_good else bad).append(record.record_number)
    assert sorted(good + bad) == list(range(1, prepared.n_records + 1))
    return good, bad


GOOD = '<AuditMessage><EventIdentification EventDateTime="2026-08-01T10:00:00Z"/></AuditMessage>'
ODD = [
    "&lt;AuditMessage>",
    "]]>",
    "é",
    "\t",
    "\r\n",
    "<!-- <AuditMessage> -->",
    "<![CDATA[</AuditMessage>]]>",
    "<?a <b?>",
]
texts = st.lists(st.sampled_from([*ODD[:1], *ODD[2:], "x", " "]), max_size=4).map("".join)
attributes = st.dictionaries(
    st.sampled_from(["EventDateTime", "UserID", "UserIsRequestor", "csd-code", "ParticipantObjectID", "a"]),
    st.sampled_from(
        ["2026-08-01T10:00:00Z", "110114", "true", "&lt;AuditMessage/>", ">", "'", "~", "^^", "&amp;amp;", "1"]
    ),
    max_size=3,
)
names = st.sampled_from(
    ["EventIdentification", "EventID", "ActiveParticipant", "RoleIDCode", "ParticipantObjectIdentification", "x"]
)


def written(name, given_attributes, inner):
    listed = "".join(f' {key}="{value}"' for key, value in given_attributes.items())
    return f"<{name}{listed}>{inner}</{name}>" if inner else f"<{name}{listed} />"


elements = st.recursive(
    texts, lambda inner: st.builds(written, names, attributes, st.lists(inner, max_size=3).map("".join)), max_leaves=6
)
messages = st.builds(
    written, st.just("AuditMessage"), attributes, st.lists(elements, max_size=4).map("".join)
) | st.just(GOOD)


@LIMITS
@given(st.lists(messages, min_size=1, max_size=5), st.sampled_from(["", "\n", "<?xml version='1.0'?>", "\n<!-- -->"]))
def test_each_well_formed_message_is_a_record_on_end_in_one_root_and_in_syslog(content, separator):
    numbers = list(range(1, len(content) + 1))
    good, bad = read_both(separator.join(content).encode(), "dicom_audit")
    assert sorted(good + bad) == numbers
    assert read_both(f"<log>{''.join(content)}</log>".encode(), "dicom_audit") == (good, bad)
    frames = [f"<85>1 - - - - - - {text}".encode() for text in content]
    by_count = b"".join(b"%d %s" % (len(frame), frame) for frame in frames)
    assert read_both(by_count, "dicom_audit") == (good, bad)
    assert read_both(b"\n".join(frames), "dicom_audit") == (good, bad)


@LIMITS
@given(st.lists(messages, min_size=1, max_size=5), st.data())
def test_a_message_that_is_not_well_formed_takes_no_other_with_it(content, data):
    place = data.draw(st.integers(0, len(content) - 1))
    cut = data.draw(st.integers(len("<AuditMessage "), len(content[place]) - 1))
    broken = content[place][:cut] + data.draw(st.sampled_from(["&", "<", "</y>", "<y>", "<y a=>", "\x01", "<&"]))
    content = [GOOD, *content[:place], broken, *content[place + 1 :], GOOD]
    if "<!--" in broken or "<![" in broken or "<?" in broken:
        return  # what does not end may hide what follows
    good, bad = read_both("\n".join(content).encode(), "dicom_audit")
    assert {1, len(content)} <= set(good)
    assert place + 2 in bad
    assert sorted(good + bad) == list(range(1, len(content) + 1))


pieces = st.sampled_from(
    [
        *ODD, GOOD, "<AuditMessage>", "</AuditMessage>", "<AuditMessage/>", "<log>", "</log>", "<Log/>", "<entry>",
        "</entry>", "<Bundle>", "</Bundle>", "<AuditEvent>", "</AuditEvent>", "<a:AuditMessage ", "<!--", "-->",
        "<?xml version='1.0'?>", "<![CDATA[", "<", ">", "&", '"', "'", "=", "\n", "12 ", "99 <1>1 ", "\ufeff",
        "<85>1 - - - - - - ", "<!DOCTYPE a>",
    ]
)  # fmt: skip


@LIMITS
@given(st.lists(pieces, max_size=14), st.sampled_from(sorted(SOURCES)))
def test_any_text_is_read_alike_or_refused(parts, source_id):
    try:
        read_both("".join(parts).encode() or b" ", source_id)
    except DamagedFileError as error:
        assert error.remedy  # noqa: PT017 - a refusal is one of the right answers
    except AssertionError:
        # Where tags do not match, the two may see other records: intake refuses such a file (`store_file`).
        with pytest.raises(etree.XMLSyntaxError):
            etree.fromstring("".join(parts).encode())


json_values = st.recursive(
    st.sampled_from(["x", "110114", "1", "Patient/1", "2026-08-01T10:00:00Z", "true", "aGVp", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["code", "coding", "who", "identifier", "value", "reference", "role", "query", "requestor"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
fields = st.sampled_from(
    ["id", "type", "event", "recorded", "dateTime", "agent", "participant", "object", "entity", "source", "outcome"]
)
events = st.dictionaries(fields, json_values, max_size=6)


def as_xml(name, value):
    if isinstance(value, list):
        return "".join(as_xml(name, each) for each in value)
    if isinstance(value, dict):
        return f"<{name}>{''.join(as_xml(key, each) for key, each in value.items())}</{name}>"
    return f'<{name} value="{value}"/>'


@LIMITS
@given(st.lists(events, min_size=1, max_size=4))
def test_no_fhir_breaks_the_reader_in_either_writing(content):
    entries = "".join(f"<entry><resource>{as_xml('AuditEvent', each)}</resource></entry>" for each in content)
    good, bad = read_both(f'<Bundle xmlns="http://hl7.org/fhir">{entries}</Bundle>'.encode(), "fhir")
    assert sorted(good + bad) == list(range(1, len(content) + 1))
    lines = "".join(json.dumps({"resourceType": "AuditEvent", **each}) + "\n" for each in content)
    read_both(lines.encode(), "fhir")


SEED = {"recorded": "2026-08-01T10:00:00Z", "agent": {"requestor": "true"}, "entity": {"query": "aGVp"}}


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is made for Linux only.")
@pytest.mark.parametrize("source_id", sorted(SOURCES))
def test_the_fuzzer_finds_nothing_that_breaks_a_reader(tmp_path, source_id):
    log = "<log xmlns='urn:riv:informationsecurity:auditing:log:2'><activity><startDate>2026-08-01T10:00:00</startDate>"
    seeds = {
        "dicom_audit": [GOOD, GOOD + GOOD, f"<85>1 - - - - - - {GOOD}\n" * 2, f"{len(GOOD) + 6} <85>1 {GOOD}"],
        "rivta": [f"{log}</activity><resources><resource/></resources></log>"],
        "fhir": [f"<Bundle xmlns='http://hl7.org/fhir'><entry>{as_xml('AuditEvent', SEED)}</entry></Bundle>"],
    }
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds[source_id]):
        (corpus / str(number)).write_text(seed)
    # atheris measures by an alarm, which a busy machine sets off: a hang is for the time limit of this process.
    # The system counts the memory of the process that started it too: 4 GB leaves room for that.
    limits = ["-max_total_time=3", "-runs=20000", "-timeout=100", "-rss_limit_mb=4096", "-max_len=2000", "-seed=1"]
    ran = subprocess.run(
        [sys.executable, str(FUZZ), source_id, *limits, str(corpus)],
        capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-4000:]
    assert "Done " in ran.stderr
