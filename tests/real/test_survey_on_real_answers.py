"""NPS of a real survey of 1,416 passengers, whose code 11 is not a score, with and without weights."""

import os
from pathlib import Path

import pytest

from domain import surveys
from domain.surveys import QuestionKind

ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("WAARBORG_REAL_DATA", ROOT.parent / "shared" / "data"))
SURVEY = REAL / "reviews" / "sfo_survey_2017_odd.parquet"


@pytest.fixture(scope="module")
def answers() -> tuple[list[float | None], list[float]]:
    """Return the answers and their weights."""
    if not SURVEY.exists():
        pytest.skip(f"the real survey {SURVEY} is not on this machine (WAARBORG_REAL_DATA)")
    from pyarrow import parquet

    table = parquet.read_table(SURVEY, columns=["NETPRO", "WEIGHT"])
    return table["NETPRO"].to_pylist(), table["WEIGHT"].to_pylist()


def test_nps_of_the_real_survey(answers: tuple[list[float | None], list[float]]) -> None:
    values, weights = answers
    plain = surveys.score(QuestionKind.NPS, surveys.tally_of(values))
    weighted = surveys.score(QuestionKind.NPS, surveys.tally_of(values, weights))
    assert plain is not None
    assert weighted is not None
    assert plain.estimate is not None
    assert weighted.estimate is not None
    assert (plain.n, plain.excluded) == (1386, 29)
    assert plain.estimate.value == pytest.approx(39.9711, abs=5e-5)
    assert weighted.estimate.value == pytest.approx(39.9148, abs=5e-5)
    assert weighted.n_effective == pytest.approx(1147, abs=0.5)
    assert plain.estimate[1:] == pytest.approx((36.1, 43.7), abs=0.1)
