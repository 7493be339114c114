"""Links to calendars of shifts: the list and the mutations."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, calendar_feeds
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import Rows, lists, naming, visible
from schema.core.mutations import GlobalIdOf, MutationContext, SiteId, UserId, mutation
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import from_row, resolver
from schema.sites import Site
from schema.users import User

FeedRow = strawberry.Parent[calendar_feeds.CalendarFeed]
CalendarFeedId = Annotated[UUID, GlobalIdOf("CalendarFeed")]


@from_row(calendar_feeds.CalendarFeed)
class CalendarFeed(Node):
    """Link to the published shifts of a guard or of a site in iCalendar format, for calendar programs."""

    added_at: Annotated[datetime, "Time at which the link was made."]
    revoked_at: Annotated[datetime | None, "Time from which the link is dead; null: it works."]

    @resolver(str | None)
    @staticmethod
    def url(row: FeedRow, info: Info) -> str | None:
        """Path of the calendar on this server; who has it needs no other login. Null once it is revoked."""
        links = info.context.calendar_links
        if links is None or row.revoked_at is not None:
            return None
        return f"{links.path}{links.token(row.id)}.ics"

    @resolver(User | None)
    @staticmethod
    async def user(row: FeedRow, info: Info) -> accounts.User | None:
        """Guard with these shifts; null: a link of a site."""
        return await info.context.get(accounts.User, row.user_id)

    @resolver(Site | None)
    @staticmethod
    async def site(row: FeedRow, info: Info) -> accounts.Site | None:
        """Site of these shifts; null: a link of a guard."""
        return await info.context.get(accounts.Site, row.site_id)


@query_fields
class CalendarFeedQuery:
    """Queries of links to calendars."""

    @lists(CalendarFeed, calendar_feeds.CalendarFeed.added_at, calendar_feeds.CalendarFeed.id)
    @staticmethod
    def calendar_feeds(
        info: Info,
        site_id: Annotated[strawberry.ID | None, "Only links of this site."] = None,
        user_id: Annotated[strawberry.ID | None, "Only links of this guard."] = None,
    ) -> Rows:
        """Links to calendars of shifts, by the time at which they were made; guards see their own, clients none."""
        row = calendar_feeds.CalendarFeed
        query = naming(info, visible(info, row), row.site_id, "Site", site_id)
        return naming(info, query, row.user_id, "User", user_id)


@mutation_fields
class CalendarFeedMutation:
    """Mutations of links to calendars."""

    @mutation(CalendarFeed)
    @staticmethod
    async def add_calendar_feed(
        ask: MutationContext,
        user_id: Annotated[UserId | None, "Guard with the shifts; or give siteId."] = None,
        site_id: Annotated[SiteId | None, "Site with the shifts; or give userId."] = None,
    ) -> calendar_feeds.CalendarFeed:
        """Make a link to the shifts of a guard or of a site: guards to their own ones, the office to any."""
        return await calendar_feeds.add_feed(ask.tx, user_id=user_id, site_id=site_id)

    @mutation(CalendarFeed)
    @staticmethod
    async def revoke_calendar_feed(
        ask: MutationContext, id: Annotated[CalendarFeedId, "Link that shall not work any more."]
    ) -> calendar_feeds.CalendarFeed:
        """Revoke a link: who has it finds nothing from now on."""
        return await calendar_feeds.revoke_feed(ask.tx, id)
