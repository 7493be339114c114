"""Ids in the bodies of facts: which field refers to a row of which type.

Bodies hold plain UUIDs, because they are hashed as they were written. The API uses global ids only, so every response
gives the global ids of the rows that a body names beside the body.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

TYPES: dict[str, str] = {
    "account_ids": "Account",
    "accounts": "Account",
    "approver_id": "User",
    "owner_id": "User",
    "rule_id": "ReplyRule",
    "accounts_after": "Account",
    "accounts_before": "Account",
    "agreement_id": "Agreement",
    "attendance_id": "Attendance",
    "comment_id": "ActionPlanComment",
    "commitment_id": "Commitment",
    "contact_id": "Contact",
    "deputy_id": "User",
    "contact_ids": "Contact",
    "figure_id": "CompetitorFigure",
    "delivery_id": "WebhookDelivery",
    "dispute_id": "Dispute",
    "evidence_ids": "Incident",
    "duty_id": "Duty",
    "incident_id": "Incident",
    "invoice_id": "Invoice",
    "line_id": "DeliveredLine",
    "message_id": "Message",
    "orders_id": "PostOrders",
    "payment_id": "Payment",
    "payout_id": "Payout",
    "playbook_id": "Playbook",
    "point_id": "PatrolPoint",
    "post_id": "Post",
    "presence_id": "Presence",
    "promise_id": "Promise",
    "questionnaire_id": "Questionnaire",
    "rate_id": "Rate",
    "response_id": "SurveyResponse",
    "response_ids": "SurveyResponse",
    "reverses_id": "Payment",
    "review_id": "Review",
    "round_id": "PatrolRound",
    "occurrence_entry_id": "OccurrenceEntry",
    "route_id": "PatrolRoute",
    "scan_id": "PatrolScan",
    "shift_id": "Shift",
    "sign_in_id": "SignIn",
    "simulation_id": "Simulation",
    "site_id": "Site",
    "source_id": "ReviewSource",
    "success_comment_id": "SuccessComment",
    "success_plan_id": "SuccessPlan",
    "successor_id": "User",
    "survey_id": "Survey",
    "term_id": "PromiseTerm",
    "text_ids": "TextSentiment",
    "terms_id": "Terms",
    "terms_id_before": "Terms",
    "update_id": "IncidentUpdate",
    "user_id": "User",
    "user_ids": "User",
    "version_id": "CalendarVersion",
    "won_account_id": "Account",
}
"""Field → the type of its ids, for every kind of fact."""
OF_ONE_KIND: dict[tuple[str, str], str] = {
    ("site.merged", "into_id"): "Site",
    ("contact.merged", "into_id"): "Contact",
    ("anomaly.acknowledged", "incident_after"): "Incident",
    ("anomaly.acknowledged", "incident_before"): "Incident",
    ("commitment.handed_over", "after"): "User",
    ("commitment.handed_over", "before"): "User",
    ("incident.assigned", "before"): "User",
    ("incident.assigned", "after"): "User",
    ("credit_note.payout_reversed", "reverses_id"): "Payout",
    ("questionnaire.published", "version_id"): "QuestionnaireVersion",
    ("questionnaire.version_added", "version_id"): "QuestionnaireVersion",
    ("raid.handed_over", "before"): "User",
    ("raid.handed_over", "after"): "User",
    ("recovery.step_handed_over", "before"): "User",
    ("recovery.step_handed_over", "after"): "User",
}
"""Kind and field → the type, where the name of the field alone does not show that it holds ids."""
UNNAMED = frozenset(
    {"batch_id", "entry_id", "epoch", "epoch_before", "invitation_id", "passkey_id", "unit_id"}
)
"""Fields with ids of rows whose type the API does not show, or another field names."""


def type_named_by(kind: str, field: str) -> str | None:
    """Return the type of the rows that a field of a fact refers to; None when the API shows no such type."""
    return OF_ONE_KIND.get((kind, field)) or TYPES.get(field)


def named_in(
    kind: str, body: Mapping[str, Any], write: Callable[[str, UUID], str]
) -> dict[str, str | list[str]]:
    """Return the ids in a body by field, formatted by `write`; fields without ids are left out."""
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
