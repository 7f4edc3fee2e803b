"""What the tests of pages share: hostile texts, and a page of every object."""

from __future__ import annotations

import datetime
from functools import cache
from types import SimpleNamespace

import pyarrow as pa

from audit_kernel.evidence import charts
from audit_kernel.evidence.display import (
    Chart,
    Facts,
    Heading,
    Links,
    PageInformation,
    Paragraph,
    Table,
    TableColumn,
    table_from_arrow,
)

HOSTILE = (
    "<script>alert('script')</script>",
    "</script><script>alert(1)</script>",
    '"><img src="https://example.org/x.png" onerror="alert(2)">',
    "' onmouseover='alert(3)' autofocus onfocus='alert(4)",
    "javascript:alert(5)",
    "<svg onload=alert(6)><a xlink:href='javascript:alert(7)'>x</a></svg>",
    "</title></style></main><iframe src='//example.org'></iframe>",
    "<style>@import 'https://example.org/x.css';</style>",
    "{{ 7 * 7 }}{% include 'x' %}",
    "&lt;script&gt;&#x3c;",
    "invoice\u202efdp.exe",
    "ze\u200bro\u2066w\u2069idth\ufeff",
    "nul\x00esc\x1b[31mbell\x07del\x7fc1\x85",
    "line\nbreak\r\nand\ttab\u2028\u2029",
    "not\ufffea\uffffcharacter\U0001fffe",
    "lone\ud800surrogate\udfff",
    "Z" + "\u0301" * 40 + "algo",
    '=HYPERLINK("https://example.org";"x")',
)
EVERYTHING = " ".join(HOSTILE)


def column(name, kind="text", **more):
    values = {"label": dict.fromkeys(("en", "sv", "nb"), name), "meaning": None, "localised": False, "hidden": False}
    return SimpleNamespace(**({"name": name, "type": kind} | values | more))


def daily(first=datetime.date(2026, 8, 1), counts=(3, 0, 14, 9, 22, 0, 5)):
    days = [first + datetime.timedelta(days=offset) for offset in range(len(counts))]
    return pa.table({"day": days, "n_accesses": list(counts)})


def hourly(counts=((1, 8, 40), (7, 23, 3), (5, 0, 12))):
    weekdays, hours, numbers = zip(*counts, strict=True)
    return pa.table({"local_weekday": weekdays, "local_hour": hours, "n_accesses": numbers})


@cache
def page_objects(text="Kari Nordmann", language="nb"):
    in_arrow = text.encode("utf-8", "replace").decode()  # Arrow itself holds no lone surrogates
    arrow = pa.table({"employee": [in_arrow, "Åse Lund"], "n": [12345, 0]})
    columns = [column("employee"), column("n", "integer", meaning={"en": text, "sv": text, "nb": text})]
    figures = Table(text, [TableColumn("a", text, text, "start", text)], [[text]], 1, text, language)
    return (
        Heading(text, 1),
        Paragraph(text, "summary"),
        Paragraph(text),
        Paragraph(text, "notice"),
        Paragraph(text, "warning"),
        Facts([(text, text), ("0", "0")]),
        Heading(text, 2),
        charts.timeline(daily(), language, text, text),
        charts.hour_map(hourly(), language, text, text),
        Chart(text, text, f'<svg xmlns="http://www.w3.org/2000/svg"><text>{"x"}</text></svg>', figures),
        table_from_arrow(arrow, columns, language, "Europe/Oslo", text, file_name="activity.csv"),
        table_from_arrow(arrow.slice(0, 0), columns, language, "Europe/Oslo", text),
        Links([(text, "../tables/activity.csv", text)]),
        Paragraph(text, "method"),
    )


def page_information(text="Aktivitet på bruker", language="nb"):
    return PageInformation(text, language, text, text, "index.html")
