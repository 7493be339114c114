"""What a file says against what is known: it is not taken over, but it is not swallowed either."""

from collections.abc import AsyncIterator
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.imports.decoding import Reject
from domain.imports.profile import Profile

# An opening and an agreed date are promised once; a ticket of the ledger keeps the ones it has.
_AGAINST = """
SELECT s.number, key, 'opened at ' || s.opened_at || ', known as opened at ' || i.opened_at AS reason
FROM (SELECT key, min(number) AS number, min(coalesce(opened_at, row_at)) AS opened_at FROM staged_row GROUP BY key) s
JOIN staged_ticket t USING (key) JOIN incident i ON i.id = t.id
WHERE t.known AND (s.opened_at < i.opened_at OR (:exact AND s.opened_at > i.opened_at))
UNION ALL
SELECT t.number, key, 'due at ' || t.agreed_at || ', known as due at ' || i.agreed_at
FROM staged_ticket t JOIN incident i USING (id)
WHERE t.known AND t.agreed_at <> i.agreed_at
UNION ALL
SELECT f.number, key, f.kind || ' at ' || f.at || ' lies before the opening at ' || t.opened_at || '; moved there'
FROM telling f JOIN staged_ticket t USING (key)
WHERE f.at < t.opened_at - CAST(:skew AS interval)
ORDER BY 1, 2
"""


async def contradictions(session: AsyncSession, profile: Profile) -> AsyncIterator[Reject]:
    """Rows whose ticket was brought in, but not with everything they say."""
    skew = timedelta(seconds=profile.skew_tolerance_s)
    exact = (
        profile.ticket.opened_at is not None
    )  # else the first of the rows opens, and some may be missing
    found = await session.stream(text(_AGAINST), {"skew": skew, "exact": exact})
    async for number, key, reason in found:
        yield Reject(number, f"ticket {key}: {reason}", ())
