"""Languages of reports."""

from pathlib import Path

from domain.documents import LANGUAGES, Language, language

__all__ = ["LANGUAGES", "TEMPLATES", "Language", "language_of"]

TEMPLATES = Path(__file__).parent / "templates"


def language_of(code: str, zone: str) -> Language:
    """Return the texts of reports in a language, with times in a time zone."""
    return language.of(code, TEMPLATES, zone)
