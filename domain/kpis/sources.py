"""Sources of KPIs: one SELECT of facts each, with account, site, instant, subject, numerator and denominator.

The value of a KPI is the sum over these rows, and the drill-down lists the same rows, so that they cannot disagree.
Billing and notices have sources of their own modules.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
)

from domain.agreements.model import TicketKind
from domain.commitments.model import Commitment
from domain.compensation.model import Dispute, DisputeState
from domain.incidents.model import CALLED_OFF, Incident
from domain.kpis.billing_sources import billing_accuracy, credits_share, on_time_payment
from domain.kpis.definitions import KpiKey
from domain.kpis.notice_source import proactive_notices
from domain.kpis.source_columns import fact, hit, microseconds, whole
from domain.messages.model import Message, MessageState
from domain.promises.model import Promise, PromiseWatch, State
from domain.shifts import LATE_AFTER
from domain.shifts.model import Shift, ShiftState
from domain.status_reports.model import StatusReport
from domain.surveys import SCALES, QuestionKind
from domain.surveys.model import SurveyAnswer, SurveyInvitation, SurveyResponse

Source = Callable[[], Select[Any]]
_SOLVED = or_(Incident.outcome.is_(None), Incident.outcome.not_in(CALLED_OFF))
_DECIDED = and_(Promise.internal.is_(False), Promise.state.in_([State.KEPT, State.LATE]))
POSITIVE_RATING = 4
PROMOTER, DETRACTOR = 9, 6


def _promises(numerator: ColumnElement[int]) -> Select[Any]:
    return (
        fact("Promise", Promise, PromiseWatch.site_id, Promise.decided_at, numerator, whole(1))
        .join(PromiseWatch, PromiseWatch.unit_id == Promise.unit_id, isouter=True)
        .where(_DECIDED)
    )


def _promises_kept() -> Select[Any]:
    return _promises(hit(Promise.state == State.KEPT))


def _contested_verdicts() -> Select[Any]:
    return _promises(hit(exists().where(Dispute.promise_id == Promise.id)))


def _changed_verdicts() -> Select[Any]:
    changed = hit(Dispute.state == DisputeState.CHANGED)
    return (
        fact("Dispute", Dispute, PromiseWatch.site_id, Dispute.decided_at, changed, whole(1))
        .join(Promise, Promise.id == Dispute.promise_id)
        .join(PromiseWatch, PromiseWatch.unit_id == Promise.unit_id, isouter=True)
        .where(Dispute.decided_at.is_not(None))
    )


def _incidents(
    at: Any, numerator: ColumnElement[int], denominator: ColumnElement[int]
) -> Select[Any]:
    return fact("Incident", Incident, Incident.site_id, at, numerator, denominator)


def _response_time(*more: ColumnElement[bool]) -> Select[Any]:
    taken = microseconds(Incident.acknowledged_at - Incident.opened_at)
    return _incidents(Incident.acknowledged_at, taken, whole(1)).where(
        Incident.acknowledged_at.is_not(None), *more
    )


def _resolved(numerator: ColumnElement[int], *more: ColumnElement[bool]) -> Select[Any]:
    return _incidents(Incident.resolved_at, numerator, whole(1)).where(
        Incident.resolved_at.is_not(None), *more
    )


def _first_contact_resolution() -> Select[Any]:
    at_once = and_(
        Incident.reassigned_count == 0,
        Incident.reopened_count == 0,
        Incident.client_contact_count <= 1,
    )
    return _resolved(hit(at_once), _SOLVED)


def _opened(*kinds: TicketKind) -> Source:
    def source() -> Select[Any]:
        found = _incidents(Incident.opened_at, whole(1), whole(0))
        return found.where(Incident.kind.in_(kinds)) if kinds else found

    return source


def _answers(kind: QuestionKind, numerator: ColumnElement[int]) -> Select[Any]:
    """Select the answers on the scale of a question. Anonymous ones have no subject: nobody may find them again."""
    scale = SCALES[kind]
    named = case((SurveyResponse.is_anonymous, None), else_=SurveyResponse.id)
    return (
        fact(
            "SurveyResponse",
            SurveyResponse,
            SurveyResponse.site_id,
            SurveyResponse.answered_at,
            numerator,
            whole(1),
            subject=named,
            own=SurveyAnswer.id,
        )
        .join(SurveyAnswer, SurveyAnswer.response_id == SurveyResponse.id)
        .where(SurveyAnswer.kind == kind, SurveyAnswer.number.between(scale[0], scale[-1]))
    )


def _csat() -> Select[Any]:
    return _answers(QuestionKind.RATING, hit(SurveyAnswer.number >= POSITIVE_RATING))


def _nps() -> Select[Any]:
    number = SurveyAnswer.number
    end = case((number >= PROMOTER, 1), (number <= DETRACTOR, -1), else_=0)
    return _answers(QuestionKind.NPS, cast(end, BigInteger))


def _ces() -> Select[Any]:
    return _answers(QuestionKind.CES, cast(SurveyAnswer.number, BigInteger))


def _survey_response_rate() -> Select[Any]:
    row = SurveyInvitation
    lost = exists().where(
        Message.intent == func.concat("survey:", cast(row.id, Text)),
        Message.contact_id == row.contact_id,
        Message.state.in_([MessageState.BOUNCED, MessageState.FAILED]),
    )
    none = literal(None, row.id.type)
    return fact(
        "SurveyInvitation", row, none, row.decided_at, hit(row.is_answered), whole(1)
    ).where(row.skipped.is_(None), or_(row.is_answered, ~lost))


_STAFFED = Shift.state.not_in([ShiftState.PLANNED, ShiftState.CANCELLED])


def _coverage() -> Select[Any]:
    planned = microseconds(Shift.until_at - Shift.from_at)
    begin = func.greatest(Shift.from_at, Shift.started_at)
    end = func.least(Shift.until_at, func.coalesce(Shift.ended_at, Shift.until_at))
    there = case(
        (and_(Shift.started_at.is_not(None), end > begin), microseconds(end - begin)),
        else_=whole(0),
    )
    return fact("Shift", Shift, Shift.site_id, Shift.until_at, there, planned).where(_STAFFED)


def _punctuality() -> Select[Any]:
    punctual = hit(Shift.started_at <= Shift.from_at + LATE_AFTER)
    return fact("Shift", Shift, Shift.site_id, Shift.until_at, punctual, whole(1)).where(
        _STAFFED, Shift.user_id.is_not(None)
    )


def _commitments_kept() -> Select[Any]:
    row = Commitment
    decided = func.least(row.done_at, row.due_at)
    none = literal(None, row.id.type)
    return fact("Commitment", row, none, decided, hit(row.done_at <= row.due_at), whole(1)).where(
        row.internal.is_(False), row.withdrawn_at.is_(None)
    )


def _status_greener() -> Select[Any]:
    row = StatusReport
    none = literal(None, row.id.type)
    return fact("StatusReport", row, none, row.confirmed_at, hit(row.is_greener), whole(1)).where(
        row.confirmed_at.is_not(None)
    )


SOURCES: Mapping[KpiKey, Source] = {
    KpiKey.PROMISES_KEPT: _promises_kept,
    KpiKey.RESPONSE_TIME: _response_time,
    KpiKey.INQUIRY_RESPONSE_TIME: lambda: _response_time(Incident.kind == TicketKind.INQUIRY),
    KpiKey.RESOLUTION_TIME: lambda: _resolved(
        microseconds(Incident.resolved_at - Incident.opened_at), _SOLVED
    ),
    KpiKey.FIRST_CONTACT_RESOLUTION: _first_contact_resolution,
    KpiKey.REOPENED: lambda: _resolved(hit(Incident.reopened_count > 0)),
    KpiKey.INCIDENTS: _opened(),
    KpiKey.COMPLAINTS: _opened(TicketKind.COMPLAINT),
    KpiKey.INQUIRIES: _opened(TicketKind.INQUIRY),
    KpiKey.SERVICE_REQUESTS: _opened(TicketKind.SERVICE_REQUEST),
    KpiKey.ALARMS: _opened(TicketKind.ALARM),
    KpiKey.MAINTENANCE_REQUESTS: _opened(TicketKind.MAINTENANCE),
    KpiKey.ENHANCEMENT_REQUESTS: _opened(TicketKind.ENHANCEMENT),
    KpiKey.CSAT: _csat,
    KpiKey.NPS: _nps,
    KpiKey.CES: _ces,
    KpiKey.SURVEY_RESPONSE_RATE: _survey_response_rate,
    KpiKey.COVERAGE: _coverage,
    KpiKey.PUNCTUALITY: _punctuality,
    KpiKey.PROACTIVE_NOTICES: proactive_notices,
    KpiKey.COMMITMENTS_KEPT: _commitments_kept,
    KpiKey.STATUS_GREENER: _status_greener,
    KpiKey.CONTESTED_VERDICTS: _contested_verdicts,
    KpiKey.CHANGED_VERDICTS: _changed_verdicts,
    KpiKey.CREDITS_SHARE: credits_share,
    KpiKey.BILLING_ACCURACY: billing_accuracy,
    KpiKey.ON_TIME_PAYMENT: on_time_payment,
}
"""The SELECT of each KPI's facts."""
