"""Business reviews: the same bytes after data changed, a new revision beside the old one, and who sees which."""

import re
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import func, select, text, update

from domain import business_reviews, commitments, raid, success_plans
from domain.access import Actor, Tx
from domain.accounts.model import Account, Tenant
from domain.business_reviews import BusinessReview, BusinessReviewKind, stored_content
from domain.business_reviews.rules import PARTS, hash_of, spans_of
from domain.commitments import CommitmentKind
from domain.core.db import Sessions, transaction
from domain.incidents.model import Incident
from domain.invoices.model import Invoice
from domain.promises.model import Promise, State
from domain.raid import RaidDraft, RaidKind
from domain.success_plans import GoalDraft
from schema.core import ids
from tests import kpi_rows
from tests.api import asking
from tests.api.asking import Api, Office
from tests.gate.nouns.commitments import owner_of

pytestmark = pytest.mark.anyio

LAST = date(2026, 6, 30)
MADE = datetime(2026, 7, 2, 9, tzinfo=UTC)
MAKE = """mutation($input: MakeBusinessReviewInput!) { makeBusinessReview(input: $input) {
  ... on BusinessReview { id kind fromOn untilOn revision } ... on Refusal { code argument } } }"""
RELEASE = """mutation($input: ReleaseBusinessReviewInput!) { releaseBusinessReview(input: $input) {
  ... on BusinessReview { id releasedAt } ... on Refusal { code argument } } }"""
LIST = """query($account: ID) { businessReviews(accountId: $account) { nodes {
  id kind revision isSameTemplate contentHash pdfPath htmlPath(language: "nl") headline parts madeBy } } }"""


async def furnished(make: Sessions, tenant: Any, account: Any) -> None:
    """Goals, commitments and risks of an account, as a year of work leaves them."""
    begun = datetime(2026, 4, 2, 9, tzinfo=UTC)
    async with transaction(make) as session:
        tx = Tx(session, Actor.system(tenant, "test"), begun)
        owner = await owner_of(tx)
        plan = await success_plans.open_plan(
            tx, account, title="Safe nights", words="Fewer alarms", owner_id=owner,
            starts_on=date(2026, 1, 1), due_on=date(2026, 12, 31),
        )  # fmt: skip
        for title, target, worth in (
            ("Fewer false alarms", 10, 1_200_000),
            ("Open in time", 5, 40_000),
        ):
            draft = GoalDraft(
                title, "By the log", 40, target, owner, date(2026, 9, 30), unit="a month",
                value_cents=worth,
            )  # fmt: skip
            goal = await success_plans.set_goal(tx, plan.id, draft)
            await success_plans.measure_goal(
                tx, goal.id, value=target + 5 * (target == 10), evidence="Log"
            )
        await success_plans.share(tx, plan.id)
        for words, days, done in (
            ("Replace the lock of the gate", 20, True), ("Train the night shift", 120, False),
        ):  # fmt: skip
            made = await commitments.make(
                tx, account, kind=CommitmentKind.ACTION_ITEM, words=words, owner_id=owner,
                due_at=begun + timedelta(days=days),
            )  # fmt: skip
            if done:
                await commitments.finish(tx, made.id, note="Done")
        for kind, words, more in (
            (RaidKind.RISK, "The barrier is worn", {"impact": 4, "likelihood": 3}),
            (RaidKind.ISSUE, "Two keys are missing", {"impact": 3}),
            (RaidKind.ISSUE, "Only for us", {"impact": 3, "internal": True}),
            (RaidKind.DECISION, "Two guards at night", {"rationale": "After the break-in"}),
        ):  # fmt: skip
            await raid.raise_entry(tx, account, RaidDraft(kind, words, owner, **more))


async def made(
    make: Sessions, tenant: Any, account: Any, kind: BusinessReviewKind, at: datetime = MADE
) -> BusinessReview:
    async with transaction(make) as session:
        tx = Tx(session, Actor.system(tenant, "test"), at)
        return await business_reviews.make_review(tx, account, kind, last_on=LAST)


