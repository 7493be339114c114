"""Roles and rights: what each role may read and do. The other modules of this package list what a right opens."""

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """Role of a user or API key, which decides the rights."""

    CLIENT_USER = "client_user"
    CLIENT_ADMIN = "client_admin"
    GUARD = "guard"
    DISPATCHER = "dispatcher"
    RELATIONSHIP_MANAGER = "relationship_manager"
    FINANCE = "finance"
    MANAGEMENT = "management"
    PARTNER = "partner"
    AUDITOR = "auditor"
    SYSTEM = "system"


class Right(StrEnum):
    """Right that an action or a read requires."""

    REPORT = "report"  # open incidents, post updates
    HANDLE = "handle"  # acknowledge, pause, resolve, close
    BACKDATE = "backdate"  # say that an incident happened more than a week before it was told
    AGREE_DATES = "agree_dates"  # agree a date with a client
    ROSTER = "roster"  # put guards on duty and end duties
    REPORT_POSITIONS = "report_positions"  # report the fixes of one's own device
    TAKE_ALARMS = "take_alarms"  # tell of alarms, as an alarm centre does
    ATTEND = "attend"  # confirm shifts, clock in and out, acknowledge post orders
    MANAGE_ACCOUNTS = "manage_accounts"
    MANAGE_AGREEMENTS = "manage_agreements"
    ACCEPT_RISK = "accept_risk"  # sign off terms that may cost more than the limit
    MANAGE_ACCESS = "manage_access"  # users
    MANAGE_KEYS = "manage_keys"  # API keys
    MANAGE_COMPANY = "manage_company"  # name, register numbers, time zone
    MANAGE_WEBHOOKS = "manage_webhooks"
    WATCH_ALL = "watch_all"  # feeds across accounts
    OPERATE = "operate"  # see the pending jobs of the software, and retry them
    APPROVE_CREDITS = (
        "approve_credits"  # approve credits above the threshold, goodwill, overrides, disputes
    )
    BILL = "bill"  # planned and delivered services
    PAY = "pay"  # payments and payouts
    MANAGE_BILLING_PARTIES = "manage_billing_parties"  # legal names and bank accounts
    CONTEST = "contest"  # contest a verdict
    FOLLOW_UP = "follow_up"  # record whether a recovery satisfied the client, comment on plans
    CONFIRM_READING = "confirm_reading"  # of messages to oneself or to one's own side
    REQUEST_PROOF = "request_proof"  # have a checkpoint signed and mailed

    READ_ACCOUNTS = "read_accounts"  # names and addresses of clients
    READ_ALL_WORK = "read_all_work"  # more than one's own duties and the incidents there
    READ_SITES = "read_sites"
    READ_INCIDENTS = "read_incidents"  # with their updates and pauses
    READ_PROMISES = "read_promises"  # clocks, verdicts, disputes, and their terms
    READ_INTERNAL = "read_internal"  # promises and facts hidden from clients, undecided credits
    READ_NOTES = "read_notes"  # updates that are not for the client
    READ_ROSTER = "read_roster"  # duties, and what positions prove
    READ_DEVICES = "read_devices"
    LOCATE = "locate"  # where guards on duty are; clients: inside their own geofences
    TRACK = "track"  # also guards outside clients' geofences, stops and silences
    READ_CONTACTS = "read_contacts"  # people on the client's side
    READ_USERS = "read_users"  # names and roles of users
    READ_STAFF = "read_staff"  # also those of the security company
    READ_PEOPLE = "read_people"  # addresses and sign-ins of users
    READ_RELATIONSHIP = "read_relationship"  # revenue, decision power, notes on people, touchpoints
    READ_HEALTH = "read_health"  # health of relationships, observations, early warnings
    READ_RECOVERY = "read_recovery"  # recovery cases
    READ_REVIEWS = "read_reviews"  # public reviews; clients: those linked to them
    READ_AGREEMENTS = "read_agreements"  # agreements, without amounts
    READ_MONEY = "read_money"  # fees, rates, caps, credits, invoices
    READ_BOOKS = "read_books"  # the company's books and thresholds
    READ_MESSAGES = "read_messages"  # messages to contacts
    READ_QUALITY = "read_quality"  # compliance, scores, benchmarks, reports
    READ_LEDGER = "read_ledger"  # facts and proofs; the other rights determine the kinds
    READ_ACTORS = "read_actors"  # who did something, by id; without it `guard:<number>` or `staff`
    READ_EVERY_FACT = "read_every_fact"  # facts of every kind
    READ_WORDS = "read_words"  # the free text that facts commit to
    READ_ESCALATIONS = "read_escalations"
    READ_SETTINGS = "read_settings"  # policies and plans
    SAVE_DASHBOARDS = "save_dashboards"  # dashboards of one's own
    UPLOAD_FILES = "upload_files"  # photos and documents
    READ_FILES = "read_files"  # without what cameras wrote into them
    READ_EVIDENCE = "read_evidence"  # originals, the camera data, files hidden from clients


