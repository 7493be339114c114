"""Access rules of feedback: for those who read the relationship; clients see none of it."""

from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from domain.access import Actor, Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows, in_company


def _with_names(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select texts of accessible accounts and of no client, without anonymous ones."""
    general = and_(in_company(actor, model), model.account_id.is_(None))
    return and_(or_(actor.scope(model), general), model.is_anonymous.is_(False))


ACCESS = AccessRules(
    rows={
        "text_sentiment": Rows(
            (Right.READ_RELATIONSHIP,),
            "accessible accounts, and linked to no client, without anonymous ones",
            _with_names,
        ),
        "theme_taxonomy": Rows((Right.READ_RELATIONSHIP,), "the own company", in_company),
        "sentiment_head": Rows((Right.READ_RELATIONSHIP,), "the own company", in_company),
    },
    fields={
        "SurveyAnswer": {None: "sentiment"},
        "Review": {Right.READ_RELATIONSHIP: "sentiment"},
        "TextSentiment": {
            None: "id kind writtenAt readAt polarity confidence label readLabel method version taxonomyVersion words"
            " themes suggestedTheme score scoreDisagrees correctedAt rowVersion account review incidentUpdate response",
            Right.READ_ACTORS: "correctedBy",
        },
        "TextTheme": {None: "theme parent words"},
        "ThemeTaxonomy": {None: "id number effectiveAt madeAt changes"},
        "ThemeWordChange": {None: "theme added removed"},
        "ThemesInForce": {None: "version effectiveAt themes"},
        "ThemeWords": {None: "theme parent words"},
        "SentimentHead": {
            None: "id number method baseVersion version texts trainedAt errorBefore errorAfter isUsed"
        },
        "SentimentMonth": {None: "monthOn n negative share tooFew"},
    },
    facts={
        Right.READ_RELATIONSHIP: "sentiment.read sentiment.corrected theme_words.revised sentiment_head.trained"
    },
    queries={
        **dict.fromkeys(("textSentiments", "themeTaxonomies", "sentimentHeads"), ()),
        "themesInForce": (Right.READ_RELATIONSHIP,),
        "sentimentTrend": (Right.READ_RELATIONSHIP,),
    },
    subscriptions={"sentimentEvents": (Right.READ_LEDGER, Right.READ_RELATIONSHIP)},
    mutations={Right.MANAGE_ACCOUNTS: "correctSentiment reviseThemeWords"},
)
