"""Matching on 300 labelled reviews against the history of the demo company: few links are wrong, the rest is asked."""

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select

from api.demo import seed
from api.demo.data import CLIENTS, COMPANY
from domain import reputation
from domain.access import Tx
from domain.accounts.model import Account, Tenant
from domain.core.db import Sessions, transaction
from domain.reputation import Review, ReviewLink, ReviewLinkState
from tests.build import T0
from tests.domain.reputation.test_matching import CITIES, FIRST, LAST, misspelt
from tests.reviewing import read, source, system, take

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
COUNT = 300
TEXTS = (
    "De surveillant kwam te laat na het alarm", "Veel te lang wachten op een reactie",
    "Vriendelijke mensen en een goede rapportage", "Niemand belde terug", "Prima", "Very professional",
)  # fmt: skip


class Labelled(NamedTuple):
    """A review, and the client whose contact wrote it; None for somebody else."""

    author: str
    place: str
    words: str
    written_at: datetime
    client: str | None


def signed(name: str, chance: random.Random) -> str:
    """The name as its owner signs a review."""
    first, _, last = name.partition(" ")
    style = chance.random()
    if style < 0.2:
        return f"{first[0]}. {last}"
    if style < 0.3:
        return f"{first} {misspelt(last, chance)}"
    if style < 0.4:
        return first
    return f"{last} {first}" if style < 0.45 else name


def stranger(chance: random.Random) -> str:
    """Somebody who is no contact, but may share a first name, a surname or an initial with one."""
    first, _, last = chance.choice([name for c in CLIENTS for name, _, _ in c.people]).partition(
        " "
    )
    kind = chance.random()
    if kind < 0.3:
        return f"{first} {chance.choice(LAST)}"
    if kind < 0.6:
        return f"{chance.choice([each for each in FIRST if each[0] != first[0]])} {last}"
    if kind < 0.7:
        return first
    return f"{chance.choice(FIRST)} {chance.choice(LAST)}"


def labelled(seed_number: int, at: datetime) -> list[Labelled]:
    """Half are by contacts of the demo company, half by others in the same cities and weeks."""
    chance = random.Random(seed_number)
    known = {name for client in CLIENTS for name, _, _ in client.people}
    found = []
    for number in range(COUNT):
        client = chance.choice(CLIENTS)
        city = chance.choice(client.places).city
        is_true = number % 2 == 0
        author = signed(chance.choice(client.people)[0], chance) if is_true else stranger(chance)
        if not is_true and (author in known or chance.random() < 0.4):
            author, city = "Iemand Anders", chance.choice(CITIES)
        # Four weeks of history: some reviews are about a time without any incident.
        age = timedelta(days=chance.choice([0, 1, 3, 7, 14, 21, 90]))
        found.append(
            Labelled(
                author, city if chance.random() < 0.8 else "", chance.choice(TEXTS), at - age,
                client.name if is_true else None,
            )
        )  # fmt: skip
    return found


async def test_links_to_the_demo_history_are_right_and_what_is_unsure_is_asked(
    make: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed, "TICKETS_A_DAY", 2)  # a third of it is quicker, and enough
    at = T0 + timedelta(days=28)
    await seed.seed(make, at=at, tell=lambda _done, _of: None)
    async with make() as session:
        tenant = (await session.scalars(select(Tenant).where(Tenant.name == COMPANY))).one()
        rows = await session.scalars(select(Account).where(Account.tenant_id == tenant.id))
        names: dict[Any, str] = {row.id: row.name for row in rows}
    page = await source(make, tenant.id)
    given = labelled(17, at)
    await take(
        make, page,
        *(
            read(
                f"r{number}", author=each.author, place=each.place or None, words=each.words,
                written_at=each.written_at, changed_at=each.written_at, rating=4.0,
            )
            for number, each in enumerate(given)
        ),
        at=at,
    )  # fmt: skip
    async with make() as session:
        ids_by_name = {
            row.external_id: row.id
            for row in await session.scalars(select(Review).where(Review.source_id == page.id))
        }
    outcome: Counter[tuple[ReviewLinkState, bool]] = Counter()
    found: Counter[bool] = Counter()
    for number, each in enumerate(given):
        async with transaction(make) as session:
            tx = Tx(session, system(tenant.id), at)
            links = await reputation.match_review(tx, ids_by_name[f"r{number}"])
            seen = [(link.state, names[link.account_id]) for link in links]
        for state, client in seen:
            outcome[state, client == each.client] += 1
        if each.client is not None:
            found[any(client == each.client for _, client in seen)] += 1
    automatic, suggested = (
        (outcome[state, True], outcome[state, False])
        for state in (ReviewLinkState.AUTOMATIC, ReviewLinkState.SUGGESTED)
    )
    true = COUNT // 2
    print(  # noqa: T201 - the figures are asked for
        f"linked {sum(automatic)} ({automatic[1]} wrong), asked about {sum(suggested)} ({suggested[1]} wrong);"
        f" recall linked {automatic[0] / true:.2f}, linked or asked {found[True] / true:.2f}"
    )
    assert automatic[0] >= 20
    assert automatic[0] / sum(automatic) >= 0.95
    assert (automatic[0] + suggested[0]) / (sum(automatic) + sum(suggested)) >= 0.95
    assert found[True] / true >= 0.6
    async with make() as session:  # every decision has its reasons
        links = list(
            await session.scalars(select(ReviewLink).where(ReviewLink.tenant_id == tenant.id))
        )
    assert all(sum(each.parts.values()) == each.score for each in links)
