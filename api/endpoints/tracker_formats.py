"""Decode the messages of tracker apps to fixes: Traccar Client, OsmAnd, OwnTracks, GPSLogger.

Units become ours; what an app says when it does not know (-1, 0.0, a missing key) becomes None. Each function reads
one message and raises `ValueError` or msgspec's errors for what is none of the app's: an app keeps what is refused, so
a message that is not understood is never answered as if it were.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from api.endpoints.tracker_values import (
    Fixes,
    TrackerMessage,
    Unknown,
    degrees,
    first,
    instant,
    is_panic,
    lived,
    made_up,
    number,
    speaks_of_place,
    truth,
)
from domain.positions import ReceivedFix

KNOT_MPS = 1852 / 3600
KMH_MPS = 1 / 3.6

_LAT, _LON = ("lat", "latitude"), ("lon", "lng", "longitude", "long")
_AT = ("timestamp", "time", "ts", "tst")
# What may come without a place, from OsmAnd and Traccar Client up to version 8: the device's state.
_STATE = frozenset(
    {"id", "deviceid", "valid", "batt", "battery", "charge", "charging", "alarm", "mock", "event"}
    | {
        "hdop",
        "speed",
        "bearing",
        "heading",
        "altitude",
        "accuracy",
        "driveruniqueid",
        "cell",
        "wifi",
    }
    | {"notificationtoken", "motion", "odometer", "rssi", "ignition", "steps", "activity", *_AT}
)
# Messages of OwnTracks that are about other things than where the device is.
_OTHER_TYPES = frozenset(
    {"status", "waypoint", "waypoints", "card", "cmd", "steps", "configuration", "dump", "beacon"}
    | {"request", "log"}
)


class Encrypted(Exception):
    """The app encrypts what it sends with a key that we do not have."""


def traccar(body: bytes, *, now: datetime) -> tuple[str, TrackerMessage]:
    """Traccar Client from version 9 on: who, and what it says."""
    message: Any = msgspec.json.decode(body)
    name = message.get("device_id") if isinstance(message, dict) else None
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise Unknown("device_id is missing")
    location = message.get("location")
    if location is None:
        location = {}
    if not isinstance(location, dict):
        raise Unknown("location is an object")
    alarm = is_panic(first(location, "alarm")) or is_panic(first(message, "alarm"))
    coords = location.get("coords")
    if coords is None:
        rest = {key: value for key, value in message.items() if key != "location"}
        extras = {
            key: value for key, value in location.items() if key not in {"coords", "geofence"}
        }
        if speaks_of_place((rest, extras)):
            raise Unknown("location.coords is missing")
        return str(name), TrackerMessage([], lived(location.get("timestamp"), now), alarm)
    try:
        return str(name), TrackerMessage([_of_traccar(location, coords)], (), alarm)
    except (AttributeError, ValueError, OverflowError):
        return str(name), TrackerMessage([None], (), alarm)


def _of_traccar(location: dict[str, Any], coords: dict[str, Any]) -> ReceivedFix:
    battery = location.get("battery")
    state: dict[str, Any] = battery if isinstance(battery, dict) else {}
    level = number(state.get("level"))
    return ReceivedFix(
        at=instant(location.get("timestamp")),
        lat=degrees(coords.get("latitude")),
        lon=degrees(coords.get("longitude")),
        accuracy_m=number(coords.get("accuracy")),
        speed_mps=number(coords.get("speed")),
        heading_deg=number(coords.get("heading")),
        altitude_m=number(coords.get("altitude")),
        battery_pct=None if level is None or level < 0 else round(level * 100, 1),
        charging=truth(state.get("is_charging")),
        mock=made_up(location.get("mock")),
    )


def osmand(given: Mapping[str, Any], *, speed_unit_mps: float, now: datetime) -> TrackerMessage:
    """A query, form or JSON object as OsmAnd and Traccar Client up to version 8 send it; speeds in `speed_unit_mps`."""
    panic = is_panic(given.get("alarm"))
    lat, lon = first(given, *_LAT), first(given, *_LON)
    if isinstance(given.get("location"), str):
        lat, _, lon = given["location"].partition(",")
    if truth(given.get("valid", "true")) is False:
        return TrackerMessage([], lived(first(given, *_AT), now), panic)
    if lat is None and lon is None:
        if not {key.lower() for key in given} <= _STATE:
            raise Unknown("lat and lon are missing")
        return TrackerMessage([], lived(first(given, *_AT), now), panic)
    try:
        speed, stamp = number(given.get("speed")), first(given, *_AT)
        fix = ReceivedFix(
            at=now if stamp is None else instant(stamp),
            lat=degrees(lat),
            lon=degrees(lon),
            accuracy_m=number(given.get("accuracy")),
            speed_mps=None if speed is None else speed * speed_unit_mps,
            heading_deg=number(first(given, "bearing", "heading")),
            altitude_m=number(given.get("altitude")),
            battery_pct=number(first(given, "batt", "battery")),
            charging=truth(first(given, "charge", "charging")),
            mock=made_up(given.get("mock")),
        )
    except (ValueError, OverflowError):
        return TrackerMessage([None], (), panic)
    return TrackerMessage([fix], (), panic)


def gpslogger(given: Mapping[str, Any]) -> TrackerMessage:
    """GPSLogger's custom URL or body; it writes 0.0 for what it does not know, and false for charging."""
    lat, lon, stamp = first(given, *_LAT), first(given, *_LON), first(given, "ts", *_AT)
    missing = [name for name, each in (("lat", lat), ("lon", lon), ("ts", stamp)) if each is None]
    if missing:
        raise Unknown(f"{' and '.join(missing)} missing: see the address in the documentation")
    panic = is_panic(given.get("alarm"))
    try:
        speed = number(first(given, "spd", "speed"))
        heading = number(first(given, "dir", "bearing", "direction"))
        fix = ReceivedFix(
            at=instant(stamp),
            lat=degrees(lat),
            lon=degrees(lon),
            accuracy_m=number(first(given, "acc", "accuracy")) or None,
            speed_mps=speed,
            heading_deg=None if not heading and not speed else heading,
            altitude_m=number(first(given, "alt", "altitude")) or None,
            battery_pct=number(first(given, "batt", "battery")) or None,
            charging=truth(first(given, "chg", "charging", "ischarging")) or None,
            mock=made_up(given.get("mock")),
        )
    except (ValueError, OverflowError):
        return TrackerMessage([None], (), panic)
    return TrackerMessage([fix], (), panic)


