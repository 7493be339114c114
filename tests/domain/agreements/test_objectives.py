"""An internal objective that is laxer than the contractual target for the same unit is refused with both figures."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from domain.agreements import ClockStart, Priority, PromiseDraft, PromiseKind, Target, TicketKind
from domain.agreements.objectives import must_not_be_laxer
from domain.calendars import CalendarSpec
from domain.core.errors import Code, Refused

ALWAYS, OFFICE, NIGHTS, SAME = uuid4(), uuid4(), uuid4(), uuid4()
HERE, THERE = uuid4(), uuid4()
WEEK = ("mon", "tue", "wed", "thu", "fri")


def weekdays(begin: str, end: str) -> CalendarSpec:
    hours = {day: [[begin, end]] for day in WEEK}
    return CalendarSpec.from_dict({"zone": "Europe/Amsterdam", "hours": hours})


HOURS = {
    ALWAYS: CalendarSpec(zone="Europe/Amsterdam", always_open=True),
    OFFICE: weekdays("09:00", "17:00"),
    NIGHTS: weekdays("00:00", "06:00"),
    SAME: weekdays("09:00", "17:00"),
}


def promise(name: str, minutes: int, **more: Any) -> PromiseDraft:
    draft = PromiseDraft(
        name,
        PromiseKind.RESOLUTION,
        ALWAYS,
        {Priority.HIGH: Target(elapsed_s=minutes * 60)},
    )
    return replace(draft, **more)


def aim(minutes: int, **more: Any) -> PromiseDraft:
    return promise("aim", minutes, internal=True, **more)


def days(number: int) -> dict[Priority, Target]:
    return {Priority.HIGH: Target(business_days=number)}


LAXER = {
    "longer": ((promise("contract", 120), aim(121)), "121 minutes for high", "2 hours"),
    "smaller share": (
        (promise("contract", 60, objective_ppm=990_000), aim(60, objective_ppm=985_000)),
        "98.5 % for high",
        "99 %",
    ),
    "more days": (
        (
            promise("contract", 0, targets=days(1), calendar_version_id=OFFICE),
            aim(0, targets=days(2), calendar_version_id=SAME),
        ),
        "2 business days for high",
        "1 business days",
    ),
    "a narrower calendar": (
        (promise("contract", 60), aim(90, calendar_version_id=OFFICE)),
        "90 minutes for high",
        "1 hours",
    ),
    "a stricter promise within": (
        (promise("contract", 240), promise("there", 30, site_ids=frozenset({THERE})), aim(60)),
        "1 hours for high",
        "30 minutes",
    ),
    "a promise replaced elsewhere only": (
        (promise("contract", 30), promise("there", 90, site_ids=frozenset({THERE})), aim(60)),
        "1 hours for high",
        "30 minutes",
    ),
}
FINE = {
    "as strict": (promise("contract", 60), aim(60)),
    "stricter for a smaller share": (promise("contract", 60), aim(30, objective_ppm=900_000)),
    "another priority": (
        promise("contract", 60),
        aim(0, targets={Priority.LOW: Target(elapsed_s=9_000)}),
    ),
    "another kind of promise": (promise("contract", 60), aim(90, kind=PromiseKind.CLOSURE)),
    "another site": (
        promise("contract", 60, site_ids=frozenset({HERE})),
        aim(90, site_ids=frozenset({THERE})),
    ),
    "another kind of incident": (
        promise("contract", 60, ticket_kinds=(TicketKind.ALARM,)),
        aim(90, ticket_kinds=(TicketKind.COMPLAINT,)),
    ),
    "another calendar": (
        promise("contract", 60, calendar_version_id=OFFICE),
        aim(90, calendar_version_id=NIGHTS),
    ),
    "days beside hours": (promise("contract", 60), aim(0, targets=days(1))),
    "another start": (promise("contract", 60), aim(90, clock_start=ClockStart.OCCURRED)),
    "the promise is replaced there": (
        promise("contract", 60),
        promise("there", 180, site_ids=frozenset({HERE, THERE})),
        aim(120, site_ids=frozenset({THERE})),
    ),
    "the objective is replaced there": (
        promise("contract", 240),
        promise("there", 30, site_ids=frozenset({THERE})),
        aim(60),
        replace(aim(30, site_ids=frozenset({THERE})), name="aim there"),
    ),
}


@pytest.mark.parametrize("case", LAXER)
def test_a_laxer_objective_is_refused_with_both_figures(case: str) -> None:
    promises, own, agreed = LAXER[case]
    with pytest.raises(Refused) as no:
        must_not_be_laxer(promises, HOURS)
    refusal = no.value.refusal
    assert (refusal.code, refusal.argument) == (Code.INVALID, "promises")
    assert f"'aim' ({own})" in refusal.message
    assert f"({agreed})" in refusal.message


@pytest.mark.parametrize("case", FINE)
def test_others_are_accepted(case: str) -> None:
    must_not_be_laxer(FINE[case], HOURS)
