"""Money that goes back: closing notes are paid out at most once, and payments and payouts are taken back."""

from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from domain import accounts, agreements, compensation, invoices
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from schema.core import ids
from tests.api.asking import Api, Office
from tests.build import T0
from tests.domain.invoices.test_billing import THEM, US
from tests.en16931 import Note, violations

MARCH = date(2026, 3, 1)
APRIL_2 = datetime(2026, 4, 2, tzinfo=UTC)
MAY_2 = datetime(2026, 5, 2, tzinfo=UTC)
PAY_OUT = """mutation ($input: BookPayoutInput!) { bookPayout(input: $input) {
  ... on Refusal { code message argument } ... on Payout { id amountCents paidOn reference } } }"""
TAKE_BACK = """mutation ($input: ReversePayoutInput!) { reversePayout(input: $input) {
  ... on Refusal { code argument } ... on Payout { id amountCents reference } } }"""
NOTES = """{ creditNotes { nodes { id number closing grossCents openCents pdfPath xmlPath
  payouts { amountCents reference reversedAt } } } }"""
TRIAL = "{ trialBalance { book amountCents currency } }"
PAY = """mutation ($input: BookPaymentInput!) { bookPayment(input: $input) {
  ... on Refusal { code argument } ... on Payment { id amountCents } } }"""
UNPAY = """mutation ($input: ReversePaymentInput!) { reversePayment(input: $input) {
  ... on Refusal { code argument } ... on Payment { amountCents } } }"""


async def closed(api: Api, office: Office, *, invoiced: bool) -> None:
    """An agreement that ended in March with 7.00 given in April, on a closing note of 8.47 in May."""
    world = office.world
    actor = Actor.system(world.tenant.id, "test")
    begins = MARCH if invoiced else date(2026, 5, 1)
    async with transaction(api.make) as session:
        await invoices.set_party(Tx(session, actor, T0), None, party=US)
        await invoices.set_party(
            Tx(session, actor, T0), world.account.id, party=THEM, bill_from_on=begins
        )
        await agreements.end(
            Tx(session, actor, T0),
            world.agreement.id,
            reason="Moved.",
            ended_at=datetime(2026, 3, 6, tzinfo=UTC),
        )
        await compensation.close_month(Tx(session, actor, APRIL_2), world.agreement.id, MARCH)
        if invoiced:
            await invoices.bill(Tx(session, actor, APRIL_2), world.agreement.id, MARCH)
        await compensation.grant_goodwill(
            Tx(session, actor, APRIL_2), world.agreement.id, cents=700, reason="Sorry."
        )
        await invoices.close_credits(Tx(session, actor, MAY_2), world.agreement.id)


async def finance(api: Api, office: Office) -> str:
    """A token of somebody who does the books."""
    async with transaction(api.make) as session:
        user = await accounts.add_user(
            Tx(session, Actor.system(office.world.tenant.id, "test"), T0),
            email="f@example.org",
            name="F",
            role=Role.FINANCE,
        )
    return api.token(user.id)


async def books(api: Api, token: str) -> dict[str, int]:
    """What stands in each book."""
    rows = (await api.data(token, TRIAL))["trialBalance"]
    return {row["book"]: row["amountCents"] for row in rows if row["amountCents"]}


async def facts(api: Api, office: Office, kind: str) -> list[dict[str, Any]]:
    """The bodies of the facts of a kind."""
    async with api.make() as session:
        rows = await session.scalars(
            select(LedgerRow)
            .where(LedgerRow.tenant_id == office.world.tenant.id, LedgerRow.kind == kind)
            .order_by(LedgerRow.id)
        )
        return [row.body for row in rows]


async def test_a_closing_note_is_paid_out_once_and_a_wrong_booking_is_taken_back(
    api: Api, office: Office
) -> None:
    await closed(api, office, invoiced=True)
    token = await finance(api, office)
    [note] = (await api.data(office.client, NOTES))["creditNotes"]["nodes"]
    assert (note["closing"], note["grossCents"], note["openCents"]) == (True, 847, 847)
    before = await books(api, token)
    given = {
        "creditNoteId": note["id"], "amountCents": 500, "paidOn": "2026-05-04", "reference": "bank-1",
    }  # fmt: skip
    for wrong in (office.client, office.dispatcher):
        refused = (await api.data(wrong, PAY_OUT, input=given))["bookPayout"]
        assert refused["code"] == "NOT_ALLOWED"
    for cents in (0, -1, 848, 2**53 - 1):
        refused = (await api.data(token, PAY_OUT, input=given | {"amountCents": cents}))[
            "bookPayout"
        ]
        assert (refused["code"], refused["argument"]) == ("INVALID", "amountCents")

    booked = (await api.data(token, PAY_OUT, input=given))["bookPayout"]
    again = (await api.data(token, PAY_OUT, input=given | {"amountCents": 1}))["bookPayout"]
    more = given | {"amountCents": 348, "reference": "bank-2"}
    too_much = (await api.data(token, PAY_OUT, input=more))["bookPayout"]
    assert (booked["amountCents"], again["code"]) == (500, "ALREADY_EXISTS")
    assert "3.47 EUR is still to be paid out" in too_much["message"]
    [told] = await facts(api, office, "credit_note.paid_out")
    assert (told["open_was_cents"], told["amount_cents"], told["open_cents"]) == (847, 500, 347)
    after = await books(api, token)
    assert after["BANK"] == before.get("BANK", 0) - 500
    assert after["RECEIVABLE"] == before["RECEIVABLE"] + 500
    assert sum(after.values()) == 0

    back = {"id": booked["id"], "reason": "Of another client."}
    for wrong in (office.client, office.dispatcher):
        refused = (await api.data(wrong, TAKE_BACK, input=back))["reversePayout"]
        assert refused["code"] == "NOT_ALLOWED"
    taken = (await api.data(token, TAKE_BACK, input=back))["reversePayout"]
    assert taken["amountCents"] == -500
    twice = (await api.data(token, TAKE_BACK, input=back))["reversePayout"]
    of_reversal = (await api.data(token, TAKE_BACK, input=back | {"id": taken["id"]}))[
        "reversePayout"
    ]
    assert (twice["code"], of_reversal["code"]) == ("ALREADY_DONE", "INVALID")
    [told] = await facts(api, office, "credit_note.payout_reversed")
    assert (told["open_was_cents"], told["open_cents"]) == (347, 847)
    restored = await books(api, token)
    assert restored == before
    whole = (await api.data(token, PAY_OUT, input=given | {"amountCents": 847}))["bookPayout"]
    assert whole["reference"] == "bank-1"  # free again
    [note] = (await api.data(office.client, NOTES))["creditNotes"]["nodes"]
    assert note["openCents"] == 0
    assert [each["amountCents"] for each in note["payouts"]] == [500, -500, 847]