R = Right
CLIENTS = frozenset({Role.CLIENT_USER, Role.CLIENT_ADMIN})

_EVERYBODY = frozenset({R.READ_ACCOUNTS, R.READ_SITES, R.READ_INCIDENTS, R.READ_PROMISES})
_CLIENT = _EVERYBODY | {
    *(R.REPORT, R.CONTEST, R.FOLLOW_UP, R.CONFIRM_READING, R.REQUEST_PROOF),
    *(R.READ_ALL_WORK, R.READ_ROSTER, R.LOCATE, R.READ_CONTACTS, R.READ_USERS),
    *(R.READ_RECOVERY, R.READ_REVIEWS, R.READ_AGREEMENTS, R.READ_MONEY, R.READ_MESSAGES),
    *(R.READ_QUALITY, R.READ_LEDGER, R.READ_EVERY_FACT, R.READ_WORDS),
    *(R.UPLOAD_FILES, R.READ_FILES, R.SAVE_DASHBOARDS),
}
_FILES = frozenset({R.UPLOAD_FILES, R.READ_FILES, R.READ_EVIDENCE})
_STAFF = _EVERYBODY | {
    *(R.READ_ALL_WORK, R.READ_INTERNAL, R.READ_USERS, R.READ_STAFF, R.READ_CONTACTS),
    *(R.READ_AGREEMENTS, R.READ_MESSAGES, R.READ_QUALITY, R.READ_LEDGER, R.READ_WORDS),
    *(R.WATCH_ALL, R.CONFIRM_READING, R.READ_ACTORS, R.SAVE_DASHBOARDS),
}
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.CLIENT_USER: _CLIENT,
    Role.CLIENT_ADMIN: _CLIENT | {R.MANAGE_ACCESS, R.MANAGE_WEBHOOKS, R.READ_PEOPLE},
    Role.GUARD: _EVERYBODY
    | _FILES
    | {
        *(R.REPORT, R.REPORT_POSITIONS, R.ATTEND, R.CONFIRM_READING, R.LOCATE, R.TRACK),
        *(R.READ_ROSTER,),
        *(R.READ_DEVICES, R.READ_MESSAGES, R.READ_LEDGER, R.READ_EVERY_FACT, R.READ_WORDS),
    },
    Role.DISPATCHER: _STAFF
    | _FILES
    | {
        *(R.REPORT, R.HANDLE, R.AGREE_DATES, R.ROSTER, R.REPORT_POSITIONS, R.OPERATE),
        *(R.ATTEND, R.TAKE_ALARMS, R.LOCATE, R.TRACK),
        *(R.READ_NOTES, R.READ_ROSTER, R.READ_DEVICES, R.READ_ESCALATIONS),
    },
    Role.RELATIONSHIP_MANAGER: _STAFF
    | _FILES
    | {
        *(R.REPORT, R.HANDLE, R.BACKDATE, R.AGREE_DATES, R.ROSTER, R.REPORT_POSITIONS),
        *(R.MANAGE_ACCOUNTS, R.ATTEND, R.TAKE_ALARMS),
        *(R.MANAGE_AGREEMENTS, R.CONTEST, R.FOLLOW_UP, R.REQUEST_PROOF, R.LOCATE, R.TRACK),
        *(R.READ_NOTES, R.READ_ROSTER, R.READ_DEVICES, R.READ_RELATIONSHIP, R.READ_RECOVERY),
        *(R.READ_REVIEWS, R.READ_MONEY, R.READ_ESCALATIONS, R.READ_SETTINGS, R.READ_HEALTH),
    },
    Role.FINANCE: _STAFF
    | {
        *(
            R.MANAGE_AGREEMENTS,
            R.APPROVE_CREDITS,
            R.BILL,
            R.PAY,
            R.MANAGE_BILLING_PARTIES,
            R.REQUEST_PROOF,
        ),
        *(R.READ_MONEY, R.READ_BOOKS, R.READ_RECOVERY, R.READ_SETTINGS),
    },
    Role.MANAGEMENT: frozenset(Right),
    Role.AUDITOR: _EVERYBODY
    | {
        *(R.WATCH_ALL, R.READ_ALL_WORK, R.READ_INTERNAL, R.READ_ROSTER, R.TRACK),
        *(R.READ_AGREEMENTS,),
        *(R.READ_MONEY, R.READ_BOOKS, R.READ_QUALITY, R.READ_LEDGER, R.READ_EVERY_FACT),
        *(R.READ_ESCALATIONS, R.READ_SETTINGS, R.READ_ACTORS),
    },
    Role.SYSTEM: frozenset(Right),
}

