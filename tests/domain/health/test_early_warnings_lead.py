"""Early warnings come before the score falls: 500 simulated clients with a hidden cause, week by week."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import pytest

from domain.health.registry import read_account, score_all
from domain.health.scoring import POINT, band_of
from domain.health.warning_input import OpenWarning, WarningInput, WarningRule, WarningSeverity
from domain.health.warning_rules import BY_RULE, raised
from tests.domain.health.simulating import BEGIN, WEEK, WEEKS, Cause, History, histories, live

pytestmark = pytest.mark.slow

CLIENTS, FIRST, STEP = 500, 30, 2
"""Clients, the first week that is judged (before it the signals have no history), and the weeks between two looks."""
HABITS = {WarningRule.SINGLE_THREAD, WarningRule.REACTIVE_ONLY, WarningRule.WARNING_UNHANDLED}
"""Rules about what the company does, or about other warnings."""


@dataclass
class Signs:
    """What was to be seen of one client in each week from `FIRST` on."""

    history: History
    scores: list[int | None]
    warnings: list[set[WarningRule]]

    def below(self) -> list[bool]:
        """Whether the last score was below 60."""
        last, found = 100 * POINT, []
        for score in self.scores:
            last = last if score is None else score
            found.append(last < 60 * POINT)
        return found

    def severe(self) -> list[bool]:
        """Whether a warning of high severity was open."""
        return [
            any(BY_RULE[rule].severity is WarningSeverity.HIGH for rule in each)
            for each in self.warnings
        ]

    def any(self, fewest: int) -> list[bool]:
        """Whether at least so many warnings were open."""
        return [len(each) >= fewest for each in self.warnings]


def lived(one: History) -> Signs:
    """Live through a history, and see each second Sunday what the product says."""
    end = one.ends if one.leaves else WEEKS
    facts_by_week, warnings, is_open = [], [], dict[WarningRule, OpenWarning]()
    for week in range(end):
        live(one, week)
        if week < FIRST or (week - FIRST) % STEP:
            continue
        facts = one.known(BEGIN + (week + 1) * WEEK)
        reading = read_account(facts)
        facts_by_week.append(reading)
        scores = score_all([reading])
        band = band_of(int(scores.score[0])) if scores.is_enough[0] else None
        found = raised(WarningInput(facts, band, False, [*is_open.values()]))
        is_open = {rule: is_open.get(rule, OpenWarning(rule, facts.at)) for rule in found}
        warnings.append(set(found) - HABITS)
    scored = score_all(facts_by_week)
    values = [
        int(score) if enough else None
        for score, enough in zip(scored.score, scored.is_enough, strict=True)
    ]
    return Signs(one, values, warnings)


@dataclass(frozen=True)
class Figures:
    """How early an alarm comes, and how often it is false."""

    found: int  # leavers with an alarm between cause and leaving
    in_time: int  # of them at least eight weeks before
    leavers: int
    median_lead: float  # weeks; 0 for a leaver without an alarm
    false_a_year: float  # alarms a year of accounts whose cause does not act

    def __str__(self) -> str:
        return (
            f"found {self.found}/{self.leavers}, 8 weeks ahead {self.in_time}, median lead {self.median_lead:g} weeks, "
            f"{self.false_a_year:.2f} false alarms per account-year"
        )


def judged(signs: Sequence[Signs], alarms: Sequence[Sequence[bool]]) -> Figures:
    """Judge alarms: an alarm that begins while no cause acts is false; the lead counts from the first true one."""
    leads, false, quiet_weeks = [], 0, 0
    for each, alarm in zip(signs, alarms, strict=True):
        one = each.history
        acts = range(one.begins, one.ends) if one.cause is not Cause.NONE else range(0)
        for at, on in enumerate(alarm):
            week = FIRST + STEP * at
            if week in acts:
                continue
            quiet_weeks += STEP
            false += on and not (at > 0 and alarm[at - 1])
        if one.left is not None:
            true = [
                FIRST + STEP * at for at, on in enumerate(alarm) if on and FIRST + STEP * at in acts
            ]
            leads.append(one.left - true[0] if true else 0)
    return Figures(
        sum(lead > 0 for lead in leads), sum(lead >= 8 for lead in leads), len(leads),
        median(leads), 52 * false / quiet_weeks,
    )  # fmt: skip


def test_warnings_come_weeks_before_the_last_score_falls_below_60() -> None:
    signs = [lived(one) for one in histories(CLIENTS, seed=1)]
    figures = {
        "last score below 60": judged(signs, [each.below() for each in signs]),
        "warning of high severity": judged(signs, [each.severe() for each in signs]),
        "any warning": judged(signs, [each.any(1) for each in signs]),
        "two warnings": judged(signs, [each.any(2) for each in signs]),
        "three warnings": judged(signs, [each.any(3) for each in signs]),
    }
    for name, found in figures.items():
        print(f"{name}: {found}")  # noqa: T201 - the figures are asked for
    began = Counter[WarningRule]()
    for each in signs:
        for before, now in zip([set(), *each.warnings], each.warnings, strict=False):
            began.update(now - before)
    print({str(rule): count for rule, count in began.most_common()})  # noqa: T201
    score, two = figures["last score below 60"], figures["two warnings"]
    three = figures["three warnings"]
    assert score.leavers == CLIENTS // 5
    # Two warnings at once: nearly every leaver, months ahead, one false alarm in about two account-years.
    assert two.found >= 80
    assert two.median_lead >= score.median_lead + 8
    assert two.false_a_year <= 0.75
    # Three: alarms about as rarely false as those of the score, and more leavers, earlier.
    assert three.found >= 1.4 * score.found
    assert three.in_time >= 2 * score.in_time
    assert three.false_a_year <= 0.15
