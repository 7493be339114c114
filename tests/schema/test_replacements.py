"""Replacements through the API: reported, offered, taken by a link or by the app, and who sees what of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from domain import guards
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.replacements import ShiftOffer
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office
from tests.schema.test_shifts import gate, somebody, verb
from workers.replacements import look_at_due_replacements

HOUR = timedelta(hours=1)
REPLACEMENT = """id cause state number replacingNumber knownAt foundAt onTheWayAt arrivesAt arrivedAt
  user { id } replacingUser { id } wave offers { id state user { id } } shift { id state number }"""
OFFER = "id state wave siteName postName fromAt untilAt"
REPORT = verb("reportAbsence", "Replacement", REPLACEMENT)
ACCEPT = verb("acceptShiftOffer", "ShiftOffer", OFFER)
DECLINE = verb("declineShiftOffer", "ShiftOffer", OFFER)
ON_THE_WAY = verb("reportOnTheWay", "Replacement", REPLACEMENT)
TAKE_OVER = verb("takeOverReplacement", "Replacement", REPLACEMENT)
ASSIGN = verb("assignReplacement", "Replacement", REPLACEMENT)
LIST = f"query ($shift: ID) {{ replacements(shiftId: $shift) {{ nodes {{ {REPLACEMENT} }} }} }}"
OFFERS = f"{{ shiftOffers(states: [OPEN]) {{ nodes {{ {OFFER} }} }} }}"
CANDIDATES = """query ($shift: ID!) { replacementCandidates(shiftId: $shift) {
  candidateCount excludedCount waveSize acceptancePct
  candidates { place travelMinutes restMinutes hourCostCents user { id } factors { kind step text } }
  excluded { reason rule text user { id } } } }"""
PLAN = verb("planShift", "RosterChange", "shifts { id }")
PUBLISH = verb("publishShifts", "RosterChange", "count")


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    async with asking.running(configured) as running:
        yield running


async def able(api: Api, office: Office) -> UUID:
    """A guard with a pass."""
    user = await somebody(api, office)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        await guards.set_profile(
            tx, user, pass_colour=guards.PassColour.GREY, pass_expires_on=date(2099, 1, 1),
            hour_cost_cents=2_600,
        )  # fmt: skip
    return user


async def absent(api: Api, office: Office) -> tuple[str, UUID]:
    """A published shift in an hour, and its guard."""
    user = await able(api, office)
    post = await gate(api, office)
    begins = api.state.now() + HOUR
    given = {
        "postId": ids.write("Post", post.id), "fromAt": begins.isoformat(),
        "untilAt": (begins + 8 * HOUR).isoformat(), "userId": ids.write("User", user),
    }  # fmt: skip
    planned = (await api.data(office.dispatcher, PLAN, input=given))["planShift"]
    shift: str = planned["shifts"][0]["id"]
    await api.data(office.dispatcher, PUBLISH, input={"shiftIds": [shift]})
    return shift, user


async def ask(api: Api, token: str, document: str, name: str, **given: Any) -> Any:
    return (await api.data(token, document, input=given))[name]


async def only(api: Api, token: str, shift: str) -> Any:
    [node] = (await api.data(token, LIST, shift=shift))["replacements"]["nodes"]
    return node


async def test_an_absence_is_offered_taken_and_followed_by_the_client(api: Api) -> None:
    office = await asking.office(api)
    shift, user = await absent(api, office)
    first, second = await able(api, office), await able(api, office)
    for token in (office.client, api.token(first)):
        refused = await ask(api, token, REPORT, "reportAbsence", shiftId=shift)
        assert refused["code"] in {"NOT_ALLOWED", "NOT_FOUND"}
    row = await ask(api, api.token(user), REPORT, "reportAbsence", shiftId=shift)
    assert (row["cause"], row["state"], row["offers"]) == ("REPORTED", "SOUGHT", [])
    again = await ask(api, office.dispatcher, REPORT, "reportAbsence", shiftId=shift)
    assert again["code"] == "ALREADY_DONE"

    assert await look_at_due_replacements(api.make, at=api.state.now()) >= 1
    mine = (await api.data(api.token(first), OFFERS))["shiftOffers"]["nodes"]
    assert len(mine) == 1
    assert mine[0]["siteName"] == office.world.site.name
    assert (await api.data(office.client, OFFERS))["shiftOffers"]["nodes"] == []
    seen = await only(api, office.client, shift)
    assert (seen["state"], seen["user"], seen["wave"], seen["offers"]) == ("SOUGHT", None, None, [])
    assert seen["number"] is not None

    others = (await api.data(api.token(second), OFFERS))["shiftOffers"]["nodes"]
    stolen = await ask(api, api.token(second), ACCEPT, "acceptShiftOffer", id=mine[0]["id"])
    assert stolen["code"] == "NOT_FOUND"
    refused = await ask(api, office.client, ACCEPT, "acceptShiftOffer", id=mine[0]["id"])
    assert refused["code"] in {"NOT_ALLOWED", "NOT_FOUND"}
    both = await asyncio.gather(
        ask(api, api.token(first), ACCEPT, "acceptShiftOffer", id=mine[0]["id"]),
        ask(api, api.token(second), ACCEPT, "acceptShiftOffer", id=others[0]["id"]),
    )
    won = [each for each in both if each.get("state") == "ACCEPTED"]
    lost = [each for each in both if "code" in each]
    assert (len(won), [each["code"] for each in lost]) == (1, ["ALREADY_DONE"])
    winner = first if both[0].get("state") == "ACCEPTED" else second
    seen = await only(api, office.client, shift)
    assert (seen["state"], seen["replacingUser"]) == ("FOUND", None)
    assert seen["replacingNumber"] == seen["shift"]["number"] != seen["number"]

    row_id = seen["id"]
    wrong = await ask(api, api.token(user), ON_THE_WAY, "reportOnTheWay", id=row_id)
    assert wrong["code"] == "NOT_ALLOWED"
    arrives = (api.state.now() + HOUR).isoformat()
    row = await ask(
        api, api.token(winner), ON_THE_WAY, "reportOnTheWay", id=row_id, arrivesAt=arrives
    )
    assert row["state"] == "ON_THE_WAY"
    clock_in = verb("clockIn", "Shift", "state")
    assert (await ask(api, api.token(winner), clock_in, "clockIn", id=shift))["state"] == "RUNNING"
    seen = await only(api, office.client, shift)
    assert seen["state"] == "ARRIVED"
    assert seen["arrivedAt"] is not None


async def test_the_link_of_an_offer_shows_it_and_takes_it_once(api: Api) -> None:
    office = await asking.office(api)
    shift, _ = await absent(api, office)
    first, second = await able(api, office), await able(api, office)
    await ask(api, office.dispatcher, REPORT, "reportAbsence", shiftId=shift)
    await look_at_due_replacements(api.make, at=api.state.now())
    async with api.make() as session:
        rows = await session.scalars(
            select(ShiftOffer).where(ShiftOffer.tenant_id == office.world.tenant.id)
        )
        offers = {each.user_id: each.id for each in rows}
    links = {user: f"/o/{api.state.offer_links.token(offers[user])}" for user in (first, second)}
    for _ in range(2):  # as a scanner follows it
        page = await api.http.get(links[first])
        assert page.status_code == 200
        assert office.world.site.name in page.text
    assert (await only(api, office.dispatcher, shift))["state"] == "SOUGHT"
    unknown = await api.http.get("/o/" + api.state.survey_links.token(offers[first]))
    assert unknown.status_code == 404
    pressed = await asyncio.gather(*(api.http.post(links[first]) for _ in range(3)))
    assert {each.status_code for each in pressed} <= {200, 410}
    assert any(each.status_code == 200 for each in pressed)
    late = await api.http.post(links[second])
    assert late.status_code == 410
    row = await only(api, office.dispatcher, shift)
    assert (row["state"], row["replacingUser"]["id"]) == ("FOUND", ids.write("User", first))


async def test_candidates_are_for_the_office_and_say_why(api: Api) -> None:
    office = await asking.office(api)
    shift, user = await absent(api, office)
    other = await able(api, office)
    without = await somebody(api, office)
    for token in (office.client, api.token(other)):
        answer = await api.ask(token, CANDIDATES, shift=shift)
        assert "errors" in answer
    found = (await api.data(office.dispatcher, CANDIDATES, shift=shift))["replacementCandidates"]
    assert (found["waveSize"], found["acceptancePct"]) == (6, 35.0)
    [candidate] = found["candidates"]
    assert candidate["user"]["id"] == ids.write("User", other)
    assert candidate["hourCostCents"] is None
    assert "COST" not in {each["kind"] for each in candidate["factors"]}
    assert {each["user"]["id"]: each["reason"] for each in found["excluded"]} == {
        ids.write("User", user): "ABSENT", ids.write("User", without): "PASS",
    }  # fmt: skip
    whole = (await api.data(office.manager, CANDIDATES, shift=shift))["replacementCandidates"]
    assert whole["candidates"][0]["hourCostCents"] == 2_600


async def test_a_dispatcher_takes_over_and_others_may_not(api: Api) -> None:
    office = await asking.office(api)
    shift, _ = await absent(api, office)
    other = await able(api, office)
    row = await ask(api, office.dispatcher, REPORT, "reportAbsence", shiftId=shift)
    for token in (office.client, api.token(other)):
        for document, name, more in (
            (TAKE_OVER, "takeOverReplacement", {}),
            (ASSIGN, "assignReplacement", {"userId": ids.write("User", other)}),
        ):
            refused = await ask(api, token, document, name, id=row["id"], **more)
            assert refused["code"] == "NOT_ALLOWED"
    await ask(api, office.dispatcher, TAKE_OVER, "takeOverReplacement", id=row["id"])
    row = await ask(
        api, office.dispatcher, ASSIGN, "assignReplacement",
        id=row["id"], userId=ids.write("User", other),
    )  # fmt: skip
    assert (row["state"], row["shift"]["state"]) == ("FOUND", "PUBLISHED")
