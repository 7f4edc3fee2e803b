"""``python -m audit_kernel.locale``: bring the catalogues up to date; with ``check``, only say what is wrong."""

from __future__ import annotations

import sys

from audit_kernel.locale.catalogues import TRANSLATED, extract, problems, update


def main(arguments: list[str]) -> int:
    """Return 0 when every message is translated, 1 otherwise, 2 for a wrong argument."""
    if arguments not in ([], ["update"], ["check"]):
        sys.stderr.write("Usage: python -m audit_kernel.locale [update|check]\n")
        return 2
    messages = extract()
    if arguments != ["check"]:
        for language in TRANSLATED:
            update(language, messages)
    found = problems(messages)
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
