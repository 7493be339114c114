"""Facts: the right that opens each kind, as a condition in SQL and as a check in memory."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, any_, false, literal, not_
from sqlalchemy.dialects.postgresql import ARRAY

from domain.access.actor import Actor
from domain.access.rights import Right

R = Right
FACTS: dict[Right, str] = {
    R.READ_ACCOUNTS: "account.created",
    R.READ_RELATIONSHIP: "account.changed contact.changed",
    R.READ_SITES: "site.added site.changed site.fenced",
    R.READ_CONTACTS: "contact.added contact.address_added contact.address_ended"
    " contact.subscribed contact.unsubscribed",
    R.READ_INCIDENTS: "incident.acknowledged incident.acknowledgement_withdrawn"
    " incident.arrival_graded incident.arrival_withdrawn incident.arrived incident.assigned"
    " incident.called_off incident.closed incident.due_agreed"
    " incident.late_arrival_accepted incident.late_arrival_declined incident.late_arrival_offered"
    " incident.occurrence_stated"
    " incident.opened incident.paused incident.prioritised incident.reassigned incident.reopened"
    " incident.resolved incident.resumed incident.updated incident.work_started",
    R.READ_PROMISES: "promise.at_risk promise.breached promise.cancelled promise.dispute_decided"
    " promise.disputed promise.kept promise.revised promise.started",
    R.READ_ROSTER: "duty.assigned duty.began duty.ended guard.absence_ended guard.absent"
    " guard.arrived guard.heard guard.left guard.mock_began guard.mock_ended guard.moved"
    " guard.presence_lapsed guard.retracted guard.revised guard.silent guard.stopped",
    R.READ_DEVICES: "device.enrolled device.revoked",
    R.READ_ESCALATIONS: "escalation.stepped escalation.stopped escalation_policy.ended"
    " escalation_policy.set",
    R.READ_AGREEMENTS: "agreement.signed agreement.amended agreement.ended"
    " agreement.duration_agreed calendar.defined",
    R.READ_MONEY: "agreement.delivered agreement.month_closed agreement.planned agreement.rate_set"
    " credit.overridden terms.simulated"
    " billing_party.set credit.adjusted credit.decided credit.declined credit.granted"
    " credit.proposed credit_note.issued credit_note.paid_out credit_note.payout_reversed"
    " invoice.issued invoice.paid invoice.payment_reversed"
    " report_plan.set terms.signed_off",
    R.READ_QUALITY: "budget.burning quality.changed report.delivered report.kept report.late"
    " report.made",
    R.READ_MESSAGES: "address.freed address.suppressed message.answered message.bounced"
    " message.delivered"
    " message.failed message.queued message.read message.sent",
    R.READ_PEOPLE: "account.contacts_read account.positions_read person.erased"
    " person.erasure_requested person.exported user.added user.changed user.disabled user.invited"
    " user.factor_added user.factor_removed user.invitation_ended user.password_changed user.password_reset_asked"
    " user.recovery_code_used user.recovery_codes_made user.signed_in"
    " user.signed_out",
    R.MANAGE_KEYS: "api_key.issued api_key.revoked",
    R.MANAGE_WEBHOOKS: "webhook.added webhook.delivery_died webhook.delivery_retried webhook.disabled webhook.paused"
    " webhook.replayed webhook.resumed webhook.secret_rotated",
    R.OPERATE: "consequence.retried",
    R.READ_BOOKS: "compensation_policy.chosen",
    R.READ_SETTINGS: "company.changed data.expired quality_policy.set",
    R.READ_LEDGER: "checkpoint.published checkpoint.requested ledger.restored",
}
"""Right → the kinds of facts it opens. `READ_EVERY_FACT` opens all kinds, also those that are no longer written."""
RIGHT_OF_KIND = {kind: right for right, kinds in FACTS.items() for kind in kinds.split()}


def add_kinds(right: Right, kinds: str) -> None:
    """Add kinds of facts that a right opens. Raises `ValueError` for a kind that has an entry."""
    for kind in kinds.split():
        if kind in RIGHT_OF_KIND:
            raise ValueError(f"The access table has two entries for the fact {kind}.")
        RIGHT_OF_KIND[kind] = right
    FACTS[right] = f"{FACTS.get(right, '')} {kinds}".strip()
    _kinds.cache_clear()


class LedgerFact(Protocol):
    """The attributes of a fact that its visibility depends on."""

    @property
    def tenant_id(self) -> UUID:
        """The security company."""

    @property
    def account_id(self) -> UUID | None:
        """The account that the fact concerns."""

    @property
    def kind(self) -> str:
        """The kind of fact."""

    @property
    def actor(self) -> str:
        """The actor who caused the fact."""

    @property
    def body(self) -> dict[str, Any]:
        """The further fields of the fact."""


@lru_cache(512)
def _kinds(rights: frozenset[Right]) -> frozenset[str]:
    return frozenset(kind for kind, right in RIGHT_OF_KIND.items() if right in rights)


def kinds_for(actor: Actor) -> Collection[str] | None:
    """List the kinds of facts that an actor sees; None for all kinds."""
    return None if actor.may(R.READ_EVERY_FACT) else _kinds(actor.rights)


def is_kept_inside(body: Mapping[str, Any]) -> bool:
    """Return whether a fact is hidden from clients; the fact itself holds this, so that it cannot change afterwards."""
    return body.get("internal") is True or body.get("client_visible") is False


def is_shown_to_clients(account_id: UUID | None, body: Mapping[str, Any]) -> bool:
    """Return whether clients of an account see a fact at all, whatever kinds of facts their rights open."""
    return account_id is not None and not is_kept_inside(body)


_VALUES = frozenset({"before", "after"})
HIDDEN_WORDS: dict[Right, dict[str, frozenset[str]]] = {
    R.READ_ACTORS: {"webhook.added": frozenset({"owner"})},
    R.READ_STAFF: {"incident.reassigned": frozenset({"before", "to"})},
    R.READ_RELATIONSHIP: {"account.changed": _VALUES, "contact.changed": _VALUES},
}
"""Right → kind of fact → fields of its body that need the right: names and ids of staff, notes about clients."""


def hidden_words(actor: Actor, kind: str) -> frozenset[str]:
    """List the fields of a kind of fact whose text an actor does not read."""
    return frozenset().union(
        *(
            fields.get(kind, frozenset())
            for right, fields in HIDDEN_WORDS.items()
            if not actor.may(right)
        )
    )


def is_visible(actor: Actor, fact: LedgerFact) -> bool:
    """Return whether a fact is visible to an actor; the same rule as `visible_facts`."""
    if fact.tenant_id != actor.tenant_id or not actor.can_access(fact.account_id):
        return False
    if not actor.may(R.READ_LEDGER):
        return False
    if not actor.may(R.READ_ALL_WORK) and fact.actor != actor.subject:
        return False
    if is_kept_inside(fact.body) and not actor.may(R.READ_INTERNAL):
        return False
    kinds = kinds_for(actor)
    return kinds is None or fact.kind in kinds


def visible_facts(actor: Actor, entry: Any) -> ColumnElement[bool]:
    """Select the ledger entries that are visible to an actor; `entry` is the model or an alias of it."""
    if not actor.may(R.READ_LEDGER):
        return false()
    conditions = [actor.scope(entry)]
    if not actor.may(R.READ_ALL_WORK):
        conditions.append(entry.actor == actor.subject)
    if not actor.may(R.READ_INTERNAL):
        conditions.append(not_(entry.body.contains({"internal": True})))
        conditions.append(not_(entry.body.contains({"client_visible": False})))
    kinds = kinds_for(actor)
    if kinds is not None:
        conditions.append(entry.kind == any_(literal(sorted(kinds), ARRAY(Text))))
    return and_(*conditions)
