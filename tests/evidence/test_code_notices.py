from __future__ import annotations

import pytest

from audit_kernel import open_store
from audit_kernel.evidence.code_notices import notices
from audit_kernel.site import create_site
from audit_kernel.store.intake import take_in
from tests.store.logs import gerica_file, row

PERIOD = {"from_date": "2026-10-01", "to_date": "2026-10-31"}
LOG = [
    row(1),
    "2;02.10.2026;08:00:00;Utskrift;KANO01;Bruker;1042;Post vist",
    "3;02.10.2026;09:00:00;Ny kode;KANO01;Bruker;1042;Utskrift",
    "4;02.10.2026;09:00:00;Lesing;KANO01;;;",
    *(row(number, f"{number - 2:02}.10.2026", post="1043") for number in range(5, 34)),  # no day of October is silent
    "34;02.11.2026;09:00:00;Ny kode;KANO01;Bruker;1042;",
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("codes")
    site = create_site(folder / "site", "NO")
    take_in(site, gerica_file(folder / "a.csv", LOG), "gerica")
    with open_store(site, "test of codes") as opened:
        yield opened


def test_activity_says_how_many_of_its_rows_carry_odd_codes(store):
    result = store.report("activity", patient_id="1042", **PERIOD)
    (pair,) = result.table.to_pylist()
    assert (pair["n_accesses"], pair["n_unconfirmed_codes"], pair["n_unknown_codes"]) == (3, 1, 1)
    assert notices(result, "en") == [
        "1 rows carry a code whose meaning the system's owner has not confirmed.",
        "1 rows carry a code that the dictionary does not know.",
    ]


def test_a_check_without_findings_says_what_its_period_holds(store):
    result = store.report("checks/blocked_searches", **PERIOD)
    assert (result.table.num_rows, result.rows_unconfirmed, result.rows_unknown_code) == (0, 1, 1)
    unconfirmed, unknown = notices(result, "en")
    assert unconfirmed.startswith("1 rows of the period carry a code whose meaning")
    assert unknown.startswith("1 rows of the period carry a code that the dictionary does not know")
    assert notices(store.report("checks/blocked_searches", from_date="2026-10-01", to_date="2026-10-01"), "en") == []


def test_a_list_of_rows_says_it_from_its_own_marks(store):
    result = store.report("system_log", **PERIOD)
    assert notices(result, "en") == [
        "2 rows carry a code whose meaning the system's owner has not confirmed.",
        "1 rows carry a code that the dictionary does not know.",
    ]
