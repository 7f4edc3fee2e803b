"""Keeps what a benchmark measured in RESULTS.md, one section for each size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")


class Lines:
    """What is measured, printed at once and kept for the results."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, text: str) -> None:
        """Print and keep one line."""
        print(text, flush=True)
        self.lines.append(text)


def keep(heading: str, lines: Sequence[str], introduction: str = "") -> None:
    """Put the lines into RESULTS.md in place of the last run under the same heading; the others stay.

    `introduction` takes the place of what stands above the first heading.
    """
    heading = f"## {heading}"
    kept = RESULTS.read_text(encoding="utf-8").split("\n## ") if RESULTS.exists() else []
    others = [f"## {part.rstrip()}" for part in kept[1:] if not f"## {part}".startswith(heading)]
    head = "# Results of `make bench`\n\n" + introduction.strip() if introduction else kept[0].rstrip()
    RESULTS.write_text("\n\n".join([head, *others, "\n".join([heading, "", *lines])]) + "\n", encoding="utf-8")
