"""Whatever a superuser does to the ledger, the verifier sees it."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api import verify
from domain import audit
from domain.core import epoch
from domain.core.db import Sessions, transaction
from tests import facts
from tests.domain.audit.bundles import SIGNER, signed, taken_out, verified

pytestmark = pytest.mark.anyio

Capsys = pytest.CaptureFixture[str]
ACCOUNT_FACTS = "account_id = :account AND kind = 'test.noted'"

EDITS = {
    "body": "body = jsonb_set(body, '{n}', '99')",
    "kind": "kind = 'test.rung'",
    "actor": "actor = 'user:somebody-else'",
    "at": "at = at + interval '1 microsecond'",
    "recorded_at": "recorded_at = recorded_at - interval '1 hour'",
    "subject": "subject_id = gen_random_uuid()",
    "origin": "origin = 'history'",
    "trace": "trace_id = 'made up'",
    "once": "once_key = 'made up'",
}


async def client_with_facts(make: Sessions) -> facts.Client:
    """An account with thirty facts among those of another one."""
    whom = await facts.client(make)
    other = await facts.sibling(make, whom)
    for n in range(30):
        await facts.note(make, whom, n)
        if n % 3 == 0:
            await facts.note(make, other, n)
            await facts.note(make, whom, -n, internal=True)
    return whom


async def both(
    session: AsyncSession, whom: facts.Client, folder: Path, capsys: Capsys, key: str, *more: str
) -> tuple[tuple[int, str], tuple[int, str]]:
    """What the verifier says of everything, and of the account alone."""
    tenant_id = whom.actor.tenant_id
    since = [int(each) for each in more if each.isdigit()]
    whole = await taken_out(session, folder / "whole.jsonl", tenant_id)
    own = await taken_out(session, folder / "own.jsonl", tenant_id, whom.account_id, since)
    words = [each for each in more if not each.isdigit()]
    return (
        verified(whole, capsys, *words, key=key),
        verified(own, capsys, *words, key=key),
    )


async def change(session: AsyncSession, whom: facts.Client, statement: str) -> None:
    told = {"account": whom.account_id, "tenant": whom.actor.tenant_id}
    used = {name: value for name, value in told.items() if f":{name}" in statement}
    await session.execute(text(statement), used)


async def test_an_untouched_ledger_verifies_as_a_whole_and_for_the_client(
    make: Sessions, owner_url: str, tmp_path: Path, capsys: Capsys
) -> None:
    whom = await client_with_facts(make)
    checkpoint = await signed(make, whom.actor.tenant_id)
    async with facts.tampering(owner_url) as session:
        whole, own = await both(session, whom, tmp_path, capsys, checkpoint.verifier_key)
    assert (whole[0], own[0]) == (0, 0), whole[1] + own[1]
    assert f"all {checkpoint.size} facts together give the signed root" in whole[1]
    assert f"31 facts of account {whom.account_id}" in own[1]  # internal ones are not the client's


@pytest.mark.parametrize("column", EDITS)
async def test_an_edit_of_any_column_is_seen(
    make: Sessions, owner_url: str, tmp_path: Path, capsys: Capsys, column: str
) -> None:
    whom = await client_with_facts(make)
    key = (await signed(make, whom.actor.tenant_id)).verifier_key
    async with facts.tampering(owner_url) as session:
        await change(
            session,
            whom,
            f"UPDATE ledger SET {EDITS[column]} WHERE {ACCOUNT_FACTS} AND body @> '{{\"n\": 7}}'",
        )
        whole, own = await both(session, whom, tmp_path, capsys, key)
    assert (whole[0], own[0]) == (1, 1)
    assert "do not give the signed root" in whole[1]
    assert "not in the signed tree" in own[1]


async def test_a_fact_given_to_another_account_is_seen(
    make: Sessions, owner_url: str, tmp_path: Path, capsys: Capsys
) -> None:
    whom = await client_with_facts(make)
    key = (await signed(make, whom.actor.tenant_id)).verifier_key
    other = "(SELECT id FROM account WHERE tenant_id = :tenant AND id <> :account)"
    async with facts.tampering(owner_url) as session:
        await change(
            session,
            whom,
            f"UPDATE ledger SET account_id = {other} WHERE {ACCOUNT_FACTS} AND body @> '{{\"n\": 7}}'",
        )
        whole, own = await both(session, whom, tmp_path, capsys, key)
    assert (whole[0], own[0]) == (1, 1)
    assert "facts in between are missing" in own[1]


async def test_a_deletion_is_seen(
    make: Sessions, owner_url: str, tmp_path: Path, capsys: Capsys
) -> None:
    whom = await client_with_facts(make)
    key = (await signed(make, whom.actor.tenant_id)).verifier_key
    async with facts.tampering(owner_url) as session:
        await change(
            session, whom, f"DELETE FROM ledger WHERE {ACCOUNT_FACTS} AND body @> '{{\"n\": 7}}'"
        )
        whole, own = await both(session, whom, tmp_path, capsys, key)
    assert (whole[0], own[0]) == (1, 1)
    assert "missing, or moved" in whole[1]
    assert "facts in between are missing" in own[1]


async def test_a_deletion_together_with_its_leaf_is_seen(
    make: Sessions, owner_url: str, tmp_path: Path, capsys: Capsys
) -> None:
    whom = await client_with_facts(make)
    key = (await signed(make, whom.actor.tenant_id)).verifier_key
    async with facts.tampering(owner_url) as session:
        gone = f"SELECT seq FROM ledger WHERE {ACCOUNT_FACTS} AND body @> '{{\"n\": 7}}'"
        await change(session, whom, f"DELETE FROM audit_leaf WHERE seq IN ({gone})")
        await change(session, whom, f"DELETE FROM ledger WHERE seq IN ({gone})")
        whole, own = await both(session, whom, tmp_path, capsys, key)
    assert (whole[0], own[0]) == (1, 1)


async def test_two_facts_that_changed_places_are_seen(
    make: Sessions, owner_url: str, tmp_path: Path, capsys: Capsys
) -> None:
    whom = await client_with_facts(make)
    key = (await signed(make, whom.actor.tenant_id)).verifier_key
    async with facts.tampering(owner_url) as session:
        one, two = (
            await session.scalars(
                text(f"SELECT seq FROM ledger WHERE {ACCOUNT_FACTS} ORDER BY seq OFFSET 5 LIMIT 2"),
                {"account": whom.account_id},
            )
        ).all()
        for was, now in ((one, -1), (two, one), (-1, two)):
            await session.execute(
                text("UPDATE ledger SET seq = :now WHERE seq = :was"), {"was": was, "now": now}
            )
        whole, own = await both(session, whom, tmp_path, capsys, key)
    assert (whole[0], own[0]) == (1, 1)
    assert "not in the signed tree: edited, or moved" in own[1]


async def test_a_fact_slipped_in_between_is_seen(
    make: Sessions, owner_url: str, tmp_path: Path, capsys: Capsys
) -> None:
    whom = await client_with_facts(make)
    key = (await signed(make, whom.actor.tenant_id)).verifier_key
    async with facts.tampering(owner_url) as session:
        [seq] = await session.scalars(
            text(f"SELECT seq FROM ledger WHERE {ACCOUNT_FACTS} AND body @> '{{\"n\": 7}}'"),
            {"account": whom.account_id},
        )
        await session.execute(text("UPDATE ledger SET seq = -seq WHERE seq = :seq"), {"seq": seq})
        await session.execute(
            text(
                "INSERT INTO ledger (seq, tenant_id, account_id, shard, kind, subject_id, at, origin,"
                " actor, body, hash) SELECT CAST(:seq AS bigint), tenant_id, account_id, shard, kind, subject_id, at,"
                " origin, actor, '{\"n\": 1000}', hash FROM ledger WHERE seq = -CAST(:seq AS bigint)"
            ),
            {"seq": seq},
        )
        whole, own = await both(session, whom, tmp_path, capsys, key)
    assert (whole[0], own[0]) == (1, 1)


async def test_a_ledger_that_was_cut_off_is_seen(
    make: Sessions, owner_url: str, tmp_path: Path, capsys: Capsys
) -> None:
    whom = await client_with_facts(make)
    checkpoint = await signed(make, whom.actor.tenant_id)
    async with facts.tampering(owner_url) as session:
        await change(
            session, whom, f"DELETE FROM ledger WHERE {ACCOUNT_FACTS} AND (body->>'n')::int >= 20"
        )
        whole, _own = await both(session, whom, tmp_path, capsys, checkpoint.verifier_key)
        await change(session, whom, "DELETE FROM ledger WHERE tenant_id = :tenant")
        nothing, none = await both(session, whom, tmp_path, capsys, checkpoint.verifier_key)
    assert (whole[0], nothing[0]) == (1, 1)
    assert f"over {checkpoint.size} facts, here are 0" in nothing[1]
    assert none[0] == 0  # no proof is wrong: only what the client kept tells it, as below


async def test_truncation_of_the_ledger_leaves_the_tree_to_testify(
    make: Sessions, owner_url: str, tmp_path: Path, capsys: Capsys
) -> None:
    whom = await client_with_facts(make)
    key = (await signed(make, whom.actor.tenant_id)).verifier_key
    async with facts.tampering(owner_url) as session:
        for guard in ("ledger_keeps", "ledger_keeps_all"):
            await session.execute(text(f"ALTER TABLE ledger DISABLE TRIGGER {guard}"))
        await session.execute(text("TRUNCATE ledger CASCADE"))
        whole, _own = await both(session, whom, tmp_path, capsys, key)
    assert whole[0] == 1
    assert "do not give the signed root" in whole[1]


async def test_a_client_that_kept_something_sees_that_its_last_facts_are_gone(
    make: Sessions, owner_url: str, tmp_path: Path, capsys: Capsys
) -> None:
    whom = await client_with_facts(make)
    key = (await signed(make, whom.actor.tenant_id)).verifier_key
    keep = tmp_path / "kept.json"
    async with make() as session:
        path = await taken_out(session, tmp_path / "b", whom.actor.tenant_id, whom.account_id)
    first = verified(path, capsys, "--keep", keep, key=key)
    async with facts.tampering(owner_url) as session:
        await change(
            session, whom, f"DELETE FROM ledger WHERE {ACCOUNT_FACTS} AND (body->>'n')::int >= 25"
        )
        path = await taken_out(session, tmp_path / "b", whom.actor.tenant_id, whom.account_id)
        second = verified(path, capsys, "--keep", keep)
    assert first[0] == 0, first[1]
    assert second[0] == 1
    assert "the account had 31 facts before, now 26: cut off" in second[1]


async def test_a_ledger_tree_and_checkpoints_cut_off_together_are_seen_by_who_kept_a_checkpoint(
    make: Sessions, owner_url: str, tmp_path: Path, capsys: Capsys
) -> None:
    whom = await client_with_facts(make)
    first = await signed(make, whom.actor.tenant_id)
    await facts.note(make, whom, 100, 101, 102)
    second = await signed(make, whom.actor.tenant_id)
    kept = tmp_path / "kept.txt"
    kept.write_text(second.note)
    async with facts.tampering(owner_url) as session:
        for statement in (
            f"DELETE FROM ledger WHERE {ACCOUNT_FACTS} AND (body->>'n')::int >= 100",
            f"DELETE FROM audit_leaf WHERE tenant_id = :tenant AND position >= {first.size}",
            f"DELETE FROM audit_checkpoint WHERE tenant_id = :tenant AND size > {first.size}",
            f"UPDATE audit_tile SET hashes = substr(hashes, 1, {32 * first.size}) WHERE tenant_id = :tenant",
        ):
            await change(session, whom, statement)
        fooled, _ = await both(session, whom, tmp_path, capsys, first.verifier_key)
        whole, own = await both(
            session, whom, tmp_path, capsys, first.verifier_key, "--earlier", str(kept)
        )
    assert fooled[0] == 0  # nothing in the database can tell; that is why checkpoints are mailed
    assert (whole[0], own[0]) == (1, 1)
    assert "now there are fewer: cut off" in whole[1]
    assert "now there are fewer: cut off" in own[1]


async def test_a_checkpoint_of_an_earlier_epoch_is_told_from_a_cut_off_ledger(
    make: Sessions, owner_url: str, tmp_path: Path, capsys: Capsys
) -> None:
    whom = await client_with_facts(make)
    async with transaction(make) as session:
        await epoch.ensure(session, at=facts.T0)
    first = await signed(make, whom.actor.tenant_id)
    kept = tmp_path / "kept.txt"
    kept.write_text(first.note)
    async with transaction(make) as session:
        begun = await epoch.begin(session, reason="a restore", at=facts.T0)
    second = await signed(make, whom.actor.tenant_id)
    assert f"\nepoch {begun.id}\n" in second.note
    async with facts.tampering(owner_url) as session:
        _, own = await both(
            session, whom, tmp_path, capsys, first.verifier_key,
            "--earlier", str(kept), str(first.size),
        )  # fmt: skip
    assert own[0] == 0, "nothing was lost, so everything still holds"
    assert "restored from a backup since the kept checkpoint" in own[1]
    assert str(begun.id) in own[1]


async def test_a_rewritten_ledger_with_a_tree_grown_anew_is_seen_even_when_the_key_was_stolen(
    make: Sessions, owner_url: str, tmp_path: Path, capsys: Capsys
) -> None:
    whom = await client_with_facts(make)
    checkpoint = await signed(make, whom.actor.tenant_id)
    kept = tmp_path / "kept.txt"
    kept.write_text(checkpoint.note)
    async with facts.tampering(owner_url) as session:
        tenant_id = whom.actor.tenant_id
        await change(session, whom, f"UPDATE ledger SET {EDITS['actor']} WHERE {ACCOUNT_FACTS}")
        for table in ("audit_leaf", "audit_tile", "audit_checkpoint", "audit_tree"):
            await change(session, whom, f"DELETE FROM {table} WHERE tenant_id = :tenant")
        await audit.append(session, tenant_id)
        await audit.sign(session, SIGNER, tenant_id, at=facts.T0)
        fooled, _ = await both(session, whom, tmp_path, capsys, checkpoint.verifier_key)
        whole, own = await both(
            session, whom, tmp_path, capsys, checkpoint.verifier_key,
            "--earlier", str(kept), str(checkpoint.size),
        )  # fmt: skip
    assert fooled[0] == 0
    assert (whole[0], own[0]) == (1, 1)


async def test_a_tree_that_does_not_continue_what_was_signed_is_not_signed(
    make: Sessions, owner_url: str
) -> None:
    whom = await client_with_facts(make)
    await signed(make, whom.actor.tenant_id)
    async with facts.tampering(owner_url) as session:
        await change(
            session,
            whom,
            "UPDATE audit_tile SET hashes = set_byte(hashes, 40, 1 + get_byte(hashes, 40) % 255)"
            " WHERE tenant_id = :tenant AND level = 0",
        )
        with pytest.raises(audit.TreeCorrupt, match="not what was signed"):
            await audit.sign(session, SIGNER, whom.actor.tenant_id, at=facts.T0)


async def test_leaves_and_checkpoints_cannot_be_changed_by_those_who_own_the_tables(
    make: Sessions,
) -> None:
    whom = await facts.client(make)
    await signed(make, whom.actor.tenant_id)
    for statement in (
        "DELETE FROM audit_checkpoint WHERE tenant_id = :tenant",
        "UPDATE audit_checkpoint SET size = 0 WHERE tenant_id = :tenant",
        "DELETE FROM audit_leaf WHERE tenant_id = :tenant",
    ):
        with pytest.raises(Exception, match="append-only"):
            async with transaction(make) as session:
                await change(session, whom, statement)


async def test_a_client_that_comes_back_sees_that_nothing_changed_since(
    make: Sessions, tmp_path: Path, capsys: Capsys
) -> None:
    whom = await client_with_facts(make)
    tenant_id, keep = whom.actor.tenant_id, tmp_path / "kept.json"
    first = await signed(make, tenant_id)
    async with make() as session:
        path = await taken_out(session, tmp_path / "b", tenant_id, whom.account_id)
    assert verified(path, capsys, "--keep", keep, key=first.verifier_key)[0] == 0
    await facts.note(make, whom, *range(600))
    await signed(make, tenant_id)
    async with make() as session:
        without = await taken_out(session, tmp_path / "b1", tenant_id, whom.account_id)
        path = await taken_out(session, tmp_path / "b2", tenant_id, whom.account_id, [first.size])
    refused = verified(without, capsys, "--keep", keep)
    code, said = verified(path, capsys, "--keep", keep)
    assert code == 0, said
    assert f"nothing changed in the {first.size} facts of the kept checkpoint" in said
    assert refused[0] == 3
    assert f"--since {first.size}" in refused[1]


async def test_a_bundle_that_lost_lines_or_was_signed_by_another_key_does_not_pass(
    make: Sessions, tmp_path: Path, capsys: Capsys
) -> None:
    whom = await client_with_facts(make)
    checkpoint = await signed(make, whom.actor.tenant_id)
    async with make() as session:
        path = await taken_out(session, tmp_path / "b", whom.actor.tenant_id, whom.account_id)
    lines = path.read_text().splitlines(keepends=True)
    cut, torn, swapped = tmp_path / "cut", tmp_path / "torn", tmp_path / "swapped"
    cut.write_text("".join(lines[:-2]))
    torn.write_text("".join(lines)[:-40])
    swapped.write_text("".join([*lines[:4], lines[5], lines[4], *lines[6:]]))
    key = checkpoint.verifier_key
    other = audit.Signer(Ed25519PrivateKey.generate(), "audit.test").verifier_key(
        audit.origin_of("audit.test", whom.actor.tenant_id)
    )
    assert verified(cut, capsys, key=key)[0] == 3
    assert verified(torn, capsys, key=key)[0] == 3
    assert verified(swapped, capsys, key=key)[0] == 1
    assert verified(path, capsys, key=other)[0] == 1
    assert verified(path, capsys, "--account", "x", key=key)[0] == 3
    with pytest.raises(SystemExit, match="2"):
        verify.main([str(path)])


async def test_the_verifier_is_one_file_that_needs_nothing_of_ours(
    make: Sessions, tmp_path: Path
) -> None:
    whom = await client_with_facts(make)
    checkpoint = await signed(make, whom.actor.tenant_id)
    async with make() as session:
        path = await taken_out(session, tmp_path / "b", whom.actor.tenant_id, whom.account_id)
    alone = shutil.copy(verify.__file__, tmp_path / "checker.py")
    ran = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-P", str(alone), str(path), "--key", checkpoint.verifier_key],
        cwd=tmp_path, env={}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "everything holds" in ran.stdout
    imported = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", "import checker, sys; print(*{m.split('.')[0] for m in sys.modules})"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = set(imported.stdout.split())
    assert not found & {"api", "domain", "schema", "sqlalchemy", "msgspec", "strawberry"}
