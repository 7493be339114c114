"""`churn fit`: the probability that clients leave, fitted to a file, with what it is worth on unseen clients."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from api.commands.progress import bars
from api.support.failures import CommandFailure, Exit
from domain import churn
from domain.churn import ChurnProfile, ClientTable, Fitted, ModelFigures, Validation

FEWEST = churn.FEWEST_LEAVERS
"""Leavers below which nothing is measurable."""


def profile_of(
    name: str | None, outcome: str | None, leaves: list[str], ignore: list[str]
) -> ChurnProfile:
    """Return the profile of this name with what the options name in its place."""
    if name is None and (outcome is None or not leaves):
        known = ", ".join(churn.shipped_profiles())
        raise CommandFailure(
            f"Name a profile ({known}, or a TOML file), or --outcome with --leaves."
        )
    chosen: dict[str, Any] = {"ignore": tuple(ignore)} if ignore else {}
    if outcome is not None:
        chosen["outcome"] = outcome
    if leaves:
        chosen["leaves"] = tuple(leaves)
    base = churn.load_profile(name) if name else ChurnProfile(outcome=outcome or "", leaves=())
    return msgspec.structs.replace(base, **chosen)


def run(file: Path, profile: ChurnProfile, *, signs: bool, as_json: bool) -> Exit:
    """Fit and validate, and print both."""
    with bars() as progress:
        table = churn.read_clients(
            file, profile, signs=signs, progress=lambda share: progress("reading", share)
        )
        fitted = churn.fit(table.x, table.left.astype(float), table.prior)
        measured = None
        if int(table.left.sum()) >= FEWEST:
            measured = churn.validate(table, lambda share: progress("cross-validation", share))
    if as_json:
        print(json.dumps(_figures(table, fitted, measured)))
    else:
        _tell(table, fitted, measured)
    return Exit.DONE


def _tell(table: ClientTable, fitted: Fitted, measured: Validation | None) -> None:
    n, leavers = len(table.left), int(table.left.sum())
    print(f"{n:,} clients, {leavers:,} left ({leavers / n:.1%}); {len(table.names)} features.")
    if table.left_out:
        print(f"Left out, as they are constant, empty or names: {', '.join(table.left_out)}.")
    if measured is None:
        print(
            f"Not yet measurable: {leavers} leavers, {FEWEST} are needed. The coefficients lean on the priors."
        )
    else:
        _tell_measured(measured)
    print(
        "Coefficients, largest first (log-odds; of a standard deviation, or of a sign that is raised):"
    )
    for name, coefficient, deviation in _coefficients(table, fitted):
        print(f"  {coefficient:+7.3f} ± {deviation:.3f}  {name}")


def _tell_measured(measured: Validation) -> None:
    print("Five-fold cross-validation, on clients that the model has not seen:")
    print(f"  {'':12}{'AUC':>8}{'Brier':>9}{'log loss':>10}{'ECE':>9}")
    for name, each in (("base rate", measured.base_rate), ("logistic", measured.model)):
        print(f"  {name:12}{each.auc:8.4f}{each.brier:9.4f}{each.log_loss:10.4f}{each.ece:9.4f}")
    found = measured.coverage
    if found is None:
        print("Abstention cannot be measured: 20 leavers are needed in each half.")
        return
    print(
        f"Abstention at α = 0.1: sets hold {found.leavers:.3f} of leavers and {found.stayers:.3f} of stayers;"
        f" it abstains for {found.abstains:.3f} and is right in {found.right:.3f} of the others."
    )


def _coefficients(table: ClientTable, fitted: Fitted) -> list[tuple[str, float, float]]:
    deviations = np.sqrt(np.diag(fitted.covariance))
    named = zip(table.names, fitted.coefficients[1:].tolist(), deviations[1:].tolist(), strict=True)
    return sorted(named, key=lambda each: (-abs(each[1]), each[0]))


def _figures(table: ClientTable, fitted: Fitted, measured: Validation | None) -> dict[str, Any]:
    return {
        "clients": len(table.left),
        "leavers": int(table.left.sum()),
        "left_out": list(table.left_out),
        "measurable": measured is not None,
        "model": _of(measured.model) if measured else None,
        "base_rate": _of(measured.base_rate) if measured else None,
        "abstention": asdict(measured.coverage) if measured and measured.coverage else None,
        "intercept": float(fitted.coefficients[0]),
        "coefficients": [
            {"name": name, "log_odds": value, "deviation": deviation}
            for name, value, deviation in _coefficients(table, fitted)
        ],
    }


def _of(figures: ModelFigures) -> dict[str, float]:
    return asdict(figures)
