"""What positions prove at a client's places, and the fences they are proven by."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import accounts, positions
from domain.duties import Duty as DutyRow
from domain.positions import Kind
from domain.positions import Presence as PresenceRow
from schema.accounts import Site
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import Rows, among, lists, naming, visible
from schema.core.mutations import ExpectedVersion, MutationContext, SiteId, mutation
from schema.core.types import enum, from_row, resolver
from schema.duties import Duty

enum(
    Kind, "PresenceKind",
    stay="Inside a site's fence.", dwell="Standing still, wherever. For the company only.",
    silence="On duty, and not heard of. For the company only.",
    absence="Expected at a site, and not there.",
    mock="The device says that its positions are made up: they prove nothing. For the company only.",
)  # fmt: skip

PresenceParent = strawberry.Parent[PresenceRow]


@from_row(PresenceRow)
class Presence(Node):
    """Something positions prove about a guard on duty."""

    kind: Annotated[Kind, "What."]
    from_at: Annotated[datetime, "From when, by the instants of fixes."]
    until_at: Annotated[datetime | None, "Until when; null while it lasts."]
    fixes: Annotated[list[datetime], "The instants of the fixes that prove the beginning."]
    lapsed: Annotated[
        bool,
        "Whether a stay ended with the last fix before a hole in the record: the guard may have been there longer.",
    ]

    @resolver(Duty | None)
    @staticmethod
    async def duty(row: PresenceParent, info: Info) -> DutyRow | None:
        """The duty."""
        duty: DutyRow | None = await info.context.loaders.of_type["Duty"].load(row.duty_id)
        return duty

    @resolver(Site | None)
    @staticmethod
    async def site(row: PresenceParent, info: Info) -> accounts.Site | None:
        """The place, of a stay or an absence."""
        return None if row.site_id is None else await info.context.loaders.site.load(row.site_id)


@strawberry.type
class PresenceQuery:
    """Questions about what positions prove."""

    @lists(Presence, PresenceRow.from_at, PresenceRow.id, descending=True)
    @staticmethod
    def presences(
        info: Info,
        account_id: Annotated[strawberry.ID | None, "Only for this client."] = None,
        site_id: Annotated[strawberry.ID | None, "Only at this place."] = None,
        kinds: Annotated[list[Kind] | None, "Only such."] = None,
        lasting: Annotated[bool, "Only what lasts: the status now."] = False,
    ) -> Rows:
        """What positions prove, the latest first; what lasts is the status of the places."""
        query = visible(info, PresenceRow, account_id)
        query = naming(query, PresenceRow.site_id, "Site", site_id)
        query = among(query, PresenceRow.kind, kinds)
        return query.where(PresenceRow.until_at.is_(None)) if lasting else query


@strawberry.type
class FenceMutation:
    """The verb about fences."""

    @mutation(Site)
    @staticmethod
    async def fence_site(
        ask: MutationContext,
        site_id: Annotated[SiteId, "The place."],
        radius_m: Annotated[float | None, "A circle around it, in metres."] = None,
        outline: Annotated[
            list[float] | None, "Or its corners: latitude, longitude, latitude, longitude …"
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> accounts.Site:
        """Draw a site's fence: inside, a guard is at the site. With neither the fence is taken away."""
        return await positions.draw_fence(
            ask.session, ask.actor, site_id, radius_m=radius_m, outline=outline, at=ask.at,
            expected_version=expected_version,
        )  # fmt: skip
