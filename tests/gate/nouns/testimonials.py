"""Testimonials for the probes of the gate: one that was asked for, one that was given, one that is shown."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update

from domain import testimonials
from domain.access import Tx
from domain.accounts.model import Account, Contact, Stage
from domain.core.base import uuid7
from domain.core.db import transaction
from domain.testimonials import TestimonialChannel, TestimonialState
from schema.core import ids
from tests.api.asking import Api, Office
from tests.reviewing import system


async def _given(api: Api, office: Office, state: TestimonialState) -> UUID:
    async with transaction(api.make) as session:
        at = api.state.now() - timedelta(hours=1)
        contact = office.world.contacts[0]
        row = testimonials.Testimonial(
            id=uuid7(), tenant_id=contact.tenant_id, account_id=contact.account_id,
            contact_id=contact.id, batch_id=uuid7(), state=TestimonialState.REQUESTED,
            asked_at=at, language="nl", channels=[],
        )  # fmt: skip
        session.add(row)
        await session.flush()
        tx = Tx(session, system(contact.tenant_id), at)
        if state is not TestimonialState.REQUESTED:
            await testimonials.give(
                tx, row.id, words="Goed", shown_name="A. Jansen", shown_role=None, language="nl",
                channels=[TestimonialChannel.WEBSITE], until_on=at.date() + timedelta(days=30),
            )  # fmt: skip
        if state is TestimonialState.APPROVED:
            await testimonials.approve(tx, row.id)
        return row.id


async def furnish(api: Api, office: Office) -> None:
    """Add a request, one that waits for moderation, and one that is shown."""
    for state in (TestimonialState.REQUESTED, TestimonialState.GIVEN, TestimonialState.APPROVED):
        await _given(api, office, state)


async def _to_ask(api: Api, office: Office) -> dict[str, Any]:
    """Somebody who was not asked."""
    world = office.world
    async with transaction(api.make) as session:
        await session.execute(
            update(Account).where(Account.id == world.account.id).values(stage=Stage.DELIVERY)
        )
        session.add(
            Contact(
                tenant_id=world.tenant.id, account_id=world.account.id, name="Probe Person",
                role="r", email=f"{uuid4().hex}@example.org",
            )
        )  # fmt: skip
    return {}


async def _waiting(api: Api, office: Office) -> dict[str, Any]:
    row_id = await _given(api, office, TestimonialState.GIVEN)
    return {"id": ids.write("Testimonial", row_id)}


DOABLE = {
    "requestTestimonials": _to_ask,
    "approveTestimonial": _waiting,
    "refuseTestimonial": _waiting,
    "withdrawTestimonial": _waiting,
}
LAST_FACTS = {"testimonialEvents": "testimonial.approved"}
