"""Scans of patrols: what guards uploaded, with grades, and the tags that prove them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import strawberry

from domain import accounts, patrols
from domain.core.errors import Code
from domain.evidence import Grade
from domain.patrols import ScanReason
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, naming, visible
from schema.core.relations import to_one
from schema.core.roots import query_fields
from schema.core.scalars import Long
from schema.core.types import RESTRICTED, enum, from_row, resolver
from schema.patrols import (
    PatrolPoint,
    PatrolRound,
)
from schema.users import User

enum(
    ScanReason,
    "PatrolScanReason",
    signed_tag="A signed tag made its message.",
    static_tag="The UID of a chip, which can be copied.",
    code="The code of the point, which can be photographed.",
    statement="A position, a photo or an answer, without anything read on the spot.",
    fix_inside="The position of the phone was at the point.",
    no_fix="No position supports it.",
    stale_fix="The position was measured more than a minute earlier or later.",
    fix_outside="The position of the phone was elsewhere.",
    mock_fix="The phone reported the position as simulated.",
    clock_skew="The clock of the phone was wrong by more than two minutes.",
    signature_wrong="The tag that signs here did not make the message.",
    counter_repeated="The counter of the tag did not rise: a recorded message.",
    tag_unknown="No tag or code of the point.",
    tag_revoked="The tag or code had been revoked.",
    two_places="The phone was too far away just before.",
    photo_reused="An earlier scan has the same photo.",
    no_proof="Nothing that the point asks for was given.",
    manual="A person entered it; nothing was read.",
)

ScanRow = strawberry.Parent[patrols.PatrolScan]
TagRow = strawberry.Parent[patrols.PatrolTag]
UploadRow = strawberry.Parent[patrols.PatrolUpload]


@from_row(patrols.PatrolTag)
class PatrolTag(Node):
    """Tag or code at a point, which proves scans until it is revoked."""

    issued_at: Annotated[datetime, "Time from which it counts."]
    revoked_at: Annotated[datetime | None, "Time from which it proves nothing; null: in use."]

    @resolver(bool)
    @staticmethod
    def is_signed(row: TagRow) -> bool:
        """Whether its messages are signed with a key of its own."""
        return row.sealed is not None

    point = to_one(PatrolPoint, patrols.PatrolPoint, "point_id", "Point at which it is fixed.")


@dataclass(frozen=True, slots=True)
class ScanRefusal:
    """Refused scan of an upload, with the reason."""

    sequence: int
    code: Code
    message: str


@from_row(ScanRefusal)
class RefusedScan:
    """Scan that could not be read; it may be sent again when it is corrected."""

    sequence: Annotated[int, "Sequence number of the scan."]
    code: Annotated[Code, "Code of the refusal."]
    message: Annotated[str, "Reason in words, with what to do."]


@from_row(patrols.PatrolUpload)
class PatrolUpload(Node):
    """Scans that a device sent together: each was stored, already known, or refused."""

    device: Annotated[str, "Name of the device within its user's devices."]
    received_at: Annotated[datetime, "Time at which they were received."]
    skew_ms: Annotated[Long, "How far the clock of the device was behind then, in milliseconds."]
    accepted: Annotated[int, "Number of stored scans."]
    duplicates: Annotated[int, "Number of scans that were known already."]

    @resolver(list[RefusedScan])
    @staticmethod
    def refused(row: UploadRow) -> list[ScanRefusal]:
        """Refused scans, each with its reason."""
        return [
            ScanRefusal(each["sequence"], Code(each["code"]), each["message"])
            for each in row.refused
        ]

    user = to_one(User, accounts.User, "user_id", "User who made the scans.")


@from_row(patrols.PatrolScan)
class PatrolScan(Node):
    """Scan of a point by a guard, with its grade; it never changes otherwise."""

    device_at: Annotated[datetime, "Time of the scan, by the clock of the device."]
    received_at: Annotated[datetime, "Time at which it was uploaded."]
    grade: Annotated[Grade, "Grade of the scan; D proves nothing."]
    device: Annotated[str, "Name of the device within its user's devices.", RESTRICTED]
    sequence: Annotated[int, "Number of the scan on the device.", RESTRICTED]
    skew_ms: Annotated[
        Long,
        "How far the clock of the device was behind at the upload, in milliseconds.",
        RESTRICTED,
    ]
    distance_m: Annotated[
        int | None, "Distance of the phone from the point in metres, negative inside.", RESTRICTED
    ]
    accuracy_m: Annotated[int | None, "Accuracy of the position, in metres.", RESTRICTED]
    counter: Annotated[int | None, "Counter of a signed tag at this tap.", RESTRICTED]
    answer: Annotated[str | None, "Answer to the question of the point.", RESTRICTED]

    @resolver(list[ScanReason])
    @staticmethod
    def reasons(row: ScanRow) -> list[ScanReason]:
        """Reasons for the grade."""
        return [ScanReason(each) for each in row.reasons]

    point = to_one(PatrolPoint, patrols.PatrolPoint, "point_id", "Point that was scanned.")

    round = to_one(
        PatrolRound,
        patrols.PatrolRound,
        "round_id",
        "Round that the scan counts for; null outside every round.",
    )

    user = to_one(User, accounts.User, "user_id", "User who is the guard. Null for clients.")

    upload = to_one(PatrolUpload, patrols.PatrolUpload, "upload_id", "Upload with which it came.")


@query_fields
class PatrolScanQuery:
    """Queries of scans."""

    @lists(PatrolScan, patrols.PatrolScan.device_at, patrols.PatrolScan.id, descending=True)
    @staticmethod
    def patrol_scans(
        info: Info,
        account_id: AccountFilter = None,
        round_id: Annotated[strawberry.ID | None, "Only scans that count for this round."] = None,
        point_id: Annotated[strawberry.ID | None, "Only scans of this point."] = None,
    ) -> Rows:
        """Scans of points, newest first; guards see their own."""
        query = visible(info, patrols.PatrolScan, account_id)
        query = naming(info, query, patrols.PatrolScan.round_id, "PatrolRound", round_id)
        return naming(info, query, patrols.PatrolScan.point_id, "PatrolPoint", point_id)
