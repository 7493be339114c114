"""Random rounds: committed to before, revealed after, and checked by the verifier from the ledger alone."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.patrols import PatrolRound, RoundState
from tests.domain.audit.bundles import signed, taken_out, verified
from tests.domain.patrols.site import DAY, HOUR, MINUTE, OPENS, Patrolled, patrolled

_OVER = OPENS + 12 * HOUR


async def told(site: Patrolled) -> list[tuple[str, dict[str, object]]]:
    async with site.make() as session:
        rows = await session.execute(
            select(LedgerRow.kind, LedgerRow.body)
            .where(
                LedgerRow.account_id == site.world.account.id,
                LedgerRow.kind.in_(
                    ("patrol_route.drawn", "patrol_route.draw_revealed", "patrol_round.opened")
                ),
            )
            .order_by(LedgerRow.id)
        )
        return [(kind, body) for kind, body in rows]


async def walked(make: Sessions) -> Patrolled:
    """A night of four random rounds, planned and not yet begun."""
    site = await patrolled(make, rounds=4, is_random=True)
    await site.plan()
    return site


async def test_a_night_is_committed_to_revealed_and_verified_from_the_client_s_bundle(
    make: Sessions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = await walked(make)
    assert [kind for kind, _ in await told(site)] == ["patrol_route.drawn"]
    await site.look(_OVER)
    facts = await told(site)
    assert [kind.split(".")[1] for kind, _ in facts] == ["drawn", *["opened"] * 4, "draw_revealed"]
    key = bytes.fromhex(str(facts[-1][1]["key"]))
    assert hashlib.sha256(key).hexdigest() == facts[0][1]["commitment"]
    checkpoint = await signed(make, site.world.tenant.id)
    async with make() as session:
        path = await taken_out(
            session, tmp_path / "own.jsonl", site.world.tenant.id, site.world.account.id
        )
    code, said = verified(path, capsys, key=checkpoint.verifier_key)
    assert (code, "4 random patrol rounds looked up in their draws" in said) == (0, True), said


async def test_a_round_at_another_time_than_drawn_is_found(
    make: Sessions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = await walked(make)
    second = [each.id for each in await site.rounds()][1]
    async with transaction(make) as session:
        await session.execute(
            update(PatrolRound)
            .where(PatrolRound.id == second)
            .values(from_at=PatrolRound.from_at + timedelta(seconds=1))
        )
    await site.look(_OVER)
    checkpoint = await signed(make, site.world.tenant.id)
    async with make() as session:
        path = await taken_out(
            session, tmp_path / "own.jsonl", site.world.tenant.id, site.world.account.id
        )
    code, said = verified(path, capsys, key=checkpoint.verifier_key)
    assert code == 1
    assert said.count("the round began at another time than was drawn") == 1


async def test_no_key_is_revealed_while_a_round_is_ahead(make: Sessions) -> None:
    site = await walked(make)
    rounds = await site.rounds()
    await site.look(rounds[2].until_at + 16 * MINUTE)
    kinds = [kind for kind, _ in await told(site)]
    assert "patrol_route.draw_revealed" not in kinds
    assert [each.state for each in await site.rounds()][-1] is RoundState.PLANNED
    assert all(each.on_day == DAY for each in rounds)
