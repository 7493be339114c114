"""Credit notes as PDF/A-3b with the e-invoice embedded, so that people and machines read the same note."""

from datetime import UTC, datetime, time
from pathlib import Path

import msgspec

from domain import documents
from domain.documents import Language, language
from domain.invoices.parties import Party
from domain.invoices.rules import CreditNoteDocument, DocumentLine
from domain.invoices.taxes import EU
from domain.invoices.ubl import credit_note_xml, names_invoice
from domain.invoices.vat import VatCategory

_TEMPLATES = Path(__file__).parent / "templates"


class Block(msgspec.Struct, frozen=True, rename="kebab"):
    """A party as its lines are printed."""

    title: str
    name: str
    lines: list[str]


class PrintedNote(msgspec.Struct, frozen=True, rename="kebab"):
    """The note in one language, as the template uses it."""

    language: str
    title: str
    number: str
    supplier: Block
    customer: Block
    facts: list[tuple[str, str]]
    reason: str
    columns: list[str]
    rows: list[list[str]]
    sums: list[tuple[str, str]]
    total: tuple[str, str]
    remarks: list[str]
    footer: str
    file: str


def credit_note_pdf(note: CreditNoteDocument, *, code: str) -> bytes:
    """Render the note as PDF/A-3b with `credit_note_xml(note)` attached; the same note gives the same bytes.

    Raises `Incomplete` when the e-invoice lacks something.
    """
    xml = credit_note_xml(note).decode()
    at = datetime.combine(note.issued_on, time(12), tzinfo=UTC)
    return documents.pdf(
        "credit_note", printed_note(note, code=code), at=at, standards=["a-3b"], inputs={"xml": xml}
    )


def printed_note(note: CreditNoteDocument, *, code: str) -> PrintedNote:
    """Return the printed texts in a language."""
    say = language.of(code, _TEMPLATES)
    totals, currency = note.totals, note.currency
    period = say.say(
        "note.from_to",
        first=say.day(note.period_from_on, "d MMMM y"),
        last=say.day(note.period_until_on, "d MMMM y"),
    )
    return PrintedNote(
        language=say.code,
        title=say.say("note.title"),
        number=note.number,
        supplier=_block(say.say("note.supplier"), note.supplier, say),
        customer=_block(say.say("note.customer"), note.customer, say),
        facts=[
            (say.say("note.number"), note.number),
            (say.say("note.issued"), say.day(note.issued_on, "d MMMM y")),
            (say.say("note.period"), period),
            *([(say.say("note.invoice"), note.invoice_number)] if names_invoice(note) else []),
            (say.say("note.reference"), note.buyer_reference),
        ],
        reason=note.reason,
        columns=[say.say(f"column.{name}") for name in ("name", "quantity", "price", "vat", "net")],
        rows=[_row(line, currency, say) for line in note.lines],
        sums=[
            (say.say("sum.net"), say.money(totals.net_cents, currency)),
            *(
                (
                    say.say(
                        "sum.vat",
                        rate=say.share(each.rate_bps, 10_000),
                        base=say.money(each.net_cents, currency),
                    ),
                    say.money(each.vat_cents, currency),
                )
                for each in totals.vat
                if each.category is VatCategory.STANDARD
            ),
        ],
        total=(say.say("sum.total"), say.money(totals.gross_cents, currency)),
        remarks=_remarks(note, say),
        footer=" · ".join(
            part
            for part in (
                note.supplier.legal_name,
                _told("party.kvk", note.supplier.kvk_number, say),
                _told("party.vat", note.supplier.vat_number, say),
                _told("party.iban", note.supplier.iban, say),
            )
            if part
        ),
        file=f"{note.number}.xml",
    )


def _remarks(note: CreditNoteDocument, say: Language) -> list[str]:
    categories = {line.vat_category for line in note.lines}
    remarks = [
        say.say(f"remark.{_remark(category, note)}")
        for category in VatCategory
        if category in categories and category is not VatCategory.STANDARD
    ]
    how = "closing" if note.closing else "settled"
    return [
        *remarks,
        say.say(f"remark.{how}", invoice=note.invoice_number),
        say.say("remark.inside" if names_invoice(note) else "remark.inside_core"),
    ]


def _remark(category: VatCategory, note: CreditNoteDocument) -> str:
    abroad = category is VatCategory.OUTSIDE and note.customer.country not in EU
    return "abroad" if abroad else category.name.lower()


def _row(line: DocumentLine, currency: str, say: Language) -> list[str]:
    taxed = line.vat_category is VatCategory.STANDARD
    quantity = say.decimal(line.quantity_milli, 3)
    return [
        line.name,
        f"{quantity} {say.say(f'unit.{line.unit.value}')}",
        say.money(line.price_cents, currency),
        say.share(line.vat_rate_bps, 10_000) if taxed else say.say("column.untaxed"),
        say.money(line.net_cents, currency),
    ]


def _block(title: str, party: Party, say: Language) -> Block:
    lines = [party.street, f"{party.postcode}  {party.city}"]
    if party.country != "NL":
        lines.append(party.country)
    lines += [
        remarks
        for remarks in (
            _told("party.kvk", party.kvk_number, say),
            _told("party.vat", party.vat_number, say),
        )
        if remarks
    ]
    return Block(title, party.legal_name, lines)


def _told(key: str, value: str | None, say: Language) -> str:
    return "" if not value else say.say(key, value=value)
