"""A file becomes tickets, facts and verdicts, once; what the file does not know is not invented."""

import csv
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from domain import imports, incidents
from domain.actor import Actor, Origin
from domain.agreements import Priority
from domain.db import Sessions, transaction
from domain.errors import Refused
from domain.imports import Imported, Profile
from domain.incidents import Incident, IncidentUpdate, Pause, PauseCause, Proof, Source, Status
from domain.ledger import Entry
from domain.sla import Promise, State, Watch, replay
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
            found = select(Incident).join(Entry, Entry.subject_id == Incident.id)
            mine = (
                Entry.once_key
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
                select(Entry).where(Entry.subject_id == ticket.id).order_by(Entry.at, Entry.id)
            )
            return [(row.kind.removeprefix("incident."), f"{row.at:%d %H:%M}") for row in rows]

    async def promises(self, key: str) -> dict[tuple[str, int], Promise]:
        ticket = await self.ticket(key)
        async with self.make() as session:
            rows = await session.scalars(select(Promise).where(Promise.incident_id == ticket.id))
            return {(row.name, row.part): row for row in rows}


@pytest.fixture
def importer(make: Sessions, tmp_path: Path) -> Importer:
    return Importer(make, tmp_path)


OPENED, DUE, CLOSED = "2026-03-02 10:00", "2026-03-02 12:00", "2026-03-02 11:30"  # a Monday
A = ("A", OPENED, DUE, CLOSED, "1", "A door", "lock")
B = ("B", OPENED, "2026-03-02 11:00", CLOSED, "2", "A lamp", "")
C = ("C", OPENED, "", "", "3", "A gate", "lock")


async def test_a_row_becomes_a_ticket_with_its_facts_and_verdicts(importer: Importer) -> None:
    done = await importer.cases(A, B, C)
    assert (done.rows, done.tickets_new, done.facts_new, done.promises) == (3, 3, 7, 5)
    a = await importer.ticket("A")
    assert (a.status, a.priority, a.category) == (Status.CLOSED, Priority.CRITICAL, "lock")
    assert a.closed_at == datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
    promised = await importer.promises("A")
    assert promised["agreed", 0].state is State.KEPT
    assert promised["agreed", 0].due_at == datetime(2026, 3, 2, 11, tzinfo=UTC)
    assert promised["closed", 0].state is State.LATE
    assert promised["closed", 0].due_at == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert (await importer.promises("B"))["agreed", 0].state is State.LATE
    [(_, open_ended)] = (await importer.promises("C")).items()
    assert (open_ended.state, open_ended.stopped_at) == (State.LATE, None)


async def test_a_clock_that_ran_slow_moves_the_end_for_clocks_but_not_for_agreed_dates(
    importer: Importer,
) -> None:
    await importer.cases(
        ("A", "2026-03-02 10:00:00", "2026-03-02 09:59:45", "2026-03-02 09:59:30", *A[4:])
    )
    ticket, promised = await importer.ticket("A"), await importer.promises("A")
    assert ticket.closed_at == ticket.opened_at
    assert (promised["closed", 0].state, promised["closed", 0].elapsed_us) == (State.KEPT, 0)
    assert promised["agreed", 0].state is State.KEPT  # moved to the opening it would have been late
    assert promised["agreed", 0].stopped_at == datetime(2026, 3, 2, 8, 59, 30, tzinfo=UTC)


async def test_the_same_file_again_changes_nothing(importer: Importer) -> None:
    await importer.cases(A, B, C)
    again = await importer.cases(A, B, C, at=NOW + timedelta(days=1))
    assert (again.tickets, again.tickets_new, again.tickets_changed) == (3, 0, 0)
    assert (again.facts_new, again.promises, again.contradicting) == (0, 0, 0)
    assert (await importer.ticket("A")).version == 1


async def test_a_file_that_has_grown_adds_what_is_new(importer: Importer) -> None:
    await importer.cases(A, C)
    done = await importer.cases(A, B, (*C[:3], "2026-03-04 09:00", *C[4:]))
    assert (done.tickets_new, done.tickets_changed, done.facts_new) == (1, 1, 4)
    c = await importer.ticket("C")
    assert (c.status, c.version) == (Status.CLOSED, 2)
    assert (await importer.promises("C"))["closed", 0].state is State.KEPT
    assert (await importer.promises("B"))["agreed", 0].state is State.LATE


async def test_a_verdict_that_a_grown_file_changes_is_told_as_revised(importer: Importer) -> None:
    await importer.cases(C)
    await importer.cases((*C[:3], "2026-03-04 09:00", *C[4:]))
    promise = (await importer.promises("C"))["closed", 0]
    async with importer.make() as session:
        facts = await session.scalars(
            select(Entry).where(Entry.subject_id == promise.id).order_by(Entry.id)
        )
        told = [(fact.kind, fact.origin) for fact in facts]
    assert told == [
        ("promise.started", Origin.HISTORY),
        ("promise.breached", Origin.HISTORY),
        ("promise.revised", Origin.HISTORY),
        ("promise.kept", Origin.HISTORY),
    ]


