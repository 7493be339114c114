"""Rules of events of guard apps: when an event happened, whatever the phone's clock says. Values in, values out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class PhoneClock:
    """What a phone says of its clocks when it sends: the wall clock, and the seconds since it was started.

    `boot` is another one after each start: seconds of different starts cannot be compared.
    """

    received_at: datetime  # by our clock
    sent_at: datetime  # by the phone's
    uptime_s: float
    boot: str

    @property
    def error(self) -> timedelta:
        """How far the phone's clock is behind ours."""
        return self.received_at - self.sent_at

    def happened(self, at: datetime, uptime_s: float, boot: str) -> tuple[datetime, bool]:
        """Return when an event happened by our clock, and whether the seconds since the start prove it.

        After a restart only the phone's wall clock is left, corrected by what it is wrong now. No event is later than
        its arrival here.
        """
        ago = self.uptime_s - uptime_s
        if boot == self.boot and ago >= 0:
            return self.received_at - timedelta(seconds=ago), True
        return min(self.received_at, at + self.error), False


def with_times(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Read a stored position: what ends in `_at` is a time."""
    return {
        name: datetime.fromisoformat(value) if name.endswith("_at") and value else value
        for name, value in stated.items()
    }
