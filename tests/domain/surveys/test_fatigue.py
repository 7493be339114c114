"""Who is asked: caps per person over all surveys, rotation, and no look at any score."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.surveys.fatigue import (
    CAPS,
    RELATIONSHIP_WINS,
    PastInvitation,
    SkipReason,
    SurveyCandidate,
    SurveyPurpose,
    decide,
    panel,
)

T0 = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def contact(
    n: int, *past: PastInvitation, person: str | None = "", consents: bool = True
) -> SurveyCandidate:
    """A contact with a mailbox of its own, unless the test says otherwise."""
    return SurveyCandidate(UUID(int=n), f"p{n}" if person == "" else person, consents, past)


def reason_of(
    one: SurveyCandidate, purpose: SurveyPurpose = SurveyPurpose.RELATIONSHIP
) -> SkipReason | None:
    """Return why this contact alone is not asked."""
    [found] = decide([one], purpose, wave="w", at=T0, most=1)
    return found.reason


def ago(
    days: float, purpose: SurveyPurpose = SurveyPurpose.RELATIONSHIP, *, is_open: bool = False
) -> PastInvitation:
    """An invitation so many days ago."""
    return PastInvitation(purpose, T0 - days * DAY, is_open)


def test_each_obstacle_has_its_reason() -> None:
    event = SurveyPurpose.TRANSACTIONAL
    assert reason_of(contact(1)) is None
    assert reason_of(contact(1, person=None)) is SkipReason.UNREACHABLE
    assert reason_of(contact(1, consents=False)) is SkipReason.NO_CONSENT
    assert reason_of(contact(1, ago(89.9))) is SkipReason.RELATIONSHIP_CAP
    assert reason_of(contact(1, ago(90))) is None
    assert reason_of(contact(1, ago(29.9, event)), event) is SkipReason.TRANSACTIONAL_CAP
    assert reason_of(contact(1, ago(30, event)), event) is None
    assert reason_of(contact(1, ago(13.9)), event) is SkipReason.RELATIONSHIP_FIRST
    assert reason_of(contact(1, ago(14)), event) is None
    assert reason_of(contact(1, ago(20, is_open=True)), event) is SkipReason.OPEN_INVITATION


def test_a_relationship_survey_takes_precedence_over_an_open_transactional_one() -> None:
    assert reason_of(contact(1, ago(3, SurveyPurpose.TRANSACTIONAL, is_open=True))) is None


def test_one_person_with_two_contacts_is_asked_once() -> None:
    both = [contact(1, person="same"), contact(2, person="same")]
    found = decide(both, SurveyPurpose.RELATIONSHIP, wave="w", at=T0, most=2)
    assert [each.reason for each in found] == [None, SkipReason.SAME_PERSON]


def test_who_was_asked_longest_ago_comes_first() -> None:
    some = [contact(1, ago(100)), contact(2, ago(200)), contact(3, ago(150))]
    found = {
        each.contact_id.int: each.reason
        for each in decide(some, SurveyPurpose.RELATIONSHIP, wave="w", at=T0, most=1)
    }
    assert found == {1: SkipReason.NOT_IN_PANEL, 2: None, 3: SkipReason.NOT_IN_PANEL}


def test_a_panel_is_a_share_rounded_up() -> None:
    assert [panel(n, 3) for n in (0, 1, 3, 4, 7)] == [0, 1, 1, 2, 3]


PAST = st.lists(
    st.builds(
        lambda days, purpose, is_open: PastInvitation(purpose, T0 - days * DAY, is_open),
        st.floats(0, 400), st.sampled_from(list(SurveyPurpose)), st.booleans(),
    ),
    max_size=4,
)  # fmt: skip
PEOPLE = st.lists(
    st.builds(
        lambda n, past, consents, person: SurveyCandidate(UUID(int=n), person, consents, past),
        st.integers(1, 10**6), PAST, st.booleans(), st.sampled_from([None, "a", "b", "c", "d"]),
    ),
    max_size=8, unique_by=lambda each: each.contact_id,
)  # fmt: skip


@given(PEOPLE, st.sampled_from(list(SurveyPurpose)), st.integers(0, 8), st.randoms())
@settings(max_examples=200)
def test_a_decision_respects_every_limit_and_not_the_order(
    people: list[SurveyCandidate], purpose: SurveyPurpose, most: int, chance: random.Random
) -> None:
    found = decide(people, purpose, wave="w", at=T0, most=most)
    asked = [each.contact_id for each in found if each.is_asked]
    by_id = {each.contact_id: each for each in people}
    assert len(found) == len(people)
    assert len(asked) <= most
    assert len({by_id[each].person for each in asked}) == len(asked)
    for each in (by_id[one] for one in asked):
        assert each.consents
        assert each.person is not None
        assert all(
            past.purpose is not purpose or T0 - past.at >= CAPS[purpose] for past in each.past
        )
    shuffled = list(people)
    chance.shuffle(shuffled)
    assert decide(shuffled, purpose, wave="w", at=T0, most=most) == found
    waiting = [by_id[each.contact_id] for each in found if each.reason is SkipReason.NOT_IN_PANEL]

    def last(one: SurveyCandidate) -> datetime:
        return max(
            (p.at for p in one.past if p.purpose is purpose),
            default=datetime.min.replace(tzinfo=UTC),
        )

    for chosen in asked:
        assert all(last(by_id[chosen]) <= last(other) for other in waiting)


class Years:
    """Simulated time of many accounts: what each person was asked, and until when that was open."""

    def __init__(self) -> None:
        self.chance = random.Random(15)
        self.history: defaultdict[str, list[tuple[SurveyPurpose, datetime, datetime]]] = (
            defaultdict(list)
        )

    def accounts(self, many: int) -> list[list[SurveyCandidate]]:
        """Return accounts with 3 to 12 contacts; some people are contacts of several."""
        made, n = [], 0
        for _ in range(many):
            people = []
            for _ in range(self.chance.randint(3, 12)):
                n += 1
                one = self.chance.randint(1, n) if self.chance.random() < 0.05 else n
                people.append(SurveyCandidate(UUID(int=n), f"p{one}", self.chance.random() > 0.02))
            made.append(people)
        return made

    def ask(
        self, people: list[SurveyCandidate], purpose: SurveyPurpose, at: datetime, most: int
    ) -> int:
        """Decide one wave; about two of five answer within two days."""
        now = [
            SurveyCandidate(each.contact_id, each.person, each.consents, self._past(each, at))
            for each in people
        ]
        persons = {each.contact_id: each.person or "" for each in people}
        found = decide(now, purpose, wave=at.isoformat(), at=at, most=most)
        asked = [persons[each.contact_id] for each in found if each.is_asked]
        for person in asked:
            mine = self.history[person]
            if purpose is SurveyPurpose.RELATIONSHIP:
                mine[:] = [(kind, when, min(ends, at)) for kind, when, ends in mine]
            open_for = (2 if self.chance.random() < 0.4 else 14) * DAY
            mine.append((purpose, at, at + open_for))
        return len(asked)

    def _past(self, each: SurveyCandidate, at: datetime) -> list[PastInvitation]:
        mine = self.history[each.person or ""]
        return [PastInvitation(kind, when, at < ends) for kind, when, ends in mine]


def test_five_years_of_two_hundred_accounts_break_no_cap() -> None:
    """1,500 contacts, some of one person: monthly pulses, incidents at random, answers at random."""
    years = Years()
    accounts = years.accounts(200)
    heard = gaps = 0
    for month in range(60):
        first = T0 + month * 30.44 * DAY
        for people in accounts:
            asked = years.ask(people, SurveyPurpose.RELATIONSHIP, first, panel(len(people), 3))
            heard, gaps = heard + (asked > 0), gaps + (asked == 0)
        events = [
            (first + years.chance.uniform(0.1, 30) * DAY, number)
            for number in range(len(accounts))
            for _ in range(years.chance.randint(0, 2))
        ]
        for at, number in sorted(events):
            years.ask(accounts[number], SurveyPurpose.TRANSACTIONAL, at, 1)
    assert sum(map(len, years.history.values())) > 20_000
    for mine in years.history.values():
        must_respect_caps(mine)
    assert heard / (heard + gaps) > 0.9  # with three or more contacts nearly every month is heard


def must_respect_caps(mine: list[tuple[SurveyPurpose, datetime, datetime]]) -> None:
    """Check everything that one person was asked: the caps, the precedence, and one open at a time."""
    for purpose, cap in CAPS.items():
        times = sorted(when for kind, when, _ in mine if kind is purpose)
        assert all(b - a >= cap for a, b in pairwise(times))
    for kind, when, _ in mine:
        if kind is SurveyPurpose.TRANSACTIONAL:
            before = [
                at for other, at, _ in mine if other is SurveyPurpose.RELATIONSHIP and at <= when
            ]
            assert all(when - at >= RELATIONSHIP_WINS for at in before)
    for (_, _, ends), (_, begins, _) in pairwise(sorted(mine, key=lambda one: one[1])):
        assert ends <= begins