async def test_a_closing_that_the_source_took_back_reopens_the_ticket(importer: Importer) -> None:
    await importer.cases(A)
    await importer.cases((*A[:3], "2026-03-02 15:00", *A[4:]))
    assert await importer.facts("A") == [
        ("opened", "02 09:00"),
        ("due_agreed", "02 09:00"),
        ("closed", "02 10:30"),
        ("reopened", "02 10:30"),
        ("closed", "02 14:00"),
    ]
    assert (await importer.promises("A"))["closed", 0].elapsed_us == 5 * 3_600_000_000


async def test_an_arrival_that_was_withdrawn_does_not_come_back_with_the_next_file(
    importer: Importer,
) -> None:
    await importer.cases(C)
    ticket = await importer.ticket("C")
    system, came_at = Actor.system(ticket.tenant_id, "positions"), ticket.opened_at + HALF_AN_HOUR
    proof = Proof(uuid4(), (came_at,), NOW)
    async with transaction(importer.make) as session:
        await incidents.arrive(session, system, ticket.id, at=came_at, proof=proof)
    async with transaction(importer.make) as session:
        gone = [proof.presence_id]
        await incidents.take_back_arrivals(
            session, system, ticket.id, proven_by=gone, before=None, at=NOW
        )
    await importer.cases(("C", OPENED, "", CLOSED, "3", "A gate", "lock"))
    ticket = await importer.ticket("C")
    assert (ticket.status, ticket.acknowledged_at, ticket.arrived_at) == (Status.CLOSED, None, None)


async def test_what_contradicts_the_ledger_is_not_taken_over_but_said(importer: Importer) -> None:
    await importer.cases(A)
    done = await importer.cases(("A", "2026-03-02 09:00", "2026-03-02 13:00", *A[3:]))
    assert (done.facts_new, done.contradicting) == (0, 2)
    said = importer.rejected.read_text()
    assert "known as opened at" in said
    assert "known as due at" in said
    assert (await importer.ticket("A")).opened_at == datetime(2026, 3, 2, 9, tzinfo=UTC)


async def test_rows_that_cannot_be_read_go_aside_with_their_reason(importer: Importer) -> None:
    done = await importer.cases(A, ("", *B[1:]), (*C[:4], "9", *C[5:]), B)
    assert (done.rows, done.rejected, done.tickets_new) == (4, 2, 2)
    with importer.rejected.open(newline="") as file:
        header, *rejects = csv.reader(file)
    assert header[:2] == ["row", "reason"]
    assert [row[:2] for row in rejects] == [
        ["3", "no key: the ticket has no number"],
        ["4", "unknown priority: '9'"],
    ]
    assert set(rejects[1][2:]) == {*C[:4], "9", *C[5:]}


async def test_rejects_of_an_earlier_run_are_forgotten(importer: Importer) -> None:
    await importer.cases(("", *B[1:]))
    assert importer.rejected.exists()
    await importer.cases(B)
    assert not importer.rejected.exists()


async def test_an_import_that_dies_in_the_middle_leaves_nothing_and_can_be_run_again(
    importer: Importer, tmp_path: Path
) -> None:
    await importer.cases(A)
    rows = [(f"N{n}", *B[1:]) for n in range(20_000)]

    def die(what: str, _share: float) -> None:
        if what == "Judging":
            raise KeyboardInterrupt

    file = tmp_path / "many.csv"
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([CASE, *rows])
    with pytest.raises(KeyboardInterrupt):
        async with transaction(importer.make) as session:
            await imports.import_incidents(
                session,
                file,
                profile(CASES),
                tenant=importer.tenant,
                rejects=importer.rejected,
                at=NOW,
                progress=die,
            )
    async with importer.make() as session:
        tenant_id = await importer.tenant_id()
        counted = [
            await session.scalar(select(func.count()).where(model.tenant_id == tenant_id))
            for model in (Incident, Watch)
        ]
    assert counted == [1, 1]
    done = await importer.cases(*rows[:100])
    assert (done.tickets_new, done.promises) == (100, 200)


