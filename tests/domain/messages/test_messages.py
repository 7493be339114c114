"""Messages: written once per intent and contact, in the contact's language and time."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from domain import accounts, messages
from domain.actor import Actor
from domain.db import Sessions, transaction
from domain.errors import Code, Refused
from domain.ledger import Entry
from domain.messages import Message, MessageState
from domain.messages.rules import LANGUAGES, TEMPLATES, checked, grouped, render
from tests import build
from tests.build import T0

pytestmark = pytest.mark.anyio

TOLD: dict[str, dict[str, Any]] = {
    "incident_opened": {
        "ticket_kind": "alarm",
        "priority": "critical",
        "respond_by": datetime(2026, 7, 1, 12, 15, tzinfo=UTC),
    },
    "incident_resolved": {"ticket_kind": "alarm", "resolved_at": T0},
    "credit_notice": {
        "promise_kind": "first_response",
        "due_at": T0,
        "acknowledged_at": T0,
        "arrived_at": None,
        "resolved_at": None,
        "amount_cents": 123_456,
        "currency": "EUR",
    },
}
CHECKPOINT = {
    "company": "Veilig BV",
    "account": "Haven",
    "facts": 7,
    "size": 70,
    "note": "waarborg/A7\n70\nroot\n\n— waarborg/A7 signature",
    "verifier_key": "waarborg/A7+key",
    "signed_at": T0,
}
SHARED = {
    "company": "Veilig BV",
    "site": "Kade 3",
    "summary": "Deur <open>\n\nen los",
    "reference": "A7",
    "opened_at": T0,
}


def variables(template: str) -> dict[str, Any]:
    return CHECKPOINT if template == "checkpoint" else SHARED | TOLD[template]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_renders_in_every_language_with_one_line_of_subject(
    template: str, language: str
) -> None:
    words = render(
        checked(template, variables(template)),
        language=language,
        time_zone="Europe/Amsterdam",
        name="An",
    )
    assert "\n" not in words.subject
    assert "A7" in words.subject + words.body
    assert "An," in words.body
    assert "Veilig BV" in words.body
    assert "{" not in words.subject + words.body


def test_amounts_and_instants_are_written_as_the_reader_writes_them() -> None:
    told = checked("credit_notice", variables("credit_notice"))
    dutch = render(told, language="nl", time_zone="Europe/Amsterdam", name="An").body
    english = render(told, language="en", time_zone="America/New_York", name="An").body
    assert "€ 1.234,56" in dutch
    assert "maandag 2 maart 2026 om 10:00 uur" in dutch
    assert "€1,234.56" in english
    assert "Monday 2 March 2026 at 04:00" in english
    assert (grouped(5, ".", ","), grouped(-100_000_00, ".", ",")) == ("0,05", "-100.000,00")


def test_markup_in_a_summary_stays_text_in_the_page() -> None:
    words = render(
        checked("incident_resolved", variables("incident_resolved")),
        language="nl",
        time_zone="Europe/Amsterdam",
        name="An",
    )
    page = messages.as_html(words, language="nl")
    assert "Deur &lt;open&gt;" in page
    assert "<open>" not in page


@pytest.mark.parametrize(
    "wrong",
    [{"amount_cents": None}, {"amount_cents": "12"}, {"surprise": 1}, {"due_at": "yesterday"}],
)
def test_variables_that_do_not_fit_the_template_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        checked("credit_notice", variables("credit_notice") | wrong)
    assert refused.value.refusal.code is Code.INVALID


def test_a_missing_variable_and_an_unknown_template_are_refused() -> None:
    short = variables("credit_notice")
    del short["amount_cents"]
    for template, told in (("credit_notice", short), ("love_letter", short)):
        with pytest.raises(Refused) as refused:
            checked(template, told)
        assert refused.value.refusal.code is Code.INVALID


async def compose(make: Sessions, world: build.World, intent: str) -> list[Message]:
    async with transaction(make) as session:
        return await messages.compose(
            session,
            world.staff,
            world.account.id,
            intent=intent,
            template="incident_resolved",
            variables=variables("incident_resolved"),
            at=T0,
        )


async def test_each_contact_is_written_to_once_per_intent_in_its_language(make: Sessions) -> None:
    world = await build.client(make, contacts=2)
    intent = f"incident:{world.site.id}:resolved"
    first, second = await compose(make, world, intent), await compose(make, world, intent)
    assert [(m.language, m.subject[:8]) for m in first] == [("nl", "Opgelost"), ("en", "Resolved")]
    assert second == []


async def test_a_contact_that_wants_no_service_messages_or_has_no_address_is_left_alone(
    make: Sessions,
) -> None:
    world = await build.client(make, contacts=1)
    async with transaction(make) as session:
        for fields in (
            {"email": "x@example.org", "wants_service_messages": False},
            {"email": None},
        ):
            await accounts.add_contact(
                session,
                Actor.system(world.tenant.id, "test"),
                world.account.id,
                name="Stil",
                role="-",
                at=T0,
                **fields,
            )
    written = await compose(make, world, f"incident:{world.site.id}:resolved")
    assert [message.contact_id for message in written] == [world.contacts[0].id]


async def test_a_message_ends_once_and_says_so_in_the_ledger(make: Sessions) -> None:
    world = await build.client(make, contacts=1)
    [message] = await compose(make, world, f"incident:{world.site.id}:resolved")
    async with transaction(make) as session:
        assert await messages.take(session, world.staff, message.id)
    async with transaction(make) as session:
        await messages.mark_sent(session, world.staff, message.id, at=T0)
        await messages.mark_sent(session, world.staff, message.id, at=T0)
        await messages.mark_failed(session, world.staff, message.id, at=T0, error="too late")
    async with transaction(make) as session:
        assert await messages.take(session, world.staff, message.id) is None
    async with make() as session:
        row = await session.get_one(Message, message.id)
        kinds = await session.scalars(
            select(Entry.kind).where(Entry.subject_id == message.id).order_by(Entry.id)
        )
        assert (row.state, row.attempts) == (MessageState.SENT, 1)
        assert list(kinds) == ["message.queued", "message.sent"]


async def test_a_message_of_another_tenant_does_not_exist(make: Sessions) -> None:
    world, other = await build.client(make, contacts=1), await build.client(make, contacts=0)
    [message] = await compose(make, world, f"incident:{world.site.id}:resolved")
    async with make() as session:
        with pytest.raises(Refused) as refused:
            await messages.take(session, other.staff, message.id)
    assert refused.value.refusal.code is Code.NOT_FOUND
