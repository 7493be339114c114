"""Agreements with clients: signed, amended by new terms, and ended."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from domain import accounts, agreements, simulation
from schema.accounts import Account
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.mutations import AccountId, AgreementId, ExpectedVersion, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields
from schema.core.types import from_row, resolver
from schema.rates import Rate
from schema.terms import Terms
from schema.terms_input import TermsInput

AgreementRow = strawberry.Parent[agreements.Agreement]


@from_row(agreements.Agreement)
class Agreement(Node):
    """Agreement that the company and a client signed."""

    reference: Annotated[str, "Reference number of the agreement; unique in the company."]
    title: Annotated[str, "Title of the agreement, as shown to people."]
    signed_on: Annotated[date, "Day on which the agreement was signed."]
    ended_at: Annotated[
        datetime | None, "Time at which the agreement ended; null while it is in force."
    ]
    fixed_until: Annotated[
        date | None, "Last day that is agreed; null for an agreement without a fixed duration."
    ]
    notice_months: Annotated[int, "Calendar months of the notice period."]
    notice_days: Annotated[int, "Days of the notice period, besides its months."]
    notice_by: Annotated[
        date | None,
        "Last day on which notice can be given, so that the agreement ends with its fixed duration.",
    ]
    renews_for_months: Annotated[
        int | None, "Months for which it is renewed without notice; null when it ends instead."
    ]
    version: Annotated[int, "Version of the row, raised by every change."]

    account = to_one(Account, accounts.Account, "account_id", "Account of the client that signed.")

    @resolver(list[Terms])
    @staticmethod
    async def terms(row: AgreementRow, info: Info) -> list[agreements.Terms]:
        """Versions of the terms, newest first."""
        return await info.context.children(
            agreements.Terms.agreement_id, row.id, order=(agreements.Terms.number,), descending=True
        )

    @resolver(list[Rate])
    @staticmethod
    async def rates(row: AgreementRow, info: Info) -> list[agreements.Rate]:
        """All past, current and future prices, by code and day."""
        return await info.context.children(
            agreements.Rate.agreement_id,
            row.id,
            order=(agreements.Rate.code, agreements.Rate.in_force),
        )


@mutation_fields
class AgreementMutation:
    """Mutations of agreements."""

    @mutation(Agreement)
    @staticmethod
    async def sign_agreement(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the client that signed."],
        reference: Annotated[str, "Reference number of the agreement; unique in the company."],
        title: Annotated[str, "Title of the agreement, as shown to people."],
        signed_on: Annotated[date, "Day on which the agreement was signed."],
        in_force_from: Annotated[datetime, "Instant from which the terms are in force."],
        terms: Annotated[TermsInput, "First version of the terms."],
    ) -> agreements.Agreement:
        """Record a signed agreement. Terms that are risky on the client's own history need a sign-off first."""
        return await simulation.sign(
            ask.tx,
            account_id,
            reference=reference,
            title=title,
            signed_on=signed_on,
            in_force_from=in_force_from,
            terms=terms.draft(),
        )

    @mutation(Agreement)
    @staticmethod
    async def end_agreement(
        ask: MutationContext,
        id: Annotated[AgreementId, "Agreement to be ended."],
        ended_at: Annotated[
            datetime, "Instant from which no new incident is covered; not in the past."
        ],
        reason: Annotated[str, "Reason for ending the agreement."],
        expected_version: ExpectedVersion = None,
    ) -> agreements.Agreement:
        """End an agreement. Promises on incidents opened before the end are evaluated and credited as agreed."""
        return await agreements.end(
            ask.tx, id, ended_at=ended_at, reason=reason, expected_version=expected_version
        )

    @mutation(Agreement)
    @staticmethod
    async def agree_duration(
        ask: MutationContext,
        id: Annotated[AgreementId, "Agreement that gets a duration."],
        fixed_until: Annotated[
            date | None, "Last day that is agreed; null for no fixed duration."
        ] = None,
        notice_months: Annotated[int, "Calendar months of the notice period, up to 120."] = 0,
        notice_days: Annotated[
            int, "Days of the notice period besides its months, up to 1,000."
        ] = 0,
        renews_for_months: Annotated[
            int | None, "Months of a renewal without notice; null when the agreement ends instead."
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> agreements.Agreement:
        """Agree the last day of an agreement, its notice period and its renewal without notice."""
        return await agreements.agree_duration(
            ask.tx,
            id,
            fixed_until=fixed_until,
            notice_months=notice_months,
            notice_days=notice_days,
            renews_for_months=renews_for_months,
            expected_version=expected_version,
        )

    @mutation(Terms)
    @staticmethod
    async def amend_agreement(
        ask: MutationContext,
        id: Annotated[AgreementId, "Agreement to be amended."],
        in_force_from: Annotated[
            datetime,
            "Instant from which the new terms are in force; the old terms apply until then.",
        ],
        terms: Annotated[TermsInput, "New version of the terms, in full."],
        expected_version: ExpectedVersion = None,
    ) -> agreements.Terms:
        """Put a new version of the terms in force from an instant on.

        Open incidents keep theirs; risky terms need a sign-off.
        """
        return await simulation.amend(
            ask.tx,
            id,
            in_force_from=in_force_from,
            terms=terms.draft(),
            expected_version=expected_version,
        )
