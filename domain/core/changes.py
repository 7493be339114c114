"""Serialize the columns that a change altered, as the before and after values of a fact."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec


def values_of(row: object, names: Iterable[str]) -> dict[str, Any]:
    """Return the named columns of a row as plain JSON values."""
    plain: dict[str, Any] = msgspec.to_builtins({name: getattr(row, name) for name in names})
    return plain


def as_text(values: Mapping[str, Any]) -> str:
    """Serialize values that may be personal as one text: the ledger holds a commitment and the text can be erased."""
    return msgspec.json.encode(msgspec.to_builtins(dict(values)), order="sorted").decode()