async def test_a_log_tells_what_changed_between_its_rows(importer: Importer) -> None:
    await importer.log(
        ("1", "2026-03-02 09:00", "0", "New", "3", ""),
        ("1", "2026-03-02 09:10", "1", "Active", "3", "we look"),
        ("1", "2026-03-02 09:20", "2", "Waiting", "3", ""),
        ("1", "2026-03-02 09:30", "3", "-100", "2", ""),
        ("1", "2026-03-02 10:00", "4", "Active", "2", "we go on"),
        ("1", "2026-03-02 11:00", "5", "Solved", "2", ""),
        ("1", "2026-03-02 12:00", "6", "Active", "2", ""),
        ("1", "2026-03-02 12:30", "7", "Done", "2", ""),
    )
    assert await importer.facts("1") == [
        ("opened", "02 09:00"),
        ("acknowledged", "02 09:10"),
        ("work_started", "02 09:10"),
        ("updated", "02 09:10"),
        ("paused", "02 09:20"),
        ("prioritised", "02 09:30"),
        ("resumed", "02 10:00"),
        ("updated", "02 10:00"),
        ("resolved", "02 11:00"),
        ("reopened", "02 12:00"),
        ("closed", "02 12:30"),
    ]
    ticket = await importer.ticket("1")
    assert (ticket.status, ticket.priority, ticket.reopened_count) == (
        Status.CLOSED,
        Priority.HIGH,
        1,
    )
    async with importer.make() as session:
        [pause] = await session.scalars(select(Pause).where(Pause.incident_id == ticket.id))
        said = await session.scalars(
            select(IncidentUpdate.body)
            .where(IncidentUpdate.incident_id == ticket.id)
            .order_by(IncidentUpdate.at)
        )
        assert said.all() == ["we look", "we go on"]
    assert (pause.cause, pause.until_at) == (
        PauseCause.WAITING_ON_CLIENT,
        datetime(2026, 3, 2, 10, tzinfo=UTC),
    )
    resolution = (await importer.promises("1"))["resolution", 0]
    minute = 60_000_000
    assert (resolution.elapsed_us, resolution.paused_us) == (110 * minute, 40 * minute)


async def test_the_order_of_the_rows_in_the_file_does_not_matter(
    importer: Importer, tmp_path: Path
) -> None:
    states = ("New", "Active", "Waiting", "Active", "Solved", "Active", "Done")
    rows = [
        (
            f"{n}",
            f"2026-03-02 09:{step // 2:02}",
            str(step),
            state,
            str(1 + (n + step) % 4),
            f"{step}",
        )
        for n in range(40)
        for step, state in enumerate(states)
    ]
    other = Importer(importer.make, tmp_path)
    shuffled = random.Random(7).sample(rows, len(rows))
    await importer.log(*rows)
    done = await other.log(*shuffled, *shuffled[:50])
    assert done.rows == len(rows) + 50
    for key in ("0", "17", "39"):
        assert await importer.facts(key) == await other.facts(key)
    again = await other.log(*rows)
    assert again.facts_new == 0


async def test_a_log_that_goes_on_in_a_second_file_goes_on_where_the_first_ended(
    importer: Importer, tmp_path: Path
) -> None:
    rows = [
        ("1", "2026-03-02 09:00", "0", "New", "3", ""),
        ("1", "2026-03-02 09:10", "1", "Active", "3", ""),
        ("1", "2026-03-02 09:20", "2", "Waiting", "3", ""),
        ("1", "2026-03-02 09:40", "3", "Active", "2", ""),
        ("1", "2026-03-02 09:50", "4", "Solved", "2", ""),
    ]
    other = Importer(importer.make, tmp_path)
    await importer.log(*rows)
    await other.log(*rows[:3])
    await other.log(*rows[3:])
    assert await other.facts("1") == await importer.facts("1")
    assert (await other.ticket("1")).status is Status.RESOLVED


async def test_a_priority_that_holds_from_the_opening_on_judges_as_if_it_always_had(
    make: Sessions, tmp_path: Path
) -> None:
    rows = [
        ("1", "2026-03-02 09:00", "0", "New", "1", ""),
        ("1", "2026-03-02 12:00", "1", "New", "3", ""),
        ("1", "2026-03-02 12:30", "2", "Solved", "3", ""),
    ]
    verdicts = {}
    for how in ("from_then_on", "retroactive"):
        importer = Importer(make, tmp_path)
        mapping = profile(LOG, ('order = "step"', f'order = "step"\npriority_change = "{how}"'))
        await importer.run(mapping, STEP, rows)
        verdicts[how] = (await importer.promises("1"))["resolution", 0].state
        assert (await importer.run(mapping, STEP, rows)).facts_new == 0
    assert verdicts == {"from_then_on": State.LATE, "retroactive": State.KEPT}


async def test_the_tickets_of_another_tenant_are_other_tickets(
    importer: Importer, tmp_path: Path
) -> None:
    other = Importer(importer.make, tmp_path)
    await importer.cases(A)
    assert (await other.cases(A)).tickets_new == 1


