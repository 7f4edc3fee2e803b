"""Run as a program of its own: turns an event log's records into XML with the library `evtx`, a line of JSON each.

A made-up log can send the library into an endless loop or a crash, which only another process survives. It imports
nothing of this package, so that it starts at once. A line is the record's XML as a text, or the number of a record that
cannot be read; the last one is `true`. Without that last line the file could not be read to its end.
"""

from __future__ import annotations

import faulthandler
import json
import os
import re
import sys
from typing import TextIO

RECORDS_WATCHED = 100
RECORD_NUMBER = re.compile(r"record number (\d{1,18})\b")


def write_records(path: str, seconds: float, target: TextIO) -> None:
    """Write the file's records; the process ends where a hundred of them take longer than `seconds`."""
    import evtx

    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - one import less
        records = evtx.PyEvtxParser(path, number_of_threads=1).records()
        n_done = 0
        while True:
            if n_done % RECORDS_WATCHED == 0:
                faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
            n_done += 1
            try:
                found = next(records) or {}
                target.write(json.dumps(str(found.get("data", ""))) + "\n")
            except StopIteration:
                target.write("true\n")
                target.flush()
                faulthandler.cancel_dump_traceback_later()
                return
            except RuntimeError as error:
                failed = RECORD_NUMBER.search(str(error))
                if failed is None:
                    return
                target.write(f"{failed[1]}\n")


if __name__ == "__main__":
    write_records(sys.argv[1], float(sys.argv[2]), sys.stdout)
