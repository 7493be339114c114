"""Global ids: base64 of `Type:uuid`, opaque to clients, the same for a row wherever it is met."""

import binascii
from base64 import b64decode, b64encode
from contextlib import suppress
from typing import Any
from uuid import UUID

import strawberry
from strawberry.types.field import StrawberryField

from domain.core.errors import Code, Refused


def write(type_name: str, row_id: UUID) -> str:
    """The id of a row on the wire."""
    return b64encode(f"{type_name}:{row_id}".encode()).decode()


def read(text: str) -> tuple[str, UUID] | None:
    """The type and id that `text` names, or None when it is no id of ours."""
    try:
        type_name, _, row_id = b64decode(text, validate=True).decode().partition(":")
        return type_name, UUID(row_id)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


_BARE = frozenset({"Device"})  # whose ids were given out as bare UUIDs once


def known(text: str, type_name: str) -> UUID | None:
    """The id of a row of this type, or None: an id of something else names nothing here."""
    found = read(text)
    if found is None and type_name in _BARE:
        with suppress(ValueError):
            return UUID(text)
    return found[1] if found is not None and found[0] == type_name else None


def wanted(text: str, type_name: str, argument: str) -> UUID:
    """The id of a row of this type; refused like a row that is not there."""
    found = known(text, type_name)
    if found is None:
        raise Refused(Code.NOT_FOUND, f"No such {type_name}.", argument=argument)
    return found


NODES: dict[str, type[Any]] = {}
"""The models of rows with a global id, by the name of their GraphQL type; `from_row` adds each `Node`."""


class IdField(StrawberryField):
    """A row's `id`, written with the type's name that the metadata holds; as cheap as an attribute."""

    def get_result(self, source: Any, *_rest: Any, **_more: Any) -> str:
        """Read the row's id."""
        return write(self.metadata["type_name"], source.id)


@strawberry.interface(description="Object with a global id, which `node(id)` returns.")
class Node:
    """What every row with an id shows."""

    id: strawberry.ID = strawberry.field(description="Global, opaque id; pass it back unchanged.")
