"""Records read = stored + already known + quarantined, against a count in plain Python, over random files."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_kernel.errors import IntakeError
from audit_kernel.site import Site
from audit_kernel.store.intake import take_in
from tests.store.logs import ask, gerica_file, plain_file, row

GOOD_TIMES = ("08:00:00", "23:59:59")
BAD_TIMES = ("24:00:01", "", "x")
KEYS = ("1", "2", "3", "4", "5", "x")
PLAIN_TIMES = ("2026-10-01 08:00:00", "2026-10-25 02:30:00", "1x")
records = st.tuples(st.sampled_from(KEYS), st.sampled_from(GOOD_TIMES + BAD_TIMES), st.sampled_from(["a", "b"]))
plain_records = st.tuples(st.sampled_from(PLAIN_TIMES), st.sampled_from(["a", "b"]))
FEW = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def files_of(record):
    return st.lists(st.lists(record, min_size=1, max_size=12), min_size=1, max_size=3)


def distinct(files):
    """The same file again would not be taken in."""
    return [file for place, file in enumerate(files) if file not in files[:place]]


@FEW
@given(files=files_of(records))
def test_every_record_of_a_log_with_ids_is_accounted_for(empty_sites, files):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(empty_sites / "NO", f"{folder}/site")
        site = Site(Path(folder) / "site")
        stored: dict[str, str] = {}
        for number, file in enumerate(distinct(files)):
            lines = [row(key, time=time, employee=employee) for key, time, employee in file]
            expected: Counter[str] = Counter()
            for (key, time, _employee), line in zip(file, lines, strict=True):
                if key == "x" or time in BAD_TIMES:
                    expected["quarantined"] += 1
                elif key not in stored:
                    stored[key] = line
                    expected["stored"] += 1
                elif stored[key] == line:
                    expected["known"] += 1
                else:
                    expected["quarantined"] += 1
                    expected["conflicts"] += 1
            path = gerica_file(Path(folder) / f"{number}.csv", lines)
            if expected["quarantined"] - expected["conflicts"] == len(lines):
                with pytest.raises(IntakeError, match="every record is unreadable"):
                    take_in(site, path, "gerica")
                continue
            delivery = take_in(site, path, "gerica")
            assert delivery.n_read == len(lines)
            assert delivery.n_stored == expected["stored"]
            assert delivery.n_known == expected["known"]
            assert delivery.n_quarantined == expected["quarantined"]
            assert delivery.n_conflicts == expected["conflicts"]
        held = ask(site, "select event_id, employee_id from lake.accesses_by_employee order by 1")
        assert held == sorted((key, line.split(";")[4]) for key, line in stored.items())


@FEW
@given(files=files_of(plain_records))
def test_every_record_of_a_log_without_ids_is_accounted_for(empty_sites, files):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(empty_sites / "NO", f"{folder}/site")
        site = Site(Path(folder) / "site")
        stored: Counter[str] = Counter()
        for number, file in enumerate(distinct(files)):
            lines = [f"{time};{who};1042;read" for time, who in file]
            good = Counter(line for line in lines if not line.startswith("1x"))
            new = good - stored
            path = plain_file(Path(folder) / f"{number}.csv", lines)
            if not good:
                with pytest.raises(IntakeError, match="every record is unreadable"):
                    take_in(site, path, "plain")
                continue
            delivery = take_in(site, path, "plain")
            assert delivery.n_read == len(lines)
            assert delivery.n_stored == new.total()
            assert delivery.n_known == good.total() - new.total()
            assert delivery.n_quarantined == len(lines) - good.total()
            stored |= good
        assert ask(site, "select count(*) from lake.accesses_by_patient") == [(stored.total(),)]
