"""Windows logs that others recorded: what each event must give, written down from reading the files."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from audit_kernel import sources

REALDATA = Path(__file__).parents[2].parent / "shared" / "realdata" / "windows-security"
ABSENT = "This test reads real example logs in ../shared/realdata, which is not part of the project and is not here."

pytestmark = pytest.mark.skipif(not REALDATA.is_dir(), reason=ABSENT)


def event(event_id, recorded_at, kind, employee, account, device, **others):
    row = {"event_id": event_id, "recorded_at": datetime.fromisoformat(recorded_at), "kind": kind, "repeated": 1}
    person = {"employee_id": employee} if employee else {}  # Windows' own accounts are no persons
    return {**row, **person, "account": account, "device": device, **others}


LOCKED = [
    event(
        "DC01.contoso.local|Security|229977",
        "2015-09-08T22:54:54.962511",
        "failure",
        "Auditor",
        "CONTOSO\\Auditor",
        "DC01",
        reason="0xc0000234",
        network_address="127.0.0.1",
    )
]

EDGE, IE_USER = "MSEDGEWIN10", ("IEUser", "MSEDGEWIN10\\IEUser", "MSEDGEWIN10")
SYSTEM = (None, "NT AUTHORITY\\SYSTEM", EDGE)
CHROME = [
    event(f"{EDGE}|Security|137222", "2020-09-09T13:18:23.627952", "failure", *IE_USER, reason="0xc000006a"),
    event(f"{EDGE}|Security|137223", "2020-09-09T13:18:25.377120", "login", *SYSTEM, session_id="0x3e7"),
    event(f"{EDGE}|Security|137224", "2020-09-09T13:18:27.714613", "login", *IE_USER, session_id="0x1cd8f6"),
    event(f"{EDGE}|Security|137225", "2020-09-09T13:18:27.714758", "login", *IE_USER, session_id="0x1cd964"),
]

NO_MATCH = "Reason: Password did not match that for the login provided."
NT_NAME = "Reason: Attempting to use an NT account name with SQL Server Authentication."
EVALUATING = "Reason: An error occurred while evaluating the password."
SQL_SERVER = [
    event(
        f"{EDGE}|Application|{13026 + number}",
        f"2019-11-04T13:46:01.{fraction}",
        "failure",
        name,
        name,
        EDGE,
        reason=reason,
        network_address="10.0.2.17",
    )
    for number, (fraction, name, reason) in enumerate(
        [
            ("171339", "sa", NO_MATCH),
            ("187637", "##MS_SQLResourceSigningCertificate##", NT_NAME),
            ("202731", "##MS_SQLReplicationSigningCertificate##", NT_NAME),
            ("202731", "##MS_SQLAuthenticatorCertificate##", NT_NAME),
            ("222452", "##MS_PolicySigningCertificate##", NT_NAME),
            ("233944", "##MS_SmoExtendedSigningCertificate##", NT_NAME),
            ("248423", "##MS_PolicyEventProcessingLogin##", EVALUATING),
            ("248883", "##MS_PolicyTsqlExecutionLogin##", EVALUATING),
            ("266435", "##MS_AgentSigningCertificate##", NT_NAME),
            ("279825", "root", NO_MATCH),
        ]
    )
]

CONTROLLER = "01566s-win16-ir.threebeesco.com"
CLEARED = event(
    f"{CONTROLLER}|Security|887106",
    "2020-07-22T20:29:27.321769",
    "log_cleared",
    "a-jbrown",
    "3B\\a-jbrown",
    CONTROLLER,
    session_id="0x3a17a",
)
# name, kind, reason, fraction of 20:29:36; 4771 names no domain
SPRAY = [
    ("HD01", "failure", "0x6", "414827"),
    ("admin", "failure", "0x6", "414856"),
    ("svc-02", "failure", "0x6", "414929"),
    ("HD02", "failure", "0x6", "414967"),
    ("svc-01", "failure", "0x6", "414984"),
    ("bob", "failure", "0x6", "415050"),
    ("admin02", "failure", "0x6", "415371"),
    ("Administrator", "failure", "0x18", "425365"),
    ("backdoor", "failure", "0x18", "425838"),
    ("normal", "other", "4768", "434698"),
    ("normal", "other", "4768", "437702"),  # written as ::ffff:172.16.66.1
]
KERBEROS = [
    CLEARED,
    *(
        event(
            f"{CONTROLLER}|Security|{887107 + number}",
            f"2020-07-22T20:29:36.{fraction}",
            kind,
            name,
            name if reason == "0x18" else f"THREEBEESCO.COM\\{name}",
            CONTROLLER,
            reason=reason,
            network_address="172.16.66.1",
        )
        for number, (name, kind, reason, fraction) in enumerate(SPRAY)
    ),
]
WRITTEN = {
    "4625-locked.xml": LOCKED,
    "CA_4624_4625_LogonType2_LogonProc_chrome.evtx": CHROME,
    "MSSQL_multiple_failed_logon_EventID_18456.evtx": SQL_SERVER,
    "kerberos_pwd_spray_4771.evtx": KERBEROS,
}
COMPUTER = "PC01.example.corp"


def complete(row):
    """Leave out what is the file's place, or what is empty."""
    left_out = ("record_number", "line_number", "record_hash")
    return {name: value for name, value in row.items() if name not in left_out and value is not None}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_file_gives_the_rows_written_down(stage_file, name):
    staged = stage_file(REALDATA / name, "windows")
    assert staged.quarantine == staged.accesses == []
    assert [complete(row) for row in staged.authentications] == WRITTEN[name]


