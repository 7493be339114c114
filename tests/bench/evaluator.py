"""The same evaluation by four engines in one run, with the time of streaming the bytes as the limit.

`python -m tests.bench.evaluator --events 1e6 1e7 --cores 1 2`: compare the ratios, machines are
noisy. Every number of events and cores is a process of its own, pinned to its cores.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

from domain.kernels import Events
from domain.kernels.live import LiveVerdicts
from domain.kernels.replay import replay, replay_sealed, sealed_log
from tests.bench import with_duckdb, with_numpy, with_polars
from tests.bench.answers import Answers, disagreement, of_replay
from tests.bench.log import Log, synthetic

T = TypeVar("T")
Figures = tuple[float, float, str]  # wall s, CPU s, whether it agrees ("" where it has no say)
ARRIVAL, RESIDENT = "kernels, arrival order", "kernels, resident"
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
    rest = (log.promises, log.calendars, log.at_us, log.spans)
    replay(log.events, *rest, threads=cores)  # compile, or load what was compiled
    columns = [np.ascontiguousarray(c).view(np.uint8) for c in log.events]
    stream, _ = timed(lambda: [c[: c.size & ~7].view(np.int64).sum() for c in columns], rounds)
    ours, found = timed(lambda: replay(log.events, *rest, threads=cores), rounds)
    sealed = sealed_log(log.events, log.promises, threads=cores)
    resident, again = timed(lambda: replay_sealed(sealed, *rest, threads=cores), rounds)
    answer = of_replay(found)
    wrong = disagreement(answer, of_replay(again)) or "yes"
    figures = {ARRIVAL: (*ours, wrong), RESIDENT: (*resident, wrong)}
    peers: dict[str, Callable[[Log], Answers]] = {
        "NumPy": with_numpy.evaluate,
        "polars": with_polars.evaluate,
        "DuckDB": partial(with_duckdb.evaluate, threads=cores),
    }
    for name, evaluate in peers.items():
        took, theirs = timed(partial(evaluate, log), rounds)
        figures[name] = (*took, disagreement(answer, theirs) or "yes")
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


def keeping_up(log: Log, console: Console) -> None:
    """Append to a state that holds the log, and compare with evaluating it again."""
    rest = (log.promises, log.calendars, log.at_us)
    events, n = log.events, log.events.ts.size
    live, step = LiveVerdicts(log.promises, log.calendars), 500_000

    def piece(start: int, count: int) -> Events:
        return Events._make(column[start : start + count] for column in events)

    live.append(piece(0, 1), log.at_us)
    held, start = n - 100_000, time.perf_counter()
    for first in range(1, held, step):
        live.append(piece(first, min(step, held - first)), log.at_us)
    bulk = (time.perf_counter() - start) / held
    thousand = [
        timed(partial(live.append, piece(first, 1000), log.at_us), 1)[0]
        for first in range(held, held + 50_000, 1000)
    ]
    one = [
        timed(partial(live.append, piece(first, 1), log.at_us), 1)[0]
        for first in range(held + 50_000, held + 60_000)
    ]
    whole, _ = timed(lambda: replay(events, *rest, log.spans), 3)
    state = sum(column.nbytes for column in live.store) / n
    console.print(
        f"live state of {held:,} events, {state:.0f} bytes/event, bulk {bulk * 1e6:.2f} µs/event"
    )
    for name, whole_s, thousand_s, one_s in zip(
        ("wall", "CPU"), whole, np.transpose(thousand), np.transpose(one), strict=True
    ):
        console.print(
            f"{name}: 1,000 events {np.median(thousand_s) * 1e6:.0f} µs "
            f"= full ÷ {whole_s / np.median(thousand_s):.0f}; one append {np.median(one_s) * 1e6:.0f} µs, "
            f"p99 {np.percentile(one_s, 99) * 1e6:.0f} µs"
        )


def memory(log: Log, console: Console) -> None:
    """Peak memory of one replay in a process of its own, over the bytes of the event columns."""
    with tempfile.TemporaryDirectory() as directory:
        for name, column in log.events._asdict().items():
            np.save(Path(directory) / name, column)
        size = sum(column.nbytes for column in log.events)
        command = [sys.executable, "-m", "tests.bench.evaluator", "--replay", directory]
        command += ["--promises", str(log.promises.cls.size)]
        peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    console.print(
        f"peak memory of a replay, its columns included: {peak / 1e6:.0f} MB "
        f"= {peak / size:.1f} × the {size / 1e6:.0f} MB of its columns"
    )


def replay_stored(directory: Path, promises: int) -> int:
    """Replay stored columns; return the peak, without what the process weighed before."""
    log = synthetic(2_000, promises=promises)
    rest = (log.promises, log.calendars, log.at_us, log.spans)
    replay(log.events, *rest)
    events = Events._make(np.load(directory / f"{name}.npy") for name in Events._fields)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far (Linux)
    before = _status("VmRSS") - sum(column.nbytes for column in events)
    replay(events, *rest)
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
    options.add_argument("--replay", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.replay:
        sys.stdout.write(str(replay_stored(chosen.replay, chosen.promises)))
        return
    if chosen.pinned:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: chosen.cores[0]])
        log = synthetic(int(chosen.events[0]), promises=chosen.promises)
        sys.stdout.write(json.dumps(engines(log, chosen.rounds, chosen.cores[0])))
        return
    console = Console(width=130)  # the table needs it, also in a log
    table = Table(title="fastest of the rounds; ratios: wall (CPU)")
    for header in HEADERS:
        table.add_column(header, justify="left" if header == "engine" else "right")
    for events in map(int, chosen.events):
        log = synthetic(events, promises=chosen.promises)
        for cores in chosen.cores:
            rounds = chosen.rounds or (3 if events < 5_000_000 else 1)
            found = pinned(events, cores, rounds, chosen.promises)
            add_rows(table, log.events.ts.size, cores, found)
        keeping_up(log, console)
        memory(log, console)
    console.print(table)


if __name__ == "__main__":
    main()
