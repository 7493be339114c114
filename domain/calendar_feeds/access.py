"""Access rules of calendar links: the office sees them, and a guard the own ones; who has a link needs no right."""

from domain.access import Right, own_work
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

ACCESS = AccessRules(
    rows={
        "calendar_feed": Rows(
            (Right.READ_ROSTER, Right.READ_INTERNAL),
            "accessible accounts; always one's own",
            always=own_work.user_is_self,
        )
    },
    row_texts={("calendar_feed", None): "the own links"},
    fields={"CalendarFeed": {None: "id url addedAt revokedAt user site"}},
    facts={Right.READ_ROSTER: "calendar_feed.added calendar_feed.revoked"},
    queries={"calendarFeeds": ()},
    mutations={Right.ATTEND: "addCalendarFeed revokeCalendarFeed"},
)
