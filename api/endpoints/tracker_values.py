"""Values as phones' apps write them: numbers as text, several names for one thing, markers for what is not known.

A required value that cannot be read raises `ValueError`; an optional one is unknown then, and the place still counts.
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
"""Alarms of Traccar's list that call for nobody; every other one does, also one that is not known."""

Fixes = list[ReceivedFix | None]


class TrackerMessage(NamedTuple):
    """One message of a phone: its fixes (None: cannot be read), signs of life, and whether somebody calls for help."""

    fixes: Fixes
    alive: tuple[datetime, ...] = ()
    panic: bool = False


class Unknown(ValueError):
    """The message is of no known shape, so that nothing of it could be stored."""


def first(given: Mapping[str, Any], *names: str) -> Any:
    """The first of several names that has a value."""
    for name in names:
        value = given.get(name)
        if value is not None and value != "":
            return value
    return None


def number(given: Any) -> float | None:
    """A number, or None for what is none."""
    if isinstance(given, bool) or given is None:
        return None
    try:
        found = float(given)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found == found else None  # noqa: PLR0124 - NaN is not itself


def degrees(given: Any) -> float:
    """A latitude or longitude. Raises `ValueError`."""
    found = number(given)
    if found is None:
        raise ValueError("no latitude or longitude")
    return found


def truth(given: Any) -> bool | None:
    """Yes or no, or None for what is neither."""
    if isinstance(given, bool):
        return given
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    return words.get(str(given).strip().lower())


def made_up(given: Any) -> bool | None:
    """Whether a position is said to be made up: whatever is said and does not mean no, means yes."""
    return None if given is None or given == "" else truth(given) is not False


def instant(given: Any) -> int | datetime:
    """Seconds or milliseconds since 1970, or ISO 8601 (UTC unless it says otherwise). Raises `ValueError`."""
    if given is None or isinstance(given, bool):
        raise ValueError("no instant")
    try:
        since = float(given)
    except ValueError:
        at = datetime.fromisoformat(str(given).strip())
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    except TypeError:
        raise ValueError("no instant") from None
    return int(since if since >= _SECONDS_UNTIL else since * 1000)


def lived(given: Any, now: datetime) -> tuple[datetime, ...]:
    """Return the times at which a message without a position shows the device to be on: now, and the time it states."""
    try:
        at = instant(given)
        named = at if isinstance(at, datetime) else datetime.fromtimestamp(at / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return (now,)
    return (now,) if named >= now else (named, now)


def is_panic(alarm: Any) -> bool:
    """Whether an alarm calls for help: `sos`, `panic`, `fallDown` …; several are parted by commas."""
    words = alarm if isinstance(alarm, list) else str(alarm or "").split(",")
    said = {str(word).strip().lower() for word in words} - {"", "none", "null", "false"}
    return bool(said - _NO_PANIC)


def speaks_of_place(given: Any) -> bool:
    """Whether some key, however deep, names a place: then a message without a fix was not understood."""
    if isinstance(given, Mapping):
        return any(
            str(key).lower() in _PLACE_KEYS or speaks_of_place(value)
            for key, value in given.items()
        )
    return (
        isinstance(given, Iterable)
        and not isinstance(given, str)
        and any(speaks_of_place(each) for each in given)
    )
