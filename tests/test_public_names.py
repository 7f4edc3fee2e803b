"""What other programs and a site's own notebooks may rely on; a change here is a change for users."""

from __future__ import annotations

import ast
from pathlib import Path

import audit_kernel

PACKAGE = Path(audit_kernel.__file__).parent


def test_the_public_names_are_these():
    assert audit_kernel.__all__ == ["AuditKernelError", "open_site", "open_store"]


def test_every_public_name_is_there():
    assert [name for name in audit_kernel.__all__ if not hasattr(audit_kernel, name)] == []


def test_the_top_module_opens_nothing_heavy():
    text = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    imported = {
        alias.name.split(".")[0] if isinstance(node, ast.Import) else (node.module or "")
        for node in ast.parse(text).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= {"__future__", "audit_kernel.errors", "pathlib", "typing"}
