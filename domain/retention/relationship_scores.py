"""Gather the facts of the rule scores of an account, and of the moment to propose more."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import advocacy
from domain.accounts.model import Account, Stage
from domain.agreements.model import Agreement, Priority, Terms
from domain.health import (
    AccountHealth,
    EarlyWarning,
    HealthSnapshot,
    Observation,
    ObservationKind,
    SignalContent,
    SignalKey,
    SignalState,
    SnapshotPeriod,
    WarningRule,
    signals_of,
)
from domain.incidents.model import Incident
from domain.renewals import Renewal, RenewalOutcome
from domain.retention.history import TermDates, terms_of
from domain.retention.model import ClientOutcome, OutcomeKind
from domain.retention.rule_scores import (
    POINT,
    BadMoment,
    GoodMoment,
    ProposalGate,
    RuleScore,
    RuleScoreKind,
    ScorePart,
    linear,
)
from domain.touchpoints.model import Touchpoint, TouchpointKind

K, DAY = ObservationKind, timedelta(days=1)
REFERRALS_WITHIN = 730 * DAY
FRESH = [*SignalState].index(SignalState.FRESH)


@dataclass(frozen=True, slots=True)
class RelationshipScores:
    """The rule scores of an account, and whether now is the moment to propose more."""

    account_id: UUID
    as_of: datetime
    scores: tuple[RuleScore, ...]
    gate: ProposalGate


@dataclass(frozen=True, slots=True, eq=False)
class _AccountKnowledge:
    account: Account
    at: datetime
    signals: Mapping[SignalKey, SignalContent]
    score: int | None
    observations: tuple[Observation, ...]
    warnings: Mapping[WarningRule, datetime]
    dates: TermDates
    renewals: int
    urgent_open: int
    is_reviewed: bool
    healthy_for_90_days: bool | None
    referrals: int
    agrees_to_be_named: bool

    def seen(self, *kinds: ObservationKind, days: int) -> list[Observation]:
        """Return the observations of these kinds within so many days."""
        return [
            each for each in self.observations
            if each.kind in kinds and each.at > self.at - days * DAY
        ]  # fmt: skip

    def signal(self, key: SignalKey) -> int | None:
        """Return the value of a signal, in millionths of a point; None where it is not fresh."""
        found = self.signals.get(key)
        return None if found is None or found.state != FRESH else found.value

    def evidence(self, key: SignalKey) -> tuple[int, ...]:
        """Return the facts behind a signal."""
        found = self.signals.get(key)
        return () if found is None else found.evidence


async def relationship_scores(
    session: AsyncSession, account: Account, *, at: datetime
) -> RelationshipScores:
    """Compute loyalty, expansion and advocacy of an account, and the moments that hold now."""
    known = await _load(session, account, at=at)
    scores = (_loyalty(known), _expansion(known), _advocacy(known))
    return RelationshipScores(account.id, at, scores, _gate(known))


def _loyalty(known: _AccountKnowledge) -> RuleScore:
    since = min(
        (each for each in (known.account.client_since_on, known.dates.since) if each), default=None
    )
    years = None if since is None else (known.at.date() - since).days / 365.25
    return RuleScore(
        RuleScoreKind.LOYALTY,
        (
            ScorePart("tenure", 30, None if years is None else linear(years, 0, 5), "Years as a client, 0 to 5."),
            ScorePart(
                "renewals", 25, None if years is None else linear(known.renewals, 0, 2),
                "Renewals, 0 to 2.",
            ),
            ScorePart(
                "payment", 15, known.signal(SignalKey.PAYMENT), "Punctual payment.",
                known.evidence(SignalKey.PAYMENT),
            ),
            ScorePart(
                "recommendation", 20, known.signal(SignalKey.RECOMMENDATION),
                "Answers to how likely it recommends the company.",
                known.evidence(SignalKey.RECOMMENDATION),
            ),
            ScorePart("referrals", 10, linear(known.referrals, 0, 2), "Referrals in two years, 0 to 2."),
        ),
    )  # fmt: skip


def _expansion(known: _AccountKnowledge) -> RuleScore:
    needs = known.seen(K.UNMET_NEED, days=365)
    budget = known.seen(K.BUDGET, days=180)[-1:]
    outside = known.seen(K.SCOPE_QUESTIONED, days=180)
    increase = None if not budget else 100 * POINT * (budget[0].value == 100)
    return RuleScore(
        RuleScoreKind.EXPANSION,
        (
            ScorePart("health", 40, known.score, "Score of health."),
            ScorePart("unmet_needs", 25, linear(len(needs), 0, 2), "Unmet needs recorded in a year, 0 to 2."),
            ScorePart("budget", 20, increase, "The last word about the budget is an increase."),
            ScorePart("outside_terms", 15, linear(len(outside), 0, 1), "Work outside the terms was asked for."),
        ),
    )  # fmt: skip


def _advocacy(known: _AccountKnowledge) -> RuleScore:
    consent = known.seen(K.REFERENCE_CONSENT, days=1_095)[-1:]
    agrees = None if not consent else 100 * POINT * (consent[0].value == 1)
    if known.agrees_to_be_named:
        agrees = 100 * POINT
    lasting = known.healthy_for_90_days
    return RuleScore(
        RuleScoreKind.ADVOCACY,
        (
            ScorePart(
                "recommendation", 40, known.signal(SignalKey.RECOMMENDATION),
                "Answers to how likely it recommends the company.",
                known.evidence(SignalKey.RECOMMENDATION),
            ),
            ScorePart("consent", 20, agrees, "Consent to be named as a reference."),
            ScorePart(
                "lasting_health", 25, None if lasting is None else 100 * POINT * lasting,
                "At 80 points or more for 90 days.",
            ),
            ScorePart(
                "referral", 15, linear(known.referrals, 0, 1), "A referral was made.",
            ),
        ),
    )  # fmt: skip


def _gate(known: _AccountKnowledge) -> ProposalGate:
    today = known.at.date()
    notice, raised = known.dates.notice_by, known.warnings
    month = 30 * DAY
    good = {
        GoodMoment.AFTER_A_SUCCESS: bool(known.seen(K.SUCCESS, days=30)),
        GoodMoment.PLANNING_CYCLE: bool(known.seen(K.PLANNING_CYCLE, days=60)),
        GoodMoment.NEW_CHALLENGE: bool(known.seen(K.UNMET_NEED, days=60)),
        GoodMoment.RENEWAL_TIME: notice is not None and today <= notice <= today + timedelta(days=180),
        GoodMoment.NEW_STAKEHOLDER: bool(known.seen(K.SUCCESSION, days=60)),
        GoodMoment.COMPETITOR_MOVES: any(
            (each.value or 0) > 0 for each in known.seen(K.COMPETITION, days=60)
        ),
    }  # fmt: skip
    lately = {rule for rule, at in raised.items() if at > known.at - month}
    bad = {
        BadMoment.PROBLEM_OPEN: known.urgent_open > 0 or WarningRule.SUPPORT_ESCALATING in raised,
        BadMoment.UNDER_PRESSURE: known.score is None or known.score < 60 * POINT,
        BadMoment.BUDGET_DISCUSSED: WarningRule.BUDGET_PRESSURE in lately
        or any(each.value != 100 for each in known.seen(K.BUDGET, days=30)),
        BadMoment.CHAMPION_AWAY: WarningRule.KEY_CONTACT_CHANGED in raised,
        BadMoment.VALUE_NOT_PROVEN: not known.is_reviewed
        or known.account.stage in {Stage.PROSPECT, Stage.ONBOARDING},
    }
    return ProposalGate(
        tuple(each for each, holds in good.items() if holds),
        tuple(each for each, holds in bad.items() if holds),
    )


async def _load(session: AsyncSession, account: Account, *, at: datetime) -> _AccountKnowledge:
    row = await session.scalar(select(AccountHealth).where(AccountHealth.account_id == account.id))
    observations = await session.scalars(
        select(Observation)
        .where(
            Observation.account_id == account.id,
            Observation.withdrawn_at.is_(None),
            Observation.at <= at,
        )
        .order_by(Observation.at, Observation.id)
    )
    seen = tuple(observations)
    raised = await session.execute(
        select(EarlyWarning.rule, EarlyWarning.raised_at).where(
            EarlyWarning.account_id == account.id, EarlyWarning.cleared_at.is_(None)
        )
    )
    labelled = await session.scalar(
        select(func.count())
        .select_from(ClientOutcome)
        .where(ClientOutcome.account_id == account.id, ClientOutcome.kind == OutcomeKind.RENEWED)
    )
    renewed = await session.scalar(
        select(func.count())
        .select_from(Renewal)
        .where(
            Renewal.account_id == account.id,
            Renewal.outcome.in_((RenewalOutcome.RENEWED, RenewalOutcome.RENEWED_TACITLY)),
        )
    )
    urgent = await session.scalar(
        select(func.count())
        .select_from(Incident)
        .where(
            Incident.account_id == account.id,
            Incident.priority == Priority.CRITICAL,
            Incident.resolved_at.is_(None),
            or_(Incident.closed_at.is_(None), Incident.closed_at > at),
        )
    )
    reviewed = await session.scalar(
        select(Touchpoint.id)
        .where(
            Touchpoint.account_id == account.id,
            Touchpoint.kind == TouchpointKind.FORMAL_REVIEW,
            Touchpoint.done_at.is_not(None),
        )
        .limit(1)
    )
    weekly = list(
        await session.scalars(
            select(HealthSnapshot.score_millionths).where(
                and_(
                    HealthSnapshot.account_id == account.id,
                    HealthSnapshot.period == SnapshotPeriod.WEEK,
                    HealthSnapshot.as_of > at - 97 * DAY,
                )
            )
        )
    )
    made = await advocacy.made_referrals(session, account.id, at=at, within=REFERRALS_WITHIN)
    agrees = await advocacy.agrees_to_be_named(session, account.id, at=at)
    terms = await terms_of(session, account.tenant_id, at=at)
    signals = () if row is None else signals_of(row.content)
    return _AccountKnowledge(
        account,
        at,
        {each.key: each for each in signals},
        None if row is None else row.score_millionths,
        seen,
        {each.rule: each.raised_at for each in raised},
        terms.get(account.id, TermDates()),
        max(renewed or 0, labelled or 0),  # a label may be about one of these renewals
        urgent or 0,
        reviewed is not None,
        None
        if len(weekly) < 12
        else all(each is not None and each >= 80 * POINT for each in weekly),
        made + sum(_is_referral(each, at) for each in seen),
        agrees,
    )


def _is_referral(each: Observation, at: datetime) -> bool:
    return each.kind is K.REFERRAL and each.at > at - REFERRALS_WITHIN


async def yearly_value(session: AsyncSession, account_id: UUID, *, at: datetime) -> int | None:
    """Return 12 times the period fees of the terms in force of an account, in cents; None where there is no fee."""
    found = await session.scalar(
        select(func.sum(Terms.period_fee_cents))
        .join(Agreement, Agreement.id == Terms.agreement_id)
        .where(
            Agreement.account_id == account_id,
            or_(Agreement.ended_at.is_(None), Agreement.ended_at > at),
            Terms.in_force.contains(at),
        )
    )
    return 12 * int(found) if found else None
