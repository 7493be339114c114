"""The answers to a survey as CSV, for spreadsheets: one line a response, one column a question."""

import csv
import io
from collections import defaultdict
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, visible_to
from domain.accounts.model import Account, Contact
from domain.core.spreadsheets import neutralize_everywhere
from domain.surveys.model import Survey, SurveyAnswer, SurveyResponse

MOST_LINES = 50_000
_HEAD = ("response", "account", "contact", "language", "answered_at", "changed_at", "weight")


async def csv_of(session: AsyncSession, actor: Actor, survey_id: UUID) -> tuple[str, str] | None:
    """Return the name of a survey and its answers as CSV, the newest first; None for one that the actor cannot see.

    Anonymous answers are in scores only. Nothing that somebody wrote is evaluated by a spreadsheet.
    """
    survey = await session.scalar(
        select(Survey).where(Survey.id == survey_id, visible_to(actor, Survey))
    )
    if survey is None:
        return None
    rows = (
        await session.execute(
            select(SurveyResponse, Account.name, Contact.name)
            .join(Account, Account.id == SurveyResponse.account_id)
            .outerjoin(Contact, Contact.id == SurveyResponse.contact_id)
            .where(SurveyResponse.survey_id == survey.id, visible_to(actor, SurveyResponse))
            .order_by(SurveyResponse.answered_at.desc(), SurveyResponse.id)
            .limit(MOST_LINES)
        )
    ).all()
    given: defaultdict[UUID, dict[str, str]] = defaultdict(dict)
    of_survey = select(SurveyResponse.id).where(SurveyResponse.survey_id == survey.id)
    columns: dict[str, None] = {}
    for answer in await session.scalars(
        select(SurveyAnswer)
        .where(SurveyAnswer.response_id.in_(of_survey), visible_to(actor, SurveyAnswer))
        .order_by(SurveyAnswer.id)
    ):
        columns[answer.question] = None
        given[answer.response_id][answer.question] = _text(answer)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*_HEAD, *columns])
    for response, account, contact in rows:
        answers = given[response.id]
        changed_at = "" if response.changed_at is None else response.changed_at.isoformat()
        writer.writerow(
            [
                str(response.id),
                neutralize_everywhere(account),
                neutralize_everywhere(contact or ""),
                response.language,
                response.answered_at.isoformat(),
                changed_at,
                response.weight,
                *(neutralize_everywhere(answers.get(each, "")) for each in columns),
            ]
        )
    return survey.name, out.getvalue()


def _text(answer: SurveyAnswer) -> str:
    if answer.number is not None:
        return str(answer.number)
    return answer.words or " ".join(answer.chosen or ())
