"""Reports of a run: progress lines, a table at the end, and a JSON file."""

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gevent
import msgspec

from loadtests.budgets import Budgets, Measured, Verdict, as_json
from loadtests.run import Run

SAY_EVERY_S = 10.0


def progress(run: Run) -> None:
    """Print a line every ten seconds during the run; print new kinds of failures at once."""
    began, known = time.monotonic(), 0
    while True:
        gevent.sleep(SAY_EVERY_S)
        total = run.environment.stats.total
        wrong = sum(run.audit.wrong.values())
        errors = list(run.environment.stats.errors.values())
        for each in errors[known : known + 5]:
            _say(f"        {each.method} {each.name}: {each.error}"[:300])
        known = len(errors)
        _say(
            f"{time.monotonic() - began:5.0f} s  {total.num_requests:7,} operations  {total.num_failures} failed  "
            f"{run.deliveries():8,} facts heard by {len(run.watches)} readers  {run.cuts} lines cut  {wrong} wrong"
        )


def write(run: Run, budgets: Path, path: Path) -> list[Verdict]:
    """Evaluate the run, print the table and write the file; return the verdicts."""
    operations = _operations(run)
    judged = [
        Measured(each["name"], each["requests"], each["failures"], each["p95_ms"])
        for each in operations
    ]
    verdicts = Budgets.read(budgets).judge(judged, run.audit)
    whole = {
        "passed": all(each.kept for each in verdicts),
        "host": run.environment.host,
        "commit": _commit(),
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(
            run.environment.stats.last_request_timestamp - run.environment.stats.start_time
        ),
        "users": _users(run),
        "readers": len(run.watches),
        "deliveries": run.deliveries(),
        "lines_cut_at_once": run.cuts,
        "verdicts": as_json(verdicts),
        "violations": run.audit.words,
        "operations": operations,
        "errors": [
            {
                "operation": f"{each.method} {each.name}",
                "error": str(each.error),
                "times": each.occurrences,
            }
            for each in run.environment.stats.errors.values()
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n")
    _table(whole)
    return verdicts


def _operations(run: Run) -> list[dict[str, Any]]:
    entries = sorted(
        run.environment.stats.entries.values(), key=lambda each: (each.method, each.name)
    )
    return [
        {
            "name": f"{each.method} {each.name}",
            "requests": each.num_requests,
            "failures": each.num_failures,
            "per_s": round(each.total_rps, 1),
            **{
                f"p{percent}_ms": each.get_response_time_percentile(percent / 100)
                for percent in (50, 95, 99)
            },
        }
        for each in entries
    ]


def _users(run: Run) -> dict[str, int]:
    runner = run.environment.runner
    return {} if runner is None else dict(runner.final_user_classes_count)


def _commit() -> str | None:
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.stdout.strip() or None


def _table(whole: dict[str, Any]) -> None:
    _say(
        f"\n{'operation':34} {'requests':>9} {'failed':>7} {'per s':>7} {'p50':>6} {'p95':>6} {'p99 ms':>7}"
    )
    for each in whole["operations"]:
        _say(
            f"{each['name']:34} {each['requests']:9,} {each['failures']:7} {each['per_s']:7} "
            f"{each['p50_ms']:6.0f} {each['p95_ms']:6.0f} {each['p99_ms']:7.0f}"
        )
    _say("")
    for each in whole["verdicts"]:
        _say(f"{'ok    ' if each['kept'] else 'BROKEN'} {each['name']}: {each['said']}")
    for words in whole["violations"][:20]:
        _say(f"       {words}")
    _say("passed" if whole["passed"] else "FAILED")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
