"""Advocacy for the probes of the gate: referrals, case studies in several states, reference calls and champions."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from domain import advocacy
from domain.access import Actor, Tx
from domain.accounts.model import Account, Contact
from domain.advocacy import (
    CallState,
    ConsentDraft,
    ReferenceCall,
    ReferralMove,
    ReferralState,
    StudyChannel,
)
from domain.core.base import uuid7
from domain.core.db import transaction
from schema.core import ids
from tests.api.asking import Api, Office
from tests.gate.nouns.crises import end_crises


def _tx(api: Api, office: Office, session: Any) -> Tx:
    return Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())


async def _referral(api: Api, office: Office, *states: ReferralState) -> UUID:
    async with transaction(api.make) as session:
        tx = _tx(api, office, session)
        row = await advocacy.make_referral(
            tx, office.world.account.id, prospect="Probe BV", value_cents=1_200_000, note="Known",
            contact_id=office.world.contacts[0].id,
        )  # fmt: skip
        for state in states:
            await advocacy.move_referral(tx, row.id, ReferralMove(state))
        return row.id


async def _study(api: Api, office: Office, *steps: str) -> UUID:
    """A case study after these steps."""
    await end_crises(api, office)
    async with transaction(api.make) as session:
        tx = _tx(api, office, session)
        row = await advocacy.draft_study(
            tx, office.world.account.id, title="Quieter nights", words="The gate is watched."
        )
        consent = ConsentDraft(
            [StudyChannel.WEBSITE], tx.at.date() + timedelta(days=30),
            office.world.contacts[0].id, "By letter",
        )  # fmt: skip
        for step in steps:
            match step:
                case "offer":
                    await advocacy.offer_study(tx, row.id)
                case "consent":
                    await advocacy.consent_to_study(tx, row.id, consent)
                case _:
                    await advocacy.publish_study(tx, row.id)
        return row.id


async def _call(api: Api, office: Office, *, agreed: bool = False) -> UUID:
    """A call that was requested so long ago that it does not count towards the yearly limit."""
    contact, now = office.world.contacts[0], api.state.now()
    row = ReferenceCall(
        id=uuid7(), tenant_id=contact.tenant_id, account_id=contact.account_id,
        contact_id=contact.id, prospect="Probe BV", requested_at=now - timedelta(days=400),
        state=CallState.AGREED if agreed else CallState.REQUESTED,
        planned_at=now if agreed else None,
    )  # fmt: skip
    async with transaction(api.make) as session:
        session.add(row)
    return row.id


async def _somebody(api: Api, office: Office) -> UUID:
    """A contact who is no champion."""
    world = office.world
    row = Contact(
        id=uuid7(), tenant_id=world.tenant.id, account_id=world.account.id, name="Probe Champion",
        role="r",
    )  # fmt: skip
    async with transaction(api.make) as session:
        session.add(row)
    return row.id


async def _champion(api: Api, office: Office) -> UUID:
    contact_id = await _somebody(api, office)
    async with transaction(api.make) as session:
        row = await advocacy.name_champion(
            _tx(api, office, session), contact_id, evidence_note="Praised us"
        )
        return row.id


async def furnish(api: Api, office: Office) -> None:
    """Add some of each kind."""
    await _referral(api, office)
    await _referral(api, office, ReferralState.CONTACTED)
    await _study(api, office)
    await _call(api, office)
    await _call(api, office, agreed=True)
    await _champion(api, office)
    await _study(api, office, "offer")
    await _study(api, office, "offer", "consent", "publish")


async def _made(_api: Api, office: Office) -> dict[str, Any]:
    return {"accountId": office.account, "prospect": "Probe BV", "referredAt": None}


async def _moved(api: Api, office: Office) -> dict[str, Any]:
    row_id = await _referral(api, office, ReferralState.CONTACTED, ReferralState.OFFERED)
    async with transaction(api.make) as session:
        won = Account(id=uuid7(), tenant_id=office.world.tenant.id, name=f"Won {uuid7()}")
        session.add(won)
    return {
        "id": ids.write("Referral", row_id), "state": "WON", "reason": None, "valueCents": 7_000,
        "wonAccountId": ids.write("Account", won.id),
    }  # fmt: skip


async def _drafted(_api: Api, office: Office) -> dict[str, Any]:
    return {"accountId": office.account, "language": "en"}


async def _draft(api: Api, office: Office) -> dict[str, Any]:
    return {"id": ids.write("CaseStudy", await _study(api, office))}


async def _offered(api: Api, office: Office) -> dict[str, Any]:
    return {"id": ids.write("CaseStudy", await _study(api, office, "offer"))}


async def _to_consent(api: Api, office: Office) -> dict[str, Any]:
    until = (api.state.now() + timedelta(days=30)).date().isoformat()
    contact = ids.write("Contact", office.world.contacts[0].id)
    return await _offered(api, office) | {"untilOn": until, "contactId": contact}


async def _consented(api: Api, office: Office) -> dict[str, Any]:
    return {"id": ids.write("CaseStudy", await _study(api, office, "offer", "consent"))}


async def _to_request(api: Api, office: Office) -> dict[str, Any]:
    await end_crises(api, office)
    contact = ids.write("Contact", office.world.contacts[0].id)
    return {"accountId": office.account, "contactId": contact, "prospect": "Probe BV"}


async def _requested(api: Api, office: Office) -> dict[str, Any]:
    planned = (api.state.now() + timedelta(days=2)).isoformat()
    return {"id": ids.write("ReferenceCall", await _call(api, office)), "plannedAt": planned}


async def _to_cancel(api: Api, office: Office) -> dict[str, Any]:
    return {"id": ids.write("ReferenceCall", await _call(api, office))}


async def _agreed(api: Api, office: Office) -> dict[str, Any]:
    return {"id": ids.write("ReferenceCall", await _call(api, office, agreed=True)), "heldAt": None}


async def _named(api: Api, office: Office) -> dict[str, Any]:
    return {"contactId": ids.write("Contact", await _somebody(api, office)), "sinceOn": None}


async def _ended(api: Api, office: Office) -> dict[str, Any]:
    return {"id": ids.write("Champion", await _champion(api, office)), "reason": "OTHER_ROLE"}


DOABLE = {
    "makeReferral": _made,
    "moveReferral": _moved,
    "draftCaseStudy": _drafted,
    "changeCaseStudy": _consented,
    "offerCaseStudy": _draft,
    "consentToCaseStudy": _to_consent,
    "declineCaseStudy": _offered,
    "publishCaseStudy": _consented,
    "withdrawCaseStudy": _consented,
    "requestReferenceCall": _to_request,
    "agreeReferenceCall": _requested,
    "holdReferenceCall": _agreed,
    "cancelReferenceCall": _to_cancel,
    "nameChampion": _named,
    "endChampion": _ended,
}
LAST_FACTS = {"advocacyEvents": "case_study.published"}
