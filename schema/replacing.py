"""Mutations of replacements: absences, offers, the way to the post, and what a dispatcher does by hand."""

from datetime import datetime
from typing import Annotated

from domain import replacements
from schema.core.mutations import MutationContext, UserId, mutation
from schema.core.roots import mutation_fields
from schema.replacements import Replacement, ReplacementId, ShiftOffer, ShiftOfferId
from schema.shifts import ShiftId


@mutation_fields
class ReplacementMutation:
    """Mutations of replacements."""

    @mutation(Replacement)
    @staticmethod
    async def report_absence(
        ask: MutationContext,
        shift_id: Annotated[ShiftId, "Published shift that its guard cannot work."],
    ) -> replacements.Replacement:
        """Report that the guard of a shift does not come: as the guard, or as the office for the guard."""
        return await replacements.report_absence(ask.tx, shift_id)

    @mutation(ShiftOffer)
    @staticmethod
    async def accept_shift_offer(
        ask: MutationContext, id: Annotated[ShiftOfferId, "Open offer that is accepted."]
    ) -> replacements.ShiftOffer:
        """Take an offered shift, as its guard or as the office; the first has it, all others are refused."""
        return await replacements.accept(ask.tx, id)

    @mutation(ShiftOffer)
    @staticmethod
    async def decline_shift_offer(
        ask: MutationContext, id: Annotated[ShiftOfferId, "Open offer, not to be made again."]
    ) -> replacements.ShiftOffer:
        """Decline an offered shift, as its guard or as the office for the guard."""
        return await replacements.decline(ask.tx, id)

    @mutation(Replacement)
    @staticmethod
    async def report_on_the_way(
        ask: MutationContext,
        id: Annotated[ReplacementId, "Replacement with a guard who sets out."],
        arrives_at: Annotated[
            datetime | None, "Time at which the guard expects to be there; null: as computed."
        ] = None,
    ) -> replacements.Replacement:
        """Report that the replacing guard is on the way, as this guard or as the office."""
        return await replacements.report_on_the_way(ask.tx, id, arrives_at=arrives_at)

    @mutation(Replacement)
    @staticmethod
    async def take_over_replacement(
        ask: MutationContext,
        id: Annotated[ReplacementId, "Replacement to be sought by hand from now on."],
    ) -> replacements.Replacement:
        """Close the open offers of a replacement, and make no more; `assignReplacement` gives the shift to a guard."""
        return await replacements.take_over(ask.tx, id)

    @mutation(Replacement)
    @staticmethod
    async def resume_replacement_offers(
        ask: MutationContext,
        id: Annotated[ReplacementId, "Replacement that a dispatcher took over."],
    ) -> replacements.Replacement:
        """Let the system make offers again."""
        return await replacements.resume_offers(ask.tx, id)

    @mutation(Replacement)
    @staticmethod
    async def assign_replacement(
        ask: MutationContext,
        id: Annotated[ReplacementId, "Replacement that still needs a guard, or another one."],
        user_id: Annotated[UserId, "Guard who gets the shift."],
    ) -> replacements.Replacement:
        """Give the shift of an absent guard to another one by hand, also instead of one who was found."""
        return await replacements.assign_replacement(ask.tx, id, user_id)
