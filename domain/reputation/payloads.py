"""Read entries of platforms into the common form. Pure functions; an entry that is wrong raises `ValueError`."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from domain.core.base import JSON
from domain.reputation.rules import (
    SCALES,
    RatingScale,
    ReadReview,
    ReviewSourceKind,
    ReviewVerification,
    line_of,
    text_of,
)

_STARS = {"ONE": 1.0, "TWO": 2.0, "THREE": 3.0, "FOUR": 4.0, "FIVE": 5.0}
_ORIGINAL, _TRANSLATED = "(Original)", "(Translated by Google)"
_OVERALL, _ONELINER = "DEFAULT_OVERALL", "DEFAULT_ONELINER"
_OPINION, _RECOMMEND = "DEFAULT_OPINION", "DEFAULT_RECOMMEND"
FIELDS = (
    *("external_id", "rating", "author", "place", "title", "words", "language", "written_at"),
    *("changed_at", "verified", "reference", "url", "reply_words", "replied_at"),
)
"""Fields of a review that the settings of a feed may name."""


def instant_of(value: object) -> datetime:
    """Return a time from ISO 8601 or the form of e-mails; one without a zone is in UTC."""
    text = str(value or "")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            at = parsedate_to_datetime(text)
        except (TypeError, ValueError, IndexError):
            raise ValueError(f"no time: {text[:60]!r}") from None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC)


def google_review(entry: JSON) -> ReadReview:
    """Read a review of a Google Business Profile; of a translated text the original is kept."""
    reviewer, reply = _object(entry, "reviewer"), _object(entry, "reviewReply")
    stars = _STARS.get(str(entry.get("starRating")))
    if stars is None:
        raise ValueError(f"no star rating: {entry.get('starRating')!r}")
    state = str(reply.get("state") or "")
    return ReadReview(
        external_id=_id(entry.get("reviewId")),
        rating=stars,
        scale=SCALES[ReviewSourceKind.GOOGLE],
        author=None if reviewer.get("isAnonymous") else line_of(reviewer.get("displayName")),
        words=_original(text_of(entry.get("comment"))),
        written_at=instant_of(entry.get("createTime")),
        changed_at=instant_of(entry.get("updateTime") or entry.get("createTime")),
        verification=ReviewVerification.NOT_VERIFIED,
        reply_words=None if state == "REJECTED" else text_of(reply.get("comment")),
        replied_at=instant_of(reply["updateTime"]) if reply.get("updateTime") else None,
        raw=entry,
    )


def reply_refusal(kind: ReviewSourceKind, entry: JSON) -> str | None:
    """Return why a platform does not show the reply of an entry; None where it does not say that it refused one."""
    reply = _object(entry, "reviewReply")
    if kind is not ReviewSourceKind.GOOGLE or reply.get("state") != "REJECTED":
        return None
    return line_of(reply.get("policyViolation")) or "it breaks the rules of the platform"


def kiyoh_review(entry: JSON) -> ReadReview:
    """Read a review of Kiyoh: DEFAULT_OVERALL is the rating, the entry's own `rating` is kept as the stated one."""
    content = entry.get("reviewContent")
    if isinstance(content, Mapping):  # as the XML variant nests it
        content = content.get("reviewContent")
    answers: dict[str, Any] = {}
    for each in content if isinstance(content, list) else []:
        if isinstance(each, Mapping) and each.get("rating") is not None:
            answers.setdefault(str(each.get("questionGroup")), each["rating"])
    stated = None if entry.get("rating") is None else float(entry["rating"])
    overall = answers.get(_OVERALL, stated)
    if overall is None:
        raise ValueError("no rating")
    recommends = {"true": True, "false": False}.get(str(answers.get(_RECOMMEND)).lower())
    reply = text_of(entry.get("reviewComments"))
    return ReadReview(
        external_id=_id(entry.get("reviewId")),
        rating=float(overall),
        scale=SCALES[ReviewSourceKind.KIYOH],
        stated_rating=stated,
        author=line_of(entry.get("reviewAuthor")),
        place=line_of(entry.get("city")),
        title=line_of(answers.get(_ONELINER)),
        words=text_of(answers.get(_OPINION)),
        language=line_of(entry.get("reviewLanguage")),
        recommends=recommends,
        written_at=instant_of(entry.get("dateSince")),
        changed_at=instant_of(entry.get("updatedSince") or entry.get("dateSince")),
        verification=ReviewVerification.VERIFIED
        if entry.get("referenceCode")
        else ReviewVerification.UNKNOWN,
        verified_by="invitation" if entry.get("referenceCode") else None,
        reference=line_of(entry.get("referenceCode")),
        reply_words=reply,
        raw=entry,
    )


