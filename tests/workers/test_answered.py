"""Answers to letters: recorded once, told to those who look after the client; what machines answer is only recorded."""

from pathlib import Path

import pytest
from sqlalchemy import select

from domain import accounts, messages
from domain.access import Actor, Role, Tx
from domain.core.db import Sessions, transaction
from domain.core.erasable_text import ErasableText
from domain.core.ledger import LedgerRow
from domain.core.outbox import Outbox
from domain.messages import Message
from tests import build, facts
from tests.domain.messages.test_templates import TOLD
from tests.workers.returned import OURS, THERE, Trace, intake_of
from tests.workers.test_sending import FAR
from workers.bounces import sweep_bounces
from workers.jobs import Runner
from workers.notices import tell_answered
from workers.outbound.senders import Senders

pytestmark = pytest.mark.anyio


def answer(trace: Trace, words: str, more: str = "") -> bytes:
    return (
        f"Return-Path: <{THERE}>\nFrom: An <{THERE}>\nTo: {OURS}\nSubject: Re: Uw melding\n{more}"
        f"In-Reply-To: {trace.header}\nContent-Type: text/plain; charset=utf-8\n\n{words}\n\n"
        "Op ma 1 dec 2026 om 12:00 schreef Veilig BV <desk@guards.example>:\n> Beste An,\n"
    ).encode()


async def test_an_answer_is_recorded_once_and_told_and_a_machines_is_only_recorded(
    make: Sessions, tmp_path: Path
) -> None:
    world = await build.client(make, contacts=1)
    system = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        await accounts.add_user(
            Tx(session, system, build.T0),
            email=f"m-{world.site.id}@example.org",
            name="Marga",
            role=Role.MANAGEMENT,
        )
        [message] = await messages.compose(
            Tx(session, system, build.T0),
            world.account.id,
            intent=f"test:{world.site.id}",
            template="incident_resolved",
            variables=TOLD["incident_resolved"],
        )
        await messages.mark_sent(Tx(session, system, build.T0), message.id)
    trace, new = Trace(message.id), tmp_path / "new"
    new.mkdir()
    (new / "1").write_bytes(answer(trace, "De deur is weer open\x00\x1b[2J, kom langs."))
    (new / "2").write_bytes(answer(trace, "Afwezig tot maandag.", "Auto-Submitted: auto-replied\n"))
    (new / "3").write_bytes(answer(trace, "De deur is weer open\x00\x1b[2J, kom langs."))
    (new / "4").write_bytes(answer(trace, "Vervalst.").replace(trace.header.encode(), b"<x@y>"))
    assert await sweep_bounces(intake_of(make, tmp_path), tmp_path) == 2
    async with make() as session:
        rows = await session.scalars(
            select(LedgerRow).where(
                LedgerRow.subject_id == message.id, LedgerRow.kind == "message.answered"
            )
        )
        found = list(rows)
        said = await session.scalars(
            select(ErasableText.words).where(
                ErasableText.commitment.in_([each.body["words"] for each in found])
            )
        )
        assert sorted(said) == ["Afwezig tot maandag.", "De deur is weer open [2J, kom langs."]
    assert sorted(each.body["automatic"] for each in found) == [False, True]
    await facts.number_all(make, {"message.answered": ("tell_answered",)}, at=FAR)
    runner = Runner(make, {"tell_answered": tell_answered}, Senders({}), attempts=20)
    async with make() as session:
        waiting = await session.scalars(
            select(Outbox.id).where(Outbox.fact_id.in_([each.id for each in found]))
        )
    for outbox_id in waiting.all():
        await runner.run(outbox_id)
    async with make() as session:
        told = list(
            await session.scalars(
                select(Message).where(Message.intent.startswith(f"answer:{message.id}"))
            )
        )
    assert told
    assert all(each.user_id is not None for each in told)
    assert all("kom langs" in each.body and THERE in each.body for each in told)
