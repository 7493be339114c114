"""Parsing of values in tracker messages: numbers as text, alternative names, markers for unknown values.

An invalid required value raises `ValueError`. An invalid optional value counts as unknown, and the fix stays valid.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from domain.positions import ReceivedFix

_SECONDS_UNTIL = 2**31  # larger numbers are milliseconds
_PLACE_KEYS = frozenset(
    {"lat", "latitude", "lon", "lng", "long", "longitude", "coords", "coordinates", "location"}
    | {"position", "point", "geo", "geometry", "loc", "latlng", "latlon"}
)
_NO_PANIC = frozenset(
    {"lowbattery", "lowpower", "poweroff", "poweron", "powercut", "powerrestored", "overspeed"}
    | {"geofence", "geofenceenter", "geofenceexit", "movement", "vibration", "idle", "parking"}
    | {"temperature", "door", "bonnet", "footbrake"}
)
"""Traccar alarms that are no call for help; every other alarm is one, also an unknown alarm."""

Fixes = list[ReceivedFix | None]


class TrackerMessage(NamedTuple):
    """One message of a tracker: its fixes (None if invalid), signs of life, and whether it is a call for help."""

    fixes: Fixes
    alive: tuple[datetime, ...] = ()
    panic: bool = False


class Unknown(ValueError):
    """Raised for a message of unknown structure, of which nothing can be stored."""


def first(value_given: Mapping[str, Any], *names: str) -> Any:
    """Return the value of the first name that has one."""
    for name in names:
        value = value_given.get(name)
        if value is not None and value != "":
            return value
    return None


def number(value_given: Any) -> float | None:
    """Parse a number; None when it is invalid."""
    if isinstance(value_given, bool) or value_given is None:
        return None
    try:
        found = float(value_given)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found == found else None  # noqa: PLR0124 - NaN is not itself


def degrees(value_given: Any) -> float:
    """Parse a latitude or longitude. Raises `ValueError`."""
    found = number(value_given)
    if found is None:
        raise ValueError("no latitude or longitude")
    return found


def truth(value_given: Any) -> bool | None:
    """Parse a boolean; None when it is invalid."""
    if isinstance(value_given, bool):
        return value_given
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    return words.get(str(value_given).strip().lower())


def made_up(value_given: Any) -> bool | None:
    """Return whether a position is marked as mock; any value other than false counts as true."""
    return None if value_given is None or value_given == "" else truth(value_given) is not False


def instant(value_given: Any) -> int | datetime:
    """Parse seconds or milliseconds since 1970, or ISO 8601 (UTC by default). Raises `ValueError`."""
    if value_given is None or isinstance(value_given, bool):
        raise ValueError("no instant")
    try:
        since = float(value_given)
    except ValueError:
        at = datetime.fromisoformat(str(value_given).strip())
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    except TypeError:
        raise ValueError("no instant") from None
    return int(since if since >= _SECONDS_UNTIL else since * 1000)


def lived(value_given: Any, now: datetime) -> tuple[datetime, ...]:
    """Return the instants at which a message without position proves that the device was on: its own, and now."""
    try:
        at = instant(value_given)
        named = at if isinstance(at, datetime) else datetime.fromtimestamp(at / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return (now,)
    return (now,) if named >= now else (named, now)


def is_panic(alarm: Any) -> bool:
    """Return whether an alarm is a call for help, such as `sos`, `panic` or `fallDown`; commas separate several."""
    words = alarm if isinstance(alarm, list) else str(alarm or "").split(",")
    alarms = {str(word).strip().lower() for word in words} - {"", "none", "null", "false"}
    return bool(alarms - _NO_PANIC)


def mentions_position(value_given: Any) -> bool:
    """Return whether any key, at any depth, refers to a position; then a message without a fix was misunderstood."""
    if isinstance(value_given, Mapping):
        return any(
            str(key).lower() in _PLACE_KEYS or mentions_position(value)
            for key, value in value_given.items()
        )
    return (
        isinstance(value_given, Iterable)
        and not isinstance(value_given, str)
        and any(mentions_position(each) for each in value_given)
    )
