"""Access table, fields: the right that opens each field of each type, by its name in the API.

A field without an entry is refused to everybody. `NONE` is for fields that everybody may read who sees the row. A field
that an actor may not read returns null, an empty list, or (where neither fits) the error FORBIDDEN at its path.

Entries stand here, in `access.py` of a capability (see `declarations`), or on the line of the field in its schema type.
"""

from collections.abc import Mapping

from domain.access.rights import Right

R = Right
NONE = None
Fields = Mapping[Right | None, str]


def _all(names: str) -> Fields:
    return {NONE: names}


FIELDS: dict[str, Fields] = {
    "PageInfo": _all("hasNextPage hasPreviousPage startCursor endCursor"),
    "FactKind": _all("kind description fields"),
    "FactField": _all("name type nullable values names"),
    "Refusal": _all("code message argument retryable existingId"),
    "Viewer": _all("role subject reachesAllAccounts tenant user"),
    "Tenant": _all("id name kvkNumber permitNumber timeZone currency"),
    "User": {NONE: "id name role language version", R.READ_PEOPLE: "email disabledAt"},
    "Account": {
        NONE: "id name vertical regions serviceTier timeZone language currency version"
        " sites incidents agreements contacts",
        R.READ_AGREEMENTS: "kvkNumber segment employees complexity contractType clientSinceOn",
        R.READ_RELATIONSHIP: "yearlyRevenueCents yearlyTransactions growthPotential"
        " strategicImportance stage cadenceTier",
    },
    "Site": _all(
        "id name street postcode city country lat lon services fenceRadiusM fenceOutline version"
        " account incidents"
    ),
    "Contact": {
        NONE: "id name email phone role seniority channel language timeZone quietFrom quietUntil"
        " wantsServiceMessages version",
        R.READ_RELATIONSHIP: "decisionPower relationshipStrength lastContactAt tone culturalNotes",
        R.READ_STAFF: "internalOwner",
    },
    "Incident": {
        NONE: "id number kind category priority source reporter summary status openedAt occurredAt agreedAt"
        " acknowledgedAt arrivedAt resolvedAt closedAt reopenedCount reassignedCount externalSource externalId"
        " version timeToAcknowledgeSeconds timeToArriveSeconds timeToResolveSeconds"
        " firstContactResolution outcome account site assignee updates pauses promises credits lateArrivals",
        R.READ_PROMISES: "nextDueAt",
    },
    "LateArrival": _all("arrivedAt offeredAt lateSeconds guard decision decidedAt duty fixes"),
    "IncidentUpdate": _all("id at author body clientVisible"),
    "Pause": _all("id fromAt untilAt capAt cause note"),
    "Promise": {
        NONE: "id part kind name priority internal state startedAt stoppedAt dueAt breachesAt decidedAt warned"
        " verdict targetSeconds elapsedSeconds remainingSeconds pausedSeconds incident unit term credit"
        " decidingFacts",
        R.READ_INTERNAL: "internalObjective",
    },
    "PromiseTerm": {
        NONE: "id name kind ticketKinds category objectivePpm clockStart pausable internal calendar sites hours targets"
        " creditRules creditBands",
        R.READ_INTERNAL: "internalObjectives",
    },
    "PromiseTarget": _all("id priority elapsedSeconds businessDays"),
    "CreditRule": _all(
        "id priority basis fixedCents feeBps rateCode unitsMilli leastCents mostCents"
    ),
    "CreditBand": _all("belowPpm fixedCents feeBps"),
    "Calendar": _all("id name versions"),
    "CalendarVersion": _all("id number spec calendar"),
    "Agreement": _all(
        "id reference title signedOn endedAt fixedUntil noticeMonths noticeDays noticeBy"
        " renewsForMonths version account terms rates"
    ),
    "Terms": {
        NONE: "id number currency perCause inForceFrom inForceUntil promises agreement",
        R.READ_MONEY: "periodFeeCents creditCapCents",
    },
    "Rate": _all("id code rateCode name unit priceCents currency fromOn untilOn"),
    "Credit": {
        NONE: "id number kind state amountCents uncappedCents unitsMilli currency monthOn decidedAt"
        " overrideCents decisionReason netCents entries account promise incident agreement",
        R.READ_INTERNAL: "decisionBy",
    },
    "JournalEntry": _all("n kind reason at lines"),
    "JournalLine": _all("book amountCents currency"),
    "Dispute": _all(
        "id state reason openedAt verdictWas verdictWasAt factsWas verdictNow verdictNowAt factsNow"
        " outcome decidedAt promise"
    ),
    "CompensationPolicy": _all(
        "id approvalAboveCents approvalCurrency vatCategory vatRateBps version"
    ),
    "StatementLine": _all("at kind reason amountCents balanceCents currency"),
    "TrialLine": _all("book currency amountCents"),
    "BillingLine": _all("rateCode name unit plannedMilli deliveredMilli billedMilli billedCents"),
    "BillingParty": _all(
        "id legalName kvkNumber vatNumber street postcode city country iban bic billFromOn version"
        " account"
    ),
    "PlannedLine": _all("id monthOn rateCode quantityMilli version agreement"),
    "DeliveredLine": _all("id rateCode deliveredOn quantityMilli reference agreement"),
    "Invoice": _all(
        "id number issuedOn dueOn periodFromOn periodUntilOn currency netCents vatCents grossCents"
        " lines creditNote payments openCents agreement"
    ),
    "InvoiceLine": _all(
        "position name quantityMilli unit priceCents netCents vatCategory vatRateBps"
    ),
    "CreditNote": _all(
        "id number issuedOn periodFromOn periodUntilOn currency netCents vatCents grossCents lines"
        " closing payouts openCents pdfPath xmlPath"
    ),
    "CreditNoteLine": _all(
        "position name quantityMilli priceCents netCents vatCategory vatRateBps"
    ),
    "Payment": _all("id amountCents paidOn reference reversedAt"),
    "Payout": _all("id amountCents paidOn reference reversedAt"),
    "Simulation": _all(
        "id fromAt untilAt units kept weeks seed p50Cents p95Cents limitCents simulatedAt"
        " simulatedBy evaluator signedOffAt signOffReason termsSha256 signOffNeeded promises account"
        " signedOffBy"
    ),
    "SimulatedPromise": _all("promise internal n kept objectivePpm breaks creditsCents site"),
    "LedgerEntry": _all(
        "kind at recordedAt actor body ids traceId words subjectId cursor hash account"
    ),
    "FeedEvent": _all(
        "gap kind at recordedAt actor body ids cursor subjectId account incident promise credit"
    ),
    "AuditCheckpoint": _all("size note verifierKey signedAt rootHash"),
    "AuditFact": _all("position text hashes disclosures"),
    "AuditFacts": _all("account treeSize facts"),
    "AuditConsistency": _all("hashes"),
    "Message": {
        NONE: "id intent template templateVersion language urgency topic channel recipient subject"
        " body state queuedAt notBefore sentAt deliveredAt readAt bouncedAt log account contact",
        R.READ_STAFF: "attempts error",
    },
    "MessageAttempt": {
        NONE: "number channel beganAt handedOverAt endedAt outcome",
        R.READ_STAFF: "error",
    },
    "SlaCompliance": {
        NONE: "window fromAt untilAt n kept ratio wilson missesLeft score evaluator evaluatedAt late"
        " budget p50Seconds p90Seconds p95Seconds inputSha256 site promise terms calendars"
        " latePromises excluded",
        R.READ_INTERNAL: "internalObjectives",
    },
    "QualityScore": {
        NONE: "window fromAt untilAt n evaluatedAt points pointsMillionths insufficientData coverage"
        " change contributions",
        R.READ_INTERNAL: "internalObjectives",
    },
    "Contribution": _all("component points pointsMillionths"),
    "BudgetBurn": _all("state sinceAt missesLeft lookedAt decided promise"),
    "QualityBenchmark": _all("history peers own historyPoints peersPoints"),
    "Standing": _all("n percentile median"),
    "Restatement": _all("knownAt changed then now"),
    "VerdictChange": _all("part was now incident promise"),
    "QualityPolicy": _all("id tier riskLimitBps account"),
    "Report": {
        NONE: "id number cadence firstOn lastOn dueAt madeAt deliveredAt verdict account headline kept late"
        " pdfPath",
        R.READ_INTERNAL: "internalObjectives",
    },
    "InternalObjectiveFigures": {R.READ_INTERNAL: "kind name kept late"},
    "ReportPlan": {
        NONE: "id cadence enabled localTime weekday nextOn version account",
        R.READ_MONEY: "lateCreditCents",
    },
    "ReportPunctuality": _all("due kept late"),
    "ProactiveNotification": _all("changes told ratio"),
    "SignIn": _all("id method userAgent address startedAt seenAt endedAt endedBy user"),
    "Device": _all(
        "id name enrolledAt revokedAt user refusals refusedAt refusedFor refusedMessage"
        " clockBehindSeconds"
    ),
    "Duty": {
        NONE: "id number fromAt untilAt endedAt graceSeconds silentAfterSeconds account site user",
        R.TRACK: "tour",
    },
    "Presence": _all("id kind fromAt untilAt fixes lapsed duty site"),
    "GuardPosition": _all("number at lat lon accuracyM speedMps headingDeg batteryPct site duty"),
    "Fleet": _all("count data"),
    "PositionEvent": _all("number position"),
    "AccountStatus": _all("cursor at account counts incidents sites siteCount roaming"),
    "StatusCounts": _all("new inProgress paused resolved running atRisk held"),
    "SiteStatus": {NONE: "site state onDuty inside absent", R.TRACK: "silent"},
    "RoamingStatus": {NONE: "duty inside", R.TRACK: "silent"},
    "Escalation": _all("id cycle since nextStepAt managementAt incident policy steps"),
    "EscalationPolicy": _all(
        "id name repeatMinutes staleMinutes warnPercents madeAt endedAt version priorities steps"
        " account"
    ),
    "EscalationPolicyStep": _all("afterMinutes roles urgent users contacts"),
    "EscalationStep": _all("cycle number dueAt takenAt users contacts"),
    "ApiKey": _all(
        "id name prefix role scopes reachesAllAccounts createdAt expiresAt revokedAt lastUsedAt"
    ),
    "IssuedApiKey": _all("secret apiKey"),
    "Webhook": _all(
        "id name url owner kinds document state reason failingSince createdAt version cursor account"
    ),
    "WebhookSecret": _all("secret webhook"),
    "WebhookDelivery": _all(
        "id kind state queuedAt dueAt doneAt messageId cursor webhook attempts"
    ),
    "WebhookAttempt": _all("at tookMs status excerpt error"),
    "Outbox": _all("id job state attempts dueAt doneAt error fact"),
    "DeferredWork": _all("part subjectId attempts since nextTryAt error"),
    "Backlog": _all("pending failed oldestDueAt dead oldestAt oldestSeconds lagSeconds isLate"),
    "Suppression": _all("address since error stopped"),
    "PersonalData": _all("told"),
    "PositionReport": _all("device accepted duplicates refused"),
    "FixRefused": _all("index reason"),
}
RIGHT_OF_FIELD: dict[tuple[str, str], Right | None] = {
    (kind, name): right
    for kind, fields in FIELDS.items()
    for right, names in fields.items()
    for name in names.split()
}


def add_field(type_name: str, name: str, right: Right | None) -> None:
    """Add an entry: `right` opens the field. Raises `ValueError` for a field that has an entry."""
    if (type_name, name) in RIGHT_OF_FIELD:
        raise ValueError(f"The access table has two entries for the field {type_name}.{name}.")
    RIGHT_OF_FIELD[type_name, name] = right
    names = FIELDS.get(type_name, {})
    FIELDS[type_name] = {**names, right: f"{names.get(right, '')} {name}".strip()}
