"""A churn fit of 7,043 real-looking customers: what it is worth on unseen ones, with many and with few."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from api.cli import app
from domain import churn
from domain.churn.calibration import log_loss

ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("WAARBORG_REAL_DATA", ROOT.parent / "shared" / "data"))
CUSTOMERS = REAL / "churn" / "ibm_telco_churn.parquet"
DRAWS = 200


@pytest.fixture(scope="module")
def customers() -> Path:
    """Return the file."""
    if not CUSTOMERS.exists():
        pytest.skip(f"the real customers {CUSTOMERS} are not on this machine (WAARBORG_REAL_DATA)")
    return CUSTOMERS


def fitted(customers: Path, *options: str) -> dict[str, Any]:
    words = ["churn", "fit", str(customers), "--profile", "ibm_telco", "--json", *options]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def test_the_command_orders_forecasts_and_abstains_as_promised(customers: Path) -> None:
    figures = fitted(customers)
    truth = json.loads((REAL / "TRUTH.json").read_text())["ibm_telco"]
    assert figures["clients"] == truth["rows"]
    assert figures["leavers"] / figures["clients"] == pytest.approx(truth["churn"], abs=1e-5)
    assert figures["model"]["auc"] >= 0.845
    assert figures["model"]["ece"] <= 0.015
    assert figures["model"]["brier"] < figures["base_rate"]["brier"]
    assert figures["abstention"]["leavers"] == pytest.approx(0.90, abs=0.02)
    assert figures["abstention"]["stayers"] == pytest.approx(0.90, abs=0.02)
    assert figures["abstention"]["right"] >= 0.85
    assert fitted(customers) == figures


@pytest.mark.parametrize("clients", [20, 50, 100])
def test_with_few_clients_signs_are_never_worse_than_the_base_rate(
    customers: Path, clients: int
) -> None:
    table = churn.read_clients(customers, churn.load_profile("ibm_telco"), signs=True)
    y, worse = table.left.astype(float), []
    for seed in range(DRAWS):
        order = np.random.default_rng(seed).permutation(len(y))
        some, unseen = order[:clients], order[clients : clients + 2000]
        model = churn.fit(table.x[some], y[some], table.prior)
        ours = churn.sigmoid(churn.logits_of(table.x[unseen], model.coefficients))
        rate = np.full(2000, (y[some].sum() + 0.5) / (clients + 1))
        worse.append(log_loss(ours, table.left[unseen]) - log_loss(rate, table.left[unseen]))
    assert max(worse) <= 0