def owntracks(body: bytes, *, now: datetime) -> TrackerMessage:
    """OwnTracks in HTTP mode: locations and transitions are fixes. Raises `Encrypted` too.

    A ping repeats an old place with the present instant, so it proves nothing but that the device is on.
    """
    if not body.strip():
        return TrackerMessage([], (now,))
    decoded: Any = msgspec.json.decode(body)
    fixes: Fixes = []
    alive: list[datetime] = []
    for message in decoded if isinstance(decoded, list) else [decoded]:
        if not isinstance(message, dict):
            raise Unknown("a message is an object")
        kind = message.get("_type")
        if kind == "encrypted":
            raise Encrypted
        if kind == "location" and message.get("t") == "p":
            alive += lived(message.get("tst"), now)
        elif kind in {"location", "transition"}:
            fixes.append(_of_owntracks(message))
        elif kind in _OTHER_TYPES:
            alive.append(now)
        elif kind != "lwt":  # the last will comes from the broker, when the device is gone
            raise Unknown(f"the _type {str(kind)[:40]!r} is not known")
    return TrackerMessage(fixes, tuple(alive))


def _of_owntracks(message: dict[str, Any]) -> ReceivedFix | None:
    try:
        speed, status = number(message.get("vel")), message.get("bs")
        return ReceivedFix(
            at=instant(message.get("tst")),
            lat=degrees(message.get("lat")),
            lon=degrees(message.get("lon")),
            accuracy_m=number(message.get("acc")) or None,
            speed_mps=None if speed is None or speed < 0 else speed * KMH_MPS,
            heading_deg=number(message.get("cog")),
            altitude_m=number(message.get("alt")),
            battery_pct=number(message.get("batt")),
            charging={1: False, 2: True, 3: True}.get(status) if isinstance(status, int) else None,
            mock=made_up(message.get("mock")),
        )
    except (ValueError, OverflowError):
        return None
