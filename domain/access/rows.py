"""Access table, rows: who sees the rows of each table that is readable through the API.

A table without an entry shows nothing to anybody. Tables that are not readable through the API are in `NEVER_SHOWN`.
A capability can also declare its entries beside its model: see `declarations`.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_

from domain.access import own_work, scopes
from domain.access.actor import Actor
from domain.access.rights import CLIENTS, Right
from domain.access.rule import Rows, in_accounts, in_company, in_whole_company

R = Right
MONEY_TEMPLATES = (
    *("credit_adjusted", "credit_granted", "credit_notice", "month_credit_adjusted"),
    *("daily_report", "weekly_review", "agreement_amended", "closing_note"),
    *("paid_out", "payout_reversed"),
)
"""Templates of messages that name amounts."""


def _not_internal(model: Any) -> ColumnElement[bool]:
    outside: ColumnElement[bool] = ~model.internal
    return outside


def _standing(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select rows of the accessible accounts that were not merged into another one."""
    return and_(in_accounts(actor, model), model.merged_into_id.is_(None))


def _reach(*rights: Right, words: str = "") -> Rows:
    return Rows(rights, words)


_WHOLE = "the own company, with access to every account"
_OR_GENERAL = "accessible accounts, and what applies to all accounts"
_MONEY = _reach(R.READ_MONEY)
ROWS: dict[str, Rows] = {
    "tenant": Rows((), "the own company", scopes.company_itself, own=scopes.company_itself),
    "account": Rows((R.READ_ACCOUNTS,), "", own=own_work.account_of_duty),
    "site": Rows((R.READ_SITES,), "", _standing, own=own_work.site_of_duty),
    "contact": Rows((R.READ_CONTACTS,), "", _standing),
    "app_user": Rows(
        (R.READ_USERS,),
        "users with access to nothing else; always oneself",
        scopes.accessible_users,
        unless={R.READ_STAFF: lambda user: user.role.in_(CLIENTS)},
        always=own_work.is_self,
    ),
    "api_key": Rows(
        (R.MANAGE_KEYS,),
        "of roles one manages, with accessible accounts only",
        scopes.accessible_keys,
    ),
    "device": Rows(
        (R.READ_DEVICES,),
        "of users with access to nothing else",
        scopes.of_accessible_users,
        own=own_work.user_is_self,
    ),
    "sign_in": Rows(
        (R.MANAGE_ACCESS,),
        "of users one manages; always one's own",
        scopes.of_managed_users,
        always=own_work.user_is_self,
    ),
    "calendar": Rows((R.READ_PROMISES,), "used by accessible terms", scopes.calendars_in_use),
    "calendar_version": Rows(
        (R.READ_PROMISES,), "used by accessible terms", scopes.versions_in_use
    ),
    "agreement": _reach(R.READ_AGREEMENTS),
    "terms": _reach(R.READ_AGREEMENTS),
    "rate": _MONEY,
    "promise_term": Rows(
        (R.READ_PROMISES,),
        "",
        unless={R.READ_INTERNAL: _not_internal},
        own=own_work.term_of_incident_at_hand,
    ),
    "promise_target": Rows((R.READ_PROMISES,), "", own=own_work.target_of_incident_at_hand),
    "credit_rule": _MONEY,
    "credit_band": _MONEY,
    "incident": Rows((R.READ_INCIDENTS,), "", own=own_work.incident_at_hand),
    "incident_update": Rows(
        (R.READ_INCIDENTS,),
        "",
        unless={R.READ_NOTES: lambda update: update.client_visible},
        own=own_work.of_incident_at_hand,
    ),
    "incident_pause": Rows((R.READ_INCIDENTS,), "", own=own_work.of_incident_at_hand),
    "promise": Rows(
        (R.READ_PROMISES,),
        "",
        unless={R.READ_INTERNAL: _not_internal},
        own=own_work.of_incident_at_hand,
    ),
    "dispute": _reach(R.READ_PROMISES),
    "credit": Rows(
        (R.READ_MONEY,), "", unless={R.READ_INTERNAL: lambda credit: credit.state == "granted"}
    ),
    "compensation_policy": Rows((R.READ_BOOKS,), _WHOLE, in_whole_company),
    "journal_entry": _MONEY,
    "journal_line": _MONEY,
    "billing_party": _MONEY,
    "planned_line": _MONEY,
    "delivered_line": _MONEY,
    "invoice": _MONEY,
    "invoice_line": _MONEY,
    "credit_note": _MONEY,
    "credit_note_line": _MONEY,
    "payment": _MONEY,
    "payout": _MONEY,
    "simulation": _reach(R.READ_MONEY, R.READ_INTERNAL),
    "message": Rows(
        (R.READ_MESSAGES,),
        "",
        own=own_work.user_is_self,
        always=own_work.user_is_self,
        unless={
            R.READ_MONEY: lambda message: message.template.not_in(MONEY_TEMPLATES),
            R.READ_STAFF: lambda message: message.user_id.is_(None),
        },
    ),
    "message_attempt": _reach(R.READ_MESSAGES),
    "measurement": Rows((R.READ_QUALITY,), "", unless={R.READ_INTERNAL: _not_internal}),
    "burn_state": Rows((R.READ_QUALITY,), "", unless={R.READ_INTERNAL: _not_internal}),
    "quality_policy": Rows((R.READ_SETTINGS,), _OR_GENERAL, scopes.in_accounts_or_general),
    "report": _reach(R.READ_QUALITY),
    "report_plan": _reach(R.READ_QUALITY),
    "duty": Rows((R.READ_ROSTER,), "", own=own_work.user_is_self),
    "presence": Rows(
        (R.READ_ROSTER,),
        "",
        own=own_work.duty_is_own,
        unless={R.TRACK: lambda presence: presence.kind.in_(("stay", "absence"))},
    ),
    "whereabouts": Rows(
        (R.LOCATE,),
        "",
        own=own_work.duty_is_own,
        unless={R.TRACK: lambda whereabouts: whereabouts.site_id.is_not(None)},
    ),
    "escalation": _reach(R.READ_ESCALATIONS),
    "escalation_step": _reach(R.READ_ESCALATIONS),
    "escalation_policy": Rows((R.READ_ESCALATIONS,), _OR_GENERAL, scopes.in_accounts_or_general),
    "webhook": Rows((R.MANAGE_WEBHOOKS,), "one's own", scopes.webhooks_of),
    "webhook_delivery": Rows((R.MANAGE_WEBHOOKS,), "of one's own webhooks", scopes.deliveries_of),
    "webhook_attempt": Rows((R.MANAGE_WEBHOOKS,), "of one's own webhooks", scopes.attempts_of),
    "outbox": Rows((R.OPERATE,), _WHOLE, in_whole_company),
    "deferral": Rows((R.OPERATE,), _WHOLE, in_whole_company),
    "audit_checkpoint": Rows((R.READ_LEDGER,), "the own company", in_company, own=in_company),
    "disclosure": Rows((R.READ_LEDGER, R.READ_WORDS), "", own=in_accounts),
}

NEVER_SHOWN: set[str] = {
    *("idempotency", "ledger_head", "ledger_shard", "user_reach", "sealing", "column_segment"),
    *("promise_watch", "audit_tree", "audit_leaf", "audit_tile", "closed_month", "password"),
    *("totp", "recovery_code", "passkey"),
    *("invitation", "refresh_token", "message_enclosure", "contact_address"),
    *("unsubscription", "webhook_secret", "document_series", "fix", "watched_duty"),
    *("quality_look", "portfolio", "ledger", "ledger_epoch", "guard_number"),
}
"""Tables whose rows are never shown through the API. The ledger has a table of its own, `facts`."""
