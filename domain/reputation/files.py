"""Files with reviews: CSV of any platform, read by a profile that says which column holds what."""

import csv
import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.core.base import JSON
from domain.core.errors import Code, Refused
from domain.core.spreadsheets import restore
from domain.reputation.payloads import FIELDS, feed_review
from domain.reputation.rules import RatingScale, ReadReview

_NEEDED = ("rating", "written_at")
_TIMES = ("written_at", "changed_at", "replied_at")
_ID_OF = ("author", "written_at", "title", "words")
"""Fields that make the id of a review in a file without ids."""


@dataclass(frozen=True, slots=True)
class ReviewFileProfile:
    """How a file is read: the column of each field, the scale of ratings, and the form of times."""

    columns: dict[str, str]
    scale: RatingScale
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    time_format: str | None = None
    zone: str = "UTC"


@dataclass(slots=True)
class ReviewFile:
    """Reviews of a file, and the lines that could not be understood, each with its reason."""

    reviews: list[ReadReview] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)


def review_file_profile(path: Path) -> ReviewFileProfile:
    """Load a profile from TOML; refuses one that is no profile, and says what is wrong."""
    try:
        given = tomllib.loads(path.read_text("utf-8"))
        columns = {str(key): str(value) for key, value in given.pop("columns").items()}
        low, high = given.pop("scale")
        profile = ReviewFileProfile(columns, RatingScale(float(low), float(high)), **given)
        ZoneInfo(profile.zone)
        "".encode(profile.encoding)
    except (OSError, UnicodeError) as error:
        raise _refused(f"{path} cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise _refused(f"{path} is not TOML: {error}.") from error
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        LookupError,
        ZoneInfoNotFoundError,
    ) as error:
        raise _refused(
            f"{path} is no profile of reviews: it needs `scale = [lowest, highest]` and a table `columns`, and knows"
            f" delimiter, encoding, time_format and zone ({error})."
        ) from error
    unknown = sorted(columns.keys() - set(FIELDS))
    missing = sorted(set(_NEEDED) - columns.keys())
    if unknown or missing:
        raise _refused(
            f"{path}: the columns must name {' and '.join(_NEEDED)}, and only fields of a review"
            f" ({', '.join(FIELDS)}); not {', '.join(unknown) or 'less'}."
        )
    if not profile.scale.low < profile.scale.high or len(profile.delimiter) != 1:
        raise _refused(f"{path}: the scale must rise, and the delimiter be one character.")
    return profile


def review_rows(
    path: Path, profile: ReviewFileProfile, *, batch: int = 500
) -> Iterator[ReviewFile]:
    """Read a CSV file in batches; a line that cannot be understood is left out alone."""
    try:
        with path.open(encoding=profile.encoding, newline="") as lines:
            reader = csv.DictReader(lines, delimiter=profile.delimiter)
            missing = sorted(set(profile.columns.values()) - set(reader.fieldnames or ()))
            if missing:
                raise _refused(f"{path} has no column {', '.join(missing)}.")
            found = ReviewFile()
            for row in reader:
                try:
                    found.reviews.append(_review(row, profile))
                except (ValueError, TypeError) as error:
                    found.rejected.append((reader.line_num, str(error)))
                if len(found.reviews) + len(found.rejected) >= batch:
                    yield found
                    found = ReviewFile()
            yield found
    except (OSError, UnicodeError, csv.Error) as error:
        raise _refused(f"{path} cannot be read: {error}.") from error


def _review(row: dict[Any, Any], profile: ReviewFileProfile) -> ReadReview:
    entry: JSON = {
        str(key): restore(value) for key, value in row.items() if key and isinstance(value, str)
    }
    values = {name: entry.get(column) for name, column in profile.columns.items()}
    for name in _TIMES:
        if profile.time_format is not None and values.get(name):
            at = datetime.strptime(str(values[name]).strip(), profile.time_format)  # noqa: DTZ007 - below
            at = at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(profile.zone))
            values[name] = at.isoformat()
    if not values.get("external_id"):
        told = "\x1f".join(str(values.get(name) or "") for name in _ID_OF)
        values["external_id"] = f"sha256:{hashlib.sha256(told.encode()).hexdigest()[:32]}"
    review = feed_review(values, {}, profile.scale, dict.get)
    _ = review.share  # raises for a rating outside its scale
    return ReadReview(
        **{name: getattr(review, name) for name in review.__struct_fields__ if name != "raw"},
        raw=entry,
    )


def _refused(words: str) -> Refused:
    return Refused(Code.INVALID, words)
