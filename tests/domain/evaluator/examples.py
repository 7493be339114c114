"""What the kernel tests share: calendars, instants, and hypothesis strategies for logs."""

from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from domain.calendars.rules import calendars_for
from domain.calendars.spec import CalendarSpec
from domain.evaluator.kernels.batch import verdicts
from domain.evaluator.kernels.codes import ClockState, EventKind, PromiseClass
from domain.evaluator.kernels.columns import Event, PromiseInput, event_columns, promise_columns
from tests import naive

MINUTE, HOUR = 60_000_000, 3_600_000_000
NEVER = (-1, -1, -1, -1)
OFFICE = ((540, 1020),)
SPECS = [
    CalendarSpec("Europe/Amsterdam", always_open=True),
    CalendarSpec("Europe/Amsterdam", hours=(OFFICE,) * 5 + ((), ()), country="NL"),
    CalendarSpec(  # several intervals, a night, short Fridays, weekends, Good Friday worked on
        "Europe/Amsterdam",
        hours=(
            ((0, 150), (540, 720), (780, 1020)),
            ((540, 720), (780, 1020)),
            ((540, 720), (780, 1080), (1200, 1440)),
            ((0, 360), (540, 1020)),
            ((540, 720),),
            ((90, 170), (600, 615)),
            ((90, 170), (1380, 1440)),
        ),
        country="NL",
        holidays_left_out=("Good Friday",),
        closures=(date(2026, 3, 31), date(2026, 10, 26)),
    ),
    CalendarSpec(  # edges inside the hour that is skipped and the hour that comes twice
        "Europe/Amsterdam", hours=(((120, 150), (165, 1440)),) * 7
    ),
    CalendarSpec("America/New_York", hours=(((510, 1020),),) * 5 + ((), ()), country="US"),
]
SEASONS = [(date(2026, 3, 20), date(2026, 5, 25)), (date(2026, 10, 18), date(2026, 12, 20))]


def local(*when: int, zone: str = "Europe/Amsterdam", fold: int = 0) -> int:
    """The instant, µs, of a wall clock."""
    wall = datetime(*when, tzinfo=ZoneInfo(zone), fold=fold)  # type: ignore[arg-type, misc]
    return int(wall.astimezone(UTC).timestamp()) * 10**6


@lru_cache
def season_start(season: int) -> int:
    return local(*SEASONS[season][0].timetuple()[:3])


def kernel_rows(
    events: list[Event],
    promises: list[PromiseInput],
    specs: list[CalendarSpec],
    at: int,
) -> list[naive.Row]:
    """The kernel's verdicts as plain rows."""
    columns = promise_columns(promises)
    first = min([at, *(e.ts for e in events)])
    calendars = calendars_for(specs, columns, first, at)
    found = verdicts(event_columns(events), columns, calendars, at)
    return [
        naive.Row(
            found.promise[i].item(),
            found.unit[i].item(),
            found.part[i].item(),
            ClockState(found.state[i].item()),
            found.warn[i].item(),
            found.started_us[i].item(),
            found.stopped_us[i].item(),
            found.target_us[i].item(),
            found.breach_us[i].item(),
            found.decided_us[i].item(),
            found.elapsed_us[i].item(),
            found.paused_us[i].item(),
            found.next_check_us[i].item(),
            None if found.quality[i] != found.quality[i] else found.quality[i].item(),
        )
        for i in range(found.promise.size)
    ]


def naive_rows(
    events: list[Event],
    promises: list[PromiseInput],
    specs: list[CalendarSpec],
    at: int,
    season: int,
) -> list[naive.Row]:
    """The twin's verdicts, over the days of one season."""
    calendars = [naive.Calendar(spec, *SEASONS[season]) for spec in specs]
    return naive.judge(events, promises, calendars, at)


def instants(season: int) -> st.SearchStrategy[int]:
    """Coarse enough to collide, fine enough to fall beside an edge."""
    minutes = st.integers(0, 20 * 24 * 4).map(lambda quarter: quarter * 15 * MINUTE)
    beside = st.sampled_from([0, 0, 0, 0, 1, -1, MINUTE, 7 * MINUTE + 13])
    return st.builds(lambda a, b: season_start(season) + 2 * 24 * HOUR + a + b, minutes, beside)


targets = st.one_of(
    st.just(-1),
    st.sampled_from([0, 1, 30 * MINUTE, HOUR, 4 * HOUR, 8 * HOUR]),
    st.integers(0, 30 * HOUR),
)


@st.composite
def promises(draw: st.DrawFn, cls: PromiseClass) -> PromiseInput:
    """A promise of one class on one of the calendars."""
    elapsed = draw(st.tuples(*[targets] * 4))
    days = tuple(draw(st.sampled_from([-1, 0, 1, 2, 5])) if t < 0 else -1 for t in elapsed)
    return PromiseInput(
        cls=cls,
        calendar=draw(st.integers(0, len(SPECS) - 1)),
        target_us=elapsed,
        business_days=days,
        objective_ppm=draw(st.sampled_from([0, 500_000, 900_000, 999_999, 1_000_000])),
        pausable=draw(st.booleans()),
    )


@st.composite
def logs(draw: st.DrawFn, promises: int, season: int, kinds: list[EventKind]) -> list[Event]:
    """A log in any order: ties, duplicates, out of order, later than T."""
    event = st.builds(
        Event,
        ts=instants(season),
        promise=st.integers(0, promises - 1),
        unit=st.sampled_from([-1, 3, 3, 4, 900_000]),
        kind=st.sampled_from(kinds),
        priority=st.integers(0, 3),
        value=st.sampled_from([0.0, 6.5, 7.0, 10.0, 12.0, float("nan")]),
    )
    return draw(st.lists(event, max_size=14))
