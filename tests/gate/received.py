"""What a subscriber of a probe was sent, and what tells the events of a type apart."""

import asyncio
import json
import struct
from base64 import b64decode
from typing import Any

from api.live.backpressure import OutboundBuffer

PATIENT_S = 60.0
"""How long what the page promises is waited for; nothing is waited for to prove an absence."""
FACTS, STATUS, MAP, FLEET = "FeedEvent", "AccountStatus", "PositionEvent", "Fleet"
RECORD = struct.Struct("<IiiB")
"""A guard of a fleet: number, longitude and latitude in millionths of a degree, status."""


class Received(OutboundBuffer):
    """What one subscriber was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []
        self.errors: list[Any] = []
        self.came = asyncio.Event()
        self.write = self._write

    def _write(self, frame: bytes) -> None:
        for text in frame.splitlines():
            answer = json.loads(text)
            self.errors += answer.get("errors", ())
            self.events += (answer.get("data") or {}).values()
        self.came.set()

    def give_up(self) -> None:
        """Keep on: nothing is held back here."""

    async def has(self, key: Any, kind: str) -> bool:
        """Wait for one event; False when it does not come."""
        try:
            async with asyncio.timeout(PATIENT_S):
                while key not in self.by_key(kind):
                    self.came.clear()
                    await self.came.wait()
        except TimeoutError:
            return False
        return True

    def by_key(self, kind: str) -> dict[Any, dict[str, Any]]:
        """The events by what tells them apart: the number of a fact, the place of a guard, the guards of a fleet."""
        return {key_of(kind, each): each for each in self.events if each is not None}


def key_of(kind: str, event: dict[str, Any]) -> Any:
    """What tells events of a type apart."""
    if kind == FACTS:
        told = event["kind"], event["recordedAt"], event["subjectId"]
        return (event.get("body") or {}).get("n", told)
    if kind == MAP:
        place = event["position"]
        return None if place is None else spot(place["lat"], place["lon"])
    if kind == FLEET:
        return frozenset(
            (lat, lon) for _n, lon, lat, _status in RECORD.iter_unpack(b64decode(event["data"]))
        )
    return kind


def spot(lat: float, lon: float) -> tuple[int, int]:
    """A place in millionths of a degree."""
    return round(lat * 1e6), round(lon * 1e6)
