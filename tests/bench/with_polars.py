"""The evaluation as one writes it in polars: expressions over units, as-of joins, dynamic groups."""

import numpy as np
import polars as pl

from domain.evaluator.kernels.burn_rate import ENOUGH, PAGE, TICKET
from tests.bench.answers import DUE, FLOW, POINT, Answers, dimension, intervals, spans
from tests.bench.log import DAY, MINUTE, Log

UNIT = ["promise", "unit"]
HALF_LIFE = 30 * DAY
BURN = ((144, 60, 5, PAGE), (60, 360, 30, PAGE), (10, 4320, 360, TICKET))  # tenths, minutes


def evaluate(log: Log) -> Answers:
    """Everything `ours` answers."""
    terms = pl.DataFrame(dimension(log))
    worked = pl.DataFrame(intervals(log.calendars)).sort("open")
    events = (
        pl.DataFrame(log.events._asdict())
        .with_row_index("seq")
        .with_columns(pl.col("promise", "unit", "kind", "priority").cast(pl.Int64))
        .filter(pl.col("ts") <= log.at_us)
        .join(terms, on="promise")
        .with_columns(
            target=pl.coalesce(
                pl.when(pl.col("priority") == i).then(pl.col(f"target{i}")) for i in range(4)
            )
        )
    )
    units = pl.concat([_flow(events, worked, log.at_us), _due(events, log.at_us), _points(events)])
    done = units.filter(pl.col("tau") >= 0).sort("promise", "tau", "unit")
    windows = _windows(done, log)
    p = log.promises.cls.size

    def per_promise(flag: str) -> np.ndarray:
        return np.bincount(units.filter(pl.col(flag))["promise"].to_numpy(), minlength=p)

    columns = ("promise", "span", "n", "kept", "p50", "p90", "p95")
    late = units.filter(~pl.col("kept") & (pl.col("tau") >= 0))
    return Answers._make(
        (
            *(windows[c].cast(pl.Int64).to_numpy() for c in columns),
            windows["score"].to_numpy(),
            per_promise("running"),
            per_promise("paused"),
            _burn(done, terms, p, log.at_us),
            late["tau"].sort().to_numpy(),
        )
    )


def _working(frame: pl.DataFrame, worked: pl.DataFrame, column: str, into: str) -> pl.DataFrame:
    found = frame.sort(column).join_asof(
        worked, left_on=column, right_on="open", by="calendar", strategy="backward",
        check_sortedness=False, coalesce=False,
    )  # fmt: skip
    t = pl.col(column)
    c = pl.col("before") + pl.min_horizontal(t, "close") - pl.col("open")
    return found.with_columns(pl.when(pl.col("always") == 1).then(t).otherwise(c).alias(into)).drop(
        "open", "close", "before"
    )


def _instant(frame: pl.DataFrame, worked: pl.DataFrame, column: str, into: str) -> pl.DataFrame:
    found = frame.sort(column).join_asof(
        worked.sort("before"), left_on=column, right_on="before", by="calendar",
        strategy="backward", check_sortedness=False, coalesce=False,
    )  # fmt: skip
    c = pl.col(column)
    instant = pl.col("open") + c - pl.col("before")
    return found.with_columns(
        pl.when(pl.col("always") == 1).then(c).otherwise(instant).alias(into)
    ).drop("open", "close", "before")


def _flow(events: pl.DataFrame, worked: pl.DataFrame, at: int) -> pl.DataFrame:
    kind = pl.col("kind")
    flow = events.filter(pl.col("cls") == FLOW).with_columns(at=pl.lit(at))
    flow = _working(_working(flow, worked, "ts", "c"), worked, "at", "c_at")
    flow = flow.sort("promise", "unit", "ts", "seq").with_columns(
        opened=pl.when(kind.is_in([1, 5])).then(True).when(kind == 2).then(False)
        .forward_fill().over(UNIT).fill_null(False),
        held=pl.when(kind == 3).then(True).when(kind == 4).then(False)
        .forward_fill().over(UNIT).fill_null(False),
        next_c=pl.col("c").shift(-1).over(UNIT).fill_null(pl.col("c_at")),
    )  # fmt: skip
    runs = pl.col("opened") & ~pl.col("held")
    flow = flow.with_columns(
        step=pl.when(runs).then(pl.col("next_c") - pl.col("c")).otherwise(0)
    ).with_columns(total=pl.col("step").cum_sum().over(UNIT))
    crossing = pl.col("total") > pl.col("target")
    units = flow.group_by(UNIT, maintain_order=True).agg(
        pl.col("target", "calendar", "always").first(),
        m=pl.col("total").last(),
        opened=pl.col("opened").last(),
        held=pl.col("held").last(),
        stop=pl.col("ts").filter(pl.col("kind") == 2).last(),
        c_late=(pl.col("c") + pl.col("target") - pl.col("total") + pl.col("step"))
        .filter(crossing)
        .first(),
    )
    late = units.filter(pl.col("c_late").is_not_null())
    late = _instant(late, worked, "c_late", "breach").select(*UNIT, "breach")
    units = units.join(late, on=UNIT, how="left")
    is_late = pl.col("c_late").is_not_null()
    return units.select(
        *UNIT,
        tau=pl.when(is_late).then(pl.col("breach"))
        .when(~pl.col("opened")).then(pl.col("stop")).otherwise(-1),
        m=pl.col("m"),
        kept=~is_late & ~pl.col("opened"),
        q=pl.when(~is_late).then(1.0).when(pl.col("opened")).then(0.0)
        .otherwise(pl.max_horizontal(0.0, 2.0 - pl.col("m") / pl.col("target"))),
        running=pl.col("opened") & ~pl.col("held") & ~is_late,
        paused=pl.col("opened") & pl.col("held") & ~is_late,
    )  # fmt: skip


