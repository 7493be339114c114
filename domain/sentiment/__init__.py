"""Sentiment: the polarity of texts in Dutch and English, by weights that are trained and shipped with the program."""

from domain.sentiment.choice import best_model
from domain.sentiment.heads import PolarityHead, UnusableHeadError, read_head
from domain.sentiment.plain import PlainModel
from domain.sentiment.port import (
    NEUTRAL_BELOW,
    Polarity,
    PolarityClass,
    PolarityModel,
    SentimentMethod,
    class_of,
)
from domain.sentiment.themes import TAXONOMY_VERSION, FoundTheme, Theme, themes_of

__all__ = [
    "NEUTRAL_BELOW",
    "TAXONOMY_VERSION",
    "FoundTheme",
    "PlainModel",
    "Polarity",
    "PolarityClass",
    "PolarityHead",
    "PolarityModel",
    "SentimentMethod",
    "Theme",
    "UnusableHeadError",
    "best_model",
    "class_of",
    "read_head",
    "themes_of",
]
