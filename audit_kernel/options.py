"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# With many users a site is entered by those who cannot list it (`serve accounts`).
SiteOption = Annotated[
    Path | None,
    typer.Option("--site", readable=False, help="The site's folder; else AUDIT_KERNEL_SITE or here."),
]
