"""Countries of network addresses, by a database file in MaxMind's format that the site supplies.

The format: https://maxmind.github.io/MaxMind-DB/. Addresses are hostile text: what is no address has no country.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import SettingsError
from audit_kernel.store.tables import table_definitions

if TYPE_CHECKING:
    import duckdb
    import maxminddb

    from audit_kernel.site import Site

# Addresses inside an organisation: RFC 1918, 6598 (shared), 1122 (loopback), 3927 and 4291 (link-local), 4193.
PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "::1/128",
        "fe80::/10",
        "fc00::/7",
    )
)
ISO_3166 = re.compile(r"[A-Z]{2}", re.ASCII)


def find_countries(connection: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Create the TEMP table `address_countries` (network_address, country) from the staged rows' distinct addresses.

    country is a code of ISO 3166, two letters. The table is empty where the site names no database.

    Raises
    ------
    SettingsError: the database is missing or damaged.
    """
    connection.execute("create or replace temp table address_countries (network_address varchar, country varchar)")
    path = site.countries_file
    if path is None:
        return
    import maxminddb
    from duckdb.func import FunctionNullHandling

    faults: list[Exception] = []
    try:
        with maxminddb.open_database(path) as database:

            def country_of(address: str) -> str | None:
                try:
                    return country(database, address)
                except maxminddb.InvalidDatabaseError as error:
                    faults.append(error)
                    return None

            # DuckDB's own rule for NULL refuses functions that may answer NULL.
            null_handling = FunctionNullHandling.SPECIAL
            connection.create_function("country_of", country_of, ["VARCHAR"], "VARCHAR", null_handling=null_handling)
            try:
                sql = (resource_folder("sql") / "intake" / "address_countries.sql").read_text(encoding="utf-8")
                connection.execute(f"insert into address_countries {sql}")
            finally:
                connection.remove_function("country_of")
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        faults.append(error)
    if faults:
        raise SettingsError(
            "{path} cannot be read as a database of countries.",
            "Nothing was taken in. Correct `countries` in settings.yml, or put the file there again.",
            path=path,
        )


def country(database: maxminddb.Reader, text: str) -> str | None:
    """Return the country of an address; None for what is no address, is private, or is not in the database.

    Raises
    ------
    maxminddb.InvalidDatabaseError: the database is damaged.
    """
    try:
        address = ipaddress.ip_address(text)
        if isinstance(address, ipaddress.IPv6Address):
            address = address.ipv4_mapped or address
        if any(address in network for network in PRIVATE):
            return None
        record = database.get(address)
    except ValueError:  # no address, or an IPv6 address in a database of IPv4
        return None
    code = _code(record)
    return code if isinstance(code, str) and ISO_3166.fullmatch(code) else None


def _code(record: object) -> object:
    """The code as MaxMind's and DB-IP's records have it ({country: {iso_code}}), or as IPinfo's ({country_code})."""
    if not isinstance(record, dict):
        return None
    found = record.get("country")
    return found.get("iso_code") if isinstance(found, dict) else record.get("country_code", found)


def staged_with_countries(table: str, site: Site) -> str:
    """Return the SELECT over `staged_TABLE` with the countries that the log itself does not give."""
    if site.countries_file is None or "country" not in table_definitions()[table].columns:
        return f"select * from staged_{table}"
    return (
        "select staged.* replace (coalesce(staged.country, address_countries.country) as country)"
        f" from staged_{table} as staged left join address_countries using (network_address)"
    )
