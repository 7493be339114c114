"""Conclusions from positions at sites, and the geofences that prove them."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import accounts, positions
from domain.duties import Duty as DutyRow
from domain.positions import Kind
from domain.positions import Presence as PresenceRow
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import Rows, among, lists, naming, visible
from schema.core.mutations import ExpectedVersion, MutationContext, SiteId, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import enum, from_row
from schema.duties import Duty
from schema.sites import Site

enum(
    Kind,
    "PresenceKind",
    stay="Stay inside the geofence of a site.",
    dwell="Dwell: standing still, at any position. For the company only.",
    silence="Silence: on duty without a fix for too long. For the company only.",
    absence="Absence: expected at a site and not there.",
    mock="Simulated positions (mock location), reported by the device: they prove nothing. For the company only.",
)

PresenceParent = strawberry.Parent[PresenceRow]


@from_row(PresenceRow)
class Presence(Node):
    """Conclusion from the positions of a guard on duty."""

    kind: Annotated[Kind, "Kind of conclusion, such as a stay or an absence."]
    from_at: Annotated[datetime, "Start of the interval, by the time of the fixes."]
    until_at: Annotated[datetime | None, "End of the interval; null while it lasts."]
    fixes: Annotated[list[datetime], "Times of the fixes that prove the start."]
    lapsed: Annotated[
        bool,
        "Whether a stay ended with the last fix before a gap in the record: the guard may have been there longer.",
    ]

    duty = to_one(Duty, DutyRow, "duty_id", "Duty on which the guard was.")

    site = to_one(
        Site, accounts.Site, "site_id", "Site of a stay or an absence; null for other kinds."
    )


@query_fields
class PresenceQuery:
    """Queries of conclusions from positions."""

    @lists(Presence, PresenceRow.from_at, PresenceRow.id, descending=True)
    @staticmethod
    def presences(
        info: Info,
        account_id: Annotated[strawberry.ID | None, "Only conclusions for this account."] = None,
        site_id: Annotated[strawberry.ID | None, "Only conclusions at this site."] = None,
        kinds: Annotated[list[Kind] | None, "Only conclusions of these kinds."] = None,
        lasting: Annotated[bool, "Only those that last now; false for all."] = False,
    ) -> Rows:
        """Conclusions from positions, the latest first. Those that last are the current status of the sites."""
        query = visible(info, PresenceRow, account_id)
        query = naming(info, query, PresenceRow.site_id, "Site", site_id)
        query = among(query, PresenceRow.kind, kinds)
        return query.where(PresenceRow.until_at.is_(None)) if lasting else query


@mutation_fields
class FenceMutation:
    """Mutation of geofences."""

    @mutation(Site)
    @staticmethod
    async def fence_site(
        ask: MutationContext,
        site_id: Annotated[SiteId, "Site to draw the geofence of."],
        radius_m: Annotated[float | None, "Radius of a circle around the site, in metres."] = None,
        outline: Annotated[
            list[float] | None,
            "Corners of a polygon, instead of a radius: latitude, longitude, latitude, longitude …",
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> accounts.Site:
        """Set the geofence of a site: a guard inside it is at the site.

        Without radius and outline the geofence is removed.
        """
        return await positions.draw_fence(
            ask.tx, site_id, radius_m=radius_m, outline=outline, expected_version=expected_version
        )
