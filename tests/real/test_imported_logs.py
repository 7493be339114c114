"""Three real logs, imported, judged and exported: the verdicts are those of the people who made the logs."""

import csv
import io
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, select

from domain import promises
from domain.access import Actor, Origin
from domain.accounts import Tenant
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.promises import Promise, PromiseWatch

Summary = dict[str, Any]
Export = list[dict[str, str]]
Waarborg = Callable[..., str]
FIRM = (
    "Building Inspection Request",
    "Electrical",
    "Tree Emergencies",
    "CE Collection",
    "Sign Repair",
)
ONLINE_CASES = 400  # tickets of each log, spread evenly over it
# Imported once, by one worker.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("real logs")]


def say(figures: object) -> None:
    """Shown with `pytest -s`, or when the test fails."""
    sys.stdout.write(f"{figures}\n")


def exported(waarborg: Waarborg, tenant: str) -> Export:
    return list(csv.DictReader(io.StringIO(waarborg("export", "verdicts", "--tenant", tenant))))


def rows_of(path: Path, columns: Iterable[str]) -> list[dict[str, Any]]:
    return list(pq.read_table(path, columns=list(columns)).to_pylist())


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture(scope="module")
def boston(
    waarborg: Waarborg, imported: Callable[..., Summary], log: Callable[[str], Path]
) -> Export:
    file = log("boston311_2015_h1.parquet")
    summary = imported(file, "boston311", "Boston")
    assert (summary["rows"], summary["rejected"], summary["tickets_new"]) == (58_119, 0, 58_119)
    return exported(waarborg, "Boston")


@pytest.fixture(scope="module")
def uci_file(log: Callable[[str], Path]) -> Path:
    return log("uci_incident_events_open.parquet")


@pytest.fixture(scope="module")
def uci(waarborg: Waarborg, imported: Callable[..., Summary], uci_file: Path) -> Export:
    summary = imported(uci_file, "uci_servicenow", "UCI")
    assert (summary["rows"], summary["rejected"], summary["tickets_new"]) == (90_286, 0, 14_955)
    return exported(waarborg, "UCI")


def test_the_citys_own_target_dates_give_every_closed_case_the_citys_label(
    boston: Export, log: Callable[[str], Path]
) -> None:
    columns = ("case_enquiry_id", "target_dt", "closed_dt", "ontime_status")
    labels = {
        row["case_enquiry_id"]: {"ONTIME": "kept", "OVERDUE": "late"}[row["ontime_status"]]
        for row in rows_of(log("boston311_2015_h1.parquet"), columns)
        if row["closed_dt"] and row["target_dt"] and row["ontime_status"]
    }
    ours = {row["external_id"]: row["verdict"] for row in boston if row["promise"] == "agreed_date"}
    assert len(labels) == 37_257
    assert {case: ours.get(case) for case in labels} == labels


def test_computed_deadlines_are_the_citys_target_dates_for_the_types_it_keeps_firm(
    boston: Export, log: Callable[[str], Path]
) -> None:
    zone = ZoneInfo("America/New_York")
    targets = {
        row["case_enquiry_id"]: row["target_dt"].replace(tzinfo=zone)
        for row in rows_of(log("boston311_2015_h1.parquet"), ("case_enquiry_id", "target_dt"))
        if row["target_dt"]
    }
    near: dict[str, list[bool]] = defaultdict(list)
    for row in boston:
        if row["promise_kind"] == "closure" and row["external_id"] in targets:
            off = abs(instant(row["due_at"]) - targets[row["external_id"]])
            near[row["category"]].append(off <= timedelta(minutes=2))
    shares = {kind: sum(near[kind]) / len(near[kind]) for kind in FIRM}
    say({kind: (len(near[kind]), round(share, 4)) for kind, share in shares.items()})
    assert all(share >= 0.99 for share in shares.values()), shares


def test_servicenows_flag_is_our_verdict_for_priorities_three_and_four(
    uci: Export, uci_file: Path
) -> None:
    last: dict[str, dict[str, Any]] = {}
    for row in rows_of(
        uci_file, ("number", "priority", "made_sla", "sys_updated_at", "sys_mod_count")
    ):
        was = last.get(str(row["number"]))
        if was is None or (was["sys_updated_at"], was["sys_mod_count"]) < (
            row["sys_updated_at"],
            row["sys_mod_count"],
        ):
            last[str(row["number"])] = row
    agree: dict[int, list[bool]] = defaultdict(list)
    for verdict in uci:
        row = last[verdict["external_id"]]
        agree[row["priority"]].append((verdict["verdict"] == "kept") == row["made_sla"])
    shares = {priority: sum(found) / len(found) for priority, found in agree.items()}
    say(
        {priority: (len(agree[priority]), round(shares[priority], 5)) for priority in sorted(agree)}
    )
    assert (len(agree[3]), len(agree[4])) == (14_060, 491)
    assert min(shares[3], shares[4]) >= 0.99


@pytest.fixture(scope="module")
def sffd(
    waarborg: Waarborg, imported: Callable[..., Summary], log: Callable[[str], Path]
) -> Export:
    summary = imported(log("sffd_calls_open.parquet"), "sffd", "SFFD")
    assert (summary["rows"], summary["tickets_new"], summary["rejected"]) == (3_786, 1_800, 0)
    return exported(waarborg, "SFFD")


