"""Lanes: which jobs are executed one after the other."""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID


def lane_of(job: str, subject_id: UUID, body: Mapping[str, Any]) -> int:
    """Return the key of the rows that are executed one after the other, in the order of their facts.

    Jobs that compose letters (`tell_…`) about one subject share a lane, so that no letter is composed before an
    earlier one. Letters about one subject to one contact share a lane when they are sent. Any other job is ordered
    with itself only, so that a letter that fails delays no credit and no escalation.
    """
    if job == "send_message" and "intent" in body:
        about = ":".join(str(body["intent"]).split(":")[:2])
        key = f"send_message:{about}:{body.get('contact_id')}"
    else:
        key = f"{'tell' if job.startswith('tell_') else job}:{subject_id}"
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big", signed=True)
