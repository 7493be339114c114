"""Templates: complete, typed, in two languages; half a letter is never sent."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from domain import messages
from domain.core.errors import Code, Refused
from domain.messages import Attachment, Variables
from domain.messages.rules import LANGUAGES, RenderedText, check_variables, grouped, render
from domain.messages.template_data import HOUSE, TEMPLATES
from tests.build import T0

TICKET = {
    "company": "Veilig BV",
    "site": "Kade 3",
    "summary": "Deur <open>\n\nen [naam] los",
    "reference": "A7",
    "opened_at": T0,
}
MONEY = {"amount_cents": 123_456, "currency": "EUR"}
TOLD: dict[str, dict[str, Any]] = {
    "incident_opened": TICKET
    | {
        "ticket_kind": "alarm",
        "priority": "critical",
        "respond_by": datetime(2026, 7, 1, 12, 15, tzinfo=UTC),
    },
    "incident_updated": TICKET | {"news": "Op weg", "updated_at": T0, "next_update_by": T0},
    "incident_resolved": TICKET | {"ticket_kind": "alarm", "resolved_at": T0},
    "promise_at_risk": TICKET
    | {"account": "Haven", "promise_kind": "arrival", "due_at": T0, "used_percent": 75}
    | {"internal": False},
    "credit_notice": TICKET
    | MONEY
    | {
        "promise_kind": "first_response",
        "due_at": T0,
        "acknowledged_at": T0,
        "arrived_at": None,
        "resolved_at": None,
    },
    "credit_granted": MONEY
    | {
        "company": "Veilig BV",
        "account": "Haven A7",
        "why": "period",
        "month_on": date(2026, 3, 1),
    },
    "credit_adjusted": TICKET
    | MONEY
    | {
        "promise_kind": "first_response",
        "due_at": T0,
        "why": "decided",
        "fact_kind": "acknowledged",
        "fact_at": T0,
        "known_at": T0,
        "decision": "Wij delen de kosten.",
        "was_cents": 200_000,
    },
    "month_credit_adjusted": MONEY
    | {
        "company": "Veilig BV",
        "account": "Haven A7",
        "month_on": date(2026, 3, 1),
        "why": "decided",
        "decision": "Wij delen de kosten.",
        "was_cents": 200_000,
    },
    "recovery": TICKET
    | MONEY
    | {
        "cause": "De bezetting was te krap.",
        "done": "Wij hebben het slot vervangen.",
        "offers": ["service_credit", "recovery_plan"],
        "follow_up_on": date(2026, 3, 9),
        "signed_by": "J. de Boer",
    },
    "answered": {
        "company": "Veilig BV",
        "account": "Haven A7",
        "sender": "An <an@client.example>",
        "about": "Melding 7: Raam stuk",
        "words": "De deur is weer open.",
    },
    "agreement_amended": {
        "company": "Veilig BV",
        "account": "Haven A7",
        "title": "Objectbeveiliging",
        "reference": "A-7",
        "number": 2,
        "in_force_from": datetime(2026, 4, 1, tzinfo=UTC),
        "at_once": False,
        "fee_was_cents": 100_000,
        "currency_was": "EUR",
        "fee_cents": 120_000,
        "currency": "USD",
    },
    "agreement_ended": {
        "company": "Veilig BV",
        "account": "Haven A7",
        "title": "Objectbeveiliging",
        "reference": "A-7",
        "ended_at": datetime(2026, 4, 1, tzinfo=UTC),
    },
    "closing_note": MONEY
    | {
        "company": "Veilig BV",
        "account": "Haven A7",
        "title": "Objectbeveiliging",
        "reference": "A-7",
        "number": "C2026-00002",
    },
    **{
        name: MONEY
        | {
            "company": "Veilig BV",
            "account": "Haven A7",
            "title": "Objectbeveiliging",
            "reference": "A-7",
            "number": "C2026-00002",
            "paid_on": date(2026, 5, 4),
            "payment_reference": "SEPA-2026-0004",
        }
        for name in ("paid_out", "payout_reversed")
    },
    "check_in": {
        "company": "Veilig BV",
        "account": "Haven A7",
        "since_on": date(2026, 2, 1),
        "tickets": 4,
        "kept": 9,
        "promised": 10,
    },
    "checkpoint": {
        "company": "Veilig BV",
        "account": "Haven",
        "facts": 7,
        "size": 70,
        "note": "waarborg/A7\n70\nroot\n\n— waarborg/A7 signature",
        "verifier_key": "waarborg/A7+key",
        "signed_at": T0,
    },
}
EACH = [(template, language) for template in TEMPLATES for language in LANGUAGES]
FIELDS = [
    (name, field.name) for name, kind in TEMPLATES.items() for field in msgspec.structs.fields(kind)
]


def said(template: str, language: str, *, zone: str = "Europe/Amsterdam") -> RenderedText:
    return render(
        check_variables(template, TOLD[template]), language=language, time_zone=zone, name="An"
    )


@pytest.mark.parametrize(("template", "language"), EACH)
def test_every_template_renders_in_every_language_with_one_line_of_subject(
    template: str, language: str
) -> None:
    words = said(template, language)
    assert "\n" not in words.subject
    assert "A7" in words.subject + words.body
    assert "An," in words.body
    assert "Veilig BV" in words.body
    assert "{" not in words.subject + words.body
    assert "None" not in words.subject + words.body


@pytest.mark.parametrize(("template", "field"), FIELDS)
def test_without_any_one_of_its_variables_no_template_is_rendered(
    template: str, field: str
) -> None:
    short = {name: each for name, each in TOLD[template].items() if name != field}
    with pytest.raises(Refused) as refused:
        check_variables(template, short)
    assert refused.value.refusal.code is Code.INVALID
    assert field in refused.value.refusal.message


@pytest.mark.parametrize(("template", "field"), FIELDS)
def test_a_variable_that_says_nothing_is_refused(template: str, field: str) -> None:
    if not isinstance(TOLD[template][field], str):
        blank: object = "soon"  # no instant, date or number
    else:
        blank = "  "
    with pytest.raises(Refused):
        check_variables(template, TOLD[template] | {field: blank})


@pytest.mark.parametrize(("template", "language"), EACH)
def test_the_words_use_every_variable(template: str, language: str) -> None:
    """A variable that no template shows is asked for in vain, so each change of one shows."""
    other = {
        str: "OTHER", int: 777_777, datetime: datetime(2031, 1, 5, 3, 4, tzinfo=UTC),
        date: date(2031, 1, 5), list: ["service_credit"], bool: True,
    }  # fmt: skip
    choices = {
        "promise_kind": "closure", "ticket_kind": "maintenance", "priority": "low", "fact_kind": "arrived",
    }  # fmt: skip
    before = said(template, language)
    for field, value in TOLD[template].items():
        if value is None or (
            field == "ticket_kind" and template == "incident_resolved" and language == "nl"
        ):
            continue
        choice = {"decided": "others", "period": "goodwill"} if field == "why" else {}
        choice |= {str(value): choices[field]} if field in choices else {}
        changed = TOLD[template] | {field: choice.get(str(value), other[type(value)])}
        after = render(
            check_variables(template, changed),
            language=language,
            time_zone="Europe/Amsterdam",
            name="An",
        )
        assert after != before, field


@pytest.mark.parametrize(
    "left", ["Beste {{name}},", "Beste [naam],", "Dear <<Name>>,", "Dear [[name]],"]
)
def test_a_placeholder_that_nobody_filled_in_is_never_sent(left: str, tmp_path: Path) -> None:
    class Careless(Variables, frozen=True, kw_only=True):
        template: ClassVar[str] = "careless"
        version: ClassVar[int] = 1
        folder: ClassVar[Path] = tmp_path

    text = left.replace("{{", "{{ '{{' }}") if "{{" in left else left
    (tmp_path / "careless.1.nl.txt").write_text(f"Onderwerp\n---\n{text}\n{{{{ company }}}}")
    with pytest.raises(Refused) as refused:
        render(
            check_variables(Careless, {"company": "V"}),
            language="nl",
            time_zone="Europe/Amsterdam",
            name="An",
        )
    assert "not filled in" in refused.value.refusal.message


def test_a_template_that_asks_for_what_it_is_not_told_is_refused(tmp_path: Path) -> None:
    class Curious(Variables, frozen=True, kw_only=True):
        template: ClassVar[str] = "curious"
        version: ClassVar[int] = 1
        folder: ClassVar[Path] = tmp_path

    (tmp_path / "curious.1.nl.txt").write_text("Onderwerp\n---\n{{ company }} {{ amount }}")
    with pytest.raises(Refused, match="amount"):
        render(
            check_variables(Curious, {"company": "V"}), language="nl", time_zone="UTC", name="An"
        )


def test_a_page_of_its_own_is_escaped_and_its_styles_are_inlined(tmp_path: Path) -> None:
    class Fancy(Variables, frozen=True, kw_only=True):
        template: ClassVar[str] = "fancy"
        version: ClassVar[int] = 2
        folder: ClassVar[Path] = tmp_path

    (tmp_path / "fancy.2.nl.txt").write_text("Onderwerp\n---\nHallo")
    (tmp_path / "fancy.2.html").write_text(
        "<html><head><style>td { color: #123456 }</style></head><body><table><tr><td>{{ company }}"
        "</td></tr></table><img src='cid:trend'></body></html>"
    )
    told = check_variables(Fancy, {"company": "A & <B>"})
    page = render(told, language="nl", time_zone="UTC", name="An").html
    assert page is not None
    assert 'style="color: #123456' in page
    assert "A &amp; &lt;B&gt;" in page
    assert "cid:trend" in page


def test_amounts_and_instants_are_written_as_the_reader_writes_them() -> None:
    dutch = said("credit_notice", "nl").body
    english = said("credit_notice", "en", zone="America/New_York").body
    assert "€ 1.234,56" in dutch
    assert "maandag 2 maart 2026 om 10:00 uur" in dutch
    assert "€1,234.56" in english
    assert "Monday 2 March 2026 at 04:00" in english
    assert (grouped(5, ".", ","), grouped(-100_000_00, ".", ",")) == ("0,05", "-100.000,00")


def test_markup_in_a_summary_stays_text_in_the_page() -> None:
    page = messages.as_html(said("incident_resolved", "nl"), language="nl")
    assert "Deur &lt;open&gt;" in page
    assert "<open>" not in page


@pytest.mark.parametrize(
    "wrong",
    [{"amount_cents": None}, {"amount_cents": "12"}, {"surprise": 1}, {"due_at": "yesterday"}],
)
def test_variables_that_do_not_fit_the_template_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        check_variables("credit_notice", TOLD["credit_notice"] | wrong)
    assert refused.value.refusal.code is Code.INVALID


def test_an_unknown_template_is_refused() -> None:
    with pytest.raises(Refused):
        check_variables("love_letter", {})


def test_the_fingerprint_changes_with_every_part_of_what_was_said() -> None:
    words = RenderedText("S", "B")
    file = Attachment("a.pdf", "application/pdf", b"1")
    said_otherwise = [
        words.sha256(),
        RenderedText("S", "C").sha256(),
        RenderedText("S", "B", "<p>").sha256(),
        words.sha256([file]),
        words.sha256([replace(file, content=b"2")]),
    ]
    assert len(set(said_otherwise)) == len(said_otherwise)


def files() -> Iterator[str]:
    for name, kind in TEMPLATES.items():
        yield from (f"{name}.{kind.version}.{language}.txt" for language in LANGUAGES)


def test_there_is_no_text_that_nobody_sends() -> None:
    words = {f"words.{language}.txt" for language in LANGUAGES}
    assert {file.name for file in HOUSE.glob("*.txt")} == set(files()) | words
