"""Testimonials: everybody is asked alike, writes by a link, is shown under consent, and gone at once when withdrawn."""

import ast
import inspect
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from domain import privacy, testimonials
from domain.access import Actor, Tx
from domain.accounts.model import Account, Contact, Stage
from domain.core.db import transaction
from domain.messages.model import Message
from domain.privacy import Person
from tests.api import asking
from tests.api.asking import Api, Office
from tests.api.structured_data import problems

pytestmark = pytest.mark.anyio
ASK = """mutation { requestTestimonials(input: {}) { ... on TestimonialRound { asked } ... on Refusal { code } } }"""
LIST = """query ($states: [TestimonialState!]) { testimonials(states: $states) { nodes { id state words shownName
  channels consentText untilOn isShown version contact { id } } } }"""
APPROVE = """mutation ($id: ID!) { approveTestimonial(input: {id: $id}) {
  ... on Testimonial { state isShown } ... on Refusal { code } } }"""
REFUSE = """mutation ($id: ID!) { refuseTestimonial(input: {id: $id, reason: CONFIDENTIAL}) {
  ... on Testimonial { state refusal isShown } ... on Refusal { code } } }"""
WITHDRAW = """mutation ($id: ID!) { withdrawTestimonial(input: {id: $id}) {
  ... on Testimonial { state words } ... on Refusal { code } } }"""


async def served(api: Api, office: Office) -> None:
    """Let the client be one that is served."""
    async with transaction(api.make) as session:
        await session.execute(
            update(Account)
            .where(Account.id == office.world.account.id)
            .values(stage=Stage.DELIVERY)
        )


async def listed(api: Api, token: str) -> list[dict[str, Any]]:
    """The testimonials that somebody sees."""
    nodes: list[dict[str, Any]] = (await api.data(token, LIST))["testimonials"]["nodes"]
    return nodes


async def asked(api: Api, office: Office) -> str:
    """Ask everybody; return the path of the link of the first contact."""
    await served(api, office)
    assert (await api.data(office.manager, ASK))["requestTestimonials"]["asked"] > 0
    async with api.make() as session:
        row = await session.scalar(
            select(testimonials.Testimonial).where(
                testimonials.Testimonial.contact_id == office.world.contacts[0].id
            )
        )
    assert row is not None
    return f"/t/{api.state.testimonial_links.token(row.id)}"


def form(api: Api, **more: Any) -> dict[str, Any]:
    """What a contact fills in."""
    until = (api.state.now() + timedelta(days=100)).date().isoformat()
    given = {
        "words": "Snel ter plaatse </script><b>", "name": "A. Jansen", "role": "Facility",
        "channel": ["website", "tenders"], "until": until, "agree": "yes",
    }  # fmt: skip
    return given | more


async def test_a_contact_writes_by_a_link_and_withdrawal_takes_it_from_everywhere(
    api: Api, office: Office
) -> None:
    tenant = office.world.tenant
    page, data = f"/showcase/{tenant.id}", f"/showcase/{tenant.id}.json"
    assert (await api.http.get(page)).status_code == 404
    link = await asked(api, office)
    assert (await api.data(office.manager, ASK))["requestTestimonials"] == {"asked": 0}
    other = "B" if link.endswith("A") else "A"
    assert (await api.http.get(link[:-1] + other)).status_code == 404
    shown = await api.http.get(link)
    assert (shown.status_code, "textarea" in shown.text) == (200, True)
    for field, wrong in (("agree", ""), ("channel", []), ("until", "2001-01-01"), ("name", " ")):
        answer = await api.http.post(link, data=form(api) | {field: wrong})
        assert answer.status_code == 422, field
    assert (await api.http.post(link, data=form(api))).status_code == 200
    [row] = [each for each in await listed(api, office.manager) if each["state"] == "GIVEN"]
    assert (row["shownName"], row["channels"], row["isShown"]) == (
        "A. Jansen", ["TENDERS", "WEBSITE"], False,
    )  # fmt: skip
    assert "{company}" in row["consentText"]
    assert (await api.http.get(data)).json()["testimonials"] == []
    stranger = await asking.office(api)
    for token in (office.client, office.dispatcher, stranger.manager):
        assert await listed(api, token) == []
        answer = (await api.data(token, APPROVE, id=row["id"]))["approveTestimonial"]
        assert answer["code"] in {"NOT_ALLOWED", "NOT_FOUND"}
    done = (await api.data(office.manager, APPROVE, id=row["id"]))["approveTestimonial"]
    assert done == {"state": "APPROVED", "isShown": True}
    answer = await api.http.get(data)
    found = answer.json()
    assert found["company"] == tenant.name
    assert found["testimonials"][0]["name"] == "A. Jansen"
    assert {"nl", "en"} == found["statement"].keys()
    assert int(re.findall(r"max-age=(\d+)", answer.headers["cache-control"])[0]) <= 5
    assert problems(found["structuredData"]) == []
    html = (await api.http.get(page)).text
    [embedded] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert json.loads(embedded) == found["structuredData"]
    assert testimonials.STATEMENT["nl"] in html
    assert (await api.http.post(link, data={"action": "withdraw"})).status_code == 200
    assert (await api.http.get(data)).json()["testimonials"] == []
    assert "A. Jansen" not in (await api.http.get(page)).text
    [gone] = [each for each in await listed(api, office.manager) if each["id"] == row["id"]]
    assert (gone["state"], gone["words"], gone["shownName"]) == ("WITHDRAWN", None, None)
    assert (await api.http.post(link, data=form(api))).status_code == 422


