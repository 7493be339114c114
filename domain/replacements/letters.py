"""Letters about replacements: an offer to a guard, and to the client's contacts what is being done."""

from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal

from domain import messages
from domain.access import Tx
from domain.accounts.model import Account, Site, Tenant
from domain.core.sequencing import SequencedEvent
from domain.messages.model import Urgency
from domain.posts.model import Post
from domain.replacements.links import OfferLinks
from domain.replacements.model import OfferState, Replacement, ReplacementState, ShiftOffer
from domain.shifts.model import Shift

_FOLDER = Path(__file__).parent / "templates"


class ShiftOfferLetter(messages.Variables, frozen=True, kw_only=True):
    """To a guard: a shift that somebody cannot work, and the link that takes it."""

    template: ClassVar[str] = "shift_offer"
    version: ClassVar[int] = 1
    folder: ClassVar[Path] = _FOLDER
    urgency: ClassVar[Urgency] = Urgency.CRITICAL

    site: str
    post: str
    from_at: datetime
    until_at: datetime
    travel_minutes: int | None
    link: str


class ReplacementLetter(messages.Variables, frozen=True, kw_only=True):
    """To the client: a guard is absent, another one was found or arrived, or nobody came."""

    template: ClassVar[str] = "replacement"
    version: ClassVar[int] = 1
    folder: ClassVar[Path] = _FOLDER
    urgency: ClassVar[Urgency] = Urgency.CRITICAL

    step: Literal["needed", "found", "arrived", "unfilled"]
    site: str
    post: str
    from_at: datetime
    until_at: datetime
    arrives_at: datetime | None
    arrived_at: datetime | None


async def tell_offer(tx: Tx, fact: SequencedEvent) -> None:
    """Write to a guard about an offered shift, unless the offer was answered or closed in the meantime."""
    offer = await tx.session.get_one(ShiftOffer, fact.subject_id)
    if offer.state is not OfferState.OPEN or offer.wave != fact.body["wave"]:
        return
    tenant = await tx.session.get_one(Tenant, offer.tenant_id)
    await messages.compose_to_users(
        tx,
        [offer.user_id],
        account_id=offer.account_id,
        intent=f"shift_offer:{offer.id}:{offer.wave}",
        template=ShiftOfferLetter,
        variables={
            "company": tenant.name,
            "site": offer.site_name,
            "post": offer.post_name,
            "from_at": offer.from_at,
            "until_at": offer.until_at,
            "travel_minutes": offer.travel_minutes,
            "link": OfferLinks.place_of(offer.id),
        },
    )


async def tell_replacement(tx: Tx, fact: SequencedEvent) -> None:
    """Write to the client's contacts what is being done about an absent guard; once for each step and guard."""
    row = await tx.session.get_one(Replacement, fact.subject_id)
    step = fact.kind.removeprefix("replacement.")
    if row.state is ReplacementState.WITHDRAWN or (
        step in ("needed", "found") and row.state is ReplacementState.ARRIVED
    ):
        return  # it is no longer so
    shift = await tx.session.get_one(Shift, row.shift_id)
    post = await tx.session.get_one(Post, shift.post_id)
    site = await tx.session.get_one(Site, row.site_id)
    account = await tx.session.get_one(Account, row.account_id)
    tenant = await tx.session.get_one(Tenant, account.tenant_id)
    guard = fact.body.get("guard") if step == "found" else None
    await messages.compose(
        tx,
        row.account_id,
        intent=f"replacement:{row.id}:{step}" + (f":{guard}" if guard else ""),
        template=ReplacementLetter,
        variables={
            "company": tenant.name,
            "step": step,
            "site": site.name,
            "post": post.name,
            "from_at": shift.from_at,
            "until_at": shift.until_at,
            "arrives_at": row.arrives_at if step == "found" else None,
            "arrived_at": row.arrived_at if step == "arrived" else None,
        },
    )
