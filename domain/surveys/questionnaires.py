"""Write, change and publish questionnaires: every change is a version, and what was published never changes."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from domain.access import Right, Tx
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, naming_only
from domain.core.text_rules import must_be_line
from domain.surveys import standard
from domain.surveys.events import QuestionnairePublished, QuestionnaireVersionAdded
from domain.surveys.model import Questionnaire, QuestionnaireVersion
from domain.surveys.questions import Question, Wording, check_questions


async def create_questionnaire(
    tx: Tx, *, name: str, title: Wording, questions: Sequence[Question]
) -> Questionnaire:
    """Write a questionnaire; its first version is asked once it is published."""
    _must_manage_questionnaires(tx)
    must_be_line(name, "name")
    found: Questionnaire | None = await tx.session.scalar(
        insert(Questionnaire)
        .values(id=uuid7(), tenant_id=tx.actor.tenant_id, name=name, created_at=tx.at)
        .on_conflict_do_nothing(index_elements=[Questionnaire.tenant_id, Questionnaire.name])
        .returning(Questionnaire)
    )
    if found is None:
        raise Refused(Code.ALREADY_EXISTS, "Another questionnaire has this name.", argument="name")
    await _write_version(tx, found, None, title, questions)
    return found


async def add_version(
    tx: Tx, questionnaire_id: UUID, *, title: Wording, questions: Sequence[Question]
) -> QuestionnaireVersion:
    """Write the next version of a questionnaire; the one before it is asked until this one is published."""
    _must_manage_questionnaires(tx)
    row = await _locked(tx, questionnaire_id, "questionnaireId")
    newest = await tx.session.scalar(
        select(QuestionnaireVersion)
        .where(QuestionnaireVersion.questionnaire_id == row.id)
        .order_by(QuestionnaireVersion.number.desc())
        .limit(1)
    )
    return await _write_version(tx, row, newest, title, questions)


async def publish(tx: Tx, version_id: UUID) -> QuestionnaireVersion:
    """Ask a version from now on: invitations that were sent keep theirs. Refused when a newer one is published."""
    _must_manage_questionnaires(tx)
    version = await tx.get(QuestionnaireVersion, version_id, "version of a questionnaire")
    row = await _locked(tx, version.questionnaire_id, "id")
    await tx.session.refresh(version)
    before = await published(tx, row.id)
    if version.published_at is not None:
        raise Refused(Code.ALREADY_DONE, "This version is published already.", argument="id")
    if before is not None and before.number > version.number:
        raise Refused(
            Code.INVALID,
            f"Version {before.number}, which is newer, is published; add a version to change it.",
            argument="id",
        )
    version.published_at = tx.at
    fact = QuestionnairePublished(
        account_id=None,
        subject_id=row.id,
        at=tx.at,
        version_id=version.id,
        before=None if before is None else before.number,
        after=version.number,
    )
    tx.record(fact)
    await tx.session.flush()
    return version


async def add_standard(tx: Tx) -> Questionnaire:
    """Return the standard questionnaire of the company; the first time it is written and published.

    Only that first time needs access to every account.
    """
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    known = select(Questionnaire).where(
        Questionnaire.tenant_id == tx.actor.tenant_id, Questionnaire.name == standard.NAME
    )
    found: Questionnaire | None = await tx.session.scalar(known)
    if found is not None:
        return found
    with naming_only():
        row = await create_questionnaire(
            tx, name=standard.NAME, title=standard.TITLE, questions=standard.QUESTIONS
        )
        versions = select(QuestionnaireVersion.id).where(
            QuestionnaireVersion.questionnaire_id == row.id
        )
        await publish(tx, (await tx.session.scalars(versions)).one())
    return row


async def published(tx: Tx, questionnaire_id: UUID) -> QuestionnaireVersion | None:
    """Return the version that is asked now; None when none was published."""
    found: QuestionnaireVersion | None = await tx.session.scalar(
        select(QuestionnaireVersion)
        .where(
            QuestionnaireVersion.questionnaire_id == questionnaire_id,
            QuestionnaireVersion.published_at.is_not(None),
        )
        .order_by(QuestionnaireVersion.number.desc())
        .limit(1)
    )
    return found


def _must_manage_questionnaires(tx: Tx) -> None:
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    tx.actor.must_access_all_accounts("Questionnaires")


async def _locked(tx: Tx, questionnaire_id: UUID, argument: str) -> Questionnaire:
    return await tx.get(
        Questionnaire, questionnaire_id, "questionnaire", argument=argument, lock=True
    )


async def _write_version(
    tx: Tx,
    row: Questionnaire,
    before: QuestionnaireVersion | None,
    title: Wording,
    questions: Sequence[Question],
) -> QuestionnaireVersion:
    must_be_line(title.nl, "titleNl")
    must_be_line(title.en, "titleEn")
    check_questions(questions)
    version = QuestionnaireVersion(
        id=uuid7(),
        tenant_id=row.tenant_id,
        questionnaire_id=row.id,
        number=1 if before is None else before.number + 1,
        title_nl=title.nl,
        title_en=title.en,
        content=msgspec.to_builtins(list(questions)),
        created_at=tx.at,
        published_at=None,
    )
    tx.session.add(version)
    await tx.session.flush()
    tx.record(
        QuestionnaireVersionAdded(
            account_id=None,
            subject_id=row.id,
            at=tx.at,
            version_id=version.id,
            number=version.number,
            name=row.name,
            before=None if before is None else _values(before),
            after=_values(version),
        )
    )
    await tx.session.flush()
    return version


def _values(version: QuestionnaireVersion) -> dict[str, Any]:
    return {"title": [version.title_nl, version.title_en], "questions": version.content}