_KEY = frozenset({R.READ_ACCOUNTS, R.READ_ALL_WORK})
SCOPES: dict[str, frozenset[Right]] = {
    "incidents:read": frozenset({R.READ_INCIDENTS}),
    "incidents:write": frozenset({R.READ_INCIDENTS, R.REPORT, R.HANDLE}),
    "promises:read": frozenset({R.READ_PROMISES}),
    "sites:read": frozenset({R.READ_SITES}),
    "positions:read": frozenset({R.LOCATE, R.READ_ROSTER}),
    "roster:read": frozenset({R.READ_ROSTER}),
    "roster:write": frozenset({R.READ_ROSTER, R.READ_DEVICES, R.ROSTER, R.ATTEND}),
    "contacts:read": frozenset({R.READ_CONTACTS}),
    "people:read": frozenset({R.READ_CONTACTS, R.READ_USERS, R.READ_STAFF, R.READ_PEOPLE}),
    "agreements:read": frozenset({R.READ_AGREEMENTS}),
    "money:read": frozenset({R.READ_AGREEMENTS, R.READ_MONEY}),
    "services:write": frozenset({R.READ_AGREEMENTS, R.BILL}),
    "money:write": frozenset({R.READ_AGREEMENTS, R.READ_MONEY, R.BILL, R.PAY}),
    "relationship:read": frozenset({R.READ_RELATIONSHIP, R.READ_RECOVERY}),
    "messages:read": frozenset({R.READ_MESSAGES}),
    "quality:read": frozenset({R.READ_QUALITY}),
    "internal:read": frozenset({R.READ_INTERNAL, R.READ_NOTES, R.READ_ESCALATIONS, R.READ_ACTORS}),
    "ledger:read": frozenset({R.READ_LEDGER, R.READ_WORDS}),
    "webhooks:write": frozenset({R.READ_LEDGER, R.MANAGE_WEBHOOKS}),
}
"""The rights that the scopes of an API key grant; the key's role limits them."""
DEFAULT_SCOPES = (
    *("incidents:read", "incidents:write", "promises:read", "sites:read"),
    *("roster:read", "ledger:read", "webhooks:write"),
)
"""The operational scopes of a partner's key that names none."""
RIGHTS[Role.PARTNER] = _KEY.union(*SCOPES.values())


def rights_of_scopes(scopes: Iterable[str]) -> frozenset[Right]:
    """Return the rights of scopes; a scope that no longer exists grants nothing."""
    return _KEY.union(*(SCOPES.get(scope, frozenset()) for scope in scopes))