def test_the_first_unit_is_on_scene_within_eight_minutes_as_often_as_the_log_says(
    sffd: Export, log: Callable[[str], Path]
) -> None:
    # A call that was closed before anybody came has a stopped clock too, but no arrival.
    calls = rows_of(log("sffd_calls_open.parquet"), ("call_number", "on_scene_dttm"))
    came = {str(row["call_number"]) for row in calls if row["on_scene_dttm"]}
    arrived = [row for row in sffd if row["external_id"] in came]
    kept = sum(row["verdict"] == "kept" for row in arrived)
    assert len(arrived) == 1_010
    assert round(kept / len(arrived), 5) == 0.89505


def test_the_same_file_again_changes_nothing_and_says_so(
    uci: Export, waarborg: Waarborg, imported: Callable[..., Summary], uci_file: Path
) -> None:
    again = imported(uci_file, "uci_servicenow", "UCI")
    assert {again[key] for key in ("tickets_new", "tickets_changed", "facts_new", "promises")} == {
        0
    }
    assert exported(waarborg, "UCI") == uci
    said = waarborg(
        "import", "incidents", uci_file, "--profile", "uci_servicenow", "--tenant", "UCI"
    )
    assert "Nothing new" in said


def test_a_replay_of_the_imported_logs_gives_identical_verdicts(
    boston: Export, uci: Export, waarborg: Waarborg
) -> None:
    for tenant, tickets in (("Boston", 58_119), ("UCI", 14_955)):
        told = json.loads(waarborg("evaluate", "--verify", "--tenant", tenant, "--json"))
        assert told == {"tickets": tickets, "differences": 0, "first": []}


def test_memory_does_not_grow_with_the_file(
    imported: Callable[..., Summary], uci_file: Path, tmp_path: Path
) -> None:
    table = pq.read_table(uci_file)
    numbers = table.column("number")
    shift = pc.max(numbers).as_py() + 1
    larger = tmp_path / "four.parquet"
    with pq.ParquetWriter(larger, table.schema) as writer:
        for copy in range(4):
            moved = pc.add(numbers, pa.scalar(copy * shift, numbers.type))
            writer.write_table(table.set_column(0, table.schema.field(0), moved))
    once = imported(uci_file, "uci_servicenow", "UCI once")
    four = imported(larger, "uci_servicenow", "UCI four times")
    say({key: (once[key], four[key]) for key in ("rows", "rows_per_s", "peak_rss_mb")})
    assert four["rows"] == 4 * once["rows"]
    assert four["tickets_new"] == 4 * once["tickets_new"]
    assert four["peak_rss_mb"] < once["peak_rss_mb"] + 40


def test_rows_as_csv_say_the_same_as_rows_as_parquet(
    waarborg: Waarborg, imported: Callable[..., Summary], log: Callable[[str], Path], tmp_path: Path
) -> None:
    file = log("boston311_2015_h1.parquet")
    some = pq.read_table(file).slice(20_000, 3_000)
    parquet, text = tmp_path / "some.parquet", tmp_path / "some.csv"
    pq.write_table(some, parquet)
    with text.open("w", newline="", encoding="utf-8-sig") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow(some.column_names)
        writer.writerows(list(row.values()) for row in some.to_pylist())
    imported(parquet, "boston311", "Boston Parquet")
    imported(text, "boston311", "Boston CSV")
    keep = ("external_id", "promise", "opened_at", "due_at", "stopped_at", "verdict", "target_s")
    one, other = (
        [[row[name] for name in keep] for row in exported(waarborg, tenant)]
        for tenant in ("Boston Parquet", "Boston CSV")
    )
    assert one == other
    assert len(one) > 2_500
    assert instant(one[0][2]).tzinfo == UTC


@pytest.mark.anyio
@pytest.mark.parametrize("tenant", ["SFFD", "UCI", "Boston"])
async def test_judging_an_imported_ticket_online_changes_no_row_and_tells_no_fact(
    request: pytest.FixtureRequest, make: Sessions, tenant: str
) -> None:
    request.getfixturevalue(tenant.lower())
    async with make() as session:
        [company] = await session.scalars(select(Tenant.id).where(Tenant.name == tenant))
        watched = await session.scalars(
            select(PromiseWatch.unit_id)
            .where(PromiseWatch.tenant_id == company)
            .order_by(PromiseWatch.unit_id)
        )
        tickets = watched.all()
    actor = Actor.system(company, "test", origin=Origin.HISTORY)
    facts = select(func.count()).where(LedgerRow.tenant_id == company)
    judged = 0
    for ticket in tickets[:: max(1, len(tickets) // ONLINE_CASES)]:
        async with transaction(make) as session:
            rows = await session.scalars(select(Promise).where(Promise.incident_id == ticket))
            by_set = [told(row) for row in sorted(rows, key=lambda row: row.id)]
            if not by_set:  # no promise holds for this sort of ticket
                continue
            looked_at = await session.scalar(
                select(func.max(Promise.evaluated_at)).where(Promise.incident_id == ticket)
            )
            assert looked_at is not None
            before = await session.scalar(facts)
            online = await promises.evaluate(session, actor, ticket, at=looked_at)
            assert [told(row) for row in sorted(online, key=lambda row: row.id)] == by_set
            assert await session.scalar(facts) == before
            judged += len(online)
    assert judged >= ONLINE_CASES / 2


def told(row: Promise) -> dict[str, Any]:
    """All a row says, except when it was looked at last."""
    return {
        column.key: getattr(row, column.key)
        for column in Promise.__table__.columns
        if column.key != "evaluated_at"
    }
