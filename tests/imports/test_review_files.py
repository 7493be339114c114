"""A CSV file with reviews is imported by a profile: once, line by line, with what could not be read beside it."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from api.commands.review_files import run
from api.support.failures import Exit
from domain.core.db import Sessions
from domain.core.errors import Refused
from domain.core.settings import Settings
from domain.reputation import Review, ReviewSource
from tests import build

PROFILE = """
scale = [1, 10]
delimiter = ";"
time_format = "%d-%m-%Y %H:%M"
zone = "Europe/Amsterdam"
[columns]
external_id = "Nummer"
rating = "Cijfer"
author = "Naam"
words = "Tekst"
written_at = "Datum"
"""
ROWS = """Nummer;Cijfer;Naam;Tekst;Datum
1;8,5;An;Prima;01-02-2026 10:00
2;elf;Bo;Goed;01-02-2026 11:00
;3;Cas;"Te laat
gekomen";02-07-2026 12:30
4;11;Dirk;Hoog;02-07-2026 12:30
5;7;Eva;Laat;juli
"""


async def imported(
    settings: Settings, folder: Path, tenant: str, capsys: pytest.CaptureFixture[str]
) -> dict[str, object]:
    """Run the command; what it says as JSON."""
    import asyncio

    file, profile = folder / "reviews.csv", folder / "profile.toml"
    profile.write_text(PROFILE)
    assert (
        await asyncio.to_thread(run, settings, file, profile, "Export", tenant, True) is Exit.DONE
    )
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


async def test_a_file_is_imported_once_and_bad_lines_stand_beside_it(
    make: Sessions, system_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = await build.client(make)
    settings = Settings(system_database_url=system_url, data=tmp_path)
    (tmp_path / "reviews.csv").write_text(ROWS)
    first = await imported(settings, tmp_path, world.tenant.name, capsys)
    assert (first["received"], first["rejected"]) == (2, 3)
    again = await imported(settings, tmp_path, world.tenant.name, capsys)
    assert (again["received"], again["edited"], again["repeated"]) == (0, 0, 2)
    (tmp_path / "reviews.csv").write_text(ROWS.replace("1;8,5", "1;9"))
    changed = await imported(settings, tmp_path, world.tenant.name, capsys)
    assert (changed["received"], changed["edited"]) == (0, 1)
    async with make() as session:
        rows = await session.scalars(
            select(Review)
            .join(ReviewSource, ReviewSource.id == Review.source_id)
            .where(ReviewSource.tenant_id == world.tenant.id, ReviewSource.name == "Export")
            .order_by(Review.written_at)
        )
        one, three = rows.all()
    assert (one.rating, one.external_id, one.written_at.isoformat()) == (
        9, "1", "2026-02-01T09:00:00+00:00",
    )  # fmt: skip
    assert three.words == "Te laat\ngekomen"
    assert three.external_id.startswith("sha256:")
    reasons = (tmp_path / "reviews.csv.rejects.csv").read_text().splitlines()
    assert len(reasons) == 4


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("scale = [1, 5]", "no profile"), ("columns = {}\nscale = [1, 5]", "must name"),
        ("scale = [5, 1]\n[columns]\nrating = 'a'\nwritten_at = 'b'", "must rise"),
        ("scale = [1, 5]\nzone = 'Mars'\n[columns]\nrating = 'a'\nwritten_at = 'b'", "no profile"),
        ("scale = [1, 5]\n[columns]\nrating = 'a'\nwritten_at = 'b'\nstars = 'c'", "not stars"),
        ("nonsense", "not TOML"),
    ],
)  # fmt: skip
def test_a_bad_profile_is_refused_in_words(tmp_path: Path, profile: str, words: str) -> None:
    from domain.reputation import review_file_profile

    path = tmp_path / "p.toml"
    path.write_text(profile)
    with pytest.raises(Refused, match=words):
        review_file_profile(path)
