"""Waarborg's own JSON format for positions; invalid fixes of a report are decoded one by one."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from api.endpoints.tracker_values import made_up
from domain.positions import ReceivedFix

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError)
_FIELDS = msgspec.structs.fields(ReceivedFix)
_NEEDED = {"at", "lat", "lon"}
_NAMES = {field.encode_name for field in _FIELDS}


class PositionBatch(msgspec.Struct, rename="camel", gc=False):
    """Fixes in any order, and the device's time when it sent them."""

    fixes: list[ReceivedFix]
    sent_at: Instant | None = None


class Loose(msgspec.Struct, rename="camel"):
    """A batch whose fixes are not decoded yet."""

    fixes: list[msgspec.Raw]
    sent_at: Instant | None = None


decode = msgspec.json.Decoder(PositionBatch).decode
decode_loose = msgspec.json.Decoder(Loose).decode
_decode_one = msgspec.json.Decoder(ReceivedFix).decode


def read_one(raw: msgspec.Raw) -> ReceivedFix | None:
    """Decode one fix with invalid optional values as unknown; None when its instant or position is invalid.

    An object with an instant and no position is a sign of life, unless it has fields that a fix does not have.
    """
    try:
        return _decode_one(raw)
    except _BROKEN:
        pass
    try:
        value: Any = msgspec.json.decode(raw)
        if not isinstance(value, dict):
            return None
        lifeless = value.get("lat") is not None or value.get("lon") is not None
        if lifeless or not value.keys() <= _NAMES:
            place: dict[str, Any] = {
                name: msgspec.convert(value.get(name), float) for name in ("lat", "lon")
            }
        else:
            place = {"lat": float("nan"), "lon": float("nan")}
        kinds = {field.encode_name: field.type for field in _FIELDS}
        at = msgspec.convert(value.get("at"), kinds["at"])
    except _BROKEN:
        return None
    values: dict[str, Any] = {
        field.name: _value(value.get(field.encode_name), field)
        for field in _FIELDS
        if field.encode_name not in _NEEDED
    }
    return ReceivedFix(at=at, **place, **values)


def _value(value: Any, field: msgspec.structs.FieldInfo) -> Any:
    if field.name == "mock":
        return made_up(value)
    try:
        return msgspec.convert(value, field.type)
    except _BROKEN:
        return None
