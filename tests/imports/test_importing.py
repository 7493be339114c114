"""A file becomes tickets, facts and verdicts, once; what the file does not know is not invented."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from domain import imports, incidents
from domain.access import Actor, Origin, Tx
from domain.agreements import Priority
from domain.core.db import transaction
from domain.core.errors import Refused
from domain.core.ledger import LedgerRow
from domain.incidents import Incident, Proof, Status
from domain.promises import PromiseWatch, State
from tests.imports.importing import (
    CASE,
    CLOSED,
    HALF_AN_HOUR,
    NOW,
    OPENED,
    A,
    B,
    C,
    Importer,
)
from tests.profiles import CASES, profile


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


BY_SERVICE = (
    CASES.replace(
        'category = { column = "type"',
        'service = { column = "post", map = { "R" = "reception", "P" = "patrol" } }\ncategory = { column = "type"',
    )
    + """
[[agreement.promises]]
name = "closed at reception"
kind = "closure"
calendar = "office"
services = ["reception"]
[agreement.promises.targets]
critical = { elapsed_s = 7200 }
"""
)


async def test_a_promise_by_service_applies_to_imported_incidents_of_that_service(
    importer: Importer,
) -> None:
    header, rows = (*CASE, "post"), [(*A, "R"), ("B", *A[1:], "P"), ("C", *A[1:], "?")]
    done = await importer.run(profile(BY_SERVICE), header, rows)
    assert (done.tickets_new, done.contradicting) == (3, 0)
    found = {key: await importer.ticket(key) for key in "ABC"}
    assert {key: row.service for key, row in found.items()} == {
        "A": "reception",
        "B": "patrol",
        "C": None,
    }
    at_reception = await importer.promises("A")
    assert ("closed", 0) not in at_reception
    assert at_reception["closed at reception", 0].state is State.KEPT
    assert (await importer.promises("B"))["closed", 0].state is State.LATE
    async with importer.make() as session:
        opened = await session.scalars(
            select(LedgerRow).where(
                LedgerRow.subject_id.in_({row.id for row in found.values()}),
                LedgerRow.kind == "incident.opened",
            )
        )
        told = {row.subject_id: row.body.get("service", "absent") for row in opened}
    assert [told[found[key].id] for key in "ABC"] == ["reception", "patrol", "absent"]

    again = await importer.run(profile(BY_SERVICE), header, [*rows, (*A, "P")])
    assert (again.facts_new, again.contradicting) == (0, 1)


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
            select(LedgerRow).where(LedgerRow.subject_id == promise.id).order_by(LedgerRow.id)
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
        await incidents.arrive(Tx(session, system, came_at), ticket.id, proof=proof)
    async with transaction(importer.make) as session:
        gone = [proof.presence_id]
        await incidents.withdraw_arrivals(
            Tx(session, system, NOW), ticket.id, proven_by=gone, before=None
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
        ["3", "no key: the incident has no number"],
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
            for model in (Incident, PromiseWatch)
        ]
    assert counted == [1, 1]
    done = await importer.cases(*rows[:100])
    assert (done.tickets_new, done.promises) == (100, 200)


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


async def test_an_import_that_fails_leaves_the_rejects_of_the_run_before(
    importer: Importer,
) -> None:
    await importer.cases(A, ("", *B[1:]))
    before = importer.rejected.read_bytes()

    def die(_what: str, _share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async with transaction(importer.make) as session:
            await imports.import_incidents(
                session,
                importer.folder / "file.csv",
                profile(CASES),
                tenant=importer.tenant,
                rejects=importer.rejected,
                at=NOW,
                progress=die,
            )
    assert importer.rejected.read_bytes() == before
    assert not list(importer.folder.glob(".*half"))
