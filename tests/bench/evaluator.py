"""What the product computes of an account's log, and the same by three engines, in one run.

`python -m tests.bench.evaluator --events 1e6 1e7 --cores 1 2`: compare the ratios, machines are noisy. Every number of
events and cores is a process of its own, pinned to its cores. The product judges an account on one thread, so more
cores help the others only. The functions in `OURS` are those that measuring calls, by the names of their rows.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

from domain.archive.rules import EventLog as AccountLog
from domain.evaluator.kernels.codes import ClockState
from domain.evaluator.kernels.columns import Events
from domain.evaluator.kernels.layout import seal
from domain.evaluator.kernels.scores import WEIGHTS
from domain.quality.actions import spans_of
from domain.quality.burn_rate import Burning, burns
from domain.quality.model import Burn
from domain.quality.rules import Measuring, ScopeFigures
from tests.bench import with_duckdb, with_numpy, with_polars
from tests.bench.account import account_log
from tests.bench.answers import Answers, disagreement
from tests.bench.log import FIRST_US, LOCAL, Log, synthetic

T = TypeVar("T")
Figures = tuple[float, float, str]  # wall s, CPU s, whether it agrees ("" where it has no say)
HEADERS = (
    "events",
    "cores",
    "engine",
    "wall s",
    "CPU s",
    "CPU ns/event",
    "÷ arrival",
    "÷ resident",
    "agrees",
)
_BURN = {Burn.CALM: 0, Burn.PAGE: 1, Burn.TICKET: 2}


def from_arrival(log: Log) -> Answers:
    """Lay the events out as they came, judge them, measure the windows of every promise and its burn rate."""
    sealed = seal(log.events, log.promises)
    return resident(log, account_log(log, sealed))


def resident(log: Log, account: AccountLog) -> Answers:
    """Judge a log that was loaded, measure the windows of every promise and its burn rate."""
    measuring = Measuring(account, log.at_us, LOCAL, WEIGHTS)
    windows = measuring.of_terms(log.spans)
    burned = list(burns(measuring, log.at_us))
    rows, p = measuring.verdicts, log.promises.cls.size
    late = np.isin(rows.state, (ClockState.LATE_OPEN, ClockState.LATE_CLOSED))
    return Answers(
        windows.promise.astype(np.int64),
        windows.span.astype(np.int64),
        windows.n,
        windows.kept,
        windows.p50_us,
        windows.p90_us,
        windows.p95_us,
        windows.score,
        np.bincount(rows.promise[rows.state == ClockState.RUNNING], minlength=p),
        np.bincount(rows.promise[rows.state == ClockState.PAUSED], minlength=p),
        _burn_of(burned, p),
        np.sort(rows.breach_us[late]),
    )


def everything(log: Log, account: AccountLog) -> list[ScopeFigures]:
    """Measure what is stored of an account that is new: promises, sites, the account, scores and input hashes."""
    measuring = Measuring(account, log.at_us, LOCAL, WEIGHTS)
    return list(measuring.found(spans_of(LOCAL, FIRST_US, log.at_us)))


def latest(log: Log, account: AccountLog) -> list[ScopeFigures]:
    """Measure what a new verdict changes: the same for the windows around now."""
    measuring = Measuring(account, log.at_us, LOCAL, WEIGHTS)
    return list(measuring.found(spans_of(LOCAL, log.at_us, log.at_us)))


ARRIVAL = "seal → Measuring → of_terms → burns"
RESIDENT = "Measuring → of_terms → burns"
EVERYTHING = "Measuring → found, 20 sites, all windows"
LATEST = "Measuring → found, 20 sites, windows of now"
OURS: Mapping[str, Callable[..., object]] = {
    ARRIVAL: from_arrival,
    RESIDENT: resident,
    EVERYTHING: everything,
    LATEST: latest,
}


def _burn_of(burned: list[Burning], promises: int) -> np.ndarray:
    found = np.zeros(promises, np.int64)
    for each in burned:
        found[each.term] = _BURN[each.burn]
    return found


class Took(NamedTuple):
    """Fastest of several rounds: what the machine can do when nobody disturbs it."""

    wall_s: float
    cpu_s: float  # of all threads


def timed(work: Callable[[], T], rounds: int) -> tuple[Took, T]:
    """Run `work` several times."""
    took, found = Took(float("inf"), float("inf")), None
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        found = work()
        took = Took(
            min(took.wall_s, time.perf_counter() - wall), min(took.cpu_s, time.process_time() - cpu)
        )
    assert found is not None
    return took, found


def engines(log: Log, rounds: int, cores: int) -> dict[str, Figures]:
    """Time everybody on the same log and see whether they agree with us."""
    from_arrival(log)  # compile, or load what was compiled
    columns = [np.ascontiguousarray(c).view(np.uint8) for c in log.events]
    stream, _ = timed(lambda: [c[: c.size & ~7].view(np.int64).sum() for c in columns], rounds)
    ours, answer = timed(lambda: from_arrival(log), rounds)
    account = account_log(log, seal(log.events, log.promises))
    loaded, again = timed(lambda: resident(log, account), rounds)
    figures = {
        ARRIVAL: (*ours, "yes"),
        RESIDENT: (*loaded, disagreement(answer, again) or "yes"),
    }
    peers: dict[str, Callable[[Log], Answers]] = {
        "NumPy": with_numpy.evaluate,
        "polars": with_polars.evaluate,
        "DuckDB": partial(with_duckdb.evaluate, threads=cores),
    }
    for name, evaluate in peers.items():
        took, theirs = timed(partial(evaluate, log), rounds)
        figures[name] = (*took, disagreement(answer, theirs) or "yes")
    for name, measure in ((EVERYTHING, everything), (LATEST, latest)):
        took, _ = timed(partial(measure, log, account), rounds)
        figures[name] = (*took, "")
    return figures | {"limit: stream the bytes": (*stream, "")}


def pinned(events: int, cores: int, rounds: int, promises: int) -> dict[str, Figures]:
    """Time the engines in a process of their own that has so many cores."""
    command = [sys.executable, "-m", "tests.bench.evaluator", "--pinned", "--events", str(events)]
    command += ["--cores", str(cores), "--rounds", str(rounds), "--promises", str(promises)]
    environment = os.environ | {"POLARS_MAX_THREADS": str(cores)}  # read at its import
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return {name: (wall, cpu, says) for name, (wall, cpu, says) in json.loads(done.stdout).items()}


def add_rows(table: Table, n: int, cores: int, figures: dict[str, Figures]) -> None:
    """One row per engine, with its time over ours."""
    for name, (wall_s, cpu_s, agrees) in figures.items():
        ratios = (
            f"{wall_s / figures[ours][0]:.1f} ({cpu_s / figures[ours][1]:.1f})" if agrees else ""
            for ours in (ARRIVAL, RESIDENT)
        )
        times = (f"{wall_s:.3f}", f"{cpu_s:.3f}", f"{cpu_s / n * 1e9:.0f}")
        table.add_row(f"{n:,}", str(cores), name, *times, *ratios, agrees)
    table.add_section()


def memory(log: Log, console: Console) -> None:
    """Print the peak memory of `from_arrival`, over the bytes of the event columns."""
    with tempfile.TemporaryDirectory() as directory:
        for name, column in log.events._asdict().items():
            np.save(Path(directory) / name, column)
        size = sum(column.nbytes for column in log.events)
        command = [sys.executable, "-m", "tests.bench.evaluator", "--stored", directory]
        command += ["--promises", str(log.promises.cls.size)]
        peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    console.print(
        f"peak memory of {ARRIVAL}, its columns included: {peak / 1e6:.0f} MB "
        f"= {peak / size:.1f} × the {size / 1e6:.0f} MB of its columns"
    )


def peak_of_stored(directory: Path, promises: int) -> int:
    """Evaluate stored columns; return the peak, without what the process weighed before."""
    log = synthetic(2_000, promises=promises)
    from_arrival(log)
    events = Events._make(np.load(directory / f"{name}.npy") for name in Events._fields)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far (Linux)
    before = _status("VmRSS") - sum(column.nbytes for column in events)
    from_arrival(log._replace(events=events))
    return _status("VmHWM") - before


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def main() -> None:
    """Run the benchmark and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=float, nargs="+", default=[1e6, 1e7])
    options.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    options.add_argument("--rounds", type=int, help="default: 3, from 5,000,000 events on 1")
    options.add_argument("--promises", type=int, default=0)
    options.add_argument("--pinned", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--stored", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.stored:
        sys.stdout.write(str(peak_of_stored(chosen.stored, chosen.promises)))
        return
    if chosen.pinned:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: chosen.cores[0]])
        log = synthetic(int(chosen.events[0]), promises=chosen.promises)
        sys.stdout.write(json.dumps(engines(log, chosen.rounds, chosen.cores[0])))
        return
    console = Console(width=140)  # the table needs it, also in a log
    table = Table(title="fastest of the rounds; ratios: wall (CPU)")
    for header in HEADERS:
        table.add_column(header, justify="left" if header == "engine" else "right")
    for events in map(int, chosen.events):
        log = synthetic(events, promises=chosen.promises)
        for cores in chosen.cores:
            rounds = chosen.rounds or (3 if events < 5_000_000 else 1)
            found = pinned(events, cores, rounds, chosen.promises)
            add_rows(table, log.events.ts.size, cores, found)
        memory(log, console)
    console.print(table)


if __name__ == "__main__":
    main()
