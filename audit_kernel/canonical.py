"""Canonical JSON (RFC 8785): the same value gives the same bytes, whoever writes it."""

from __future__ import annotations

import datetime
import decimal
import pathlib
import uuid
from collections.abc import Mapping
from typing import Any

import rfc8785

LARGEST_EXACT_INTEGER = 2**53 - 1  # beyond it JSON readers round: RFC 8785, section 3.2.2.3
SMALLEST_WITH_EXPONENT = 1e21


def canonical_json(value: object) -> bytes:
    """Return the RFC 8785 bytes of `value`.

    Integers beyond 2^53 - 1, decimals, dates, timestamps, identifiers and paths become text.

    Raises
    ------
    ValueError: the value holds something JSON has no place for (NaN, a lone surrogate, an unknown type).
    """
    try:
        return rfc8785.dumps(plain(value))
    except UnicodeEncodeError as error:
        message = "text with a lone surrogate"
        raise ValueError(message) from error
    except RecursionError as error:
        message = "nested too deeply"
        raise ValueError(message) from error


def plain(value: object) -> Any:  # noqa: ANN401, PLR0911 - JSON, one return for each kind
    """Return `value` made of JSON's own types only."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, float):
        is_written_as_integer = LARGEST_EXACT_INTEGER < abs(value) < SMALLEST_WITH_EXPONENT
        return str(int(value)) if is_written_as_integer else value
    if isinstance(value, int):
        return value if abs(value) <= LARGEST_EXACT_INTEGER else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime.datetime):
        return timestamp(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | uuid.UUID):
        return str(value)
    if isinstance(value, pathlib.PurePath):
        return value.as_posix()
    message = f"no place in JSON for {type(value).__name__}"
    raise ValueError(message)


def timestamp(moment: datetime.datetime) -> str:
    """Return an ISO 8601 text in UTC that ends with Z; naive timestamps are UTC by the model's rule."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    return moment.isoformat() + "Z"
