"""Access log control: from log files to sealed evidence.

For one's own notebook cells:

>>> from audit_kernel import open_site, open_store
>>> with open_store(open_site("nordli"), purpose="sak 2026/17") as store:  # doctest: +SKIP
...     store.report("activity", patient_id="1042", from_date="2026-08-01", to_date="2026-10-31").df()
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audit_kernel.errors import AuditKernelError

if TYPE_CHECKING:
    from audit_kernel.site import Site
    from audit_kernel.store.reading import Store

__all__ = ["AuditKernelError", "open_site", "open_store"]


def open_site(folder: str | Path | None = None) -> Site:
    """Open the site at `folder`, else the one AUDIT_KERNEL_SITE names, else the one around the current folder.

    Raises
    ------
    SettingsError: there is no site, or a setting is wrong.
    """
    from audit_kernel.site import find_site

    return find_site(Path(folder) if folder is not None else None)


def open_store(site: Site, purpose: str, snapshot: int | None = None, threads: int | None = None) -> Store:
    """Open the site's store for reading, under a purpose that goes to the use log before any row is returned.

    Parameters
    ----------
    purpose: a case number or a reason.
    snapshot: the store's snapshot to read; the newest when None.
    threads: threads of one query; the site's setting when None.

    Raises
    ------
    UsageError: no purpose was given.
    JournalError: the use log cannot be written; nothing is opened.
    StoreError: the store is empty or cannot be read.
    """
    from audit_kernel.store.reading import Store

    return Store(site, purpose, snapshot, threads)
