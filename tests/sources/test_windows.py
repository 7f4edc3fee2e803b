"""Windows events as EVTX and XML, whole, damaged and hostile."""

from __future__ import annotations

import struct
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_kernel.errors import DamagedFileError, IntakeError
from audit_kernel.sources import windows_evtx
from tests.sources.evtx_file import CHUNK, Chunk, event, file_of, seal_chunk

HEADER = 4096
FAILED = "0x8010000000000000"
WHO = {"TargetUserName": "kari", "TargetDomainName": "OSLO"}
ACTOR = {"SubjectUserName": "admin", "SubjectDomainName": "OSLO", "SubjectLogonId": "0x9"}


def as_xml(element) -> str:
    name, attributes, content = element
    inner = escape(content) if isinstance(content, str) else "".join(as_xml(child) for child in content)
    return f"<{name}{''.join(f' {key}={quoteattr(value)}' for key, value in attributes.items())}>{inner}</{name}>"


def evtx(*events) -> bytes:
    chunk = Chunk(1)
    for each in events:
        chunk.add(each)
    return file_of(chunk.whole())


@pytest.fixture
def only(take):
    """Take one event, as EVTX and as XML, which must give the same row."""

    def run(*arguments, **system):
        one = event(*arguments, **system)
        binary, text = take(evtx(one), "windows"), take(as_xml(one), "windows")
        assert binary.quarantine == text.quarantine == binary.accesses == []
        assert binary.authentications == text.authentications
        return text.authentications[0]

    return run


@pytest.mark.parametrize(
    ("number", "data", "kind", "reason"),
    [
        (4624, {}, "login", None),
        (4634, {}, "logout", None),
        (4647, {}, "logout", None),
        (4625, {"Status": "0xC000006D", "SubStatus": "0xC000006A"}, "failure", "0xc000006a"),
        (4625, {"Status": "0xc0000234", "SubStatus": "0x0"}, "failure", "0xc0000234"),
        (4625, {}, "failure", None),
        (4771, {"Status": "0x18"}, "failure", "0x18"),
        (4768, {"Status": "0x6"}, "failure", "0x6"),
        (4768, {"Status": "0x0"}, "other", "4768"),
        (4768, {}, "other", "4768"),
        (4776, {"Status": "0xc0000064", "Workstation": "WS1"}, "failure", "0xc0000064"),
        (4776, {"Status": "0x00000000"}, "other", "4776"),
        (4740, {}, "lockout", None),
        (4767, ACTOR, "unlock", None),
        (4723, ACTOR, "password_change", None),
        (4724, ACTOR, "password_change", None),
        (4663, ACTOR, "other", "4663"),
        (99999, {}, "other", "99999"),
    ],
)
def test_each_event_has_its_kind_and_reason(only, number, data, kind, reason):
    row = only(number, 1, {**WHO, **data})
    assert (row["kind"], row["reason"]) == (kind, reason)
    assert row["event_id"] == "PC1.example.org|Security|1"
    assert row["recorded_at"] == datetime(2026, 8, 1, 8, 0, 0, 123456)


def test_a_failed_attempt_to_change_a_password_is_no_password_change(only):
    row = only(4724, 1, {**WHO, **ACTOR}, keywords=FAILED)
    assert (row["kind"], row["reason"]) == ("other", "4724")


def test_the_same_number_of_another_program_is_another_event(only):
    assert only(4624, 1, WHO, provider="Somebody")["kind"] == "other"
    assert only(1102, 1, ACTOR, provider="Somebody")["kind"] == "other"
    assert only(1102, 1, ACTOR, provider="Microsoft-Windows-Eventlog", channel="Setup")["kind"] == "other"
    assert only(18456, 1, {}, provider="MSSQL")["kind"] == "other"


def test_who_did_it_and_to_whose_account_are_told_apart(only):
    login, reset = only(4624, 1, {**WHO, **ACTOR, "TargetLogonId": "0x7"}), only(4724, 1, {**WHO, **ACTOR})
    assert (login["employee_id"], login["account"], login["session_id"]) == ("kari", "OSLO\\kari", "0x7")
    assert (reset["employee_id"], reset["account"], reset["session_id"]) == ("admin", "OSLO\\kari", "0x9")
    cleared = only(1102, 1, ACTOR, provider="Microsoft-Windows-Eventlog")
    assert (cleared["kind"], cleared["employee_id"], cleared["account"]) == ("log_cleared", "admin", "OSLO\\admin")


@pytest.mark.parametrize(
    "data",
    [
        {"TargetUserName": "PC1$"},
        {"TargetUserName": "SYSTEM", "TargetUserSid": "S-1-5-18"},
        {"TargetUserName": "LOKAL TJENESTE", "TargetUserSid": "S-1-5-19"},
        {"TargetUserName": "ANONYMOUS LOGON", "TargetUserSid": "S-1-5-7"},
        {"TargetUserName": "DWM-1", "TargetUserSid": "S-1-5-90-0-1"},
    ],
)
def test_a_machine_is_no_employee_but_its_account_is_kept(only, data):
    row = only(4624, 1, data)
    assert (row["employee_id"], row["account"]) == (None, data["TargetUserName"])


