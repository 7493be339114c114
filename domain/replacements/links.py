"""Signed links to take one offered shift: who has one may accept this offer, and do nothing else."""

from typing import ClassVar

from domain.core.signed_links import SignedLinks


class OfferLinks(SignedLinks):
    """Links to the page of an offer."""

    path: ClassVar[str] = "/o/"
    name: ClassVar[str] = "offer"
    purpose: ClassVar[str] = "links of shift offers"
