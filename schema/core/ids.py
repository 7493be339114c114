"""Global ids: base64 of `Type:uuid`, opaque to clients, one per row."""

import binascii
from base64 import b64decode
from binascii import b2a_base64
from contextlib import suppress
from typing import Any
from uuid import UUID

import strawberry
from strawberry.types.field import StrawberryField

from domain.core.errors import Code, Refused


def write(type_name: str, row_id: UUID) -> str:
    """Return the global id of a row."""
    return b2a_base64(f"{type_name}:{row_id}".encode(), newline=False).decode()


def read(text: str) -> tuple[str, UUID] | None:
    """Parse a global id into type and UUID; None when it is invalid."""
    try:
        type_name, _, row_id = b64decode(text, validate=True).decode().partition(":")
        return type_name, UUID(row_id)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


_BARE = frozenset({"Device"})  # types whose ids were bare UUIDs in earlier versions


def known(text: str, type_name: str) -> UUID | None:
    """Parse the id of a row of this type; None for an id of another type."""
    found = read(text)
    if found is None and type_name in _BARE:
        with suppress(ValueError):
            return UUID(text)
    return found[1] if found is not None and found[0] == type_name else None


def wanted(text: str, type_name: str, argument: str) -> UUID:
    """Parse the id of a row of this type; refuse another id as if the row did not exist."""
    found = known(text, type_name)
    if found is None:
        raise Refused(Code.NOT_FOUND, f"No such {type_name}.", argument=argument)
    return found


NODES: dict[str, type[Any]] = {}
"""The models of rows with a global id, by the name of their GraphQL type; `from_row` adds each `Node`."""


class IdField(StrawberryField):
    """Field for a row's `id`, built from the type's name in the metadata; as fast as an attribute."""

    def get_result(self, source: Any, *_rest: Any, **_more: Any) -> str:
        """Read the row's id."""
        return write(self.metadata["type_name"], source.id)


@strawberry.interface(description="Object with a global id, which `node(id)` returns.")
class Node:
    """What every row with an id shows."""

    id: strawberry.ID = strawberry.field(description="Global, opaque id; pass it back unchanged.")
