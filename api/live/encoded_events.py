"""Encoding of the events of subscriptions, with their cursors where the transport sends them."""

from collections.abc import Sequence

import msgspec

from api.execution.executor import Result
from domain.core import cursor
from realtime.source import SourceEvent
from schema.core.context import Context


class EncodedEvent(bytes):
    """An encoded response with the cursor of its event."""

    cursor: bytes


def encode_events(
    answers: Sequence[Result], events: Sequence[SourceEvent], ctx: Context | None
) -> list[bytes]:
    """Encode responses as JSON; with `ctx`, also attach the cursors of their events."""
    encoded = [msgspec.json.encode(done.answer) for done in answers]
    if ctx is None:
        return encoded
    found: list[bytes] = []
    for payload, event in zip(encoded, events, strict=True):
        if event.seq is not None:
            payload = EncodedEvent(payload)  # noqa: PLW2901 - the same payload, with its cursor
            link = getattr(getattr(event.payload, "fact", None), "link", None)
            here = cursor.of_seq(ctx.secret, ctx.actor.tenant_id, event.seq, link)
            payload.cursor = here.encode()
        found.append(payload)
    return found


def event_id_of(payload: bytes) -> bytes:
    """Return the line of a server-sent event with its id; nothing for an event without a cursor."""
    return b"id: " + payload.cursor + b"\n" if isinstance(payload, EncodedEvent) else b""
