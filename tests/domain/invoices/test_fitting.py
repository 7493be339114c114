"""What of some credits fits on an invoice: as much as there is room for, to the cent."""

from hypothesis import given
from hypothesis import strategies as st

from domain.agreements.model import Unit
from domain.invoices import DocumentLine, VatCategory
from domain.invoices.rules import fitting_lines, max_net, totals

RATES = st.sampled_from([0, 900, 2_100, 10_000])


def lines(amounts: list[int], rate_bps: int) -> list[DocumentLine]:
    category = VatCategory.STANDARD if rate_bps else VatCategory.OUTSIDE
    return [
        DocumentLine(n, "a", 1_000 if c > 0 else -1_000, Unit.PIECE, abs(c), c, category, rate_bps)
        for n, c in enumerate(amounts, 1)
    ]


@given(st.integers(-1_000, 10**9), RATES)
def test_a_cent_more_than_the_most_would_not_fit(gross_cents: int, rate_bps: int) -> None:
    net = max_net(gross_cents, rate_bps)
    assert net >= 0
    for cents, fits in ((net, True), (net + 1, False)):
        gross = totals(lines([cents], rate_bps)).gross_cents if cents else 0
        if gross_cents >= 0:
            assert (gross <= gross_cents) is fits


@given(
    st.lists(st.integers(-50_000, 50_000).filter(bool), max_size=8),
    st.integers(0, 100_000),
    RATES,
)
def test_a_note_is_never_more_than_its_invoice_and_no_credit_gets_lost(
    amounts: list[int], gross_cents: int, rate_bps: int
) -> None:
    given_lines = lines(amounts, rate_bps)
    left = dict(enumerate(amounts))
    for _ in range(200):  # month after month
        open_lines = [(place, cents) for place, cents in left.items() if cents]
        found = fitting_lines(lines([cents for _, cents in open_lines], rate_bps), gross_cents)
        if not found:
            break
        sums = totals(line for _, line in found)
        assert 0 < sums.gross_cents <= gross_cents
        for place, line in found:
            key, cents = open_lines[place]
            assert abs(line.net_cents) <= abs(cents)
            assert (line.net_cents > 0) is (cents > 0)
            assert line.price_cents == abs(line.net_cents)
            left[key] -= line.net_cents
    if sum(amounts) > 0 and max_net(gross_cents, rate_bps) >= 1_000:
        assert not any(left.values())
    assert len(given_lines) == len(amounts)


def test_without_an_invoice_everything_that_favours_the_client_fits() -> None:
    assert [line.net_cents for _, line in fitting_lines(lines([500, -200], 2_100), None)] == [
        500,
        -200,
    ]
    assert fitting_lines(lines([100, -200], 2_100), None) == []
