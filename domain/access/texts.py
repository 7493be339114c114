"""Texts of rights, roles and conditions on the page about visibility."""

from domain.access.rights import Right, Role

R = Right
RIGHT_TEXTS: dict[Right, str] = {
    R.REPORT: "open and reopen incidents, post updates",
    R.HANDLE: "acknowledge, pause, resolve and close incidents",
    R.AGREE_DATES: "agree on a date with a client",
    R.ROSTER: "put guards on duty and end duties, plan shifts, set profiles of guards and posts",
    R.REPORT_POSITIONS: "report the positions of one's own device",
    R.ATTEND: "confirm shifts, clock in and out, acknowledge post orders",
    R.MANAGE_ACCOUNTS: "change accounts, sites, contacts and planned touchpoints",
    R.MANAGE_AGREEMENTS: "sign and change agreements, terms, rates and calendars",
    R.ACCEPT_RISK: "sign off terms that may cost more than the limit",
    R.MANAGE_ACCESS: "add, disable, export and erase users",
    R.MANAGE_KEYS: "see, issue and revoke API keys; see everybody's webhooks",
    R.MANAGE_COMPANY: "change the settings of the company",
    R.MANAGE_WEBHOOKS: "see and change webhooks",
    R.WATCH_ALL: "follow feeds across accounts",
    R.OPERATE: "see pending jobs, and retry them",
    R.APPROVE_CREDITS: "approve, decline and override credits; decide disputes",
    R.BILL: "plan and deliver services",
    R.PAY: "book payments and payouts, and reverse them",
    R.MANAGE_BILLING_PARTIES: "set legal names and bank accounts of billing parties",
    R.CONTEST: "contest a verdict",
    R.FOLLOW_UP: "record whether a recovery satisfied the client",
    R.CONFIRM_READING: "confirm that a message to oneself (clients: to the own contacts) was read",
    R.REQUEST_PROOF: "have a checkpoint signed and mailed",
    R.READ_ACCOUNTS: "accounts",
    R.READ_ALL_WORK: "more than the own duties and the incidents there",
    R.READ_SITES: "sites and geofences",
    R.READ_INCIDENTS: "incidents, updates and pauses",
    R.READ_PROMISES: "promises, their terms, calendars and verdicts, disputes",
    R.READ_INTERNAL: "promises and facts hidden from clients, credits that are not granted",
    R.READ_NOTES: "updates that are not for the client",
    R.READ_ROSTER: "duties, and what positions prove",
    R.READ_DEVICES: "devices",
    R.LOCATE: "where guards on duty are",
    R.TRACK: "guards outside clients' geofences, stops and silent devices",
    R.READ_CONTACTS: "contacts with their addresses",
    R.READ_USERS: "names and roles of users",
    R.READ_STAFF: "users of the security company",
    R.READ_PEOPLE: "addresses and sign-ins of users",
    R.READ_RELATIONSHIP: "revenue, growth, decision power, notes about people, touchpoints",
    R.READ_RECOVERY: "recovery cases",
    R.READ_AGREEMENTS: "agreements and terms, without amounts",
    R.READ_MONEY: "fees, rates, caps, credits, invoices and credit notes",
    R.READ_BOOKS: "the company's books and thresholds",
    R.READ_MESSAGES: "messages to contacts",
    R.READ_QUALITY: "compliance, scores, benchmarks and reports",
    R.READ_LEDGER: "facts and proofs",
    R.READ_ACTORS: "who did something, by id (others see `guard:<number>`, the client's own number for the"
    " guard, or `staff`)",
    R.READ_EVERY_FACT: "facts of every kind",
    R.READ_WORDS: "the free text that facts commit to",
    R.READ_ESCALATIONS: "escalations and their policies",
    R.READ_SETTINGS: "quality policies and what the software did by itself",
    R.UPLOAD_FILES: "upload, attach and delete files",
    R.READ_FILES: "files",
    R.READ_EVIDENCE: "files hidden from clients, originals, and what cameras wrote into them",
}
ROLE_TEXTS: dict[Role, str] = {
    Role.CLIENT_USER: "A user at a client. Sees the own accounts, and of these what is meant for"
    " clients: no internal promises, no private updates, granted credits only.",
    Role.CLIENT_ADMIN: "A client user who also manages the client's own users and webhooks.",
    Role.GUARD: "Sees the own work: the own user, profile, devices, duties, published shifts and presences;"
    " the sites and accounts of duties from a day before until a day after, and of published shifts from two"
    " weeks before; incidents where the guard is on duty"
    " now, and those the guard opened or was assigned, with their files; messages to the guard; facts"
    " of the guard's own actions.",
    Role.DISPATCHER: "Runs the operation of all clients. Sees no amounts, no addresses of users and"
    " no notes about people.",
    Role.RELATIONSHIP_MANAGER: "Manages accounts, agreements and incidents. Sees amounts of"
    " clients, and not the company's books.",
    Role.FINANCE: "Agreements and money. Sees no positions, duties or private updates.",
    Role.MANAGEMENT: "Everything.",
    Role.PARTNER: "A partner's system with an API key. Has the rights that the key's scopes grant, at the"
    " accounts of the key; the list shows what scopes can grant at most.",
    Role.AUDITOR: "Reads the evidence: ledger, promises, verdicts, credits, proofs. Changes nothing."
    " Sees people by their ids only: no contacts, users, messages or free text of facts.",
}
ROW_NAMES: dict[tuple[str, Right | None], str] = {
    ("tenant", None): "the own company",
    (
        "account",
        None,
    ): "accounts of duties and shifts, a day around them, shifts from two weeks before",
    ("site", None): "sites of duties and shifts, a day around them, shifts from two weeks before",
    ("app_user", R.READ_STAFF): "users of clients",
    ("device", None): "the own devices",
    ("promise_term", R.READ_INTERNAL): "what was promised to the client",
    ("promise_term", None): "terms of promises on incidents at hand",
    ("promise_target", None): "targets of such terms",
    ("incident", None): "incidents at hand",
    ("incident_update", R.READ_NOTES): "updates for the client",
    ("incident_update", None): "of incidents at hand",
    ("incident_pause", None): "of incidents at hand",
    ("promise", R.READ_INTERNAL): "what was promised to the client",
    ("promise", None): "of incidents at hand",
    ("credit", R.READ_INTERNAL): "granted credits",
    ("message", R.READ_MONEY): "messages that name no amounts",
    ("message", R.READ_STAFF): "messages to contacts",
    ("message", None): "messages to oneself",
    ("measurement", R.READ_INTERNAL): "of what was promised to the client",
    ("burn_state", R.READ_INTERNAL): "of what was promised to the client",
    ("duty", None): "the own duties",
    ("presence", R.TRACK): "stays and absences",
    ("presence", None): "of the own duties",
    ("whereabouts", R.TRACK): "inside the client's geofences",
    ("whereabouts", None): "the own last position",
    ("audit_checkpoint", None): "all of the company",
    ("disclosure", None): "of facts that are shown",
}
