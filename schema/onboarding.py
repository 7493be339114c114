"""Onboarding: apply the defaults of a new account in one mutation."""

from typing import Annotated, Any

import strawberry

from domain import onboarding
from domain.onboarding import AppliedDefault as DefaultRow
from domain.onboarding import AppliedDefaults as DefaultsRow
from domain.onboarding import DefaultPart
from schema.core.mutations import AccountId, MutationContext, mutation
from schema.core.roots import mutation_fields
from schema.core.types import enum, from_row, relation, resolver

enum(
    DefaultPart,
    "DefaultPart",
    agreement="Agreement with the default promises, without credits.",
    escalation_policy="Escalation policy with the default steps.",
    touchpoints="Planned contacts, by the tier of the account.",
    report_plans="Plans of the daily and the weekly report.",
)

Found = strawberry.Parent[DefaultsRow]


@from_row(DefaultRow)
class AppliedDefault:
    """One of the defaults: it was made, or left because there was one."""

    part: Annotated[DefaultPart, "Part of the defaults that it belongs to."]
    name: Annotated[str, "Reference of the agreement, name of the policy, kind or cadence."]
    made: Annotated[bool, "Whether it was made; false where one was there already."]


@from_row(DefaultsRow)
class AppliedDefaults:
    """Account with what was made for it, and what was there."""

    @relation("Account")
    @staticmethod
    async def account(row: Found) -> Any:
        """Account that the defaults were applied to."""
        return row.row

    @resolver(list[AppliedDefault])
    @staticmethod
    def parts(row: Found) -> list[DefaultRow]:
        """What was made or left; empty where a response is repeated under its idempotency key."""
        return row.parts


@mutation_fields
class OnboardingMutation:
    """Mutations that set up new accounts."""

    @mutation(AppliedDefaults, again=lambda row: DefaultsRow(row, []))
    @staticmethod
    async def apply_defaults(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account to set up."],
        reference: Annotated[str, "Reference of the agreement, if one is made."] = "1",
        parts: Annotated[
            list[DefaultPart] | None, "Only these parts of the defaults; null for all."
        ] = None,
    ) -> DefaultsRow:
        """Give an account the default promises, escalation policy, touchpoints and report plans that it lacks.

        What is there is left as it is, so a second call makes nothing.
        """
        chosen = tuple(DefaultPart) if parts is None else tuple(parts)
        return await onboarding.apply_defaults(
            ask.tx, account_id, reference=reference, parts=chosen
        )
