"""All users in one file, for `locust -f loadtests/locustfile.py --host … --companies FILE` and for `make loadtest`.

The file of companies has one JSON object per line, as printed by `waarborg company NAME --guards N --json`; at least
two.
"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import gevent
import httpx2
import msgspec
from locust import events
from locust.env import Environment

from loadtests import report
from loadtests.asking import Asker
from loadtests.company import Company, found
from loadtests.guards import Guard
from loadtests.listening import BreachDesk, Crowd, Watcher
from loadtests.reading import Baseline, ClientApp
from loadtests.run import Run
from loadtests.storm import ControlRoom, Partner
from loadtests.wire import Refusal

__all__ = [
    "Baseline",
    "BreachDesk",
    "ClientApp",
    "ControlRoom",
    "Crowd",
    "Guard",
    "Partner",
    "Watcher",
]

HERE = Path(__file__).parent
COMPANIES: list[Company] = []
background: list[gevent.Greenlet] = []


@events.init_command_line_parser.add_listener
def options(parser: ArgumentParser) -> None:
    """Add the options of these runs to those of Locust."""
    parser.add_argument("--companies", type=Path, help="companies and their first keys, JSON lines")
    parser.add_argument("--saturate", action="store_true", help="phones report as fast as it goes")
    parser.add_argument("--budgets", type=Path, default=HERE / "budgets.toml")
    parser.add_argument("--report-json", type=Path, default=Path("build/loadtest/report.json"))


@events.init.add_listener
def prepare(environment: Environment, **_: Any) -> None:
    """Create the companies' data before the run's clock starts."""
    options: Any = environment.parsed_options
    try:
        COMPANIES.extend(
            found(str(environment.host), **msgspec.json.decode(line))
            for line in options.companies.read_text().splitlines()
        )
    except (OSError, httpx2.HTTPError, msgspec.DecodeError, Refusal) as error:
        raise SystemExit(f"The companies cannot be used: {error!r}") from error


@events.test_start.add_listener
def begin(environment: Environment, **_: Any) -> None:
    """Start a run, with a greenlet that breaks the crowd's connections now and then."""
    options: Any = environment.parsed_options
    Asker.run_of = run = Run(environment, COMPANIES, saturate=options.saturate)
    background.extend((gevent.spawn(run.drop_the_crowd), gevent.spawn(report.progress, run)))


@events.test_stop.add_listener
def settle(environment: Environment, **_: Any) -> None:
    """Reconcile, evaluate and write the report; a run with violations exits with 1."""
    options: Any = environment.parsed_options
    gevent.killall(background)
    background.clear()
    Asker.run_of.settle()
    verdicts = report.write(Asker.run_of, options.budgets, options.report_json)
    for each in verdicts:  # for Locust's own report, which lists operations only
        error = None if each.kept else AssertionError(each.said)
        Asker.run_of.measured("BUDGET", each.name, 0, error=error)
    environment.process_exit_code = 0 if all(each.kept for each in verdicts) else 1
