"""Access rules of testimonials: for those who look after clients; everybody reads what is shown on the showcase."""

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

ACCESS = AccessRules(
    rows={"testimonial": Rows((Right.READ_RELATIONSHIP,))},
    fields={
        "Testimonial": {
            None: "id state askedAt language words shownName shownRole channels consentVersion consentText consentedAt"
            " untilOn moderatedAt refusal endedAt version isShown account contact"
        },
        "TestimonialRound": {None: "asked"},
    },
    facts={
        Right.READ_RELATIONSHIP: "testimonial.requested testimonial.given testimonial.declined testimonial.approved"
        " testimonial.refused testimonial.withdrawn"
    },
    queries={"testimonials": ()},
    subscriptions={"testimonialEvents": (Right.READ_LEDGER, Right.READ_RELATIONSHIP)},
    mutations={
        Right.MANAGE_ACCOUNTS: "requestTestimonials approveTestimonial refuseTestimonial withdrawTestimonial"
    },
)
