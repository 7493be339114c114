"""Reviews through the API: who sees which, filters, figures with n, and the feed of new ones."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from domain import accounts, reputation
from domain.access import Tx
from domain.core import cursor
from domain.core.db import transaction
from domain.reputation import Review, ReviewSource, ReviewVersion
from schema.core import ids
from tests import build
from tests import facts as relay
from tests.api import asking
from tests.api.asking import Api, Office, Server
from tests.reviewing import read, source, stored, system, take

pytestmark = pytest.mark.anyio

ADD = """mutation ($input: AddReviewSourceInput!) { addReviewSource(input: $input) {
  ... on ReviewSource { id kind scaleLow scaleHigh hasCredentials nextReadAt intervalSeconds version }
  ... on Refusal { code argument message } } }"""
CHANGE = """mutation ($input: ChangeReviewSourceInput!) { changeReviewSource(input: $input) {
  ... on ReviewSource { isActive nextReadAt version } ... on Refusal { code argument } } }"""
LIST = """query ($source: ID, $account: ID, $states: [ReviewState!], $atMost: Float, $answered: Boolean,
  $linked: Boolean) { reviews(sourceId: $source, accountId: $account, states: $states, shareAtMost: $atMost,
  isAnswered: $answered, isLinked: $linked) { nodes { id rating share statedRating ratingsDiffer words state
  externalId themes { theme words } source { name error } account { id } versions { number words raw } } } }"""
FIGURES = """query ($source: ID) { reviewFigures(sourceId: $source) { source { location } n rating negative perMonth
  positive { value low high } answered { value low high } answeredN responseSeconds responseN disagreeing
  causedN caused { value low high } breachedN daysFromCause } }"""
FOLLOW = (
    """subscription ($after: String) { reviewReceived(after: $after) { kind subjectId body } }"""
)


async def link(api: Api, review_id: str, office: Office) -> None:
    """Link a review to the client."""
    own = ids.known(review_id, "Review")
    async with transaction(api.make) as session:
        for model, column in ((Review, Review.id), (ReviewVersion, ReviewVersion.review_id)):
            to = update(model).where(column == own).values(account_id=office.world.account.id)
            await session.execute(to)


async def listed(api: Api, token: str, **asked: Any) -> list[dict[str, Any]]:
    """The reviews that somebody sees."""
    found: list[dict[str, Any]] = (await api.data(token, LIST, **asked))["reviews"]["nodes"]
    return found


async def test_a_client_sees_what_is_linked_to_it_and_dispatchers_nothing(
    api: Api, office: Office
) -> None:
    found = await source(api.make, office.world.tenant.id)
    at = api.state.now()
    late = read("r1", words="Beveiliger kwam te laat", rating=1.0, raw={"stars": 1})
    await take(api.make, found, late, read("r2", written_at=at, stated_rating=5.0), at=at)
    newest, oldest = await listed(api, office.manager)
    assert [newest["externalId"], oldest["externalId"]] == ["r2", "r1"]
    assert (newest["ratingsDiffer"], oldest["ratingsDiffer"]) == (True, False)
    assert (oldest["share"], oldest["themes"]) == (
        0,
        [{"theme": "PUNCTUALITY", "words": ["kwam te laat"]}],
    )
    assert oldest["versions"] == [{"number": 1, "words": late.words, "raw": {"stars": 1}}]
    assert await listed(api, office.client) == await listed(api, office.dispatcher) == []
    await link(api, oldest["id"], office)
    [seen] = await listed(api, office.client)
    assert (seen["id"], seen["account"]["id"]) == (oldest["id"], office.account)
    assert (seen["externalId"], seen["source"]["error"], seen["versions"][0]["raw"]) == (None,) * 3
    stranger = await asking.office(api)
    assert await listed(api, stranger.manager) == await listed(api, stranger.client) == []


async def test_filters_narrow_and_figures_say_how_many(api: Api, office: Office) -> None:
    found = await source(api.make, office.world.tenant.id)
    at, hour = api.state.now() - timedelta(days=2), timedelta(hours=1)
    reply = {"reply_words": "Dank u", "replied_at": at + 3 * hour}
    page = [
        read("a", rating=5.0, written_at=at, changed_at=at, **reply),
        read("b", rating=3.0, written_at=at, changed_at=at, stated_rating=4.0),
        read("c", rating=5.0, written_at=at + hour, changed_at=at + hour, **reply),
        read("d", rating=1.0, written_at=at, changed_at=at),
    ]
    await take(api.make, found, *page, at=at + hour)
    own = ids.write("ReviewSource", found.id)
    for asked, names in (
        ({"source": own}, "c b a d"), ({"atMost": 0.5}, "b d"), ({"answered": True}, "a c"),
        ({"states": ["EDITED"]}, ""), ({"linked": True}, ""), ({"account": office.account}, ""),
        ({"source": "nonsense"}, ""),
    ):  # fmt: skip
        nodes = await listed(api, office.manager, **asked)
        assert {each["externalId"] for each in nodes} == set(names.split()), asked
    [row] = (await api.data(office.manager, FIGURES, source=own))["reviewFigures"]
    assert (row["source"]["location"], row["n"], row["negative"], row["rating"]) == (
        "Utrecht", 4, 2, 0.625,
    )  # fmt: skip
    assert (row["answeredN"], row["answered"]["value"], row["responseN"]) == (2, 50, 2)
    assert (row["responseSeconds"], row["disagreeing"]) == (2.5 * 3600, 1)
    assert row["positive"]["low"] < 50 < row["positive"]["high"]
    assert row["perMonth"] == pytest.approx(4 / (365 / 30))
    [seen] = (await api.data(office.client, FIGURES, source=own))["reviewFigures"]
    assert (seen["n"], seen["rating"], seen["positive"]) == (0, None, None)


async def test_credentials_are_encrypted_and_never_shown(api: Api, office: Office) -> None:
    given = {"kind": "KIYOH", "name": "Kiyoh", "location": "77", "credentials": {"token": "s3cret"}}
    made = (await api.data(office.manager, ADD, input=given))["addReviewSource"]
    assert (made["scaleLow"], made["scaleHigh"], made["hasCredentials"]) == (1, 10, True)
    async with api.make() as session:
        row = await session.get_one(ReviewSource, ids.wanted(made["id"], "ReviewSource", "id"))
        assert row.sealed
        assert b"s3cret" not in row.sealed
    for wrong, argument in (
        ({"credentials": {"password": "x"}}, "credentials"), ({"scaleLow": 0.0}, "scaleLow"),
        ({"kind": "RSS", "credentials": None}, "url"), ({"url": "http://10.0.0.1/x"}, "url"),
        ({"intervalSeconds": 5}, "intervalSeconds"), ({}, "name"), ({"location": " "}, "location"),
    ):  # fmt: skip
        answer = (await api.data(office.manager, ADD, input=given | wrong))["addReviewSource"]
        assert answer.get("argument") == argument, (wrong, answer)
    for token in (office.client, office.dispatcher):
        answer = (await api.data(token, ADD, input=given | {"name": "Other"}))["addReviewSource"]
        assert answer["code"] == "NOT_ALLOWED"
    stop = {"id": made["id"], "isActive": False, "expectedVersion": made["version"]}
    stopped = (await api.data(office.manager, CHANGE, input=stop))["changeReviewSource"]
    assert (stopped["isActive"], stopped["nextReadAt"]) == (False, None)
    again = (await api.data(office.manager, CHANGE, input=stop))["changeReviewSource"]
    assert again["code"] == "STALE_VERSION"


async def test_new_reviews_are_followed_from_a_cursor(server: Server) -> None:
    api = server.api
    office = await asking.office(api)
    start = cursor.of_seq(api.state.cursor_secret, office.world.tenant.id, 0)
    found = await source(api.make, office.world.tenant.id)
    await take(api.make, found, read("r1", rating=2.0))
    await relay.number_all(api.make)
    async with server.socket(office.manager) as socket:
        await socket.subscribe("1", FOLLOW, after=start)
        event = (await socket.next())["reviewReceived"]
    assert (event["kind"], event["body"]["share"]) == ("review.received", 0.25)
    async with api.make() as session:
        [row] = await session.scalars(select(Review).where(Review.source_id == found.id))
    assert event["subjectId"] == ids.write("Review", row.id)


LINKS = """query ($states: [ReviewLinkState!]) { reviewLinks(states: $states) { nodes { id state score parts
  account { id } contact { name } recoveryCase { size incident { id } } review { id } } } }"""
REFUSE = """mutation ($id: ID!) { refuseReviewLink(input: {id: $id}) {
  ... on ReviewLink { state } ... on Refusal { code } } }"""
CONFIRM = """mutation ($id: ID!) { confirmReviewLink(input: {id: $id}) {
  ... on ReviewLink { state decidedBy } ... on Refusal { code } } }"""


async def matched(api: Api, office: Office, **more: Any) -> dict[str, Any]:
    """A review that was compared with the contacts; return its link, if there is one."""
    at = api.state.now()
    found = await source(api.make, office.world.tenant.id)
    given = {"author": "Karel Contact", "written_at": at, "changed_at": at, "rating": 1.0} | more
    await take(api.make, found, read("m", **given), at=at)
    row = (await stored(api.make, found))["m"]
    async with transaction(api.make) as session:
        await reputation.match_review(Tx(session, system(found.tenant_id), at), row.id)
    nodes = (await api.data(office.manager, LINKS))["reviewLinks"]["nodes"]
    own = [each for each in nodes if each["review"]["id"] == ids.write("Review", row.id)]
    return own[0] if own else {}


async def test_a_review_is_linked_or_suggested_and_a_negative_one_is_followed_up(
    api: Api, office: Office
) -> None:
    contact = office.world.contacts[0]
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now())
        await accounts.change_contact(tx, contact.id, name="Karel Contact")
    assert await matched(api, office, author="Iemand Anders") == {}
    invited = await matched(api, office, author="Anoniem", reference=contact.id.hex)
    assert (invited["state"], invited["score"]) == ("AUTOMATIC", 1000)
    assert invited["recoveryCase"] == {"size": "SMALL", "incident": None}
    assert len(await listed(api, office.client)) == 1
    incident = await build.incident(api.make, office.world, at=api.state.now())
    guess = await matched(api, office)
    assert (guess["state"], guess["parts"]) == (
        "SUGGESTED", {"name": 550, "place": 0, "date": 200, "theme": 0},
    )  # fmt: skip
    assert len(await listed(api, office.client)) == 1
    assert (await api.data(office.client, LINKS))["reviewLinks"]["nodes"] == []
    done = (await api.data(office.manager, CONFIRM, id=guess["id"]))["confirmReviewLink"]
    assert done["state"] == "CONFIRMED"
    assert done["decidedBy"].startswith("user:")
    sure = (await api.data(office.manager, LINKS, states=["CONFIRMED"]))["reviewLinks"]["nodes"]
    assert sure[0]["recoveryCase"]["incident"]["id"] == ids.write("Incident", incident.id)
    assert len(await listed(api, office.client)) == 2
    figures = (await api.data(office.manager, FIGURES))["reviewFigures"]
    assert sorted((each["negative"], each["causedN"], each["breachedN"]) for each in figures) == [
        (1, 0, 0), (1, 0, 0), (1, 1, 0),
    ]  # fmt: skip
    [caused] = [each for each in figures if each["causedN"]]
    assert caused["caused"]["value"] == 100
    assert caused["daysFromCause"] == pytest.approx(0, abs=0.01)
    for each in (await api.data(office.client, FIGURES))["reviewFigures"]:
        assert (each["causedN"], each["caused"], each["breachedN"], each["daysFromCause"]) == (
            None,
        ) * 4
    no = (await api.data(office.manager, REFUSE, id=invited["id"]))["refuseReviewLink"]
    assert no["state"] == "REFUSED"
    assert len(await listed(api, office.client)) == 1
    again = (await api.data(office.manager, REFUSE, id=invited["id"]))["refuseReviewLink"]
    assert again["code"] == "ALREADY_DONE"