async def documents(make: Sessions, tenant: Any, review: BusinessReview) -> dict[str, bytes]:
    """Every document of a review, by its file name."""
    async with make() as session:
        found = await business_reviews.review_of(session, Actor.system(tenant, "test"), review.id)
    assert found is not None
    content, texts = found
    return {
        business_reviews.filename(content, code, ending): render(content, texts, code=code)
        for code in ("nl", "en")
        for ending, render in (("pdf", business_reviews.pdf_of), ("html", business_reviews.html_of))
    }


async def test_a_review_is_the_same_bytes_after_everything_changed(api: Api, tmp_path: Any) -> None:
    filled = await kpi_rows.filled(api.make, 3)
    place = filled.places[0]
    tenant, account = place.account.tenant_id, place.account.id
    await furnished(api.make, tenant, account)
    reviews = [await made(api.make, tenant, account, kind) for kind in BusinessReviewKind]
    before = [await documents(api.make, tenant, each) for each in reviews]
    for names in before:
        for name, content in names.items():
            (tmp_path / name).write_bytes(content)

    async with transaction(api.make) as session:
        later = Tx(session, Actor.system(tenant, "test"), MADE + timedelta(days=365))
        for model, values in (
            (Account, {"name": Account.name + " (new)"}),
            (Tenant, {"name": "Another company"}),
            (Incident, {"opened_at": Incident.opened_at - timedelta(days=9)}),
            (
                Invoice,
                {"net_cents": Invoice.net_cents + 100, "gross_cents": Invoice.gross_cents + 100},
            ),
        ):
            await session.execute(update(model).values(**values))
        await session.execute(
            update(Promise).where(Promise.state == State.LATE).values(state=State.KEPT)
        )
        await success_plans.open_plan(
            later, account, title="Next year", words="More", owner_id=await owner_of(later),
            starts_on=date(2026, 6, 1), due_on=date(2027, 12, 31),
        )  # fmt: skip
    for review, names in zip(reviews, before, strict=True):
        assert await documents(api.make, tenant, review) == names

    # A new one of the same period is another revision with other figures; the old one stays.
    again = await made(
        api.make, tenant, account, BusinessReviewKind.QUARTERLY, MADE + timedelta(days=365)
    )
    [quarter] = [each for each in reviews if each.kind is BusinessReviewKind.QUARTERLY]
    assert (quarter.revision, again.revision) == (1, 2)
    assert quarter.content_hash != again.content_hash
    old, new = stored_content(quarter), stored_content(again)
    assert sum(each.late for each in old.promises) > 0 == sum(each.late for each in new.promises)
    assert old.money.invoiced_cents < new.money.invoiced_cents
    assert hash_of(old) == quarter.content_hash
    assert await documents(api.make, tenant, quarter) == before[reviews.index(quarter)]


async def test_the_figures_of_a_review_are_counted_anew_by_sql(api: Api) -> None:
    filled = await kpi_rows.filled(api.make, 4)
    place = filled.places[0]
    tenant, account = place.account.tenant_id, place.account.id
    review = await made(api.make, tenant, account, BusinessReviewKind.QUARTERLY)
    content = stored_content(review)
    begin, end = "'2026-04-01 Europe/Amsterdam'", "'2026-07-01 Europe/Amsterdam'"
    async with api.make() as session:

        async def counted(table: str, column: str, more: str = "") -> int:
            query = f"""SELECT count(*) FROM {table} WHERE account_id = :account {more}
              AND {column} >= {begin}::timestamptz AND {column} < {end}::timestamptz"""
            return int((await session.execute(text(query), {"account": account})).scalar_one())

        assert place.account.time_zone == "Europe/Amsterdam"
        assert sum(each.opened for each in content.spans) == await counted("incident", "opened_at")
        assert sum(each.resolved for each in content.spans) == await counted(
            "incident", "resolved_at"
        )
        for state, total in (
            ("kept", sum(each.kept for each in content.promises)),
            ("late", sum(each.late for each in content.promises)),
        ):
            more = f"AND state = '{state}' AND NOT internal"
            assert total == await counted("promise", "decided_at", more) > 0
        net = await session.scalar(
            select(func.sum(Invoice.net_cents)).where(
                Invoice.account_id == account, Invoice.currency == "EUR",
                Invoice.issued_on.between(date(2026, 4, 1), LAST),
            )
        )  # fmt: skip
        assert content.money.invoiced_cents == int(net or 0) > 0


