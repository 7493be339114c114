"""Enums of reviews: kinds of sources, and states of reviews and of their links."""

from domain.reputation import ReviewLinkState, ReviewSourceKind, ReviewState, ReviewVerification
from schema.core.types import enum

__all__ = ["ReviewLinkState", "ReviewSourceKind", "ReviewState", "ReviewVerification"]

enum(
    ReviewSourceKind,
    "ReviewSourceKind",
    google="Location of a Google Business Profile.",
    kiyoh="Location at Kiyoh or at Klantenvertellen.",
    trustpilot="Business unit, as that platform calls a page.",
    json_feed="Address that answers with JSON; `settings` names its fields.",
    rss="RSS or Atom feed.",
    file="File that is imported.",
)
enum(
    ReviewState,
    "ReviewState",
    live="As it was written.",
    edited="Its author changed it.",
    gone="No longer at the source: two full reads in a row did not contain it.",
)
enum(
    ReviewLinkState,
    "ReviewLinkState",
    suggested="It may belong to the client; a person decides.",
    automatic="It belongs to the client almost certainly, and to no other.",
    confirmed="A person says that it belongs to the client.",
    refused="A person says that it does not belong to the client.",
)
enum(
    ReviewVerification,
    "ReviewVerification",
    verified="The source says that the author is a client.",
    not_verified="The source says that it did not check this.",
    unknown="The source says nothing about it.",
)
