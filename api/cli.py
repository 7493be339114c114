"""The command line: words and options; what they do is imported when they are said.

`waarborg --help` takes 0.15 s of which 0.06 s is importing typer and 0.05 s rich, which draws it; importing
what the commands need here would make it 1.5 s.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="waarborg",
    help="Promises in private security that clients can check.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
import_app = typer.Typer(help="Bring in history from other systems.", no_args_is_help=True)
export_app = typer.Typer(help="Take out what was decided, and what happened.", no_args_is_help=True)
churn_app = typer.Typer(help="Learn who leaves from clients of the past.", no_args_is_help=True)
app.add_typer(import_app, name="import")
app.add_typer(export_app, name="export")
app.add_typer(churn_app, name="churn")

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Directory of the embedded servers (WAARBORG_DATA, else ./var)."),
]
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON, for scripts.")]
Tenant = Annotated[str | None, typer.Option(help="Name or id of the security company.")]
Account = Annotated[str | None, typer.Option(help="Name or id of the client account.")]
Host = Annotated[
    str | None, typer.Option(help="Address to listen on (WAARBORG_HOST, else 127.0.0.1).")
]
Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="Port; 0 takes a free one (WAARBORG_PORT, else 8000)."),
]


class TableFormat(StrEnum):
    """Format of a table in the output."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"waarborg {version('waarborg')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and stop."
        ),
    ] = False,
) -> None:
    """Promises in private security that clients can check."""


@app.command()
def up(
    port: Port = None,
    host: Host = None,
    data: Data = None,
    live: Annotated[bool, typer.Option(help="Simulate guards and incidents.")] = True,
) -> None:
    """Start everything, with demo data, in this terminal; Ctrl-C stops it."""
    from api.commands.environment import settings_of
    from api.commands.up import up as run

    run(settings_of(data, host=host, port=port), live=live)


@app.command()
def api(
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the port.")] = 1,
    port: Port = None,
    host: Host = None,
    data: Data = None,
) -> None:
    """Start the API alone."""
    from api.commands.up import api as run

    run(data, host=host, port=port, workers=workers)


@app.command()
def worker(data: Data = None) -> None:
    """Start a worker alone: the relay, the jobs, the deadlines."""
    from api.commands.up import worker as run

    run(data)


@app.command()
def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 when something differs.")
    ] = False,
    revise: Annotated[
        str | None, typer.Option(help="Write the revision that leads to the models.")
    ] = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Bring the database to the tables of this release."""
    from api.commands.migrate import run

    _end(run(data, check=check, revise=revise, as_json=as_json))


@app.command()
def token(
    role: Annotated[str, typer.Option(help="Role of the user to be, e.g. dispatcher.")],
    tenant: Tenant = None,
    account: Account = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Print an access token of a user with this role."""
    from api.commands.environment import surroundings
    from api.commands.token import run

    with surroundings(data) as settings:
        code = run(settings, role, tenant, account, as_json)
    _end(code)


