"""Sentiment: the polarity of texts in Dutch and English, by weights that are trained and shipped with the program."""

from domain.sentiment.choice import best_model
from domain.sentiment.heads import PolarityHead, UnusableHeadError, encoded, read_head
from domain.sentiment.own_heads import (
    FEWEST_OWN_TEXTS,
    OwnHead,
    OwnText,
    model_with,
    train_own,
)
from domain.sentiment.plain import PlainModel
from domain.sentiment.port import (
    NEUTRAL_BELOW,
    Polarity,
    PolarityClass,
    PolarityModel,
    SentimentMethod,
    class_of,
)
from domain.sentiment.themes import (
    TAXONOMY,
    TAXONOMY_VERSION,
    FoundTheme,
    Taxonomy,
    Theme,
    themes_of,
)

__all__ = [
    "FEWEST_OWN_TEXTS",
    "NEUTRAL_BELOW",
    "TAXONOMY",
    "TAXONOMY_VERSION",
    "FoundTheme",
    "OwnHead",
    "OwnText",
    "PlainModel",
    "Polarity",
    "PolarityClass",
    "PolarityHead",
    "PolarityModel",
    "SentimentMethod",
    "Taxonomy",
    "Theme",
    "UnusableHeadError",
    "best_model",
    "class_of",
    "encoded",
    "model_with",
    "read_head",
    "themes_of",
    "train_own",
]