def test_the_domain_of_a_lockout_is_the_computer_it_came_from(only):
    row = only(4740, 1, {"TargetUserName": "kari", "TargetDomainName": "WS7"})
    assert (row["account"], row["device"]) == ("kari", "WS7")


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("-", None),
        ("", None),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::FFFF:10.0.0.1", "10.0.0.1"),
        ("::1", "::1"),
        ("fe80::38dc:e4a9:61bd:b458", "fe80::38dc:e4a9:61bd:b458"),
        ("10.0.0.1", "10.0.0.1"),
    ],
)
def test_addresses_are_written_in_one_way(only, written, address):
    assert only(4624, 1, {**WHO, "IpAddress": written})["network_address"] == address


def test_the_device_is_the_workstation_or_else_the_computer_that_logged_it(only):
    assert only(4624, 1, {**WHO, "WorkstationName": "WS1"})["device"] == "WS1"
    assert only(4776, 1, {**WHO, "Workstation": "WS2", "Status": "0x1"})["device"] == "WS2"
    assert only(4624, 1, {**WHO, "WorkstationName": "-"})["device"] == "PC1.example.org"


ONE, TWO = as_xml(event(4624, 1, WHO)), as_xml(event(4625, 2, WHO))
DECLARED = '<?xml version="1.0" encoding="utf-16"?>'


@pytest.mark.parametrize(
    "text",
    [
        f"<Events>{ONE}{TWO}</Events>",
        f'{DECLARED}\r\n<Events xmlns="">\r\n{ONE}\r\n{TWO}\r\n</Events>\r\n',
        f"{ONE}\n{TWO}\n",
        ONE + TWO,
        f"{DECLARED}{ONE}\n{DECLARED}{TWO}",
        f"<Events><!-- <Event> --><?x <Event> ?>{ONE}{TWO}</Events>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_xml_of_every_tool_is_read(take, text, encoding):
    staged = take(text.encode(encoding), "windows")
    assert [row["kind"] for row in staged.authentications] == ["login", "failure"]


def test_the_same_event_in_another_tools_spelling_is_the_same_record(take):
    plain = take(ONE, "windows").authentications[0]
    other = ONE.replace("08:00:00.123456Z", "08:00:00.123456700Z").replace(">kari<", "> KARI <").replace('"', "'")
    rendered = other.replace(
        "</Event>", "<RenderingInfo Culture='nb-NO'><Level>Informasjon</Level></RenderingInfo></Event>"
    )
    assert take(rendered, "windows").authentications[0]["record_hash"] == plain["record_hash"]
    changed = ONE.replace(">kari<", ">ola<")
    assert take(changed, "windows").authentications[0]["record_hash"] != plain["record_hash"]


@pytest.mark.parametrize(
    ("old", "new", "column", "code"),
    [
        ("<EventID>4624", "<EventID>x", "System.EventID", "not_a_number"),
        ("2026-08-01T08", "1601-01-01T08", "System.TimeCreated.SystemTime", "not_a_time"),
        ("2026-08-01T08", "2026-08-41T08", "System.TimeCreated.SystemTime", "not_a_time"),
        ("SystemTime=", "Time=", "System.TimeCreated", "missing_value"),
        ("System>", "Sistem>", "System", "not_readable"),
        ("events/event", "events/other", "System", "not_readable"),
        ('Name="TargetDomainName"', 'Name="TargetUserName"', "EventData", "not_readable"),
        (">kari<", ">ka&#x85;ri<", "EventData.TargetUserName", "control_characters"),
    ],
)
def test_an_event_that_cannot_be_used_goes_to_quarantine(take, old, new, column, code):
    assert old in ONE
    staged = take(f"<Events>{TWO}{ONE.replace(old, new)}</Events>", "windows")
    assert [(row["column_name"], row["code"]) for row in staged.quarantine] == [(column, code)]
    assert new in staged.quarantine[0]["raw_record"]
    assert len(staged.authentications) == 1


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "text",
    [
        BOMB + ONE.replace(">kari<", ">&b;<"),
        OUTSIDE + ONE.replace(">kari<", ">&a;<"),
        f"<Events>{ONE}",
        f"<Events>{ONE[:-20]}",
        "<Events></Events>",
        "<Events>no event</Events>",
    ],
)
def test_xml_with_entities_or_cut_short_is_refused_whole(take, text):
    with pytest.raises(DamagedFileError) as caught:
        take(text, "windows")
    assert "kari" not in str(caught.value)


def damaged(content: bytes, place: int, *, sealed: bool) -> bytes:
    changed = bytearray(content)
    changed[place] ^= 0xFF
    if sealed:
        changed[HEADER : HEADER + CHUNK] = seal_chunk(changed[HEADER : HEADER + CHUNK])
    return bytes(changed)


TWO_RECORDS = evtx(event(4624, 1, WHO), event(4625, 2, WHO))
FIRST_SIZE = struct.unpack_from("<I", TWO_RECORDS, HEADER + 516)[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (damaged(TWO_RECORDS, 30, sealed=False), "its header is"),
        (damaged(TWO_RECORDS, HEADER + 3, sealed=True), "part 1 of 64 KiB"),
        (damaged(TWO_RECORDS, HEADER + 600, sealed=False), "part 1 of 64 KiB"),
        (damaged(TWO_RECORDS, HEADER + 16, sealed=True), "part 1 of 64 KiB"),
        (damaged(TWO_RECORDS, HEADER + 512 + FIRST_SIZE, sealed=True), "part 1 of 64 KiB"),
        (damaged(TWO_RECORDS, HEADER + 512 + FIRST_SIZE - 4, sealed=True), "part 1 of 64 KiB"),
        (TWO_RECORDS[:-1], "is cut short"),
        (TWO_RECORDS[:HEADER], "is cut short"),
        (TWO_RECORDS[:100], "its header is"),
        (file_of(TWO_RECORDS[HEADER:], flags=1), "while Windows was writing"),
        (file_of(TWO_RECORDS[HEADER:], n_chunks=2), "is cut short"),
        (file_of(bytes(CHUNK), n_chunks=0), "holds no record"),
    ],
)
def test_a_damaged_event_log_is_refused_whole(take, content, words):
    with pytest.raises(DamagedFileError, match=words):
        take(content, "windows")


