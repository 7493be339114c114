"""Feedback: the sentiment and themes of what clients write, with method and words, corrected by people."""

from domain.feedback.actions import correct_sentiment
from domain.feedback.heads import PART as HEADS_PART
from domain.feedback.heads import companies_to_train, model_of, own_texts, store_head
from domain.feedback.model import SentimentHead, TextSentiment, ThemeTaxonomy, changes_of
from domain.feedback.privacy import forget_person, forget_words
from domain.feedback.reading import Found, follow_review, read_texts, store_readings
from domain.feedback.reads import FEWEST, SentimentMonth, sentiment_trend
from domain.feedback.rules import (
    DRIVERS,
    FeedbackKind,
    SatisfactionDriver,
    TextTheme,
    ThemeWordChange,
    ThemeWords,
    text_themes,
    theme_changes,
)
from domain.feedback.taxonomy import ThemesInForce, revise_theme_words, themes_in_force
from domain.feedback.texts import PART, UnreadText, texts_due, unread_texts

__all__ = [
    "DRIVERS",
    "FEWEST",
    "HEADS_PART",
    "PART",
    "FeedbackKind",
    "Found",
    "SatisfactionDriver",
    "SentimentHead",
    "SentimentMonth",
    "TextSentiment",
    "TextTheme",
    "ThemeTaxonomy",
    "ThemeWordChange",
    "ThemeWords",
    "ThemesInForce",
    "UnreadText",
    "changes_of",
    "companies_to_train",
    "correct_sentiment",
    "follow_review",
    "forget_person",
    "forget_words",
    "model_of",
    "own_texts",
    "read_texts",
    "revise_theme_words",
    "sentiment_trend",
    "store_head",
    "store_readings",
    "text_themes",
    "texts_due",
    "theme_changes",
    "themes_in_force",
    "unread_texts",
]
