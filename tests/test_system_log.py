"""The use log's lines in the system log: where they cannot be written, nothing is shown."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from audit_kernel import open_store
from audit_kernel.errors import JournalError, SettingsError
from audit_kernel.journal import Journal
from audit_kernel.site import Site, create_site
from audit_kernel.store.intake import take_in
from audit_kernel.system_log import LONGEST_LINE, send
from audit_kernel.use_log import record_use
from tests.store.logs import gerica_file, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = 'sak 2026/17\n<13>forged: line\x00\x1b[2J\u202e"' + "x" * 5_000
needs_sockets = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="There are no sockets of the file system.")


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket as /dev/log is one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "log"))
        made.settimeout(5)
        yield made


def logging_site(folder: Path, address: str) -> Site:
    site = create_site(folder / "site", "NO")
    take_in(site, gerica_file(folder / "a.csv", [row(1)]), "gerica")
    with (site.folder / "settings.yml").open("a", encoding="utf-8") as file:
        file.write(f"use_log:\n    syslog: '{address}'\n")
    return Site(site.folder)


@needs_sockets
def test_a_line_says_who_why_and_of_how_many_but_not_of_whom(tmp_path: Path, receiver: socket.socket) -> None:
    site = logging_site(tmp_path, receiver.getsockname())
    with open_store(site, "sak 2026/17") as store:
        store.report("activity", patient_id="1042", from_date="2026-10-01", to_date="2026-10-31")
        store.sql("select * from accesses where patient_id = '1042'")
    lines = list(Journal(site.journals_folder / "use_log.jsonl").entries())
    said = [receiver.recv(10_000).decode() for _line in lines]
    assert all(line["hash"] in text for line, text in zip(lines, said, strict=True))
    assert 'activity="report" purpose="sak 2026/17" people="1" query="activity"' in said[1]
    assert f'activity="answered" rows="1" question="{lines[1]["hash"]}"' in said[2]
    assert not [text for text in said if "1042" in text]


@needs_sockets
def test_a_hostile_purpose_stays_one_bounded_line(tmp_path: Path, receiver: socket.socket) -> None:
    site = create_site(tmp_path / "site", "NO")
    with (site.folder / "settings.yml").open("a", encoding="utf-8") as file:
        file.write(f"use_log: {{syslog: '{receiver.getsockname()}'}}\n")
    record_use(Site(site.folder), HOSTILE, "open", {})
    got = receiver.recv(100_000)
    assert len(got) <= LONGEST_LINE + 100
    assert not [sign for sign in got.decode() if ord(sign) < ord(" ") or sign == "\u202e"]
    assert got.startswith(b"<109>audit-kernel[")
    assert b"2026/17 <13>forged: line" in got


@needs_sockets
def test_without_the_system_log_nothing_is_opened_and_nothing_answered(tmp_path: Path, receiver: socket.socket) -> None:
    site = logging_site(tmp_path, receiver.getsockname())
    with open_store(site, "sak 2026/17") as store:
        receiver.close()
        (tmp_path / "log").unlink()
        with pytest.raises(JournalError, match="system log"):
            store.sql("select * from accesses")
    with pytest.raises(JournalError, match="until then nothing is shown"):
        open_store(site, "sak 2026/17")
    activities = [line["entry"]["activity"] for line in Journal(site.journals_folder / "use_log.jsonl").entries()]
    assert activities == ["open", "sql", "open"]


def test_a_server_gets_a_counted_line_of_rfc_5424(tmp_path: Path) -> None:
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def listen() -> None:
            connection, _address = server.accept()
            with connection:
                while chunk := connection.recv(10_000):
                    got.append(chunk)

        listening = threading.Thread(target=listen)
        listening.start()
        send(f"127.0.0.1:{port}", {"hash": "ab", "purpose": "sak 2026/17", "rows": 0, "employee": None})
        listening.join(5)
    count, line = b"".join(got).split(b" ", 1)
    assert int(count) == len(line)
    assert line.startswith(b"<109>1 20")
    assert line.endswith(b'use - hash="ab" purpose="sak 2026/17" rows="0"')
    with pytest.raises(JournalError):
        send(f"127.0.0.1:{port}", {"hash": "ab"})  # it is closed now


@pytest.mark.parametrize("address", ["dev/log", "localhost", "log host:514", "host:123456"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    site = create_site(tmp_path / "site", "NO")
    with (site.folder / "settings.yml").open("a", encoding="utf-8") as file:
        file.write(f"use_log:\n    syslog: '{address}'\n")
    with pytest.raises(SettingsError, match="syslog"):
        Site(site.folder)