async def test_an_unknown_tenant_id_is_refused(importer: Importer) -> None:
    importer.tenant = str(uuid4())
    with pytest.raises(Refused, match="There is no tenant"):
        await importer.cases(A)


async def test_tickets_judged_by_the_set_stand_as_tickets_judged_one_by_one(
    importer: Importer, tmp_path: Path
) -> None:
    """The same story told through the actions and through a file: the same rows, the same facts."""
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    minutes = (0, 5, 20, 50, 200, 260)
    wall = [f"{start + timedelta(minutes=m):%Y-%m-%d %H:%M}" for m in minutes]
    priorities = ("critical", "high", "medium")
    rows = [
        (str(1 + n), at, str(step), state, str(1 + n), "")
        for n in range(3)
        for step, (at, state) in enumerate(
            zip(wall, ("New", "Active", "Waiting", "Active", "Solved", "Done"), strict=True)
        )
    ]
    end = start + timedelta(days=1)
    await importer.log(("9", wall[0], "0", "New", "1", ""), at=end)  # the same ground for both
    world = await importer.ticket("9")
    await importer.log(*rows, at=end)
    actor = Actor.system(world.tenant_id, "test", origin=Origin.HISTORY)
    for n, priority in enumerate(priorities):
        at = [start + timedelta(minutes=m) for m in minutes]
        async with transaction(importer.make) as session:
            one = await incidents.open_incident(
                session,
                actor,
                site_id=world.site_id,
                priority=Priority(priority),
                summary="something",
                source=Source.CLIENT,
                reporter="import",
                at=at[0],
            )
            await incidents.start_work(session, actor, one.id, at=at[1])
            await incidents.pause(
                session, actor, one.id, cause=PauseCause.WAITING_ON_CLIENT, at=at[2]
            )
            await incidents.resume(session, actor, one.id, at=at[3])
            await incidents.resolve(session, actor, one.id, resolution="done", at=at[4])
            await incidents.close(session, actor, one.id, at=at[5])
        set_rows = await importer.promises(str(1 + n))
        async with importer.make() as session:
            found = await session.scalars(select(Promise).where(Promise.incident_id == one.id))
            one_rows = {(row.name, row.part): row for row in found}
            facts = await session.execute(
                select(Entry.kind, Entry.at).where(Entry.subject_id == one.id).order_by(Entry.id)
            )
            theirs = [(k.removeprefix("incident."), f"{a:%d %H:%M}") for k, a in facts]
        assert one_rows.keys() == set_rows.keys()
        assert len(one_rows) == 3
        for key, row in one_rows.items():
            for name in (*replay.COMPARED, "kind", "name", "terms_id", "term_id", "agreement_id"):
                assert getattr(row, name) == getattr(set_rows[key], name), (priority, key, name)
        assert theirs == await importer.facts(str(1 + n))


async def test_verifying_finds_a_row_that_was_tampered_with(importer: Importer) -> None:
    await importer.cases(A, B, C)
    ticket = await importer.ticket("B")
    which = select(Watch.incident_id).where(Watch.tenant_id == ticket.tenant_id)
    async with importer.make() as session:
        clean = await replay.verify(session, which, at=NOW)
    async with transaction(importer.make) as session:
        row = (
            await session.scalars(
                select(Promise).where(Promise.incident_id == ticket.id, Promise.name == "agreed")
            )
        ).one()
        row.elapsed_us -= 1
    async with importer.make() as session:
        found = await replay.verify(session, which, at=NOW)
    assert clean is not None
    assert (clean[0].tickets, clean[1]) == (3, [])
    assert found is not None
    [difference] = found[1]
    assert (difference.incident_id, difference.field) == (ticket.id, "elapsed_us")


async def test_evaluating_later_moves_what_is_open_and_tells_what_has_become_late(
    importer: Importer,
) -> None:
    opened = ("C", "2026-03-02 10:00", "", "", "3", "A gate", "lock")
    early = datetime(2026, 3, 2, 10, tzinfo=UTC)
    await importer.cases(opened, at=early)
    assert (await importer.promises("C"))["closed", 0].state is State.RUNNING
    ticket = await importer.ticket("C")
    which = select(Watch.incident_id).where(Watch.tenant_id == ticket.tenant_id)
    for at, state in ((early + timedelta(hours=3), State.RUNNING), (NOW, State.LATE)):
        async with transaction(importer.make) as session:
            done = await replay.evaluate(
                session, lambda tenant: Actor.system(tenant, "test"), which, at=at
            )
        assert done is not None
        assert done.written == 1
        assert (await importer.promises("C"))["closed", 0].state is state
    async with importer.make() as session:
        late = await session.scalar(
            select(func.count()).where(
                Entry.tenant_id == ticket.tenant_id,
                Entry.kind == "promise.breached",
                Entry.origin == Origin.LIVE,
            )
        )
    assert late == 1
