"""Access rules of competitors: for those of the company who look after clients."""

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows, in_company

ACCESS = AccessRules(
    rows={
        table: Rows((Right.READ_RELATIONSHIP,), "the own company", in_company)
        for table in ("competitor", "competitor_figure")
    },
    fields={
        "Competitor": {None: "id name note createdAt endedAt version figures"},
        "CompetitorFigure": {None: "id platform readOn reviews share url enteredAt enteredBy"},
        "VoiceShare": {None: "competitor n share rating fromOn untilOn"},
    },
    facts={
        Right.READ_RELATIONSHIP: "competitor.added competitor.changed competitor.figure_entered"
    },
    queries={"competitors": (), "shareOfVoice": (Right.READ_REVIEWS, Right.READ_RELATIONSHIP)},
    subscriptions={"competitorEvents": (Right.READ_LEDGER, Right.READ_RELATIONSHIP)},
    mutations={Right.MANAGE_ACCOUNTS: "addCompetitor changeCompetitor enterCompetitorFigure"},
)
