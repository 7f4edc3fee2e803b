"""What a period lacks, in words."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from audit_kernel.evidence import coverage
from audit_kernel.locale import LANGUAGES
from audit_kernel.store.ledger import Delivery

OSLO = "Europe/Oslo"
FIGURES = [
    {"source_id": "gerica", "n_silent_days": 3, "n_missing_numbers": 1, "n_odd_hours": 12, "n_quarantined": 1000},
    {"source_id": "fhir", "n_silent_days": 1, "n_missing_numbers": 0, "n_odd_hours": 0, "n_quarantined": 400},
]
NOTHING = [{**row, **dict.fromkeys(("n_silent_days", "n_missing_numbers", "n_odd_hours", "n_quarantined"), 0)}
           for row in FIGURES]  # fmt: skip


def delivery(file_name="october.csv", source_id="gerica", last_at=None, taken_in_at="2026-11-02T08:00:00"):
    taken_in = datetime.fromisoformat(taken_in_at)
    counts = dict.fromkeys(("n_bytes", "n_read", "n_stored", "n_known", "n_quarantined", "n_conflicts", "n_rows"), 0)
    ends = datetime.fromisoformat(last_at) if last_at else None
    return Delivery("id", source_id, file_name, **counts, first_at=None, last_at=ends, mapping_hash="",
                    taken_in_at=taken_in, taken_in_by="x")  # fmt: skip


def refused(name="october.csv", source_id="gerica", at="2026-11-01T23:30:00Z"):
    return {"file": name, "source_id": source_id, "at": at, "refused": "why"}


def test_each_figure_that_is_not_zero_is_said():
    said = coverage.notices(FIGURES, "en")
    assert [text.split()[0] for text in said] == ["On", "On", "1", "12", "1,400"]
    assert "3 days of the period the log gerica" in said[0]
    assert "1 day of the period the log fhir" in said[1]
    assert coverage.notices(NOTHING, "en") == coverage.notices([], "en") == []
    assert coverage.serious(FIGURES, "en") == said[:3]


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_every_sentence_is_translated(language):
    assert not set(coverage.notices(FIGURES, language)) & set(coverage.notices(FIGURES, "en"))


def test_a_month_is_over_when_the_log_reaches_its_last_local_day():
    last_day = date(2026, 10, 31)
    over = [delivery(last_at="2026-10-30T23:30:00"), delivery(source_id="reference:employees")]
    assert coverage.early_end(over, last_day, OSLO, "en") == []
    (said,) = coverage.early_end([delivery(last_at="2026-10-30T22:30:00")], last_day, OSLO, "en")
    assert "30" in said
    assert coverage.early_end([delivery()], last_day, OSLO, "en") == []


def test_a_refused_file_is_named_until_it_was_taken_in_as_the_same_log():
    (said,) = coverage.never_taken_in([refused(), refused("b.csv")], [], OSLO, "en")
    assert said.startswith("2 files were refused and never taken in: b.csv (")
    for other in (delivery("x.csv"), delivery(source_id="other"), delivery(taken_in_at="2026-10-02T08:00:00")):
        assert len(coverage.never_taken_in([refused()], [other], OSLO, "en")) == 1
    assert coverage.never_taken_in([refused()], [delivery()], OSLO, "en") == []
