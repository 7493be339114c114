"""The verdict kernel on logs that nobody here made, against what their owners published."""

import json
import os
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.parquet as pq
import pytest

from domain.calendars.rules import calendars_for
from domain.calendars.spec import CalendarSpec
from domain.evaluator.kernels.batch import verdicts
from domain.evaluator.kernels.codes import ClockState, EventKind, PromiseClass
from domain.evaluator.kernels.columns import (
    Event,
    PromiseInput,
    Verdicts,
    event_columns,
    promise_columns,
)

DATA = Path(os.environ.get("WAARBORG_REAL_DATA", "../shared/data"))
pytestmark = pytest.mark.skipif(
    not (DATA / "TRUTH.json").exists(), reason="set WAARBORG_REAL_DATA to the real logs"
)
MINUTE, HOUR, NEVER = 60_000_000, 3_600_000_000, (-1, -1, -1, -1)
ROUND = ((0, 1440),)
FIRM = [
    "Building Inspection Request",
    "Electrical",
    "Tree Emergencies",
    "CE Collection",
    "Sign Repair",
]


def table(name: str, *columns: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pq.read_table(
        DATA / "sla" / name, columns=list(columns)
    ).to_pylist()
    return rows


def truth(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((DATA / "TRUTH.json").read_text())[name]
    return found


def instant(wall: object, zone: str) -> int:
    assert isinstance(wall, datetime)
    return round(wall.replace(tzinfo=ZoneInfo(zone)).timestamp()) * 10**6


def judged(events: list[Event], promises: list[PromiseInput], spec: CalendarSpec) -> Verdicts:
    columns, log = promise_columns(promises), event_columns(events)
    at = int(log.ts.max())
    return verdicts(log, columns, calendars_for([spec], columns, int(log.ts.min()), at), at)


@pytest.mark.parametrize("kind", FIRM)
def test_business_days_reproduce_the_targets_of_boston(kind: str) -> None:
    expected = truth("boston311_h1")["calendar_0830_1700_MonFri_MAholidays"]
    assert isinstance(expected, dict)
    days = expected[kind]["n_business_days"]
    office = CalendarSpec(
        "America/New_York", hours=(((510, 1020),),) * 5 + ((), ()), country="US", subdivision="MA"
    )
    cases = [
        r
        for r in table("boston311_2015_h1.parquet", "type", "open_dt", "target_dt")
        if r["type"] == kind and r["target_dt"] is not None
    ]
    events = [
        Event(instant(r["open_dt"], office.zone), 0, unit, EventKind.START)
        for unit, r in enumerate(cases)
    ]

    rows = judged(events, [PromiseInput(PromiseClass.FLOW, NEVER, (days,) * 4)], office)

    targets = np.array([instant(r["target_dt"], office.zone) for r in cases])
    share = np.mean(np.abs(rows.breach_us - targets) <= 2 * MINUTE)
    assert rows.unit.size == expected[kind]["rows"]
    assert share == pytest.approx(expected[kind]["reproduced_within_2min"], abs=5e-5)
    assert share >= 0.99


@pytest.mark.parametrize(("priority", "target_h"), [(3, 154.2), (4, 345.6)])
def test_weekday_hours_reproduce_the_flag_of_a_service_desk(priority: int, target_h: float) -> None:
    weekdays = CalendarSpec("UTC", hours=(ROUND,) * 5 + ((), ()))
    last = {
        r["number"]: r
        for r in table(
            "uci_incident_events_open.parquet",
            *("number", "sys_mod_count", "made_sla", "priority", "opened_at", "closed_at"),
        )
    }
    closed = [r for r in last.values() if r["priority"] == priority and r["closed_at"]]
    events = []
    for unit, r in enumerate(closed):
        events.append(Event(instant(r["opened_at"], "UTC"), 0, unit, EventKind.START))
        events.append(Event(instant(r["closed_at"], "UTC"), 0, unit, EventKind.STOP))

    rows = judged(events, [PromiseInput(PromiseClass.FLOW, (int(target_h * HOUR),) * 4)], weekdays)

    made = np.array([r["made_sla"] for r in closed])
    assert np.mean((rows.state == ClockState.KEPT) == made) >= 0.99


def test_first_arrivals_within_eight_minutes_are_what_the_fire_service_counts() -> None:
    zone = "America/Los_Angeles"
    calls = [
        r
        for r in table(
            "sffd_calls_open.parquet",
            *("call_number", "final_priority", "received_dttm", "on_scene_dttm"),
        )
        if r["final_priority"] == 3 and r["on_scene_dttm"]
    ]
    numbers = {n: unit for unit, n in enumerate(sorted({r["call_number"] for r in calls}))}  # type: ignore[type-var]
    events = []
    for r in calls:
        unit = numbers[r["call_number"]]
        events.append(Event(instant(r["received_dttm"], zone), 0, unit, EventKind.START))
        events.append(Event(instant(r["on_scene_dttm"], zone), 0, unit, EventKind.STOP))

    rows = judged(
        events,
        [PromiseInput(PromiseClass.FLOW, (8 * MINUTE,) * 4)],
        CalendarSpec(zone, always_open=True),
    )

    expected = truth("sffd")
    assert rows.unit.size == expected["p3_calls_with_arrival"]
    assert np.mean(rows.state == ClockState.KEPT) == pytest.approx(
        expected["p3_first_arrival_le_8min"], abs=5e-6
    )
    assert np.median(rows.elapsed_us) / MINUTE == pytest.approx(5.3167, abs=1e-4)
