"""What a fact says of a change: the values before and after, as JSON."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec


def values_of(row: object, names: Iterable[str]) -> dict[str, Any]:
    """The named columns of a row as plain values."""
    plain: dict[str, Any] = msgspec.to_builtins({name: getattr(row, name) for name in names})
    return plain


def as_text(values: Mapping[str, Any]) -> str:
    """Values that may be personal, as one text: the ledger commits to it, and it can be erased."""
    return msgspec.json.encode(msgspec.to_builtins(dict(values)), order="sorted").decode()