async def test_a_note_that_an_invoice_settles_is_not_paid_out(api: Api, office: Office) -> None:
    world = office.world
    actor = Actor.system(world.tenant.id, "test")
    async with transaction(api.make) as session:
        await invoices.set_party(Tx(session, actor, T0), None, party=US)
        await invoices.set_party(
            Tx(session, actor, T0), world.account.id, party=THEM, bill_from_on=MARCH
        )
        await compensation.grant_goodwill(
            Tx(session, actor, T0), world.agreement.id, cents=700, reason="Sorry."
        )
        await compensation.close_month(Tx(session, actor, APRIL_2), world.agreement.id, MARCH)
        await invoices.bill(Tx(session, actor, APRIL_2), world.agreement.id, MARCH)
    [note] = (await api.data(office.client, NOTES))["creditNotes"]["nodes"]
    assert (note["closing"], note["openCents"]) == (False, 0)
    given = {
        "creditNoteId": note["id"], "amountCents": 1, "paidOn": "2026-05-04", "reference": "bank-1",
    }  # fmt: skip
    refused = (await api.data(await finance(api, office), PAY_OUT, input=given))["bookPayout"]
    assert (refused["code"], refused["argument"]) == ("INVALID", "creditNoteId")


@pytest.mark.parametrize("invoiced", [True, False])
async def test_a_closing_note_is_had_as_a_valid_document_also_when_nothing_was_invoiced(
    api: Api, office: Office, invoiced: bool
) -> None:
    await closed(api, office, invoiced=invoiced)
    [note] = (await api.data(office.client, NOTES))["creditNotes"]["nodes"]
    headers = {"authorization": f"Bearer {office.client}"}
    xml = await api.http.get(note["xmlPath"], headers=headers)
    pdf = await api.http.get(note["pdfPath"], headers=headers)
    assert (xml.status_code, pdf.status_code) == (200, 200)
    assert violations(xml.content) == []
    read = Note(xml.content)
    assert ("nlcius" in read.text("cbc:CustomizationID")) is invoiced
    assert bool(read.all("cac:BillingReference")) is invoiced
    contract = read.text("cac:ContractDocumentReference/cbc:ID")
    assert contract == ("" if invoiced else office.world.agreement.reference)
    paper = PdfReader(BytesIO(pdf.content))
    assert paper.attachments == {f"{note['number']}.xml": [xml.content]}
    assert ("For invoice" in paper.pages[0].extract_text()) is invoiced


async def test_a_payment_is_at_most_what_is_open_and_is_taken_back_by_who_may_bill(
    api: Api, office: Office
) -> None:
    await closed(api, office, invoiced=True)
    token = await finance(api, office)
    asked = "{ invoices { nodes { id grossCents openCents } } }"
    [invoice] = (await api.data(token, asked))["invoices"]["nodes"]
    given = {
        "invoiceId": invoice["id"], "amountCents": invoice["openCents"] + 1, "paidOn": "2026-04-20",
        "reference": "bank-1",
    }  # fmt: skip
    refused = (await api.data(token, PAY, input=given))["bookPayment"]
    assert refused == {"code": "INVALID", "argument": "amountCents"}
    given["amountCents"] = invoice["openCents"]
    assert (await api.data(office.client, PAY, input=given))["bookPayment"]["code"] == "NOT_ALLOWED"
    booked = (await api.data(token, PAY, input=given))["bookPayment"]
    one_more = given | {"amountCents": 1, "reference": "bank-2"}
    assert (await api.data(token, PAY, input=one_more))["bookPayment"]["code"] == "INVALID"
    back = {"id": booked["id"], "reason": "Of another client."}
    refused = (await api.data(office.client, UNPAY, input=back))["reversePayment"]
    assert refused["code"] == "NOT_ALLOWED"
    taken = (await api.data(token, UNPAY, input=back))["reversePayment"]
    assert taken["amountCents"] == -invoice["openCents"]
    [now] = (await api.data(token, asked))["invoices"]["nodes"]
    assert now == invoice
    [told] = await facts(api, office, "invoice.payment_reversed")
    assert ids.write("Payment", told["reverses_id"]) == booked["id"]