async def test_consent_ends_with_its_day_its_channels_and_a_refusal(
    api: Api, office: Office
) -> None:
    link = await asked(api, office)
    data = f"/showcase/{office.world.tenant.id}.json"
    await api.http.post(link, data=form(api, channel=["tenders"]))
    [row] = [each for each in await listed(api, office.manager) if each["state"] == "GIVEN"]
    done = (await api.data(office.manager, APPROVE, id=row["id"]))["approveTestimonial"]
    assert done == {"state": "APPROVED", "isShown": False}
    assert (await api.http.get(data)).json()["testimonials"] == []
    await api.http.post(link, data=form(api))  # written anew: moderated anew
    assert (await api.http.get(data)).json()["testimonials"] == []
    await api.data(office.manager, APPROVE, id=row["id"])
    assert len((await api.http.get(data)).json()["testimonials"]) == 1
    no = (await api.data(office.manager, REFUSE, id=row["id"]))["refuseTestimonial"]
    assert (no["state"], no["refusal"]) == ("REFUSED", "CONFIDENTIAL")
    assert (await api.http.get(data)).json()["testimonials"] == []
    await api.data(office.manager, APPROVE, id=row["id"])
    async with transaction(api.make) as session:
        await session.execute(
            update(testimonials.Testimonial)
            .where(testimonials.Testimonial.account_id == office.world.account.id)
            .values(until_on=(api.state.now() - timedelta(days=2)).date())
        )
    assert (await api.http.get(data)).json()["testimonials"] == []


async def test_the_erasure_of_a_contact_withdraws_and_staff_may_withdraw(
    api: Api, office: Office
) -> None:
    link = await asked(api, office)
    await api.http.post(link, data=form(api))
    contact = office.world.contacts[0]
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(contact.tenant_id, "test"), api.state.now())
        await privacy.erase(tx, Person.CONTACT, contact.id)
    [row] = [each for each in await listed(api, office.manager) if each["state"] == "WITHDRAWN"]
    assert (row["contact"], row["words"]) == (None, None)
    again = (await api.data(office.manager, WITHDRAW, id=row["id"]))["withdrawTestimonial"]
    assert again["code"] == "ALREADY_DONE"


async def test_everybody_with_consent_is_asked_whatever_they_said(api: Api, office: Office) -> None:
    await served(api, office)
    async with transaction(api.make) as session:
        session.add(
            Contact(
                tenant_id=office.world.tenant.id, account_id=office.world.account.id,
                name="Zegt niets", role="r", email=None,
            )
        )  # fmt: skip
    async with api.make() as session:
        wanted = set(
            await session.scalars(
                select(Contact.id).where(
                    Contact.account_id == office.world.account.id,
                    Contact.email.is_not(None),
                    Contact.wants_service_messages,
                )
            )
        )
    await api.data(office.manager, ASK)
    async with api.make() as session:
        letters = list(
            await session.scalars(
                select(Message).where(
                    Message.account_id == office.world.account.id,
                    Message.template == "testimonial",
                )
            )
        )
    assert {each.contact_id for each in letters} == wanted
    assert len({each.body.replace(each.body.split("\n")[0], "") for each in letters}) <= len(wanted)
    for token in (office.client, office.dispatcher):
        answer = (await api.data(token, ASK))["requestTestimonials"]
        assert answer["code"] == "NOT_ALLOWED"


def test_no_code_that_asks_can_see_a_score() -> None:
    folder = Path(inspect.getfile(testimonials)).parent
    imported = {
        f"{node.module}.{each.name}"
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
        for each in node.names
    }
    known = {name.split(".")[1] for name in imported if name.startswith("domain.")}
    assert known <= {"access", "accounts", "core", "crises", "messages", "testimonials"}
    assert list(inspect.signature(testimonials.ask_everybody).parameters) == ["tx"]