def trustpilot_review(entry: JSON) -> ReadReview:
    """Read a review of Trustpilot."""
    consumer, reply = _object(entry, "consumer"), _object(entry, "companyReply")
    is_verified = bool(entry.get("isVerified"))
    return ReadReview(
        external_id=_id(entry.get("id")),
        rating=float(entry.get("stars") or 0),
        scale=SCALES[ReviewSourceKind.TRUSTPILOT],
        author=line_of(consumer.get("displayName")),
        place=line_of(consumer.get("displayLocation")),
        title=line_of(entry.get("title")),
        words=text_of(entry.get("text")),
        language=line_of(entry.get("language")),
        written_at=instant_of(entry.get("createdAt")),
        changed_at=instant_of(entry.get("updatedAt") or entry.get("createdAt")),
        verification=ReviewVerification.VERIFIED
        if is_verified
        else ReviewVerification.NOT_VERIFIED,
        verified_by="invitation" if is_verified and entry.get("referenceId") else None,
        reference=line_of(entry.get("referenceId")),
        reply_words=text_of(reply.get("text")),
        replied_at=instant_of(reply["createdAt"]) if reply.get("createdAt") else None,
        raw=entry,
    )


def feed_review(
    entry: JSON, names: Mapping[str, Any], scale: RatingScale, look: Callable[[JSON, str], Any]
) -> ReadReview:
    """Read an entry of a feed; `names` says where each field of a review is, `look` finds it in the entry."""

    def of(field: str) -> Any:
        name = names.get(field, field)
        return look(entry, str(name)) if name else None

    verified = of("verified")
    rating = of("rating")
    if rating is None:
        raise ValueError("no rating")
    changed, replied = of("changed_at"), of("replied_at")
    return ReadReview(
        external_id=_id(of("external_id")),
        rating=float(str(rating).replace(",", ".")),
        scale=scale,
        author=line_of(of("author")),
        place=line_of(of("place")),
        title=line_of(of("title")),
        words=text_of(of("words")),
        language=line_of(of("language")),
        written_at=instant_of(of("written_at")),
        changed_at=instant_of(changed) if changed else None,
        verification=_verification(verified),
        reference=line_of(of("reference")),
        url=line_of(of("url")),
        reply_words=text_of(of("reply_words")),
        replied_at=instant_of(replied) if replied else None,
        raw=entry,
    )


def at_path(entry: object, path: str) -> Any:
    """Return the value at a dotted path of a JSON value; None where it leads nowhere."""
    for part in path.split(".") if path else []:
        entry = entry.get(part) if isinstance(entry, Mapping) else None
    return entry


def _verification(said: object) -> ReviewVerification:
    if said is None or said == "":
        return ReviewVerification.UNKNOWN
    is_yes = str(said).strip().lower() in {"true", "1", "yes", "ja", "verified"}
    return ReviewVerification.VERIFIED if is_yes else ReviewVerification.NOT_VERIFIED


def _id(value: object) -> str:
    found = line_of(value)
    if found is None:
        raise ValueError("no id")
    return found


def _object(entry: JSON, name: str) -> JSON:
    found = entry.get(name)
    return found if isinstance(found, dict) else {}


def _original(words: str | None) -> str | None:
    if words is None:
        return None
    if _ORIGINAL in words:
        return words.partition(_ORIGINAL)[2].strip() or None
    if _TRANSLATED in words:
        before = words.partition(_TRANSLATED)[0].strip()
        return before or words.replace(_TRANSLATED, "").strip() or None
    return words
