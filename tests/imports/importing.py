"""Files to import, made on the spot, and what became of them."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import select

from domain import imports
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.imports import Imported, Profile
from domain.incidents import Incident
from domain.promises import Promise
from tests.profiles import CASES, LOG, profile

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
CASE = ("case", "opened", "due", "closed", "prio", "what", "type")
STEP = ("ticket", "at", "step", "state", "prio", "said")
Rows = Sequence[Sequence[str]]


class Importer:
    """Imports rows, written as CSV, for a tenant of its own."""

    def __init__(self, make: Sessions, folder: Path) -> None:
        self.make, self.folder, self.tenant = make, folder, f"T {uuid4().hex[:8]}"

    async def run(
        self, profile: Profile, header: Sequence[str], rows: Rows, *, at: datetime = NOW
    ) -> Imported:
        file = self.folder / "file.csv"
        with file.open("w", newline="") as out:
            csv.writer(out).writerows([header, *rows])
        async with transaction(self.make) as session:
            return await imports.import_incidents(
                session, file, profile, tenant=self.tenant, rejects=self.rejected, at=at
            )

    async def cases(self, *rows: Sequence[str], at: datetime = NOW) -> Imported:
        return await self.run(profile(CASES), CASE, rows, at=at)

    async def log(self, *rows: Sequence[str], at: datetime = NOW) -> Imported:
        return await self.run(profile(LOG), STEP, rows, at=at)

    @property
    def rejected(self) -> Path:
        return self.folder / "rejects.csv"

    async def ticket(self, key: str) -> Incident:
        async with self.make() as session:
            found = select(Incident).join(LedgerRow, LedgerRow.subject_id == Incident.id)
            mine = (
                LedgerRow.once_key
                == f"import:{'log' if key.isdigit() else 'cases'}:{key}:incident.opened"
            )
            return (
                await session.scalars(
                    found.where(mine, Incident.tenant_id == await self.tenant_id())
                )
            ).one()

    async def tenant_id(self) -> UUID:
        from domain.accounts import Tenant

        async with self.make() as session:
            return (
                await session.scalars(select(Tenant.id).where(Tenant.name == self.tenant))
            ).one()

    async def facts(self, key: str) -> list[tuple[str, str]]:
        """Kind and wall clock of a ticket's own facts, as its clocks read them."""
        ticket = await self.ticket(key)
        async with self.make() as session:
            rows = await session.scalars(
                select(LedgerRow)
                .where(LedgerRow.subject_id == ticket.id)
                .order_by(LedgerRow.at, LedgerRow.id)
            )
            return [(row.kind.removeprefix("incident."), f"{row.at:%d %H:%M}") for row in rows]

    async def promises(self, key: str) -> dict[tuple[str, int], Promise]:
        ticket = await self.ticket(key)
        async with self.make() as session:
            rows = await session.scalars(select(Promise).where(Promise.incident_id == ticket.id))
            return {(row.name, row.part): row for row in rows}


OPENED, DUE, CLOSED = "2026-03-02 10:00", "2026-03-02 12:00", "2026-03-02 11:30"  # a Monday
A = ("A", OPENED, DUE, CLOSED, "1", "A door", "lock")
B = ("B", OPENED, "2026-03-02 11:00", CLOSED, "2", "A lamp", "")
C = ("C", OPENED, "", "", "3", "A gate", "lock")
