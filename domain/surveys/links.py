"""Signed links to answer a survey: who has one may answer one invitation, and do nothing else."""

from typing import ClassVar
from uuid import UUID

from domain.core.signed_links import SignedLinks


class SurveyLinks(SignedLinks):
    """Links to the page of a survey."""

    path: ClassVar[str] = "/s/"
    name: ClassVar[str] = "survey"
    purpose: ClassVar[str] = "links of surveys"


def place_of(invitation_id: UUID) -> str:
    """Return what stands in a stored letter in place of the link."""
    return SurveyLinks.place_of(invitation_id)
