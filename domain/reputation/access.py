"""Access rules of reviews: for those who look after clients; a client sees the reviews that are linked to it."""

from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from domain.access import Actor, Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows, in_company


def _within_reach(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select reviews that are linked to accessible accounts, and those that are linked to no client."""
    return or_(actor.scope(model), and_(in_company(actor, model), model.account_id.is_(None)))


_LINKED = {Right.READ_RELATIONSHIP: lambda model: model.account_id.is_not(None)}
_TABLES = ("review", "review_version")
ACCESS = AccessRules(
    rows={
        "review_source": Rows((Right.READ_REVIEWS,), "the own company", in_company),
        **{
            table: Rows(
                (Right.READ_REVIEWS, Right.READ_ACCOUNTS),
                "accessible accounts, and linked to no client",
                _within_reach,
                unless=_LINKED,
            )
            for table in _TABLES
        },
        "review_link": Rows((Right.READ_RELATIONSHIP,)),
    },
    row_texts={(table, Right.READ_RELATIONSHIP): "reviews linked to a client" for table in _TABLES},
    fields={
        "ReviewSource": {
            None: "id kind name location isActive scaleLow scaleHigh shownRating shownCount readAt",
            Right.READ_RELATIONSHIP: "url settings intervalSeconds createdAt nextReadAt fullReadAt failures error"
            " unreadable version hasCredentials fellOn",
        },
        "Review": {
            None: "id state rating scaleLow scaleHigh share statedRating ratingsDiffer author place title words"
            " language recommends verification verifiedBy url replyWords repliedAt writtenAt changedAt receivedAt"
            " goneAt themes source account versions",
            Right.READ_RELATIONSHIP: "externalId reference seenAt misses links",
        },
        "ReviewVersion": {
            None: "id number readAt changedAt rating statedRating author title words language verification replyWords"
            " repliedAt",
            Right.READ_RELATIONSHIP: "raw",
        },
        "ReviewLink": {
            None: "id state score parts decidedBy review account contact incident recoveryCase"
        },
        "ReviewFigures": {
            None: "source n rating positive negative perMonth perMonthBefore answered answeredN responseSeconds"
            " responseN disagreeing",
            Right.READ_RELATIONSHIP: "causedN caused breachedN daysFromCause",
        },
    },
    facts={
        Right.READ_RELATIONSHIP: "review_source.added review_source.changed review_source.rating_fell"
        " review_source.rating_recovered review.link_suggested review.link_refused",
        Right.READ_REVIEWS: "review.received review.edited review.reply_seen review.gone review.restored"
        " review.linked",
    },
    queries={
        "reviews": (),
        "reviewSources": (),
        "reviewFigures": (Right.READ_REVIEWS,),
        "reviewLinks": (),
    },
    subscriptions={
        "reviewReceived": (Right.READ_LEDGER, Right.READ_REVIEWS),
        "reviewSourceEvents": (Right.READ_LEDGER, Right.READ_RELATIONSHIP),
    },
    mutations={
        Right.MANAGE_ACCOUNTS: "addReviewSource changeReviewSource linkReview confirmReviewLink refuseReviewLink"
    },
    scopes={"reviews:read": frozenset({Right.READ_REVIEWS})},
)
