"""The statement of a run: in-toto v1 with SLSA v1 provenance, as canonical JSON."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from audit_kernel.canonical import canonical_json
from audit_kernel.errors import UsageError
from audit_kernel.evidence.chain import CHAIN_FIELD

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"


def provenance(
    *,
    build_type: str,
    builder_id: str,
    started_at: datetime.datetime,
    finished_at: datetime.datetime,
    external_parameters: Mapping[str, object],
    internal_parameters: Mapping[str, object] | None = None,
    dependencies: Sequence[Mapping[str, object]] = (),
    builder_version: Mapping[str, str] | None = None,
    invocation_id: str = "",
    byproducts: Sequence[Mapping[str, object]] = (),
) -> dict[str, Any]:
    """Return a SLSA v1 provenance predicate (https://slsa.dev/provenance/v1) for `seal`."""
    return {
        "buildDefinition": {
            "buildType": build_type,
            "externalParameters": external_parameters,
            "internalParameters": internal_parameters or {},
            "resolvedDependencies": list(dependencies),
        },
        "runDetails": {
            "builder": {"id": builder_id, "version": builder_version or {}},
            "metadata": {"invocationId": invocation_id, "startedOn": started_at, "finishedOn": finished_at},
            "byproducts": list(byproducts),
        },
    }


def statement_bytes(digests: Mapping[str, str], predicate: Mapping[str, Any]) -> bytes:
    """Return the statement about the payload files, given their SHA-256 by path."""
    subjects = [{"name": path, "digest": {"sha256": digests[path]}} for path in sorted(digests)]
    return canonical_json(
        {"_type": STATEMENT_TYPE, "subject": subjects, "predicateType": PREDICATE_TYPE, "predicate": predicate}
    )


def checked_date(predicate: Any) -> str:  # noqa: ANN401 - any JSON
    """Return the run's date after a look at what SLSA demands of a predicate."""
    try:
        demanded = predicate["buildDefinition"]["buildType"], predicate["runDetails"]["builder"]["id"]
        parameters = predicate["buildDefinition"]["externalParameters"]
        date = datetime.date.fromisoformat(predicate["runDetails"]["metadata"]["finishedOn"][:10])
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            "The statement of the run lacks a part that SLSA provenance demands, or its end (finishedOn).",
            "Make it with audit_kernel.evidence.statement.provenance.",
        ) from error
    if not all(demanded) or not isinstance(parameters, dict) or CHAIN_FIELD in predicate:
        raise UsageError(
            "The statement of the run has an empty build type, builder or parameters, or a chain of its own.",
            "Make it with audit_kernel.evidence.statement.provenance.",
        )
    return date.isoformat()
