"""Our own format of reports: fixes one by one, when not all of them can be read at once."""

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
    """Fixes in any order, and the device's clock when it sends them."""

    fixes: list[ReceivedFix]
    sent_at: Instant | None = None


class Loose(msgspec.Struct, rename="camel"):
    """The same before anybody looked at the fixes."""

    fixes: list[msgspec.Raw]
    sent_at: Instant | None = None


decode = msgspec.json.Decoder(PositionBatch).decode
decode_loose = msgspec.json.Decoder(Loose).decode
_decode_one = msgspec.json.Decoder(ReceivedFix).decode


def read_one(raw: msgspec.Raw) -> ReceivedFix | None:
    """A fix; a value of it that cannot be read is unknown. None when instant or place cannot be read.

    With an instant and no place it is a sign of life, unless it holds other things than a fix does.
    """
    try:
        return _decode_one(raw)
    except _BROKEN:
        pass
    try:
        given: Any = msgspec.json.decode(raw)
        if not isinstance(given, dict):
            return None
        lifeless = given.get("lat") is not None or given.get("lon") is not None
        if lifeless or not given.keys() <= _NAMES:
            place: dict[str, Any] = {
                name: msgspec.convert(given.get(name), float) for name in ("lat", "lon")
            }
        else:
            place = {"lat": float("nan"), "lon": float("nan")}
        kinds = {field.encode_name: field.type for field in _FIELDS}
        at = msgspec.convert(given.get("at"), kinds["at"])
    except _BROKEN:
        return None
    values: dict[str, Any] = {
        field.name: _value(given.get(field.encode_name), field)
        for field in _FIELDS
        if field.encode_name not in _NEEDED
    }
    return ReceivedFix(at=at, **place, **values)


def _value(given: Any, field: msgspec.structs.FieldInfo) -> Any:
    if field.name == "mock":
        return made_up(given)
    try:
        return msgspec.convert(given, field.type)
    except _BROKEN:
        return None
