"""Executable schema, merged from the types of all nouns."""

from functools import cache
from typing import Any

import strawberry
from strawberry.printer import print_schema
from strawberry.tools import merge_types

from schema.account_status import StatusQuery, StatusSubscription
from schema.accounts import AccountMutation
from schema.agreements import AgreementMutation, CreditRule, PromiseTarget
from schema.api_keys import KeyMutation
from schema.arrivals import LateArrivalMutation
from schema.assigning import AssignmentMutation
from schema.audit import AuditMutation, AuditQuery
from schema.calendars import CalendarMutation
from schema.clocked import ClockedQuery
from schema.core.access import enforce
from schema.core.scalars import config
from schema.credits import CreditMutation
from schema.duties import DutyMutation, DutyQuery
from schema.escalation import EscalationMutation, EscalationQuery
from schema.facts import FactKindQuery
from schema.finding import FindingQuery
from schema.fixes import FixMutation
from schema.incidents import IncidentMutation
from schema.invoices import InvoiceMutation
from schema.messages import MessageMutation
from schema.money import MoneyQuery
from schema.outbox import OutboxMutation, OutboxQuery
from schema.payouts import PayoutMutation
from schema.positions import PositionQuery, PositionSubscription
from schema.presences import FenceMutation, PresenceQuery
from schema.privacy import PrivacyMutation
from schema.quality import QualityMutation, QualityQuery
from schema.queries import Query
from schema.recovery import RecoveryMutation
from schema.reports import ReportMutation, ReportQuery
from schema.settings import SettingsMutation
from schema.simulation import SimulationMutation
from schema.subscriptions import Subscription
from schema.touchpoints import TouchpointMutation, TouchpointQuery
from schema.users import SessionQuery, UserMutation
from schema.webhooks import WebhookMutation, WebhookQuery

VERBS = (
    *(
        AccountMutation,
        SettingsMutation,
        UserMutation,
        KeyMutation,
        CalendarMutation,
        AgreementMutation,
        IncidentMutation,
        AssignmentMutation,
        LateArrivalMutation,
    ),
    *(QualityMutation, SimulationMutation),
    *(CreditMutation, InvoiceMutation, PayoutMutation, RecoveryMutation),
    *(AuditMutation, PrivacyMutation),
    *(FixMutation, DutyMutation, FenceMutation),
    *(ReportMutation, TouchpointMutation),
    *(WebhookMutation, EscalationMutation),
    *(OutboxMutation, MessageMutation),
)


@cache
def build(*, suggestions: bool = True) -> strawberry.Schema:
    """Build the executable schema; building takes 0.1 s, so a process does it once."""
    mutation: Any = merge_types("Mutation", VERBS)
    mutation.__strawberry_definition__.description = "All mutations of this API."
    query: Any = merge_types(
        "Query",
        (
            *(Query, ClockedQuery, QualityQuery, AuditQuery, ReportQuery, TouchpointQuery),
            *(DutyQuery, PresenceQuery, PositionQuery),
            *(MoneyQuery, FactKindQuery, FindingQuery),
            *(WebhookQuery, EscalationQuery),
            *(OutboxQuery, StatusQuery, SessionQuery),
        ),
    )
    query.__strawberry_definition__.description = "All queries of this API."
    subscription: Any = merge_types(
        "Subscription", (Subscription, StatusSubscription, PositionSubscription)
    )
    subscription.__strawberry_definition__.description = "All subscriptions of this API."
    schema = strawberry.Schema(
        query=query,
        mutation=mutation,
        subscription=subscription,
        types=[PromiseTarget, CreditRule],
        config=config(suggestions=suggestions),
    )
    enforce(schema._schema)
    return schema


def sdl() -> str:
    """Return the schema as SDL, as committed in `schema/schema.graphql`."""
    return print_schema(build()) + "\n"
