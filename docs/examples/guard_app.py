"""A guard app in one file: it keeps events while there is no network, and sends them later. Standard library only.

    guard_app.py QUEUE clock-in SHIFT [LAT LON ACCURACY]
    guard_app.py QUEUE clock-out SHIFT [LAT LON ACCURACY]
    guard_app.py QUEUE scan CODE
    guard_app.py QUEUE send URL          the token of the guard is in the variable TOKEN

QUEUE is a file. Run again what failed: an event has an id and is stored once.
"""

import json
import os
import sys
import time
import urllib.request
import uuid
from datetime import UTC, datetime
from pathlib import Path

SEND = """mutation ($input: UploadPhoneEventsInput!) { uploadPhoneEvents(input: $input) {
  ... on PhoneBatch { accepted duplicates waiting clockErrorMs refused { eventId code message } }
  ... on Refusal { code message } } }"""
MOST = 500


def clocks() -> dict[str, object]:
    """Both clocks of the phone: the wall clock may be wrong, the monotonic one counts from the last start."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = str(round(time.time() - time.monotonic()))
    return {"uptimeSeconds": time.monotonic(), "boot": boot}


def wall_clock() -> str:
    """The time that the phone shows; CLOCK_ERROR_S makes it wrong, to try that."""
    error = float(os.environ.get("CLOCK_ERROR_S", "0"))
    return datetime.fromtimestamp(time.time() + error, UTC).isoformat()


def kept(queue: Path) -> list[dict[str, object]]:
    """The events that were not confirmed yet."""
    return [json.loads(line) for line in queue.read_text().splitlines()] if queue.exists() else []


def keep(queue: Path, kind: str, **more: object) -> None:
    """Write an event down before anything else is tried."""
    event = {"id": str(uuid.uuid4()), "kind": kind, "at": wall_clock(), **clocks(), **more}
    with queue.open("a") as file:
        file.write(json.dumps(event) + "\n")


def position(words: list[str]) -> dict[str, object]:
    """Where the phone is, if it knows."""
    if not words:
        return {}
    lat, lon, accuracy = map(float, words)
    return {"lat": lat, "lon": lon, "accuracyM": accuracy, "positionAgeSeconds": 0.0, "mock": False}


def send(queue: Path, url: str) -> int:
    """Send what was kept; forget what the server has, keep the rest. Return how many events are left."""
    events = kept(queue)
    if not events:
        return 0
    given = {"device": "example", "sentAt": wall_clock(), **clocks(), "events": events[:MOST]}
    request = urllib.request.Request(
        url,
        json.dumps({"query": SEND, "variables": {"input": given}}).encode(),
        {"content-type": "application/json", "authorization": f"Bearer {os.environ['TOKEN']}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            said = json.load(response)
    except OSError as error:
        print(f"not sent: {error}", file=sys.stderr)
        return len(events)
    answer = (said.get("data") or {}).get("uploadPhoneEvents") or {"code": "ERROR", **said}
    print(json.dumps(answer))
    if "code" in answer:
        return len(events)
    queue.write_text("".join(json.dumps(each) + "\n" for each in events[MOST:]))
    return len(events[MOST:])


def main(words: list[str]) -> int:
    """Do what the words say."""
    queue, what, *rest = words
    path = Path(queue)
    if what in {"clock-in", "clock-out"}:
        kind = what.replace("-", "_").upper()
        keep(path, kind, shiftId=rest[0], **position(rest[1:]))
    elif what == "scan":
        sequence = len(kept(path)) + int(time.time())
        keep(path, "SCAN", scan={"sequence": sequence, "at": wall_clock(), "code": rest[0]})
    elif what == "send":
        return 1 if send(path, rest[0]) else 0
    else:
        print(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