def test_one_record_that_cannot_be_read_goes_to_quarantine_with_its_bytes(take):
    start = HEADER + 512
    content = bytearray(TWO_RECORDS)
    content[start + 28 : start + 60] = b"\xff" * 32
    content[HEADER:] = seal_chunk(content[HEADER:])
    staged = take(bytes(content), "windows")
    assert [row["kind"] for row in staged.authentications] == ["failure"]
    assert [row["record_number"] for row in staged.quarantine] == [1]
    assert bytes.fromhex(staged.quarantine[0]["raw_record"]) == bytes(content[start : start + FIRST_SIZE])


def test_an_event_log_that_sends_its_library_into_a_loop_is_refused(take, monkeypatch):
    monkeypatch.setattr(windows_evtx, "SECONDS", 1.0)
    content = bytearray(TWO_RECORDS)
    first, second = 60_000, 60_064  # two names of the chunk's table, each the next of the other
    struct.pack_into("<I", content, HEADER + 128, first)
    for place, following in ((first, second), (second, first)):
        struct.pack_into("<IHH", content, HEADER + place, following, 0, 0)
    content[HEADER:] = seal_chunk(content[HEADER:])
    with pytest.raises(DamagedFileError, match="is a damaged event log"):
        take(bytes(content), "windows")


def test_an_event_log_whose_reader_crashes_is_refused(take, monkeypatch, tmp_path):
    crashing = tmp_path / "worker.py"
    crashing.write_text('import os, sys\nsys.stdout.write(\'"<Event/>"\\n"<Ev\')\nsys.stdout.flush()\nos._exit(1)\n')
    monkeypatch.setattr(windows_evtx.evtx_worker, "__file__", str(crashing))
    with pytest.raises(DamagedFileError, match="is a damaged event log"):
        take(TWO_RECORDS, "windows")


def test_chunks_and_reserved_space_are_read_in_order(take):
    first, second = Chunk(1), Chunk(31)
    for record in range(30):
        first.add(event(4624, record, WHO))
        second.add(event(4625, 30 + record, WHO))
    staged = take(file_of(first.whole(), second.whole(), bytes(CHUNK), bytes(CHUNK), n_chunks=2), "windows")
    assert [row["kind"] for row in staged.authentications] == ["login"] * 30 + ["failure"] * 30


names = st.text(alphabet=st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=20)
LIMITS = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@LIMITS
@given(st.lists(st.tuples(st.sampled_from([4624, 4625, 4663, 1]), names, names), min_size=1, max_size=4))
def test_no_record_of_an_event_log_is_lost_whatever_it_holds(take, events):
    staged = take(
        evtx(
            *(
                event(number, place, {"TargetUserName": user, "Status": status})
                for place, (number, user, status) in enumerate(events)
            )
        ),
        "windows",
    )
    assert staged.n_read == len(events)


@LIMITS
@given(st.integers(HEADER, HEADER + 3000), st.binary(min_size=1, max_size=12), st.booleans())
def test_bytes_changed_anywhere_are_refused_or_balanced(take, place, change, sealed):
    content = bytearray(TWO_RECORDS)
    content[place : place + len(change)] = change
    if sealed:
        content[HEADER:] = seal_chunk(content[HEADER:])
    try:
        staged = take(bytes(content), "windows")
    except IntakeError:
        return
    assert staged.n_read == 2


pieces = st.sampled_from(
    [
        ONE,
        TWO,
        "<Events>",
        "</Events>",
        "<Event>",
        "</Event>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "\n",
        "&amp;",
        "&x;",
        DECLARED,
    ]
)


@LIMITS
@given(st.lists(pieces | names, min_size=1, max_size=8).map("".join))
def test_xml_of_any_pieces_is_refused_or_balanced(take, text):
    try:
        take(text, "windows")
    except IntakeError:
        return
