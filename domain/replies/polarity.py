"""The polarity of a review's text: the one place where replies read it."""

from domain.reputation import Review


def polarity_of(review: Review) -> float | None:  # noqa: ARG001 - no column holds it so far
    """Return the polarity of a review's text from −1 to 1; None while none is stored, and the rating decides alone."""
    return None
