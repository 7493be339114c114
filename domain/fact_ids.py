"""Ids inside the bodies of facts: which field names a row of which type.

Bodies hold plain UUIDs, because they are hashed as they were written. Outside, one kind of id is used: whoever hands a
fact out gives the global ids of the rows that its body names beside the body.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

TYPES: dict[str, str] = {
    "account_ids": "Account",
    "accounts": "Account",
    "accounts_after": "Account",
    "accounts_before": "Account",
    "contact_id": "Contact",
    "contact_ids": "Contact",
    "delivery_id": "WebhookDelivery",
    "dispute_id": "Dispute",
    "duty_id": "Duty",
    "incident_id": "Incident",
    "invoice_id": "Invoice",
    "line_id": "DeliveredLine",
    "message_id": "Message",
    "payment_id": "Payment",
    "payout_id": "Payout",
    "presence_id": "Presence",
    "promise_id": "Promise",
    "rate_id": "Rate",
    "reverses_id": "Payment",
    "sign_in_id": "SignIn",
    "simulation_id": "Simulation",
    "site_id": "Site",
    "term_id": "PromiseTerm",
    "terms_id": "Terms",
    "update_id": "IncidentUpdate",
    "user_id": "User",
    "user_ids": "User",
    "version_id": "CalendarVersion",
}
"""Field → the type that its ids are of, whatever the kind of fact."""
OF_ONE_KIND: dict[tuple[str, str], str] = {
    ("incident.assigned", "before"): "User",
    ("incident.assigned", "after"): "User",
    ("credit_note.payout_reversed", "reverses_id"): "Payout",
    ("recovery.step_handed_over", "before"): "User",
    ("recovery.step_handed_over", "after"): "User",
}
"""Kind and field → the type, where the name of the field alone does not say that it holds ids."""
UNNAMED = frozenset({"entry_id", "epoch", "epoch_before", "invitation_id", "passkey_id"})
"""Fields with ids of rows that no type of the API shows."""


def type_named_by(kind: str, field: str) -> str | None:
    """The type of the rows that a field of a fact names; None when it names none that the API shows."""
    return OF_ONE_KIND.get((kind, field)) or TYPES.get(field)


def named_in(
    kind: str, body: Mapping[str, Any], write: Callable[[str, UUID], str]
) -> dict[str, str | list[str]]:
    """The ids that a body names, by field, as `write` spells the id of a row of a type; empty fields left out."""
    found: dict[str, str | list[str]] = {}
    for field, value in body.items():
        type_name = type_named_by(kind, field)
        if type_name is None or not value:
            continue
        if isinstance(value, list):
            found[field] = [write(type_name, UUID(each)) for each in value]
        else:
            found[field] = write(type_name, UUID(value))
    return found
