"""Who is asked for a survey or a testimonial does not depend on what anybody answered or is expected to answer."""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import event

from domain import testimonials
from domain.access import Tx
from domain.accounts import Account, Stage
from domain.core.db import Sessions, transaction
from domain.surveys import Trigger
from domain.surveys.fatigue import SurveyCandidate, SurveyPurpose, decide, panel
from tests import build
from tests.answering import answered
from tests.surveying import ask, survey, system

NOW = datetime(2026, 7, 6, 9, tzinfo=UTC)
DAY = timedelta(days=1)
READ = frozenset(
    {
        *("account", "contact", "contact_address", "tenant", "crisis", "deferral"),
        *("survey", "survey_wave", "survey_invitation", "unsubscription"),
        *("questionnaire", "questionnaire_version", "message", "testimonial"),
    }
)
"""Tables that a selection and its letters may read: none of answers, reviews, promises, verdicts, health or texts."""
_TABLE = re.compile(r"\b(?:FROM|JOIN)\s+(?:ONLY\s+)?\"?([a-z_]+)", re.IGNORECASE)


@contextmanager
def tables_read(make: Sessions) -> Iterator[set[str]]:
    """Collect the tables that statements of these sessions read."""
    engine, found = make.kw["bind"].sync_engine, set[str]()

    def saw(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        found.update(each.lower() for each in _TABLE.findall(statement))

    event.listen(engine, "before_cursor_execute", saw)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", saw)


@pytest.mark.anyio
async def test_a_survey_reads_no_table_that_could_tell_what_will_be_answered(
    make: Sessions,
) -> None:
    world = await build.client(make, contacts=4)
    await answered(make, world, [(1, "Niemand kwam."), (5, "Prima.")], NOW - 200 * DAY)
    await survey(make, world.tenant.id, NOW, Trigger.QUARTERLY)
    with tables_read(make) as read:
        decisions = await ask(make, world.account, NOW)
    assert any(each.skipped is None for each in decisions)
    assert read - READ == set()


@pytest.mark.anyio
async def test_a_request_for_testimonials_reads_no_table_that_could_tell_either(
    make: Sessions,
) -> None:
    world = await build.client(make, contacts=4)
    async with transaction(make) as session:
        (await session.get_one(Account, world.account.id)).stage = Stage.DELIVERY
    with tables_read(make) as read:
        async with transaction(make) as session:
            asked = await testimonials.ask_everybody(Tx(session, system(world.tenant.id), NOW))
    assert asked
    assert read - READ == set()


class Panels:
    """Accounts of contacts with a hidden score; bad accounts hold more of the bad ones."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.scores: dict[UUID, float] = {}
        self.sum = self.variance = 0.0

    def account(self) -> list[UUID]:
        """Return the contacts of a new account."""
        level, made = self.chance.gauss(0, 1), []
        for _ in range(self.chance.randint(4, 12)):
            one = UUID(int=self.chance.getrandbits(128))
            self.scores[one] = level + self.chance.gauss(0, 1)
            made.append(one)
        return made

    def wave(self, people: list[UUID], at: datetime, *, prefers: bool) -> None:
        """Decide a wave; add how much higher than their account's mean the chosen ones score, and its variance."""
        purpose = SurveyPurpose.RELATIONSHIP
        offered = people
        if (
            prefers
        ):  # the mistake that the test has to find: the quarter with the lowest scores is left out
            low = sorted(people, key=lambda one: self.scores[one])[: len(people) // 4]
            offered = [one for one in people if one not in low]
        found = decide(
            [SurveyCandidate(each, f"p{each}", consents=True) for each in offered],
            purpose, wave=f"{people[0]} {at}", at=at, most=panel(len(people), 3),
        )  # fmt: skip
        chosen = [each.contact_id for each in found if each.is_asked]
        scores = [self.scores[each] for each in people]
        mean = sum(scores) / len(scores)
        spread = sum((each - mean) ** 2 for each in scores) / (len(scores) - 1)
        self.sum += sum(self.scores[each] - mean for each in chosen)
        self.variance += len(chosen) * (1 - len(chosen) / len(people)) * spread

    @property
    def z(self) -> float:
        """The sum of all differences in standard deviations of a choice by chance."""
        return float(self.sum / self.variance**0.5)


@pytest.mark.parametrize("seed", range(5))
def test_who_is_asked_is_independent_of_the_expected_score(seed: int) -> None:
    """1,000 panels, one in three asked: a choice by chance is beyond 4 deviations once in 16,000 tests."""
    panels = Panels(seed)
    for _ in range(1_000):
        panels.wave(panels.account(), NOW, prefers=False)
    assert abs(panels.z) < 4


def test_a_selection_that_leaves_out_low_scores_is_found() -> None:
    panels = Panels(1)
    for _ in range(1_000):
        panels.wave(panels.account(), NOW, prefers=True)
    assert panels.z > 8
