"""Advocacy: each step as who may do it and as who may not, and what health and loyalty read from it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain import advocacy, health, privacy
from domain.access import Actor, Tx
from domain.accounts.model import Account
from domain.advocacy.model import ReferralState
from domain.advocacy.rules import FOLLOWING
from domain.core.db import transaction
from domain.core.errors import Refused
from domain.core.ledger import LedgerRow
from domain.crises import begin
from domain.health import SignalKey
from domain.privacy import Person
from domain.retention.relationship_scores import relationship_scores
from domain.retention.rule_scores import RuleScoreKind
from schema.core import ids
from tests import facts as relay
from tests.api import asking
from tests.api.asking import Api, Office

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)
REFUSAL = "... on Refusal { code argument }"


def document(name: str, kind: str, fields: str) -> str:
    """A mutation that reads these fields back."""
    given = f"{name[0].upper()}{name[1:]}Input"
    return f"mutation($input: {given}!) {{ {name}(input: $input) {{ ... on {kind} {{ {fields} }} {REFUSAL} }} }}"


REFERRAL = "id state valueCents reason prospect contact { id } wonAccount { id }"
STUDY = "id state textNumber channels untilOn consentedText isShown version"
CALL = "id state plannedAt heldAt outcomeNote contact { id }"
CHAMPION = "id sinceOn endReason endNote contact { id }"
TYPES = {"Referral": REFERRAL, "CaseStudy": STUDY, "ReferenceCall": CALL, "Champion": CHAMPION}


@pytest.fixture
async def client_contact(api: Api, office: Office) -> str:
    return ids.write("Contact", office.world.contacts[0].id)


async def do(api: Api, token: str, name: str, **given: Any) -> Any:
    """The answer to a mutation of advocacy."""
    kind = next(each for each in TYPES if name.endswith(each))
    return (await api.data(token, document(name, kind, TYPES[kind]), input=given))[name]


async def parts(api: Api, office: Office, kind: RuleScoreKind) -> dict[str, float | None]:
    """The points of the parts of a rule score, also of one that is withheld."""
    async with api.make() as session:
        account = await session.get_one(Account, office.world.account.id)
        found = await relationship_scores(session, account, at=api.state.now())
    [score] = [each for each in found.scores if each.kind is kind]
    return {
        each.key: None if each.value is None else each.value / 1_000_000 for each in score.parts
    }


async def signal(api: Api, office: Office, key: SignalKey) -> tuple[Any, int]:
    """The figure and the weight of a signal, computed now."""
    account = office.world.account
    async with api.make() as session:
        found = await health.compute(
            session, account.tenant_id, [account.id], at=api.state.now() + DAY / 100
        )
    reading = found[account.id].reading
    [(figure, weight)] = [
        (each.figure, policy.weight)
        for known, each, policy in zip(
            health.SIGNALS, reading.signals, reading.policies, strict=True
        )
        if known.key is key
    ]
    return figure, weight


async def test_a_referral_is_followed_until_it_is_a_client(
    api: Api, office: Office, client_contact: str
) -> None:
    given = {"accountId": office.account, "prospect": "Haven BV", "contactId": client_contact}
    for token in (office.client, office.dispatcher):
        refused = await do(api, token, "makeReferral", **given)
        assert refused["code"] == "NOT_ALLOWED"
    stranger = await asking.office(api)
    assert (await do(api, stranger.manager, "makeReferral", **given))["code"] == "NOT_FOUND"
    later = (api.state.now() + DAY).isoformat()
    for wrong, argument in (
        ({"prospect": " "}, "prospect"),
        ({"valueCents": -1}, "valueCents"),
        ({"referredAt": later}, "referredAt"),
        ({"contactId": ids.write("Contact", stranger.world.contacts[0].id)}, "contactId"),
    ):
        assert (await do(api, office.manager, "makeReferral", **given | wrong))[
            "argument"
        ] == argument
    assert await signal(api, office, SignalKey.ADVOCACY) == (None, 0)
    row = await do(api, office.manager, "makeReferral", **given, valueCents=2_400_000)
    assert (row["state"], row["valueCents"], row["contact"]["id"]) == (
        "RECEIVED", 2_400_000, client_contact,
    )  # fmt: skip
    assert await signal(api, office, SignalKey.ADVOCACY) == (1.0, 3)
    assert (await parts(api, office, RuleScoreKind.LOYALTY))["referrals"] == 50
    assert (await parts(api, office, RuleScoreKind.ADVOCACY))["referral"] == 100

    async with transaction(api.make) as session:
        won = Account(tenant_id=office.world.tenant.id, name="Haven BV")
        session.add(won)
    became = ids.write("Account", won.id)

    async def move(state: str, **more: Any) -> Any:
        return await do(api, office.manager, "moveReferral", id=row["id"], state=state, **more)

    for state, more, argument in (
        ("WON", {"wonAccountId": became}, "state"),
        ("LOST", {}, "reason"),
        ("CONTACTED", {"reason": "x"}, "reason"),
    ):
        assert (await move(state, **more))["argument"] == argument
    assert (await do(api, office.client, "moveReferral", id=row["id"], state="CONTACTED"))[
        "code"
    ] == ("NOT_ALLOWED")
    assert (await move("CONTACTED"))["state"] == "CONTACTED"
    lost = await move("LOST", reason="Too far")
    assert (lost["state"], lost["reason"]) == ("LOST", "Too far")
    assert (await move("CONTACTED"))["reason"] is None
    await move("OFFERED")
    assert (await move("WON"))["argument"] == "wonAccountId"
    assert (await move("WON", wonAccountId=office.account))["argument"] == "wonAccountId"
    done = await move("WON", wonAccountId=became, valueCents=3_000_000)
    assert (done["state"], done["wonAccount"]["id"], done["valueCents"]) == (
        "WON",
        became,
        3_000_000,
    )
    assert (await move("LOST", reason="x"))["argument"] == "state"
    async with api.make() as session:
        bodies = list(
            await session.scalars(
                select(LedgerRow.body)
                .where(
                    LedgerRow.subject_id == ids.known(row["id"], "Referral"),
                    LedgerRow.kind == "referral.moved",
                )
                .order_by(LedgerRow.id)
            )
        )
    assert [(each["before"], each["after"]) for each in bodies] == [
        ("received", "contacted"), ("contacted", "lost"), ("lost", "contacted"),
        ("contacted", "offered"), ("offered", "won"),
    ]  # fmt: skip
    assert (bodies[-1]["value_cents_before"], bodies[-1]["value_cents_after"]) == (
        2_400_000, 3_000_000,
    )  # fmt: skip
    listing = "query($s: [ReferralState!]) { referrals(states: $s) { nodes { id } } }"
    assert len((await api.data(office.manager, listing, s=["WON"]))["referrals"]["nodes"]) == 1
    for token in (office.client, office.dispatcher):
        assert (await api.data(token, listing))["referrals"]["nodes"] == []


def test_every_state_of_a_referral_can_be_reached_and_left_as_the_rules_say() -> None:
    assert FOLLOWING.keys() == set(ReferralState)
    reached, found = {ReferralState.RECEIVED}, {ReferralState.RECEIVED}
    while found:
        found = {after for each in found for after in FOLLOWING[each]} - reached
        reached |= found
    assert reached == set(ReferralState)


async def test_a_case_study_is_shown_under_consent_to_its_very_text(
    api: Api, office: Office, client_contact: str
) -> None:
    page, data = (f"/showcase/{office.world.tenant.id}{end}" for end in ("", ".json"))
    given = {"accountId": office.account, "title": "Rust <b>", "words": "Stille nachten"}
    assert (await do(api, office.client, "draftCaseStudy", **given))["code"] == "NOT_ALLOWED"
    row = await do(api, office.manager, "draftCaseStudy", **given)
    of_row = {"id": row["id"]}
    listing = "{ caseStudies { nodes { id state evidenceNote } } }"

    async def seen(token: str) -> list[Any]:
        nodes: list[Any] = (await api.data(token, listing))["caseStudies"]["nodes"]
        return nodes

    until = (api.state.now() + 30 * DAY).date().isoformat()
    consent = of_row | {"channels": ["WEBSITE", "TENDERS"], "untilOn": until}
    assert await seen(office.client) == []
    assert (await do(api, office.client, "consentToCaseStudy", **consent))["code"] == "NOT_FOUND"
    assert (await do(api, office.manager, "publishCaseStudy", **of_row))["code"] == "INVALID"
    await do(api, office.manager, "offerCaseStudy", **of_row)
    assert [each["state"] for each in await seen(office.client)] == ["OFFERED"]
    assert (await do(api, office.dispatcher, "consentToCaseStudy", **consent))[
        "code"
    ] == "NOT_ALLOWED"
    for wrong, argument in (
        ({"channels": []}, "channels"),
        ({"untilOn": "2001-01-01"}, "untilOn"),
        ({"untilOn": "2040-01-01"}, "untilOn"),
    ):
        refused = await do(api, office.client, "consentToCaseStudy", **consent | wrong)
        assert (refused["code"], refused["argument"]) == ("INVALID", argument)
    refused = await do(api, office.manager, "consentToCaseStudy", **consent)
    assert refused["argument"] == "contactId"  # the company names who consented, and how
    assert (await parts(api, office, RuleScoreKind.ADVOCACY))["consent"] is None
    agreed = await do(api, office.client, "consentToCaseStudy", **consent)
    assert (agreed["state"], agreed["channels"], agreed["consentedText"], agreed["isShown"]) == (
        "CONSENTED", ["TENDERS", "WEBSITE"], 1, False,
    )  # fmt: skip
    assert (await parts(api, office, RuleScoreKind.ADVOCACY))["consent"] == 100
    assert (await api.http.get(data)).status_code == 404
    assert (await do(api, office.client, "publishCaseStudy", **of_row))["code"] == "NOT_ALLOWED"
    assert (await do(api, office.manager, "publishCaseStudy", **of_row))["isShown"] is True
    [shown] = (await api.http.get(data)).json()["caseStudies"]
    assert (shown["title"], shown["words"]) == ("Rust <b>", "Stille nachten")
    assert "Rust &lt;b&gt;" in (await api.http.get(page)).text
    assert await signal(api, office, SignalKey.ADVOCACY) == (1.0, 3)

    changed = await do(
        api, office.manager, "changeCaseStudy", **of_row, title="Rust", words="Anders"
    )
    assert (changed["state"], changed["textNumber"], changed["channels"], changed["isShown"]) == (
        "DRAFT", 2, [], False,
    )  # fmt: skip
    assert (await api.http.get(data)).status_code == 404  # another text: no consent
    await do(api, office.manager, "offerCaseStudy", **of_row)
    named = {"contactId": client_contact, "evidenceNote": "Letter of today"}
    assert (await do(api, office.manager, "consentToCaseStudy", **consent, **named))[
        "consentedText"
    ] == 2
    await do(api, office.manager, "publishCaseStudy", **of_row)
    assert [each["evidenceNote"] for each in await seen(office.manager)] == ["Letter of today"]
    assert [each["evidenceNote"] for each in await seen(office.client)] == [None]
    assert len((await api.http.get(data)).json()["caseStudies"]) == 1
    gone = await do(api, office.client, "withdrawCaseStudy", **of_row, reason="We merge")
    assert (gone["state"], gone["isShown"]) == ("WITHDRAWN", False)
    assert (await api.http.get(data)).status_code == 404
    assert (await do(api, office.client, "withdrawCaseStudy", **of_row))["code"] == "ALREADY_DONE"
    assert (await parts(api, office, RuleScoreKind.ADVOCACY))["consent"] is None
    assert await signal(api, office, SignalKey.ADVOCACY) == (None, 0)


async def test_a_declined_case_study_and_an_expired_consent_are_not_published(
    api: Api, office: Office
) -> None:
    given = {"accountId": office.account, "title": "Rust", "words": "Stille nachten"}
    first, second = [await do(api, office.manager, "draftCaseStudy", **given) for _ in range(2)]
    for row in (first, second):
        await do(api, office.manager, "offerCaseStudy", id=row["id"])
    assert (await do(api, office.client, "declineCaseStudy", id=first["id"]))["state"] == "DECLINED"
    assert (await do(api, office.manager, "publishCaseStudy", id=first["id"]))["code"] == "INVALID"
    today = api.state.now().date().isoformat()
    await do(
        api,
        office.client,
        "consentToCaseStudy",
        id=second["id"],
        channels=["WEBSITE"],
        untilOn=today,
    )
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now() + 2 * DAY)
        with pytest.raises(Refused, match="consent has ended"):
            await advocacy.publish_study(tx, ids.wanted(second["id"], "CaseStudy", "id"))


async def test_a_client_is_asked_for_few_reference_calls(
    api: Api, office: Office, client_contact: str
) -> None:
    given = {"accountId": office.account, "contactId": client_contact, "prospect": "Haven BV"}
    assert (await do(api, office.client, "requestReferenceCall", **given))["code"] == "NOT_ALLOWED"
    # Two of five at once would both see four places if they did not wait for each other.
    asked = await asyncio.gather(
        *(do(api, office.manager, "requestReferenceCall", **given) for _ in range(5))
    )
    made = [each for each in asked if "id" in each]
    assert len(made) == 4
    [refused] = [each for each in asked if "id" not in each]
    assert (refused["code"], refused["argument"]) == ("TOO_MANY", "accountId")
    call = made[0]["id"]
    assert (await do(api, office.manager, "holdReferenceCall", id=call))["code"] == "INVALID"
    past, soon = (api.state.now() + each for each in (-DAY, DAY))
    refused = await do(
        api, office.manager, "agreeReferenceCall", id=call, plannedAt=past.isoformat()
    )
    assert refused["argument"] == "plannedAt"
    agreed = await do(
        api, office.manager, "agreeReferenceCall", id=call, plannedAt=soon.isoformat()
    )
    assert agreed["state"] == "AGREED"
    assert (await do(api, office.dispatcher, "holdReferenceCall", id=call))["code"] == "NOT_ALLOWED"
    held = await do(api, office.manager, "holdReferenceCall", id=call, outcomeNote="They will sign")
    assert (held["state"], held["outcomeNote"]) == ("HELD", "They will sign")
    assert await signal(api, office, SignalKey.ADVOCACY) == (1.0, 3)
    assert (await do(api, office.manager, "cancelReferenceCall", id=call, reason="x"))["code"] == (
        "ALREADY_DONE"
    )
    gone = await do(api, office.manager, "cancelReferenceCall", id=made[1]["id"], reason="Ill")
    assert gone["state"] == "CANCELLED"
    assert "id" in await do(api, office.manager, "requestReferenceCall", **given)  # a place is free
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        await begin(tx, office.world.account.id, reason="A fire")
    refused = await do(api, office.manager, "requestReferenceCall", **given)
    assert refused["code"] == "INVALID"
    listing = "{ referenceCalls(states: [REQUESTED]) { nodes { id } } }"
    assert len((await api.data(office.manager, listing))["referenceCalls"]["nodes"]) == 3
    assert (await api.data(office.client, listing))["referenceCalls"]["nodes"] == []


async def test_a_champion_has_evidence_and_an_end_and_is_forgotten(
    api: Api, office: Office, client_contact: str
) -> None:
    given = {"contactId": client_contact, "evidenceNote": "Defended our price"}
    assert (await do(api, office.client, "nameChampion", **given))["code"] == "NOT_ALLOWED"
    assert (await do(api, office.manager, "nameChampion", **given | {"evidenceNote": ""}))[
        "argument"
    ] == ("evidenceNote")
    row = await do(api, office.manager, "nameChampion", **given, sinceOn="2025-05-01")
    assert (row["sinceOn"], row["endReason"]) == ("2025-05-01", None)
    figure, _ = await signal(api, office, SignalKey.CHAMPION_CONTACT)
    assert figure == pytest.approx(0, abs=0.1)
    assert (await do(api, office.manager, "nameChampion", **given))["code"] == "ALREADY_EXISTS"
    assert (await do(api, office.manager, "endChampion", id=row["id"], reason="ERASED"))[
        "argument"
    ] == ("reason")
    assert (await do(api, office.client, "endChampion", id=row["id"], reason="LEFT"))["code"] == (
        "NOT_ALLOWED"
    )
    ended = await do(
        api, office.manager, "endChampion", id=row["id"], reason="CHANGED_MIND", note="Cost"
    )
    assert (ended["endReason"], ended["endNote"]) == ("CHANGED_MIND", "Cost")
    assert (await signal(api, office, SignalKey.CHAMPION_CONTACT))[0] is None
    assert (await do(api, office.manager, "endChampion", id=row["id"], reason="LEFT"))["code"] == (
        "ALREADY_DONE"
    )
    again = await do(api, office.manager, "nameChampion", **given)
    call = await do(
        api, office.manager, "requestReferenceCall", accountId=office.account,
        contactId=client_contact, prospect="Haven BV",
    )  # fmt: skip
    contact = office.world.contacts[0]
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(contact.tenant_id, "test"), api.state.now())
        await privacy.erase(tx, Person.CONTACT, contact.id)
    listing = """{ champions { nodes { id endReason } } referenceCalls { nodes { id state } } }"""
    found = await api.data(office.manager, listing)
    assert {each["id"]: each["endReason"] for each in found["champions"]["nodes"]} == {
        row["id"]: "CHANGED_MIND", again["id"]: "ERASED",
    }  # fmt: skip
    assert found["referenceCalls"]["nodes"] == [{"id": call["id"], "state": "CANCELLED"}]
    empty = await api.data(office.client, listing)
    assert (empty["champions"]["nodes"], empty["referenceCalls"]["nodes"]) == ([], [])


async def test_the_feed_brings_clients_their_case_studies_only(api: Api, office: Office) -> None:
    await do(api, office.manager, "makeReferral", accountId=office.account, prospect="Haven BV")
    given = {"accountId": office.account, "title": "Rust", "words": "Stille nachten"}
    row = await do(api, office.manager, "draftCaseStudy", **given)
    await do(api, office.manager, "offerCaseStudy", id=row["id"])
    await relay.number_all(api.make)
    facts = "query { ledger(first: 100) { nodes { kind } } }"
    of_client, of_manager = [
        {
            each["kind"]
            for each in (await api.data(token, facts))["ledger"]["nodes"]
            if each["kind"].startswith(("referral.", "case_study."))
        }
        for token in (office.client, office.manager)
    ]
    assert of_client == {"case_study.offered"}
    assert of_manager == {"referral.made", "case_study.drafted", "case_study.offered"}
