"""FHIR AuditEvent."""

def stage_fhir(*_arguments: object) -> int:
    """Stage."""
    raise NotImplementedError
