"""Guards with phones: a fix every 30 to 60 s, queues after an outage, repeated reports; or saturation."""

import random
import time
from datetime import UTC, datetime
from typing import Any

import gevent
from locust import task

from loadtests.asking import Asker
from loadtests.audit import Wrong
from loadtests.company import LAT, LON
from loadtests.phones import phone

SEEN_S = 10.0  # an acknowledged fix must be on the map within this time
QUEUE = 5  # fixes that a phone queued without a connection
BATCH = 100  # fixes per report when saturating


class Guard(Asker):
    """A guard's phone, and a dispatcher who reads the map."""

    weight = 2
    role = "DISPATCHER"

    def on_start(self) -> None:
        """Create a phone and start its shift."""
        super().on_start()
        self.phone = phone(self.company, self.client_of)
        self.bearer = {"authorization": f"Bearer {self.phone.token}"}
        self.last_ms = int(time.time() * 1000) - 3_600_000

    def wait_time(self) -> float:
        """Return the usual pause between reports, or none when saturating."""
        return 0.0 if self.run_of.saturate else random.uniform(30, 60)

    @task
    def report(self) -> None:
        """Report the queued fixes, sometimes twice, and check the map."""
        if self.run_of.saturate:
            self._batch(BATCH, step_ms=10)
        elif random.random() < 0.5:
            self._traccar()
        else:
            self._batch(QUEUE, step_ms=1000)
        self._look()

    def _fix(self, at_ms: int) -> dict[str, Any]:
        self.last_ms = at_ms
        lat, lon = (each + random.uniform(-0.0002, 0.0002) for each in (LAT, LON))
        return {"at": at_ms, "lat": lat, "lon": lon, "accuracyM": 8.0, "speedMps": 1.2}

    def _next_ms(self, fixes: int, step_ms: int) -> int:
        """Return the time of the first of some fixes: as late as possible, and after all earlier ones."""
        if self.run_of.saturate:
            return self.last_ms + step_ms
        return max(self.last_ms + step_ms, int(time.time() * 1000) - fixes * step_ms)

    def _traccar(self) -> None:
        fix = self._fix(self._next_ms(1, 1000))
        at = datetime.fromtimestamp(fix["at"] / 1000, UTC).isoformat(timespec="milliseconds")
        coords = {"latitude": fix["lat"], "longitude": fix["lon"], "accuracy": 8, "speed": 1.2}
        location = {"timestamp": at, "coords": coords, "is_moving": True, "event": "motionchange"}
        body = {"device_id": self.phone.token, "location": location}
        self.client.post("/ingest/traccar", json=body, name="traccar")

    def _batch(self, fixes: int, step_ms: int) -> None:
        first = self._next_ms(fixes, step_ms)
        body = {"fixes": [self._fix(first + n * step_ms) for n in range(fixes)]}
        random.shuffle(body["fixes"])
        self._send(body, new=True)
        if random.random() < 0.3:
            self._send(body, new=False)

    def _send(self, body: dict[str, Any], *, new: bool) -> None:
        """Send a report and check that each fix counts once: new ones as accepted, repeated ones as known."""
        with self.client.post(
            "/ingest/positions",
            json=body,
            headers=self.bearer,
            name="positions",
            catch_response=True,
        ) as response:
            if response.status_code != 200:
                response.failure(f"status {response.status_code}: {(response.text or '')[:200]}")
                return
            received = response.json()
        fixes = len(body["fixes"])
        expected = {
            "accepted": fixes if new else 0,
            "duplicates": 0 if new else fixes,
            "refused": [],
        }
        self.run_of.audit.saw(Wrong.FIX, count=fixes)
        if received != expected:
            self.run_of.audit.blame(
                Wrong.FIX, f"{self.company.name}: {received} instead of {expected}"
            )

    def _look(self) -> None:
        """Check that the map shows the last acknowledged fix, or a newer one, in time."""
        deadline = time.monotonic() + SEEN_S
        while True:
            data = self.ask("positions", account=self.client_of.account)
            if data is None:
                return
            shown = {each["number"]: each["at"] for each in data["positions"]}
            at = shown.get(self.phone.number)
            if at is not None and datetime.fromisoformat(at).timestamp() * 1000 >= self.last_ms - 1:
                break
            if time.monotonic() > deadline:
                words = f"guard {self.phone.number} is shown at {at}, not at {self.last_ms}"
                self.run_of.audit.blame(Wrong.FIX, f"{self.company.name}: {words}")
                break
            gevent.sleep(0.3)
        self.run_of.audit.saw(Wrong.FIX)
