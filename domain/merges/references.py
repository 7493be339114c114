"""What happens to each column that names a site or a contact, when that row is merged into another one."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class MergeTreatment(StrEnum):
    """What happens to rows that name the merged row."""

    MOVED = "moved"  # they name the row that stays
    STAYS = "stays"  # published or measured as it was: they name the merged row, which reads follow
    REFUSED = "refused"  # the merge is refused while there are any


@dataclass(frozen=True, slots=True)
class Reference:
    """The treatment of a column; a row whose `unique` columns the other row has already stays as it is.

    `()` means that one row may name each of the two, so any row of the other one keeps it; None that many may.
    """

    treatment: MergeTreatment
    unique: tuple[str, ...] | None = None


MOVED, STAYS = Reference(MergeTreatment.MOVED), Reference(MergeTreatment.STAYS)
SITES: Mapping[str, Reference] = {
    "alarm.site_id": MOVED,
    "alarm_system.site_id": MOVED,
    "calendar_feed.site_id": MOVED,
    "distress_sign.site_id": MOVED,
    "duty.site_id": MOVED,
    "incident.site_id": MOVED,
    "occurrence_entry.site_id": MOVED,
    "parameter_value.site_id": STAYS,
    "patrol_route.site_id": MOVED,
    "patrol_round.site_id": MOVED,
    "post.site_id": MOVED,
    "presence.site_id": MOVED,
    "promise_watch.site_id": MOVED,
    "registered_key.site_id": Reference(MergeTreatment.MOVED, ("label",)),
    "replacement.site_id": MOVED,
    "shift.site_id": MOVED,
    "shift_report.site_id": MOVED,
    "survey_response.site_id": MOVED,
    "survey_wave.site_id": MOVED,
    "whereabouts.site_id": MOVED,
    "site.merged_into_id": MOVED,
    "anomaly.site_id": STAYS,
    "measurement.site_id": STAYS,
    "promise_term.site_ids": Reference(MergeTreatment.REFUSED),
}
CONTACTS: Mapping[str, Reference] = {
    "case_study.contact_id": MOVED,
    "champion.contact_id": Reference(MergeTreatment.MOVED, ()),
    "contact_address.contact_id": Reference(MergeTreatment.MOVED, ("url",)),
    "meeting_attendee.contact_id": Reference(MergeTreatment.MOVED, ("meeting_id",)),
    "message.contact_id": Reference(MergeTreatment.MOVED, ("intent",)),
    "observation.contact_id": MOVED,
    "reference_call.contact_id": MOVED,
    "referral.contact_id": MOVED,
    "review_link.contact_id": MOVED,
    "survey_invitation.contact_id": Reference(MergeTreatment.MOVED, ("wave_id",)),
    "survey_response.contact_id": MOVED,
    "testimonial.contact_id": MOVED,
    "touchpoint.contact_id": MOVED,
    "unsubscription.contact_id": Reference(MergeTreatment.MOVED, ("topic",)),
    "escalation_step.contact_ids": MOVED,
    "contact.merged_into_id": MOVED,
}
"""Every column that names a site or a contact, by table and column."""
