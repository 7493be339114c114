"""Access table, operations: the rights that open each query, subscription, download and mutation.

An operation without an entry is refused to everybody. Where an entry names no right, the response depends on the rows
and fields it reads. A query that an actor may not run returns null, an empty list or page, or FORBIDDEN.
"""

from domain.access.rights import Right

R = Right
Rights = tuple[Right, ...]

_ROWS: Rights = ()
QUERIES: dict[str, Rights] = {
    "viewer": _ROWS,
    "node": _ROWS,
    "byNumber": _ROWS,
    "account": _ROWS,
    "site": _ROWS,
    "incident": _ROWS,
    "promise": _ROWS,
    "agreement": _ROWS,
    "accounts": _ROWS,
    "sites": _ROWS,
    "incidents": _ROWS,
    "promises": _ROWS,
    "duePromises": _ROWS,
    "agreements": _ROWS,
    "credits": _ROWS,
    "messages": _ROWS,
    "users": _ROWS,
    "sessions": _ROWS,
    "apiKeys": _ROWS,
    "calendars": _ROWS,
    "ledger": _ROWS,
    "factKinds": _ROWS,
    "slaCompliance": (R.READ_QUALITY,),
    "qualityScore": (R.READ_QUALITY,),
    "budgetBurn": (R.READ_QUALITY,),
    "qualityBenchmark": (R.READ_QUALITY,),
    "slaRestatement": (R.READ_QUALITY,),
    "auditCheckpoint": (R.READ_LEDGER,),
    "auditProof": (R.READ_LEDGER, R.READ_ALL_WORK),
    "auditFacts": (R.READ_LEDGER, R.READ_ALL_WORK),
    "auditConsistency": (R.READ_LEDGER,),
    "reports": _ROWS,
    "reportPlans": _ROWS,
    "reportPunctuality": (R.READ_QUALITY,),
    "proactiveNotification": (R.READ_QUALITY,),
    "devices": _ROWS,
    "duties": _ROWS,
    "presences": _ROWS,
    "positions": (R.LOCATE,),
    "fleet": (R.LOCATE,),
    "creditStatement": (R.READ_MONEY,),
    "trialBalance": (R.READ_BOOKS,),
    "billing": (R.READ_MONEY,),
    "disputes": _ROWS,
    "invoices": _ROWS,
    "creditNotes": _ROWS,
    "compensationPolicy": _ROWS,
    "webhooks": _ROWS,
    "webhookDeliveries": _ROWS,
    "escalation": (R.READ_INCIDENTS,),
    "escalations": _ROWS,
    "escalationPolicies": _ROWS,
    "backlog": (R.OPERATE,),
    "deferredWork": (R.OPERATE,),
    "suppressedAddresses": (R.OPERATE, R.READ_CONTACTS),
    "outbox": _ROWS,
    "accountStatus": (R.READ_INCIDENTS,),
}
SUBSCRIPTIONS: dict[str, Rights] = {
    "accountEvents": (R.READ_LEDGER,),
    "breaches": (R.READ_LEDGER, R.READ_PROMISES),
    "credits": (R.READ_LEDGER, R.READ_MONEY),
    "incidentTimeline": (R.READ_LEDGER, R.READ_INCIDENTS),
    "accountStatus": (R.READ_LEDGER, R.READ_INCIDENTS),
    "positions": (R.LOCATE, R.READ_ALL_WORK),
    "fleet": (R.LOCATE, R.READ_ALL_WORK),
}
DOWNLOADS: dict[str, Rights] = {
    "/reports/{id}.pdf": (R.READ_QUALITY,),
    "/credit-notes/{id}.pdf": (R.READ_MONEY,),
    "/credit-notes/{id}.xml": (R.READ_MONEY,),
}

_BY_RIGHT: dict[Right, str] = {
    R.MANAGE_ACCOUNTS: "createAccount changeAccount addSite changeSite addContact changeContact exportContact"
    " eraseContact addContactAddress endContactAddress resubscribeContact fenceSite setReportPlan"
    " giveCredit"
    " setEscalationPolicy endEscalationPolicy",
    R.MANAGE_ACCESS: "addUser changeUser inviteUser disableUser exportUser eraseUser"
    " resetSecondFactor",
    R.MANAGE_KEYS: "issueApiKey revokeApiKey",
    R.MANAGE_COMPANY: "changeCompany",
    R.MANAGE_AGREEMENTS: "defineCalendar signAgreement endAgreement amendAgreement agreeDuration setQualityPolicy"
    " simulateTerms setRate",
    R.ACCEPT_RISK: "signOffTerms",
    R.REPORT: "openIncident updateIncident reopenIncident correctIncidentOccurrence",
    R.HANDLE: "acknowledgeIncident startWorkOnIncident arriveAtIncident pauseIncident"
    " resumeIncident resolveIncident closeIncident changeIncidentPriority reassignIncident assignIncident"
    " acceptLateArrival declineLateArrival",
    R.APPROVE_CREDITS: "approveCredit declineCredit overrideCredit chooseCompensationPolicy"
    " decideDispute",
    R.CONTEST: "contestVerdict",
    R.BILL: "planService deliverService",
    R.PAY: "bookPayment reversePayment bookPayout reversePayout",
    R.MANAGE_BILLING_PARTIES: "setBillingParty",
    R.REQUEST_PROOF: "requestCheckpoint",
    R.REPORT_POSITIONS: "reportPositions",
    R.ROSTER: "assignDevice endDuty",
    R.MANAGE_WEBHOOKS: "addWebhook rotateWebhookSecret pauseWebhook resumeWebhook endWebhook"
    " replayWebhook retryWebhookDelivery",
    R.OPERATE: "retryConsequence liftSuppression retryDeadConsequences",
    R.CONFIRM_READING: "readMessage",
}
MUTATIONS: dict[str, Rights] = {
    name: (right,) for right, names in _BY_RIGHT.items() for name in names.split()
} | {"endSession": _ROWS}