def _due(events: pl.DataFrame, at: int) -> pl.DataFrame:
    """DUE promises of this log count around the clock."""
    units = (
        events.filter(pl.col("cls") == DUE)
        .sort("promise", "unit", "ts", "seq")
        .group_by(UNIT, maintain_order=True)
        .agg(
            pl.col("target").first(),
            s=pl.col("ts").filter(pl.col("kind") == 1).first(),
            e=pl.col("ts").filter(pl.col("kind") == 2).first(),
        )
        .filter(pl.col("s").is_not_null())
        .with_columns(m=pl.max_horizontal(0, pl.col("e").fill_null(at) - pl.col("s")))
    )
    is_late, is_open = pl.col("m") > pl.col("target"), pl.col("e").is_null()
    return units.select(
        *UNIT,
        tau=pl.when(is_late).then(pl.col("s") + pl.col("target"))
        .when(is_open).then(-1).otherwise(pl.max_horizontal("s", "e")),
        m=pl.col("m"),
        kept=~is_late & ~is_open,
        q=pl.when(~is_late).then(1.0).when(is_open).then(0.0)
        .otherwise(pl.max_horizontal(0.0, 2.0 - pl.col("m") / pl.col("target"))),
        running=is_open & ~is_late,
        paused=pl.lit(False),
    )  # fmt: skip


def _points(events: pl.DataFrame) -> pl.DataFrame:
    return (
        events.filter(pl.col("cls") == POINT)
        .sort("promise", "unit", "ts", "seq")
        .select(
            *UNIT,
            tau=pl.col("ts"),
            m=pl.lit(0, pl.Int64),
            kept=pl.col("value") >= 7,
            q=pl.col("value").cast(pl.Float64) / 10,
            running=pl.lit(False),
            paused=pl.lit(False),
        )
    )


def _windows(done: pl.DataFrame, log: Log) -> pl.DataFrame:
    table = pl.DataFrame(spans(log))
    measures = pl.col("m").sort()

    def ranked(p: int) -> pl.Expr:
        return measures.get((pl.len() * p + 99) // 100 - 1)

    says = {"n": pl.len(), "kept": pl.col("kept").sum(), "p50": ranked(50), "p90": ranked(90),
            "p95": ranked(95)}  # fmt: skip
    rows = []
    for kind in range(5):
        mine = table.filter(pl.col("kind") == kind).sort("from_us")
        rows.append(
            done.sort("tau")
            .join_asof(mine, left_on="tau", right_on="from_us", check_sortedness=False)
            .group_by("promise", "span", "until_us")
            .agg(**says)
        )
    for kind in range(5, 8):  # rolling: one window up to now
        for span, since, until in (
            table.filter(pl.col("kind") == kind).select("span", "from_us", "until_us").iter_rows()
        ):
            rows.append(
                done.filter((pl.col("tau") >= since) & (pl.col("tau") < until))
                .group_by("promise")
                .agg(**says)
                .with_columns(span=pl.lit(span, pl.Int64), until_us=pl.lit(until, pl.Int64))
            )
    found = pl.concat(r.select("promise", "span", "until_us", *says) for r in rows)
    weight = (((pl.col("tau") - log.at_us) / HALF_LIFE) * np.log(2)).exp()
    sums = done.with_columns(w=weight).select(
        "promise",
        "tau",
        weights=pl.col("w").cum_sum().over("promise"),
        values=(pl.col("w") * pl.col("q")).cum_sum().over("promise"),
    )
    scored = found.sort("until_us").join_asof(
        sums.sort("tau"), left_on="until_us", right_on="tau", by="promise",
        allow_exact_matches=False, check_sortedness=False,
    )  # fmt: skip
    return scored.with_columns(score=pl.col("values") / pl.col("weights")).sort("promise", "span")


def _burn(done: pl.DataFrame, terms: pl.DataFrame, p: int, at: int) -> np.ndarray:
    """The fastest pair of trailing windows at `at`."""
    late, seen = ~pl.col("kept"), pl.col("tau")
    widths = sorted({w for _, long, short, _ in BURN for w in (long, short)})
    sums = {f"one{w}": (seen > at - w * MINUTE).sum() for w in widths}
    sums |= {f"late{w}": ((seen > at - w * MINUTE) & late).sum() for w in widths}
    frame = (
        done.filter(seen > at - max(widths) * MINUTE)
        .group_by("promise")
        .agg(**sums)
        .with_columns(pl.exclude("promise").cast(pl.Int64))
        .join(terms.select("promise", free=1_000_000 - pl.col("objective")), on="promise")
    )

    def fast(minutes: int, tenths: int) -> pl.Expr:
        missed, n = pl.col(f"late{minutes}"), pl.col(f"one{minutes}")
        return (missed > 0) & (missed * 10_000_000 >= tenths * n * pl.col("free"))

    says = pl.coalesce(
        *(
            pl.when(
                (pl.col(f"one{long}") >= ENOUGH) & fast(long, tenths) & fast(short, tenths)
            ).then(bit)
            for tenths, long, short, bit in BURN
        ),
        0,
    )
    found = frame.select("promise", says.alias("burn"))
    burn = np.zeros(p, np.int64)
    burn[found["promise"].to_numpy()] = found["burn"].to_numpy()
    return burn
