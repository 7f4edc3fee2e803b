"""NAV's own example lines: what each must give, written down from reading the file, not from the reader."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

REALDATA = Path(__file__).parents[2].parent / "shared" / "realdata"
ABSENT = "This test reads real example logs in ../shared/realdata, which is not part of the project and is not here."

pytestmark = pytest.mark.skipif(not REALDATA.is_dir(), reason=ABSENT)

CASE_WORKER, PERSON = "A123456", "17912099997"
COMMON = {"action": "read", "log_type": "ABAC Sporingslogg", "message_type": "audit:access"}
LINES = [
    {
        "recorded_at": datetime(2021, 4, 8, 4, 13, 0, 866000),
        "employee_id": CASE_WORKER,
        "patient_id": PERSON,
        "table_name": "no.nav.abac.attributter.foreldrepenger.fagsak",
        "record_ref": "/behandlinger/alle",
        "message": "Saksnummer: 147362349",
        "outcome": "success",  # this line has no decision
    },
    {
        "recorded_at": datetime(2021, 4, 7, 21, 50, 55, 629000),
        "employee_id": PERSON,  # a person who looks at her own case
        "patient_id": "1000046021217",
        "table_name": "no.nav.abac.attributter.resource.felles.person",
        "record_ref": "/veilarbarena/api/oppfolgingsbruker/17912099997",
        "session_id": "6698e7ce18094277a49fa9f951132a21",
        "message": "dproc: veilarboppfolging",
        "outcome": "success",
        "flags": ["employee_by_personal_number"],
    },
    {
        "recorded_at": datetime(2021, 4, 8, 1, 2, 22, 663000),
        "employee_id": CASE_WORKER,
        "patient_id": PERSON,
        "table_name": "no.nav.abac.attributter.resource.felles.person",
        "record_ref": "/veilarbperson/api/person/17912099997/tilgangTilBruker",
        "session_id": "5833d7af5d114a2d8ad572ee344ebe3d",
        "message": "dproc: veilarbpersonflatefs",
        "outcome": "success",
    },
    {
        "recorded_at": datetime(2020, 2, 28, 15, 24, 3, 96000),
        "employee_id": CASE_WORKER,
        "patient_id": PERSON,
        "record_ref": "/api/v1/person/inntekter/FNR",
        "session_id": "a4e0c336-70fa-45ca-b599-fc25955d65b3",
        "outcome": "success",
    },
]


def complete(row):
    """Leave out what is the file's place, or what is empty."""
    left_out = ("record_number", "line_number", "record_hash")
    return {name: value for name, value in row.items() if name not in left_out and value not in (None, [], False, 0)}


def test_each_line_of_nav_gives_the_row_written_down(stage_file):
    staged = stage_file(REALDATA / "cef" / "nav-lines.cef", "cef")
    assert staged.quarantine == staged.authentications == []
    assert [complete(row) for row in staged.accesses] == [{**COMMON, **line} for line in LINES]
    assert [row["line_number"] for row in staged.accesses] == [1, 2, 3, 4]


def test_every_file_there_is_is_written_down():
    assert [path.name for path in (REALDATA / "cef").iterdir()] == ["nav-lines.cef"]
