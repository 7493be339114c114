"""A credit that was set off is downloaded as an e-invoice, and on paper with the same e-invoice inside."""

from datetime import UTC, date, datetime
from io import BytesIO

import pytest
from pypdf import PdfReader

from domain import compensation, invoices
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.invoices import Party
from tests.api import asking
from tests.api.asking import Api, Office
from tests.build import T0
from tests.en16931 import Note, violations

MARCH = date(2026, 3, 1)
NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
US = Party(
    "Beveiliging B.V.", "Dam 1", "1012 JS", "Amsterdam",
    kvk_number="12345678", vat_number="NL004495445B01", iban="NL91ABNA0417164300",
)  # fmt: skip
THEM = Party("Klant B.V.", "Coolsingel 2", "3011 AD", "Rotterdam", kvk_number="87654321")
NOTES = """
query ($account: ID!) { creditNotes(accountId: $account) { nodes { number pdfPath xmlPath grossCents } } }"""


async def billed(api: Api, office: Office, *, us: Party = US, category: str = "S") -> None:
    """A month with a gesture of 25 euros, set off against its invoice."""
    world = office.world
    actor = Actor.system(world.tenant.id, "test")
    async with transaction(api.make) as session:
        await compensation.choose_policy(
            Tx(session, actor, T0),
            approval_above_cents=100_000,
            vat_category=category,
            vat_rate_bps=2_100 if category == "S" else 0,
        )
        await invoices.set_party(Tx(session, actor, T0), None, party=us)
        await invoices.set_party(
            Tx(session, actor, T0), world.account.id, party=THEM, bill_from_on=MARCH
        )
        await compensation.grant_goodwill(
            Tx(session, actor, T0), world.agreement.id, cents=2_500, reason="Sorry."
        )
        await compensation.close_month(Tx(session, actor, NOW), world.agreement.id, MARCH)
        await invoices.bill(Tx(session, actor, NOW), world.agreement.id, MARCH)


@pytest.mark.parametrize(("category", "gross"), [("S", 3_025), ("O", 2_500), ("E", 2_500)])
async def test_an_applied_credit_is_had_as_a_valid_e_invoice_and_on_paper(
    api: Api, office: Office, category: str, gross: int
) -> None:
    await billed(api, office, category=category)
    data = await api.data(office.client, NOTES, account=office.account)
    [note] = data["creditNotes"]["nodes"]
    headers = {"authorization": f"Bearer {office.client}"}

    xml = await api.http.get(note["xmlPath"], headers=headers)
    pdf = await api.http.get(note["pdfPath"], headers=headers)

    assert (xml.status_code, xml.headers["content-type"]) == (200, "application/xml")
    assert (pdf.status_code, pdf.headers["content-type"]) == (200, "application/pdf")
    assert violations(xml.content) == []
    read = Note(xml.content)
    assert (read.text("cbc:ID"), int(read.total("PayableAmount") * 100)) == (note["number"], gross)
    assert note["grossCents"] == gross
    assert PdfReader(BytesIO(pdf.content)).attachments == {f"{note['number']}.xml": [xml.content]}


async def test_a_credit_note_is_nobody_elses(api: Api, office: Office) -> None:
    await billed(api, office)
    stranger = await asking.office(api)
    data = await api.data(office.manager, NOTES, account=office.account)
    [note] = data["creditNotes"]["nodes"]
    for path in (note["xmlPath"], note["pdfPath"]):
        theirs = await api.http.get(path, headers={"authorization": f"Bearer {stranger.manager}"})
        assert theirs.status_code == 404


async def test_what_an_e_invoice_lacks_is_said(api: Api, office: Office) -> None:
    await billed(api, office, us=Party("B.V.", "Dam 1", "1012 JS", "Amsterdam"))
    data = await api.data(office.manager, NOTES, account=office.account)
    [note] = data["creditNotes"]["nodes"]
    answer = await api.http.get(
        note["xmlPath"], headers={"authorization": f"Bearer {office.manager}"}
    )
    assert answer.status_code == 422
    told = answer.json()["errors"][0]["message"]
    assert "the supplier's KVK number (8 digits)" in told
    assert "a valid IBAN of the supplier" in told