@app.command()
def company(
    name: Annotated[str, typer.Argument(help="What it is called; no other one is.")],
    client: Annotated[
        str | None, typer.Option(help="A first client, under an agreement with the usual promises.")
    ] = None,
    site: Annotated[str | None, typer.Option(help="A first site of that client.")] = None,
    guards: Annotated[int, typer.Option(help="Guards whose tokens --json prints.")] = 0,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Make a security company, with a first client if one is named, and print the first key to it."""
    from api.commands.company import run
    from api.commands.environment import surroundings

    with surroundings(data) as settings:
        code = run(settings, name, as_json, client=client, site=site, guards=guards)
    _end(code)


@app.command()
def defaults(
    account: Annotated[str, typer.Option(help="The client, by name or id.")],
    tenant: Tenant = None,
    reference: Annotated[str, typer.Option(help="Of the agreement, if one is made.")] = "1",
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Give a client the default promises, escalation policy, touchpoints and reports that it lacks."""
    from api.commands.defaults import run
    from api.commands.environment import surroundings

    with surroundings(data) as settings:
        code = run(settings, account, tenant, reference, as_json)
    _end(code)


@import_app.command("incidents")
def import_incidents(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet.", exists=True, dir_okay=False)],
    profile: Annotated[str, typer.Option(help="A shipped profile, such as sffd, or a TOML file.")],
    tenant: Tenant = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where unreadable rows go (else FILE.rejects.csv).")
    ] = None,
    no_wait: Annotated[
        bool,
        typer.Option(
            "--no-wait", help="Return when the rows are in the database; workers do the rest."
        ),
    ] = False,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Bring in incidents, and wait until workers have numbered and measured all of them.

    What is there already is left alone.
    """
    from api.commands.environment import surroundings
    from api.commands.imports import run

    with surroundings(data) as settings:
        code = run(settings, file, profile, tenant, rejects, as_json, is_awaited=not no_wait)
    _end(code)


@import_app.command("reviews")
def import_reviews(
    file: Annotated[Path, typer.Argument(help="CSV.", exists=True, dir_okay=False)],
    profile: Annotated[
        Path, typer.Option(help="A TOML file with the columns.", exists=True, dir_okay=False)
    ],
    source: Annotated[str, typer.Option(help="The source that gets them; added if it is new.")],
    tenant: Tenant = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Bring in reviews from a file. What is there already is left alone."""
    from api.commands.environment import surroundings
    from api.commands.review_files import run

    with surroundings(data) as settings:
        code = run(settings, file, profile, source, tenant, as_json)
    _end(code)


@import_app.command("calendar")
def import_calendar(
    file: Annotated[Path, typer.Argument(help="iCalendar (.ics).", exists=True, dir_okay=False)],
    calendar: Annotated[str, typer.Option(help="The calendar that gets the free days.")],
    tenant: Tenant = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Add public holidays and closures from an iCalendar file to a calendar, as a new version."""
    from api.commands.environment import surroundings
    from api.commands.free_days import run

    with surroundings(data) as settings:
        code = run(settings, file, calendar, tenant, as_json)
    _end(code)


@app.command()
def evaluate(
    tenant: Tenant = None,
    account: Account = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Change nothing; exit 1 when a stored verdict differs.")
    ] = False,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Judge every promise again from the ledger."""
    from api.commands.environment import surroundings
    from api.commands.evaluate import run

    with surroundings(data) as settings:
        code = run(settings, tenant, account, verify, as_json)
    _end(code)


@app.command()
def simulate(
    file: Annotated[
        Path, typer.Argument(help="Proposed terms, TOML.", exists=True, dir_okay=False)
    ],
    account: Annotated[str, typer.Option(help="The client, by name or id.")],
    tenant: Tenant = None,
    seed: Annotated[int, typer.Option(help="Of the draws; the same seed draws the same.")] = 0,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Play proposed terms on a client's own history; exit 1 when they need a sign-off."""
    from api.commands.environment import surroundings
    from api.commands.simulate import run

    with surroundings(data) as settings:
        code = run(settings, file, account, tenant, seed, as_json)
    _end(code)


@app.command()
def detect(
    file: Annotated[
        Path,
        typer.Argument(help="CSV or Parquet with a column of days.", exists=True, dir_okay=False),
    ],
    profile: Annotated[
        str | None, typer.Option(help="A shipped profile, such as berlin, or a TOML file.")
    ] = None,
    date: Annotated[
        str | None, typer.Option(help="Column with the day or the instant, in ISO 8601.")
    ] = None,
    count: Annotated[
        list[str] | None,
        typer.Option(help="Column with a count; may be repeated. Without any, rows are counted."),
    ] = None,
    level: Annotated[
        list[str] | None,
        typer.Option(help="Column with a level, such as seconds of response; may be repeated."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(help="Column that splits the rows into series; may be repeated."),
    ] = None,
    retro: Annotated[
        bool, typer.Option("--retro", help="Also use the 56 days after each day: for looking back.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Find unusual days, bursts of rare events and shifts of level in daily series of a file.

    Counts of 20 a day and more are compared with the same weekdays of the 56 days before; smaller ones are rare events,
    of which a week has too many. Levels are watched for shifts that last. Less than 28 days of history (56 for levels)
    is said, not guessed. Needs no database.
    """
    from api.commands.detect import profile_of, run

    wanted = profile_of(profile, date, count or [], level or [], by or [])
    _end(run(file, wanted, retro=retro, as_json=as_json))


@churn_app.command("fit")
def churn_fit(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV or Parquet, one row for every client.", exists=True, dir_okay=False
        ),
    ],
    profile: Annotated[
        str | None, typer.Option(help="A shipped profile, such as ibm_telco, or a TOML file.")
    ] = None,
    outcome: Annotated[
        str | None, typer.Option(help="Column that says who left, without a profile.")
    ] = None,
    leaves: Annotated[
        list[str] | None, typer.Option(help="Value of a client that left; may be repeated.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="Column that is not used; may be repeated.")
    ] = None,
    signs: Annotated[
        bool,
        typer.Option(
            "--signs", help="Only the profile's yes/no signs, with published odds: for few clients."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Fit the probability that a client leaves, and say how well it does on clients it has not seen.

    Prints figures of five-fold cross-validation beside those of the base rate, how often the model abstains, and the
    coefficients. With fewer than 20 leavers nothing is measurable yet, and that is said. Needs no database.
    """
    from api.commands.churn import profile_of, run

    wanted = profile_of(profile, outcome, leaves or [], ignore or [])
    _end(run(file, wanted, signs=signs, as_json=as_json))


@export_app.command("verdicts")
def export_verdicts(
    format: Annotated[TableFormat, typer.Option(help="csv, json or parquet.")] = TableFormat.CSV,
    out: Annotated[Path | None, typer.Option(help="File to write (else standard output).")] = None,
    tenant: Tenant = None,
    account: Account = None,
    source: Annotated[
        str | None, typer.Option(help="Only incidents of this external source.")
    ] = None,
    data: Data = None,
) -> None:
    """Take out one row per verdict."""
    from api.commands.environment import surroundings
    from api.commands.verdicts import run

    with surroundings(data) as settings:
        code = run(settings, format.value, out, tenant, account, source)
    _end(code)


@export_app.command("audit")
def export_audit(
    tenant: Tenant = None,
    account: Account = None,
    out: Annotated[Path | None, typer.Option(help="File to write (else standard output).")] = None,
    since: Annotated[
        list[int] | None, typer.Option(help="Size of a checkpoint that was kept; may be repeated.")
    ] = None,
    data: Data = None,
) -> None:
    """Take out what happened with proofs, for waarborg-verify."""
    from api.commands.audit import run
    from api.commands.environment import surroundings

    with surroundings(data) as settings:
        code = run(settings, tenant, account, out, since or [])
    _end(code)


@app.command()
def restored(
    reason: Annotated[str, typer.Option(help="Why, such as the backup's date.")],
    data: Data = None,
) -> None:
    """Begin a new epoch of the ledger after a backup was restored, so that readers of the old epoch get a notice."""
    from api.commands.environment import surroundings
    from api.commands.restored import run

    with surroundings(data) as settings:
        run(settings, reason)


@app.command()
def outbox(
    action: Annotated[str | None, typer.Argument(help="retry, lift, or nothing: look.")] = None,
    consequence: Annotated[
        str | None, typer.Argument(help="Its id, to retry one; or the address.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Retry all that was given up.")] = False,
    tenant: Tenant = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Show what is still to be done, failed or was given up; `retry` tries it again, `lift` frees an address."""
    from api.commands.environment import surroundings
    from api.commands.outbox import run

    with surroundings(data) as settings:
        code = run(settings, action, consequence, everything, tenant, as_json)
    _end(code)


@app.command()
def sdl(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 when the file differs.")
    ] = False,
) -> None:
    """Write the GraphQL schema as the code has it."""
    from api.commands.sdl import run

    _end(run(check))


@app.command()
def key(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    account: Annotated[
        list[str] | None, typer.Option(help="A client it reaches, by name or id; repeatable.")
    ] = None,
    all_accounts: Annotated[
        bool, typer.Option("--all-accounts", help="It reaches every client.")
    ] = False,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What it may do, such as incidents:read; repeatable."),
    ] = None,
    role: Annotated[str, typer.Option(help="The role it acts in.")] = "partner",
    tenant: Tenant = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Issue an API key and print it once."""
    from api.commands.environment import surroundings
    from api.commands.key import KeyRequest, run

    wanted = KeyRequest(name, role, account or [], all_accounts, scope or None)
    with surroundings(data) as settings:
        code = run(settings, wanted, tenant, as_json)
    _end(code)


@app.command()
def facts(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 when the page differs.")
    ] = False,
) -> None:
    """Write the catalogue of facts as a page."""
    from api.commands.facts import run

    _end(run(check))


@app.command()
def visibility(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 when the page differs.")
    ] = False,
) -> None:
    """Write the page about who sees and may do what, from the table that the server asks."""
    from api.commands.visibility import run

    _end(run(check))


@app.command()
def parameters(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 when the page differs.")
    ] = False,
) -> None:
    """List the parameters that a company can set, and write them as a page."""
    from api.commands.parameters import run

    _end(run(check))


@app.command()
def rooms(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 when the page differs.")
    ] = False,
) -> None:
    """Write the table of capabilities in the page of rooms, from what each package says it holds."""
    from api.commands.rooms import run

    _end(run(check))


@app.command()
def doctor(as_json: Json = False, port: Port = None, data: Data = None) -> None:
    """Look at everything Waarborg stands on, and say what to do about it."""
    from api.commands.doctor import run

    _end(run(data, port=port, as_json=as_json))


def _end(code: Any) -> None:
    """Leave with the exit code a command answered; nothing means done."""
    raise typer.Exit(int(code or 0))


def main() -> None:
    """The program: failures we know are said in a sentence, and every end has its exit code."""
    try:
        app()
    except KeyboardInterrupt:
        from api.support.failures import Exit

        raise SystemExit(Exit.INTERRUPTED) from None
    except Exception as error:  # noqa: BLE001 - the outermost place there is
        from api.support.failures import Exit, explained

        known = explained(error)
        if known is None:
            import traceback

            traceback.print_exc()
            raise SystemExit(Exit.BUG) from None
        print(f"waarborg: {known[1]}", file=sys.stderr)
        raise SystemExit(int(known[0])) from None


if __name__ == "__main__":
    main()
