"""What phones' own apps send, as fixes in normal form: Traccar Client, OsmAnd, OwnTracks, GPSLogger.

Units become ours; what an app says when it does not know (-1, 0.0, a missing key) becomes None. Each function gives
the fixes of one message, perhaps none: a keep-alive is no fix. A fix that cannot be read is None among them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from domain.positions import Reading

KNOT_MPS = 1852 / 3600
KMH_MPS = 1 / 3.6
_SECONDS_UNTIL = 2**31  # larger numbers are milliseconds

Fixes = list[Reading | None]


class _Coords(msgspec.Struct):
    latitude: float
    longitude: float
    accuracy: float | None = None
    speed: float | None = None
    heading: float | None = None
    altitude: float | None = None


class _Battery(msgspec.Struct):
    level: float | None = None
    is_charging: bool | None = None


class _Location(msgspec.Struct):
    timestamp: str | int | float | None = None
    coords: _Coords | None = None
    mock: bool | None = None
    battery: _Battery | None = None


class _Traccar(msgspec.Struct):
    device_id: str | int
    location: msgspec.Raw = msgspec.Raw(b"null")


def traccar(body: bytes) -> tuple[str, Fixes]:
    """Traccar Client from version 9 on: who, and its fix. Raises msgspec's errors when it is no such message."""
    message = msgspec.json.decode(body, type=_Traccar)
    fixes: Fixes
    try:
        location = msgspec.json.decode(message.location, type=_Location | None)
        coords = None if location is None else location.coords
        fixes = [] if location is None or coords is None else [_of_traccar(location, coords)]
    except (msgspec.MsgspecError, ValueError, OverflowError):
        fixes = [None]
    return str(message.device_id), fixes


def _of_traccar(location: _Location, coords: _Coords) -> Reading:
    battery = location.battery or _Battery()
    level = battery.level
    return Reading(
        at=instant(location.timestamp),
        lat=coords.latitude,
        lon=coords.longitude,
        accuracy_m=coords.accuracy,
        speed_mps=coords.speed,
        heading_deg=coords.heading,
        altitude_m=coords.altitude,
        battery_pct=None if level is None or level < 0 else round(level * 100, 1),
        charging=battery.is_charging,
        mock=location.mock,
    )


def osmand(given: Mapping[str, str], *, speed_unit_mps: float, now: datetime) -> Fixes:
    """A query or form as OsmAnd and Traccar Client up to version 8 send it; speeds are in units of `speed_unit_mps`."""
    lat, lon = given.get("lat"), given.get("lon")
    if "location" in given:
        lat, _, lon = given["location"].partition(",")
    if not lat or not lon or given.get("valid", "true").lower() in {"false", "0"}:
        return []  # status only
    try:
        speed = _number(given.get("speed"))
        return [
            Reading(
                at=instant(given["timestamp"]) if given.get("timestamp") else now,
                lat=float(lat),
                lon=float(lon),
                accuracy_m=_number(given.get("accuracy")),
                speed_mps=None if speed is None else speed * speed_unit_mps,
                heading_deg=_number(given.get("bearing") or given.get("heading")),
                altitude_m=_number(given.get("altitude")),
                battery_pct=_number(given.get("batt")),
                charging=_truth(given.get("charge")),
            )
        ]
    except (ValueError, OverflowError):
        return [None]


def gpslogger(given: Mapping[str, str]) -> Fixes:
    """A query or form of GPSLogger's custom URL; it writes 0.0 for what it does not know, and false for charging."""
    if not given.get("lat") or not given.get("lon"):
        return []
    try:
        speed, heading = _number(given.get("spd")), _number(given.get("dir"))
        return [
            Reading(
                at=instant(given["ts"]),
                lat=float(given["lat"]),
                lon=float(given["lon"]),
                accuracy_m=_number(given.get("acc")) or None,
                speed_mps=speed,
                heading_deg=None if not heading and not speed else heading,
                altitude_m=_number(given.get("alt")) or None,
                battery_pct=_number(given.get("batt")) or None,
                charging=_truth(given.get("chg")) or None,
            )
        ]
    except (KeyError, ValueError, OverflowError):
        return [None]


def owntracks(body: bytes) -> Fixes:
    """OwnTracks in HTTP mode. Raises `Encrypted`, and msgspec's errors when it is no such message.

    A ping repeats an old place with the present instant, so it proves nothing and is left out.
    """
    if not body.strip():
        return []
    told: Any = msgspec.json.decode(body)
    fixes: Fixes = []
    for message in told if isinstance(told, list) else [told]:
        if not isinstance(message, dict):
            raise msgspec.ValidationError("a message is an object")
        if message.get("_type") == "encrypted":
            raise Encrypted
        if message.get("_type") == "location" and message.get("t") != "p":
            fixes.append(_of_owntracks(message))
    return fixes


class Encrypted(Exception):
    """The app encrypts what it sends with a key that we do not have."""


def _of_owntracks(message: dict[str, Any]) -> Reading | None:
    try:
        speed, status = message.get("vel"), message.get("bs")
        return Reading(
            at=instant(message["tst"]),
            lat=float(message["lat"]),
            lon=float(message["lon"]),
            accuracy_m=_number(message.get("acc")) or None,
            speed_mps=None if speed is None or speed < 0 else float(speed) * KMH_MPS,
            heading_deg=_number(message.get("cog")),
            altitude_m=_number(message.get("alt")),
            battery_pct=_number(message.get("batt")),
            charging={1: False, 2: True, 3: True}.get(status) if isinstance(status, int) else None,
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def instant(given: str | float | None) -> int | datetime:
    """Seconds or milliseconds since 1970, or ISO 8601 (UTC unless it says otherwise). Raises `ValueError`."""
    if given is None:
        raise ValueError("no instant")
    try:
        number = float(given)
    except ValueError:
        at = datetime.fromisoformat(str(given).strip())
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return int(number if number >= _SECONDS_UNTIL else number * 1000)


def _number(given: Any) -> float | None:
    if given is None or given == "":
        return None
    number = float(given)
    if number != number:  # noqa: PLR0124 - NaN is not itself
        return None
    return number


def _truth(given: str | None) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get((given or "").lower())
