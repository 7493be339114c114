"""A promise with a lowest grade: which evidence stops its clock, also in the archive, and that nothing else changes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import agreements, archive, incidents, promises
from domain.access import Actor, Tx
from domain.agreements import Priority, PromiseDraft, PromiseKind, Target, TermsDraft
from domain.agreements.limits import PromiseLimits
from domain.core.db import Sessions, transaction
from domain.core.errors import Refused
from domain.evidence import (
    REPORTED,
    Assessment,
    DoubtFavours,
    EvidenceReason,
    EvidenceSource,
    Grade,
    ReasonCode,
)
from domain.promises import ClockFact, JudgedPart, State
from domain.simulation.rules import fingerprint
from tests import build
from tests.build import ROUND_THE_CLOCK, T0, minutes
from tests.domain.archive.test_load import by_the_one_translation, said

UNIT, CALENDAR = UUID(int=7), UUID(int=8)
TERM = agreements.Term(
    id=UUID(int=1),
    tenant_id=UUID(int=0),
    account_id=UUID(int=0),
    agreement_id=UUID(int=0),
    terms_id=UUID(int=0),
    name="arrival",
    kind=PromiseKind.ARRIVAL,
    calendar_version_id=CALENDAR,
    limits=PromiseLimits(),
    rule=agreements.MOST_SPECIFIC,
    objective_ppm=990_000,
    pausable=True,
    internal=False,
    targets={Priority.HIGH: Target(elapsed_s=1_200)},
)
STAY, OTHER = str(UUID(int=21)), str(UUID(int=22))
OPENED = ClockFact(UNIT, "incident.opened", T0, {"priority": "high"})


def assessed(grade: Grade, *, code: ReasonCode = ReasonCode.DELAY, **since: float) -> Assessment:
    """An assessment with the minutes from which each grade is proven."""
    return Assessment(
        EvidenceSource.GEOFENCE,
        grade,
        (EvidenceReason(code, 1.0, grade),),
        {Grade(each): T0 + minutes(m) for each, m in since.items()},
    )


def fact(kind: str, at: float, presence: str | None, found: Assessment | None, **more: Any) -> Any:
    body = {} if found is None else found.body()
    body["proven_from"] = {each: at.isoformat() for each, at in body.get("proven_from", {}).items()}
    if presence is not None:
        body["presence_id"] = presence
    return ClockFact(UNIT, f"incident.{kind}", T0 + minutes(at), body | more)


def arrived(at: float, found: Assessment | None, presence: str | None = STAY) -> ClockFact:
    told: ClockFact = fact("arrived", at, presence, found)
    return told


def graded(at: float, instant: float, found: Assessment, presence: str = STAY) -> ClockFact:
    when = (T0 + minutes(instant)).isoformat()
    told: ClockFact = fact("arrival_graded", at, presence, found, instant=when)
    return told


def judged(
    facts: Sequence[ClockFact],
    lowest: Grade | None = None,
    favours: DoubtFavours = DoubtFavours.CLIENT,
    *,
    at: datetime = T0 + timedelta(hours=3),
) -> JudgedPart:
    term = replace(TERM, lowest_grade=lowest, doubt_favours=favours)
    batch = promises.build({UNIT: [term]}, [OPENED, *facts], {CALENDAR: ROUND_THE_CLOCK}, at=at)
    [row] = promises.judge(batch, at=at)
    return row


def stopped(row: JudgedPart) -> float | None:
    return None if row.stopped_at is None else (row.stopped_at - T0) / minutes(1)


WEAK = assessed(Grade.C, C=10, B=14, A=30)
AGAINST = assessed(Grade.D, code=ReasonCode.MOCK, B=25)


@pytest.mark.parametrize(
    ("facts", "lowest", "favours", "state", "minute"),
    [
        ([arrived(10, WEAK)], None, "client", State.KEPT, 10),
        ([arrived(10, WEAK)], "C", "client", State.KEPT, 10),
        ([arrived(10, WEAK)], "B", "client", State.KEPT, 14),
        ([arrived(10, WEAK)], "A", "client", State.LATE, 30),
        ([arrived(10, WEAK)], "A", "company", State.KEPT, 10),
        ([arrived(10, AGAINST)], "C", "company", State.LATE, 25),
        ([arrived(10, AGAINST)], "D", "client", State.KEPT, 10),
        ([arrived(10, REPORTED, None)], None, "client", State.KEPT, 10),
        ([arrived(10, REPORTED, None)], "C", "client", State.LATE, None),
        ([arrived(10, REPORTED, None)], "C", "company", State.KEPT, 10),
        ([arrived(10, None, None)], "C", "client", State.LATE, None),
        ([arrived(10, None, None)], "C", "company", State.KEPT, 10),
        ([arrived(10, REPORTED, None), graded(16, 10, WEAK, OTHER)], "B", "client", State.KEPT, 14),
        ([arrived(10, WEAK), graded(90, 10, AGAINST)], "B", "client", State.LATE, 25),
        ([arrived(10, AGAINST), graded(90, 10, WEAK)], "B", "client", State.KEPT, 14),
        ([arrived(10, WEAK), fact("arrival_withdrawn", 10, STAY, None)], "C", "client", State.LATE, None),
        (
            [arrived(10, WEAK), graded(12, 10, WEAK, OTHER), fact("arrival_withdrawn", 10, STAY, None)],
            "C", "client", State.LATE, None,
        ),
    ],
)  # fmt: skip
def test_a_clock_stops_when_the_evidence_is_good_enough(
    facts: list[ClockFact], lowest: str | None, favours: str, state: State, minute: float | None
) -> None:
    grade = None if lowest is None else Grade(lowest)
    row = judged(facts, grade, DoubtFavours(favours))
    assert (row.state, stopped(row)) == (state, minute)


grades = st.sampled_from(list(Grade))
some = st.builds(
    lambda g, at: assessed(g, **dict(zip("CBA", sorted(at), strict=False))),
    grades,
    st.lists(st.integers(60, 90), max_size=3),  # never before what was measured
)
told = st.lists(
    st.one_of(
        st.builds(arrived, st.integers(5, 60), st.one_of(st.none(), some), st.sampled_from([None, STAY])),
        st.builds(graded, st.integers(5, 90), st.integers(5, 60), some, st.sampled_from([STAY, OTHER])),
        st.builds(lambda at: fact("arrival_withdrawn", at, STAY, None), st.integers(5, 60)),
        st.just(fact("resolved", 70, None, None)),
    ),
    max_size=7,
)  # fmt: skip


@given(told)
@settings(max_examples=60, deadline=None)
def test_without_a_lowest_grade_no_grade_has_an_effect(facts: list[ClockFact]) -> None:
    plain = [
        each._replace(body={key: v for key, v in each.body.items() if key == "presence_id"})
        for each in facts
        if each.kind != "incident.arrival_graded"
    ]
    assert judged(facts) == judged(plain)


@given(told, grades)
@settings(max_examples=60, deadline=None)
def test_a_higher_lowest_grade_never_stops_a_clock_sooner(
    facts: list[ClockFact], lowest: Grade
) -> None:
    def stop(grade: Grade, favours: DoubtFavours) -> datetime:
        term = replace(TERM, lowest_grade=grade, doubt_favours=favours)
        return promises.graded_stop(facts, term) or datetime.max.replace(tzinfo=UTC)

    for favours in DoubtFavours:
        for better in (each for each in Grade if each < lowest):
            assert stop(better, favours) >= stop(lowest, favours)
    assert stop(lowest, DoubtFavours.CLIENT) >= stop(lowest, DoubtFavours.COMPANY)


def draft(calendar: UUID, **more: Any) -> PromiseDraft:
    targets = {priority: Target(elapsed_s=1_200) for priority in Priority}
    return PromiseDraft("arrival", PromiseKind.ARRIVAL, calendar, targets, **more)


def test_the_hash_of_terms_changes_only_with_a_lowest_grade() -> None:
    calendar = UUID(int=9)
    plain = TermsDraft((draft(calendar),))
    # The hash that these terms had before there were grades.
    before = "663ff9ee597fd63c417888e0a6d3775d71fbd2603a7a6341dd60e3583bb831d2"
    assert fingerprint(plain).hex() == before
    strict = TermsDraft((draft(calendar, lowest_grade=Grade.B),))
    company = DoubtFavours.COMPANY
    mild = TermsDraft((draft(calendar, lowest_grade=Grade.B, doubt_favours=company),))
    assert len({fingerprint(each) for each in (plain, strict, mild)}) == 3


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (PromiseKind.RESOLUTION, {"lowest_grade": Grade.B}),
        (PromiseKind.ARRIVAL, {"doubt_favours": DoubtFavours.COMPANY}),
    ],
)
def test_grades_are_for_arrivals_and_doubt_needs_a_grade(
    kind: PromiseKind, more: dict[str, Any]
) -> None:
    promise = replace(draft(uuid4(), **more), kind=kind)
    with pytest.raises(Refused, match="grade"):
        agreements.check(TermsDraft((promise,)))


async def test_the_archive_stops_graded_clocks_as_the_translation_does(make: Sessions) -> None:
    world = await build.client(make, promises=())
    async with transaction(make) as session:
        await agreements.amend(
            Tx(session, Actor.system(world.tenant.id, "test"), T0 - timedelta(days=9)),
            world.agreement.id,
            in_force_from=T0 - timedelta(days=8),
            terms=TermsDraft(
                (
                    draft(world.calendar.id, lowest_grade=Grade.B),
                    replace(draft(world.calendar.id), name="any", internal=True),
                )
            ),
        )
    for n, found in enumerate([None, WEAK, AGAINST, assessed(Grade.B, B=10, C=10), REPORTED]):
        ticket = await build.incident(make, world, at=T0 + timedelta(days=n))
        at = T0 + timedelta(days=n) + minutes(10)
        shifted = found and replace(
            found, proven_from={g: t + timedelta(days=n) for g, t in found.proven_from.items()}
        )
        proof = None if shifted is REPORTED else incidents.Proof(uuid4(), (at,), at, shifted)
        async with transaction(make) as session:
            await incidents.arrive(Tx(session, world.staff, at), ticket.id, proof=proof)
            if n % 2:
                await incidents.grade_arrival(
                    Tx(session, world.staff, at + minutes(9)),
                    ticket.id,
                    (str(uuid4()), at),
                    assessed(Grade.B, B=24 * 60 * n + 13, C=24 * 60 * n + 13),
                )
    now = T0 + timedelta(days=30)
    async with make() as session:
        log = await archive.load(session, world.account.id, at=now)
        expected = await by_the_one_translation(session, world.account.id, now)
        known = await archive.load(session, world.account.id, at=now, known_at=datetime.now(UTC))
    assert len(expected) == 10
    assert said(log, now) == said(known, now) == expected
    assert len({row[2:] for row in expected}) > 4
