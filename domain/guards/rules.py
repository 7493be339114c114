"""Rules about qualifications: values in, values out."""

from collections.abc import Iterable, Mapping
from datetime import date

PASS = "pass"  # noqa: S105 - the name of a requirement
"""What the check of the pass is called among missing qualifications."""


def missing_qualifications(
    required: Iterable[str], held: Mapping[str, date | None], *, on: date
) -> list[str]:
    """List the required qualifications that are not held on a day, sorted; the last day of validity counts."""
    return sorted(
        name
        for name in set(required)
        if name not in held or ((last := held[name]) is not None and last < on)
    )
