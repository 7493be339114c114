"""Mutations of patrols: routes, tags, rounds, and scans as devices send them."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated
from uuid import UUID

import strawberry

from domain import patrols
from domain.core.encryption import SecretCipher
from domain.core.errors import Code, Refused
from domain.evidence import Grade
from domain.patrols import PatrolOrder, PointKind
from schema.core import ids
from schema.core.argument_groups import ArgumentGroup
from schema.core.bounds import each_by_itself
from schema.core.context import Context
from schema.core.mutations import GlobalIdOf, MutationContext, SiteId, mutation
from schema.core.roots import mutation_fields
from schema.core.types import from_row, input_type, resolver
from schema.patrol_scans import PatrolTag, PatrolUpload
from schema.patrols import PatrolPointId, PatrolRound, PatrolRoundId, PatrolRoute, PatrolRouteId

PatrolTagId = Annotated[UUID, GlobalIdOf("PatrolTag")]


@input_type
class PatrolPointInput:
    """Point of a route."""

    name: Annotated[str, "Name of the point."]
    kind: Annotated[PointKind, "What proves that a guard was there."]
    lat: Annotated[float | None, "Latitude in degrees, WGS 84; with `lon`."] = None
    lon: Annotated[float | None, "Longitude in degrees, WGS 84; with `lat`."] = None
    radius_m: Annotated[int, "Distance within which a phone is at the point, in metres."] = 30
    due_minutes: Annotated[
        int | None, "Minutes after the start of a round by which it is due; null: by its end."
    ] = None
    question: Annotated[str | None, "Question to answer, for a point of kind QUESTION."] = None


@input_type
class PatrolPositionInput:
    """Position of the phone at a scan."""

    lat: Annotated[float, "Latitude in degrees, WGS 84."]
    lon: Annotated[float, "Longitude in degrees, WGS 84."]
    at: Annotated[datetime, "Time at which the position was measured, by the device's clock."]
    accuracy_m: Annotated[float | None, "Accuracy of the position, in metres."] = None
    is_mock: Annotated[bool, "Whether the phone reports the position as simulated."] = False


@input_type
class PatrolScanInput:
    """Scan of a point: `pointId`, or what was read there, with its proof."""

    sequence: Annotated[int, "Number of the scan on the device; each is stored once."]
    at: Annotated[datetime, "Time of the scan, by the clock of the device."]
    point_id: Annotated[
        strawberry.ID | None, "Point; needed for all kinds but QR codes and chips with a fixed UID."
    ] = None
    code: Annotated[str | None, "Content of the QR code."] = None
    uid: Annotated[str | None, "UID of the chip, as hexadecimal digits."] = None
    picc: Annotated[
        str | None, "Encrypted identity from a signed tag (`picc_data`), hexadecimal."
    ] = None
    mac: Annotated[str | None, "Signature from a signed tag (`cmac`), hexadecimal."] = None
    position: Annotated[PatrolPositionInput | None, "Position of the phone at the scan."] = None
    photo_sha256: Annotated[str | None, "SHA-256 of the photo, hexadecimal in lower case."] = None
    answer: Annotated[str | None, "Answer to the question of the point."] = None
    is_manual: Annotated[bool, "Whether a person entered it because nothing could be read."] = False


each_by_itself(PatrolScanInput)  # a scan that cannot be read does not refuse the others


@dataclass(frozen=True, kw_only=True)
class RouteArguments(ArgumentGroup):
    """The arguments of a route."""

    name: Annotated[str, "Name of the route."]
    service: Annotated[str, "Service that it performs, by which an agreement can promise it."]
    rule: Annotated[str, "RFC 5545 rule of days, such as `FREQ=DAILY`; no UNTIL."]
    starts_on: Annotated[date, "Day from which the rule counts."]
    local_start: Annotated[time, "Local time at which the window of a day begins."]
    local_end: Annotated[time, "Local time of its end; the next day unless after the start."]
    round_minutes: Annotated[int, "Time for one round, in minutes."]
    ends_on: Annotated[date | None, "Last day of the route, or null for no end."] = None
    rounds: Annotated[int, "Number of rounds in a window, 1 to 48."] = 1
    ordering: Annotated[PatrolOrder, "Whether the points have an order."] = PatrolOrder.ANY
    is_random: Annotated[bool, "Whether rounds begin at random in their slots."] = False
    lowest_grade: Annotated[Grade, "Lowest grade of a scan that proves a visit: A, B or C."] = (
        Grade.C
    )
    least_minutes: Annotated[int, "Shortest believable time for a whole round, in minutes."] = 0
    late_minutes: Annotated[int, "How long after it was due a visit is late, not missed."] = 15


@dataclass(frozen=True, slots=True)
class IssuedTag:
    """A tag with the content of its QR code, which is None for chips and when the response is repeated."""

    row: patrols.PatrolTag
    content: str | None = None


@from_row(IssuedTag)
class IssuedPatrolTag:
    """Tag that was issued, with what has to be printed."""

    content: Annotated[
        str | None, "Content of the QR code, returned here only; null for chips and when repeated."
    ]

    @resolver(PatrolTag)
    @staticmethod
    def tag(row: strawberry.Parent[IssuedTag]) -> patrols.PatrolTag:
        """Tag that is in use now."""
        return row.row


@mutation_fields
class PatrolMutation:
    """Mutations of patrols."""

    @mutation(PatrolRoute)
    @staticmethod
    async def add_patrol_route(
        ask: MutationContext,
        route: RouteArguments,
        site_id: Annotated[SiteId, "Site that is patrolled."],
        points: Annotated[list[PatrolPointInput], "Points in their order, 1 to 100."],
    ) -> patrols.PatrolRoute:
        """Add a route to a site; `planPatrolRounds` plans rounds of it."""
        drafts = [patrols.PointDraft(**vars(each)) for each in points]
        draft = patrols.RouteDraft(points=drafts, **route.given())
        return await patrols.add_route(ask.tx, site_id, draft)

    @mutation(PatrolRoute)
    @staticmethod
    async def end_patrol_route(
        ask: MutationContext,
        id: Annotated[PatrolRouteId, "Route that gets another last day."],
        ends_on: Annotated[date | None, "Last day of the route, or null for no end."],
    ) -> patrols.PatrolRoute:
        """Set the last day of a route; rounds that are planned already stay."""
        return await patrols.end_route(ask.tx, id, ends_on=ends_on)

    @mutation(IssuedPatrolTag, again=IssuedTag)
    @staticmethod
    async def issue_patrol_tag(
        ask: MutationContext,
        point_id: Annotated[PatrolPointId, "Point at which the tag is fixed."],
        uid: Annotated[str | None, "UID of the chip, hexadecimal; null for a QR code."] = None,
        meta_key: Annotated[
            str | None, "AES key that encrypts the identity (SDMMetaRead), for a signed tag."
        ] = None,
        file_key: Annotated[
            str | None, "AES key that signs (SDMFileRead), for a signed tag."
        ] = None,
    ) -> IssuedTag:
        """Issue the tag or code of a point; the one before is revoked."""
        draft = patrols.TagDraft(uid=uid, meta_key=meta_key, file_key=file_key)
        return IssuedTag(*await patrols.issue_tag(ask.tx, vault_of(ask.ctx), point_id, draft))

    @mutation(PatrolTag)
    @staticmethod
    async def revoke_patrol_tag(
        ask: MutationContext,
        id: Annotated[PatrolTagId, "Tag that was lost or copied."],
        reason: Annotated[str, "Reason, as one line of text."],
    ) -> patrols.PatrolTag:
        """Revoke a tag or code: scans of it from now on prove nothing."""
        return await patrols.revoke_tag(ask.tx, id, reason=reason)

    @mutation(PatrolRoute)
    @staticmethod
    async def plan_patrol_rounds(
        ask: MutationContext,
        route_id: Annotated[PatrolRouteId, "Route from which to plan."],
        first_on: Annotated[date, "First local day on which a window may begin."],
        last_on: Annotated[date, "Last local day on which a window may begin, within 400 days."],
    ) -> patrols.PatrolRoute:
        """Plan the rounds of a route in a period: all of them or none. Planned days are not planned again."""
        return await patrols.plan_rounds(ask.tx, route_id, first_on=first_on, last_on=last_on)

    @mutation(PatrolRound)
    @staticmethod
    async def cancel_patrol_round(
        ask: MutationContext,
        id: Annotated[PatrolRoundId, "Round that is not needed."],
        reason: Annotated[str, "Reason, as one line of text."],
    ) -> patrols.PatrolRound:
        """Cancel a round before it begins."""
        return await patrols.cancel_round(ask.tx, id, reason=reason)

    @mutation(PatrolUpload)
    @staticmethod
    async def upload_patrol_scans(
        ask: MutationContext,
        device: Annotated[str, "Name of your device, which numbers its scans."],
        sent_at: Annotated[datetime, "Current time by the clock of the device."],
        scans: Annotated[list[PatrolScanInput], "Scans in any order, at most 500."],
    ) -> patrols.PatrolUpload:
        """Upload your scans, also days later; one that is sent several times counts once."""
        return await patrols.upload_scans(
            ask.tx,
            vault_of(ask.ctx),
            device=device,
            sent_at=sent_at,
            scans=[scan_draft(each) for each in scans],
        )


def scan_draft(given: PatrolScanInput) -> patrols.ScanDraft:
    """Read a scan; a point that does not exist is refused with the scan."""
    values = dict(vars(given))
    point_id, position = values.pop("point_id"), values.pop("position")
    return patrols.ScanDraft(
        **values,
        point_id=None if point_id is None else ids.known(point_id, "PatrolPoint") or UUID(int=0),
        position=None if position is None else patrols.ClaimedPosition(**vars(position)),
    )


def vault_of(ctx: Context) -> SecretCipher:
    """Return the cipher of tags; refuses where there is none."""
    if ctx.desk is None:
        raise Refused(Code.BUSY, "Secrets of tags are not available here.", retryable=True)
    found: SecretCipher = ctx.desk.vault
    return found
