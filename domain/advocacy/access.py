"""Access rules of advocacy: for those who look after clients; clients see the case studies that they were offered."""

from typing import Any

from sqlalchemy import ColumnElement

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows
from domain.advocacy.model import CaseStudyState


def _offered(model: Any) -> ColumnElement[bool]:
    outside: ColumnElement[bool] = model.state != CaseStudyState.DRAFT
    return outside


ACCESS = AccessRules(
    rows={
        **{
            table: Rows((Right.READ_RELATIONSHIP,))
            for table in ("referral", "reference_call", "champion")
        },
        "case_study": Rows((Right.READ_REVIEWS,), unless={Right.READ_RELATIONSHIP: _offered}),
    },
    row_texts={("case_study", Right.READ_RELATIONSHIP): "not a draft"},
    fields={
        "Referral": {
            None: "id prospect note state valueCents referredAt movedAt reason version account contact wonAccount"
        },
        "CaseStudy": {
            None: "id title words textNumber language state offeredAt channels untilOn consentedAt consentedText"
            " publishedAt endedAt endReason version isShown account",
            Right.READ_RELATIONSHIP: "draftedAt evidenceNote contact",
        },
        "ReferenceCall": {
            None: "id prospect state requestedAt plannedAt heldAt outcomeNote cancelledAt cancelReason version"
            " account contact"
        },
        "Champion": {
            None: "id sinceOn evidenceNote namedAt endedAt endReason endNote version account contact"
        },
    },
    facts={
        Right.READ_RELATIONSHIP: "referral.made referral.moved case_study.drafted case_study.changed"
        " reference_call.requested reference_call.agreed reference_call.held reference_call.cancelled"
        " champion.named champion.ended",
        Right.READ_REVIEWS: "case_study.offered case_study.consented case_study.declined case_study.published"
        " case_study.withdrawn",
    },
    queries={"referrals": (), "caseStudies": (), "referenceCalls": (), "champions": ()},
    subscriptions={"advocacyEvents": (Right.READ_LEDGER, Right.READ_REVIEWS)},
    mutations={
        Right.MANAGE_ACCOUNTS: "makeReferral moveReferral draftCaseStudy changeCaseStudy offerCaseStudy"
        " publishCaseStudy requestReferenceCall agreeReferenceCall holdReferenceCall cancelReferenceCall"
        " nameChampion endChampion",
        Right.FOLLOW_UP: "consentToCaseStudy declineCaseStudy withdrawCaseStudy",
    },
)
