"""Reasons put together over a period: what is explained, what is not, and what a finding says of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from audit_kernel import explanations
from audit_kernel.explanations import Explanation, explain_period, searched, with_reasons
from tests.sql.conftest import Lake, utc_midnight

if TYPE_CHECKING:
    from audit_kernel.site import Site

TEXTS = "{en: a, sv: b, nb: c}"
STRONG = "select access_id, 'strong' as reason, 3 as strength from period_accesses where patient_id = 'P1'"
LIKELY = "select access_id, 'likely' as reason, 2 as strength from period_accesses where patient_id in ('P1', 'P2')"
WEAK = "select access_id, 'weak' as reason, 1 as strength from period_accesses where patient_id in ('P3', 'P4')"
FAINT = "select access_id, 'faint' as reason, 1 as strength from period_accesses where patient_id = 'P4'"
UNSEARCHED = "select access_id, 'unsearched' as reason, 3 as strength from period_accesses"


@dataclass(frozen=True)
class FakeSite:
    """Only what the engine reads of a site."""

    folder: Path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    texts = {"faint": FAINT, "likely": LIKELY, "strong": STRONG, "unsearched": UNSEARCHED, "weak": WEAK}
    for name, text in texts.items():
        (tmp_path / f"{name}.sql").write_text(text, encoding="utf-8")
        needs = "[shifts]" if name == "unsearched" else "[]"
        described = f"title: {TEXTS}\nmeaning: {TEXTS}\nneeds: {needs}\n"
        (tmp_path / f"{name}.yml").write_text(described, encoding="utf-8")
    found = [Explanation(name, tmp_path / f"{name}.sql") for name in sorted(texts)]
    monkeypatch.setattr(explanations, "explanations", lambda _site: found)
    return FakeSite(tmp_path)


def explain(lake: Lake, site: Site, first: str = "2026-10-01", after: str = "2026-11-01") -> None:
    bound = {"start_at": utc_midnight(first), "end_at": utc_midnight(after)}
    explain_period(lake.connection, site, bound, date.fromisoformat(first))


def test_the_best_reason_stands_first_and_all_are_named(lake: Lake, site: Site) -> None:
    lake.access("2026-10-05 08:00:00", patient_id="P1")
    lake.access("2026-10-05 08:00:00", patient_id="P2")
    explain(lake, site)
    found = lake.rows("select reason, strength, reasons from explained_accesses order by strength")
    assert found == [
        {"reason": "likely", "strength": 2, "reasons": ["likely"]},
        {"reason": "strong", "strength": 3, "reasons": ["likely", "strong"]},
    ]


def test_one_weak_reason_is_never_enough_and_two_are(lake: Lake, site: Site) -> None:
    lake.access("2026-10-05 08:00:00", patient_id="P3")
    lake.access("2026-10-05 08:00:00", patient_id="P4")
    lake.access("2026-10-05 08:00:00", patient_id="P5")
    explain(lake, site)
    left = lake.rows("select patient_id, reasons from unexplained_accesses order by patient_id")
    assert left == [{"patient_id": "P3", "reasons": ["weak"]}, {"patient_id": "P5", "reasons": []}]
    assert lake.rows("select reason, reasons from explained_accesses") == [
        {"reason": "faint", "reasons": ["faint", "weak"]}
    ]


def test_a_reason_for_one_patient_excuses_no_other_of_the_same_event(lake: Lake, site: Site) -> None:
    lake.access("2026-10-05 08:00:00", event_id="7", item=0, patient_id="P1")
    lake.access("2026-10-05 08:00:00", event_id="7", item=1, patient_id="P9")
    explain(lake, site)
    assert lake.rows("select patient_id from unexplained_accesses") == [{"patient_id": "P9"}]


def test_attempts_searches_and_unknown_patients_are_neither_explained_nor_unexplained(lake: Lake, site: Site) -> None:
    lake.access("2026-10-05 08:00:00", patient_id="P9", outcome="denied")
    lake.access("2026-10-05 08:00:00", patient_id="P9", log_type="Brukersøk")
    lake.access("2026-10-05 08:00:00", patient_id=None, table_name="Rapport", record_ref="1")
    explain(lake, site)
    assert lake.rows("select * from unexplained_accesses") == []
    assert lake.rows("select count(*) as n from period_accesses") == [{"n": 3}]


def test_what_needs_data_that_never_came_is_not_searchable(lake: Lake, site: Site) -> None:
    lake.access("2026-10-05 08:00:00", patient_id="P9")
    explain(lake, site)
    assert ("unsearched", False) in searched(lake.connection)
    assert ("weak", True) in searched(lake.connection)
    assert lake.rows("select patient_id from unexplained_accesses") == [{"patient_id": "P9"}]


def test_another_period_is_explained_anew(lake: Lake, site: Site) -> None:
    lake.access("2026-09-05 08:00:00", patient_id="P8")
    lake.access("2026-10-05 08:00:00", patient_id="P9")
    explain(lake, site)
    explain(lake, site, "2026-09-01", "2026-10-01")
    assert lake.rows("select patient_id from unexplained_accesses") == [{"patient_id": "P8"}]


def test_a_finding_says_which_reasons_were_found_absent_and_not_searchable(lake: Lake, site: Site) -> None:
    lake.access("2026-10-05 08:00:00", patient_id="P2")
    lake.access("2026-10-05 08:00:00", patient_id="P9")
    explain(lake, site)
    texts = pa.list_(pa.string())
    findings = pa.table(
        {
            "finding_id": ["a", "b", "c"],
            "employee_id": ["E1", "E1", "E1"],
            "patient_id": pa.array(["P2", "P9", None], pa.string()),
            "explanation_found": pa.array([None] * 3, pa.string()),
            "explanations_absent": pa.array([None] * 3, texts),
            "explanations_not_searchable": pa.array([None] * 3, texts),
        }
    )
    first, second, third = with_reasons(lake.connection, findings).to_pylist()
    assert first["explanation_found"] == "likely"
    assert first["explanations_absent"] == ["faint", "strong", "weak"]
    assert second["explanation_found"] is None
    assert second["explanations_absent"] == ["faint", "likely", "strong", "weak"]
    assert second["explanations_not_searchable"] == ["unsearched"]
    assert third["explanations_absent"] is None


def test_a_denied_attempt_and_a_search_are_no_explained_accesses(lake: Lake, site: Site) -> None:
    lake.access("2026-10-05 08:00:00", event_id="opened", patient_id="P1")
    lake.access("2026-10-05 08:00:00", event_id="denied", patient_id="P1", outcome="denied")
    lake.access("2026-10-05 08:00:00", event_id="search", patient_id="P1", log_type="Brukersøk")
    explain(lake, site)
    found = lake.rows("select event_id from explained_accesses join period_accesses using (access_id)")
    assert found == [{"event_id": "opened"}]
