"""Billing parties: the legal details of the company and of its clients."""

from datetime import date
from typing import Annotated

import strawberry
from strawberry.types.unset import UNSET

from domain import accounts, invoices
from domain.invoices import Party
from schema.accounts import Account
from schema.core.ids import Node
from schema.core.mutations import AccountId, ExpectedVersion, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields
from schema.core.types import from_row, input_type

PartyRow = strawberry.Parent[invoices.BillingParty]


@from_row(invoices.BillingParty)
class BillingParty(Node):
    """Legal details of the company or of a client, as printed on documents from now on."""

    legal_name: Annotated[str, "Legal name, as registered in the trade register."]
    kvk_number: Annotated[str | None, "Number in the Dutch trade register (KvK), eight digits."]
    vat_number: Annotated[str | None, "VAT number with its country prefix."]
    street: Annotated[str, "Street and house number of the legal address."]
    postcode: Annotated[str, "Postal code of the legal address."]
    city: Annotated[str, "City of the legal address."]
    country: Annotated[str, "Country of the legal address, as an ISO 3166 code."]
    iban: Annotated[str | None, "IBAN of the bank account."]
    bic: Annotated[str | None, "BIC of the bank."]
    bill_from_on: Annotated[
        date | None, "First day of the first month billed by this system; null for the company."
    ]
    version: Annotated[int, "Version of the row, raised by every change."]

    account = to_one(
        Account,
        accounts.Account,
        "account_id",
        "Account of the client; null for the company itself.",
    )


@input_type
class PartyInput:
    """Legal details of a company or a client."""

    legal_name: Annotated[str, "Legal name, as registered in the trade register."]
    street: Annotated[str, "Street and house number of the legal address."]
    postcode: Annotated[str, "Postal code of the legal address."]
    city: Annotated[str, "City of the legal address."]
    country: Annotated[
        str | None, "Country as an ISO 3166 code; omitted or null: unchanged, at first NL."
    ] = UNSET
    kvk_number: Annotated[
        str | None,
        "Number in the Dutch trade register (KvK), eight digits; omitted: unchanged; null: none.",
    ] = UNSET
    vat_number: Annotated[
        str | None, "VAT number with its country prefix; omitted: unchanged; null: none."
    ] = UNSET
    iban: Annotated[str | None, "IBAN of the bank account; omitted: unchanged; null: none."] = UNSET
    bic: Annotated[str | None, "BIC of the bank; omitted: unchanged; null: none."] = UNSET

    def party(self) -> Party:
        """Convert the input to the domain's billing party."""
        kept = self.left_out()
        return Party(**{name: value for name, value in vars(self).items() if name not in kept})

    def left_out(self) -> frozenset[str]:
        """Return the names of the omitted details, which stay as they are."""
        kept = {name for name, value in vars(self).items() if value is UNSET}
        return frozenset(kept | {"country"} if self.country is None else kept)


@mutation_fields
class BillingPartyMutation:
    """Mutations of billing parties."""

    @mutation(BillingParty)
    @staticmethod
    async def set_billing_party(
        ask: MutationContext,
        party: Annotated[PartyInput, "Legal details to print on documents."],
        account_id: Annotated[
            AccountId | None, "Account of the client; null for your company."
        ] = None,
        bill_from_on: Annotated[
            date | None,
            "First month billed by this system; for clients only. Omitted or null: unchanged, but required at first.",
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> invoices.BillingParty:
        """Set the legal details printed on documents from now on. Details that are omitted stay as they are."""
        return await invoices.set_party(
            ask.tx,
            account_id,
            party=party.party(),
            left_out=party.left_out(),
            bill_from_on=bill_from_on,
            expected_version=expected_version,
        )
