"""The same evaluation beyond one process: Parquet partitions, two local Dask workers, equal bits.

`python -m tests.bench.dask --events 1e6`. Promises are dealt over partitions; a partition is a file.
"""

import argparse
import hashlib
import tempfile
import time
from pathlib import Path
from typing import Any

import distributed
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from domain.kernels import Events
from domain.kernels.replay import Replay, replay
from tests.bench.log import Log, synthetic

PARTITIONS = 24


def stored(log: Log, directory: Path) -> list[Path]:
    """Write one Parquet file per partition; promise p is in partition p % PARTITIONS."""
    table = pa.table(log.events._asdict())
    bucket = log.events.promise % PARTITIONS
    paths = []
    for b in range(PARTITIONS):
        paths.append(directory / f"{b:02}.parquet")
        pq.write_table(table.filter(pa.array(bucket == b)), paths[-1], compression="zstd")
    return paths


def evaluated(path: Path, rest: Log) -> dict[int, str]:
    """Fingerprints of the promises in one partition."""
    table = pq.read_table(path)
    events = Events._make(table[name].to_numpy() for name in Events._fields)
    return fingerprints(events, rest, threads=1)


def fingerprints(events: Events, rest: Log, threads: int) -> dict[int, str]:
    """One text per promise that occurs, equal when every bit of its answer is."""
    found = replay(events, rest.promises, rest.calendars, rest.at_us, rest.spans, threads=threads)
    return {int(p): _fingerprint(found, int(p)) for p in np.unique(events.promise)}


def _fingerprint(found: Replay, p: int) -> str:
    digest = hashlib.sha256()
    for part in (found.windows, found.late):
        low, high = np.searchsorted(part.promise, [p, p + 1])
        for column in part:
            digest.update(np.ascontiguousarray(column[low:high]).tobytes())
    for column in (*found.open, found.pages, found.tickets):
        digest.update(column[p].tobytes())
    return digest.hexdigest()


def main() -> None:
    """Evaluate a log in this process and on two workers; compare answers and times."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=float, default=1e6)
    cluster_of: Any = distributed.LocalCluster
    client_of: Any = distributed.Client
    console, log = Console(width=130), synthetic(int(options.parse_args().events))
    rest = log._replace(events=Events._make(column[:0] for column in log.events))
    with tempfile.TemporaryDirectory() as directory:
        paths = stored(log, Path(directory))
        evaluated(paths[0], rest)
        start = time.perf_counter()
        alone: dict[int, str] = {}
        for path in paths:
            alone |= evaluated(path, rest)
        here = time.perf_counter() - start
        start = time.perf_counter()
        with (
            cluster_of(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
            client_of(cluster) as client,
        ):
            ready = time.perf_counter() - start
            shared = client.scatter(rest, broadcast=True)
            client.gather(client.map(evaluated, paths[:2], rest=shared, pure=False))  # warm
            start = time.perf_counter()
            spread: dict[int, str] = {}
            for part in client.gather(client.map(evaluated, paths, rest=shared, pure=False)):
                spread |= part
            there = time.perf_counter() - start
    whole = fingerprints(log.events, log, threads=2)
    console.print(
        f"{log.events.ts.size:,} events in {PARTITIONS} Parquet partitions: this process, one "
        f"thread {here:.2f} s; two workers {there:.2f} s ({here / there:.2f}×, of 2 possible), "
        f"ready after {ready:.1f} s; answers {'equal' if whole == alone == spread else 'DIFFER'}"
    )


if __name__ == "__main__":
    main()
