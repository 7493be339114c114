"""Access rules of retention: for those who look after relationships; clients see none of it."""

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

ACCESS = AccessRules(
    rows={
        "client_outcome": Rows((Right.READ_HEALTH,)),
        "churn_forecast": Rows((Right.READ_HEALTH,)),
    },
    fields={
        "Account": {Right.READ_HEALTH: "churnEstimate relationshipScores"},
        "ClientOutcome": {
            None: "id kind reason happenedOn note labelledAt replacedAt account",
            Right.READ_ACTORS: "labelledBy",
        },
        "ChurnForecast": {
            None: "id horizon publishedOn publishedAt endsOn leftWithin scoredAt answer account",
            Right.READ_ACTORS: "publishedBy",
        },
        "ChurnEstimate": {
            None: "horizon horizonDays asOf probability low high intercept logOdds contributions basis"
            " clients leavers calibration"
        },
        "Abstained": {None: "horizon asOf reasons needed warnings"},
        "ChurnContribution": {None: "sign logOdds without"},
        "ForecastCalibration": {None: "n leavers brier brierOfBaseRate ece bias"},
        "ReasonToAbstain": {None: "reason have needed"},
        "CalibrationBin": {None: "fromShare n meanProbability left"},
        "ForecastPair": {None: "probability left"},
        "ForecastReport": {
            None: "horizon published abstained n leavers brier brierOfBaseRate ece bias lift liftOfScore"
            " table pairs"
        },
        "RetentionCohort": {
            None: "name startsOn endsOn atStart kept logo low high gross net",
            Right.READ_MONEY: "feeThenCents feeKeptCents feeNowCents",
        },
        "RelationshipScores": {None: "asOf scores proposalGate lifetimeValue"},
        "RuleScore": {None: "kind value coverage parts"},
        "RuleScorePart": {None: "key weight value contribution words"},
        "ProposalGate": {None: "isOpen goodMoments badMoments"},
        "LifetimeValue": {
            Right.READ_MONEY: "yearlyValueCents lowCents expectedCents highCents",
            None: "words",
        },
    },
    facts={
        Right.READ_HEALTH: "client_outcome.labelled churn.forecast_published churn.forecast_scored"
        " churn.signs_changed"
    },
    queries={
        "churnForecasts": (),
        "clientOutcomes": (),
        "forecastReport": (Right.READ_HEALTH,),
        "retention": (Right.READ_HEALTH, Right.READ_MONEY),
    },
    mutations={Right.MANAGE_ACCOUNTS: "publishChurnForecast labelClientOutcome"},
)
