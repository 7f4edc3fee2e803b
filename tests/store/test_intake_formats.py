"""Logs of log-ins, packed logs and workbooks through all of intake: balanced, known again, told from conflicts."""

from __future__ import annotations

import io
import json
from datetime import datetime

import openpyxl
import zstandard

from audit_kernel.errors import IntakeError
from audit_kernel.store.deliver import read_quarantine
from audit_kernel.store.intake import take_in
from tests.sources.evtx_file import Chunk, event, file_of
from tests.sources.test_windows import as_xml
from tests.store.logs import HEADER, row

WHO = {"TargetUserName": "kari", "TargetDomainName": "OSLO"}
CEF = "CEF:0|V|P|1|audit:access|Opened|INFO|act=read suid=A1 duid={patient} end=1785571200000"


def balance(delivery):
    return delivery.n_read, delivery.n_stored, delivery.n_known, delivery.n_quarantined


def test_the_same_events_as_evtx_and_as_xml_are_known_and_changed_ones_are_conflicts(site, tmp_path):
    events = [event(4624, 1, WHO), event(4625, 2, {**WHO, "Status": "0xc0000234"}), event(4663, 3, WHO)]
    chunk = Chunk(1)
    for each in events:
        chunk.add(each)
    binary, text = tmp_path / "security.evtx", tmp_path / "security.xml"
    binary.write_bytes(file_of(chunk.whole()))
    changed = event(4625, 2, {**WHO, "Status": "0x0"})
    text.write_text("".join(as_xml(each) for each in (events[0], changed, events[2], event(4740, 4, WHO))), "utf-16")
    assert balance(take_in(site, binary, "windows")) == (3, 3, 0, 0)
    assert balance(take_in(site, text, "windows")) == (4, 1, 2, 1)
    (conflict,) = read_quarantine(site, "test of conflicts")
    assert (conflict["code"], conflict["raw_record"]) == ("conflict", as_xml(changed))


def test_a_cef_line_is_known_again_behind_another_syslog_header_and_twice_in_a_file_is_twice(site, tmp_path):
    first, second = tmp_path / "a.cef", tmp_path / "b.cef"
    line = CEF.format(patient="P1")
    first.write_text(f"{line}\n{line}\nnot CEF\n")
    second.write_text(f"<134>Aug  1 10:00:00 relay {line}\n{CEF.format(patient='P2')}\n")
    assert balance(take_in(site, first, "cef")) == (3, 2, 0, 1)
    assert balance(take_in(site, second, "cef")) == (2, 1, 1, 0)


def test_keycloaks_events_are_stored_by_their_time(site, tmp_path):
    path = tmp_path / "events.jsonl.zst"
    found = [
        {"id": f"e{number}", "time": 1785571200000 + number, "type": "LOGIN", "userId": "u"} for number in range(3)
    ]
    path.write_bytes(zstandard.compress("".join(json.dumps(each) + "\n" for each in found).encode()))
    delivery = take_in(site, path, "keycloak")
    assert balance(delivery) == (3, 3, 0, 0)
    assert delivery.first_at == datetime(2026, 8, 1, 8)
    assert delivery.n_bytes == path.stat().st_size


def test_a_workbook_of_a_log_that_came_as_text_is_already_known(site, gerica, tmp_path):
    take_in(site, gerica("a.csv", [row(1), row(2)]), "gerica")
    book = openpyxl.Workbook()
    for line in (HEADER, row(1), row(2), row(3)):
        book.active.append(line.split(";"))
    target = io.BytesIO()
    book.save(target)
    path = tmp_path / "a.xlsx"
    path.write_bytes(target.getvalue())
    assert balance(take_in(site, path, "gerica")) == (3, 1, 2, 0)


def test_nothing_unpacked_is_left_behind(site, tmp_path):
    path = tmp_path / "a.cef.zst"
    path.write_bytes(zstandard.compress(f"{CEF.format(patient='P1')}\n".encode())[:-3])
    try:
        take_in(site, path, "cef")
    except IntakeError:
        assert list(site.temporary_folder.glob("intake-*")) == []
    else:
        raise AssertionError