def test_a_cleared_log_and_the_110_uses_of_keys_after_it_are_all_kept(stage_file):
    staged = stage_file(REALDATA / "DE_1102_security_log_cleared.evtx", "windows")
    assert staged.quarantine == staged.accesses == []
    cleared, connection, *others = [complete(row) for row in staged.authentications]
    assert cleared == event(
        f"{COMPUTER}|Security|452811",
        "2019-03-19T23:35:07.524202",
        "log_cleared",
        "user01",
        "EXAMPLE\\user01",
        COMPUTER,
        session_id="0x17dad",
    )
    assert (connection["kind"], connection["reason"]) == ("other", "5156")
    assert "employee_id" not in connection
    assert len(others) == 110
    first = others[0]
    assert first == event(
        f"{COMPUTER}|Security|452813",
        "2019-03-19T23:35:14.634426",
        "other",
        None,
        "NT AUTHORITY\\LOCAL SERVICE",
        COMPUTER,
        reason="4663",
        session_id="0x3e5",
    )
    assert [row["event_id"] for row in others] == [f"{COMPUTER}|Security|{452813 + number}" for number in range(110)]
    varying = ("event_id", "recorded_at")
    assert all({**row, **{name: first[name] for name in varying}} == first for row in others)
    assert others[-1]["recorded_at"] == datetime(2019, 3, 19, 23, 35, 15, 365477)


# A site's own mapping of the table that Microsoft Sentinel exports; its first column has no name.
SENTINEL = """
source_id: sentinel
format: delimited
table: authentications
title: {en: Windows log-ins, sv: Inloggningar i Windows, nb: Innlogginger i Windows}
time_zone: UTC
delimiter: ","
columns:
    "": {}
    TenantId: {}
    Account: {to: account}
    EventID: {to: kind, required: true, values: {"4624": login, "4625": failure, "4634": logout}}
    TimeGenerated: {to: recorded_timestamp, format: "%Y-%m-%d %H:%M:%S.%g", required: true}
    SourceComputerId: {}
    Computer: {}
    SubjectUserName: {}
    SubjectDomainName: {}
    SubjectUserSid: {}
    TargetUserName: {to: employee_id}
    TargetDomainName: {}
    TargetUserSid: {}
    TargetLogonId: {to: session_id}
    LogonProcessName: {}
    LogonType: {}
    AuthenticationPackageName: {}
    Status: {to: reason}
    IpAddress: {to: network_address, empty: ["-"]}
    WorkstationName: {to: device, empty: ["-"]}
"""
ADMIN, SERVICE = "MSTICAdmin", "SYSTEM"
FOURTH = "fe80::38dc:e4a9:61bd:b458"
LOGINS = [
    (ADMIN, "05:15:02.980", "0xfaac27"),
    (SERVICE, "05:15:04.503", "0x3e7"),
    ("adm1nistrator", "05:15:06.363", "0xfb5ee6"),
    (SERVICE, "05:15:10.813", "0x3e7"),
    (SERVICE, "05:15:14.453", "0x3e7"),
    (ADMIN, "04:28:33.090", "0xf0c9d6"),
    (SERVICE, "03:21:49.617", "0x3e7"),
    (SERVICE, "03:21:51.957", "0x3e7"),
    (SERVICE, "02:45:49.393", "0x3e7"),
    (SERVICE, "02:45:51.727", "0x3e7"),
    (SERVICE, "01:42:28.340", "0x3e7"),
    (SERVICE, "01:45:23.610", "0x3e7"),
    (SERVICE, "03:09:49.353", "0x3e7"),
    (SERVICE, "03:09:51.707", "0x3e7"),
]


def test_log_ins_as_a_table_are_read_by_a_sites_own_mapping(connection, temporary, tmp_path):
    (tmp_path / "sentinel.yml").write_text(SENTINEL)
    source = sources.load_source("sentinel", [tmp_path])
    prepared = sources.prepare(REALDATA / "host_logons.csv", source, temporary)
    assert sources.stage(connection, prepared, source) == prepared.n_records == 14
    found = connection.execute(
        "select employee_id, account, kind, recorded_local, session_id, network_address, device, reason "
        "from staged_authentications order by record_number"
    ).fetchall()
    midnight = datetime(2019, 1, 15)
    expected = []
    for name, time, session in LOGINS:
        hours, minutes, seconds = time.split(":")
        moment = midnight + timedelta(hours=int(hours), minutes=int(minutes), milliseconds=round(float(seconds) * 1000))
        domain, device = ("NT AUTHORITY", None) if name == SERVICE else ("MSTICAlertsWin1", "MSTICAlertsWin1")
        address = FOURTH if name == "adm1nistrator" else None
        expected.append((name, f"{domain}\\{name}", "login", moment, session, address, device, None))
    assert found == expected
    assert connection.execute("select count(*) from staged_quarantine").fetchone() == (0,)


def test_every_file_there_is_is_written_down():
    others = {"DE_1102_security_log_cleared.evtx", "host_logons.csv"}
    assert {path.name for path in REALDATA.iterdir()} == WRITTEN.keys() | others
