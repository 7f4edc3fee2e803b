"""Countries of network addresses, by a database that the site supplies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import maxminddb
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from audit_kernel.errors import SettingsError
from audit_kernel.site import Site
from audit_kernel.store.countries import country
from audit_kernel.store.deliver import read_ledger
from audit_kernel.store.intake import take_in
from tests.store.logs import ask

NETWORKS: dict[str, Any] = {
    "192.0.2.0/24": {"country": {"iso_code": "SE"}},
    "198.51.100.0/24": {"country_code": "NO"},
    "203.0.113.0/25": {"country": "TH"},
    "203.0.113.128/25": {"country": {"iso_code": "'; drop"}},
    "2001:db8::/32": {"country": {"names": {"en": "Nowhere"}}},
    "2001:db9::/32": {"country": {"iso_code": "DK"}},
    "10.0.0.0/8": {"country": {"iso_code": "XX"}},
    "fd00::/8": {"country": {"iso_code": "XX"}},
}
HEADER = "Tidpunkt;Användare;Konto;Händelse;Orsak;Metod;Nätadress;Enhet;Session;Antal"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small database with the records of three vendors."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="made-up")
    for network, record in NETWORKS.items():
        writer.insert_network(IPSet([network]), record)
    path = tmp_path_factory.mktemp("countries") / "countries.mmdb"
    writer.to_db_file(str(path))
    return path


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "SE"),
        ("::ffff:192.0.2.7", "SE"),
        ("198.51.100.255", "NO"),
        ("203.0.113.1", "TH"),
        ("2001:db9::1", "DK"),
        ("203.0.113.200", None),
        ("2001:db8::1", None),
        ("8.8.8.8", None),
        ("10.1.2.3", None),
        ("::ffff:10.1.2.3", None),
        ("172.16.0.1", None),
        ("192.168.1.1", None),
        ("100.64.0.1", None),
        ("127.0.0.1", None),
        ("169.254.1.1", None),
        ("::1", None),
        ("fe80::1%eth0", None),
        ("fd12::1", None),
        ("", None),
        ("192.0.2.7:443", None),
        ("192.0.2", None),
        ("192.0.2.007", None),
        ("3221225991", None),
        ("١٩٢.0.2.7", None),
        ("PC-17", None),
        ("../../etc/passwd", None),
        ("192.0.2.7, 192.0.2.8", None),
    ],
)
def test_an_address_has_the_country_of_the_database_and_anything_else_has_none(database, address, expected):
    with maxminddb.open_database(database) as opened:
        assert country(opened, address) == expected


@pytest.fixture
def deliver(site: Site, tmp_path: Path):
    """Take log-ins from those addresses in, with that setting."""

    def take(setting: str, *addresses: str) -> list[tuple[Any, ...]]:
        settings = site.folder / "settings.yml"
        text = settings.read_text(encoding="utf-8")
        assert 'countries: ""' in text
        settings.write_text(text.replace('countries: ""', f"countries: {setting!r}"), encoding="utf-8")
        path = tmp_path / "log.csv"
        lines = [f"2026-10-01 07:{n:02d}:00;A;a;Inloggning;;;{each};;;" for n, each in enumerate(addresses)]
        path.write_text("".join(f"{line}\n" for line in (HEADER, *lines)), encoding="utf-8")
        take_in(Site(site.folder), path, "mcss_authentication")
        return ask(site, "select network_address, country from lake.authentications order by recorded_at")

    return take


def test_intake_fills_the_country_from_the_sites_own_file(site, deliver, database):
    (site.folder / "countries.mmdb").write_bytes(database.read_bytes())
    addresses = ["192.0.2.7", "203.0.113.1", "10.0.0.1", "x" * 46, "", "192.0.2.7"]
    expected = ["SE", "TH", None, None, None, "SE"]
    assert deliver("countries.mmdb", *addresses) == [
        (address or None, found) for address, found in zip(addresses, expected, strict=True)
    ]


def test_without_a_database_no_address_has_a_country(deliver):
    assert deliver("", "192.0.2.7") == [("192.0.2.7", None)]


def test_a_country_of_the_log_itself_stands(site, tmp_path, database):
    (site.folder / "countries.mmdb").write_bytes(database.read_bytes())
    settings = site.folder / "settings.yml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('countries: ""', "countries: countries.mmdb"), encoding="utf-8")
    (site.folder / "parameters" / "sources" / "own.yml").write_text(
        "source_id: own\nformat: delimited\ntitle: {en: a, sv: b, nb: c}\ntime_zone: Europe/Stockholm\ncolumns:\n"
        '  When: {to: recorded_timestamp, type: timestamp, format: "%Y-%m-%d %H:%M:%S", required: true}\n'
        "  From: {to: network_address}\n  Land: {to: country}\n"
    )
    path = tmp_path / "own.csv"
    path.write_text("When;From;Land\n2026-10-01 07:00:00;192.0.2.7;FI\n2026-10-01 07:00:01;192.0.2.7;\n")
    take_in(Site(site.folder), path, "own")
    found = ask(site, "select country from lake.accesses_by_employee order by recorded_at")
    assert found == [("FI",), ("SE",)]


@pytest.mark.parametrize("content", [None, b"", b"not a database", "cut"])
def test_a_database_that_cannot_be_read_refuses_the_intake(site, deliver, database, content):
    path = site.folder / "c.mmdb"
    if content == "cut":
        whole = database.read_bytes()
        # the tree is emptied of sense, the metadata at the end stays
        path.write_bytes(b"\xff" * 200 + whole[200:])
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"c\.mmdb cannot be read as a database of countries"):
        deliver("c.mmdb", "192.0.2.7", "203.0.113.1")
    assert read_ledger(site) == []
