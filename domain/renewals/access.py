"""Access rules of renewals: for those of the company who look after the relationship."""

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

ACCESS = AccessRules(
    rows={"renewal": Rows((Right.READ_RELATIONSHIP,))},
    fields={
        "Renewal": {
            None: "id fixedUntil noticeBy openedAt daysLeft noticePassedAt outcome decidedAt reason note"
            " priceChangeBps version account agreement",
            Right.READ_ACTORS: "decidedBy",
        },
        "RenewalDossier": {
            None: "fromAt untilAt promisesKept promisesDecided promisesKeptBefore promisesDecidedBefore"
            " commitmentsKept commitmentsDue incidentsResolved meetingsHeld openWarnings openRisks",
            Right.READ_MONEY: "yearlyFeeCents creditsCents invoicedCents currency",
        },
    },
    facts={
        Right.READ_RELATIONSHIP: "renewal.opened renewal.moved renewal.due renewal.notice_passed"
        " renewal.decided"
    },
    queries={"renewals": (), "renewalDossier": (Right.READ_RELATIONSHIP,)},
    subscriptions={"renewalEvents": (Right.READ_LEDGER, Right.READ_RELATIONSHIP)},
    mutations={Right.MANAGE_AGREEMENTS: "decideRenewal"},
)
