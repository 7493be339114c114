"""Profiles are read strictly: what is misspelt is said, with the file and the key."""

from pathlib import Path

import pytest

from domain import imports
from domain.core.errors import Refused
from tests.profiles import CASES, LOG, profile


@pytest.mark.parametrize("name", ["boston311", "sffd", "uci_servicenow"])
def test_a_shipped_profile_is_found_by_its_name(name: str) -> None:
    assert name in imports.shipped()
    assert imports.load(name).name == name


def test_a_profile_is_found_by_its_path_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(CASES, "utf-8-sig")
    assert imports.load(str(path)).name == "cases"


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Refused, match="boston311, sffd, uci_servicenow"):
        imports.load("nowhere")


@pytest.mark.parametrize(
    ("text", "old", "new", "said"),
    [
        (CASES, 'time_zone = "Europe/Amsterdam"', 'time_zone = "Mars"', "time_zone: unknown"),
        (CASES, "skew_tolerance_s", "skew_tolerance", "`skew_tolerance`"),
        (CASES, 'summary = { column = "what" }', "", r"`summary` - at `\$.ticket`"),
        (CASES, '"incident.closed"', '"incident.shut"', r"incident.shut.*\$.facts\[0\].kind"),
        (CASES, 'opened_at = "opened"', "", "ticket.opened_at: needed"),
        (CASES, '"1" = "critical"', '"1" = "urgent"', "ticket.priority: 'urgent' is none of"),
        (CASES, "business_days = 1", "elapsed_s = 1, business_days = 1", "one of the two"),
        (
            CASES,
            'kind = "closure"\ncalendar = "office"',
            'kind = "closure"\ncalendar = "x"',
            r"\[calendars.x\]",
        ),
        (
            CASES,
            '["09:00", "17:00"]',
            '["09:00", "25:00"]',
            "calendars.office: invalid time of day",
        ),
        (CASES, "T00:00:00Z", "T00:00:00", "agreement.in_force_from: needs a zone"),
        (CASES, "[into]", "[into", "Expected .* line 8"),
        (LOG, '"Active" = "in_progress"', '"Active" = "busy"', r"busy.*states"),
        (LOG, "[states]", "[other]", "`other`"),
    ],
)
def test_nonsense_is_refused_with_the_place_of_it(text: str, old: str, new: str, said: str) -> None:
    with pytest.raises(Refused, match=f"^test: .*{said}"):
        profile(text, (old, new))
