"""`python -m loadtests`: runs a load test on its own servers or on `--host`; exits with 1 on a violation."""

import subprocess
import sys
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path

from loadtests.servers import companies, servers

HERE = Path(__file__).parent


def main() -> int:
    """Run Locust headless and return its exit code."""
    parser = ArgumentParser(prog="python -m loadtests", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--saturate", action="store_true", help="phones report as fast as it goes")
    parser.add_argument("--host", help="an API that runs; without one, servers are started")
    parser.add_argument(
        "--companies",
        type=Path,
        help="with --host: what `waarborg company … --guards N --json` printed",
    )
    parser.add_argument("--budgets", type=Path, default=HERE / "budgets.toml")
    parser.add_argument("--out", type=Path, default=Path("build/loadtest"))
    given = parser.parse_args()
    if given.host and not given.companies:
        parser.error(
            "--host needs --companies: two lines of `waarborg company NAME --guards N --json`, from over there"
        )
    given.out.mkdir(parents=True, exist_ok=True)
    data = given.out / "data"
    with nullcontext(given.host) if given.host else servers(data) as host:
        listed = given.companies or given.out / "companies.jsonl"
        if not given.host:
            listed.write_text(companies(data, guards=max(10, given.users // 5)))
        command = [
            *(sys.executable, "-m", "locust", "-f", str(HERE / "locustfile.py")),
            *("--headless", "--only-summary", "--loglevel", "WARNING", "--stop-timeout", "10"),
            *(
                "--host",
                host,
                "--users",
                str(given.users),
                "--spawn-rate",
                str(max(1, given.users / 10)),
            ),
            *("--run-time", f"{given.minutes * 60:.0f}s", "--companies", str(listed)),
            *(["--saturate"] if given.saturate else []),
            *("--budgets", str(given.budgets), "--report-json", str(given.out / "report.json")),
            *(
                "--html",
                str(given.out / "report.html"),
                "--json-file",
                str(given.out / "locust.json"),
            ),
        ]
        done = subprocess.run(command, check=False, cwd=HERE.parent).returncode
    print(f"{given.out / 'report.html'}, {given.out / 'report.json'}", file=sys.stderr)
    return done


if __name__ == "__main__":
    raise SystemExit(main())
