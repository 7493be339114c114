"""Access rules of business reviews: they hold money, and clients see those that were released to them."""

from typing import Any

from sqlalchemy import ColumnElement

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

_READ = (Right.READ_QUALITY, Right.READ_MONEY)


def _released(model: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = model.released_at.is_not(None)
    return found


ACCESS = AccessRules(
    rows={"business_review": Rows(_READ, unless={Right.READ_INTERNAL: _released})},
    row_texts={("business_review", Right.READ_INTERNAL): "released to the client"},
    fields={
        "BusinessReview": {
            None: "id kind fromOn untilOn revision madeAt contentHash templateHash isSameTemplate releasedAt"
            " headline parts pdfPath htmlPath version account",
            Right.READ_ACTORS: "madeBy releasedBy",
        },
    },
    facts={Right.READ_MONEY: "business_review.made business_review.released"},
    queries={"businessReviews": ()},
    subscriptions={"businessReviewEvents": (Right.READ_LEDGER, *_READ)},
    downloads={
        "/business-reviews/{id}.pdf": _READ,
        "/business-reviews/{id}.html": _READ,
    },
    mutations={Right.MANAGE_ACCOUNTS: "makeBusinessReview releaseBusinessReview"},
)
