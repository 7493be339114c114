"""The letter that asks a contact to answer a survey, and its reminder."""

from datetime import date
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo

import msgspec

from domain import messages
from domain.access import Tx
from domain.accounts.model import Contact, Tenant
from domain.messages.model import Urgency
from domain.surveys.links import place_of
from domain.surveys.model import QuestionnaireVersion, SurveyInvitation
from domain.surveys.questions import SCALES, QuestionKind

TOPIC = "surveys"
"""Topic that a contact can unsubscribe from; service surveys are opt-out."""


class ScaleStep(msgspec.Struct, frozen=True):
    """One answer of the first question, with the link that opens the page with it filled in."""

    label: str
    link: str


class SurveyLetter(messages.Variables, frozen=True, kw_only=True):
    """An invitation to answer a survey; `scale` are the answers of the first question, `about` an incident."""

    template: ClassVar[str] = "survey"
    version: ClassVar[int] = 1
    folder: ClassVar[Path] = Path(__file__).parent / "templates"
    topic: ClassVar[str | None] = TOPIC
    urgency: ClassVar[Urgency] = Urgency.LOW
    email_only: ClassVar[bool] = True

    title: str
    question: str
    scale: list[ScaleStep]
    link: str
    closes_on: date
    is_anonymous: bool
    is_reminder: bool


async def ask_by_letter(
    tx: Tx,
    invitation: SurveyInvitation,
    version: QuestionnaireVersion,
    *,
    is_anonymous: bool,
    is_reminder: bool = False,
) -> bool:
    """Write the letter; return whether there is one. Quiet hours and consent are those of every message."""
    contact = await tx.session.get_one(Contact, invitation.contact_id)
    tenant = await tx.session.get_one(Tenant, invitation.tenant_id)
    closes_at = invitation.closes_at or tx.at
    language, link, first = contact.language, place_of(invitation.id), version.questions[0]
    written = await messages.compose(
        tx,
        invitation.account_id,
        intent=f"survey:{invitation.id}{':reminder' if is_reminder else ''}",
        template=SurveyLetter,
        variables={
            "company": tenant.name,
            "title": version.title.of(language),
            "question": first.words.of(language),
            "scale": [
                ScaleStep(label, f"{link}?{first.key}={number}")
                for number, label in scale_of(first.kind, language)
            ],
            "link": link,
            "closes_on": closes_at.astimezone(ZoneInfo(contact.time_zone)).date(),
            "is_anonymous": is_anonymous,
            "is_reminder": is_reminder,
        },
        contacts=[contact.id],
    )
    return bool(written)


def scale_of(kind: QuestionKind, language: str) -> list[tuple[int, str]]:
    """Return the answers of a question with a scale, with their labels; empty for other kinds."""
    if kind is QuestionKind.YES_NO:
        return [(1, "Ja" if language == "nl" else "Yes"), (0, "Nee" if language == "nl" else "No")]
    return [(number, str(number)) for number in SCALES.get(kind, ())]
