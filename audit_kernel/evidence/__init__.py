"""Evidence: pages, runs, seals and their verification."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit_kernel.evidence.check_page import CheckPage
    from audit_kernel.evidence.completeness_page import CompletenessPage
    from audit_kernel.evidence.control_page import ControlPage
    from audit_kernel.evidence.extract_page import ExtractPage
    from audit_kernel.evidence.page import Page
    from audit_kernel.evidence.ranking_page import RankingPage
    from audit_kernel.evidence.sample_page import SamplePage
    from audit_kernel.evidence.sensitivity_page import SensitivityPage
    from audit_kernel.evidence.share_page import SharePage

# altair and nbformat import jsonschema, which works out the grammar of IRIs where this package of JupyterLab's is
# installed: more than a second of every process that makes a page, for a format that no schema of theirs has.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

__all__ = [
    "open_check",
    "open_completeness",
    "open_control",
    "open_extract",
    "open_page",
    "open_ranking",
    "open_sample",
    "open_sensitivity",
    "open_share",
]


def open_check(name: str, *, run: str, language: str, **parameters: Any) -> CheckPage:  # noqa: ANN401 - the notebook's
    """Open the page of a check; see `audit_kernel.evidence.check_page.CheckPage`."""
    from audit_kernel.evidence.check_page import CheckPage

    return CheckPage(name, run, language, parameters)


def open_completeness(*, run: str, language: str, **parameters: Any) -> CompletenessPage:  # noqa: ANN401 - the notebook's
    """Open the page of completeness; see `audit_kernel.evidence.completeness_page.CompletenessPage`."""
    from audit_kernel.evidence.completeness_page import CompletenessPage

    return CompletenessPage("reports/completeness", run, language, parameters)


def open_control(*, run: str, language: str, **parameters: Any) -> ControlPage:  # noqa: ANN401 - the notebook's
    """Open the page over the use log; see `audit_kernel.evidence.control_page.ControlPage`."""
    from audit_kernel.evidence.answers import CONTROL
    from audit_kernel.evidence.control_page import ControlPage

    return ControlPage(CONTROL, run, language, parameters)


def open_extract(*, run: str, language: str, **parameters: Any) -> ExtractPage:  # noqa: ANN401 - the notebook's
    """Open the page of a log extract; see `audit_kernel.evidence.extract_page.ExtractPage`."""
    from audit_kernel.evidence.extract_page import ExtractPage

    return ExtractPage("reports/patient_extract", run, language, parameters)


def open_page(name: str, *, run: str, language: str, **parameters: Any) -> Page:  # noqa: ANN401 - the notebook's parameters
    """Open one page of a run; see `audit_kernel.evidence.page.Page`."""
    from audit_kernel.evidence.page import Page

    return Page(name, run, language, parameters)


def open_ranking(*, run: str, language: str, **parameters: Any) -> RankingPage:  # noqa: ANN401 - the notebook's
    """Open the page of a month's ranked findings; see `audit_kernel.evidence.ranking_page.RankingPage`."""
    from audit_kernel.evidence.answers import RANKING
    from audit_kernel.evidence.ranking_page import RankingPage

    return RankingPage(RANKING, run, language, parameters)


def open_sample(*, run: str, language: str, **parameters: Any) -> SamplePage:  # noqa: ANN401 - the notebook's parameters
    """Open the page of a month's random sample; see `audit_kernel.evidence.sample_page.SamplePage`."""
    from audit_kernel.evidence.sample_page import SamplePage
    from audit_kernel.evidence.sample_run import DRAW

    return SamplePage(DRAW, run, language, parameters)


def open_sensitivity(*, run: str, language: str, **parameters: Any) -> SensitivityPage:  # noqa: ANN401 - the notebook's
    """Open the page of a run with known incidents; see `audit_kernel.evidence.sensitivity_page.SensitivityPage`."""
    from audit_kernel.evidence.sensitivity_page import SensitivityPage

    return SensitivityPage("reports/sensitivity", run, language, parameters)


def open_share(*, run: str, language: str, **parameters: Any) -> SharePage:  # noqa: ANN401 - the notebook's parameters
    """Open the page of what the data explain; see `audit_kernel.evidence.share_page.SharePage`."""
    from audit_kernel.evidence.share_page import SharePage

    return SharePage("reports/explained_share", run, language, parameters)
