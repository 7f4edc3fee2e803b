"""The demo municipality: made-up files with known truth, a site that takes them in, last month's control over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

__all__ = ["make_demo"]


def make_demo(folder: Path, country: str = "NO", language: str = "", console: Console | None = None) -> int:
    """Make the demo in `folder`, run last month's control and print what it found; return the exit code.

    Parameters
    ----------
    folder: new, empty, or an earlier demo, which is replaced. The site is its subfolder `site`.
    country: NO or SE.
    language: of what is printed and of the pages; the site's own when empty.

    Raises
    ------
    UsageError: the folder holds something else, there is no such demo, or the extra `demo` is not installed.
    """
    try:
        from audit_kernel.demo.make import make
    except ModuleNotFoundError as error:
        if error.name not in ("faker", "mmdb_writer"):
            raise
        problem = "The demo's generator is not installed."
        raise UsageError(problem, "Install it with: pip install 'audit-kernel[demo]'") from error
    return make(folder, country, language, console)
