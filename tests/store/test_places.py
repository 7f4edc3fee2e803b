"""The checks of log-ins and places over a store: asked by period, and not assessable where the log does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_kernel import open_store
from audit_kernel.errors import NotAssessableError
from audit_kernel.store.intake import take_in
from audit_kernel.store.reference import take_in_reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_kernel.site import Site
    from audit_kernel.store.reading import Store

HEADER = "Tidpunkt;Användare;Konto;Händelse;Orsak;Metod;Nätadress;Enhet;Session;Antal"
LOG_INS = (
    "2026-10-05 08:00:00;ANLI01;anli01;Misslyckad inloggning;;;203.0.113.9;PC-9;;5",
    "2026-10-05 08:01:00;ANLI01;anli01;Inloggning;;;10.0.1.7;PC-1;S1;",
    "2026-10-05 08:02:00;ANLI01;anli01;Inloggning;;;10.0.2.7;PC-2;S2;",
    "2026-10-05 08:03:00;ANLI01;anli01;Inloggning;;;10.0.1.7;PC-1;S1;",
    "2026-10-06 08:00:00;ANLI01;anli01;Inloggning;;;10.0.1.7;PC-1;S3;",
)


@pytest.fixture
def store(site: Site, tmp_path: Path) -> Iterator[Store]:
    log = tmp_path / "log.csv"
    log.write_text("".join(f"{line}\r\n" for line in (HEADER, *LOG_INS)), encoding="utf-8-sig")
    take_in(site, log, "mcss_authentication")
    networks = tmp_path / "networks.csv"
    networks.write_text("network;kind;unit_id\n10.0.1.0/24;own;U1\n10.0.2.0/24;own;U2\n", encoding="utf-8")
    take_in_reference(site, networks, "networks")
    with open_store(site, "a test") as opened:
        yield opened


def found(store: Store, check: str, day: str) -> list[tuple[str, str]]:
    rows = store.report(f"checks/{check}", from_date=day, to_date=day).table.to_pylist()
    return [(row["employee_id"], row["reason_code"]) for row in rows]


def test_each_day_has_its_own_log_ins_and_what_no_row_says_is_not_assessable(store: Store) -> None:
    assert found(store, "authentication", "2026-10-05") == [("ANLI01", "success_after_burst")]
    assert found(store, "two_places", "2026-10-05") == [("ANLI01", "two_places")]
    for check in ("authentication", "two_places"):
        assert found(store, check, "2026-10-06") == []
    for check, day in (
        ("authentication", "2026-10-07"),  # no log-in
        ("two_places", "2026-10-07"),
        ("third_country", "2026-10-05"),  # no country
        ("account_after_employment", "2026-10-05"),  # nobody's employment
    ):
        with pytest.raises(NotAssessableError):
            found(store, check, day)
    asked = store.report("checks/authentication", from_date="2026-10-05", to_date="2026-10-05")
    assert asked.rows_searched == 4
    counts = store.catalog.query("checks/two_places").beside("counts")
    assert counts is not None
    day = {"from_date": "2026-10-05", "to_date": "2026-10-05"}
    assert store.ask(counts, day).table.to_pylist()[0]["n_rows"] == 3