async def test_pages_have_eight_parts_in_both_languages_and_are_accessible(api: Api) -> None:
    filled = await kpi_rows.filled(api.make, 5)
    place = filled.places[0]
    tenant, account = place.account.tenant_id, place.account.id
    await furnished(api.make, tenant, account)
    for kind in BusinessReviewKind:
        review = await made(api.make, tenant, account, kind)
        for name, found in (await documents(api.make, tenant, review)).items():
            code = "nl" if "-nl." in name else "en"
            titles = business_reviews.part_titles(kind, code=code)
            assert len(set(titles)) == len(PARTS[kind]) == 8
            if name.endswith(".pdf"):
                reader = PdfReader(BytesIO(found))
                root: Any = reader.trailer["/Root"]
                assert root["/MarkInfo"]["/Marked"]
                assert "pdfuaid:part" in root["/Metadata"].get_data().decode()
                words = " ".join(page.extract_text() for page in reader.pages)
                words = re.sub(r"\s+", " ", words)
            else:
                words = found.decode()
                assert f'<html lang="{code}">' in words
                assert words.count("<img") == words.count('alt="')
                assert [
                    re.sub("<[^>]+>", "", each) for each in re.findall("<h2>.*?</h2>", words)
                ] == titles
                assert "Only for us" not in words
            plain = words.replace("\u2019", "'")
            for title in titles:
                assert title.replace("\u2019", "'") in plain, (name, title)


async def test_a_client_reads_a_released_review_and_nobody_else_does(
    api: Api, office: Office
) -> None:
    given = {"accountId": office.account, "kind": "QUARTERLY", "lastOn": "2026-03-31"}
    for token in (office.client, office.dispatcher):
        refused = (await api.data(token, MAKE, input=given))["makeBusinessReview"]
        assert refused["code"] == "NOT_ALLOWED"
    ahead = (api.state.now() + timedelta(days=2)).date().isoformat()
    wrong = await api.data(office.manager, MAKE, input=given | {"lastOn": ahead})
    assert wrong["makeBusinessReview"] == {"code": "TIME_REVERSED", "argument": "lastOn"}
    made = (await api.data(office.manager, MAKE, input=given))["makeBusinessReview"]
    assert (made["fromOn"], made["untilOn"], made["revision"]) == ("2026-01-01", "2026-04-01", 1)

    async def listed(token: str) -> list[Any]:
        return list(
            (await api.data(token, LIST, account=office.account))["businessReviews"]["nodes"]
        )

    async def read(path: str, token: str) -> tuple[int, bytes]:
        answer = await api.http.get(path, headers={"authorization": f"Bearer {token}"})
        return answer.status_code, answer.content

    [row] = await listed(office.manager)
    assert row["isSameTemplate"] is True
    stranger = await asking.office(api)
    for path in (row["pdfPath"], row["htmlPath"]):
        assert (await read(path, office.manager))[0] == 200
        for token in (office.client, office.dispatcher, stranger.manager):
            assert (await read(path, token))[0] == 404
    assert await listed(office.client) == [] == await listed(office.dispatcher)
    answers = [
        (await api.data(office.manager, RELEASE, input={"id": made["id"]}))["releaseBusinessReview"]
        for _ in range(2)
    ]
    assert answers[0]["releasedAt"]
    assert answers[1] == {"code": "ALREADY_DONE", "argument": "id"}
    [seen] = await listed(office.client)
    assert (seen["madeBy"], len(seen["parts"]), seen["headline"]) == (
        None,
        8,
        "No promise fell due",
    )
    for path in (row["pdfPath"], row["htmlPath"]):
        assert await read(path, office.client) == await read(path, office.manager)
    assert await listed(office.dispatcher) == []
    assert ids.known(seen["id"], "BusinessReview")


def test_spans_add_up_every_day_once() -> None:
    days = {date(2026, 4, 1) + timedelta(days=n): n for n in range(91)}
    spans = spans_of(date(2026, 4, 1), date(2026, 7, 1), None, days, {}, days, {})
    assert len(spans) == 13
    assert sum(each.kept for each in spans) == sum(days.values())
    assert spans[0].kept == sum(range(7))
